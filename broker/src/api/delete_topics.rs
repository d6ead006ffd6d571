//! `DeleteTopics`: remove topics and all their records.
//!
//! # Behaviour
//! The topic is gone when the answer comes, with what groups had committed in it. Fetches that wait
//! for it are answered. As in Kafka a topic that is named twice gets one answer, a refusal.
//!
//! # Versions
//! 6 can name topics by id.

use std::collections::BTreeMap;

use protocol::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use protocol::{ErrorCode, Uuid};

use super::Context;
use super::errors::{ToErrorCode, sentence};

pub(super) fn handle(context: &Context<'_>, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = request.topic_names.into_iter();
    let by_name = by_name.map(|name| DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO });
    let asked: Vec<_> = by_name.chain(request.topics).collect();
    let mut mentions: BTreeMap<_, usize> = BTreeMap::new();
    for DeleteTopicState { name, topic_id } in &asked {
        *mentions.entry((name.clone(), *topic_id)).or_default() += 1;
    }
    let responses = asked.into_iter().filter_map(|topic| {
        match mentions.remove(&(topic.name.clone(), topic.topic_id))? {
            1 => Some(delete(context, topic)),
            _ => Some(DeletableTopicResult {
                error_code: ErrorCode::INVALID_REQUEST,
                error_message: Some("the topic is named twice in the request".into()),
                name: topic.name,
                topic_id: topic.topic_id,
            }),
        }
    });
    DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }
}

fn delete(context: &Context<'_>, asked: DeleteTopicState) -> DeletableTopicResult {
    let node = context.node;
    let name =
        asked.name.or_else(|| node.metadata.topic_by_id(asked.topic_id).map(|topic| topic.name.to_string()));
    let Some(name) = name else {
        return DeletableTopicResult {
            topic_id: asked.topic_id,
            error_code: ErrorCode::UNKNOWN_TOPIC_ID,
            error_message: Some(format!("there is no topic with the id {}", asked.topic_id)),
            ..Default::default()
        };
    };
    match node.delete_topic(&name) {
        Ok(topic) => {
            if let Err(error) = context.node.groups().delete_topic_offsets(context.now_ms, &name) {
                tracing::error!(topic = name, "offsets committed in the deleted topic remain: {error}");
            }
            DeletableTopicResult { name: Some(name), topic_id: topic.id, ..Default::default() }
        }
        Err(error) => DeletableTopicResult {
            name: Some(name),
            topic_id: asked.topic_id,
            error_code: error.code(),
            error_message: Some(sentence(&error)),
        },
    }
}
