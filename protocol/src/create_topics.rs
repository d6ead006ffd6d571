//! `CreateTopics`: make topics.

use crate::{ErrorCode, Uuid};

request!(CreateTopics: CreateTopicsRequest => CreateTopicsResponse);

messages! {
    /// The topics to make.
    pub struct CreateTopicsRequest {
        topics: Vec<CreatableTopic>,
        timeout_ms: i32 = 60_000,
        [1..] validate_only: bool,
    }

    /// One topic. -1 partitions or replicas ask for the broker's default.
    pub struct CreatableTopic {
        name: String,
        num_partitions: i32,
        replication_factor: i16,
        assignments: Vec<CreatableReplicaAssignment>,
        configs: Vec<CreatableTopicConfig>,
    }

    /// Where the replicas of a partition go, for those who want to say it themselves.
    pub struct CreatableReplicaAssignment {
        partition_index: i32,
        broker_ids: Vec<i32>,
    }

    /// A setting that differs from its default.
    pub struct CreatableTopicConfig {
        name: String,
        value: Option<String>,
    }

    /// What became of them.
    pub struct CreateTopicsResponse {
        [2..] throttle_time_ms: i32,
        topics: Vec<CreatableTopicResult>,
    }

    /// What became of one topic.
    pub struct CreatableTopicResult {
        name: String,
        [7..] topic_id: Uuid,
        error_code: ErrorCode,
        [1..] error_message: Option<String>,
        [5.., tag 0] topic_config_error_code: ErrorCode,
        [5..] num_partitions: i32 = -1,
        [5..] replication_factor: i16 = -1,
        [5..] configs: Option<Vec<CreatableTopicConfigs>> = Some(Vec::new()),
    }

    /// A setting of the new topic.
    pub struct CreatableTopicConfigs {
        name: String,
        value: Option<String>,
        read_only: bool,
        /// Must be a source that the client knows, see
        /// [`describe_configs`](crate::describe_configs).
        config_source: i8 = -1,
        is_sensitive: bool,
    }
}
