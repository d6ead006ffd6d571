//! `DescribeTopicPartitions`: topics by pages of partitions (KIP-966).
//!
//! # Behaviour
//! Topics come by their names, each once. A page has as many partitions as the client takes, but
//! at least one and at most 2,000, and says where the next one begins. Who names topics must begin
//! with one of them; who asks for all may begin anywhere, also at a topic that is gone since. No
//! topic is made by being asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribedPartition,
    DescribedTopic,
};

use super::errors::ToErrorCode;
use super::{Context, asked, operations};
use crate::controller::{Brokers, PartitionRegistration, Topic, TopicError, topics};

/// `max.request.partition.size.limit`.
pub(super) const MAX_PARTITIONS: i32 = 2_000;

pub(super) fn handle(
    context: &Context<'_>,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let metadata = &context.node.metadata;
    let wants_all = request.topics.is_empty();
    let mut wanted: BTreeMap<String, Option<Arc<Topic>>> = if wants_all {
        metadata.topics().into_iter().map(|topic| (topic.name.to_string(), Some(topic))).collect()
    } else {
        let names = asked::names(request.topics.into_iter().map(|asked| asked.name));
        names
            .into_iter()
            .map(|name| (metadata.topic(&name), name))
            .map(|(topic, name)| (name, topic))
            .collect()
    };
    if let Some(Cursor { topic_name, partition_index }) = &request.cursor {
        let mut rest = wanted.split_off(topic_name);
        if *partition_index < 0 || !wants_all && !rest.contains_key(topic_name) {
            wanted.append(&mut rest);
            return refuse(if wants_all { Vec::new() } else { wanted.into_keys().collect() });
        }
        wanted = rest;
    }
    page(context, wanted, request.response_partition_limit, request.cursor.as_ref())
}

/// What is said of each topic when the page can't begin where it should.
fn refuse(names: Vec<String>) -> DescribeTopicPartitionsResponse {
    let topics = names.into_iter().map(|name| DescribedTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(name),
        ..Default::default()
    });
    DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
}

fn page(
    context: &Context<'_>,
    wanted: BTreeMap<String, Option<Arc<Topic>>>,
    limit: i32,
    cursor: Option<&Cursor>,
) -> DescribeTopicPartitionsResponse {
    let brokers = context.node.metadata.brokers();
    let mut response = DescribeTopicPartitionsResponse::default();
    let mut room = limit.clamp(1, MAX_PARTITIONS) as usize;
    for (name, topic) in wanted {
        let next = |partition_index| Some(Cursor { topic_name: name.clone(), partition_index });
        if room == 0 {
            response.next_cursor = next(0);
            break;
        }
        let Some(topic) = topic else {
            response.topics.push(unknown(context, name));
            continue;
        };
        let first =
            cursor.filter(|cursor| cursor.topic_name == name).map_or(0, |cursor| cursor.partition_index);
        let rest = topic.partitions.get(first as usize..).unwrap_or_default();
        let partitions: Vec<_> = (first..)
            .zip(rest)
            .take(room)
            .map(|(number, partition)| describe(&brokers, number, partition))
            .collect();
        room -= partitions.len();
        if partitions.len() < rest.len() {
            response.next_cursor = next(first + partitions.len() as i32);
        }
        response.topics.push(DescribedTopic {
            name: Some(name.clone()),
            topic_id: topic.id,
            is_internal: topic.is_internal(),
            partitions,
            topic_authorized_operations: operations::TOPIC,
            ..Default::default()
        });
        if response.next_cursor.is_some() {
            break;
        }
    }
    response
}

fn describe(
    brokers: &Brokers,
    partition_index: i32,
    partition: &PartitionRegistration,
) -> DescribedPartition {
    let PartitionRegistration { replicas, isr, leader, leader_epoch, .. } = partition;
    let leader = leader.filter(|leader| brokers.is_active(*leader));
    DescribedPartition {
        error_code: leader.map_or(ErrorCode::LEADER_NOT_AVAILABLE, |_| ErrorCode::NONE),
        partition_index,
        leader_id: leader.unwrap_or(-1),
        leader_epoch: leader_epoch.0,
        replica_nodes: replicas.clone(),
        isr_nodes: isr.clone(),
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        offline_replicas: replicas.iter().copied().filter(|id| !brokers.is_active(*id)).collect(),
    }
}

fn unknown(context: &Context<'_>, name: String) -> DescribedTopic {
    let error_code = match topics::check_new_name(&context.node.metadata.image(), &name) {
        Err(TopicError::InvalidName { .. }) => ErrorCode::INVALID_TOPIC_EXCEPTION,
        _ => TopicError::Unknown { name: String::new() }.code(),
    };
    DescribedTopic {
        error_code,
        name: Some(name),
        topic_authorized_operations: operations::TOPIC,
        ..Default::default()
    }
}
