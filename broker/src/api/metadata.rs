//! Metadata: which brokers there are, and who leads which partition.
//!
//! # Behaviour
//! Tells each client the address it has already reached us by, so that a client that could ask can
//! also produce. A leader that can't be reached is none, and its partition says so. Asking for a
//! topic that does not exist makes it, if client and broker both allow that, and the answer already
//! has its leaders: a first produce needs no second try.
//!
//! # Versions
//! 0 asks for all topics by an empty list, later ones by null. Until 3 a client can't refuse
//! auto-creation. 8 can ask what the client may do; since 11 `DescribeCluster` tells that of the
//! cluster. 10 can ask by topic id, which works from 12 on, where the name in the answer may
//! be null.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::metadata::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataTopic,
};
use protocol::{ErrorCode, Uuid};

use super::errors::ToErrorCode;
use super::{Context, Incoming, Outcome, RequestError, operations, reachable};
use crate::controller::{Brokers, PartitionRegistration, Topic, TopicConfig, TopicError, topics};
use crate::coordinator::OFFSETS_TOPIC;
use crate::node::random_uuid;

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    let version = incoming.version;
    incoming.answer(|request: MetadataRequest| {
        let brokers = context.node.metadata.brokers();
        // As in Kafka a topic is told once, however often it is named.
        let mut seen = BTreeSet::new();
        let mut topics: Vec<_> = match request.topics {
            Some(asked) if version > 0 || !asked.is_empty() => asked
                .into_iter()
                .filter(|asked| seen.insert((asked.topic_id, asked.name.clone())))
                .map(|asked| {
                    describe_asked(context, &brokers, asked, request.allow_auto_topic_creation, version)
                })
                .collect(),
            _ => context.node.metadata.topics().iter().map(|topic| describe(&brokers, topic)).collect(),
        };
        if request.include_topic_authorized_operations {
            // Of an id that is unknown it is not known to be a topic's.
            for topic in topics.iter_mut().filter(|topic| topic.error_code != ErrorCode::UNKNOWN_TOPIC_ID) {
                topic.topic_authorized_operations = operations::TOPIC;
            }
        }
        let active = brokers.iter().filter(|broker| !broker.fenced);
        let active = active.filter_map(|broker| {
            let (host, port) = reachable::address(context, broker)?;
            Some(MetadataBroker { node_id: broker.id, host, port, rack: None })
        });
        MetadataResponse {
            brokers: active.collect(),
            cluster_id: Some(context.node.cluster_id.clone()),
            controller_id: context.node.metadata.controller_id(),
            topics,
            cluster_authorized_operations: operations::if_asked(
                request.include_cluster_authorized_operations,
                operations::CLUSTER,
            ),
            ..Default::default()
        }
    })
}

fn describe_asked(
    context: &Context<'_>,
    brokers: &Brokers,
    asked: MetadataRequestTopic,
    allow_creation: bool,
    version: i16,
) -> MetadataTopic {
    // A client that names an id leaves the name null or, as Kafka's own client, empty.
    let Some(name) = asked.name.filter(|_| asked.topic_id == Uuid::ZERO) else {
        let unknown = || MetadataTopic {
            error_code: ErrorCode::UNKNOWN_TOPIC_ID,
            name: (version < 12).then(String::new),
            topic_id: asked.topic_id,
            ..Default::default()
        };
        let topic = context.node.metadata.topic_by_id(asked.topic_id);
        return topic.map_or_else(unknown, |topic| describe(brokers, &topic));
    };
    match find_or_create(context, &name, allow_creation) {
        Ok(topic) => describe(brokers, &topic),
        Err(error) => MetadataTopic {
            error_code: error.code(),
            name: Some(name),
            topic_id: Uuid::ZERO,
            ..Default::default()
        },
    }
}

fn find_or_create(context: &Context<'_>, name: &str, allow_creation: bool) -> Result<Arc<Topic>, TopicError> {
    let (node, config) = (context.node, &context.node.config);
    if let Some(topic) = node.metadata.topic(name) {
        return Ok(topic);
    }
    topics::check_new(&node.metadata.image(), name, config.num_partitions)?;
    if !(allow_creation && config.auto_create_topics) {
        return Err(TopicError::Unknown { name: name.to_owned() });
    }
    let created = if name == OFFSETS_TOPIC {
        node.offsets_topic(context.random, context.now_ms)
    } else {
        let id = || random_uuid(context.random);
        node.get_or_create_topic(name, id, config.num_partitions, TopicConfig::default)
    };
    created.inspect_err(|error| tracing::error!(topic = name, "could not be created: {error}"))
}

fn describe(brokers: &Brokers, topic: &Topic) -> MetadataTopic {
    let partitions = (0..).zip(&topic.partitions).map(|(number, partition)| {
        let PartitionRegistration { replicas, isr, leader, leader_epoch, .. } = partition;
        let leader = leader.filter(|leader| brokers.is_active(*leader));
        MetadataPartition {
            error_code: leader.map_or(ErrorCode::LEADER_NOT_AVAILABLE, |_| ErrorCode::NONE),
            partition_index: number,
            leader_id: leader.unwrap_or(-1),
            leader_epoch: leader_epoch.0,
            replica_nodes: replicas.clone(),
            isr_nodes: isr.clone(),
            offline_replicas: replicas.iter().copied().filter(|id| !brokers.is_active(*id)).collect(),
        }
    });
    MetadataTopic {
        name: Some(topic.name.to_string()),
        topic_id: topic.id,
        is_internal: topic.is_internal(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
