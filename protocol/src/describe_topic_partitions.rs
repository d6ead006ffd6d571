//! `DescribeTopicPartitions`: topics by pages of partitions (KIP-966).

use crate::{ErrorCode, Uuid};

request!(DescribeTopicPartitions: DescribeTopicPartitionsRequest => DescribeTopicPartitionsResponse);

messages! {
    /// Which topics, none at all for all of them, from where on, and how many partitions at most.
    pub struct DescribeTopicPartitionsRequest {
        topics: Vec<DescribeTopicPartitionsTopic>,
        response_partition_limit: i32 = 2_000,
        cursor: Option<Cursor>,
    }

    /// One topic.
    pub struct DescribeTopicPartitionsTopic {
        name: String,
    }

    /// Where a page begins.
    pub struct Cursor {
        topic_name: String,
        partition_index: i32,
    }

    /// A page, and where the next one begins if there is one.
    pub struct DescribeTopicPartitionsResponse {
        throttle_time_ms: i32,
        topics: Vec<DescribedTopic>,
        next_cursor: Option<Cursor>,
    }

    /// A topic, or the part of it that is on this page.
    pub struct DescribedTopic {
        error_code: ErrorCode,
        name: Option<String>,
        topic_id: Uuid,
        is_internal: bool,
        partitions: Vec<DescribedPartition>,
        topic_authorized_operations: i32 = i32::MIN,
    }

    /// One partition: who leads it, who has it, and who could lead it without loss.
    pub struct DescribedPartition {
        error_code: ErrorCode,
        partition_index: i32,
        leader_id: i32,
        leader_epoch: i32 = -1,
        replica_nodes: Vec<i32>,
        isr_nodes: Vec<i32>,
        eligible_leader_replicas: Option<Vec<i32>>,
        last_known_elr: Option<Vec<i32>>,
        offline_replicas: Vec<i32>,
    }
}

nullable_struct!(Cursor);
