//! What one processor is given of the log, in the order of event time.

use std::collections::HashMap;

use super::super::commit_metadata::{PartitionId, RunEnd};
use super::super::progress::Progress;
use super::super::rebuild::MergedReader;
use super::super::window::{Assignment, Cut, Cuts};
use crate::arrival::Arrival;
use crate::warehouse::RunOffsets;
use crate::{BatchError, Control, DesiredState};
use events::Timestamp;

/// How many records are taken before it is looked whether the job is to end.
const AT_ONCE: u64 = 1024;

/// One partition of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) place: PartitionId,
    /// The first offset to read.
    pub(super) from: i64,
    /// What earlier runs took; none before the first run.
    pub(super) done: Option<RunEnd>,
    /// The first offset that is not looked at.
    pub(super) end: i64,
}

impl Slice {
    /// Where the window was cut, as the run log has it.
    pub(super) fn offsets(&self) -> RunOffsets {
        let (topic, partition) = self.place;
        RunOffsets { topic, partition, settled: self.done.map_or(self.from, |done| done.end), end: self.end }
    }
}

/// How many records lie in `slices`.
pub(super) fn records_in(slices: &[Slice]) -> u64 {
    slices.iter().map(|slice| (slice.end - slice.from).max(0) as u64).sum()
}

/// The partitions of one processor, and how the window that ends at `until` is cut out of them.
pub(super) fn cut(slices: &[Slice], until: Timestamp) -> (Vec<(PartitionId, i64, i64)>, Cuts) {
    let stretches = slices.iter().map(|slice| (slice.place, slice.from, slice.end)).collect();
    let cuts: HashMap<PartitionId, Cut> =
        slices.iter().map(|slice| (slice.place, Cut { done: slice.done, until })).collect();
    assert_eq!(cuts.len(), slices.len(), "a partition is cut twice for one run: {slices:?}");
    (stretches, Cuts(cuts))
}

/// A log on its way through a processor.
pub(super) struct Reading<'a> {
    log: &'a mut MergedReader,
    cuts: &'a Cuts,
    progress: &'a mut Progress,
    control: &'a Control,
    /// Records so far.
    pub(super) read: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        log: &'a mut MergedReader,
        cuts: &'a Cuts,
        progress: &'a mut Progress,
        control: &'a Control,
    ) -> Self {
        Self { log, cuts, progress, control, read: 0 }
    }

    /// The partitions of which nothing waits: see [`MergedReader::silent`].
    pub(super) fn silent(&self) -> Vec<PartitionId> {
        self.log.silent()
    }

    /// The next record, and what this run does with it; none at the end, or when the lane is to
    /// end.
    pub(super) fn next(&mut self) -> Result<Option<(Arrival, Assignment)>, BatchError> {
        let stopped = || self.control.desired_state() == DesiredState::Stop;
        if self.read.is_multiple_of(AT_ONCE) && stopped() {
            return Ok(None);
        }
        let Some(arrival) = self.log.next(&|arrival| self.cuts.event_time_order(arrival), &stopped)? else {
            return Ok(None);
        };
        self.read += 1;
        self.progress.step();
        let assignment = self.cuts.assignment(&arrival);
        Ok(Some((arrival, assignment)))
    }
}
