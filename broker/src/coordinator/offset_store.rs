//! Committed offsets, kept in a topic.
//!
//! How far a group has come is itself a record: each commit is one in `__consumer_offsets`, the
//! newest record for a key counts, and what is in memory is only what the topic says. A commit is
//! acknowledged when its record is written, so it survives whatever an acknowledged record
//! survives. It is an ordinary topic of this broker, compacted as any other is, so old commits
//! go by themselves; only that clients can't write to it.
//!
//! A group's records are all in one partition, which follows from its name. In a cluster the broker
//! that leads that partition is the group's coordinator.
//!
//! # Simplifications
//!
//! - Twelve partitions in place of fifty.
//! - Members are not kept: after a restart they join again.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::{BatchBuilder, RecordError, check_batch, opened, opened_records};

use super::offset_record::{CommittedOffset, decode_key, decode_value, encode_key, encode_value};
use crate::log::{ReadError, StorageError, TopicPartition};
use crate::replica::{PartitionHandle, ProduceError};

/// The topic they are kept in.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// How many bytes of records go into one batch.
const BATCH_BYTES: usize = 256 << 10;
/// How many bytes are read at once when a partition is read.
const READ_BYTES: usize = 1 << 20;

/// A group's offsets, in order of topic and partition.
pub(super) type GroupOffsets = BTreeMap<TopicPartition, CommittedOffset>;

/// Committed offsets of all groups.
#[derive(Debug, Default)]
pub(super) struct OffsetStore {
    /// Those of the topic; none before it is there.
    partitions: Vec<Arc<PartitionHandle>>,
    groups: BTreeMap<String, GroupOffsets>,
}

/// The partition of `count` in which a group's offsets are: Kafka's rule
/// (`GroupCoordinator.partitionFor`), with Java's hash of a text.
pub(super) fn partition_of_group(group_id: &str, count: usize) -> usize {
    let hash =
        group_id.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // Java has no absolute value of its smallest number, and Kafka takes 0.
    hash.checked_abs().unwrap_or(0) as usize % count
}

impl OffsetStore {
    /// Reads what groups have committed in the topic's partitions, of which there is at least one.
    pub(super) fn load(&mut self, partitions: Vec<Arc<PartitionHandle>>) -> Result<(), StorageError> {
        assert!(!partitions.is_empty(), "{OFFSETS_TOPIC} has a partition at least");
        for partition in &partitions {
            self.read(partition)?;
        }
        self.partitions = partitions;
        Ok(())
    }

    /// Whether there is a topic to commit to.
    pub(super) fn is_loaded(&self) -> bool {
        !self.partitions.is_empty()
    }

    fn read(&mut self, partition: &PartitionHandle) -> Result<(), StorageError> {
        let name = || partition.name.to_string();
        let damaged = |error: RecordError| StorageError::of("read", name())(std::io::Error::other(error));
        let (mut from, end) = {
            let partition = partition.lock();
            (partition.log_start_offset(), partition.log_end_offset())
        };
        let mut bytes = Vec::new();
        while from < end {
            bytes.clear();
            let region = partition.lock().read(from, READ_BYTES).map_err(|error| match error {
                ReadError::Storage(error) => error,
                error @ ReadError::OffsetOutOfRange { .. } => {
                    StorageError::of("read", name())(std::io::Error::other(error))
                }
            })?;
            region.read_to(&mut bytes).map_err(StorageError::of("read", name()))?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let header = check_batch(rest).map_err(|error| damaged(error.into()))?;
                let plain = opened(rest, &header).map_err(damaged)?;
                for record in opened_records(header, &plain) {
                    let record = record.map_err(damaged)?;
                    if let Some((group_id, partition)) = record.key.and_then(decode_key) {
                        self.apply(&group_id, &partition, record.value.and_then(decode_value));
                    }
                }
                from = header.next_offset();
                rest = &rest[header.total_len()..];
            }
        }
        Ok(())
    }

    /// Stores commits of one group. Only when all are written do they count.
    pub(super) fn commit(
        &mut self,
        now_ms: i64,
        group_id: &str,
        commits: &[(&TopicPartition, CommittedOffset)],
    ) -> Result<(), StorageError> {
        let entries = commits.iter().map(|(partition, committed)| (*partition, Some(committed)));
        self.write(now_ms, group_id, entries)?;
        for (partition, committed) in commits {
            self.apply(group_id, partition, Some(committed.clone()));
        }
        Ok(())
    }

    /// Forgets offsets of one group.
    pub(super) fn delete(
        &mut self,
        now_ms: i64,
        group_id: &str,
        partitions: &[TopicPartition],
    ) -> Result<(), StorageError> {
        let known: Vec<_> =
            partitions.iter().filter(|partition| self.get(group_id, partition).is_some()).collect();
        self.write(now_ms, group_id, known.iter().map(|partition| (*partition, None)))?;
        for partition in partitions {
            self.apply(group_id, partition, None);
        }
        Ok(())
    }

    /// One group's offset in one partition.
    pub(super) fn get(&self, group_id: &str, partition: &TopicPartition) -> Option<&CommittedOffset> {
        self.groups.get(group_id)?.get(partition)
    }

    /// All groups that have committed something, in order, with their offsets.
    pub(super) fn groups(&self) -> &BTreeMap<String, GroupOffsets> {
        &self.groups
    }

    fn apply(&mut self, group_id: &str, partition: &TopicPartition, committed: Option<CommittedOffset>) {
        match (committed, self.groups.get_mut(group_id)) {
            (Some(committed), Some(group)) => {
                group.insert(partition.clone(), committed);
            }
            (Some(committed), None) => {
                self.groups.insert(group_id.to_owned(), BTreeMap::from([(partition.clone(), committed)]));
            }
            (None, Some(group)) => {
                group.remove(partition);
                if group.is_empty() {
                    self.groups.remove(group_id);
                }
            }
            (None, None) => {}
        }
    }

    fn write<'a>(
        &mut self,
        now_ms: i64,
        group_id: &str,
        entries: impl Iterator<Item = (&'a TopicPartition, Option<&'a CommittedOffset>)>,
    ) -> Result<(), StorageError> {
        let mut batch = BatchBuilder::new();
        for (partition, committed) in entries {
            let value = committed.map(encode_value);
            batch.push(now_ms, Some(&encode_key(group_id, partition)), value.as_deref());
            if batch.byte_len() > BATCH_BYTES {
                self.append(now_ms, group_id, std::mem::take(&mut batch))?;
            }
        }
        self.append(now_ms, group_id, batch)
    }

    fn append(&self, now_ms: i64, group_id: &str, batch: BatchBuilder) -> Result<(), StorageError> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.partitions.is_empty() {
            let error = std::io::Error::other("the topic could not be made");
            return Err(StorageError::of("write", OFFSETS_TOPIC)(error));
        }
        let partition = &self.partitions[partition_of_group(group_id, self.partitions.len())];
        let appended = partition.lock().append(&batch.finish(), now_ms);
        match appended {
            Ok(_) => {
                partition.waiters.notify_all();
                Ok(())
            }
            Err(ProduceError::Storage(error)) => Err(error),
            // A setting of the topic forbids it.
            Err(error) => {
                Err(StorageError::of("write", partition.name.to_string())(std::io::Error::other(error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::records::{LeaderEpoch, Offset};

    use super::*;
    use crate::log::{CleanerConfig, CleanupPolicy, LogConfig, MemoryStorage, RecoveryHints};
    use crate::replica::Partition;

    const SEGMENT_BYTES: u32 = 100_000;

    fn partition(storage: &MemoryStorage, number: i32) -> Arc<PartitionHandle> {
        let config = LogConfig {
            cleanup: CleanupPolicy::COMPACT,
            segment_bytes: SEGMENT_BYTES,
            ..LogConfig::default()
        };
        let name = TopicPartition::new(OFFSETS_TOPIC, number);
        let storage = Arc::new(storage.clone());
        let dir = name.dir_name().into();
        let opened = Partition::open(storage, dir, config, LeaderEpoch(0), RecoveryHints::default());
        Arc::new(PartitionHandle::new(name, opened.unwrap().0))
    }

    fn open(storage: &MemoryStorage) -> OffsetStore {
        let mut store = OffsetStore::default();
        store.load((0..3).map(|number| partition(storage, number)).collect()).unwrap();
        store
    }

    fn commit(store: &mut OffsetStore, group_id: &str, number: i64) {
        let partition = TopicPartition::new("clicks", (number % 3) as i32);
        let committed = CommittedOffset {
            offset: Offset(number),
            metadata: "m".repeat(4_000),
            ..CommittedOffset::default()
        };
        store.commit(number, group_id, &[(&partition, committed)]).unwrap();
    }

    /// What a JVM says of these names, with 50 partitions and with 12.
    #[test]
    fn a_group_is_where_kafka_has_it() {
        for (group_id, of_50, of_12) in [
            ("", 0, 0),
            ("a", 47, 1),
            ("console-consumer", 40, 8),
            ("größe", 7, 1),
            ("polygenelubricants", 0, 0),
        ] {
            assert_eq!(partition_of_group(group_id, 50), of_50, "{group_id}");
            assert_eq!(partition_of_group(group_id, 12), of_12, "{group_id}");
        }
    }

    #[test]
    fn old_commits_go_and_no_crash_loses_one() {
        let storage = MemoryStorage::new();
        let mut store = open(&storage);
        for number in 0..300 {
            commit(&mut store, ["a", "b", "c", "d"][number as usize % 4], number);
            if number % 40 > 0 {
                continue;
            }
            for partition in &store.partitions {
                let cleaned = partition.lock().clean(&CleanerConfig::new([1, 2]), number);
                cleaned.unwrap();
                let size = partition.lock().size_bytes();
                assert!(size < 4 * u64::from(SEGMENT_BYTES), "{size} bytes after {number} commits");
                partition.lock().flush().unwrap();
            }
            assert_eq!(open(&storage.kill()).groups(), store.groups(), "killed after {number}");
            let without_power = open(&storage.crash(|_, _| 0));
            assert_eq!(without_power.groups(), store.groups(), "without power after {number}");
        }
        let all: Vec<_> = store.groups()["a"].keys().cloned().collect();
        store.delete(300, "a", &all).unwrap();
        assert_eq!(store.groups().len(), 3);
        assert_eq!(open(&storage.kill()).groups(), store.groups());
    }

    #[test]
    fn a_commit_that_was_not_written_does_not_count() {
        let storage = MemoryStorage::new();
        let mut store = open(&storage);
        let partition = TopicPartition::new("clicks", 0);
        store.commit(1, "g", &[(&partition, CommittedOffset::default())]).unwrap();
        storage.limit_capacity(Some(10));
        let later = CommittedOffset { offset: Offset(9), ..CommittedOffset::default() };
        assert!(store.commit(2, "g", &[(&partition, later)]).is_err());
        assert_eq!(store.get("g", &partition).unwrap().offset, Offset(0));
        assert_eq!(open(&storage.kill()).groups(), store.groups());
    }

    #[test]
    fn before_there_is_a_topic_no_commit_is_taken() {
        let mut store = OffsetStore::default();
        let partition = TopicPartition::new("clicks", 0);
        let committed = store.commit(1, "g", &[(&partition, CommittedOffset::default())]);
        assert!(committed.is_err() && store.groups().is_empty());
        store.delete(1, "g", &[partition]).unwrap();
    }
}
