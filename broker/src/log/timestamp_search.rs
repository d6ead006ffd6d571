//! Finding a record by its time.
//!
//! The indexes name a place at or before it; from there batches are looked into, and one batch may
//! have a hundred megabytes of records in it. So the log is held for the indexes alone: a
//! [`TimestampSearch`] has the files that it needs, also when retention removes them meanwhile.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{BatchHeader, LeaderEpoch, Offset, TimestampType, walk};

use super::walk::{Step, Walk, damaged};
use super::{Log, StorageError, StorageFile};

/// An offset found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// The record's, ms since 1970.
    pub timestamp_ms: i64,
    /// The record's.
    pub offset: Offset,
    /// Leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// A search to be done without holding the log.
#[derive(Debug)]
pub struct TimestampSearch {
    timestamp_ms: i64,
    from: Offset,
    /// Of the segments that may have it, oldest first.
    ranges: Vec<TimestampRange>,
}

/// Whole batches of a segment among which it may be.
#[derive(Debug)]
pub(super) struct TimestampRange {
    pub(super) file: Arc<dyn StorageFile>,
    pub(super) path: PathBuf,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Log {
    /// Looks for the first record whose timestamp is `timestamp_ms` or later, ms since 1970.
    pub fn timestamp_search(&self, timestamp_ms: i64) -> TimestampSearch {
        let from = self.log_start_offset;
        let may_have = self
            .segments
            .iter()
            .filter(|segment| segment.max_timestamp.is_some_and(|(largest, _)| largest >= timestamp_ms));
        let ranges = may_have.map(|segment| segment.timestamp_range(timestamp_ms, from)).collect();
        TimestampSearch { timestamp_ms, from, ranges }
    }

    /// Looks for the first of the records with the largest timestamp (KIP-734).
    pub fn max_timestamp_search(&self) -> TimestampSearch {
        let largest =
            self.segments.iter().filter_map(|segment| segment.max_timestamp).map(|(largest, _)| largest);
        let none = TimestampSearch { timestamp_ms: 0, from: Offset::ZERO, ranges: Vec::new() };
        largest.max().map_or(none, |largest| self.timestamp_search(largest))
    }
}

impl TimestampSearch {
    /// Reads until it is found. May take as long as unpacking a batch.
    pub fn run(&self) -> Result<Option<TimestampedOffset>, StorageError> {
        for range in &self.ranges {
            let found = self.look_into(range)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn look_into(&self, range: &TimestampRange) -> Result<Option<TimestampedOffset>, StorageError> {
        let error = || StorageError::of("read", &range.path);
        let mut walk = Walk::headers(&*range.file, range.start, range.end);
        loop {
            match walk.next_header().map_err(error())? {
                Step::Batch { header, position } if header.max_timestamp >= self.timestamp_ms => {
                    if let Some(found) = self.look_into_batch(range, position, &header)? {
                        return Ok(Some(found));
                    }
                }
                Step::Batch { .. } => {}
                Step::End => return Ok(None),
                Step::Broken { position, error: broken } => return Err(error()(damaged(position, broken))),
            }
        }
    }

    fn look_into_batch(
        &self,
        range: &TimestampRange,
        position: u64,
        header: &BatchHeader,
    ) -> Result<Option<TimestampedOffset>, StorageError> {
        let leader_epoch = header.partition_leader_epoch;
        if header.last_offset() < self.from {
            return Ok(None);
        }
        // Compaction may have taken the batch's first records.
        let is_whole = i64::from(header.records_count) == header.next_offset() - header.base_offset;
        if header.attributes.timestamp_type() == TimestampType::LogAppendTime && is_whole {
            let (timestamp_ms, offset) = (header.max_timestamp, header.base_offset.max(self.from));
            return Ok(Some(TimestampedOffset { timestamp_ms, offset, leader_epoch }));
        }
        let mut bytes = Vec::new();
        range
            .file
            .read_to(&mut bytes, position, header.total_len())
            .map_err(StorageError::of("read", &range.path))?;
        let found = walk(&bytes, header, |record| {
            let offset = header.base_offset + i64::from(record.offset_delta);
            if record.timestamp_ms >= self.timestamp_ms && offset >= self.from {
                let timestamp_ms = record.timestamp_ms;
                ControlFlow::Break(TimestampedOffset { timestamp_ms, offset, leader_epoch })
            } else {
                ControlFlow::Continue(())
            }
        });
        // What can't be read (nothing such is taken in) has no time: it is passed over.
        Ok(found.unwrap_or_default())
    }
}
