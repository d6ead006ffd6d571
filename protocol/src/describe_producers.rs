//! `DescribeProducers`: idempotent producers that have written to partitions.

use crate::ErrorCode;

request!(DescribeProducers: DescribeProducersRequest => DescribeProducersResponse);

messages! {
    /// Of which partitions.
    pub struct DescribeProducersRequest {
        topics: Vec<DescribeProducersTopic>,
    }

    /// Some partitions of a topic.
    pub struct DescribeProducersTopic {
        name: String,
        partition_indexes: Vec<i32>,
    }

    /// The producers of each partition.
    pub struct DescribeProducersResponse {
        throttle_time_ms: i32,
        topics: Vec<DescribedTopic>,
    }

    /// Those of a topic.
    pub struct DescribedTopic {
        name: String,
        partitions: Vec<DescribedPartition>,
    }

    /// Those of a partition.
    pub struct DescribedPartition {
        partition_index: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        active_producers: Vec<DescribedProducer>,
    }

    /// One producer, and the last batch that it wrote.
    pub struct DescribedProducer {
        producer_id: i64,
        producer_epoch: i32,
        last_sequence: i32 = -1,
        last_timestamp: i64 = -1,
        coordinator_epoch: i32,
        current_txn_start_offset: i64 = -1,
    }
}
