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

use std::collections::HashMap;
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
    let mut offsets: Vec<(TopicPartition, CommittedOffset)> = Vec::new();
    let mut places = Vec::new();
    let mut numbers = HashMap::new();
    for asked in request.topics {
        let topic = context.node.metadata.topic(&asked.name);
        let mut partitions = Vec::new();
        for (index, partition) in asked.partitions.into_iter().enumerate() {
            let asked = partition.partition_index;
            if let Some(topic) = topic.as_ref().filter(|topic| topic.partition(asked).is_some()) {
                let committed = CommittedOffset {
                    offset: Offset(partition.committed_offset),
                    leader_epoch: (partition.committed_leader_epoch >= 0)
                        .then_some(LeaderEpoch(partition.committed_leader_epoch)),
                    metadata: partition.committed_metadata.unwrap_or_default(),
                    commit_timestamp_ms: context.now_ms,
                };
                // However often a request names a partition, the last is what stays.
                let number = *numbers.entry((topic.id, asked)).or_insert(offsets.len());
                if let Some((_, earlier)) = offsets.get_mut(number) {
                    *earlier = committed;
                } else {
                    let name = Arc::clone(&topic.name);
                    offsets.push((TopicPartition::new(name, partition.partition_index), committed));
                }
                places.push((answers.len(), index, number));
            }
            partitions.push(OffsetCommitPartitionResponse {
                partition_index: partition.partition_index,
                error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            });
        }
        answers.push(OffsetCommitTopicResponse { name: asked.name, partitions });
    }
    // A client that has asked for the coordinator finds it made.
    if let Err(error) = context.node.offsets_topic(context.random, context.now_ms) {
        tracing::error!("no group can commit: {error}");
    }
    let commit = CommitRequest {
        group_id: request.group_id,
        generation: Generation(request.generation_id),
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
        offsets,
    };
    let committed = context.node.groups().commit(context.now_ms, commit);
    for (topic, partition, number) in places {
        answers[topic].partitions[partition].error_code = match &committed {
            Ok(results) => code_of(&results[number]),
            Err(error) => error.code(),
        };
    }
    OffsetCommitResponse { topics: answers, ..Default::default() }
}
