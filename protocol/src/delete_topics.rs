//! `DeleteTopics`: remove topics and all their records.

use crate::{ErrorCode, Uuid};

request!(DeleteTopics: DeleteTopicsRequest => DeleteTopicsResponse);

messages! {
    /// Topics by name until version 5, by name or id since version 6.
    pub struct DeleteTopicsRequest {
        [6..] topics: Vec<DeleteTopicState>,
        [..=5] topic_names: Vec<String>,
        timeout_ms: i32,
    }

    /// One topic, by name or by id with a null name.
    pub struct DeleteTopicState {
        name: Option<String>,
        topic_id: Uuid,
    }

    /// What became of them.
    pub struct DeleteTopicsResponse {
        [1..] throttle_time_ms: i32,
        responses: Vec<DeletableTopicResult>,
    }

    /// What became of one topic.
    pub struct DeletableTopicResult {
        [0.., null 6..] name: Option<String>,
        [6..] topic_id: Uuid,
        error_code: ErrorCode,
        [5..] error_message: Option<String>,
    }
}
