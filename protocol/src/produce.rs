//! Produce: append record batches to partitions.

use crate::ErrorCode;
use bytes::Bytes;

request!(Produce: ProduceRequest => ProduceResponse);

messages! {
    /// Record batches for some partitions.
    pub struct ProduceRequest {
        [3..] transactional_id: Option<String>,
        /// 0: don't answer. 1: the leader has it. -1: every replica in sync has it.
        acks: i16,
        timeout_ms: i32,
        topics: Vec<TopicData>,
    }

    /// Record batches for partitions of one topic.
    pub struct TopicData {
        name: String,
        partitions: Vec<PartitionData>,
    }

    /// One record batch for one partition.
    pub struct PartitionData {
        index: i32,
        records: Option<Bytes>,
    }

    /// What became of each batch.
    pub struct ProduceResponse {
        topics: Vec<TopicResponse>,
        [1..] throttle_time_ms: i32,
        [10.., tag 0] node_endpoints: Vec<NodeEndpoint>,
    }

    /// What became of the batches for one topic.
    pub struct TopicResponse {
        name: String,
        partitions: Vec<PartitionResponse>,
    }

    /// What became of one batch.
    pub struct PartitionResponse {
        index: i32,
        error_code: ErrorCode,
        base_offset: i64,
        /// -1 when the records kept the timestamps of their producer.
        [2..] log_append_time_ms: i64 = -1,
        [5..] log_start_offset: i64 = -1,
        [8..] record_errors: Vec<RecordError>,
        [8..] error_message: Option<String>,
        [10.., tag 0] current_leader: LeaderIdAndEpoch,
    }

    /// Which record of a refused batch was at fault.
    pub struct RecordError {
        batch_index: i32,
        message: Option<String>,
    }

    /// The leader that the client should have asked.
    pub struct LeaderIdAndEpoch {
        leader_id: i32 = -1,
        leader_epoch: i32 = -1,
    }

    /// How to reach a leader named above.
    pub struct NodeEndpoint {
        node_id: i32,
        host: String,
        port: i32,
        rack: Option<String>,
    }
}
