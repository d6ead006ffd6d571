//! `CreateTopics`: make topics.
//!
//! # Behaviour
//! Each topic has its own answer, which is given when the topic can be used: there is nothing to
//! wait for, so `timeout_ms` changes nothing. -1 partitions or replicas ask for the default. More
//! replicas than there are brokers are refused. As in Kafka a name that is taken is told before
//! anything else: programs that make what they miss go on when it is there.
//!
//! # Versions
//! 1 can check without making. 5 answers with the settings of the new topic, each with a source
//! that clients know: Kafka's own tools fail on one that they don't. 7 adds the topic id.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ErrorCode;
use protocol::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use super::Context;
use super::configs::{self, Refusal};
use super::errors::ToErrorCode;
use crate::controller::{Placement, TopicConfig, TopicError, topics};
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
    let metadata = &context.node.metadata;
    topics::check_new_name(&metadata.image(), &asked.name)?;
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
    let placement = placement(context, asked)?;
    let mut result = CreatableTopicResult {
        name: asked.name.clone(),
        num_partitions: placement.partitions(),
        replication_factor: placement.replication_factor() as i16,
        configs: Some(describe(context, &config)),
        ..Default::default()
    };
    let id = random_uuid(context.random);
    if validate_only {
        topics::create(&metadata.image(), &asked.name, id, &placement, config)?;
    } else {
        result.topic_id = context.node.create_topic(&asked.name, id, &placement, config)?.id;
    }
    Ok(result)
}

/// How many partitions and where, whether the client gave numbers or placed each of them itself.
fn placement(context: &Context<'_>, asked: &CreatableTopic) -> Result<Placement, Refusal> {
    let (count, factor) = (asked.num_partitions, asked.replication_factor);
    if asked.assignments.is_empty() {
        return Ok(Placement::Spread {
            partitions: if count == -1 { context.node.config.num_partitions } else { count },
            replication_factor: if factor == -1 { 1 } else { i32::from(factor) },
        });
    }
    if count != -1 || factor != -1 {
        let message = "partitions are both counted and assigned: give -1 for both numbers";
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    let assignments = asked.assignments.iter();
    let assigned: BTreeMap<i32, &Vec<i32>> =
        assignments.map(|assignment| (assignment.partition_index, &assignment.broker_ids)).collect();
    if assigned.keys().copied().eq(0..asked.assignments.len() as i32) {
        Ok(Placement::Assigned(assigned.into_values().cloned().collect()))
    } else {
        let message = "partitions must be numbered from 0, each once";
        Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message))
    }
}

fn describe(context: &Context<'_>, config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    let entries = configs::of_topic(&context.node.metadata.defaults(), config).into_iter();
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
