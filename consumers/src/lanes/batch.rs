//! The batch lane: the same processors, run as a scheduled job.
//!
//! At the end of each period of simulated time a *run* takes the records of that window from the log, gives them to the processors at a stretch, loads
//! rows into a database, and publishes the answers at the moment when all that is done. That is how a DAG in Airflow works: wait for the
//! period, extract, transform, load. Between runs the job sleeps.
//!
//! The tasks are those of the stream lane, one processor for each partition, so that both lanes know the same and differ in timing only.
//!
//! # When an answer could be seen
//! A processor stamps a batched answer with the end of the period whose data it rests on. Live, nobody could have seen it then: the run for that period
//! had yet to be made. So the lane replaces the period's end by the instant at which that period's run really finished. (An answer that rests on
//! this run waits for its end; one that rests on an earlier run, as a quote with last hour's speeds does, leaves at once.)
//!
//! # A run that dies
//! Before it begins, a run writes down how far it will read, in the metadata of the committed offsets; they move when it is done. A job that
//! dies in between finds the plan, rebuilds its processors from the log and repeats the run over exactly the same records. The database replaces rows by
//! their keys; of the answers, as many as are there already are left out, for the same run gives the same answers in the same order.
//!
//! # Simplifications
//! - One worker a job. Two would publish twice; Airflow says `max_active_runs=1`.
//! - A window without records is not run, where Airflow would run it over nothing.
//! - State that is rebuilt after a crash sees the past in one stretch, not cut into runs.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use client::{Admin, Commit, LogReader, ProducerOptions, Settings, TopicPartition};
use events::{BatchRun, Event, Timestamp, Topic};

use super::answered::SOURCE_HEADER;
use super::bookmark::{Bookmark, Place, Read};
use super::clock::{Clock, wall_ms};
use super::outbox::Outbox;
use super::rebuild::{Log, Probe, reach_back};
use super::window::{Cut, Fate, Window};
use super::{Control, LaneError, Wish, WorkerStats};
use crate::Processor;
use crate::warehouse::{Rows, Run, Warehouse};

/// How long a question to the cluster may take.
const ASK: Duration = Duration::from_secs(5);
/// How often it is looked for new records, when no clock says when a period ends.
const LOOK: Duration = Duration::from_millis(500);
/// How long the answers of a run are waited for before it is looked whether the job is to end.
const FLUSH: Duration = Duration::from_millis(500);

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
    /// The topics that the processor answers on. Dead letters and the run log are added by the lane.
    pub outputs: Vec<Topic>,
    /// The length of a window, in milliseconds of event time.
    pub period_ms: i64,
    /// How long after its end a window is left open for late records, in milliseconds of event time.
    pub grace_ms: i64,
    /// When a period is over.
    pub schedule: Schedule,
    /// Run what is due, and end; otherwise go on until stopped.
    pub once: bool,
    /// How much event time the processor's state reaches back, in milliseconds; none for all that the log keeps.
    pub horizon_ms: Option<i64>,
}

impl BatchConfig {
    /// An hourly job that leaves windows open for 30 s.
    pub fn hourly(settings: Settings, job: impl Into<String>, outputs: &[Topic], schedule: Schedule) -> Self {
        Self {
            settings,
            job: job.into(),
            outputs: outputs.to_vec(),
            period_ms: events::HOUR_MS,
            grace_ms: 30_000,
            schedule,
            once: false,
            horizon_ms: None,
        }
    }
}

/// Runs a job of the batch lane until `control` asks it to stop, or until nothing is due if it is to run `once`.
pub fn run_batch(
    config: &BatchConfig,
    factory: &dyn Fn() -> Box<dyn Processor>,
    warehouse: &mut dyn Warehouse,
    control: &Control,
) -> Result<WorkerStats, LaneError> {
    let mut job = Job::start(config, factory, warehouse, control)?;
    let ended = job.go();
    control.report(job.stats.clone());
    match ended {
        Ok(()) => {}
        Err(error @ LaneError::Interrupted { .. }) => tracing::info!("{error}"),
        Err(error) => return Err(error),
    }
    Ok(job.stats)
}

struct Job<'a> {
    config: &'a BatchConfig,
    warehouse: &'a mut dyn Warehouse,
    control: &'a Control,
    admin: Admin,
    outbox: Outbox,
    /// Every partition of every input.
    inputs: Vec<Input>,
    tasks: BTreeMap<i32, Box<dyn Processor>>,
    answers_from: BTreeMap<Place, i64>,
    /// When the answers that rest on the period that ended at the key could first be seen.
    visible_from: BTreeMap<Timestamp, Timestamp>,
    stats: WorkerStats,
}

/// One partition of an input.
struct Input {
    topic: Topic,
    at: TopicPartition,
    /// The first offset with a record that no run has processed: what is committed.
    position: i64,
    done: Option<Read>,
    plan: Option<Read>,
}

impl<'a> Job<'a> {
    fn start(
        config: &'a BatchConfig,
        factory: &dyn Fn() -> Box<dyn Processor>,
        warehouse: &'a mut dyn Warehouse,
        control: &'a Control,
    ) -> Result<Self, LaneError> {
        let admin = Admin::connect(&config.settings, ASK)?;
        let topics = factory().inputs();
        super::stream::co_partitioned(&admin, topics)?;
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
            admin,
            outbox,
            inputs: Vec::new(),
            tasks: (0..partitions).map(|partition| (partition, factory())).collect(),
            answers_from: BTreeMap::new(),
            visible_from: BTreeMap::new(),
            stats: WorkerStats::default(),
        };
        job.find_position(topics, partitions)?;
        job.read_own_runs()?;
        job.rebuild()?;
        Ok(job)
    }

    /// Where the job stands, by its commits; a new job commits where it begins before anything else.
    fn find_position(&mut self, topics: &[Topic], partitions: i32) -> Result<(), LaneError> {
        let at: Vec<_> = (0..partitions)
            .flat_map(|partition| {
                topics.iter().map(move |topic| TopicPartition::new(topic.name(), partition))
            })
            .collect();
        let commits = self.admin.committed(&self.config.job, &at)?;
        let offsets = self.admin.offsets(&at)?;
        let mut places: Vec<Place> =
            (0..partitions).flat_map(|partition| self.outbox.places(partition)).collect();
        places.sort_unstable();
        places.dedup();
        let ends_at: Vec<_> = places.iter().map(|(topic, n)| TopicPartition::new(topic.name(), *n)).collect();
        for (place, end) in places.into_iter().zip(self.admin.ends(&ends_at)?) {
            self.answers_from.insert(place, end.unwrap_or(0));
        }
        let mut fresh = false;
        for ((at, commit), offsets) in at.into_iter().zip(commits).zip(offsets) {
            let (Some(topic), Some(offsets)) = (Topic::named(&at.topic), offsets) else { continue };
            let bookmark = commit.as_ref().and_then(|commit| Bookmark::parse(&commit.metadata));
            let position = commit.map_or(offsets.earliest, |commit| commit.offset);
            // The log may have lost its beginning to retention, or have been made anew.
            let known = position <= offsets.latest;
            let position = if known { position.max(offsets.earliest) } else { offsets.earliest };
            let bookmark = bookmark.filter(|_| known);
            fresh |= bookmark.is_none();
            let bookmark = bookmark.unwrap_or_default();
            for (place, from) in &bookmark.answers_from {
                if let Some(known) = self.answers_from.get_mut(place) {
                    *known = (*known).min(*from);
                }
            }
            self.inputs.push(Input { topic, at, position, done: bookmark.read, plan: bookmark.plan });
        }
        if fresh { self.commit() } else { Ok(()) }
    }

    /// Finds in the run log when the answers of earlier runs could be seen.
    fn read_own_runs(&mut self) -> Result<(), LaneError> {
        let (topic, partition) = self.outbox.place(Topic::BatchRuns, 0);
        let at = [TopicPartition::new(topic.name(), partition)];
        let Some(Some(offsets)) = self.admin.offsets(&at)?.into_iter().next() else { return Ok(()) };
        let stretch = [(partition, offsets.earliest, offsets.latest)];
        let mut reader = LogReader::range(&self.config.settings, topic.name(), &stretch)?;
        while !reader.is_finished() && self.control.wish() != Wish::Stop {
            if let Some(record) = reader.next(LOOK)?
                && let Ok(Event::BatchRuns(run)) = Event::parse(topic, record.value().unwrap_or_default())
                && run.job == self.config.job
            {
                self.visible_from.insert(run.window_end, run.ts);
            }
        }
        Ok(())
    }

    /// Gives the processors what earlier runs gave them.
    fn rebuild(&mut self) -> Result<(), LaneError> {
        let control = self.control;
        let stopped = || control.wish() == Wish::Stop;
        for (&partition, processor) in &mut self.tasks {
            let mut stretches = Vec::new();
            let mut cuts = HashMap::new();
            for input in self.inputs.iter().filter(|input| input.at.partition == partition) {
                let Some(done) = input.done else { continue };
                let offsets = self.admin.offsets(std::slice::from_ref(&input.at))?;
                let Some(Some(offsets)) = offsets.first() else { continue };
                let from = match self.config.horizon_ms {
                    Some(horizon_ms) => reach_back(
                        &self.config.settings,
                        input.topic,
                        partition,
                        offsets.earliest,
                        done.end,
                        horizon_ms,
                    )?,
                    None => offsets.earliest,
                };
                stretches.push((input.topic, from, done.end));
                cuts.insert(input.topic, Cut { done: None, until: done.until });
            }
            let mut log = Log::open(&self.config.settings, partition, &stretches)?;
            while let Some(arrival) = log.next(&stopped)? {
                let Ok(event) = &arrival.content else { continue };
                if cuts[&arrival.topic].fate(arrival.offset, Some(event)) == Fate::Now {
                    processor.learn(event);
                    self.stats.rebuilt_from += 1;
                }
            }
            if stopped() {
                return Ok(());
            }
            if !stretches.is_empty() {
                processor.finish(&mut Vec::new());
            }
        }
        Ok(())
    }

    fn go(&mut self) -> Result<(), LaneError> {
        // A run that was begun is finished first: it was due.
        if let Some(window) = self.begun().filter(|_| self.control.wish() != Wish::Stop) {
            self.run(window)?;
        }
        loop {
            let wait = match self.control.wish() {
                Wish::Stop => return Ok(()),
                Wish::Pause => LOOK,
                Wish::Run => match self.next_window() {
                    Ok(Ok(window)) => {
                        self.run(window)?;
                        continue;
                    }
                    Ok(Err(_)) if self.config.once => return Ok(()),
                    Ok(Err(wait)) => wait,
                    Err(LaneError::Client(error)) if error.is_outage() => {
                        tracing::debug!("{error}");
                        LOOK
                    }
                    Err(error) => return Err(error),
                },
            };
            let wish = self.control.wish();
            self.control.wait_while(wish, wait);
        }
    }

    /// The window of a run that was begun and not finished.
    fn begun(&self) -> Option<Window> {
        let until = self.inputs.iter().find_map(|input| input.plan)?.until;
        Some(Window { start: until.plus_ms(-self.config.period_ms), end: until })
    }

    /// The window that is due, or how long to wait until it is looked for again.
    fn next_window(&mut self) -> Result<Result<Window, Duration>, LaneError> {
        let at: Vec<_> = self.inputs.iter().map(|input| input.at.clone()).collect();
        let ends = self.admin.ends(&at)?;
        let (mut oldest, mut newest): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        for (input, end) in self.inputs.iter().zip(ends) {
            let end = end.unwrap_or(0);
            if end <= input.position {
                continue;
            }
            let mut probe = Probe::new(&self.config.settings, input.topic, input.at.partition)?;
            if let Some(ts) = probe.ts(input.position, end)? {
                oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
            }
            if self.config.schedule == Schedule::EventTime
                && let Some(ts) = probe.ts((end - 1).max(input.position), end)?
            {
                newest = newest.max(Some(ts));
            }
        }
        let after = self.inputs.iter().filter_map(|input| Some(input.done?.until)).max();
        let Some(oldest) = oldest else {
            // Nothing waits. With a clock it is known when there may be something to do.
            return Ok(Err(match self.config.schedule {
                Schedule::Clock(clock) => {
                    let now = clock.simulated(wall_ms());
                    let end = Window::next(after, now, self.config.period_ms).end;
                    clock.until(end.plus_ms(self.config.grace_ms), wall_ms()).max(LOOK)
                }
                Schedule::EventTime => LOOK,
            }));
        };
        let window = Window::next(after, oldest, self.config.period_ms);
        let due = window.end.plus_ms(self.config.grace_ms);
        Ok(match self.config.schedule {
            Schedule::Clock(clock) => {
                let wait = clock.until(due, wall_ms());
                if wait.is_zero() { Ok(window) } else { Err(wait) }
            }
            Schedule::EventTime => {
                if newest >= Some(due) {
                    Ok(window)
                } else {
                    Err(LOOK)
                }
            }
        })
    }

    /// One run, from reading to publishing.
    fn run(&mut self, window: Window) -> Result<(), LaneError> {
        let started = wall_ms();
        let batch_id = window.batch_id(&self.config.job);
        let there = self.answers_there(&batch_id)?;
        self.plan(window)?;
        let mut sending = Sending { batch_id: &batch_id, there, sent: HashMap::new() };
        let Taken { records, rows, owed, first_left } = self.process(window, &mut sending)?;

        let started_at = Timestamp::from_ms(started);
        let run = Run {
            job: self.config.job.clone(),
            batch_id: batch_id.clone(),
            window_start: window.start,
            window_end: window.end,
            records,
            started_at,
        };
        let loaded = self.warehouse.load(&run, &rows)?;
        let finished = wall_ms();
        let visible_from = match self.config.schedule {
            Schedule::Clock(clock) => clock.simulated(finished).max(window.end),
            // Nobody knows how fast these topics' time runs: the window's end is the earliest that could be.
            Schedule::EventTime => window.end,
        };
        self.visible_from.insert(window.end, visible_from);
        for (partition, answer) in owed {
            self.publish(partition, answer, &mut sending)?;
        }
        let finished_at = Timestamp::from_ms(finished);
        let report = Event::BatchRuns(BatchRun {
            ts: visible_from,
            job: self.config.job.clone(),
            batch_id: batch_id.clone(),
            window_start: window.start,
            window_end: window.end,
            records,
            rows: loaded,
            started_at,
            finished_at,
        });
        self.publish(0, report, &mut sending)?;
        self.wait_for_acknowledgements(&batch_id)?;
        self.warehouse.finish(&batch_id, finished_at, visible_from)?;
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
        self.control.report(self.stats.clone());
        tracing::info!(
            "{batch_id}: {records} records, {loaded} rows, finished {:.1} s after it began",
            (finished - started) as f64 / 1000.0
        );
        Ok(())
    }

    /// Gives the processors the window's records, and publishes the answers that need not wait for the run's end.
    fn process(&mut self, window: Window, sending: &mut Sending<'_>) -> Result<Taken, LaneError> {
        let control = self.control;
        let stopped = || control.wish() == Wish::Stop;
        let mut taken = Taken::default();
        let mut answers = Vec::new();
        let mut tasks = std::mem::take(&mut self.tasks);
        for (&partition, processor) in &mut tasks {
            let inputs: Vec<_> = self.inputs.iter().filter(|input| input.at.partition == partition).collect();
            let stretches: Vec<_> = inputs
                .iter()
                .map(|input| {
                    (input.topic, input.position, input.plan.map_or(input.position, |plan| plan.end))
                })
                .collect();
            let cuts: HashMap<_, _> = inputs
                .iter()
                .map(|input| (input.topic, Cut { done: input.done, until: window.end }))
                .collect();
            let mut log = Log::open(&self.config.settings, partition, &stretches)?;
            while let Some(arrival) = log.next(&stopped)? {
                match cuts[&arrival.topic].fate(arrival.offset, arrival.content.as_ref().ok()) {
                    Fate::Done => continue,
                    Fate::Later => {
                        let at = TopicPartition::new(arrival.topic.name(), partition);
                        taken
                            .first_left
                            .entry(at)
                            .and_modify(|first| *first = (*first).min(arrival.offset))
                            .or_insert(arrival.offset);
                        continue;
                    }
                    Fate::Now => {}
                }
                taken.records += 1;
                let began = stopwatch();
                match arrival.content {
                    Ok(event) => {
                        taken.rows.add(&event);
                        processor.process(&event, &mut answers);
                    }
                    Err(letter) => {
                        self.stats.dead_letters += 1;
                        answers.push(Event::DeadLetters(*letter));
                    }
                }
                self.stats.processing.record(began.elapsed());
                self.dispatch(partition, window, &mut answers, &mut taken, sending)?;
                if taken.records.is_multiple_of(1024) && stopped() {
                    break;
                }
            }
            if stopped() {
                // The run is repeated by the next life: that is what its plan is for.
                return Err(LaneError::Interrupted { batch_id: sending.batch_id.to_owned() });
            }
            processor.finish(&mut answers);
            self.dispatch(partition, window, &mut answers, &mut taken, sending)?;
        }
        self.tasks = tasks;
        Ok(taken)
    }

    /// Decides how far the run of `window` reads, and writes that down before anything is done.
    fn plan(&mut self, window: Window) -> Result<(), LaneError> {
        if self.inputs.iter().any(|input| input.plan.is_some()) {
            return Ok(());
        }
        let at: Vec<_> = self.inputs.iter().map(|input| input.at.clone()).collect();
        let ends = self.admin.ends(&at)?;
        let beyond = window.end.plus_ms(self.config.grace_ms.max(self.config.period_ms));
        for (input, end) in self.inputs.iter_mut().zip(ends) {
            let end = end.unwrap_or(0).max(input.position);
            // A job that is many periods behind must not read to the end of the log for each of them.
            let end = Probe::new(&self.config.settings, input.topic, input.at.partition)?
                .search(input.position, end, beyond)?
                .1;
            // What an earlier run has looked at stays looked at.
            let end = input.done.map_or(end, |done| end.max(done.end));
            input.plan = Some(Read { end, until: window.end });
        }
        self.commit()
    }

    /// How many answers of this run are there already, by place and source.
    fn answers_there(&self, batch_id: &str) -> Result<HashMap<(Place, String), u64>, LaneError> {
        let mut there = HashMap::new();
        let at: Vec<_> =
            self.answers_from.keys().map(|(topic, n)| TopicPartition::new(topic.name(), *n)).collect();
        for ((&(topic, partition), &from), end) in self.answers_from.iter().zip(self.admin.ends(&at)?) {
            let end = end.unwrap_or(0);
            if from >= end {
                continue;
            }
            let mut reader =
                LogReader::range(&self.config.settings, topic.name(), &[(partition, from, end)])?;
            while !reader.is_finished() {
                let Some(record) = reader.next(LOOK)? else { continue };
                let source = record.header(SOURCE_HEADER).and_then(|source| std::str::from_utf8(source).ok());
                if let Some(source) = source.filter(|source| source.starts_with(batch_id)) {
                    *there.entry(((topic, partition), source.to_owned())).or_insert(0) += 1;
                }
            }
        }
        Ok(there)
    }

    /// Publishes the answers that need not wait for the run's end, and keeps the others.
    fn dispatch(
        &mut self,
        partition: i32,
        window: Window,
        answers: &mut Vec<Event>,
        taken: &mut Taken,
        sending: &mut Sending<'_>,
    ) -> Result<(), LaneError> {
        for mut answer in answers.drain(..) {
            taken.rows.add(&answer);
            match rests_on(&mut answer) {
                Some(at) if *at >= window.end => taken.owed.push((partition, answer)),
                _ => self.publish(partition, answer, sending)?,
            }
        }
        Ok(())
    }

    fn publish(
        &mut self,
        partition: i32,
        mut answer: Event,
        sending: &mut Sending<'_>,
    ) -> Result<(), LaneError> {
        if let Some(at) = rests_on(&mut answer)
            && let Some(visible) = self.visible_from.get(at)
        {
            *at = *visible;
        }
        let place = self.outbox.place(answer.topic(), partition);
        let sent = sending.sent.entry((place, partition)).or_insert(0);
        *sent += 1;
        let source = format!("{}/{partition}", sending.batch_id);
        if sending.there.get(&(place, source.clone())).is_some_and(|there| *sent <= *there) {
            self.stats.already_answered += 1;
            return Ok(());
        }
        self.outbox.send(&answer, partition, format_args!("{source}"), self.control)?;
        self.stats.answers += 1;
        Ok(())
    }

    /// Only what is acknowledged may be called done.
    fn wait_for_acknowledgements(&self, batch_id: &str) -> Result<(), LaneError> {
        while !self.outbox.flush(FLUSH)? {
            if self.control.wish() == Wish::Stop {
                return Err(LaneError::Interrupted { batch_id: batch_id.to_owned() });
            }
        }
        Ok(())
    }

    fn commit(&self) -> Result<(), LaneError> {
        let commit = |input: &Input| {
            // Only what answers to this partition's questions: a commit's text is short.
            let places = self.outbox.places(input.at.partition);
            let runs = (input.at.partition == 0).then(|| self.outbox.place(Topic::BatchRuns, 0));
            let of = |place: &Place| Some((*place, *self.answers_from.get(place)?));
            let bookmark = Bookmark {
                answers_from: places.iter().chain(runs.iter()).filter_map(of).collect(),
                read: input.done,
                plan: input.plan,
            };
            Commit { at: input.at.clone(), offset: input.position, metadata: bookmark.to_string() }
        };
        let commits: Vec<_> = self.inputs.iter().map(commit).collect();
        Ok(self.admin.commit(&self.config.job, &commits)?)
    }
}

/// What a run has taken from the log, and what is to be done with it at its end.
#[derive(Default)]
struct Taken {
    records: u64,
    rows: Rows,
    /// Answers that rest on this run, with the partition of their questions.
    owed: Vec<(i32, Event)>,
    /// The first record of each partition that belongs to a later window.
    first_left: HashMap<TopicPartition, i64>,
}

/// The answers of one run on their way, counted to leave out those that an earlier life has sent.
struct Sending<'a> {
    batch_id: &'a str,
    there: HashMap<(Place, String), u64>,
    sent: HashMap<(Place, i32), u64>,
}

/// The end of the period that a batched answer rests on.
fn rests_on(answer: &mut Event) -> Option<&mut Timestamp> {
    match answer {
        Event::EtaBatch(batched) => Some(&mut batched.valid_from),
        Event::FraudBatch(batched) => Some(&mut batched.valid_from),
        Event::RecommendationsBatch(batched) => Some(&mut batched.0.valid_from),
        Event::RecommendationsStale(batched) => Some(&mut batched.0.valid_from),
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "the rim: processing time is measured on the wall")]
fn stopwatch() -> Instant {
    Instant::now()
}
