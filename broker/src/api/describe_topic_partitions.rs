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
use crate::controller::{Topic, TopicError};

/// `max.request.partition.size.limit`.
pub(super) const MAX_PARTITIONS: i32 = 2_000;

pub(super) fn handle(
    context: &Context<'_>,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let topics = &context.node.topics;
    let wants_all = request.topics.is_empty();
    let mut wanted: BTreeMap<String, Option<Arc<Topic>>> = if wants_all {
        topics.all().into_iter().map(|topic| (topic.name.to_string(), Some(topic))).collect()
    } else {
        let names = asked::names(request.topics.into_iter().map(|asked| asked.name));
        names.into_iter().map(|name| (topics.get(&name), name)).map(|(topic, name)| (name, topic)).collect()
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
        let node_id = context.node.config.node_id;
        let partitions: Vec<_> = rest
            .iter()
            .take(room)
            .map(|partition| DescribedPartition {
                partition_index: partition.name.partition,
                leader_id: node_id,
                leader_epoch: partition.lock().leader_epoch().0,
                replica_nodes: vec![node_id],
                isr_nodes: vec![node_id],
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                ..Default::default()
            })
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

fn unknown(context: &Context<'_>, name: String) -> DescribedTopic {
    let error_code = match context.node.topics.check_new_name(&name) {
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
