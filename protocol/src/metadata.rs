//! Metadata: which brokers there are, and who leads which partition.

use crate::{ErrorCode, Uuid};

request!(Metadata: MetadataRequest => MetadataResponse);

messages! {
    /// The topics of interest.
    pub struct MetadataRequest {
        /// Null asks for all topics, an empty list for none; version 0 knows no null and means all
        /// by empty.
        [0.., null 1..] topics: Option<Vec<MetadataRequestTopic>>,
        [4..] allow_auto_topic_creation: bool = true,
        [8..=10] include_cluster_authorized_operations: bool,
        [8..] include_topic_authorized_operations: bool,
    }

    /// A topic by name, or since version 10 by id with a null name.
    pub struct MetadataRequestTopic {
        [10..] topic_id: Uuid,
        [0.., null 10..] name: Option<String>,
    }

    /// Brokers and topics.
    pub struct MetadataResponse {
        [3..] throttle_time_ms: i32,
        brokers: Vec<MetadataBroker>,
        [2..] cluster_id: Option<String>,
        [1..] controller_id: i32 = -1,
        topics: Vec<MetadataTopic>,
        [8..=10] cluster_authorized_operations: i32 = i32::MIN,
        [13..] error_code: ErrorCode,
    }

    /// How to reach a broker.
    pub struct MetadataBroker {
        node_id: i32,
        host: String,
        port: i32,
        [1..] rack: Option<String>,
    }

    /// A topic.
    pub struct MetadataTopic {
        error_code: ErrorCode,
        [0.., null 12..] name: Option<String>,
        [10..] topic_id: Uuid,
        [1..] is_internal: bool,
        partitions: Vec<MetadataPartition>,
        [8..] topic_authorized_operations: i32 = i32::MIN,
    }

    /// A partition and its replicas.
    pub struct MetadataPartition {
        error_code: ErrorCode,
        partition_index: i32,
        leader_id: i32,
        [7..] leader_epoch: i32 = -1,
        replica_nodes: Vec<i32>,
        isr_nodes: Vec<i32>,
        [5..] offline_replicas: Vec<i32>,
    }
}
