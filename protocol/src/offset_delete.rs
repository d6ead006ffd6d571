//! `OffsetDelete`: forget committed offsets of a group.

use crate::ErrorCode;

request!(OffsetDelete: OffsetDeleteRequest => OffsetDeleteResponse);

messages! {
    /// Which offsets of which group.
    pub struct OffsetDeleteRequest {
        group_id: String,
        topics: Vec<OffsetDeleteTopic>,
    }

    /// Partitions of one topic.
    pub struct OffsetDeleteTopic {
        name: String,
        partitions: Vec<OffsetDeletePartition>,
    }

    /// One partition.
    pub struct OffsetDeletePartition {
        partition_index: i32,
    }

    /// What became of them.
    pub struct OffsetDeleteResponse {
        error_code: ErrorCode,
        throttle_time_ms: i32,
        topics: Vec<OffsetDeleteTopicResponse>,
    }

    /// What became of one topic's.
    pub struct OffsetDeleteTopicResponse {
        name: String,
        partitions: Vec<OffsetDeletePartitionResponse>,
    }

    /// What became of one.
    pub struct OffsetDeletePartitionResponse {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
