//! `ListPartitionReassignments`: partitions that are on their way to other brokers.

use crate::ErrorCode;

request!(ListPartitionReassignments: ListPartitionReassignmentsRequest => ListPartitionReassignmentsResponse);

messages! {
    /// Of which topics; null asks for all.
    pub struct ListPartitionReassignmentsRequest {
        timeout_ms: i32 = 60_000,
        topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    }

    /// Some partitions of a topic.
    pub struct ListPartitionReassignmentsTopics {
        name: String,
        partition_indexes: Vec<i32>,
    }

    /// Those that move.
    pub struct ListPartitionReassignmentsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        topics: Vec<OngoingTopicReassignment>,
    }

    /// The partitions of a topic that move.
    pub struct OngoingTopicReassignment {
        name: String,
        partitions: Vec<OngoingPartitionReassignment>,
    }

    /// From where to where one of them moves.
    pub struct OngoingPartitionReassignment {
        partition_index: i32,
        replicas: Vec<i32>,
        adding_replicas: Vec<i32>,
        removing_replicas: Vec<i32>,
    }
}
