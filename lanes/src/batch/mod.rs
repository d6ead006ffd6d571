//! The batch lane: the same processors, run as a scheduled job.
//!
//! At the end of each period of simulated time a *run* takes the records of that window from the
//! log, gives them to the processors at a stretch, loads rows into a database, and publishes the
//! answers at the moment when all that is done. That is how a DAG in Airflow works: wait for the
//! period, extract, transform, load. Between runs the job sleeps.
//!
//! Most jobs have the tasks of the stream lane, one processor for each partition, so that both
//! lanes know the same and differ in timing only. Where the stream's tasks tell each other what
//! they learn (how fast the roads are), the job has one for all partitions
//! ([`BatchConfig::whole`]): data at rest lies in one place.
//!
//! # When an answer could be seen
//! A processor stamps a batched answer with the end of the period whose data it rests on. Live,
//! nobody could have seen it then: the run for that period had yet to be made. So the lane replaces
//! the period's end by the instant at which that period's run really finished. (An answer that
//! rests on this run waits for its end; one that rests on an earlier run, as a quote with last
//! hour's speeds does, leaves at once.)
//!
//! # A run that dies
//! Before it begins, a run writes down how far it will read, in the metadata of the committed
//! offsets; they move when it is done. A job that dies in between finds the plan, rebuilds its
//! processors from the log and repeats the run over exactly the same records. The database replaces
//! rows by their keys; of the answers, as many as are there already are left out, for the same run
//! gives the same answers in the same order.
//!
//! # What goes wrong
//! A database that is down, locked, full or not writable is asked again, after one second, two,
//! four, … half a minute; nothing is read again meanwhile, and nothing is published before its rows
//! are in. A cluster that goes away in the middle of a run ends the run: the job starts again, as
//! if it had died. A job that runs once gives up after `retries` attempts, one on a schedule never
//! does.
//!
//! The wall's clock may jump. Which windows have been run stands in the commits, so no jump makes
//! one run twice: one back makes the job wait, one ahead makes it run a window before its hour is
//! over, and what comes late belongs to the next.
//!
//! ```text
//! resume.rs     where an earlier life of the job left off
//! schedule.rs   which window is due, and when
//! extract.rs    how far a run reads
//! transform.rs  records to answers and rows
//! load.rs       rows to the database
//! publish.rs    answers to their topics
//! ```
//!
//! # Simplifications
//! - One worker a job. Two would publish twice; Airflow says `max_active_runs=1`.
//! - A window without records is not run, where Airflow would run it over nothing.
//! - State that is rebuilt after a crash sees the past in one stretch, not cut into runs.

mod extract;
#[cfg(test)]
mod hostile_tests;
mod load;
#[cfg(test)]
mod moody;
#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod order_tests;
mod publish;
mod resume;
mod schedule;
mod taken;
#[cfg(test)]
mod tests;
mod transform;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use client::{Admin, ProducerOptions, Settings, TopicPartition};
use events::{Timestamp, Topic};

use super::bookmark::{Place, Read};
use super::clock::{Clock, wall_ms};
use super::outbox::Outbox;
use super::progress::{PROGRESS, resumed, statistics};
use super::rebuild::{Log, Probe};
use super::retry::Backoff;
use super::window::Window;
use super::{BatchError, Control, Wish, WorkerStats};
use crate::warehouse::{Run, RunOffsets, Warehouse};
pub(super) use load::{finish, load, neighbours};
use processor::Processor;
use processor::mart::Mart;
pub(super) use publish::{Sending, answers_there, earlier_runs, report};
use taken::Taken;

/// How long a question to the cluster may take.
const ASK: Duration = Duration::from_secs(5);
/// How often it is looked for new records, when no clock says when a period ends.
const LOOK: Duration = Duration::from_millis(500);

/// When a period is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// When this clock says so: a simulation that is running.
    Clock(Clock),
    /// When a later record is there: anybody's topics.
    EventTime,
}

/// What a job of the batch lane is to do.
#[derive(Clone, Debug)]
pub struct BatchConfig {
    /// Where the cluster is.
    pub settings: Settings,
    /// The job's name, which is also the group that it commits its offsets for.
    pub job: String,
    /// The topics that the processor answers on. Dead letters and the run log are added by the
    /// lane.
    pub outputs: Vec<Topic>,
    /// What of the warehouse the job loads.
    pub marts: Vec<&'static Mart>,
    /// The length of a window, in milliseconds of event time.
    pub period_ms: i64,
    /// How long after its end a window is left open for late records, in milliseconds of event
    /// time.
    pub grace_ms: i64,
    /// When a period is over.
    pub schedule: Schedule,
    /// Run what is due, and end; otherwise go on until stopped.
    pub once: bool,
    /// How much event time the processor's state reaches back, in milliseconds; none for all that
    /// the log keeps.
    pub horizon_ms: Option<i64>,
    /// Whether one processor is given all partitions. Otherwise each has its own.
    pub whole: bool,
    /// How often what may pass is tried again, by a job that runs once. One on a schedule goes on
    /// for ever.
    pub retries: u32,
    /// How long is waited before the first of them; before each further one twice as long, up to
    /// half a minute.
    pub first_wait: Duration,
}

impl BatchConfig {
    /// An hourly job that leaves windows open for 30 s and loads nothing.
    pub fn hourly(settings: Settings, job: impl Into<String>, outputs: &[Topic], schedule: Schedule) -> Self {
        Self {
            settings,
            job: job.into(),
            outputs: outputs.to_vec(),
            marts: Vec::new(),
            period_ms: events::HOUR_MS,
            grace_ms: 30_000,
            schedule,
            once: false,
            horizon_ms: None,
            whole: false,
            retries: 5,
            first_wait: Duration::from_secs(1),
        }
    }

    /// The partitions that each processor is given.
    pub(super) fn tasks(&self, partitions: i32) -> Vec<Range<i32>> {
        let each = if self.whole { partitions.max(1) } else { 1 };
        (0..partitions).step_by(each as usize).map(|first| first..first + each).collect()
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(self.once.then_some(self.retries), self.first_wait)
    }
}

/// Runs a job of the batch lane until `control` asks it to stop, or until nothing is due if it is
/// to run `once`.
pub fn run_batch(
    config: &BatchConfig,
    factory: &dyn Fn() -> Box<dyn Processor>,
    warehouse: &mut dyn Warehouse,
    control: &Control,
) -> Result<WorkerStats, BatchError> {
    let mut backoff = config.backoff();
    let mut stats = WorkerStats::default();
    let (mut lived, mut waited) = (false, false);
    loop {
        let ended = Job::start(config, factory, warehouse, control, stats.clone()).and_then(|mut job| {
            lived = true;
            if std::mem::take(&mut waited) {
                resumed();
            }
            let ended = job.go();
            stats = job.stats;
            ended
        });
        control.report(stats.clone());
        statistics(&stats);
        match ended {
            Ok(()) => return Ok(stats),
            Err(error @ BatchError::Interrupted { .. }) => {
                tracing::info!("{error}");
                return Ok(stats);
            }
            // The cluster went away. What this life has begun, the next one repeats.
            Err(error) if error.is_outage() && lived => {
                backoff.wait(error, control)?;
                waited = true;
            }
            Err(error) => return Err(error),
        }
    }
}

struct Job<'a> {
    config: &'a BatchConfig,
    warehouse: &'a mut dyn Warehouse,
    control: &'a Control,
    /// How often it runs: as it was configured, or as the dial was turned since.
    period_ms: i64,
    admin: Admin,
    outbox: Outbox,
    /// What looks into the inputs, a topic each.
    probes: HashMap<Topic, Probe>,
    /// Every partition of every input.
    inputs: Vec<Input>,
    tasks: Vec<Task>,
    answers_from: BTreeMap<Place, i64>,
    /// When the answers that rest on the period that ended at the key could first be seen.
    visible_from: BTreeMap<Timestamp, Timestamp>,
    stats: WorkerStats,
}

/// A processor and the partitions that it is given.
struct Task {
    partitions: Range<i32>,
    processor: Box<dyn Processor>,
    /// What reads the windows for it, from the first run on.
    log: Option<Log>,
}

/// What looks into a topic, which is made when it is first needed.
fn probe<'a>(
    probes: &'a mut HashMap<Topic, Probe>,
    settings: &Settings,
    topic: Topic,
) -> Result<&'a mut Probe, client::ClusterError> {
    Ok(match probes.entry(topic) {
        Entry::Occupied(made) => made.into_mut(),
        Entry::Vacant(place) => place.insert(Probe::new(settings, topic, 0)?),
    })
}

/// One partition of an input.
struct Input {
    topic: Topic,
    at: TopicPartition,
    /// The first offset with a record that no run has processed: what is committed.
    position: i64,
    done: Option<Read>,
    plan: Option<Read>,
    /// The start of the window of that plan.
    plan_start: Option<Timestamp>,
}

impl<'a> Job<'a> {
    fn start(
        config: &'a BatchConfig,
        factory: &dyn Fn() -> Box<dyn Processor>,
        warehouse: &'a mut dyn Warehouse,
        control: &'a Control,
        stats: WorkerStats,
    ) -> Result<Self, BatchError> {
        let admin = Admin::connect(&config.settings, ASK)?;
        let topics = factory().inputs();
        super::offsets::co_partitioned(&admin, topics)?;
        let mut outputs = config.outputs.clone();
        for topic in [Topic::DeadLetters, Topic::BatchRuns] {
            if !outputs.contains(&topic) {
                outputs.push(topic);
            }
        }
        let outbox = Outbox::new(&config.settings, &ProducerOptions::stream(), &admin, &outputs)?;
        let partitions = topics.first().map_or(Ok(0), |topic| admin.partitions(topic.name()))?;
        let mut job = Self {
            config,
            warehouse,
            control,
            period_ms: config.period_ms,
            admin,
            outbox,
            probes: HashMap::new(),
            inputs: Vec::new(),
            tasks: config
                .tasks(partitions)
                .into_iter()
                .map(|partitions| Task { partitions, processor: factory(), log: None })
                .collect(),
            answers_from: BTreeMap::new(),
            visible_from: BTreeMap::new(),
            stats,
        };
        job.turn();
        job.find_position(topics, partitions)?;
        let runs = job.outbox.place(Topic::BatchRuns, 0);
        job.visible_from = earlier_runs(&config.settings, &job.admin, runs, &config.job, control)?;
        job.rebuild()?;
        Ok(job)
    }

    fn go(&mut self) -> Result<(), BatchError> {
        // A run that was begun is finished first: it was due.
        if let Some(window) = self.begun().filter(|_| self.control.wish() != Wish::Stop) {
            self.run(window)?;
        }
        loop {
            let wait = match self.control.wish() {
                Wish::Stop => return Ok(()),
                Wish::Pause => LOOK,
                Wish::Run => {
                    self.turn();
                    match self.next_window() {
                        Ok(Ok(window)) => {
                            self.run(window)?;
                            continue;
                        }
                        Ok(Err(_)) if self.config.once => return Ok(()),
                        Ok(Err(wait)) => wait,
                        Err(error) if error.is_outage() => {
                            tracing::debug!("{error}");
                            LOOK
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            let wish = self.control.wish();
            self.control.wait_while(wish, wait);
        }
    }

    /// Takes on the period that was asked for last. Only between runs: a window that was begun
    /// keeps its length.
    fn turn(&mut self) {
        let Some(period_ms) = self.control.period_ms().filter(|&asked| asked != self.period_ms) else {
            return;
        };
        self.period_ms = period_ms;
        for Task { processor, .. } in &mut self.tasks {
            processor.set_period_ms(period_ms);
        }
    }

    /// One run, from reading to publishing.
    fn run(&mut self, window: Window) -> Result<(), BatchError> {
        let (config, control) = (self.config, self.control);
        let started = wall_ms();
        let batch_id = window.batch_id(&config.job);
        neighbours(self.warehouse, &config.job, window, config.backoff(), control)?;
        let there = answers_there(&config.settings, &self.admin, self.answers_from.iter(), &batch_id)?;
        self.plan(window)?;
        let mut sending = Sending::new(&batch_id, there);
        let Taken { records, rows, owed, first_left } = self.process(window, &mut sending)?;

        let run = Run {
            job: config.job.clone(),
            batch_id: batch_id.clone(),
            window_start: window.start,
            window_end: window.end,
            records,
            started_at: Timestamp::from_ms(started),
            offsets: self.inputs.iter().filter_map(Input::offsets).collect(),
        };
        let loaded = load(self.warehouse, &run, &rows.tables(&batch_id), config.backoff(), control)?;
        let finished = finished_ms(&batch_id, started);
        let visible_from = match config.schedule {
            Schedule::Clock(clock) => clock.simulated(finished).max(window.end),
            // Nobody knows how fast these topics' time runs: the window's end is the earliest that
            // could be.
            Schedule::EventTime => window.end,
        };
        self.visible_from.insert(window.end, visible_from);
        for (partition, answer) in owed {
            self.publish(partition, answer, &mut sending)?;
        }
        // Whoever reads of the run finds its answers.
        sending.settle(&self.outbox, control)?;
        let finished_at = Timestamp::from_ms(finished);
        self.publish(0, report(&run, loaded, finished_at, visible_from), &mut sending)?;
        sending.settle(&self.outbox, control)?;
        finish(self.warehouse, &batch_id, (finished_at, visible_from), config.backoff(), control)?;
        for input in &mut self.inputs {
            if let Some(plan) = input.plan.take() {
                input.position = first_left.get(&input.at).copied().unwrap_or(plan.end);
                input.done = Some(plan);
            }
        }
        for (place, from) in &mut self.answers_from {
            *from = self.outbox.end(*place).unwrap_or(*from).max(*from);
        }
        self.commit()?;
        self.stats.records += records;
        self.stats.rows += loaded;
        self.stats.runs += 1;
        self.stats.answers += sending.given;
        self.stats.already_answered += sending.already;
        control.report(self.stats.clone());
        statistics(&self.stats);
        tracing::info!(
            target: PROGRESS,
            "{batch_id}: {records} records, {loaded} rows, finished {:.1} s after it began",
            (finished - started) as f64 / 1000.0
        );
        Ok(())
    }
}

impl Input {
    /// What the run that is going on reads here.
    fn offsets(&self) -> Option<RunOffsets> {
        let end = self.plan?.end;
        let settled = self.done.map_or(self.position, |done| done.end);
        Some(RunOffsets { topic: self.topic, partition: self.at.partition, settled, end })
    }
}

/// The wall clock at the end of a run that began at `started`. One that was set back meanwhile
/// counts as standing still: nobody reads in the run log that something ended before it began.
pub(super) fn finished_ms(batch_id: &str, started: i64) -> i64 {
    let now = wall_ms();
    if now < started {
        tracing::warn!(
            "{batch_id}: the machine's clock went back by {:.1} s during the run, so its times in the run log are not to be trusted; nothing is run twice for that",
            (started - now) as f64 / 1000.0
        );
    }
    now.max(started)
}
