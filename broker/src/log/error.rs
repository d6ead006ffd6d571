//! What can go wrong with a log.

use protocol::records::Offset;
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
