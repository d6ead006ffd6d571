//! What is decided about topics: whether one may be made, grow or go, and which records say so.

use std::sync::Arc;

use protocol::Uuid;
use protocol::metadata_log::MetadataRecord;
use protocol::records::LeaderEpoch;

use super::TopicConfig;
use super::error::TopicError;
use super::image::{Image, MAX_PARTITIONS, PartitionRegistration, Topic};
use super::names::check_name;
use super::place::Placement;
use super::{elect, records};

/// The epoch of a partition's first leader.
const FIRST_EPOCH: LeaderEpoch = LeaderEpoch(0);

/// The records that make a topic.
pub(crate) fn create(
    image: &Image,
    name: &str,
    id: Uuid,
    placement: &Placement,
    config: TopicConfig,
) -> Result<Vec<MetadataRecord>, TopicError> {
    check_new_name(image, name)?;
    check_partitions(placement.partitions(), 1)?;
    let partitions = place(image, 0, placement)?;
    Ok(records::of_topic(&Topic { name: name.into(), id, config, partitions }).collect())
}

/// The topic of that name, and the records that give it more partitions, `count` in all.
pub(crate) fn grow(
    image: &Image,
    name: &str,
    count: i32,
    assigned: Option<Vec<Vec<i32>>>,
) -> Result<(Arc<Topic>, Vec<MetadataRecord>), TopicError> {
    let topic = changeable(image, name)?;
    let first = topic.partitions.len() as i32;
    check_partitions(count, first + 1)?;
    let partitions = count - first;
    let placement = match assigned {
        Some(replicas) => Placement::Assigned(replicas),
        None => Placement::Spread { partitions, replication_factor: topic.replication_factor() },
    };
    if placement.partitions() != partitions {
        return Err(TopicError::Assignment { brokers: image.brokers().active() });
    }
    let new = place(image, first, &placement)?;
    let records = (first..).zip(&new).map(|(number, new)| records::partition(topic.id, number, new));
    Ok((Arc::clone(&topic), records.collect()))
}

/// The topic of that name, if it could be deleted, and the record that does it.
pub(crate) fn delete(image: &Image, name: &str) -> Result<(Arc<Topic>, MetadataRecord), TopicError> {
    let topic = changeable(image, name)?;
    let record = records::removal(topic.id);
    Ok((topic, record))
}

/// The topic of that name, which is to be there.
pub(crate) fn find(image: &Image, name: &str) -> Result<Arc<Topic>, TopicError> {
    image.topic(name).cloned().ok_or_else(|| TopicError::Unknown { name: name.to_owned() })
}

/// Where a group's offsets are follows from the number of partitions of the topic with them.
fn changeable(image: &Image, name: &str) -> Result<Arc<Topic>, TopicError> {
    let topic = find(image, name)?;
    if topic.is_internal() { Err(TopicError::Internal { name: name.to_owned() }) } else { Ok(topic) }
}

/// New partitions, of which `first` is the first one's number.
fn place(image: &Image, first: i32, placement: &Placement) -> Result<Vec<PartitionRegistration>, TopicError> {
    let brokers = image.brokers();
    let placed = placement.place(first, brokers)?.into_iter().map(|replicas| {
        let isr: Vec<i32> = replicas.iter().copied().filter(|id| brokers.is_active(*id)).collect();
        let leader = elect::leader(&replicas, &isr, brokers);
        PartitionRegistration { replicas, isr, leader, leader_epoch: FIRST_EPOCH, partition_epoch: 0 }
    });
    Ok(placed.collect())
}

/// Whether a topic of that name and size could be made.
pub(crate) fn check_new(image: &Image, name: &str, partitions: i32) -> Result<(), TopicError> {
    check_new_name(image, name)?;
    check_partitions(partitions, 1)
}

/// Whether a topic of that name could be made.
pub(crate) fn check_new_name(image: &Image, name: &str) -> Result<(), TopicError> {
    check_name(name)?;
    if image.topic(name).is_some() {
        return Err(TopicError::AlreadyExists { name: name.to_owned() });
    }
    match image.topic_in_metrics(name) {
        Some(other) => Err(TopicError::Collides { name: name.to_owned(), other: other.to_string() }),
        None => Ok(()),
    }
}

fn check_partitions(count: i32, min: i32) -> Result<(), TopicError> {
    if (min..=MAX_PARTITIONS).contains(&count) {
        Ok(())
    } else {
        Err(TopicError::InvalidPartitions { count, min, max: MAX_PARTITIONS })
    }
}
