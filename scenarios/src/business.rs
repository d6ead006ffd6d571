//! What a business is: the parts that every one of them has.
//!
//! A business has one producer, which simulates its world; workers of the stream lane, which answer
//! each event at once; and one job of the batch lane, which answers once a period. Each of them
//! runs as a process of its own, under the name that stands here. Which businesses there are is
//! said in [`businesses`](crate::businesses).
//!
//! # Simplifications
//! - The options of all businesses stand in one [`Logic`] and one [`World`]; each takes what
//!   concerns it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bill::{AnswerReplay, BusinessBill, Line, Part};
use consumers::fraud::Costs;
use dashboard::{BillItem, Pane, Snapshot};
use events::{Business as Id, Event, Timestamp, Topic};
use processor::Processor;
use processor::mart::Mart;
use producers::Emission;
use streets::Map;

use crate::ledger::Book;
use crate::priority::Priority;
use crate::view::{Closing, View};

/// One business of the show.
#[derive(Debug)]
pub struct Business {
    /// Whose topics and events are its own.
    pub id: Id,
    /// What `--scenario` calls it.
    pub name: &'static str,
    /// What it is about, in half a sentence.
    pub help: &'static str,
    /// Whether it is part of a show that nobody chose businesses for.
    pub in_every_show: bool,
    /// Who simulates its world.
    pub producer: Producer,
    /// Who answers in the stream lane.
    pub workers: &'static [Worker],
    /// Who answers in the batch lane.
    pub job: Job,
    /// Its logic without a broker.
    pub replay: Replay,
    /// Its part of a comparison of periods.
    pub comparison: Comparison,
    /// Its questions and their answers in the ledger.
    pub book: Book,
    /// Its tables in the warehouse, and what can be asked of them.
    pub mart: &'static Mart,
    /// Its part of the bill.
    pub bill: &'static Part,
    /// Its lines of the bill on the screen.
    pub bill_items: fn(&dyn BusinessBill, &[Line]) -> Vec<BillItem>,
    /// Its stream's answers once more, in order, where they hang on the order of reading.
    pub answer_replay: Option<fn(&Arc<Map>) -> Replayer>,
    /// Its pane.
    pub pane: Pane,
    /// What its pane shows.
    pub view: fn(&Arc<Map>) -> Box<dyn View>,
    /// What it has to say when a show has ended, besides its bill.
    pub closing: Option<fn(&Snapshot) -> Closing>,
}

/// Gives the stream's answers once more.
pub type Replayer = Box<dyn AnswerReplay>;

/// A simulated world, and what is said of it.
#[derive(Debug)]
pub struct Producer {
    /// What `freshet produce` calls it.
    pub name: &'static str,
    /// What it simulates.
    pub help: &'static str,
    /// The topics it writes; the first tells whether it has begun.
    pub topics: &'static [Topic],
    /// Those of them that a burst makes louder.
    pub bursts: &'static [Topic],
    /// How long its work can wait; none for work that can't.
    pub priority: Option<Priority>,
    /// What it is told besides the clock.
    pub needs: &'static [Need],
    /// Its endless events from the start of the show on.
    pub simulate: fn(&World) -> Result<Emissions>,
    /// What a burst at a moment adds. Same moment and world, same events.
    pub burst: fn(&World, Timestamp) -> Result<Emissions>,
    /// Puts a prefix before every id of something new in an event of a burst. What is there anyway
    /// (cards, shoppers, items, streets) keeps its id.
    pub rename: fn(&mut Event, &str),
    /// What happened before the show, from which its learners learn; none where nobody learns from
    /// it.
    pub history: Option<fn(&World) -> History>,
}

/// The endless events of a simulated world, each with the instant at which it leaves.
pub type Emissions = Box<dyn Iterator<Item = Emission>>;

/// What happened before a show, in order.
pub type History = Box<dyn Iterator<Item = Event>>;

/// A consumer of the stream lane.
#[derive(Debug)]
pub struct Worker {
    /// What `freshet consume` and its consumer group call it.
    pub name: &'static str,
    /// What it answers.
    pub help: &'static str,
    /// The businesses that it serves; it runs when one of them does.
    pub serves: &'static [Id],
    /// The topics it reads.
    pub inputs: &'static [Topic],
    /// The topics it answers on.
    pub outputs: &'static [Topic],
    /// Those of its inputs that every task gets whole: tables, latest value of each key first.
    pub broadcast: &'static [Topic],
    /// How much event time its state reaches back, in milliseconds; none for all that the log
    /// keeps.
    pub horizon_ms: Option<i64>,
    /// How long the broker may gather records for it; zero answers each at once.
    pub gather: Duration,
    /// How long its work can wait; none for work that can't.
    pub priority: Option<Priority>,
    /// What it is told besides the cluster.
    pub needs: &'static [Need],
    /// What its freshness is measured by; none where nobody waits for it.
    pub freshness: Option<Freshness>,
    /// Makes its processors, after learning from what came before as long as that is wanted.
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
}

/// A job of the batch lane.
#[derive(Debug)]
pub struct Job {
    /// What `freshet batch` calls it.
    pub name: &'static str,
    /// What its runs, and the group that it commits for, are called.
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
    /// What it is told besides the cluster and the clock.
    pub needs: &'static [Need],
    /// Makes its processors for a period in milliseconds of event time, after learning from what
    /// came before as long as that is wanted.
    pub processors: fn(&Logic, i64, &dyn Fn() -> bool) -> Result<Factory>,
}

/// A lane's logic over a file.
#[derive(Debug)]
pub struct Replay {
    /// What `freshet replay` calls it.
    pub name: &'static str,
    /// From what to what.
    pub help: &'static str,
    /// Its processor: of the stream for a period of 0 ms, of the batch lane for any other.
    pub processor: fn(&Logic, i64) -> Result<Box<dyn Replayed>>,
}

/// A processor in a replay, and what it has to say when the log has ended.
pub trait Replayed {
    /// What takes the events.
    fn processor(&mut self) -> &mut dyn Processor;

    /// What is said besides the counts.
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
    /// How much time is simulated where nobody says, in milliseconds, when it is compared alone.
    pub usual_ms: i64,
    /// The stream and the batch lane at each period, in milliseconds; they have learnt from the
    /// files of [`Logic::histories`], and from the world's own history if one is given.
    pub lanes: fn(&Logic, Option<&World>, &[i64]) -> Result<Lanes>,
}

/// Both lanes of a business, at several periods.
pub type Lanes = Box<dyn bill::compare::Lanes>;

/// What a process has to be told on its command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The streets.
    Map,
    /// How many cars are on the road.
    Drivers,
    /// What happened before the show.
    History,
}

/// Which lane a process belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Each event is answered at once.
    Stream,
    /// What a period brought is answered when it is over.
    Batch,
}

impl Lane {
    /// What the lane is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Batch => "batch",
        }
    }
}

/// What a simulator is told.
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

/// What a processor is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Logic {
    /// The file of the streets; none for La Serena.
    pub map: Option<PathBuf>,
    /// A ping that is older than this beside its driver's newest is counted as late, in
    /// milliseconds.
    pub lateness_ms: i64,
    /// What a declined honest customer costs.
    pub costs: Costs,
    /// A swipe without a chargeback for so long counts as genuine, in milliseconds.
    pub label_delay_ms: i64,
    /// Files of what happened before, as lines of a record.
    pub histories: Vec<PathBuf>,
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
