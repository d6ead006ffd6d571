//! What can go wrong with a log.

use protocol::records::{BatchError, LeaderEpoch, Offset};
use thiserror::Error;

use super::StorageError;

/// Why a batch was not appended. The log is as it was before.
#[derive(Debug, Error)]
pub enum AppendError {
    /// Larger than `segment.bytes`.
    #[error("a batch of {size} bytes does not fit in a segment of {max}: raise segment.bytes")]
    TooLargeForSegment {
        /// Bytes of the batch.
        size: usize,
        /// `segment.bytes`.
        max: u32,
    },
    /// The write failed (a full disk, a broken one). What had been written of the batch is cut off;
    /// reads go on.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Before the first record or after the end.
    #[error("offset {requested} is outside {start}..={end}")]
    OffsetOutOfRange {
        /// What was asked for.
        requested: Offset,
        /// Log start offset.
        start: Offset,
        /// Log end offset: the one the next record gets.
        end: Offset,
    },
    /// The read failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why nothing was taken of what a leader sent. The log is as it was before.
#[derive(Debug, Error)]
pub enum ReplicationError {
    /// The first batch is not whole and right: it was torn or damaged on its way, or on the
    /// leader's disk.
    #[error("the leader's batch for offset {end} is damaged: {error}")]
    Damaged {
        /// Where it would have been appended.
        end: Offset,
        /// What is wrong with it.
        error: BatchError,
    },
    /// It begins before the end of the log: these offsets are taken. When the log is empty, the
    /// leader's begins inside this batch, and a follower starts over at the batch's first offset.
    /// Or it lies further behind the end than any leader's next batch.
    #[error("the leader's batch at offset {base_offset} does not follow the end of the log, {end}")]
    OutOfPlace {
        /// Where the batch begins.
        base_offset: Offset,
        /// Log end offset.
        end: Offset,
    },
    /// It is of an epoch that ended before the last one here, or that has not begun: the two logs
    /// have diverged.
    #[error(
        "the leader sent a batch of epoch {epoch}, which can't follow epoch {latest} here in epoch {current}"
    )]
    OutOfOrder {
        /// The batch's.
        epoch: LeaderEpoch,
        /// That of the newest records here.
        latest: LeaderEpoch,
        /// The leader's.
        current: LeaderEpoch,
    },
    /// The write failed. What had been written is cut off.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
