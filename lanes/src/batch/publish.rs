//! Answers to their topics, each once, however often the run is repeated.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use client::{Admin, LogReader, Refused};
use events::{BatchRun, BatchedMut, Event, SOURCE_HEADER, Timestamp, Topic};

use super::super::commit_metadata::PartitionId;
use super::super::offsets::partitions_of;
use super::super::outbox::{Outbox, instead_of};
use super::steps::{Finished, Steps};
use super::{BatchConfig, LOOK};
use crate::warehouse::{LoggedRun, Run, Warehouse};
use crate::{AnswerError, BatchError, Control, DesiredState};

/// How long acknowledgements are waited for before it is looked whether the job is to end.
const FLUSH: Duration = Duration::from_millis(500);

/// From when the answers of a job's runs could be seen, by the ends of their windows.
pub(super) type SeenFrom = BTreeMap<Timestamp, Timestamp>;

/// How many answers of runs are there already, by place and source.
pub(super) type There = HashMap<(PartitionId, String), u64>;

/// What a job's runs have published.
pub(super) struct OnTopics {
    pub(super) there: There,
    pub(super) seen_from: SeenFrom,
}

/// The answers of one run on their way, counted to leave out those that an earlier life has sent.
pub(super) struct Publisher<'a> {
    steps: &'a Steps<'a>,
    outbox: &'a mut Outbox,
    there: &'a There,
    earlier: &'a SeenFrom,
    /// Once the rows of the run are in.
    finished: Option<Finished>,
    sent: HashMap<(PartitionId, i32), u64>,
    /// Answers sent.
    pub(super) given: u64,
    /// Answers left out, because they are there.
    pub(super) already: u64,
}

impl<'a> Publisher<'a> {
    /// For the run of `steps`, of whose answers those in `there` are published. Others of its
    /// answers rest on the runs in `earlier`.
    pub(super) fn new(
        steps: &'a Steps<'a>,
        outbox: &'a mut Outbox,
        there: &'a There,
        earlier: &'a SeenFrom,
    ) -> Self {
        let sent = HashMap::new();
        Self { steps, outbox, there, earlier, finished: None, sent, given: 0, already: 0 }
    }

    /// The rows of the run, which began at `started_at`, are in: so from now on answers may leave
    /// that rest on it.
    pub(super) fn finish(&mut self, started_at: Timestamp) -> Finished {
        let again = self.finished.replace(self.steps.finished(started_at));
        assert_eq!(again, None, "{} is finished twice", self.steps.batch_id);
        self.finished.expect("it was just said")
    }

    /// Stamps on an answer which run publishes it and since when it could be seen, and sends it.
    /// Where the run that it rests on is unknown, the end of its period stands.
    pub(super) fn publish(&mut self, partition: i32, mut answer: Event) -> Result<(), BatchError> {
        if let Some(BatchedMut { batch_id, valid_from }) = answer.batched_mut() {
            self.steps.batch_id.clone_into(batch_id);
            let seen_from = if self.steps.gives(*valid_from) {
                let finished = self.finished.expect("an answer that rests on this run waits for its end");
                Some(finished.visible_from)
            } else {
                self.earlier.get(valid_from).copied()
            };
            *valid_from = seen_from.unwrap_or(*valid_from);
        }
        self.send(partition, &answer)
    }

    /// Sends an answer to a question of `partition`, unless it is there.
    fn send(&mut self, partition: i32, answer: &Event) -> Result<(), BatchError> {
        if !self.outbox.encode(answer) && answer.topic() != Topic::DeadLetters {
            // What is owed to a whole window has no offset of its own.
            let letter = instead_of(answer, answer.topic(), partition, -1);
            return self.send(partition, &letter.into());
        }
        let place = self.outbox.place(answer.topic(), partition);
        let sent = self.sent.entry((place, partition)).or_insert(0);
        *sent += 1;
        let source = format!("{}/{partition}", self.steps.batch_id);
        let there = self.there.get(&(place, source.clone())).copied().unwrap_or(0);
        if *sent <= there {
            self.already += 1;
            return Ok(());
        }
        self.outbox.send_encoded(answer, partition, format_args!("{source}"), None, self.steps.control)?;
        self.given += 1;
        Ok(())
    }

    /// All answers are sent: publishes the run's line on `batch_runs` as well, and notes in the run
    /// log when that was.
    pub(super) fn end(
        &mut self,
        run: &Run,
        rows: u64,
        warehouse: &mut dyn Warehouse,
    ) -> Result<(), BatchError> {
        let finished = self.finished.expect("a run is finished before it ends");
        // A reader that sees the run's record finds its answers.
        self.settle()?;
        self.send(0, &report(run, rows, finished))?;
        self.settle()?;
        // A rerun that had nothing to say leaves the run log as it was.
        let is_known = |known: &LoggedRun| known.batch_id == run.batch_id && known.finished_at.is_some();
        if self.given > 0 || !self.steps.known_runs(warehouse)?.iter().any(is_known) {
            self.steps.finish(warehouse, finished)?;
        }
        Ok(())
    }

    /// Waits until everything is acknowledged: only then may the run be called done.
    fn settle(&self) -> Result<(), BatchError> {
        while !self.outbox.flush(FLUSH)? {
            self.steps.check_stop()?;
        }
        match self.outbox.take_refused().into_iter().next() {
            Some(Refused { tag, topic, reason, .. }) => {
                let question = format!("{}/{tag}", self.steps.batch_id);
                Err(AnswerError::Unanswerable { question, topic, reason }.into())
            }
            None => Ok(()),
        }
    }
}

/// The run's line on `batch_runs`.
fn report(run: &Run, rows: u64, finished: Finished) -> Event {
    Event::BatchRuns(BatchRun {
        ts: finished.visible_from,
        job: run.job.clone(),
        batch_id: run.batch_id.clone(),
        window_start: run.window_start,
        window_end: run.window_end,
        records: run.records,
        rows,
        started_at: run.started_at,
        finished_at: finished.at,
    })
}

/// Where the places of answers begin.
pub(super) fn beginnings<'a>(
    admin: &Admin,
    places: impl Iterator<Item = &'a PartitionId> + Clone,
) -> Result<BTreeMap<PartitionId, i64>, BatchError> {
    let offsets = admin.offsets(&partitions_of(places.clone()))?;
    Ok(places.copied().zip(offsets.into_iter().map(|at| at.map_or(0, |at| at.earliest))).collect())
}

/// How many answers are there already, from the given offsets on, of the runs whose names begin
/// with `prefix`.
pub(super) fn answers_there(
    config: &BatchConfig,
    admin: &Admin,
    from: &BTreeMap<PartitionId, i64>,
    prefix: &str,
) -> Result<There, BatchError> {
    let mut there = There::new();
    let ends = admin.ends(&partitions_of(from.keys()))?;
    for ((&(topic, partition), &from), end) in from.iter().zip(ends) {
        let end = end.unwrap_or(0);
        if from >= end {
            continue;
        }
        let mut reader = LogReader::range(&config.settings, topic.name(), &[(partition, from, end)])?;
        while !reader.is_finished() {
            let Some(record) = reader.next(LOOK)? else { continue };
            let source = record.header(SOURCE_HEADER).and_then(|source| std::str::from_utf8(source).ok());
            if let Some(source) = source.filter(|source| source.starts_with(prefix)) {
                *there.entry(((topic, partition), source.to_owned())).or_insert(0) += 1;
            }
        }
    }
    Ok(there)
}

/// When the answers of the job's earlier runs could be seen: what the topic of runs, at `place`,
/// says.
pub(super) fn earlier_runs(
    config: &BatchConfig,
    admin: &Admin,
    place: PartitionId,
    control: &Control,
) -> Result<SeenFrom, BatchError> {
    let mut seen_from = SeenFrom::new();
    let (topic, partition) = place;
    let Some(Some(offsets)) = admin.offsets(&partitions_of([&place]))?.into_iter().next() else {
        return Ok(seen_from);
    };
    let all = [(partition, offsets.earliest, offsets.latest)];
    let mut reader = LogReader::range(&config.settings, topic.name(), &all)?;
    while !reader.is_finished() && control.desired_state() != DesiredState::Stop {
        if let Some(record) = reader.next(LOOK)?
            && let Ok(Event::BatchRuns(run)) = Event::parse(topic, record.value().unwrap_or_default())
            && run.job == config.job
        {
            seen_from.insert(run.window_end, run.ts);
        }
    }
    Ok(seen_from)
}
