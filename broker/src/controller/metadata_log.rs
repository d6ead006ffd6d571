//! The metadata log: each change of what the cluster has is a batch of records at the end of a log.
//!
//! The log is `__cluster_metadata-0`, in Kafka's form: `kafka-dump-log --cluster-metadata-decoder`
//! reads it. A change is one batch and is synced before it counts, so a crash can tear the last
//! batch alone, which was not acknowledged yet. When most of the log is changes that later ones
//! have undone, a *snapshot* of what is alive is written behind its end, and only then all before
//! it is removed: whenever a crash comes, reading from the start gives the same image.
//!
//! The log has a leader like any other, and each leader an epoch, which its batches carry. Who
//! leads is elected (`voter.rs`), by a broker that is alone each time it starts.
//!
//! An older version keeps all topics in one text file (`topics_file.rs`). A data directory that has
//! one goes by it, whatever the log says: the file is removed once all of it is in the log, and
//! before anything else changes.
//!
//! # Simplifications
//! - Records carry no time: nothing asks when a topic was made.
//! - Kafka writes a snapshot into a file of its own; here it stands in the log.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::metadata_log::MetadataRecord;
use protocol::records::{BatchBuilder, LeaderEpoch, Offset, check_batch, records};
use thiserror::Error;

use super::image::{Image, MAX_PARTITIONS, PartitionRegistration, Topic};
use super::names::METADATA_TOPIC;
use super::records::{of_image, of_topic};
use super::topics_file::{self, TopicEntry};
use super::voter::Voter;
use crate::log::{
    Log, LogConfig, LogDir, ReadError, RecoveryHints, Reserve, Storage, StorageError, TopicPartition,
    read_file,
};

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

/// The log of what the cluster has.
#[derive(Debug)]
pub(super) struct MetadataLog {
    log: Log,
    voter: Voter,
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
        seed: u64,
        now_ms: i64,
    ) -> Result<(Self, Image), MetadataLogError> {
        let (dir, old) = (log_dir.partition_dir(&name()), data_dir.join("topics"));
        let start = |storage| Self::of(storage, data_dir, &dir, node_id, seed, now_ms);
        let Some(bytes) = read_file(&**storage, &old, MAX_FILE_BYTES)? else {
            check_damage(&**storage, &dir)?;
            let log = start(storage)?;
            let image = log.replay()?;
            return Ok((log, image));
        };
        let is_wrong = |reason| MetadataLogError::Damaged { path: old.clone(), reason };
        let entries = topics_file::decode(&String::from_utf8_lossy(&bytes))
            .map_err(|source| is_wrong(source.to_string()))?;
        if entries.iter().any(|entry| entry.name == METADATA_TOPIC) {
            return Err(is_wrong(format!("it has a topic {METADATA_TOPIC}, which is the broker's own")));
        }
        let mut image = Image::default();
        for topic in entries.into_iter().map(|entry| moved(entry, node_id)) {
            of_topic(&topic).try_for_each(|record| image.apply(record)).map_err(is_wrong)?;
        }
        let log = reserve.spend(|| {
            storage.remove_dir(&dir).map_err(StorageError::of("remove", &dir))?;
            let mut log = start(storage)?;
            log.write_all(&image)?;
            Ok(log)
        })?;
        storage.remove(&old).map_err(StorageError::of("remove", &old))?;
        storage.sync_dir(data_dir).map_err(StorageError::of("sync", data_dir))?;
        Ok((log, image))
    }

    fn of(
        storage: &Arc<dyn Storage>,
        data_dir: &Path,
        dir: &Path,
        node_id: i32,
        seed: u64,
        now_ms: i64,
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
                "cut off {} bytes of a change of the metadata that was being written when the broker died",
                recovery.truncated_bytes
            );
        }
        let voter = Voter::open(storage, dir, node_id, &mut log, seed, now_ms)?;
        Ok(Self { log, voter, look_at_records: MIN_SNAPSHOT_RECORDS })
    }

    fn replay(&self) -> Result<Image, MetadataLogError> {
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
                // That somebody else leads changes nothing of what the cluster has.
                let is_change = !header.attributes.is_control();
                for record in records(rest).map_err(|error| damaged(from, &error))?.filter(|_| is_change) {
                    let record = record.map_err(|error| damaged(from, &error))?;
                    let change = MetadataRecord::decode(record.value.unwrap_or_default())
                        .map_err(|error| damaged(record.offset, &error))?;
                    image.apply(change).map_err(|reason| damaged(record.offset, &reason))?;
                }
                from = header.next_offset();
                rest = &rest[header.total_len()..];
            }
        }
        Ok(image)
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
        self.voter.append(&mut self.log, &batch.finish())
    }

    fn write_all(&mut self, image: &Image) -> Result<(), StorageError> {
        let mut batch = BatchBuilder::new();
        for record in of_image(image) {
            batch.push(NO_TIME_MS, None, Some(&record.encode()));
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
    pub(super) fn snapshot(&mut self, image: &Image) -> Result<(), StorageError> {
        let alive = of_image(image).count() as u64;
        // Should there be no room for it, it is not tried again at once.
        self.look_at_records = MIN_SNAPSHOT_RECORDS.max(alive * 2).max(self.record_count() + alive + 1);
        if alive * 2 >= self.record_count() {
            return Ok(());
        }
        self.log.roll()?;
        let start = self.log.log_end_offset();
        self.write_all(image)?;
        self.log.flush()?;
        self.log.delete_before(start)?;
        self.look_at_records = MIN_SNAPSHOT_RECORDS.max(alive * 2);
        Ok(())
    }

    /// The epoch under which this run writes.
    pub(super) fn leader_epoch(&self) -> LeaderEpoch {
        self.voter.epoch()
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

/// A topic of the text file, which knew of one broker.
fn moved(TopicEntry { name, id, partitions, config }: TopicEntry, node_id: i32) -> Topic {
    let partition = PartitionRegistration {
        replicas: vec![node_id],
        isr: vec![node_id],
        leader: Some(node_id),
        ..PartitionRegistration::default()
    };
    // Nor are more than one too many made: the image refuses that one.
    let partitions = vec![partition; partitions.min(MAX_PARTITIONS + 1) as usize];
    Topic { name: name.into(), id, config, partitions }
}
