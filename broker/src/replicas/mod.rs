//! The replicas that this broker has: of which partitions, and what it is to each.
//!
//! The image says which brokers have a partition and which of them leads it; here are the logs of
//! those that this broker has. A request that reads or writes one looks here first, which is one
//! lookup for all partitions of a topic. Only for what is not here the image is asked, whether it
//! is elsewhere or nowhere.

mod checkpoint;
mod make;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use protocol::Uuid;

use crate::controller::{Image, METADATA_TOPIC, PartitionRegistration, Topic, is_internal};
use crate::log::{LogConfig, LogDir, RecoveryHints, Storage, StorageError, TopicPartition};
use crate::replica::{Partition, PartitionHandle, Role};

/// The replicas of one topic. They never change: a change puts others in their place.
#[derive(Clone, Debug)]
pub(crate) struct TopicReplicas {
    name: Arc<str>,
    /// By the numbers of their partitions; none where this broker has no replica.
    partitions: Vec<Option<Arc<PartitionHandle>>>,
}

impl TopicReplicas {
    /// Of which topic.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The replica of that partition.
    pub(crate) fn partition(&self, number: i32) -> Option<&Arc<PartitionHandle>> {
        self.partitions.get(usize::try_from(number).ok()?)?.as_ref()
    }

    /// All of them, by number.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Arc<PartitionHandle>> {
        self.partitions.iter().flatten()
    }

    /// These as well.
    fn with(&self, more: Vec<Arc<PartitionHandle>>) -> Self {
        let mut all = self.clone();
        for replica in more {
            let number = replica.name.partition as usize;
            assert_eq!(replica.name.topic, all.name, "a topic's replicas are its own");
            all.partitions.resize(all.partitions.len().max(number + 1), None);
            let before = all.partitions[number].replace(replica);
            assert!(before.is_none(), "partition {number} of {} has one replica here", all.name);
        }
        all
    }
}

/// Where a topic's replicas are found.
#[derive(Debug, Default)]
struct Registry {
    by_name: BTreeMap<Arc<str>, Arc<TopicReplicas>>,
    by_id: BTreeMap<Uuid, Arc<TopicReplicas>>,
}

/// All of them, shared by all connections.
#[derive(Debug)]
pub(crate) struct Replicas {
    storage: Arc<dyn Storage>,
    log_dir: LogDir,
    node_id: i32,
    registry: RwLock<Registry>,
    /// Held while a checkpoint is written, so that an older one never replaces a newer.
    checkpointing: Mutex<()>,
    /// The checkpoints speak of partitions that are gone.
    checkpoint_is_stale: AtomicBool,
}

impl Replicas {
    /// Opens those that the image gives this broker, after a crash with recovery. `config` is what
    /// the logs of a topic go by.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        log_dir: LogDir,
        node_id: i32,
        image: &Image,
        config: impl Fn(&Topic) -> LogConfig,
    ) -> Result<Self, StorageError> {
        let replicas = Self {
            storage,
            log_dir,
            node_id,
            registry: RwLock::default(),
            checkpointing: Mutex::new(()),
            checkpoint_is_stale: AtomicBool::new(false),
        };
        for topic in image.topics() {
            let config = config(topic);
            let mut opened = Vec::new();
            for (number, partition) in (0..).zip(&topic.partitions) {
                if let Some(role) = replicas.role(partition) {
                    let name = TopicPartition::new(Arc::clone(&topic.name), number);
                    let hints = replicas.log_dir.recovery_hints(&name);
                    opened.push(replicas.open_replica(name, role, partition, &config, hints)?);
                }
            }
            replicas.add(&topic.name, topic.id, opened);
        }
        replicas.report_strays()?;
        // A crash came after a deletion.
        let is_stale = replicas.log_dir.checkpointed().any(|partition| !replicas.is_known(partition));
        replicas.checkpoint_is_stale.store(is_stale, Ordering::Release);
        Ok(replicas)
    }

    /// Those of the topic of that name.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<TopicReplicas>> {
        self.read().by_name.get(name).cloned()
    }

    /// Those of the topic with that id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<TopicReplicas>> {
        self.read().by_id.get(&id).cloned()
    }

    /// Those of all topics, by name.
    pub(crate) fn topics(&self) -> Vec<Arc<TopicReplicas>> {
        self.read().by_name.values().cloned().collect()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<PartitionHandle>> {
        self.read().by_name.values().flat_map(|topic| topic.partitions().cloned()).collect()
    }

    /// More of a topic's, which requests find from now on.
    pub(crate) fn add(&self, name: &Arc<str>, id: Uuid, more: Vec<Arc<PartitionHandle>>) {
        if more.is_empty() {
            return;
        }
        let mut registry = self.write();
        let none = || Arc::new(TopicReplicas { name: Arc::clone(name), partitions: Vec::new() });
        let topic = Arc::new(registry.by_id.get(&id).cloned().unwrap_or_else(none).with(more));
        registry.by_id.insert(id, Arc::clone(&topic));
        registry.by_name.insert(Arc::clone(name), topic);
    }

    /// Removes those of a topic that is gone, with all their records. Fetches that wait for them
    /// are answered.
    pub(crate) fn delete(&self, topic: &Topic) -> Result<(), StorageError> {
        let removed = {
            let mut registry = self.write();
            registry.by_id.remove(&topic.id).inspect(|_| drop(registry.by_name.remove(&topic.name)))
        };
        self.checkpoint_is_stale.store(true, Ordering::Release);
        for replica in removed.iter().flat_map(|topic| topic.partitions()) {
            replica.mark_deleted();
            self.log_dir.remove(&replica.name)?;
        }
        Ok(())
    }

    /// The settings of a topic have changed; its logs go by them at once.
    pub(crate) fn configure(&self, id: Uuid, config: &LogConfig) {
        for replica in self.topic_by_id(id).iter().flat_map(|topic| topic.partitions()) {
            replica.lock().set_config(config.clone());
        }
    }

    /// What this broker is to a partition, if it has a replica of it.
    fn role(&self, partition: &PartitionRegistration) -> Option<Role> {
        let role = if partition.leader == Some(self.node_id) { Role::Leader } else { Role::Follower };
        partition.replicas.contains(&self.node_id).then_some(role)
    }

    fn open_replica(
        &self,
        name: TopicPartition,
        role: Role,
        partition: &PartitionRegistration,
        config: &LogConfig,
        hints: RecoveryHints,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        let (storage, dir) = (Arc::clone(&self.storage), self.log_dir.partition_dir(&name));
        let (opened, recovery) =
            Partition::open_as(role, storage, dir, config.clone(), partition.leader_epoch, hints)?;
        if recovery.truncated_bytes > 0 {
            tracing::warn!(
                partition = %name,
                "cut off {} bytes of a batch that was being written when the broker died",
                recovery.truncated_bytes
            );
        }
        Ok(Arc::new(PartitionHandle::new(name, opened)))
    }

    /// Directories that belong to no replica are left alone, but not in silence.
    fn report_strays(&self) -> Result<(), StorageError> {
        for name in self.log_dir.partitions()? {
            if !self.is_known(&name) {
                let dir = self.log_dir.partition_dir(&name);
                tracing::warn!("{} belongs to no topic and is ignored", dir.display());
            }
        }
        Ok(())
    }

    /// Whether a partition is here, or is the broker's own.
    fn is_known(&self, name: &TopicPartition) -> bool {
        *name.topic == *METADATA_TOPIC
            || is_internal(&name.topic)
            || self.topic(&name.topic).is_some_and(|topic| topic.partition(name.partition).is_some())
    }

    fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().expect("no thread panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().expect("no thread panics while it holds this lock")
    }
}
