//! What the cluster has, as this broker knows it: topics, the replicas and the leader of each
//! partition, settings, brokers.
//!
//! The image is what the records of the metadata log come to, applied one after the other. Nothing
//! else changes it. So it is the same on each broker that has read as far, and the same again when
//! the log is read from its start.
//!
//! A topic never changes where somebody can see it: a record that speaks of it puts another in its
//! place. Who asked for it goes on with what he has, and no other topic is copied.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::Uuid;
use protocol::describe_configs::{BROKER, CLIENT_METRICS, GROUP, TOPIC};
use protocol::metadata_log::{ConfigRecord, MetadataRecord, PartitionRecord, RemoveTopicRecord, TopicRecord};
use protocol::records::LeaderEpoch;

use super::TopicConfig;
use super::brokers::Brokers;
use super::names::{in_metrics, is_internal};
use super::resources::{ResourceConfig, ResourceConfigs};

/// More partitions than this in one topic are a mistake: each has open files.
pub(super) const MAX_PARTITIONS: i32 = 10_000;

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    /// By their numbers.
    pub(crate) partitions: Vec<PartitionRegistration>,
}

/// A partition across the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionRegistration {
    /// The brokers that have it, the one that should lead first.
    pub(crate) replicas: Vec<i32>,
    /// Those of them that have all that consumers may read.
    pub(crate) isr: Vec<i32>,
    pub(crate) leader: Option<i32>,
    /// How often the leader has changed.
    pub(crate) leader_epoch: LeaderEpoch,
    /// How often anything of this has changed.
    pub(crate) partition_epoch: i32,
}

impl Topic {
    /// Kept by the brokers for themselves: clients read it, and change nothing in it.
    pub(crate) fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }

    /// How many replicas each partition was made with.
    pub(super) fn replication_factor(&self) -> i32 {
        self.partitions.first().map_or(0, |partition| partition.replicas.len() as i32)
    }

    /// The partition of that number.
    pub(crate) fn partition(&self, number: i32) -> Option<&PartitionRegistration> {
        self.partitions.get(usize::try_from(number).ok()?)
    }
}

impl From<PartitionRecord> for PartitionRegistration {
    fn from(record: PartitionRecord) -> Self {
        let PartitionRecord { replicas, isr, leader, leader_epoch, partition_epoch, .. } = record;
        let leader = (leader >= 0).then_some(leader);
        Self { replicas, isr, leader, leader_epoch: LeaderEpoch(leader_epoch), partition_epoch }
    }
}

/// What the records so far come to. A snapshot says again what is there already, and saying a thing
/// twice changes nothing. What is said of a topic that is not there is passed over: it stands
/// behind half a snapshot, for which there was no room, when a crash came while all before the next
/// whole one was being removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Image {
    topics: BTreeMap<Arc<str>, Arc<Topic>>,
    names: BTreeMap<Uuid, Arc<str>>,
    /// Names as metrics write them.
    in_metrics: BTreeMap<String, Arc<str>>,
    /// What was set for what is no topic.
    resources: ResourceConfigs,
    brokers: Arc<Brokers>,
}

impl Image {
    /// The topic of that name.
    pub(crate) fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    /// The topic with that id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(&id)?)
    }

    /// The topic whose name metrics write in the same way.
    pub(super) fn topic_in_metrics(&self, name: &str) -> Option<&Arc<str>> {
        self.in_metrics.get(&in_metrics(name))
    }

    /// All topics, by name.
    pub(crate) fn topics(&self) -> impl ExactSizeIterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    /// The brokers that have registered.
    pub(crate) fn brokers(&self) -> &Arc<Brokers> {
        &self.brokers
    }

    /// What was set for a resource that is no topic.
    pub(crate) fn resource(&self, of_type: i8, name: &str) -> Option<&ResourceConfig> {
        self.resources.get(&(of_type, name.to_owned()))
    }

    /// The resources that are no topics, and for which anything was set.
    pub(crate) fn resources(&self) -> &ResourceConfigs {
        &self.resources
    }

    /// One more record was read, or has been written.
    pub(super) fn apply(&mut self, record: MetadataRecord) -> Result<(), String> {
        match record {
            MetadataRecord::RegisterBroker(record) => {
                Arc::make_mut(&mut self.brokers).register(record);
                Ok(())
            }
            MetadataRecord::Topic(record) => self.add_topic(&record),
            MetadataRecord::Partition(record) => self.set_partition(record),
            MetadataRecord::Config(record) if record.resource_type == TOPIC => self.configure_topic(&record),
            MetadataRecord::Config(record) => self.configure_resource(record),
            MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id }) => {
                self.remove_topic(topic_id);
                Ok(())
            }
        }
    }

    fn add_topic(&mut self, TopicRecord { name, topic_id: id }: &TopicRecord) -> Result<(), String> {
        match self.topics.get(name.as_str()) {
            Some(known) if known.id == *id => return Ok(()),
            Some(other) => return Err(format!("topic {name} is there already, with the id {}", other.id)),
            None => {}
        }
        if let Some(other) = self.names.get(id) {
            return Err(format!("topic {name} has the id {id} of topic {other}"));
        }
        let name: Arc<str> = name.as_str().into();
        self.names.insert(*id, Arc::clone(&name));
        self.in_metrics.insert(in_metrics(&name), Arc::clone(&name));
        let (id, config, partitions) = (*id, TopicConfig::default(), Vec::new());
        let topic = Topic { name: Arc::clone(&name), id, config, partitions };
        self.topics.insert(name, Arc::new(topic));
        Ok(())
    }

    fn set_partition(&mut self, record: PartitionRecord) -> Result<(), String> {
        let (id, number) = (record.topic_id, record.partition_id);
        if !(0..MAX_PARTITIONS).contains(&number) {
            return Err(format!("there can't be a partition {number}"));
        }
        if let Some(topic) = self.names.get(&id).and_then(|name| self.topics.get_mut(name)) {
            let partitions = &mut Arc::make_mut(topic).partitions;
            let number = number as usize;
            // Behind half a snapshot others may come before those that are missing.
            partitions.resize(partitions.len().max(number + 1), PartitionRegistration::default());
            partitions[number] = record.into();
        }
        Ok(())
    }

    fn configure_topic(&mut self, record: &ConfigRecord) -> Result<(), String> {
        let Some(topic) = self.topics.get_mut(record.resource_name.as_str()) else { return Ok(()) };
        let config = &mut Arc::make_mut(topic).config;
        let Some(value) = &record.value else {
            config.unset(&record.name);
            return Ok(());
        };
        config.restore(&record.name, value).map_err(|error| error.to_string())
    }

    fn configure_resource(&mut self, record: ConfigRecord) -> Result<(), String> {
        let ConfigRecord { resource_type, resource_name, name, value } = record;
        if ![BROKER, CLIENT_METRICS, GROUP].contains(&resource_type) {
            return Err(format!("resources of type {resource_type} have no settings here"));
        }
        let resource = (resource_type, resource_name);
        let config = self.resources.entry(resource.clone()).or_default();
        match value {
            Some(value) => drop(config.insert(name, value)),
            None => drop(config.remove(&name)),
        }
        if config.is_empty() {
            self.resources.remove(&resource);
        }
        Ok(())
    }

    fn remove_topic(&mut self, id: Uuid) {
        if let Some(name) = self.names.remove(&id) {
            self.topics.remove(&name);
            self.in_metrics.remove(&in_metrics(&name));
        }
    }
}
