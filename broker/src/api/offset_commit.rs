//! `OffsetCommit`: remember how far a group has come.
//!
//! # Behaviour
//! A member commits under its generation, and is refused once the group has moved on. A consumer
//! that assigns itself partitions commits without a generation (-1), which works as long as the
//! group has no members. What is answered without error survives `kill -9`. Partitions that don't
//! exist are refused one by one.
//!
//! # Versions
//! Up to 4 a commit could say how long to keep it; that is the broker's setting now. 6 adds the
//! leader epoch, 7 static members.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::offset_commit::{
    OffsetCommitPartitionResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetCommitTopicResponse,
};
use protocol::records::{LeaderEpoch, Offset};

use super::Context;
use super::errors::{ToErrorCode, code_of};
use crate::coordinator::{CommitRequest, CommittedOffset, Generation};
use crate::log::TopicPartition;

pub(super) fn handle(context: &Context<'_>, request: OffsetCommitRequest) -> OffsetCommitResponse {
    // First everything is answered as unknown; then come the answers for what is not.
    let mut answers = Vec::new();
    let mut offsets = Vec::new();
    let mut places = Vec::new();
    for asked in request.topics {
        let topic = context.node.topics.get(&asked.name);
        let mut partitions = Vec::new();
        for (index, partition) in asked.partitions.into_iter().enumerate() {
            if let Some(topic) =
                topic.as_ref().filter(|topic| topic.partition(partition.partition_index).is_some())
            {
                let committed = CommittedOffset {
                    offset: Offset(partition.committed_offset),
                    leader_epoch: (partition.committed_leader_epoch >= 0)
                        .then_some(LeaderEpoch(partition.committed_leader_epoch)),
                    metadata: partition.committed_metadata.unwrap_or_default(),
                    commit_timestamp_ms: context.now_ms,
                };
                offsets.push((
                    TopicPartition::new(Arc::clone(&topic.name), partition.partition_index),
                    committed,
                ));
                places.push((answers.len(), index));
            }
            partitions.push(OffsetCommitPartitionResponse {
                partition_index: partition.partition_index,
                error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            });
        }
        answers.push(OffsetCommitTopicResponse { name: asked.name, partitions });
    }
    let commit = CommitRequest {
        group_id: request.group_id,
        generation: Generation(request.generation_id),
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
        offsets,
    };
    let codes = match context.node.groups().commit(context.now_ms, commit) {
        Ok(results) => results.iter().map(code_of).collect(),
        Err(error) => vec![error.code(); places.len()],
    };
    for ((topic, partition), code) in places.into_iter().zip(codes) {
        answers[topic].partitions[partition].error_code = code;
    }
    OffsetCommitResponse { topics: answers, ..Default::default() }
}
