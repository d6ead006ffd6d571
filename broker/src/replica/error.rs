//! Why a partition does not take what a producer sends.

use protocol::records::RecordError;
use thiserror::Error;

use super::producer_state::SequenceError;
use crate::log::{AppendError, StorageError};

/// Why a producer's records were not taken.
#[derive(Debug, Error)]
pub enum ProduceError {
    /// Not exactly one good batch of records that can be read: `CORRUPT_MESSAGE`, `INVALID_RECORD`,
    /// and where Kafka has no name for it `UNKNOWN_SERVER_ERROR`.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The offsets in it don't count up from 0: `INVALID_RECORD`.
    #[error("record {index} of the batch has offset delta {offset_delta}: they count from 0")]
    OffsetDelta {
        /// Position in the batch, from 0.
        index: i32,
        /// As the record has it.
        offset_delta: i32,
    },
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
    /// Timestamps that the topic does not take: `INVALID_TIMESTAMP`.
    #[error("{count} of the batch's records are refused: {}", first_of(refused))]
    Timestamps {
        /// Which, the first hundred of them. Not empty.
        refused: Vec<RefusedRecord>,
        /// How many.
        count: usize,
    },
    /// Records without keys, for a topic that is compacted: `INVALID_RECORD`.
    #[error("{count} of the batch's records are refused: {}", first_of(refused))]
    NoKeys {
        /// Which, the first hundred of them. Not empty.
        refused: Vec<RefusedRecord>,
        /// How many.
        count: usize,
    },
    /// To validate it is more work than the budget has left. It is not refused: it is to be done
    /// where it holds up nothing else.
    #[error("the batch takes longer to validate than others can wait for")]
    OverBudget,
    /// See there.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// `KAFKA_STORAGE_ERROR`.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn first_of(refused: &[RefusedRecord]) -> String {
    let name = |record: &RefusedRecord| format!("record {}: {}", record.index, record.message);
    refused.first().map(name).unwrap_or_default()
}

impl From<AppendError> for ProduceError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::TooLargeForSegment { size, max } => Self::TooLargeForSegment { size, max },
            AppendError::Storage(error) => Self::Storage(error),
        }
    }
}

/// One of the records for which a batch is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Position in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub message: String,
}
