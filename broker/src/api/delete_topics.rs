//! `DeleteTopics`: remove topics and all their records.
//!
//! # Behaviour
//! The topic is gone when the answer comes, with what groups had committed in it. Fetches that wait
//! for it are answered.
//!
//! # Versions
//! 6 can name topics by id.

use protocol::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use protocol::{ErrorCode, Uuid};

use super::errors::{ToErrorCode, sentence};
use super::{Context, Incoming, Outcome, RequestError};

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    incoming.answer(|request: DeleteTopicsRequest| {
        let by_name = request.topic_names.into_iter();
        let by_name = by_name.map(|name| DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO });
        let mut responses: Vec<_> =
            by_name.chain(request.topics).map(|topic| delete(context, topic)).collect();
        // A topic of the same name may come, and must not inherit where this one began and how far
        // it was synced.
        if responses.iter().any(|response| response.error_code.is_none())
            && let Err(error) = context.node.checkpoint()
        {
            for response in responses.iter_mut().filter(|response| response.error_code.is_none()) {
                response.error_code = error.code();
                response.error_message = Some(sentence(&error));
            }
        }
        DeleteTopicsResponse { responses, ..Default::default() }
    })
}

fn delete(context: &Context<'_>, asked: DeleteTopicState) -> DeletableTopicResult {
    let topics = &context.node.topics;
    let name = asked.name.or_else(|| topics.get_by_id(asked.topic_id).map(|topic| topic.name.to_string()));
    let Some(name) = name else {
        return DeletableTopicResult {
            topic_id: asked.topic_id,
            error_code: ErrorCode::UNKNOWN_TOPIC_ID,
            error_message: Some(format!("there is no topic with the id {}", asked.topic_id)),
            ..Default::default()
        };
    };
    match topics.delete(&name) {
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
