//! The window's records, and what came before them, from the log to files.

use client::{Admin, Offsets, TopicPartition};
use events::{Timestamp, Topic};

use super::super::batch::{Schedule, neighbours};
use super::super::bookmark::Read;
use super::super::clock::wall_ms;
use super::super::progress::Progress;
use super::super::rebuild::{Log, Probe};
use super::super::window::{Cut, Cuts, Fate};
use super::files::{Extracted, Stage, Stretch};
use super::kept::Step;
use super::{WindowError, WindowRun};
use crate::Wish;
use crate::warehouse::{LoggedRun, Warehouse};

impl WindowRun<'_> {
    /// Writes `past.jsonl` and `records.jsonl` for a processor that reads `topics`. `warehouse` is
    /// asked which offsets this window and its neighbours were cut at before.
    pub fn extract(&self, topics: &[Topic], warehouse: &mut dyn Warehouse) -> Result<Extracted, WindowError> {
        let started_at = Timestamp::from_ms(wall_ms());
        let near = neighbours(warehouse, &self.config.job, self.window, self.backoff(), self.control)?;
        self.files.begin(Stage::Extract)?;
        let admin = self.admin()?;
        super::super::offsets::co_partitioned(&admin, topics)?;
        let partitions = topics.first().map_or(Ok(0), |topic| admin.partitions(topic.name()))?;
        let at: Vec<_> = (0..partitions)
            .flat_map(|partition| topics.iter().map(move |topic| (*topic, partition)))
            .collect();
        let inputs = look(&admin, &at)?;
        let same = near
            .iter()
            .find(|run| run.window_start == self.window.start && run.window_end == self.window.end);
        if same.is_none() {
            self.is_over(&inputs)?;
        }
        let nothing = Extracted {
            job: self.config.job.clone(),
            batch_id: self.batch_id.clone(),
            window_start: self.window.start,
            window_end: self.window.end,
            started_at,
            past: 0,
            records: 0,
            read: 0,
            partitions,
            offsets: Vec::new(),
        };
        let extracted = loop {
            if let Some(extracted) = self.read(&inputs, same, &near, nothing.clone())? {
                break extracted;
            }
            self.kept.inspect(|kept| kept.forget());
        };
        if let Some(run) = same.filter(|run| run.records > extracted.records as i64) {
            let (batch_id, known, records) = (run.batch_id.clone(), run.records, extracted.records);
            return Err(WindowError::Expired { batch_id, known, records });
        }
        self.files.done(Stage::Extract, &extracted)?;
        Ok(extracted)
    }

    /// Reads what comes before the window and what belongs to it. None when what was learnt for an
    /// earlier window turns out to lack something.
    fn read(
        &self,
        inputs: &[Partition],
        same: Option<&LoggedRun>,
        near: &[LoggedRun],
        mut extracted: Extracted,
    ) -> Result<Option<Extracted>, WindowError> {
        let (mut past, mut records) = (self.files.create("past.jsonl")?, self.files.create("records.jsonl")?);
        let stopped = || self.control.wish() == Wish::Stop;
        for (task, partitions) in self.config.tasks(extracted.partitions).into_iter().enumerate() {
            let mut stretches = Vec::new();
            let mut cuts = Cuts::default();
            for input in inputs.iter().filter(|input| partitions.contains(&input.partition)) {
                let (from, stretch) = self.stretch(input, same, near)?;
                let done = Some(Read { end: stretch.settled, until: self.window.start });
                let place = (input.topic, input.partition);
                stretches.push((place, from, stretch.end));
                cuts.0.insert(place, Cut { done, until: self.window.end });
                extracted.offsets.push(stretch);
            }
            let mut learning = self.kept.and_then(|kept| kept.begin(task, &mut stretches, &cuts));
            let mut log = Log::open(&self.config.settings, &stretches)?.verbatim();
            let all = stretches.iter().map(|(_, from, to)| (to - from).max(0) as u64).sum();
            let which = match partitions.len() {
                1 => format!("partition {} of {}", partitions.start, extracted.partitions),
                all => format!("all {all} partitions"),
            };
            let of = format!("{}: reading {which}", self.batch_id);
            let mut progress = Progress::new(of, all);
            while let Some(arrival) = log.next(&|arrival| cuts.turn(arrival), &stopped)? {
                progress.step();
                extracted.read += 1;
                match learning.as_mut().map(|learning| learning.take(&arrival, &cuts, &|| log.silent())) {
                    Some(Step::Learnt) => continue,
                    Some(Step::TooLate) => return Ok(None),
                    Some(Step::Left) | None => {}
                }
                match cuts.fate(&arrival) {
                    Fate::Now => {
                        records.record(&arrival)?;
                        extracted.records += 1;
                    }
                    // Broken ones taught nobody anything.
                    Fate::Done if arrival.content.is_ok() => {
                        past.record(&arrival)?;
                        extracted.past += 1;
                    }
                    Fate::Done | Fate::Later => {}
                }
            }
            if stopped() {
                return Err(self.interrupted());
            }
            if let Some(learning) = learning {
                extracted.past += learning.records();
                learning.end(&log.silent());
            }
        }
        past.close()?;
        records.close()?;
        Ok(Some(extracted))
    }

    /// A window that may still grow is not run: whoever wants its first half names that.
    fn is_over(&self, inputs: &[Partition]) -> Result<(), WindowError> {
        let due = self.window.end.plus_ms(self.config.grace_ms);
        let now = match self.config.schedule {
            Schedule::Clock(clock) => Some(clock.simulated(wall_ms())),
            Schedule::EventTime => {
                let mut newest: Option<Timestamp> = None;
                for input in inputs {
                    let Offsets { earliest, latest } = input.offsets;
                    let mut probe = self.probe(input)?;
                    newest = newest.max(probe.ts((latest - 1).max(earliest), latest)?);
                }
                newest
            }
        };
        if now < Some(due) {
            return Err(WindowError::NotOver {
                start: self.window.start,
                end: self.window.end,
                due,
                now: now
                    .map_or_else(|| "there are no records at all".to_owned(), |now| format!("it is {now}")),
            });
        }
        Ok(())
    }

    /// Where the past begins, and the offsets between which the window lies.
    fn stretch(
        &self,
        input: &Partition,
        same: Option<&LoggedRun>,
        near: &[LoggedRun],
    ) -> Result<(i64, Stretch), WindowError> {
        let Offsets { earliest, latest } = input.offsets;
        let of = |run: &LoggedRun| {
            let mut all = run.offsets.iter();
            all.find(|read| read.topic == input.topic && read.partition == input.partition).copied()
        };
        let before = near.iter().find(|run| run.window_end == self.window.start).and_then(of);
        let after = near.iter().find(|run| run.window_start == self.window.end).and_then(of);
        let mut probe = self.probe(input)?;
        // The first offset past everything that may be waited for at the end of a window that ends
        // `at`.
        let mut cut = |at: Timestamp| {
            probe.search(earliest, latest, at.plus_ms(self.config.grace_ms)).map(|(_, until)| until)
        };
        let same = same.and_then(of);
        let settled = match (same, before) {
            (Some(same), _) => same.settled,
            (None, Some(before)) => before.end,
            (None, None) => cut(self.window.start)?,
        };
        let end = match (same, after) {
            (Some(same), _) => same.end,
            (None, Some(after)) => after.settled.max(settled),
            (None, None) => cut(self.window.end)?.max(settled),
        };
        let place = format!("{}/{}", input.topic, input.partition);
        if end > latest {
            return Err(WindowError::AnotherLog { place, known: end, latest });
        }
        if earliest > settled && settled < end && same.is_none() {
            tracing::warn!(
                "{}: {place} begins at offset {earliest} and the window at {settled} or before: retention has taken a part of it, what is left is run",
                self.batch_id
            );
        }
        let from = match self.config.horizon_ms {
            Some(horizon_ms) => {
                let to = settled.clamp(earliest, latest);
                probe.search(earliest, to, self.window.start.plus_ms(-horizon_ms))?.0
            }
            None => earliest,
        };
        let topic = input.topic.name().to_owned();
        Ok((from, Stretch { topic, partition: input.partition, settled, end }))
    }

    fn probe(&self, input: &Partition) -> Result<Probe, WindowError> {
        Ok(Probe::new(&self.config.settings, input.topic, input.partition)?)
    }
}

/// One partition of an input.
struct Partition {
    topic: Topic,
    partition: i32,
    offsets: Offsets,
}

fn look(admin: &Admin, at: &[(Topic, i32)]) -> Result<Vec<Partition>, WindowError> {
    let asked: Vec<_> =
        at.iter().map(|(topic, partition)| TopicPartition::new(topic.name(), *partition)).collect();
    let found = at.iter().zip(admin.offsets(&asked)?);
    Ok(found
        .map(|(&(topic, partition), offsets)| Partition {
            topic,
            partition,
            offsets: offsets.unwrap_or(Offsets { earliest: 0, latest: 0 }),
        })
        .collect())
}
