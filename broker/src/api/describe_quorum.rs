//! `DescribeQuorum`: who votes on the metadata, and how far each has come.
//!
//! # Behaviour
//! One voter, this broker, which has all there is of the metadata log. It listens for no other
//! controller, so it has no address among the nodes. Like Kafka it knows of no other log, and
//! refuses a request that names more than this one.
//!
//! # Versions
//! 1 tells when a replica last fetched and had everything: now. 2 adds where nodes listen.

use protocol::ErrorCode;
use protocol::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, QuorumNode, QuorumPartition, QuorumTopic, ReplicaState,
};

use super::{Context, asked};
use crate::controller::{METADATA_TOPIC, MetadataLeader};

pub(super) fn handle(context: &Context<'_>, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let named = asked::partitions(request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| partition.partition_index);
        (topic.topic_name, partitions.collect())
    }));
    let is_ours =
        named.len() == 1 && named.get(METADATA_TOPIC).is_some_and(|numbers| numbers.iter().eq([&0]));
    let quorum = |partition_index| {
        if is_ours {
            describe(context)
        } else {
            let error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            QuorumPartition { partition_index, error_code, ..Default::default() }
        }
    };
    let topics = named.into_iter().map(|(topic_name, numbers)| QuorumTopic {
        topic_name,
        partitions: numbers.into_iter().map(quorum).collect(),
    });
    let node = QuorumNode { node_id: context.node.config.node_id, listeners: Vec::new() };
    DescribeQuorumResponse {
        error_message: Some(String::new()),
        topics: topics.collect(),
        nodes: if is_ours { vec![node] } else { Vec::new() },
        ..Default::default()
    }
}

fn describe(context: &Context<'_>) -> QuorumPartition {
    let MetadataLeader { leader_id, leader_epoch, high_watermark } = context.node.metadata.leader();
    let voter = ReplicaState {
        replica_id: leader_id,
        log_end_offset: high_watermark.0,
        last_fetch_timestamp: context.now_ms,
        last_caught_up_timestamp: context.now_ms,
        ..Default::default()
    };
    QuorumPartition {
        error_message: Some(String::new()),
        leader_id,
        leader_epoch: leader_epoch.0,
        high_watermark: high_watermark.0,
        current_voters: vec![voter],
        ..Default::default()
    }
}
