//! The registry of topics.

mod checkpoint;
mod create;
mod open;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use protocol::Uuid;
use protocol::records::{LeaderEpoch, Offset};
use thiserror::Error;

use super::TopicConfig;
use super::metadata_log::{
    self, LEADER_EPOCH, MAX_PARTITIONS, METADATA_TOPIC, MetadataLog, MetadataLogError,
};
use super::resources::{Defaults, ResourceConfigs};
use super::topics_file::TopicEntry;
use crate::coordinator::OFFSETS_TOPIC;
use crate::log::{LogDir, Reserve, Storage, StorageError};
use crate::replica::PartitionHandle;

/// A topic. It never changes: a change puts another in its place, which shares its partitions.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    pub(crate) partitions: Vec<Arc<PartitionHandle>>,
}

impl Topic {
    /// What is remembered of it.
    pub(super) fn entry(&self) -> TopicEntry {
        TopicEntry {
            name: self.name.to_string(),
            id: self.id,
            partitions: self.partitions.len() as i32,
            config: self.config.clone(),
        }
    }

    /// Partitions are numbered from 0 without gaps, and are the topic's own.
    fn assert_consistent(&self) {
        for (number, partition) in (0..).zip(&self.partitions) {
            assert!(
                partition.name.topic == self.name && partition.name.partition == number,
                "partition {number} of {} is {}",
                self.name,
                partition.name
            );
        }
    }

    /// Kept by the broker for itself: clients read it, and change nothing in it.
    pub(crate) fn is_internal(&self) -> bool {
        *self.name == *OFFSETS_TOPIC
    }

    /// Where a group's offsets are follows from the number of partitions.
    fn check_changeable(&self) -> Result<(), TopicError> {
        if self.is_internal() { Err(TopicError::Internal { name: self.name.to_string() }) } else { Ok(()) }
    }

    /// The partition of that number.
    pub(crate) fn partition(&self, number: i32) -> Option<&Arc<PartitionHandle>> {
        self.partitions.get(usize::try_from(number).ok()?)
    }
}

/// Why topics were not changed.
#[derive(Debug, Error)]
pub(crate) enum TopicError {
    #[error("topic {name} already exists")]
    AlreadyExists { name: String },
    #[error("there is no topic {name}")]
    Unknown { name: String },
    #[error("{name} is the broker's own: it is read, and neither deleted nor given more partitions")]
    Internal { name: String },
    #[error("{name:?} can't be the name of a topic: {reason}")]
    InvalidName { name: String, reason: &'static str },
    /// Metrics of Kafka write `.` as `_`, so it keeps such names apart.
    #[error("topic {name:?} can't stand beside {other:?}: '.' and '_' in names are taken for the same")]
    Collides { name: String, other: String },
    #[error("{count} partitions: between {min} and {max} are possible")]
    InvalidPartitions { count: i32, min: i32, max: i32 },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Log(#[from] MetadataLogError),
}

/// The topics, and how to find them.
#[derive(Debug, Default)]
pub(super) struct Registry {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: BTreeMap<Uuid, Arc<Topic>>,
    /// Names as metrics write them.
    in_metrics: BTreeMap<String, Arc<str>>,
    /// What was set for what is no topic.
    pub(super) resources: ResourceConfigs,
    pub(super) defaults: Arc<Defaults>,
}

impl Registry {
    fn insert(&mut self, topic: Arc<Topic>) {
        self.by_id.insert(topic.id, Arc::clone(&topic));
        self.in_metrics.insert(in_metrics(&topic.name), Arc::clone(&topic.name));
        self.by_name.insert(Arc::clone(&topic.name), topic);
    }

    fn remove(&mut self, topic: &Topic) {
        self.by_id.remove(&topic.id);
        self.by_name.remove(&topic.name);
        self.in_metrics.remove(&in_metrics(&topic.name));
    }
}

/// All topics, shared by all connections.
#[derive(Debug)]
pub(crate) struct Topics {
    storage: Arc<dyn Storage>,
    log_dir: LogDir,
    /// For the changes that make room.
    pub(super) reserve: Reserve,
    pub(super) node_id: i32,
    registry: RwLock<Registry>,
    /// Held while topics change, so that changes come one after the other and reads go on.
    changes: Mutex<MetadataLog>,
    /// Held while a checkpoint is written, so that an older one never replaces a newer.
    checkpointing: Mutex<()>,
    /// The checkpoints speak of topics that are gone.
    checkpoint_is_stale: AtomicBool,
}

impl Topics {
    /// The topic of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.read().by_name.get(name).cloned()
    }

    /// The topic with that id.
    pub(crate) fn get_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.read().by_id.get(&id).cloned()
    }

    /// All topics, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.read().by_name.values().cloned().collect()
    }

    /// Where the log of topics ends, and in which epoch of its leader.
    pub(crate) fn metadata_end(&self) -> (LeaderEpoch, Offset) {
        (LEADER_EPOCH, self.changes().end())
    }

    /// What holds for topics that set nothing themselves.
    pub(crate) fn defaults(&self) -> Arc<Defaults> {
        Arc::clone(&self.read().defaults)
    }

    /// Whether a topic could be made, without making it.
    pub(crate) fn check_new(&self, name: &str, partitions: i32) -> Result<(), TopicError> {
        self.check_new_name(name)?;
        check_partitions(partitions, 1)
    }

    /// Whether a topic of that name could be made.
    pub(crate) fn check_new_name(&self, name: &str) -> Result<(), TopicError> {
        check_name(name)?;
        if self.get(name).is_some() {
            return Err(TopicError::AlreadyExists { name: name.to_owned() });
        }
        if let Some(other) = self.read().in_metrics.get(&in_metrics(name)) {
            return Err(TopicError::Collides { name: name.to_owned(), other: other.to_string() });
        }
        Ok(())
    }

    /// Removes a topic and its records. Fetches that wait for it are answered.
    pub(crate) fn delete(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        let mut log = self.changes();
        let topic = self.get(name).ok_or_else(|| TopicError::Unknown { name: name.to_owned() })?;
        topic.check_changeable()?;
        self.reserve.spend(|| log.write(&[metadata_log::removal(topic.id)]))?;
        self.write().remove(&topic);
        self.checkpoint_is_stale.store(true, Ordering::Release);
        for partition in &topic.partitions {
            partition.mark_deleted();
            self.log_dir.remove(&partition.name)?;
        }
        // Some of what has become free is set aside again.
        self.keep_reserve();
        Ok(topic)
    }

    /// Replaces what is set for a topic; its logs go by it at once.
    pub(crate) fn configure(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        let mut log = self.changes();
        let topic = self.get(name).ok_or_else(|| TopicError::Unknown { name: name.to_owned() })?;
        let log_config = self.defaults().log_config(config);
        // A shorter retention makes room.
        let records = metadata_log::alteration(name, &topic.config, config);
        self.reserve.spend(|| log.write(&records))?;
        self.replace(&Arc::new(Topic { config: config.clone(), ..Topic::clone(&topic) }));
        for partition in &topic.partitions {
            partition.lock().set_config(log_config.clone());
        }
        Ok(())
    }

    fn replace(&self, topic: &Arc<Topic>) {
        topic.assert_consistent();
        let mut registry = self.write();
        if let Some(old) = registry.by_name.get(&topic.name) {
            assert_eq!(old.id, topic.id, "topic {} keeps its id as long as it lives", topic.name);
            assert!(
                old.partitions.len() <= topic.partitions.len(),
                "topic {} would lose partitions: {} of {}",
                topic.name,
                topic.partitions.len(),
                old.partitions.len()
            );
        }
        registry.insert(Arc::clone(topic));
    }

    pub(super) fn changes(&self) -> MutexGuard<'_, MetadataLog> {
        self.changes.lock().expect("no thread panics while it holds this lock")
    }

    pub(super) fn read(&self) -> std::sync::RwLockReadGuard<'_, Registry> {
        self.registry.read().expect("no thread panics while it holds this lock")
    }

    pub(super) fn write(&self) -> std::sync::RwLockWriteGuard<'_, Registry> {
        self.registry.write().expect("no thread panics while it holds this lock")
    }
}

/// Kafka's rule (`Topic.validate`): a name is also that of a directory.
fn check_name(name: &str) -> Result<(), TopicError> {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let reason = match name {
        "" => "it is empty",
        "." | ".." => "it is a directory of its own",
        METADATA_TOPIC => "the broker keeps its topics under it",
        _ if name.len() > 249 => "it has more than 249 characters",
        _ if !name.chars().all(legal) => "only ASCII letters, digits, '.', '_' and '-' are legal",
        _ => return Ok(()),
    };
    Err(TopicError::InvalidName { name: name.to_owned(), reason })
}

/// A name as metrics write it: names that differ in nothing but `.` and `_` are one there
/// (`Topic.hasCollision`).
fn in_metrics(name: &str) -> String {
    name.replace('.', "_")
}

fn check_partitions(count: i32, min: i32) -> Result<(), TopicError> {
    if (min..=MAX_PARTITIONS).contains(&count) {
        Ok(())
    } else {
        Err(TopicError::InvalidPartitions { count, min, max: MAX_PARTITIONS })
    }
}
