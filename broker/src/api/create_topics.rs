//! `CreateTopics`: make topics.
//!
//! # Behaviour
//! Each topic has its own answer, which is given when the topic can be used: there is nothing to
//! wait for, so `timeout_ms` changes nothing. -1 partitions or replicas ask for the default. One
//! broker has one replica of everything; a request for more is refused, as it would be by a Kafka
//! of one broker. As in Kafka a name that is taken is told before anything else: programs that make
//! what they miss go on when it is there.
//!
//! # Versions
//! 1 can check without making. 5 answers with the settings of the new topic, each with a source
//! that clients know: Kafka's own tools fail on one that they don't. 7 adds the topic id.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use super::Context;
use super::configs::{self, Refusal};
use super::errors::ToErrorCode;
use crate::controller::{TopicConfig, TopicError};
use crate::coordinator::OFFSETS_TOPIC;
use crate::node::random_uuid;

pub(super) fn handle(context: &Context<'_>, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<String> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(&topic.name))
        .map(|topic| topic.name.clone())
        .collect();
    let topics = request.topics.into_iter().map(|asked| {
        let result = if twice.contains(&asked.name) {
            Err(Refusal::new(
                ErrorCode::INVALID_REQUEST,
                format!("topic {} is named twice in the request", asked.name),
            ))
        } else {
            create(context, &asked, request.validate_only)
        };
        result.unwrap_or_else(|Refusal { code, message }| CreatableTopicResult {
            name: asked.name,
            error_code: code,
            error_message: Some(message),
            ..Default::default()
        })
    });
    CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
}

impl From<TopicError> for Refusal {
    fn from(error: TopicError) -> Self {
        Self::new(error.code(), error)
    }
}

fn create(
    context: &Context<'_>,
    asked: &CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refusal> {
    let topics = &context.node.topics;
    topics.check_new_name(&asked.name)?;
    if asked.name == OFFSETS_TOPIC {
        let message = format!("{OFFSETS_TOPIC} is made by the broker, when the first group asks for it");
        return Err(Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message));
    }
    let mut config = TopicConfig::default();
    for entry in &asked.configs {
        let Some(value) = &entry.value else {
            let message = format!("{} is to be set to nothing: give it a value", entry.name);
            return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
        };
        config.set(&entry.name, value)?;
    }
    configs::check_together(context, &config)?;
    let partitions = partitions(context, asked)?;
    topics.check_new(&asked.name, partitions)?;
    let mut result = CreatableTopicResult {
        name: asked.name.clone(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: Some(describe(context, &config)),
        ..Default::default()
    };
    if !validate_only {
        let id = random_uuid(context.random);
        result.topic_id = topics.create(&asked.name, id, partitions, config)?.id;
    }
    Ok(result)
}

/// How many partitions, whether the client gave a number or placed each of them itself.
fn partitions(context: &Context<'_>, asked: &CreatableTopic) -> Result<i32, Refusal> {
    let node_id = context.node.config.node_id;
    if asked.assignments.is_empty() {
        if !matches!(asked.replication_factor, -1 | 1) {
            let message =
                format!("{} replicas of each partition: there is one broker", asked.replication_factor);
            return Err(Refusal::new(ErrorCode::INVALID_REPLICATION_FACTOR, message));
        }
        return Ok(if asked.num_partitions == -1 {
            context.node.config.num_partitions
        } else {
            asked.num_partitions
        });
    }
    if asked.num_partitions != -1 || asked.replication_factor != -1 {
        let message = "partitions are both counted and assigned: give -1 for both numbers";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    let placed: BTreeSet<i32> =
        asked.assignments.iter().map(|assignment| assignment.partition_index).collect();
    let count = asked.assignments.len() as i32;
    let is_here = asked.assignments.iter().all(|assignment| assignment.broker_ids == [node_id]);
    if is_here && placed.into_iter().eq(0..count) {
        Ok(count)
    } else {
        let message = format!("partitions must be numbered from 0 and each be on broker {node_id} alone");
        Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message))
    }
}

fn describe(context: &Context<'_>, config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    let entries = configs::of_topic(&context.node.topics.defaults(), config).into_iter();
    entries
        .map(|entry| CreatableTopicConfigs {
            name: entry.name,
            value: entry.value,
            read_only: false,
            config_source: entry.config_source,
            is_sensitive: false,
        })
        .collect()
}
