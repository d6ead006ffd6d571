//! `OffsetFetch`: how far a group has come.

use crate::ErrorCode;

request!(OffsetFetch: OffsetFetchRequest => OffsetFetchResponse);

messages! {
    /// One group until version 7, several since version 8.
    pub struct OffsetFetchRequest {
        [..=7] group_id: String,
        /// Null asks for every partition the group has committed.
        [..=7, null 2..] topics: Option<Vec<OffsetFetchTopic>> = Some(Vec::new()),
        [8..] groups: Vec<OffsetFetchGroup>,
        /// Refuse while a transaction that commits these offsets has not ended.
        [7..] require_stable: bool,
    }

    /// One group.
    pub struct OffsetFetchGroup {
        group_id: String,
        [9..] member_id: Option<String>,
        [9..] member_epoch: i32 = -1,
        topics: Option<Vec<OffsetFetchTopic>>,
    }

    /// Partitions of one topic.
    pub struct OffsetFetchTopic {
        name: String,
        partition_indexes: Vec<i32>,
    }

    /// Committed offsets.
    pub struct OffsetFetchResponse {
        [3..] throttle_time_ms: i32,
        [..=7] topics: Vec<OffsetFetchTopicResponse>,
        [2..=7] error_code: ErrorCode,
        [8..] groups: Vec<OffsetFetchGroupResponse>,
    }

    /// Committed offsets of one group.
    pub struct OffsetFetchGroupResponse {
        group_id: String,
        topics: Vec<OffsetFetchTopicResponse>,
        error_code: ErrorCode,
    }

    /// Committed offsets in one topic.
    pub struct OffsetFetchTopicResponse {
        name: String,
        partitions: Vec<OffsetFetchPartitionResponse>,
    }

    /// The committed offset, or -1 when there is none.
    pub struct OffsetFetchPartitionResponse {
        partition_index: i32,
        committed_offset: i64 = -1,
        [5..] committed_leader_epoch: i32 = -1,
        metadata: Option<String>,
        error_code: ErrorCode,
    }
}
