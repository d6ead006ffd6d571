//! Each of our errors as the number that says it on the wire: the one place where that is decided.

use std::fmt::Display;

use protocol::ErrorCode;
use protocol::records::{BatchError, RecordError};

use crate::controller::{InvalidConfig, TopicError};
use crate::coordinator::GroupError;
use crate::log::{ReadError, StorageError};
use crate::replica::{DeleteRecordsError, ProduceError, SequenceError};

/// An error that has a number on the wire.
pub(super) trait ToErrorCode {
    fn code(&self) -> ErrorCode;
}

/// The longest sentence that goes with an error, in bytes.
const MAX_SENTENCE_LEN: usize = 1000;

/// The sentence that goes with an error. Names and values in it may come from a client, and a
/// string of an older version has a length of 16 bits, so a long one is cut.
pub(super) fn sentence(error: impl Display) -> String {
    let mut sentence = error.to_string();
    if sentence.len() > MAX_SENTENCE_LEN {
        sentence.truncate(sentence.floor_char_boundary(MAX_SENTENCE_LEN));
        sentence.push('…');
    }
    sentence
}

/// The number of a result: success has one too.
pub(super) fn code_of<T, E: ToErrorCode>(result: &Result<T, E>) -> ErrorCode {
    result.as_ref().err().map_or(ErrorCode::NONE, ToErrorCode::code)
}

impl ToErrorCode for StorageError {
    fn code(&self) -> ErrorCode {
        ErrorCode::KAFKA_STORAGE_ERROR
    }
}

impl ToErrorCode for ProduceError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Records(error) => error.code(),
            Self::OffsetDelta { .. } | Self::NoKeys { .. } => ErrorCode::INVALID_RECORD,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::TooLargeForSegment { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
            Self::Timestamps { .. } => ErrorCode::INVALID_TIMESTAMP,
            Self::Sequence(SequenceError::OutOfOrder { .. }) => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            Self::Sequence(SequenceError::Fenced { .. }) => ErrorCode::INVALID_PRODUCER_EPOCH,
            Self::Storage(error) => error.code(),
            // Handled elsewhere; no client is told.
            Self::OverBudget => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

/// As an Apache Kafka 4.3 answers, even where its answer is that it stumbled: what is no number of
/// a codec, or does not decompress, is an unknown error there. Clients give up on that at once,
/// where they would send a `CORRUPT_MESSAGE` again and again.
impl ToErrorCode for BatchError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Compression { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
            Self::Magic { magic: 0 | 1 }
            | Self::Truncated { .. }
            | Self::Count { .. }
            | Self::Sequence { .. }
            | Self::BaseOffset { .. }
            | Self::Control
            | Self::NotOneBatch { .. }
            | Self::Empty => ErrorCode::INVALID_RECORD,
            Self::Crc { .. } | Self::Length { .. } | Self::Magic { .. } => ErrorCode::CORRUPT_MESSAGE,
        }
    }
}

impl ToErrorCode for RecordError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Batch(error) => error.code(),
            Self::Decompress { .. } | Self::EndlessLength { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::Compressed { .. } | Self::Malformed { .. } | Self::More { .. } => ErrorCode::INVALID_RECORD,
        }
    }
}

impl ToErrorCode for ReadError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Storage(error) => error.code(),
        }
    }
}

impl ToErrorCode for DeleteRecordsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Storage(error) => error.code(),
        }
    }
}

impl ToErrorCode for GroupError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidGroupId => ErrorCode::INVALID_GROUP_ID,
            Self::UnknownMemberId => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::MemberIdRequired { .. } => ErrorCode::MEMBER_ID_REQUIRED,
            Self::FencedInstanceId => ErrorCode::FENCED_INSTANCE_ID,
            Self::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            Self::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::InconsistentGroupProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            Self::InvalidSessionTimeout { .. } => ErrorCode::INVALID_SESSION_TIMEOUT,
            Self::GroupMaxSizeReached => ErrorCode::GROUP_MAX_SIZE_REACHED,
            Self::GroupIdNotFound => ErrorCode::GROUP_ID_NOT_FOUND,
            Self::NonEmptyGroup => ErrorCode::NON_EMPTY_GROUP,
            Self::GroupSubscribedToTopic => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
            Self::OffsetMetadataTooLarge { .. } => ErrorCode::OFFSET_METADATA_TOO_LARGE,
            Self::Storage(_) => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        }
    }
}

impl ToErrorCode for TopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists { .. } => ErrorCode::TOPIC_ALREADY_EXISTS,
            Self::Unknown { .. } => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::InvalidName { .. } | Self::Internal { .. } | Self::Collides { .. } => {
                ErrorCode::INVALID_TOPIC_EXCEPTION
            }
            Self::InvalidPartitions { .. } => ErrorCode::INVALID_PARTITIONS,
            Self::ReplicationFactor { .. } => ErrorCode::INVALID_REPLICATION_FACTOR,
            Self::Assignment { .. } => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            Self::Storage(error) => error.code(),
        }
    }
}

impl ToErrorCode for InvalidConfig {
    fn code(&self) -> ErrorCode {
        ErrorCode::INVALID_CONFIG
    }
}
