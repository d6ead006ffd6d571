//! A partition as its leader sees it.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{BatchHeader, LeaderEpoch, Offset, TimestampType};
use thiserror::Error;

use super::error::ProduceError;
use super::producer_state::{ProducerDescription, ProducerState, SequenceCheck};
use super::snapshots::Snapshots;
use super::validation::{Validated, ValidationBudget, validate};
use crate::log::{
    Appended, Checkpoint, CleanerConfig, Cleaning, CleaningStats, DeletedSegments, FileRegion, Log,
    LogConfig, PendingFlush, ReadError, Recovery, RecoveryHints, Storage, StorageError, TimestampSearch,
};

/// Why records were not deleted.
#[derive(Debug, Error)]
pub enum DeleteRecordsError {
    /// Past the high watermark, or before the log's start by a negative number:
    /// `OFFSET_OUT_OF_RANGE`.
    #[error("can't delete up to {requested}: the records end at {high_watermark}")]
    OffsetOutOfRange {
        /// What was asked for.
        requested: Offset,
        /// As far as one may go.
        high_watermark: Offset,
    },
    /// `KAFKA_STORAGE_ERROR`.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a broker is to a partition of which it has a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Producers write here, and consumers read.
    Leader,
    /// Another broker leads. Nothing is written or read here.
    Follower,
}

/// One replica of a partition: this broker's.
#[derive(Debug)]
pub struct Partition {
    pub(super) log: Log,
    pub(super) producers: ProducerState,
    pub(super) snapshots: Snapshots,
    pub(super) role: Role,
    pub(super) leader_epoch: LeaderEpoch,
}

/// A flush under way: see [`Partition::begin_flush`].
#[derive(Debug)]
pub struct PartitionFlush {
    log: PendingFlush,
    snapshots: Snapshots,
    /// Producer state up to this offset, which is where the flush ends.
    snapshot: (Offset, Vec<u8>),
    saved: Result<(), StorageError>,
}

impl PartitionFlush {
    /// Syncs, then keeps the producer state. May take as long as the disk does.
    pub fn run(&mut self) {
        self.log.run();
        // Only now, so that no snapshot speaks of records that a power loss may take.
        if self.log.is_synced() {
            let (offset, bytes) = &self.snapshot;
            self.saved = self.snapshots.save(*offset, bytes);
        }
    }
}

impl Partition {
    /// Opens the partition in `dir`, or starts one, and leads it. `leader_epoch` is written into
    /// every batch.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        config: LogConfig,
        leader_epoch: LeaderEpoch,
        hints: RecoveryHints,
    ) -> Result<(Self, Recovery), StorageError> {
        Self::open_as(Role::Leader, storage, dir, config, leader_epoch, hints)
    }

    /// The same in any role.
    pub fn open_as(
        role: Role,
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        config: LogConfig,
        leader_epoch: LeaderEpoch,
        hints: RecoveryHints,
    ) -> Result<(Self, Recovery), StorageError> {
        let (mut log, recovery) = Log::open(Arc::clone(&storage), dir.clone(), config, hints)?;
        if role == Role::Leader {
            log.begin_epoch(leader_epoch);
        }
        let snapshots = Snapshots::new(storage, dir);
        let producers = producers_of(&log, &snapshots)?;
        Ok((Self { log, producers, snapshots, role, leader_epoch }, recovery))
    }

    /// Checks and appends what a producer sent for this partition, here and now.
    pub fn append(&mut self, records: &[u8], now_ms: i64) -> Result<Appended, ProduceError> {
        let validated = validate(records, self.log.config(), &mut { ValidationBudget::UNBOUNDED }, now_ms)?;
        self.append_validated(&validated, now_ms)
    }

    /// Appends what was [`validate`]d. A batch that an idempotent producer sent before (one of its
    /// last five) is not written again: the answer is the first one's. `now_ms` counts from 1970.
    pub fn append_validated(
        &mut self,
        validated: &Validated<'_>,
        now_ms: i64,
    ) -> Result<Appended, ProduceError> {
        assert_eq!(self.role, Role::Leader, "who does not lead appends nothing for a producer");
        let Validated { header, bytes } = validated;
        if let SequenceCheck::Duplicate { base_offset, last_offset, timestamp_ms } =
            self.producers.check(header)?
        {
            return Ok(Appended {
                base_offset,
                last_offset,
                log_append_time_ms: self.stamps_appends().then_some(timestamp_ms),
                log_start_offset: self.log.log_start_offset(),
            });
        }
        let end = self.log.log_end_offset();
        let appended = self.log.append(bytes, header, self.leader_epoch, now_ms)?;
        assert_eq!(appended.base_offset, end, "a batch gets the offsets behind the last one's");
        assert_eq!(
            self.high_watermark(),
            appended.last_offset + 1,
            "one replica: what is written is committed"
        );
        if header.is_idempotent() {
            let placed = BatchHeader { base_offset: appended.base_offset, ..*header };
            self.producers.note(&placed, Some(now_ms));
        }
        Ok(appended)
    }

    fn stamps_appends(&self) -> bool {
        self.log.config().timestamp_type == TimestampType::LogAppendTime
    }

    /// The batch that contains `from` and whole ones after it up to the high watermark, at most
    /// `max_bytes` but always at least one batch. Empty when `from` is the end.
    pub fn read(&self, from: Offset, max_bytes: usize) -> Result<FileRegion, ReadError> {
        self.log.read(from, max_bytes)
    }

    /// First offset there is (what `ListOffsets` calls earliest, -2).
    pub fn log_start_offset(&self) -> Offset {
        self.log.log_start_offset()
    }

    /// Consumers see what lies before this offset (`ListOffsets`' latest, -1). On one broker it is
    /// the end of the log.
    pub fn high_watermark(&self) -> Offset {
        self.log.log_end_offset()
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        self.log.log_end_offset()
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.log_start_offset() == self.log_end_offset()
    }

    /// What this broker is to it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// As given when it was opened.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Idempotent producers that have written here and are remembered (`DescribeProducers`).
    pub fn producers(&self) -> impl ExactSizeIterator<Item = ProducerDescription> {
        self.producers.describe()
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.log.size_bytes()
    }

    /// Bytes from `from` to the high watermark, for `min_bytes` of a fetch: exact when `from` is
    /// among the newest batches, otherwise up to an index interval too many. Reads nothing.
    pub fn bytes_after(&self, from: Offset) -> u64 {
        self.log.bytes_after(from)
    }

    /// Looks for the first record whose timestamp is `timestamp_ms` or later: [`run`] it without
    /// holding the partition.
    ///
    /// [`run`]: TimestampSearch::run
    pub fn timestamp_search(&self, timestamp_ms: i64) -> TimestampSearch {
        self.log.timestamp_search(timestamp_ms)
    }

    /// Looks for the first of the records with the largest timestamp (`ListOffsets`' -3).
    pub fn max_timestamp_search(&self) -> TimestampSearch {
        self.log.max_timestamp_search()
    }

    /// `OffsetForLeaderEpoch`: the largest epoch not after `epoch` and where it ends; `None` when
    /// nothing is known of it.
    pub fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.log.end_of_epoch(epoch)
    }

    /// Removes records before `before` (`None`: all, up to the high watermark). Answers the new log
    /// start offset. Have the `LogDir` write a checkpoint before you answer, so that it lasts.
    pub fn delete_records(&mut self, before: Option<Offset>) -> Result<Offset, DeleteRecordsError> {
        let high_watermark = self.high_watermark();
        let requested = before.unwrap_or(high_watermark);
        if requested < Offset::ZERO || requested > high_watermark {
            return Err(DeleteRecordsError::OffsetOutOfRange { requested, high_watermark });
        }
        self.log.delete_before(requested)?;
        let start = self.log.log_start_offset();
        assert!(
            (requested..=high_watermark).contains(&start),
            "{requested} was to be deleted up to, and the log starts at {start} of {high_watermark}"
        );
        Ok(start)
    }

    /// Settings in force.
    pub fn config(&self) -> &LogConfig {
        self.log.config()
    }

    /// The topic's settings changed.
    pub fn set_config(&mut self, config: LogConfig) {
        self.log.set_config(config);
    }

    /// Does what time brings: applies retention, forgets producers that have been silent for a day.
    /// Cheap when there is nothing to do.
    pub fn tick(&mut self, now_ms: i64) -> Result<DeletedSegments, StorageError> {
        self.producers.expire(now_ms);
        self.log.apply_retention(now_ms)
    }

    /// When `tick` will next have something to do, ms since 1970; 0 means now.
    /// May move with every append.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        [self.log.next_retention_ms(), self.producers.next_expiry_ms()].into_iter().flatten().min()
    }

    /// When the log is dirty enough to be compacted, ms since 1970; 0 when it is now.
    pub fn next_cleaning_ms(&self) -> Option<i64> {
        self.log.next_cleaning_ms(self.high_watermark())
    }

    /// How much of what can be compacted is dirty, from 0 to 1.
    pub fn dirty_ratio(&self) -> f64 {
        self.log.dirty_ratio(self.high_watermark())
    }

    /// Starts a cleaning: [`Partition::advance_cleaning`] and `work`, without holding the
    /// partition, in turn, then [`Partition::finish_cleaning`]. `None` when nothing is due.
    pub fn begin_cleaning(&mut self, cleaner: &CleanerConfig, now_ms: i64) -> Option<Cleaning> {
        self.log.begin_cleaning(cleaner, self.high_watermark(), self.producers.last_offsets(), now_ms)
    }

    /// Does what needs the partition and takes no time; `false` when the cleaning is through.
    pub fn advance_cleaning(&mut self, cleaning: &mut Cleaning) -> Result<bool, StorageError> {
        let end = self.log.log_end_offset();
        let more = self.log.advance_cleaning(cleaning);
        assert_eq!(self.log.log_end_offset(), end, "compaction gives no offset a second time");
        more
    }

    /// Ends a cleaning, whether it is through or failed. Drop it without holding the partition.
    pub fn finish_cleaning(&mut self, cleaning: &Cleaning, failed: bool, now_ms: i64) {
        self.log.finish_cleaning(cleaning, failed, now_ms);
    }

    /// Cleans here and now, if that is due.
    pub fn clean(
        &mut self,
        cleaner: &CleanerConfig,
        now_ms: i64,
    ) -> Result<Option<CleaningStats>, StorageError> {
        self.log.clean(cleaner, self.high_watermark(), self.producers.last_offsets(), now_ms)
    }

    /// When `flush.ms` asks for the next flush, ms since 1970.
    pub fn next_flush_ms(&self) -> Option<i64> {
        self.log.next_flush_ms()
    }

    /// Starts a flush: `run` it without holding the partition, then [`Partition::finish_flush`] it.
    /// `None` when all is synced. Do this every minute or so, then write a checkpoint: a start
    /// after a crash checks what came later.
    pub fn begin_flush(&mut self) -> Result<Option<PartitionFlush>, StorageError> {
        let snapshot = (self.log.log_end_offset(), self.producers.encode());
        let Some(log) = self.log.begin_flush()? else { return Ok(None) };
        assert_eq!(snapshot.0, log.end(), "the producers' state is that of the records which are synced");
        Ok(Some(PartitionFlush { log, snapshots: self.snapshots.clone(), snapshot, saved: Ok(()) }))
    }

    /// Notes what a flush achieved.
    pub fn finish_flush(&mut self, flush: PartitionFlush) -> Result<(), StorageError> {
        self.log.finish_flush(flush.log)?;
        flush.saved
    }

    /// Flushes here and now.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        if let Some(mut flush) = self.begin_flush()? {
            flush.run();
            self.finish_flush(flush)?;
        }
        Ok(())
    }

    /// Flushes and leaves the files as a clean start expects them.
    pub fn close(&mut self) -> Result<(), StorageError> {
        self.log.trim()?;
        self.flush()
    }

    /// For `LogDir::checkpoint`.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            recovery_point: self.log.recovery_point(),
            log_start_offset: self.log.log_start_offset(),
            first_dirty: self.log.first_dirty(),
        }
    }
}

/// Who has written a log: what a snapshot says, and what the batches behind it do.
pub(super) fn producers_of(log: &Log, snapshots: &Snapshots) -> Result<ProducerState, StorageError> {
    snapshots.truncate(log.log_end_offset())?;
    let (from, mut producers) = snapshots.load(log.log_end_offset())?;
    let first = log.first_kept_offset();
    if from < first {
        // Who wrote what was deleted behind the snapshot is not known, and of a producer that is
        // not known any sequence number is taken. An old one would have the next batch refused.
        producers = ProducerState::default();
    }
    log.for_each_header(from.max(first), |header| {
        if header.base_offset >= from {
            producers.note(header, None);
        }
    })?;
    Ok(producers)
}

#[cfg(test)]
mod tests {
    use protocol::records::BatchBuilder;

    use super::*;
    use crate::log::MemoryStorage;

    /// A partition with one batch, and how many snapshots lie in its directory.
    fn partition(storage: &MemoryStorage) -> (Partition, impl Fn() -> usize + use<>) {
        let arc: Arc<dyn Storage> = Arc::new(storage.clone());
        let config = LogConfig::default();
        let (mut partition, _) =
            Partition::open(arc, "t-0".into(), config, LeaderEpoch(0), RecoveryHints::default()).unwrap();
        let mut batch = BatchBuilder::new();
        batch.push(1_000, None, Some(b"x"));
        let bytes = batch.finish().to_vec();
        partition.append(&bytes, 1_000).unwrap();
        let storage = storage.clone();
        let snapshots = move || {
            let is_one = |path: &std::path::Path| path.extension().is_some_and(|end| end == "snapshot");
            storage.sizes().iter().filter(|(path, _)| is_one(path)).count()
        };
        (partition, snapshots)
    }

    /// Sixty partitions finish a flush every minute on the thread that answers everybody.
    #[test]
    fn a_flush_does_all_its_writing_while_it_runs() {
        let storage = MemoryStorage::new();
        let (mut partition, snapshots) = partition(&storage);
        let mut flush = partition.begin_flush().unwrap().expect("something was written");
        flush.run();
        assert_eq!(snapshots(), 1);
        storage.limit_capacity(Some(0));
        partition.finish_flush(flush).unwrap();
        assert_eq!(partition.checkpoint().recovery_point, Offset(1));
    }

    #[test]
    fn no_snapshot_speaks_of_what_is_not_synced() {
        let storage = MemoryStorage::new();
        let (mut partition, snapshots) = partition(&storage);
        let mut flush = partition.begin_flush().unwrap().expect("something was written");
        storage.fail_syncs(true);
        flush.run();
        assert_eq!(snapshots(), 0);
        assert!(partition.finish_flush(flush).is_err());
        assert_eq!(partition.checkpoint().recovery_point, Offset::ZERO);
    }
}
