//! Answers to their topics, each once, however often the run is repeated.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use client::{Admin, LogReader, Refused, Settings, TopicPartition};
use events::{BatchRun, BatchedMut, Event, SOURCE_HEADER, Timestamp, Topic};

use super::super::bookmark::Place;
use super::super::outbox::{Outbox, instead_of};
use super::super::window::Window;
use super::taken::Taken;
use super::{Job, LOOK};
use crate::warehouse::Run;
use crate::{AnswerError, BatchError, Control, Wish};

/// How long acknowledgements are waited for before it is looked whether the job is to end.
const FLUSH: Duration = Duration::from_millis(500);

/// The answers of one run on their way, counted to leave out those that an earlier life has sent.
pub(in super::super) struct Sending<'a> {
    batch_id: &'a str,
    /// How many are there, by place and source.
    there: HashMap<(Place, String), u64>,
    sent: HashMap<(Place, i32), u64>,
    /// Answers sent.
    pub(in super::super) given: u64,
    /// Answers left out, because they are there.
    pub(in super::super) already: u64,
}

impl<'a> Sending<'a> {
    pub(in super::super) fn new(batch_id: &'a str, there: HashMap<(Place, String), u64>) -> Self {
        Self { batch_id, there, sent: HashMap::new(), given: 0, already: 0 }
    }

    /// Stamps on an answer which run publishes it and since when it could be seen, and sends it.
    /// `seen_from` says that of the period on whose run the answer rests, by its end; none where
    /// nobody knows such a run, and then the period's end stands.
    pub(in super::super) fn publish(
        &mut self,
        outbox: &mut Outbox,
        partition: i32,
        mut answer: Event,
        seen_from: &dyn Fn(Timestamp) -> Option<Timestamp>,
        control: &Control,
    ) -> Result<(), BatchError> {
        if let Some(BatchedMut { batch_id, valid_from }) = answer.batched_mut() {
            self.batch_id.clone_into(batch_id);
            *valid_from = seen_from(*valid_from).unwrap_or(*valid_from);
        }
        self.send(outbox, partition, &answer, control)
    }

    /// Sends an answer to a question of `partition`, unless it is there.
    pub(in super::super) fn send(
        &mut self,
        outbox: &mut Outbox,
        partition: i32,
        answer: &Event,
        control: &Control,
    ) -> Result<(), BatchError> {
        if !outbox.encode(answer) && answer.topic() != Topic::DeadLetters {
            // What is owed to a whole window has no offset of its own.
            let letter = instead_of(answer, answer.topic(), partition, -1);
            return self.send(outbox, partition, &letter.into(), control);
        }
        let place = outbox.place(answer.topic(), partition);
        let sent = self.sent.entry((place, partition)).or_insert(0);
        *sent += 1;
        let source = format!("{}/{partition}", self.batch_id);
        let there = self.there.get(&(place, source.clone())).copied().unwrap_or(0);
        if *sent <= there {
            self.already += 1;
            return Ok(());
        }
        outbox.send_encoded(answer, partition, format_args!("{source}"), control)?;
        self.given += 1;
        Ok(())
    }

    /// Waits until everything is acknowledged: only then may the run be called done.
    pub(in super::super) fn settle(&self, outbox: &Outbox, control: &Control) -> Result<(), BatchError> {
        while !outbox.flush(FLUSH)? {
            if control.wish() == Wish::Stop {
                return Err(BatchError::Interrupted { batch_id: self.batch_id.to_owned() });
            }
        }
        match outbox.take_refused().into_iter().next() {
            Some(Refused { tag, topic, reason }) => {
                let question = format!("{}/{tag}", self.batch_id);
                Err(AnswerError::Unanswerable { question, topic, reason }.into())
            }
            None => Ok(()),
        }
    }
}

/// How many answers of a run are there already from the given offsets on, by place and source.
pub(in super::super) fn answers_there<'a>(
    settings: &Settings,
    admin: &Admin,
    from: impl Iterator<Item = (&'a Place, &'a i64)>,
    batch_id: &str,
) -> Result<HashMap<(Place, String), u64>, BatchError> {
    let mut there = HashMap::new();
    let (places, from): (Vec<Place>, Vec<i64>) = from.unzip();
    let at: Vec<_> = places.iter().map(|(topic, n)| TopicPartition::new(topic.name(), *n)).collect();
    for (((topic, partition), from), end) in places.into_iter().zip(from).zip(admin.ends(&at)?) {
        let end = end.unwrap_or(0);
        if from >= end {
            continue;
        }
        let mut reader = LogReader::range(settings, topic.name(), &[(partition, from, end)])?;
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

/// When the answers of the job's earlier runs could be seen, by the ends of their windows: what the
/// log of runs says.
pub(in super::super) fn earlier_runs(
    settings: &Settings,
    admin: &Admin,
    (topic, partition): Place,
    job: &str,
    control: &Control,
) -> Result<BTreeMap<Timestamp, Timestamp>, BatchError> {
    let mut visible_from = BTreeMap::new();
    let at = [TopicPartition::new(topic.name(), partition)];
    let Some(Some(offsets)) = admin.offsets(&at)?.into_iter().next() else { return Ok(visible_from) };
    let mut reader =
        LogReader::range(settings, topic.name(), &[(partition, offsets.earliest, offsets.latest)])?;
    while !reader.is_finished() && control.wish() != Wish::Stop {
        if let Some(record) = reader.next(LOOK)?
            && let Ok(Event::BatchRuns(run)) = Event::parse(topic, record.value().unwrap_or_default())
            && run.job == job
        {
            visible_from.insert(run.window_end, run.ts);
        }
    }
    Ok(visible_from)
}

/// A run's line on `batch_runs`.
pub(in super::super) fn report(
    run: &Run,
    rows: u64,
    finished_at: Timestamp,
    visible_from: Timestamp,
) -> Event {
    Event::BatchRuns(BatchRun {
        ts: visible_from,
        job: run.job.clone(),
        batch_id: run.batch_id.clone(),
        window_start: run.window_start,
        window_end: run.window_end,
        records: run.records,
        rows,
        started_at: run.started_at,
        finished_at,
    })
}

impl Job<'_> {
    /// Publishes the answers that need not wait for the run's end, and keeps the others.
    pub(super) fn dispatch(
        &mut self,
        partition: i32,
        window: Window,
        answers: &mut Vec<Event>,
        taken: &mut Taken,
        sending: &mut Sending<'_>,
    ) -> Result<(), BatchError> {
        for mut answer in answers.drain(..) {
            taken.rows.add(&answer);
            if !self.outbox.takes(answer.topic()) {
                // Said to the database alone.
                continue;
            }
            match answer.batched_mut() {
                Some(BatchedMut { valid_from, .. }) if *valid_from >= window.end => {
                    taken.owed.push((partition, answer));
                }
                _ => self.publish(partition, answer, sending)?,
            }
        }
        Ok(())
    }

    pub(super) fn publish(
        &mut self,
        partition: i32,
        answer: Event,
        sending: &mut Sending<'_>,
    ) -> Result<(), BatchError> {
        let seen_from = |period_end: Timestamp| self.visible_from.get(&period_end).copied();
        sending.publish(&mut self.outbox, partition, answer, &seen_from, self.control)
    }
}
