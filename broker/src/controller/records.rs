//! What the records of the metadata log say, and which of them say a whole image.

use std::collections::BTreeMap;

use protocol::Uuid;
use protocol::describe_configs::TOPIC;
use protocol::metadata_log::{ConfigRecord, MetadataRecord, PartitionRecord, RemoveTopicRecord, TopicRecord};

use super::TopicConfig;
use super::brokers::BrokerRegistration;
use super::image::{Image, PartitionRegistration, Topic};
use super::resources::ResourceConfig;

/// An image, said from the start.
pub(super) fn of_image(image: &Image) -> impl Iterator<Item = MetadataRecord> {
    let of_resources = image.resources().iter().flat_map(|((of_type, resource), config)| {
        config.iter().map(|(name, value)| setting(*of_type, resource, name, Some(value)))
    });
    let brokers = image.brokers().iter().map(BrokerRegistration::record);
    brokers.chain(image.topics().flat_map(|topic| of_topic(topic))).chain(of_resources)
}

/// A topic, said from the start.
pub(super) fn of_topic(topic: &Topic) -> impl Iterator<Item = MetadataRecord> {
    let settings = topic.config.iter().map(|(name, value)| setting(TOPIC, &topic.name, name, Some(value)));
    let partitions = (0..).zip(&topic.partitions);
    let partitions = partitions.map(|(number, registration)| partition(topic.id, number, registration));
    [self::topic(&topic.name, topic.id)].into_iter().chain(settings).chain(partitions)
}

/// There is a topic.
fn topic(name: &str, topic_id: Uuid) -> MetadataRecord {
    MetadataRecord::Topic(TopicRecord { name: name.to_owned(), topic_id })
}

/// A partition is like this.
pub(super) fn partition(topic_id: Uuid, number: i32, partition: &PartitionRegistration) -> MetadataRecord {
    MetadataRecord::Partition(PartitionRecord {
        partition_id: number,
        topic_id,
        replicas: partition.replicas.clone(),
        isr: partition.isr.clone(),
        leader: partition.leader.unwrap_or(-1),
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch,
        ..PartitionRecord::default()
    })
}

/// One value is set, or returns to the default.
fn setting(resource_type: i8, resource: &str, name: &str, value: Option<&str>) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type,
        resource_name: resource.to_owned(),
        name: name.to_owned(),
        value: value.map(str::to_owned),
    })
}

/// From these settings of a topic to those.
pub(crate) fn alteration(topic: &str, old: &TopicConfig, new: &TopicConfig) -> Vec<MetadataRecord> {
    difference((TOPIC, topic), &old.iter().collect(), &new.iter().collect())
}

/// From these settings of what is no topic to those.
pub(crate) fn resource_alteration(
    resource_type: i8,
    resource: &str,
    old: &ResourceConfig,
    new: &ResourceConfig,
) -> Vec<MetadataRecord> {
    fn values(config: &ResourceConfig) -> BTreeMap<&str, &str> {
        config.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
    difference((resource_type, resource), &values(old), &values(new))
}

fn difference(
    (resource_type, resource): (i8, &str),
    old: &BTreeMap<&str, &str>,
    new: &BTreeMap<&str, &str>,
) -> Vec<MetadataRecord> {
    let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name, None));
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(*value));
    let set = set.map(|(name, value)| (name, Some(*value)));
    gone.chain(set).map(|(name, value)| setting(resource_type, resource, name, value)).collect()
}

/// A topic is gone.
pub(super) fn removal(topic_id: Uuid) -> MetadataRecord {
    MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id })
}
