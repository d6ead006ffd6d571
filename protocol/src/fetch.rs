//! Fetch: read record batches from partitions, and wait for more.

use crate::{ErrorCode, Payload, Uuid};

request!(Fetch: FetchRequest => FetchResponse);

messages! {
    /// Where to read from, how much, and how long to wait for it.
    pub struct FetchRequest {
        [12.., tag 0] cluster_id: Option<String>,
        [..=14] replica_id: i32 = -1,
        max_wait_ms: i32,
        /// Wait until this many bytes are there, or `max_wait_ms` have passed.
        min_bytes: i32,
        max_bytes: i32 = i32::MAX,
        /// 0: everything. 1: only what committed transactions wrote.
        isolation_level: i8,
        [7..] session_id: i32,
        [7..] session_epoch: i32 = -1,
        topics: Vec<FetchTopic>,
        [7..] forgotten_topics: Vec<ForgottenTopic>,
        [11..] rack_id: String,
        [15.., tag 1] replica_state: ReplicaState,
    }

    /// Who fetches, when it is a broker.
    pub struct ReplicaState {
        replica_id: i32 = -1,
        replica_epoch: i64 = -1,
    }

    /// Partitions of one topic.
    pub struct FetchTopic {
        [..=12] topic: String,
        [13..] topic_id: Uuid,
        partitions: Vec<FetchPartition>,
    }

    /// Where to read from in one partition.
    pub struct FetchPartition {
        partition: i32,
        [9..] current_leader_epoch: i32 = -1,
        fetch_offset: i64,
        [12..] last_fetched_epoch: i32 = -1,
        [5..] log_start_offset: i64 = -1,
        partition_max_bytes: i32,
        [17.., tag 0] replica_directory_id: Uuid,
        [18.., tag 1] high_watermark: i64 = i64::MAX,
    }

    /// Partitions that a fetch session should drop.
    pub struct ForgottenTopic {
        [..=12] topic: String,
        [13..] topic_id: Uuid,
        partitions: Vec<i32>,
    }

    /// What was read.
    pub struct FetchResponse {
        throttle_time_ms: i32,
        [7..] error_code: ErrorCode,
        [7..] session_id: i32,
        topics: Vec<FetchableTopic>,
        [16.., tag 0] node_endpoints: Vec<NodeEndpoint>,
    }

    /// What was read from one topic.
    pub struct FetchableTopic {
        [..=12] topic: String,
        [13..] topic_id: Uuid,
        partitions: Vec<FetchedPartition>,
    }

    /// What was read from one partition.
    pub struct FetchedPartition {
        partition: i32,
        error_code: ErrorCode,
        high_watermark: i64,
        last_stable_offset: i64 = -1,
        [5..] log_start_offset: i64 = -1,
        [12.., tag 0] diverging_epoch: EpochEndOffset,
        [12.., tag 1] current_leader: LeaderIdAndEpoch,
        [12.., tag 2] snapshot_id: SnapshotId,
        aborted_transactions: Option<Vec<AbortedTransaction>>,
        [11..] preferred_read_replica: i32 = -1,
        /// Whole batches. Nothing is zero bytes long, never null: to librdkafka null is an error.
        records: Option<Payload>,
    }

    /// A transaction that readers of committed records must skip.
    pub struct AbortedTransaction {
        producer_id: i64,
        first_offset: i64,
    }

    /// Where the follower's log parted from the leader's.
    pub struct EpochEndOffset {
        epoch: i32 = -1,
        end_offset: i64 = -1,
    }

    /// The leader that the client should have asked.
    pub struct LeaderIdAndEpoch {
        leader_id: i32 = -1,
        leader_epoch: i32 = -1,
    }

    /// A snapshot to read instead of records that are gone; only the controllers' log has them.
    pub struct SnapshotId {
        end_offset: i64 = -1,
        epoch: i32 = -1,
    }

    /// How to reach a leader named above.
    pub struct NodeEndpoint {
        node_id: i32,
        host: String,
        port: i32,
        rack: Option<String>,
    }
}
