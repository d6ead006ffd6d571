//! `ElectLeaders`: make the preferred replicas lead, or any that lives.

use crate::ErrorCode;

request!(ElectLeaders: ElectLeadersRequest => ElectLeadersResponse);

/// The replica that was assigned first.
pub const PREFERRED: i8 = 0;
/// A live replica, even if it lacks records.
pub const UNCLEAN: i8 = 1;

messages! {
    /// Of which partitions; null asks for all.
    pub struct ElectLeadersRequest {
        [1..] election_type: i8,
        topic_partitions: Option<Vec<ElectLeadersTopic>>,
        timeout_ms: i32 = 60_000,
    }

    /// Some partitions of a topic.
    pub struct ElectLeadersTopic {
        topic: String,
        partitions: Vec<i32>,
    }

    /// How the elections ended.
    pub struct ElectLeadersResponse {
        throttle_time_ms: i32,
        [1..] error_code: ErrorCode,
        replica_election_results: Vec<ReplicaElectionResult>,
    }

    /// Those of one topic.
    pub struct ReplicaElectionResult {
        topic: String,
        partition_result: Vec<PartitionResult>,
    }

    /// That of one partition.
    pub struct PartitionResult {
        partition_id: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
    }
}
