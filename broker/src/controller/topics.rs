//! The registry of topics.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
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
use crate::log::{LogConfig, LogDir, RecoveryHints, Reserve, Storage, StorageError, TopicPartition};
use crate::replica::{Partition, PartitionHandle};

/// So much is kept for the day on which the disk is full: a deletion takes a hundred bytes.
const RESERVE_BYTES: usize = 64 << 10;

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
    /// Opens every topic of the data directory, after a crash with recovery.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        log_dir: LogDir,
        data_dir: &Path,
        node_id: i32,
        defaults: LogConfig,
    ) -> Result<Self, TopicError> {
        let reserve = Reserve::new(Arc::clone(&storage), data_dir);
        let (log, entries, resources) = MetadataLog::open(&storage, &log_dir, data_dir, node_id, &reserve)?;
        let topics = Self {
            reserve,
            storage,
            log_dir,
            node_id,
            registry: RwLock::new(Registry {
                defaults: Arc::new(Defaults::new(defaults, node_id, &resources)),
                resources,
                ..Registry::default()
            }),
            changes: Mutex::new(log),
            checkpointing: Mutex::new(()),
            checkpoint_is_stale: AtomicBool::new(false),
        };
        for entry in entries {
            let config = topics.defaults().log_config(&entry.config);
            let name: Arc<str> = entry.name.into();
            let partitions = (0..entry.partitions)
                .map(|number| topics.open_partition(&TopicPartition::new(Arc::clone(&name), number), &config))
                .collect::<Result<_, _>>()?;
            let topic = Topic { name, id: entry.id, config: entry.config, partitions };
            topics.write().insert(Arc::new(topic));
        }
        topics.report_unknown_partitions()?;
        // A crash came after a deletion.
        let is_stale = topics.log_dir.checkpointed().any(|partition| !topics.is_known(partition));
        topics.checkpoint_is_stale.store(is_stale, Ordering::Release);
        topics.keep_reserve();
        Ok(topics)
    }

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

    /// Makes a topic. It lasts: that it was made is on disk before this returns.
    pub(crate) fn create(
        &self,
        name: &str,
        id: Uuid,
        partitions: i32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        let mut log = self.changes();
        self.check_new(name, partitions)?;
        self.forget_deleted()?;
        let name: Arc<str> = name.into();
        let log_config = self.defaults().log_config(&config);
        let made = self.create_partitions(&name, 0..partitions, &log_config).and_then(|partitions| {
            let topic = Arc::new(Topic { name: Arc::clone(&name), id, config, partitions });
            let records = metadata_log::creation(self.node_id, &topic.entry()).collect::<Vec<_>>();
            log.write(&records)?;
            self.replace(&topic);
            Ok(topic)
        });
        Ok(made.inspect_err(|_| self.remove_partitions(&name, 0..partitions))?)
    }

    /// The topic of that name, made if it is not there.
    pub(crate) fn get_or_create(
        &self,
        name: &str,
        id: impl FnOnce() -> Uuid,
        partitions: i32,
        config: impl FnOnce() -> TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        if let Some(topic) = self.get(name) {
            return Ok(topic);
        }
        match self.create(name, id(), partitions, config()) {
            // Another connection was faster.
            Err(TopicError::AlreadyExists { name }) => self.get(&name).ok_or(TopicError::Unknown { name }),
            created => created,
        }
    }

    /// Makes a topic of a partition 0 that has files already; `None` where there are none.
    pub(crate) fn adopt(
        &self,
        name: &str,
        id: Uuid,
        config: TopicConfig,
    ) -> Result<Option<Arc<Topic>>, TopicError> {
        let first = TopicPartition::new(name, 0);
        if !self.log_dir.partitions()?.contains(&first) {
            return Ok(None);
        }
        let partitions = vec![self.open_partition(&first, &self.defaults().log_config(&config))?];
        let topic = Arc::new(Topic { name: name.into(), id, config, partitions });
        let records = metadata_log::creation(self.node_id, &topic.entry()).collect::<Vec<_>>();
        self.changes().write(&records)?;
        self.replace(&topic);
        Ok(Some(topic))
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

    /// Gives a topic more partitions, `count` in all.
    pub(crate) fn grow(&self, name: &str, count: i32) -> Result<(), TopicError> {
        let mut log = self.changes();
        let topic = self.check_grow(name, count)?;
        self.forget_deleted()?;
        let config = self.defaults().log_config(&topic.config);
        let new = topic.partitions.len() as i32..count;
        let grown = self.create_partitions(&topic.name, new.clone(), &config).and_then(|mut added| {
            let numbers = new.clone();
            let records = numbers.map(|number| metadata_log::addition(self.node_id, topic.id, number));
            log.write(&records.collect::<Vec<_>>())?;
            let mut partitions = topic.partitions.clone();
            partitions.append(&mut added);
            self.replace(&Arc::new(Topic { partitions, ..Topic::clone(&topic) }));
            Ok(())
        });
        Ok(grown.inspect_err(|_| self.remove_partitions(&topic.name, new))?)
    }

    /// Removes what a change that failed has made of these partitions: no client ever writes there.
    fn remove_partitions(&self, topic: &Arc<str>, numbers: Range<i32>) {
        for number in numbers {
            if let Err(error) = self.log_dir.remove(&TopicPartition::new(Arc::clone(topic), number)) {
                tracing::error!("{error}");
            }
        }
    }

    /// Whether a topic could grow to that size, without doing it.
    pub(crate) fn check_grow(&self, name: &str, count: i32) -> Result<Arc<Topic>, TopicError> {
        let topic = self.get(name).ok_or_else(|| TopicError::Unknown { name: name.to_owned() })?;
        topic.check_changeable()?;
        check_partitions(count, topic.partitions.len() as i32 + 1)?;
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

    /// Writes down how far every partition is synced and where it starts. Shortens the log of
    /// topics if most of it is old changes.
    pub(crate) fn checkpoint(&self) -> Result<(), StorageError> {
        self.write_checkpoint()?;
        let mut log = self.changes();
        if log.is_due() {
            let resources = self.read().resources.clone();
            log.snapshot(&self.all().iter().map(|topic| topic.entry()).collect::<Vec<_>>(), &resources)?;
        }
        self.keep_reserve();
        Ok(())
    }

    fn write_checkpoint(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.checkpointing.lock().expect("no thread panics while it holds this lock");
        // Before the topics are read: a deletion from here on makes it stale again.
        let was_stale = self.checkpoint_is_stale.swap(false, Ordering::AcqRel);
        let mut all = Vec::new();
        for topic in self.all() {
            all.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| (partition.name.clone(), partition.lock().checkpoint())),
            );
        }
        self.log_dir.checkpoint(&all).inspect_err(|_| {
            self.checkpoint_is_stale.fetch_or(was_stale, Ordering::AcqRel);
        })
    }

    /// A topic that is made under the name of one that is gone must not inherit where that one
    /// began and how far it was synced.
    fn forget_deleted(&self) -> Result<(), StorageError> {
        if self.checkpoint_is_stale.load(Ordering::Acquire) { self.write_checkpoint() } else { Ok(()) }
    }

    /// As if much had been written to the log of topics.
    #[cfg(test)]
    pub(super) fn make_log_due(&self) {
        self.changes().make_due();
    }

    /// Sets room aside for the changes that make room, if there is any.
    fn keep_reserve(&self) {
        self.reserve.fill(RESERVE_BYTES);
    }

    /// Closes every partition and marks the data directory as closed in order.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        for topic in self.all() {
            for partition in &topic.partitions {
                partition.lock().close()?;
            }
        }
        self.checkpoint()?;
        self.changes().close()?;
        self.log_dir.close()
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

    fn open_partition(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        self.open_with(name, config, self.log_dir.recovery_hints(name))
    }

    fn create_partitions(
        &self,
        topic: &Arc<str>,
        numbers: Range<i32>,
        config: &LogConfig,
    ) -> Result<Vec<Arc<PartitionHandle>>, StorageError> {
        numbers
            .map(|number| self.create_partition(&TopicPartition::new(Arc::clone(topic), number), config))
            .collect()
    }

    /// Starts a partition with no past: what a topic of the same name may have left behind, when a
    /// crash cut its deletion short, must not come back to life.
    fn create_partition(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        self.log_dir.remove(name)?;
        let partition = self.open_with(name, config, RecoveryHints::default())?;
        let end = partition.lock().log_end_offset();
        assert_eq!(end, Offset::ZERO, "{name} starts without a past");
        Ok(partition)
    }

    fn open_with(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
        hints: RecoveryHints,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        let dir = self.log_dir.partition_dir(name);
        let storage = Arc::clone(&self.storage);
        let (partition, recovery) = Partition::open(storage, dir, config.clone(), LEADER_EPOCH, hints)?;
        if recovery.truncated_bytes > 0 {
            tracing::warn!(
                partition = %name,
                "cut off {} bytes of a batch that was being written when the broker died",
                recovery.truncated_bytes
            );
        }
        Ok(Arc::new(PartitionHandle::new(name.clone(), partition)))
    }

    /// Directories that belong to no topic are left alone, but not in silence.
    fn report_unknown_partitions(&self) -> Result<(), StorageError> {
        for name in self.log_dir.partitions()? {
            if !self.is_known(&name) {
                tracing::warn!(
                    "{} belongs to no topic and is ignored",
                    self.log_dir.partition_dir(&name).display()
                );
            }
        }
        Ok(())
    }

    /// Whether a partition belongs to a topic, or is the broker's own.
    fn is_known(&self, name: &TopicPartition) -> bool {
        *name.topic == *METADATA_TOPIC
            || *name.topic == *OFFSETS_TOPIC
            || self.get(&name.topic).is_some_and(|topic| topic.partition(name.partition).is_some())
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
