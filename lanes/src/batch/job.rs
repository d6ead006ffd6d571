//! A job with a scheduler inside: one run after the other, on processors that stay in memory.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Instant;

use client::{Admin, ClusterError, ProducerOptions, Settings};
use events::{BatchedMut, Event, Timestamp, Topic};

use super::super::clock::wall_ms;
use super::super::commit_metadata::{CommitMetadata, PartitionId};
use super::super::offsets::partitions_and_ends;
use super::super::outbox::Outbox;
use super::super::progress::{PROGRESS, Progress, ReadCounts, resumed, statistics};
use super::super::rebuild::{MergedReader, OffsetSearcher};
use super::super::retry::Backoff;
use super::super::window::{Assignment, Window};
use super::publish::{Publisher, SeenFrom, answers_there, beginnings, earlier_runs};
use super::reading::{Reading, Slice, cut, records_in};
use super::steps::Steps;
use super::transform::RunOutput;
use super::{BatchConfig, LOOK, METADATA_TIMEOUT};
use crate::warehouse::Warehouse;
use crate::{BatchError, Control, DesiredState, WorkerStats};
use processor::Processor;

/// Runs a job of the batch lane until `control` asks it to stop, or until nothing is due if it is
/// to run `once`.
pub fn run_batch(
    config: &BatchConfig,
    factory: &dyn Fn() -> Box<dyn Processor>,
    warehouse: &mut dyn Warehouse,
    control: &Control,
) -> Result<WorkerStats, BatchError> {
    let BatchConfig { job, period_ms, grace_ms, .. } = config;
    assert!(*period_ms > 0, "{job}: period_ms is {period_ms}: a period has a length");
    assert!(*grace_ms >= 0, "{job}: grace_ms is {grace_ms}: a window is not closed before its end");
    let mut backoff = Backoff::new(config.job_retries(), config.first_wait);
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

pub(super) struct Job<'a> {
    pub(super) config: &'a BatchConfig,
    pub(super) warehouse: &'a mut dyn Warehouse,
    pub(super) control: &'a Control,
    /// How often it runs: as it was configured, or as the dial was turned since.
    pub(super) period_ms: i64,
    /// The period that the processors were told: that of the window they are given.
    told_period_ms: i64,
    pub(super) admin: Admin,
    pub(super) outbox: Outbox,
    /// What looks into the inputs, a topic each.
    pub(super) searchers: HashMap<Topic, OffsetSearcher>,
    /// Every partition of every input.
    pub(super) inputs: Vec<InputPosition>,
    pub(super) tasks: Vec<LiveTask>,
    /// What reads the windows for them, one task after the other.
    pub(super) log: MergedReader,
    pub(super) answers_from: BTreeMap<PartitionId, i64>,
    visible_from: SeenFrom,
    reads: ReadCounts,
    pub(super) stats: WorkerStats,
}

/// A processor and the partitions that it is given.
pub(super) struct LiveTask {
    pub(super) partitions: Range<i32>,
    pub(super) processor: Box<dyn Processor>,
}

/// What looks into a topic, which is made when it is first needed.
pub(super) fn searcher<'a>(
    searchers: &'a mut HashMap<Topic, OffsetSearcher>,
    settings: &Settings,
    topic: Topic,
) -> Result<&'a mut OffsetSearcher, ClusterError> {
    Ok(match searchers.entry(topic) {
        Entry::Occupied(made) => made.into_mut(),
        Entry::Vacant(place) => place.insert(OffsetSearcher::new(settings, topic, 0)?),
    })
}

/// One partition of an input.
pub(super) struct InputPosition {
    pub(super) place: PartitionId,
    /// The first offset with a record that no run has processed: what is committed.
    pub(super) position: i64,
    /// How far runs have read, and how far the one reads that was begun: committed beside it.
    pub(super) marks: CommitMetadata,
}

impl InputPosition {
    /// The first offset that no run has looked at.
    pub(super) fn unseen(&self) -> i64 {
        self.marks.read.map_or(self.position, |done| done.end.max(self.position))
    }

    /// What the run that is going on takes here.
    fn slice(&self) -> Slice {
        let end = self.marks.plan.map_or(self.position, |plan| plan.end);
        Slice { place: self.place, from: self.position, done: self.marks.read, end }
    }
}

/// What a run has made of its window.
struct Processed<'a> {
    output: RunOutput<'a>,
    /// Answers that rest on this run, with the partition of their questions.
    deferred_answers: Vec<(i32, Event)>,
    /// The first record of each partition that belongs to a later window.
    first_unprocessed: HashMap<PartitionId, i64>,
}

impl<'a> Job<'a> {
    fn start(
        config: &'a BatchConfig,
        factory: &dyn Fn() -> Box<dyn Processor>,
        warehouse: &'a mut dyn Warehouse,
        control: &'a Control,
        stats: WorkerStats,
    ) -> Result<Self, BatchError> {
        let admin = Admin::connect(&config.settings, METADATA_TIMEOUT)?;
        let (partitions, inputs) = partitions_and_ends(&admin, factory().inputs())?;
        let outbox = Outbox::new(
            &config.settings,
            &ProducerOptions::stream(),
            &admin,
            &config.answers_on(),
            &config.job,
        )?;
        let runs = outbox.place(Topic::BatchRuns, 0);
        let visible_from = earlier_runs(config, &admin, runs, control)?;
        let task = |partitions| LiveTask { partitions, processor: factory() };
        let mut job = Self {
            config,
            warehouse,
            control,
            period_ms: config.period_ms,
            told_period_ms: config.period_ms,
            admin,
            outbox,
            searchers: HashMap::new(),
            inputs: Vec::new(),
            tasks: config.tasks(partitions).into_iter().map(task).collect(),
            log: MergedReader::new(&config.settings)?,
            answers_from: BTreeMap::new(),
            visible_from,
            reads: ReadCounts::default(),
            stats,
        };
        job.apply_new_period();
        job.find_position(inputs, partitions)?;
        job.rebuild()?;
        Ok(job)
    }

    fn go(&mut self) -> Result<(), BatchError> {
        // A run that was begun is finished first: it was due.
        if let Some(window) = self.begun().filter(|_| self.control.desired_state() != DesiredState::Stop) {
            self.run(window)?;
        }
        loop {
            let wait = match self.control.desired_state() {
                DesiredState::Stop => return Ok(()),
                DesiredState::Pause => LOOK,
                DesiredState::Run => {
                    self.apply_new_period();
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
            let desired = self.control.desired_state();
            self.control.wait_while(desired, wait);
        }
    }

    /// Takes on the period that was asked for last. Only between runs: a window that was begun
    /// keeps its length.
    fn apply_new_period(&mut self) {
        let Some(period_ms) = self.control.period_ms().filter(|&asked| asked != self.period_ms) else {
            return;
        };
        self.period_ms = period_ms;
        self.tell_period(period_ms);
    }

    fn tell_period(&mut self, period_ms: i64) {
        if self.told_period_ms != period_ms {
            self.told_period_ms = period_ms;
            for LiveTask { processor, .. } in &mut self.tasks {
                processor.set_period_ms(period_ms);
            }
        }
    }

    /// One run, from reading to publishing.
    fn run(&mut self, due: Window) -> Result<(), BatchError> {
        let started_at = Timestamp::from_ms(wall_ms());
        // One that was begun is planned.
        let is_begun = self.begun().is_some();
        let (window, near) = if is_begun { (due, Vec::new()) } else { self.fit(due)? };
        self.tell_period(window.period_ms(self.period_ms));
        let steps = Steps::new(self.config, self.control, window, self.config.job_retries());
        let known = steps.overlapping_runs(self.warehouse)?;
        // A window that this job has not begun and the run log knows was run by hand, or by a job
        // whose commits are gone: its answers may lie anywhere.
        let is_known = !is_begun && known.iter().any(|run| steps.is_same(run));
        let from = if is_known {
            beginnings(&self.admin, self.answers_from.keys())?
        } else {
            self.answers_from.clone()
        };
        let there = answers_there(self.config, &self.admin, &from, &steps.batch_id)?;
        self.plan(window, &near)?;
        let Self { outbox, tasks, log, inputs, stats, visible_from, warehouse, reads, .. } = self;
        let mut publisher = Publisher::new(&steps, outbox, &there, visible_from);
        let Processed { output, deferred_answers, first_unprocessed } =
            process(&steps, tasks, log, inputs, (stats, reads), &mut publisher)?;
        reads.tell();

        let offsets = inputs.iter().map(|input| input.slice().offsets()).collect();
        let run = steps.line(started_at, output.records, offsets);
        let rows = steps.load(&mut **warehouse, &run, &output.tables(&steps.batch_id))?;
        let finished = publisher.finish(started_at);
        for (partition, answer) in deferred_answers {
            publisher.publish(partition, answer)?;
        }
        publisher.end(&run, rows, &mut **warehouse)?;
        let Publisher { given, already, .. } = publisher;
        visible_from.insert(window.end, finished.visible_from);
        for InputPosition { place, position, marks } in inputs {
            if let Some(plan) = marks.plan.take() {
                let next = first_unprocessed.get(place).copied().unwrap_or(plan.end);
                assert!(next >= *position, "{place:?}: a run goes back from {position} to {next}");
                *position = next;
                *marks = CommitMetadata { read: Some(plan), ..CommitMetadata::default() };
            }
        }
        for (place, from) in &mut self.answers_from {
            *from = self.outbox.end(*place).unwrap_or(*from).max(*from);
        }
        self.commit()?;
        self.stats.records += run.records;
        self.stats.rows += rows;
        self.stats.runs += 1;
        self.stats.answers += given;
        self.stats.already_answered += already;
        self.control.report(self.stats.clone());
        statistics(&self.stats);
        tracing::info!(
            target: PROGRESS,
            "{}: {} records, {rows} rows, finished {:.1} s after it began",
            run.batch_id,
            run.records,
            finished.at.since_ms(started_at) as f64 / 1000.0
        );
        Ok(())
    }
}

/// Gives the processors the window's records, and publishes the answers that need not wait for the
/// run's end.
fn process<'a>(
    steps: &Steps<'a>,
    tasks: &mut [LiveTask],
    log: &mut MergedReader,
    inputs: &[InputPosition],
    (stats, reads): (&mut WorkerStats, &mut ReadCounts),
    publisher: &mut Publisher<'_>,
) -> Result<Processed<'a>, BatchError> {
    let mut output = RunOutput::new(steps.config);
    let (mut deferred_answers, mut first_unprocessed) = (Vec::new(), HashMap::new());
    let mut hand_on = |output: &mut RunOutput<'_>, partition| {
        output.hand_on(|mut answer| match answer.batched_mut() {
            Some(BatchedMut { valid_from, .. }) if steps.gives(*valid_from) => {
                deferred_answers.push((partition, answer));
                Ok(())
            }
            Some(_) | None => publisher.publish(partition, answer),
        })
    };
    let all: Vec<Slice> = inputs.iter().map(InputPosition::slice).collect();
    let mut progress = Progress::new(format!("{}: processing", steps.batch_id), records_in(&all));
    for LiveTask { partitions, processor } in tasks {
        let slices: Vec<Slice> =
            all.iter().filter(|slice| partitions.contains(&slice.place.1)).copied().collect();
        let (stretches, cuts) = cut(&slices, steps.window.end);
        log.reopen(&stretches)?;
        let mut reading = Reading::new(log, &cuts, &mut progress, steps.control);
        while let Some((arrival, assignment)) = reading.next()? {
            match assignment {
                Assignment::Earlier => {}
                Assignment::Later => {
                    let first = first_unprocessed.entry((arrival.topic, arrival.partition));
                    let first = first.or_insert(arrival.offset);
                    *first = arrival.offset.min(*first);
                }
                Assignment::This => {
                    let partition = arrival.partition;
                    reads.took(arrival.topic);
                    let began = stopwatch();
                    output.process(&mut **processor, arrival.content);
                    stats.processing.record(began.elapsed());
                    hand_on(&mut output, partition)?;
                }
            }
        }
        // A run that is stopped here is repeated by the next life: that is what its plan is for.
        steps.check_stop()?;
        log.stop_fetching()?;
        output.end(&mut **processor);
        hand_on(&mut output, partitions.start)?;
    }
    stats.dead_letters += output.dead_letters;
    Ok(Processed { output, deferred_answers, first_unprocessed })
}

#[expect(clippy::disallowed_methods, reason = "the edge: processing time is measured in wall-clock time")]
fn stopwatch() -> Instant {
    Instant::now()
}
