//! `ListOffsets`: the offset of a partition's first record at or after a time, or of its ends.

use crate::ErrorCode;

request!(ListOffsets: ListOffsetsRequest => ListOffsetsResponse);

/// Ask with this timestamp for the offset that the next record will get.
pub const LATEST: i64 = -1;
/// Ask with this timestamp for the offset of the first record there is.
pub const EARLIEST: i64 = -2;
/// Ask with this timestamp for the record with the highest timestamp (KIP-734).
pub const MAX_TIMESTAMP: i64 = -3;
/// Ask with this timestamp for the first record on this broker's own disk (KIP-405).
pub const EARLIEST_LOCAL: i64 = -4;
/// Ask with this timestamp for the last record in tiered storage (KIP-1005).
pub const LATEST_TIERED: i64 = -5;
/// Ask with this timestamp for the first record that tiered storage still lacks (KIP-1023).
pub const EARLIEST_PENDING_UPLOAD: i64 = -6;

messages! {
    /// Partitions and times.
    pub struct ListOffsetsRequest {
        replica_id: i32 = -1,
        [2..] isolation_level: i8,
        topics: Vec<ListOffsetsTopic>,
        [10..] timeout_ms: i32,
    }

    /// Partitions of one topic.
    pub struct ListOffsetsTopic {
        name: String,
        partitions: Vec<ListOffsetsPartition>,
    }

    /// A partition and a time in milliseconds since 1970, or one of the constants above.
    pub struct ListOffsetsPartition {
        partition_index: i32,
        [4..] current_leader_epoch: i32 = -1,
        timestamp: i64,
    }

    /// Offsets.
    pub struct ListOffsetsResponse {
        [2..] throttle_time_ms: i32,
        topics: Vec<ListOffsetsTopicResponse>,
    }

    /// Offsets in partitions of one topic.
    pub struct ListOffsetsTopicResponse {
        name: String,
        partitions: Vec<ListOffsetsPartitionResponse>,
    }

    /// The offset found, and that record's timestamp; both -1 when there is none.
    pub struct ListOffsetsPartitionResponse {
        partition_index: i32,
        error_code: ErrorCode,
        timestamp: i64 = -1,
        offset: i64 = -1,
        [4..] leader_epoch: i32 = -1,
    }
}
