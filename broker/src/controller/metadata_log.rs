//! The metadata log: each change of topics is a batch of records at the end of a log.
//!
//! The log is `__cluster_metadata-0`, in Kafka's form: `kafka-dump-log --cluster-metadata-decoder`
//! reads it. A change is one batch and is synced before it counts, so a crash can tear the last
//! batch alone, which was not acknowledged yet. When most of the log is changes that later ones
//! have undone, a *snapshot* of what is alive is written behind its end, and only then all before
//! it is removed: whenever a crash comes, reading from the start gives the same topics.
//!
//! An older version keeps all topics in one text file (`topics_file.rs`). A data directory that has
//! one goes by it, whatever the log says: the file is removed once all of it is in the log, and
//! before anything else changes.
//!
//! # Simplifications
//! - Records carry no time: nothing asks when a topic was made.
//! - Kafka writes a snapshot into a file of its own; here it stands in the log.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::Uuid;
use protocol::describe_configs::{BROKER, CLIENT_METRICS, GROUP, TOPIC};
use protocol::metadata_log::{ConfigRecord, MetadataRecord, PartitionRecord, RemoveTopicRecord, TopicRecord};
use protocol::records::{BatchBuilder, LeaderEpoch, Offset, check_batch, check_produced, records};
use thiserror::Error;

use super::TopicConfig;
use super::resources::{ResourceConfig, ResourceConfigs};
use super::topics_file::{self, TopicEntry};
use crate::log::{
    AppendError, Log, LogConfig, LogDir, ReadError, RecoveryHints, Reserve, Storage, StorageError,
    TopicPartition, read_file,
};

/// The topic that the log is, for Kafka's tools. No client reads or writes it.
pub(crate) const METADATA_TOPIC: &str = "__cluster_metadata";

/// On one broker there are no elections.
pub(crate) const LEADER_EPOCH: LeaderEpoch = LeaderEpoch(0);

/// More partitions than this in one topic are a mistake: each has open files.
pub(super) const MAX_PARTITIONS: i32 = 10_000;

/// A text file larger than this is not one of ours.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// How many bytes of a snapshot's records go into one batch.
const BATCH_BYTES: usize = 256 << 10;
/// How many bytes are read at once while the log is replayed.
const REPLAY_BYTES: usize = 1 << 20;
/// A log of fewer records than this is never written again.
const MIN_SNAPSHOT_RECORDS: u64 = 4_096;

/// Records carry no time.
const NO_TIME_MS: i64 = 0;

/// Why the log could not be opened.
#[derive(Debug, Error)]
pub(crate) enum MetadataLogError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{} is damaged: {reason}. Restore it, or move it away to start without topics", path.display())]
    Damaged { path: PathBuf, reason: String },
}

/// The log of topics.
#[derive(Debug)]
pub(super) struct MetadataLog {
    log: Log,
    node_id: i32,
    /// How many records the log has when it is next asked how many of them are alive.
    look_at_records: u64,
}

/// Where the log is.
fn name() -> TopicPartition {
    TopicPartition::new(METADATA_TOPIC, 0)
}

impl MetadataLog {
    /// Opens the log and reads what it says; moves what an older program has left into it.
    pub(super) fn open(
        storage: &Arc<dyn Storage>,
        log_dir: &LogDir,
        data_dir: &Path,
        node_id: i32,
        reserve: &Reserve,
    ) -> Result<(Self, Vec<TopicEntry>, ResourceConfigs), MetadataLogError> {
        let (dir, old) = (log_dir.partition_dir(&name()), data_dir.join("topics"));
        let Some(bytes) = read_file(&**storage, &old, MAX_FILE_BYTES)? else {
            check_damage(&**storage, &dir)?;
            let log = Self::of(storage, data_dir, &dir, node_id)?;
            let (entries, resources) = log.replay()?;
            return Ok((log, entries, resources));
        };
        let entries = topics_file::decode(&String::from_utf8_lossy(&bytes))
            .map_err(|source| MetadataLogError::Damaged { path: old.clone(), reason: source.to_string() })?;
        if entries.iter().any(|entry| entry.name == METADATA_TOPIC) {
            let reason = format!("it has a topic {METADATA_TOPIC}, which is the broker's own");
            return Err(MetadataLogError::Damaged { path: old, reason });
        }
        let log = reserve.spend(|| {
            storage.remove_dir(&dir).map_err(StorageError::of("remove", &dir))?;
            let mut log = Self::of(storage, data_dir, &dir, node_id)?;
            log.write_all(&entries, &ResourceConfigs::new())?;
            Ok(log)
        })?;
        storage.remove(&old).map_err(StorageError::of("remove", &old))?;
        storage.sync_dir(data_dir).map_err(StorageError::of("sync", data_dir))?;
        Ok((log, entries, ResourceConfigs::new()))
    }

    fn of(
        storage: &Arc<dyn Storage>,
        data_dir: &Path,
        dir: &Path,
        node_id: i32,
    ) -> Result<Self, StorageError> {
        // Every batch is synced before the next: no crash can tear two.
        let config = LogConfig {
            retention_ms: None,
            segment_ms: i64::MAX,
            flush_messages: Some(1),
            ..LogConfig::default()
        };
        let hints = RecoveryHints::default();
        let (mut log, recovery) = Log::open(Arc::clone(storage), dir.into(), config, hints)?;
        // What is read now is answered, and must not be gone after a power loss, not even a change
        // that failed because it could not be synced.
        log.sync_records()?;
        for new in [dir, data_dir] {
            storage.sync_dir(new).map_err(StorageError::of("sync", new))?;
        }
        if recovery.truncated_bytes > 0 {
            tracing::warn!(
                "cut off {} bytes of a change of topics that was being written when the broker died",
                recovery.truncated_bytes
            );
        }
        Ok(Self { log, node_id, look_at_records: MIN_SNAPSHOT_RECORDS })
    }

    fn replay(&self) -> Result<(Vec<TopicEntry>, ResourceConfigs), MetadataLogError> {
        let mut image = Image::default();
        let mut from = self.log.log_start_offset();
        let mut bytes = Vec::new();
        while from < self.log.log_end_offset() {
            bytes.clear();
            let read_error = StorageError::of("read", METADATA_TOPIC);
            let region = self.log.read(from, REPLAY_BYTES).map_err(|error| match error {
                ReadError::Storage(error) => error,
                error @ ReadError::OffsetOutOfRange { .. } => read_error(std::io::Error::other(error)),
            })?;
            region.read_to(&mut bytes).map_err(StorageError::of("read", METADATA_TOPIC))?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let header = check_batch(rest).map_err(|error| damaged(from, &error))?;
                for record in records(rest).map_err(|error| damaged(from, &error))? {
                    let record = record.map_err(|error| damaged(from, &error))?;
                    let change = MetadataRecord::decode(record.value.unwrap_or_default())
                        .map_err(|error| damaged(record.offset, &error))?;
                    image.apply(change).map_err(|reason| damaged(record.offset, &reason))?;
                }
                from = header.next_offset();
                rest = &rest[header.total_len()..];
            }
        }
        Ok((image.topics.into_values().collect(), image.resources))
    }

    /// Writes one change, and waits until it lasts.
    pub(super) fn write(&mut self, changes: &[MetadataRecord]) -> Result<(), StorageError> {
        let mut batch = BatchBuilder::new();
        for change in changes {
            batch.push(NO_TIME_MS, None, Some(&change.encode()));
        }
        self.append(batch)
    }

    fn append(&mut self, batch: BatchBuilder) -> Result<(), StorageError> {
        if batch.is_empty() {
            return Ok(());
        }
        let bytes = batch.finish();
        let header = check_produced(&bytes).expect("a batch that was just built is right");
        match self.log.append(&bytes, &header, LEADER_EPOCH, NO_TIME_MS) {
            Ok(_) => Ok(()),
            Err(AppendError::Storage(error)) => Err(error),
            Err(AppendError::TooLargeForSegment { size, .. }) => {
                unreachable!("{size} bytes fit in a segment of 1 GB")
            }
        }
    }

    fn write_all(&mut self, topics: &[TopicEntry], resources: &ResourceConfigs) -> Result<(), StorageError> {
        let (node_id, mut batch) = (self.node_id, BatchBuilder::new());
        let nothing = ResourceConfig::new();
        let of_resources = resources
            .iter()
            .flat_map(|((of_type, name), config)| resource_alteration(*of_type, name, &nothing, config));
        for change in topics.iter().flat_map(|topic| creation(node_id, topic)).chain(of_resources) {
            batch.push(NO_TIME_MS, None, Some(&change.encode()));
            if batch.byte_len() > BATCH_BYTES {
                self.append(std::mem::take(&mut batch))?;
            }
        }
        self.append(batch)
    }

    /// Whether so much was written that it pays to look how much of it is alive.
    pub(super) fn is_due(&self) -> bool {
        self.record_count() >= self.look_at_records
    }

    /// Writes what is alive behind the end and removes all before it, if that is less than half.
    pub(super) fn snapshot(
        &mut self,
        topics: &[TopicEntry],
        resources: &ResourceConfigs,
    ) -> Result<(), StorageError> {
        let of_topics = topics.iter().map(|topic| creation(self.node_id, topic).count() as u64);
        let alive = of_topics.chain(resources.values().map(|config| config.len() as u64)).sum::<u64>();
        // Should there be no room for it, it is not tried again at once.
        self.look_at_records = MIN_SNAPSHOT_RECORDS.max(alive * 2).max(self.record_count() + alive + 1);
        if alive * 2 >= self.record_count() {
            return Ok(());
        }
        self.log.roll()?;
        let start = self.log.log_end_offset();
        self.write_all(topics, resources)?;
        self.log.flush()?;
        self.log.delete_before(start)?;
        self.look_at_records = MIN_SNAPSHOT_RECORDS.max(alive * 2);
        Ok(())
    }

    /// The offset that the next change gets.
    pub(super) fn end(&self) -> Offset {
        self.log.log_end_offset()
    }

    fn record_count(&self) -> u64 {
        (self.log.log_end_offset() - self.log.log_start_offset()).unsigned_abs()
    }

    /// Leaves the files as a reader expects them. All that counts is synced already.
    pub(super) fn close(&mut self) -> Result<(), StorageError> {
        self.log.trim()
    }

    /// As if much had been written.
    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.look_at_records = 0;
    }
}

/// A crash tears the last batch alone. A batch that is wrong with a right one behind it was synced
/// once, and to cut the log there would lose topics.
fn check_damage(storage: &dyn Storage, dir: &Path) -> Result<(), MetadataLogError> {
    let names = storage.list(dir).map_err(StorageError::of("list", dir))?;
    let mut torn = None;
    for path in
        names.iter().map(|name| dir.join(name)).filter(|path| path.extension() == Some("log".as_ref()))
    {
        let bytes = read_file(storage, &path, u64::from(u32::MAX))?.unwrap_or_default();
        let mut at = 0;
        while at < bytes.len() {
            match (check_batch(&bytes[at..]), &torn) {
                (Ok(header), None) => at += header.total_len(),
                (Ok(_), Some((path, position))) => {
                    let reason = format!("what stands at byte {position} is no batch");
                    return Err(MetadataLogError::Damaged { path: PathBuf::clone(path), reason });
                }
                (Err(_), torn_already) => {
                    if torn_already.is_none() {
                        torn = Some((path.clone(), at));
                    }
                    at += 1;
                }
            }
        }
    }
    Ok(())
}

fn damaged(at: Offset, reason: &dyn Display) -> MetadataLogError {
    let reason = format!("record {at}: {reason}");
    MetadataLogError::Damaged { path: name().dir_name().into(), reason }
}

/// The changes that make a topic.
pub(super) fn creation(node_id: i32, topic: &TopicEntry) -> impl Iterator<Item = MetadataRecord> {
    let record = TopicRecord { name: topic.name.clone(), topic_id: topic.id };
    let partitions = (0..topic.partitions).map(move |number| addition(node_id, topic.id, number));
    let settings = topic.config.iter().map(|(name, value)| setting(TOPIC, &topic.name, name, Some(value)));
    [MetadataRecord::Topic(record)].into_iter().chain(settings).chain(partitions)
}

/// The change that gives a topic one more partition.
pub(super) fn addition(node_id: i32, topic_id: Uuid, number: i32) -> MetadataRecord {
    MetadataRecord::Partition(PartitionRecord {
        partition_id: number,
        topic_id,
        replicas: vec![node_id],
        isr: vec![node_id],
        leader: node_id,
        leader_epoch: LEADER_EPOCH.0,
        partition_epoch: 0,
        ..PartitionRecord::default()
    })
}

/// The change that sets one value, or returns it to the default.
fn setting(resource_type: i8, resource: &str, name: &str, value: Option<&str>) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type,
        resource_name: resource.to_owned(),
        name: name.to_owned(),
        value: value.map(str::to_owned),
    })
}

/// The changes from these settings of a topic to those.
pub(super) fn alteration(topic: &str, old: &TopicConfig, new: &TopicConfig) -> Vec<MetadataRecord> {
    let gone = old.iter().filter(|(name, _)| new.get(name).is_none()).map(|(name, _)| (name, None));
    let set = new.iter().filter(|(name, value)| old.get(name) != Some(value));
    let set = set.map(|(name, value)| (name, Some(value)));
    gone.chain(set).map(|(name, value)| setting(TOPIC, topic, name, value)).collect()
}

/// The changes from these settings of what is no topic to those.
pub(super) fn resource_alteration(
    resource_type: i8,
    resource: &str,
    old: &ResourceConfig,
    new: &ResourceConfig,
) -> Vec<MetadataRecord> {
    let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name, None));
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    let set = set.map(|(name, value)| (name, Some(value.as_str())));
    gone.chain(set).map(|(name, value)| setting(resource_type, resource, name, value)).collect()
}

/// The change that removes a topic.
pub(super) fn removal(topic_id: Uuid) -> MetadataRecord {
    MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id })
}

/// What the records so far come to. A snapshot says again what is there already, and saying a thing
/// twice changes nothing. What is said of a topic that is not there is passed over: it stands
/// behind half a snapshot, for which there was no room, when a crash came while all before the next
/// whole one was being removed.
#[derive(Debug, Default)]
struct Image {
    topics: BTreeMap<Uuid, TopicEntry>,
    ids: BTreeMap<String, Uuid>,
    resources: ResourceConfigs,
}

impl Image {
    fn apply(&mut self, change: MetadataRecord) -> Result<(), String> {
        match change {
            MetadataRecord::Topic(TopicRecord { name, topic_id: id }) => {
                self.ids.insert(name.clone(), id);
                let new = TopicEntry { name, id, partitions: 0, config: TopicConfig::default() };
                self.topics.entry(id).or_insert(new);
            }
            MetadataRecord::Partition(PartitionRecord { partition_id, topic_id, .. }) => {
                if !(0..MAX_PARTITIONS).contains(&partition_id) {
                    return Err(format!("there can't be a partition {partition_id}"));
                }
                if let Some(topic) = self.topics.get_mut(&topic_id) {
                    topic.partitions = topic.partitions.max(partition_id + 1);
                }
            }
            MetadataRecord::Config(ConfigRecord { resource_type: TOPIC, resource_name, name, value }) => {
                let topic = self.ids.get(&resource_name).and_then(|id| self.topics.get_mut(id));
                let config = topic.map(|topic| &mut topic.config);
                let applied = match (config, value) {
                    (Some(config), Some(value)) => config.restore(&name, &value),
                    (Some(config), None) => {
                        config.unset(&name);
                        Ok(())
                    }
                    (None, _) => Ok(()),
                };
                applied.map_err(|error| error.to_string())?;
            }
            MetadataRecord::Config(ConfigRecord {
                resource_type: resource_type @ (BROKER | CLIENT_METRICS | GROUP),
                resource_name,
                name,
                value,
            }) => {
                let resource = (resource_type, resource_name);
                let config = self.resources.entry(resource.clone()).or_default();
                match value {
                    Some(value) => drop(config.insert(name, value)),
                    None => drop(config.remove(&name)),
                }
                if config.is_empty() {
                    self.resources.remove(&resource);
                }
            }
            MetadataRecord::Config(ConfigRecord { resource_type, .. }) => {
                return Err(format!("resources of type {resource_type} have no settings here"));
            }
            MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id }) => {
                if let Some(topic) = self.topics.remove(&topic_id) {
                    self.ids.remove(&topic.name);
                }
            }
        }
        Ok(())
    }
}
