//! `OffsetDelete`: forget committed offsets of a group.
//!
//! # Behaviour
//! Refused for topics that a member of the group is subscribed to. Forgetting what was never
//! committed succeeds.
//!
//! # Versions
//! There is one.

use protocol::ErrorCode;
use protocol::offset_delete::{
    OffsetDeletePartitionResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteTopicResponse,
};

use super::Context;
use super::errors::{ToErrorCode, code_of};
use crate::log::TopicPartition;

pub(super) fn handle(context: &Context<'_>, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let partitions: Vec<_> = request
        .topics
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|p| TopicPartition::new(topic.name.as_str(), p.partition_index))
        })
        .collect();
    let result = context.node.groups().delete_offsets(context.now_ms, &request.group_id, &partitions);
    let results = match result {
        Ok(results) => results,
        Err(error) => return OffsetDeleteResponse { error_code: error.code(), ..Default::default() },
    };
    let mut codes = results.iter().map(code_of);
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| OffsetDeletePartitionResponse {
            partition_index: partition.partition_index,
            error_code: codes.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR),
        });
        OffsetDeleteTopicResponse { partitions: partitions.collect(), name: topic.name }
    });
    OffsetDeleteResponse { topics: topics.collect(), ..Default::default() }
}
