//! `OffsetForLeaderEpoch`: where a leader's records end, so that others can tell whether theirs are
//! the same.

use crate::ErrorCode;

request!(OffsetForLeaderEpoch: OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse);

messages! {
    /// Partitions and epochs.
    pub struct OffsetForLeaderEpochRequest {
        [3..] replica_id: i32 = -2,
        topics: Vec<OffsetForLeaderTopic>,
    }

    /// Partitions of one topic.
    pub struct OffsetForLeaderTopic {
        topic: String,
        partitions: Vec<OffsetForLeaderPartition>,
    }

    /// A partition and an epoch.
    pub struct OffsetForLeaderPartition {
        partition: i32,
        current_leader_epoch: i32 = -1,
        leader_epoch: i32,
    }

    /// Where they ended.
    pub struct OffsetForLeaderEpochResponse {
        throttle_time_ms: i32,
        topics: Vec<OffsetForLeaderTopicResult>,
    }

    /// Where they ended in one topic.
    pub struct OffsetForLeaderTopicResult {
        topic: String,
        partitions: Vec<EpochEndOffset>,
    }

    /// The largest epoch not above the one asked for, and the offset after its last record.
    pub struct EpochEndOffset {
        error_code: ErrorCode,
        partition: i32,
        leader_epoch: i32 = -1,
        end_offset: i64 = -1,
    }
}
