//! Committed offsets, kept in a log.
//!
//! How far a group has come is itself a topic: each commit is a record in
//! `__consumer_offsets`, the newest record for a key counts, and what is in memory is only
//! what the log says. A commit is acknowledged when its record is written, so it survives
//! whatever an acknowledged record survives.
//!
//! A log that only grows would one day be all old commits, so it is *compacted*. When it has become
//! several times as large as what is alive in it, the next flush writes the live offsets once more
//! behind the end, syncs them, and only then removes everything before them: whenever a crash
//! comes, reading from the start gives the same answer. The sync is done without holding the store,
//! and no commit waits for it.
//!
//! # Simplifications
//!
//! One partition instead of fifty: one broker coordinates all groups.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{
    BatchBuilder, LeaderEpoch, Offset, RecordError, check_batch, check_produced, records,
};

use super::offset_record::{CommittedOffset, decode_key, decode_value, encode_key, encode_value};
use crate::log::{
    AppendError, Checkpoint, Log, LogConfig, PendingFlush, ReadError, RecoveryHints, Storage, StorageError,
    TopicPartition,
};

/// The topic they are kept in. Its one partition belongs to the coordinator: no one else opens it.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// A log smaller than this is never compacted.
const MIN_COMPACTION_BYTES: u64 = 4 << 20;
/// It is compacted when it is so many times as large as after the last time.
const COMPACTION_FACTOR: u64 = 4;
/// How many bytes of records go into one batch.
const BATCH_BYTES: usize = 256 << 10;
/// How many bytes are read at once while the log is replayed.
const REPLAY_BYTES: usize = 1 << 20;

/// A group's offsets, in order of topic and partition.
pub(super) type GroupOffsets = BTreeMap<TopicPartition, CommittedOffset>;

/// A sync to be done without holding the store.
#[derive(Debug)]
pub struct OffsetsFlush {
    log: PendingFlush,
    /// Where all that is alive was written again, if it was: what lies before it may go once this
    /// is synced.
    live: Option<Range<Offset>>,
}

impl OffsetsFlush {
    /// Syncs. May take as long as the disk does.
    pub fn run(&mut self) {
        self.log.run();
    }
}

/// Committed offsets of all groups.
#[derive(Debug)]
pub struct OffsetStore {
    log: Log,
    groups: BTreeMap<String, GroupOffsets>,
    /// Size at which the log is compacted.
    compact_at_bytes: u64,
}

impl OffsetStore {
    /// Reads the log in `dir`, or starts one there.
    pub fn open(storage: Arc<dyn Storage>, dir: PathBuf, hints: RecoveryHints) -> Result<Self, StorageError> {
        let config = LogConfig { retention_ms: None, segment_ms: i64::MAX, ..LogConfig::default() };
        let (log, _) = Log::open(storage, dir, config, hints)?;
        let mut store = Self { log, groups: BTreeMap::new(), compact_at_bytes: MIN_COMPACTION_BYTES };
        store.replay()?;
        Ok(store)
    }

    fn replay(&mut self) -> Result<(), StorageError> {
        let mut from = self.log.log_start_offset();
        let mut bytes = Vec::new();
        while from < self.log.log_end_offset() {
            bytes.clear();
            let region = self.log.read(from, REPLAY_BYTES).map_err(storage_error)?;
            region.read_to(&mut bytes).map_err(StorageError::of("read", OFFSETS_TOPIC))?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let damaged = |error: RecordError| {
                    StorageError::of("read", OFFSETS_TOPIC)(std::io::Error::other(error))
                };
                let header = check_batch(rest).map_err(|error| damaged(error.into()))?;
                for record in records(rest).map_err(damaged)? {
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
    pub fn commit(
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
    pub fn delete(
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
    pub fn get(&self, group_id: &str, partition: &TopicPartition) -> Option<&CommittedOffset> {
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
                append(&mut self.log, std::mem::take(&mut batch), now_ms)?;
            }
        }
        append(&mut self.log, batch, now_ms)
    }

    /// Whether most of the log is old commits, so that the next flush should not be waited for.
    pub fn needs_compaction(&self) -> bool {
        self.log.size_bytes() >= self.compact_at_bytes
    }

    /// Whether something was written since the last flush.
    pub fn is_unsynced(&self) -> bool {
        self.log.recovery_point() < self.log.log_end_offset()
    }

    /// Starts a flush: [`OffsetsFlush::run`] it without holding the store, then
    /// [`OffsetStore::finish_flush`] it. `None` when all is synced. When most of the log is old
    /// commits, what is alive is written behind its end first.
    pub fn begin_flush(&mut self, now_ms: i64) -> Result<Option<OffsetsFlush>, StorageError> {
        let live = if self.needs_compaction() { Some(self.compact(now_ms)?) } else { None };
        match (self.log.begin_flush()?, live) {
            (Some(log), live) => Ok(Some(OffsetsFlush { log, live })),
            // All is synced already: nothing is alive, so nothing was written.
            (None, Some(live)) => self.delete_before(live.start).map(|()| None),
            (None, None) => Ok(None),
        }
    }

    /// Notes what a flush achieved, and removes what was written again in it.
    pub fn finish_flush(&mut self, flush: OffsetsFlush) -> Result<(), StorageError> {
        self.log.finish_flush(flush.log)?;
        match flush.live {
            Some(live) if live.end <= self.log.recovery_point() => self.delete_before(live.start),
            _ => Ok(()),
        }
    }

    /// Writes what is alive behind the end. Answers where that is.
    fn compact(&mut self, now_ms: i64) -> Result<Range<Offset>, StorageError> {
        // Should there be no room for it, it is not tried again at once.
        self.compact_at_bytes = self.log.size_bytes().saturating_mul(2);
        self.log.roll()?;
        let start = self.log.log_end_offset();
        let mut batch = BatchBuilder::new();
        for (group_id, offsets) in &self.groups {
            for (partition, committed) in offsets {
                batch.push(now_ms, Some(&encode_key(group_id, partition)), Some(&encode_value(committed)));
                if batch.byte_len() > BATCH_BYTES {
                    append(&mut self.log, std::mem::take(&mut batch), now_ms)?;
                }
            }
        }
        append(&mut self.log, batch, now_ms)?;
        let end = self.log.log_end_offset();
        assert!(
            start < end || self.groups.is_empty(),
            "the offsets of {} groups were compacted to nothing",
            self.groups.len()
        );
        Ok(start..end)
    }

    fn delete_before(&mut self, start: Offset) -> Result<(), StorageError> {
        self.log.delete_before(start)?;
        self.compact_at_bytes = MIN_COMPACTION_BYTES.max(self.log.size_bytes() * COMPACTION_FACTOR);
        Ok(())
    }

    /// Syncs, and leaves the files as a clean start expects them.
    pub fn close(&mut self) -> Result<(), StorageError> {
        self.log.trim()?;
        self.log.flush()
    }

    /// For `LogDir::checkpoint`.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            recovery_point: self.log.recovery_point(),
            log_start_offset: self.log.log_start_offset(),
            first_dirty: self.log.first_dirty(),
        }
    }

    /// Bytes of the log.
    pub fn size_bytes(&self) -> u64 {
        self.log.size_bytes()
    }
}

fn append(log: &mut Log, batch: BatchBuilder, now_ms: i64) -> Result<(), StorageError> {
    if batch.is_empty() {
        return Ok(());
    }
    let bytes = batch.finish();
    let header = check_produced(&bytes).expect("a batch that was just built is right");
    match log.append(&bytes, &header, LeaderEpoch(0), now_ms) {
        Ok(_) => Ok(()),
        Err(AppendError::Storage(error)) => Err(error),
        Err(AppendError::TooLargeForSegment { size, .. }) => {
            unreachable!("{size} bytes fit in a segment of 1 GB")
        }
    }
}

fn storage_error(error: ReadError) -> StorageError {
    match error {
        ReadError::Storage(error) => error,
        error @ ReadError::OffsetOutOfRange { .. } => {
            StorageError::of("read", OFFSETS_TOPIC)(std::io::Error::other(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::MemoryStorage;

    fn open(storage: &MemoryStorage) -> OffsetStore {
        OffsetStore::open(Arc::new(storage.clone()), "o-0".into(), RecoveryHints::default()).unwrap()
    }

    fn commit(store: &mut OffsetStore, number: i64) {
        let partition = TopicPartition::new("clicks", (number % 3) as i32);
        let committed = CommittedOffset {
            offset: Offset(number),
            metadata: "m".repeat(4_000),
            ..CommittedOffset::default()
        };
        store.commit(number, "g", &[(&partition, committed)]).unwrap();
    }

    #[test]
    fn the_log_is_compacted_when_it_is_mostly_old_commits_and_no_crash_loses_one() {
        let storage = MemoryStorage::new();
        let mut store = open(&storage);
        let killed = || open(&storage.kill()).groups().clone();
        let without_power = || open(&storage.crash(|_, _| 0)).groups().clone();
        let (mut largest, mut compactions) = (0, 0);
        for number in 0..3_000 {
            commit(&mut store, number);
            largest = largest.max(store.size_bytes());
            if !store.needs_compaction() {
                continue;
            }
            let (before, size) = (store.groups().clone(), store.size_bytes());
            let mut flush = store.begin_flush(number).unwrap().expect("commits were written");
            assert_eq!(killed(), before, "after {number}, not synced yet");
            commit(&mut store, number);
            flush.run();
            assert_eq!(without_power(), before, "after {number}, synced");
            store.finish_flush(flush).unwrap();
            assert!(store.size_bytes() < size / 10, "the old commits are gone");
            assert_eq!(without_power(), before, "after {number}, with the old commits gone");
            assert_eq!(&killed(), store.groups(), "a commit that came during the sync stays");
            compactions += 1;
        }
        assert!(compactions >= 2, "{compactions} compactions");
        assert!(largest < MIN_COMPACTION_BYTES + 100_000, "{largest} bytes");
        assert_eq!(&killed(), store.groups());
    }

    /// A sync takes as long as the disk does, and one group's commit holds up all groups.
    #[test]
    fn no_commit_waits_for_the_disk() {
        let storage = MemoryStorage::new();
        let mut store = open(&storage);
        storage.fail_syncs(true);
        let mut number = 0;
        while store.size_bytes() < 2 * MIN_COMPACTION_BYTES {
            commit(&mut store, number);
            number += 1;
        }
        let mut flush = store.begin_flush(number).unwrap().expect("commits were written");
        flush.run();
        assert!(store.finish_flush(flush).is_err());
        assert_eq!(open(&storage.kill()).groups(), store.groups(), "what was not synced is not removed");
    }

    #[test]
    fn a_log_of_groups_that_are_gone_is_emptied() {
        let storage = MemoryStorage::new();
        let mut store = open(&storage);
        (0..1_100).for_each(|number| commit(&mut store, number));
        let all: Vec<_> = store.groups()["g"].keys().cloned().collect();
        store.delete(1_100, "g", &all).unwrap();
        for _ in 0..2 {
            if let Some(mut flush) = store.begin_flush(1_100).unwrap() {
                flush.run();
                store.finish_flush(flush).unwrap();
            }
        }
        assert_eq!((store.size_bytes(), store.is_unsynced()), (0, false));
        assert!(open(&storage.crash(|_, _| 0)).groups().is_empty());
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
}
