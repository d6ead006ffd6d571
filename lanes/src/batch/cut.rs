//! The records of a window by hand, and what came before them, from the log to files.

use client::Offsets;
use events::{Timestamp, Topic};

use super::super::clock::wall_ms;
use super::super::commit_metadata::{PartitionId, RunEnd};
use super::super::offsets::partitions_and_ends;
use super::super::progress::Progress;
use super::super::rebuild::{MergedReader, OffsetSearcher};
use super::super::window::Assignment;
use super::edges::{Edges, begun_run};
use super::files::{Extracted, Stage};
use super::newest::Newest;
use super::reading::{Reading, Slice, cut};
use super::shared_state::Step;
use super::{Schedule, WindowRun};
use crate::warehouse::{LoggedRun, Warehouse};
use crate::{BatchError, WindowError};

/// One partition of an input.
struct Partition {
    place: PartitionId,
    offsets: Offsets,
}

impl WindowRun<'_> {
    /// Writes `past.jsonl` and `records.jsonl` for a processor that reads `topics`. `warehouse` is
    /// asked which offsets this window and its neighbours were cut at before, and so are the
    /// commits of the job that runs them on a schedule.
    pub fn extract(&self, topics: &[Topic], warehouse: &mut dyn Warehouse) -> Result<Extracted, WindowError> {
        let started_at = Timestamp::from_ms(wall_ms());
        let mut near = self.steps.known_runs(warehouse)?;
        let admin = self.steps.admin()?;
        let (partitions, inputs) = partitions_and_ends(&admin, topics)?;
        // What the schedule has begun will be run as it was begun.
        near.extend(
            begun_run(self.steps.config, &admin, &inputs)?.filter(|begun| {
                near.iter().all(|run| !(self.steps.is_same(run) && self.steps.is_same(begun)))
            }),
        );
        self.steps.refuse_overlap(&near)?;
        self.files.begin(Stage::Extract)?;
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
        let slices = inputs.iter().map(|input| self.slice(input, &near)).collect::<Result<Vec<_>, _>>()?;
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
            Schedule::Clock(clock) => {
                let now = clock.simulated(wall_ms());
                if now >= due {
                    return Ok(());
                }
                format!("it is {now}")
            }
            Schedule::EventTime => {
                let mut newest = Newest::default();
                for input in inputs {
                    let Offsets { earliest, latest } = input.offsets;
                    newest.look(&mut self.searcher(input)?, earliest, latest)?;
                }
                if newest.has_passed(due) {
                    return Ok(());
                }
                match newest.newest() {
                    None => "there are no records at all".to_owned(),
                    Some(now) if now < due => format!("it is {now}"),
                    Some(ahead) => format!("one key alone has records of {ahead}"),
                }
            }
        };
        Err(WindowError::NotOver { start: window.start, end: window.end, due, now })
    }

    /// Where the history begins, and the offsets between which the window lies.
    fn slice(&self, input: &Partition, near: &[LoggedRun]) -> Result<Slice, WindowError> {
        let (window, config) = (self.steps.window, self.steps.config);
        let Partition { place, offsets: Offsets { earliest, latest } } = *input;
        let edges = Edges { window, grace_ms: config.grace_ms, known: near };
        let mut searcher = self.searcher(input)?;
        let settled = edges.start(&mut searcher, place, (earliest, latest))?;
        let end = edges.end(&mut searcher, place, settled, (earliest, latest))?;
        let (topic, partition) = place;
        let named = format!("{topic}/{partition}");
        if end > latest {
            return Err(WindowError::TopicRecreated { place: named, known: end, latest });
        }
        if earliest > settled && settled < end && !near.iter().any(|run| self.steps.is_same(run)) {
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
