//! Committed offsets, kept in a log.

use protocol::records::{LeaderEpoch, Offset};

/// The topic they are kept in. Its one partition belongs to the coordinator: no one else opens it.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// How far a group has come in one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record it wants.
    pub offset: Offset,
    /// Leader epoch of the last record it read, if it said so.
    pub leader_epoch: Option<LeaderEpoch>,
    /// Whatever the consumer wants to find again.
    pub metadata: String,
    /// When, ms since 1970.
    pub commit_timestamp_ms: i64,
}

/// Committed offsets of all groups.
#[derive(Debug)]
pub struct OffsetStore {}
