//! What a business is: the parts that every one of them has.
//!
//! A business has one producer, which simulates its world; workers of the stream lane, which answer
//! each event at once; and one job of the batch lane, which answers once a period. Each of them
//! runs as a separate process, under the name given here. [`businesses`](crate::businesses) lists
//! all businesses.
//!
//! # Simplifications
//! - One [`Logic`] and one [`World`] hold the options of all businesses; each uses those that
//!   concern it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bill::{AnswerReplay, BusinessBill, Line, Part};
use consumers::fraud::Costs;
use dashboard::{BillItem, Pane, Snapshot};
use events::{Business as Id, DAY_MS, Event, HOUR_MS, Timestamp, Topic};
use processor::Processor;
use processor::mart::Mart;
use producers::Emission;
use streets::Map;

use crate::ledger::LedgerEntry;
use crate::priority::Priority;
use crate::view::{Closing, View};

/// One business of the show.
#[derive(Debug)]
pub struct Business {
    /// The business itself, which tells its topics and events.
    pub id: Id,
    /// Its name for `--scenario`.
    pub name: &'static str,
    /// Its subject, as part of a sentence.
    pub help: &'static str,
    /// Whether it is part of a show by default.
    pub in_every_show: bool,
    /// The simulator of its world.
    pub producer: Producer,
    /// The workers of the stream lane.
    pub workers: &'static [Worker],
    /// The job of the batch lane.
    pub job: Job,
    /// Its logic without a broker.
    pub replay: Replay,
    /// Its part of a comparison of periods.
    pub comparison: Comparison,
    /// Its questions and their answers in the ledger.
    pub ledger: LedgerEntry,
    /// Its tables in the warehouse, and what can be asked of them.
    pub mart: &'static Mart,
    /// Its part of the bill.
    pub bill: &'static Part,
    /// Its lines of the bill on the screen.
    pub bill_items: fn(&dyn BusinessBill, &[Line]) -> Vec<BillItem>,
    /// The replay of its stream's answers in a fixed order, where they depend on the order of
    /// reading.
    pub answer_replay: Option<fn(&Arc<Map>) -> Replayer>,
    /// How much it writes.
    pub volume: Volume,
    /// Its pane.
    pub pane: Pane,
    /// What its pane shows.
    pub view: fn(&Arc<Map>) -> Box<dyn View>,
    /// Its summary at the end of a show, besides its bill.
    pub closing: Option<fn(&Snapshot) -> Closing>,
}

/// What a business writes, as measured.
#[derive(Debug)]
pub struct Volume {
    /// KiB of the log in an hour of event time, by topic.
    pub kib_per_hour: &'static [(Topic, i64)],
    /// Whether that is for each car of the show.
    pub per_car: bool,
    /// MiB of the history before the show, and of what processors put on the disk.
    pub history_mib: i64,
}

/// Replays the stream's answers.
pub type Replayer = Box<dyn AnswerReplay>;

/// A simulated world and its description.
#[derive(Debug)]
pub struct Producer {
    /// Its name for `freshet produce`.
    pub name: &'static str,
    /// What it simulates.
    pub help: &'static str,
    /// The topics it writes; the first tells whether it has begun.
    pub topics: &'static [Topic],
    /// Those of them that get more records in a burst.
    pub bursts: &'static [Topic],
    /// How long its work can be delayed; none for latency-critical work.
    pub priority: Option<Priority>,
    /// The options it needs besides the clock.
    pub needs: &'static [Need],
    /// Its endless events from the start of the show.
    pub simulate: fn(&World) -> Result<Emissions>,
    /// The events that a burst at a moment adds: deterministic by moment and world.
    pub burst: fn(&World, Timestamp) -> Result<Emissions>,
    /// Prefixes every id of something new in an event of a burst. What exists already (cards,
    /// shoppers, items, streets) keeps its id.
    pub rename: fn(&mut Event, &str),
    /// The history before the show, from which its processors learn; none if they need no history.
    pub history: Option<fn(&World) -> History>,
}

/// The endless events of a simulated world, each with the instant at which it leaves.
pub type Emissions = Box<dyn Iterator<Item = Emission>>;

/// The history before a show, in order.
pub type History = Box<dyn Iterator<Item = Event>>;

/// A consumer of the stream lane.
#[derive(Debug)]
pub struct Worker {
    /// Its name for `freshet consume`, and its consumer group.
    pub name: &'static str,
    /// What it answers.
    pub help: &'static str,
    /// The businesses that it serves; it runs when one of them is part of the show.
    pub serves: &'static [Id],
    /// The topics it reads.
    pub inputs: &'static [Topic],
    /// The topics it answers on.
    pub outputs: &'static [Topic],
    /// Its broadcast tables: inputs that every task reads whole, the latest value of each key
    /// first.
    pub broadcast: &'static [Topic],
    /// How much event time its state reaches back, in milliseconds; none for all that the log
    /// keeps.
    pub horizon_ms: Option<i64>,
    /// How long the broker may collect records for it (`fetch.max.wait.ms`); zero answers at once.
    pub gather: Duration,
    /// How long its work can be delayed; none for latency-critical work.
    pub priority: Option<Priority>,
    /// The options it needs besides the cluster.
    pub needs: &'static [Need],
    /// The answers by which its freshness is measured; none if nothing waits for them.
    pub freshness: Option<Freshness>,
    /// Makes its processors, after learning from the histories until told to stop.
    pub processors: fn(&Logic, &dyn Fn() -> bool) -> Result<Factory>,
}

/// Makes the processor of each task of a worker or job.
pub type Factory = Box<dyn Fn() -> Box<dyn Processor>>;

/// How the questions and answers of a worker are recognised on their topics.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// The topics whose records are its questions; empty where these are answers of others, which
    /// are counted there.
    pub questions: &'static [Topic],
    /// The topic of its answers.
    pub answers: Topic,
    /// Whether a record of it answers a question.
    pub is_answer: fn(&Event) -> bool,
    /// When, in event time, the question of an answer was there.
    pub asked_at: fn(&Event) -> Option<Timestamp>,
}

/// A job of the batch lane.
#[derive(Debug)]
pub struct Job {
    /// Its name for `freshet batch`.
    pub name: &'static str,
    /// The name of its runs and of its consumer group.
    pub group: &'static str,
    /// What it answers.
    pub help: &'static str,
    /// The topics it reads.
    pub inputs: &'static [Topic],
    /// The topics it answers on.
    pub outputs: &'static [Topic],
    /// How much event time its state reaches back, in milliseconds, and at least two periods; none
    /// for all that the log keeps.
    pub horizon_ms: Option<i64>,
    /// Whether one processor is given all partitions; otherwise each has its own.
    pub whole: bool,
    /// The options it needs besides the cluster and the clock.
    pub needs: &'static [Need],
    /// Makes its processors for a period in milliseconds of event time, after learning from the
    /// histories until told to stop.
    pub processors: fn(&Logic, i64, &dyn Fn() -> bool) -> Result<Factory>,
}

/// A lane's logic over a file.
#[derive(Debug)]
pub struct Replay {
    /// Its name for `freshet replay`.
    pub name: &'static str,
    /// From what to what.
    pub help: &'static str,
    /// Its processor: of the stream for a period of 0 ms, of the batch lane for any other.
    pub processor: fn(&Logic, i64) -> Result<Box<dyn Replayed>>,
}

/// A processor in a replay, and its summary at the end of the log.
pub trait Replayed {
    /// The processor.
    fn processor(&mut self) -> &mut dyn Processor;

    /// The summary besides the counts.
    fn report(self: Box<Self>) -> Option<String> {
        None
    }
}

impl Replayed for Box<dyn Processor> {
    fn processor(&mut self) -> &mut dyn Processor {
        self.as_mut()
    }
}

/// How a business is compared at several periods.
#[derive(Debug)]
pub struct Comparison {
    /// The default of how much time is simulated when it is compared alone, in milliseconds.
    pub alone_ms: i64,
    /// The same when it is compared together with others, where one waits for all.
    pub together_ms: i64,
    /// The stream and the batch lane at each period, in milliseconds; they have learnt from the
    /// files of [`Logic::histories`], and from the world's own history if one is given.
    pub lanes: fn(&Logic, Option<&World>, &[i64]) -> Result<Lanes>,
}

/// Both lanes of a business, at several periods.
pub type Lanes = Box<dyn bill::compare::Lanes>;

/// The options that a process needs on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The streets.
    Map,
    /// How many cars are on the road.
    Drivers,
    /// The histories of the show.
    History,
}

/// The options of a simulator.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The same seed gives the same events, byte for byte.
    pub seed: u64,
    /// Simulated time at the start.
    pub start: Timestamp,
    /// Cars on the road.
    pub drivers: u32,
    /// The file of the streets; none for La Serena.
    pub map: Option<PathBuf>,
}

/// When a show begins unless told otherwise, as RFC 3339: shortly before a full hour, so that the
/// hourly jobs run in its first seconds. At this start alone it has an [opening](World::opening)
/// and a [bill of the hour before](crate::hour_before).
pub const OPENING_START: &str = "2026-03-03T10:57:00Z";

impl World {
    /// Just after when somebody's card is stolen, somebody's ride is delayed and somebody goes
    /// shopping, for a newcomer to follow in both lanes; none for a start that was chosen, where
    /// only chance decides.
    pub fn opening(&self) -> Option<Timestamp> {
        let start: Timestamp = OPENING_START.parse().expect("an RFC 3339 instant");
        (self.start == start).then(|| start.floor(HOUR_MS).plus_ms(HOUR_MS))
    }
}

/// The options of a processor.
#[derive(Debug, Clone, PartialEq)]
pub struct Logic {
    /// The file of the streets; none for La Serena.
    pub map: Option<PathBuf>,
    /// A ping that is older than this beside its driver's newest is counted as late, in
    /// milliseconds.
    pub lateness_ms: i64,
    /// The cost of declining a legitimate customer.
    pub costs: Costs,
    /// A swipe without a chargeback for so long counts as genuine, in milliseconds.
    pub label_delay_ms: i64,
    /// Files of histories, as lines of a record.
    pub histories: Vec<PathBuf>,
}

/// Pings count as late after half a minute, and swipes as genuine after a week.
impl Default for Logic {
    fn default() -> Self {
        Self {
            map: None,
            lateness_ms: 30_000,
            costs: Costs::default(),
            label_delay_ms: 7 * DAY_MS,
            histories: Vec::new(),
        }
    }
}

impl Business {
    /// The topic that tells whether the business is there and has begun.
    pub fn main_topic(&self) -> Topic {
        self.producer.topics[0]
    }
}

/// The map in `path`, or La Serena.
pub fn map(path: Option<&Path>) -> Result<Arc<Map>> {
    let Some(path) = path else { return Ok(Arc::new(Map::la_serena())) };
    let bytes = std::fs::read(path).with_context(|| format!("could not read the map {}", path.display()))?;
    let map = Map::read(&bytes).with_context(|| format!("could not read the map {}", path.display()))?;
    Ok(Arc::new(map))
}
