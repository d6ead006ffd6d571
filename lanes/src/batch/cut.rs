//! Where a window by hand is cut out of the log; and its records, and what came before them, from
//! there to files.

use client::Offsets;
use events::{Timestamp, Topic};

use super::super::clock::wall_ms;
use super::super::commit_metadata::{PartitionId, RunEnd};
use super::super::offsets::partitions_and_ends;
use super::super::progress::Progress;
use super::super::rebuild::{MergedReader, OffsetSearcher};
use super::super::window::Assignment;
use super::files::{Extracted, Stage};
use super::reading::{Reading, Slice, cut};
use super::shared_state::Step;
use super::{Schedule, WindowRun};
use crate::warehouse::{LoggedRun, RunOffsets, Warehouse};
use crate::{BatchError, WindowError};

/// One partition of an input.
struct Partition {
    place: PartitionId,
    offsets: Offsets,
}

impl WindowRun<'_> {
    /// Writes `past.jsonl` and `records.jsonl` for a processor that reads `topics`. `warehouse` is
    /// asked which offsets this window and its neighbours were cut at before.
    pub fn extract(&self, topics: &[Topic], warehouse: &mut dyn Warehouse) -> Result<Extracted, WindowError> {
        let started_at = Timestamp::from_ms(wall_ms());
        let near = self.steps.overlapping_runs(warehouse)?;
        self.files.begin(Stage::Extract)?;
        let admin = self.steps.admin()?;
        let (partitions, inputs) = partitions_and_ends(&admin, topics)?;
        let nothing = Offsets { earliest: 0, latest: 0 };
        let input = |(place, ends): (PartitionId, Option<Offsets>)| Partition {
            place,
            offsets: ends.unwrap_or(nothing),
        };
        let inputs: Vec<_> = inputs.into_iter().map(input).collect();
        let same = near.iter().find(|run| self.steps.is_same(run));
        if same.is_none() {
            self.is_over(&inputs)?;
        }
        let slices =
            inputs.iter().map(|input| self.slice(input, same, &near)).collect::<Result<Vec<_>, _>>()?;
        let mut extracted = loop {
            if let Some(extracted) = self.read(&slices, partitions, started_at)? {
                break extracted;
            }
            self.shared.inspect(|shared| shared.forget());
        };
        extracted.run.offsets = slices.iter().map(Slice::offsets).collect();
        let records = extracted.run.records;
        if let Some(run) = same.filter(|run| run.records > records as i64) {
            return Err(WindowError::Expired { batch_id: run.batch_id.clone(), known: run.records, records });
        }
        self.files.done(Stage::Extract, &extracted)?;
        Ok(extracted)
    }

    /// Reads what comes before the window and what belongs to it. None when what was learnt for an
    /// earlier window turns out to lack something.
    fn read(
        &self,
        all: &[Slice],
        partitions: i32,
        started_at: Timestamp,
    ) -> Result<Option<Extracted>, WindowError> {
        let steps = &self.steps;
        let mut extracted =
            Extracted { run: steps.line(started_at, 0, Vec::new()), past: 0, read: 0, partitions };
        let (mut past, mut records) = (self.files.create("past.jsonl")?, self.files.create("records.jsonl")?);
        for (task, its) in steps.config.tasks(partitions).into_iter().enumerate() {
            let slices: Vec<Slice> =
                all.iter().filter(|slice| its.contains(&slice.place.1)).copied().collect();
            let (mut stretches, cuts) = cut(&slices, steps.window.end);
            let mut learning = self.shared.and_then(|shared| shared.begin(task, &mut stretches, &cuts));
            let mut log = MergedReader::open(&steps.config.settings, &stretches)?.verbatim();
            let which = match its.len() {
                1 => format!("partition {} of {partitions}", its.start),
                all => format!("all {all} partitions"),
            };
            let left = stretches.iter().map(|(_, from, to)| (to - from).max(0) as u64).sum();
            let mut progress = Progress::new(format!("{}: reading {which}", self.batch_id()), left);
            let mut reading = Reading::new(&mut log, &cuts, &mut progress, steps.control);
            while let Some((arrival, assignment)) = reading.next()? {
                if let Some(learning) = &mut learning {
                    match learning.take(&arrival, &cuts, &|| reading.silent()) {
                        Step::Learnt => continue,
                        Step::TooLate => return Ok(None),
                        Step::Left => {}
                    }
                }
                match assignment {
                    Assignment::This => {
                        records.record(&arrival)?;
                        extracted.run.records += 1;
                    }
                    // Invalid input taught the state nothing.
                    Assignment::Earlier if arrival.content.is_ok() => {
                        past.record(&arrival)?;
                        extracted.past += 1;
                    }
                    Assignment::Earlier | Assignment::Later => {}
                }
            }
            extracted.read += reading.read;
            steps.check_stop()?;
            if let Some(learning) = learning {
                extracted.past += learning.records();
                learning.end(&log.silent());
            }
        }
        past.close()?;
        records.close()?;
        Ok(Some(extracted))
    }

    /// A window that may still grow is not run: to run its first half, name that half.
    fn is_over(&self, inputs: &[Partition]) -> Result<(), WindowError> {
        let window = self.steps.window;
        let due = window.end.plus_ms(self.steps.config.grace_ms);
        let now = match self.steps.config.schedule {
            Schedule::Clock(clock) => Some(clock.simulated(wall_ms())),
            Schedule::EventTime => {
                let mut newest: Option<Timestamp> = None;
                for input in inputs {
                    let Offsets { earliest, latest } = input.offsets;
                    newest = newest.max(self.searcher(input)?.ts((latest - 1).max(earliest), latest)?);
                }
                newest
            }
        };
        if now >= Some(due) {
            return Ok(());
        }
        let now = now.map_or_else(|| "there are no records at all".to_owned(), |now| format!("it is {now}"));
        Err(WindowError::NotOver { start: window.start, end: window.end, due, now })
    }

    /// Where the past begins, and the offsets between which the window lies: those that the run log
    /// has of it, else those of its neighbours, else what event time says.
    fn slice(
        &self,
        input: &Partition,
        same: Option<&LoggedRun>,
        near: &[LoggedRun],
    ) -> Result<Slice, WindowError> {
        let (window, config) = (self.steps.window, self.steps.config);
        let Partition { place, offsets: Offsets { earliest, latest } } = *input;
        let of = |run: &LoggedRun| {
            let is_here = |read: &&RunOffsets| (read.topic, read.partition) == place;
            run.offsets.iter().find(is_here).copied()
        };
        let before = near.iter().find(|run| run.window_end == window.start).and_then(of);
        let after = near.iter().find(|run| run.window_start == window.end).and_then(of);
        let mut searcher = self.searcher(input)?;
        // The first offset past everything that may be waited for at the end of a window that ends
        // `at`.
        let mut found = |at: Timestamp| {
            searcher.search(earliest, latest, at.plus_ms(config.grace_ms)).map(|(_, until)| until)
        };
        let same = same.and_then(of);
        let settled = match (same, before) {
            (Some(same), _) => same.settled,
            (None, Some(before)) => before.end,
            (None, None) => found(window.start)?,
        };
        let end = match (same, after) {
            (Some(same), _) => same.end,
            (None, Some(after)) => after.settled.max(settled),
            (None, None) => found(window.end)?.max(settled),
        };
        let (topic, partition) = place;
        let named = format!("{topic}/{partition}");
        if end > latest {
            return Err(WindowError::TopicRecreated { place: named, known: end, latest });
        }
        if earliest > settled && settled < end && same.is_none() {
            tracing::warn!(
                "{}: {named} begins at offset {earliest} and the window at {settled} or before: retention has taken a part of it, what is left is run",
                self.batch_id()
            );
        }
        let from = match config.horizon_ms {
            Some(horizon_ms) => {
                let to = settled.clamp(earliest, latest);
                searcher.search(earliest, to, window.start.plus_ms(-horizon_ms))?.0
            }
            None => earliest,
        };
        let done = Some(RunEnd { end: settled, until: window.start });
        Ok(Slice { place, from, done, end })
    }

    fn searcher(&self, input: &Partition) -> Result<OffsetSearcher, BatchError> {
        let (topic, partition) = input.place;
        Ok(OffsetSearcher::new(&self.steps.config.settings, topic, partition)?)
    }
}
