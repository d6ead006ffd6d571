//! `OffsetCommit`: remember how far a group has come.

use crate::ErrorCode;

request!(OffsetCommit: OffsetCommitRequest => OffsetCommitResponse);

messages! {
    /// Offsets to remember, and as whom.
    pub struct OffsetCommitRequest {
        group_id: String,
        /// -1 for a consumer that uses the group only to store offsets.
        generation_id: i32 = -1,
        member_id: String,
        [7..] group_instance_id: Option<String>,
        [..=4] retention_time_ms: i64 = -1,
        topics: Vec<OffsetCommitTopic>,
    }

    /// Offsets in one topic.
    pub struct OffsetCommitTopic {
        name: String,
        partitions: Vec<OffsetCommitPartition>,
    }

    /// The offset of the next record to read, with a note for the consumer that reads it back.
    pub struct OffsetCommitPartition {
        partition_index: i32,
        committed_offset: i64,
        [6..] committed_leader_epoch: i32 = -1,
        committed_metadata: Option<String>,
    }

    /// What was remembered.
    pub struct OffsetCommitResponse {
        [3..] throttle_time_ms: i32,
        topics: Vec<OffsetCommitTopicResponse>,
    }

    /// What was remembered in one topic.
    pub struct OffsetCommitTopicResponse {
        name: String,
        partitions: Vec<OffsetCommitPartitionResponse>,
    }

    /// Whether one offset was remembered.
    pub struct OffsetCommitPartitionResponse {
        partition_index: i32,
        error_code: ErrorCode,
    }
}
