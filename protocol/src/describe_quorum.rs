//! `DescribeQuorum`: who votes on the metadata, and how far each has come.

use crate::{ErrorCode, Uuid};

request!(DescribeQuorum: DescribeQuorumRequest => DescribeQuorumResponse);

messages! {
    /// Of which log; there is one.
    pub struct DescribeQuorumRequest {
        topics: Vec<DescribeQuorumTopic>,
    }

    /// The topic of a log.
    pub struct DescribeQuorumTopic {
        topic_name: String,
        partitions: Vec<DescribeQuorumPartition>,
    }

    /// Its partition.
    pub struct DescribeQuorumPartition {
        partition_index: i32,
    }

    /// The quorum, and where its members listen.
    pub struct DescribeQuorumResponse {
        error_code: ErrorCode,
        [2.., null 2..] error_message: Option<String>,
        topics: Vec<QuorumTopic>,
        [2..] nodes: Vec<QuorumNode>,
    }

    /// The quorums of a topic.
    pub struct QuorumTopic {
        topic_name: String,
        partitions: Vec<QuorumPartition>,
    }

    /// One quorum.
    pub struct QuorumPartition {
        partition_index: i32,
        error_code: ErrorCode,
        [2.., null 2..] error_message: Option<String>,
        leader_id: i32,
        leader_epoch: i32,
        high_watermark: i64,
        current_voters: Vec<ReplicaState>,
        observers: Vec<ReplicaState>,
    }

    /// How far a replica has come.
    pub struct ReplicaState {
        replica_id: i32,
        [2..] replica_directory_id: Uuid,
        log_end_offset: i64,
        [1..] last_fetch_timestamp: i64 = -1,
        [1..] last_caught_up_timestamp: i64 = -1,
    }

    /// A member.
    pub struct QuorumNode {
        [2..] node_id: i32,
        [2..] listeners: Vec<QuorumListener>,
    }

    /// Where it listens.
    pub struct QuorumListener {
        [2..] name: String,
        [2..] host: String,
        [2..] port: u16,
    }
}
