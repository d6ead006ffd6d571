//! A partition as its leader sees it.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{BatchError, LeaderEpoch, Offset};
use thiserror::Error;

use super::SequenceError;
use crate::log::{
    Appended, Checkpoint, FileRegion, LogConfig, Opening, PendingFlush, ReadError, Recovery, Storage,
    StorageError, Swept, TimestampedOffset,
};

/// Why a producer's records were not taken.
#[derive(Debug, Error)]
pub enum ProduceError {
    /// Not exactly one good batch. `Crc`, `Truncated` and `Length` are `CORRUPT_MESSAGE`, `Magic`
    /// is `UNSUPPORTED_FOR_MESSAGE_FORMAT`, the others are `INVALID_RECORD`.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Larger than `max.message.bytes`: `MESSAGE_TOO_LARGE`.
    #[error("the batch has {size} bytes, the topic takes {max} (max.message.bytes)")]
    TooLarge {
        /// Bytes of the batch.
        size: usize,
        /// What is allowed.
        max: u32,
    },
    /// Larger than a segment: `RECORD_LIST_TOO_LARGE`.
    #[error("the batch has {size} bytes, a segment takes {max} (segment.bytes)")]
    TooLargeForSegment {
        /// Bytes of the batch.
        size: usize,
        /// What is allowed.
        max: u32,
    },
    /// A timestamp too far from the broker's clock: `INVALID_TIMESTAMP`.
    #[error("timestamp {timestamp_ms} is too far from the broker's {now_ms} (message.timestamp.*.max.ms)")]
    Timestamp {
        /// ms since 1970.
        timestamp_ms: i64,
        /// ms since 1970.
        now_ms: i64,
    },
    /// See there.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// `KAFKA_STORAGE_ERROR`.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why records were not deleted.
#[derive(Debug, Error)]
pub enum DeleteRecordsError {
    /// Past the high watermark, or before the log's start by a negative number: `OFFSET_OUT_OF_RANGE`.
    #[error("can't delete up to {requested}: the records end at {high_watermark}")]
    OffsetOutOfRange {
        /// What was asked for.
        requested: Offset,
        /// As far as one may go.
        high_watermark: Offset,
    },
    /// `KAFKA_STORAGE_ERROR`.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// One partition of which this broker is the leader.
#[derive(Debug)]
pub struct Partition {}

impl Partition {
    /// Opens the partition in `dir`, or starts one. `leader_epoch` is written into every batch.
    pub fn open(
        _storage: Arc<dyn Storage>,
        _dir: PathBuf,
        _config: LogConfig,
        _leader_epoch: LeaderEpoch,
        _opening: Opening,
        _now_ms: i64,
    ) -> Result<(Self, Recovery), StorageError> {
        todo!()
    }

    /// Checks and appends what a producer sent for this partition. A batch that an idempotent
    /// producer sent before (one of its last five) is not written again: the answer is the first
    /// one's. `now_ms` counts from 1970.
    pub fn append(&mut self, _records: &[u8], _now_ms: i64) -> Result<Appended, ProduceError> {
        todo!()
    }

    /// The batch that contains `from` and whole ones after it up to the high watermark, at most
    /// `max_bytes` but always at least one batch. Empty when `from` is the end.
    pub fn read(&self, _from: Offset, _max_bytes: usize) -> Result<FileRegion, ReadError> {
        todo!()
    }

    /// First offset there is (what ListOffsets calls earliest, -2).
    pub fn log_start_offset(&self) -> Offset {
        todo!()
    }

    /// Consumers see what lies before this offset (ListOffsets' latest, -1). On one broker it is
    /// the end of the log.
    pub fn high_watermark(&self) -> Offset {
        todo!()
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        todo!()
    }

    /// As given on opening.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        todo!()
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        todo!()
    }

    /// Bytes between `from` and the high watermark, at least; for `min_bytes` of a fetch. Exact
    /// when `from` is among the newest records, never less than the truth otherwise.
    pub fn bytes_after(&self, _from: Offset) -> u64 {
        todo!()
    }

    /// First record whose timestamp is `timestamp_ms` or later.
    pub fn offset_for_timestamp(
        &self,
        _timestamp_ms: i64,
    ) -> Result<Option<TimestampedOffset>, StorageError> {
        todo!()
    }

    /// First of the records with the largest timestamp (ListOffsets' -3).
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimestampedOffset>, StorageError> {
        todo!()
    }

    /// OffsetForLeaderEpoch: the largest epoch not after `epoch` and where it ends; `None` when
    /// nothing is known of it.
    pub fn end_of_epoch(&self, _epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        todo!()
    }

    /// Removes records before `before` (`None`: all, up to the high watermark). Answers the new log
    /// start offset. Have the `LogDir` write a checkpoint afterwards, so that it lasts.
    pub fn delete_records(&mut self, _before: Option<Offset>) -> Result<Offset, DeleteRecordsError> {
        todo!()
    }

    /// The topic's settings changed.
    pub fn set_config(&mut self, _config: LogConfig) {
        todo!()
    }

    /// Does what time brings: rolls segments, applies retention, forgets producers that have been
    /// silent for a day. Cheap when there is nothing to do.
    pub fn tick(&mut self, _now_ms: i64) -> Result<Swept, StorageError> {
        todo!()
    }

    /// When `tick` will next have something to do, ms since 1970. May move with every append.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        todo!()
    }

    /// When `flush.ms` asks for the next flush, ms since 1970.
    pub fn next_flush_ms(&self) -> Option<i64> {
        todo!()
    }

    /// Starts a flush: `run` it without holding the partition, then [`Partition::finish_flush`] it.
    /// `None` when all is synced.
    pub fn begin_flush(&mut self) -> Result<Option<PendingFlush>, StorageError> {
        todo!()
    }

    /// Notes what a flush achieved.
    pub fn finish_flush(&mut self, _flush: PendingFlush) -> Result<(), StorageError> {
        todo!()
    }

    /// All three in one.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        todo!()
    }

    /// Flushes and writes indexes and producer state, so that the next start scans nothing.
    pub fn close(&mut self) -> Result<(), StorageError> {
        todo!()
    }

    /// For `LogDir::checkpoint`.
    pub fn checkpoint(&self) -> Checkpoint {
        todo!()
    }
}
