//! `CreatePartitions`: give topics more partitions.

use crate::ErrorCode;

request!(CreatePartitions: CreatePartitionsRequest => CreatePartitionsResponse);

messages! {
    /// The topics to grow.
    pub struct CreatePartitionsRequest {
        topics: Vec<CreatePartitionsTopic>,
        timeout_ms: i32,
        validate_only: bool,
    }

    /// One topic, and how many partitions it should have in all.
    pub struct CreatePartitionsTopic {
        name: String,
        count: i32,
        assignments: Option<Vec<CreatePartitionsAssignment>>,
    }

    /// Where the replicas of a new partition go.
    pub struct CreatePartitionsAssignment {
        broker_ids: Vec<i32>,
    }

    /// What became of them.
    pub struct CreatePartitionsResponse {
        throttle_time_ms: i32,
        results: Vec<CreatePartitionsTopicResult>,
    }

    /// What became of one topic.
    pub struct CreatePartitionsTopicResult {
        name: String,
        error_code: ErrorCode,
        error_message: Option<String>,
    }
}
