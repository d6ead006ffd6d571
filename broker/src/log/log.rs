//! The log itself: a row of segments, the last of which is written to.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{BatchHeader, BrokerFields, LeaderEpoch, Offset, TimestampType};

use super::epochs::Epochs;
use super::recovery::{self, Recovered};
use super::segment::LogSegment;
use super::{AppendError, LogConfig, ReadError, Recovery, RecoveryHints, Storage, StorageError, StorageFile};

/// One partition on disk.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "log start offset is Kafka's term")]
pub struct Log {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) dir: PathBuf,
    pub(super) config: LogConfig,
    /// In order, never empty; the last one is the active segment.
    pub(super) segments: Vec<LogSegment>,
    pub(super) epochs: Epochs,
    pub(super) log_start_offset: Offset,
    /// Everything before it is synced, indexes too: recovery starts here.
    pub(super) recovery_point: Offset,
    /// Everything before it is synced, though perhaps not the indexes.
    pub(super) flushed_offset: Offset,
    /// When the oldest unsynced record came, ms since 1970.
    pub(super) unflushed_since_ms: Option<i64>,
    /// A sync failed. What the disk has is unknown from then on, and a second sync may succeed
    /// without having written anything, so nothing more is taken until the log is opened again.
    pub(super) broken: bool,
    /// Everything before it has been compacted.
    pub(super) first_dirty: Offset,
    /// A cleaning is under way: no closed segment goes meanwhile.
    pub(super) cleaning: bool,
    /// After one that failed none begins before then, ms since 1970.
    pub(super) cleaning_retry_ms: i64,
    /// Each flush under way holds it too: no end is cut meanwhile.
    pub(super) flushes: Arc<()>,
}

/// Where a batch went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The broker's time, ms since 1970, if the topic's timestamps are the broker's.
    pub log_append_time_ms: Option<i64>,
    /// First offset the log has.
    pub log_start_offset: Offset,
}

/// Whole batches in a file: what a fetch sends. Holding the region keeps them readable even when
/// retention removes the file. The bytes below the high watermark are immutable, and no consumer
/// gets others. A follower may, and an end that is cut and written again under its reads shows it
/// too few bytes, or such as fail their checksum.
#[derive(Clone, Debug)]
pub struct FileRegion {
    /// The segment's file.
    pub file: Arc<dyn StorageFile>,
    /// Where in it.
    pub position: u64,
    /// How many bytes. 0 when there is nothing after the offset that was asked for.
    pub len: usize,
}

impl FileRegion {
    /// Appends the bytes to `buffer`.
    pub fn read_to(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        self.file.read_to(buffer, self.position, self.len)
    }

    /// Takes at most so many bytes from its beginning.
    #[must_use]
    pub fn take_front(&mut self, at_most: usize) -> Self {
        let front =
            Self { file: Arc::clone(&self.file), position: self.position, len: self.len.min(at_most) };
        self.position += front.len as u64;
        self.len -= front.len;
        front
    }
}

impl Log {
    /// Opens the log in `dir`, or starts one there.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        config: LogConfig,
        hints: RecoveryHints,
    ) -> Result<(Self, Recovery), StorageError> {
        let Recovered { segments, epochs, log_start_offset, recovery } =
            recovery::recover(&*storage, &dir, &config, hints)?;
        let end = segments.last().expect("recovery leaves one segment at least").next_offset;
        // What was just checked is whole, but only what was synced is safe from a power loss.
        let recovery_point = if hints.clean_shutdown { end } else { hints.recovery_point.min(end) };
        assert!(log_start_offset <= end, "the log starts at {log_start_offset}, behind its end {end}");
        let log = Self {
            storage,
            dir,
            config,
            segments,
            epochs,
            log_start_offset,
            recovery_point,
            flushed_offset: recovery_point,
            unflushed_since_ms: None,
            broken: false,
            // Of records that are gone and come again nothing is known.
            first_dirty: if hints.first_dirty <= end { hints.first_dirty } else { Offset::ZERO },
            cleaning: false,
            cleaning_retry_ms: 0,
            flushes: Arc::default(),
        };
        Ok((log, recovery))
    }

    /// Appends one checked batch, with its offset and `epoch` written into it, in one write.
    /// `now_ms` counts from 1970.
    ///
    /// The caller vouches for the batch: that it can be read, and that `header` is its own.
    pub fn append(
        &mut self,
        batch: &[u8],
        header: &BatchHeader,
        epoch: LeaderEpoch,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.check_writable()?;
        if batch.len() > self.config.segment_bytes as usize {
            return Err(AppendError::TooLargeForSegment {
                size: batch.len(),
                max: self.config.segment_bytes,
            });
        }
        assert_eq!(batch.len(), header.total_len(), "the header is another batch's");
        let base_offset = self.log_end_offset();
        let placed = BatchHeader { base_offset, partition_leader_epoch: epoch, ..*header };
        if self.must_roll(&placed, batch.len()) {
            self.roll()?;
        }
        self.epochs.assign(epoch, base_offset);
        self.epochs.save(&*self.storage)?;
        let fields = BrokerFields { base_offset, partition_leader_epoch: epoch }.encode(header.batch_length);
        self.active_mut().append([&fields, &batch[BrokerFields::LEN..]], &placed)?;
        assert_eq!(self.log_end_offset(), placed.next_offset(), "the log ends behind what it took last");
        self.sync_if_due(now_ms)?;
        Ok(Appended {
            base_offset,
            last_offset: placed.last_offset(),
            log_append_time_ms: match placed.attributes.timestamp_type() {
                TimestampType::CreateTime => None,
                TimestampType::LogAppendTime => Some(placed.max_timestamp),
            },
            log_start_offset: self.log_start_offset,
        })
    }

    /// Takes nothing more until it is opened again: what belongs to it could not be read.
    pub(crate) fn give_up(&mut self) {
        self.broken = true;
    }

    /// Nothing is written behind what may not be on the disk.
    pub(super) fn check_writable(&self) -> Result<(), StorageError> {
        if self.broken {
            let source = io::Error::other("an earlier sync failed: restart the broker once the disk is well");
            return Err(StorageError { operation: "write to", path: self.dir.clone(), source });
        }
        Ok(())
    }

    /// Something was appended: `flush.messages` may ask for a sync.
    pub(super) fn sync_if_due(&mut self, now_ms: i64) -> Result<(), StorageError> {
        self.unflushed_since_ms.get_or_insert(now_ms);
        let unflushed = self.log_end_offset() - self.flushed_offset;
        if self.config.flush_messages.is_some_and(|limit| unflushed as u64 >= limit) {
            self.sync_records()?;
        }
        Ok(())
    }

    /// The batch that contains `from` and whole batches after it, `max_bytes` at most, but always
    /// at least one batch. Never crosses a segment's end. Empty at the end of the log.
    pub fn read(&self, from: Offset, max_bytes: usize) -> Result<FileRegion, ReadError> {
        let (start, end) = (self.log_start_offset, self.log_end_offset());
        if from < start || from > end {
            return Err(ReadError::OffsetOutOfRange { requested: from, start, end });
        }
        // Compaction or a repaired segment may have left a gap at a segment's end: go on behind it.
        for segment in &self.segments[self.segment_index(from)..] {
            let position = segment.position_of(from)?;
            if position < segment.size {
                let len = segment.whole_batches(position, max_bytes)?;
                assert!(
                    position + len as u64 <= segment.size,
                    "{len} bytes at {position} are more than the {} of whole batches",
                    segment.size
                );
                return Ok(FileRegion { file: Arc::clone(&segment.file), position, len });
            }
        }
        let active = self.active();
        Ok(FileRegion { file: Arc::clone(&active.file), position: active.size, len: 0 })
    }

    /// Bytes from `from` to the end: exact when `from` is among the newest batches, otherwise up to
    /// an index interval too many. Reads nothing.
    pub fn bytes_after(&self, from: Offset) -> u64 {
        let index = self.segment_index(from);
        let newer: u64 = self.segments[index + 1..].iter().map(|segment| segment.size).sum();
        let segment = &self.segments[index];
        newer + segment.size - segment.position_at_or_before(from)
    }

    /// A leader's reign begins: what it will write comes from here on.
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) {
        let end = self.log_end_offset();
        self.epochs.assign(epoch, end);
    }

    /// The epoch of the newest records, if there are any.
    pub(crate) fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.latest()
    }

    /// The largest leader epoch not after `epoch` and where it ends; `None` when it is unknown.
    pub fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.epochs.end_of(epoch, self.log_end_offset())
    }

    /// Shows the header of every batch from the one that holds `from` on.
    pub fn for_each_header(
        &self,
        from: Offset,
        mut visit: impl FnMut(&BatchHeader),
    ) -> Result<(), StorageError> {
        for segment in &self.segments[self.segment_index(from)..] {
            segment.for_each_header(from, &mut visit)?;
        }
        Ok(())
    }

    /// First offset that can be read.
    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// Batches from here on are in the files, also such as were deleted, until their segment goes.
    pub(crate) fn first_kept_offset(&self) -> Offset {
        self.segments[0].base_offset
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> Offset {
        self.active().next_offset
    }

    /// Everything before it is synced, indexes too.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Everything before it has been compacted.
    pub fn first_dirty(&self) -> Offset {
        self.first_dirty
    }

    /// Bytes of all segments, without indexes.
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// Settings in force.
    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Changes the settings. What is on disk follows with the next append and
    /// the next look at retention.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// Whether the active segment must be closed before this batch.
    pub(super) fn must_roll(&self, header: &BatchHeader, len: usize) -> bool {
        let active = self.active();
        let aged = active.first_timestamp_ms.is_some_and(|first| {
            header.max_timestamp.saturating_sub(first) > self.config.effective_segment_ms()
        });
        active.size > 0
            && (aged
                || !active.has_room(len, header.last_offset(), self.config.effective_segment_bytes())
                || active.index_len() >= self.config.segment_index_bytes as usize)
    }

    /// Closes the active segment and starts the next, unless there is nothing in it.
    pub fn roll(&mut self) -> Result<(), StorageError> {
        if self.active().size == 0 {
            return Ok(());
        }
        let next = LogSegment::create(&*self.storage, &self.dir, self.log_end_offset(), &self.config)?;
        assert!(
            next.base_offset > self.active().base_offset,
            "segment {} would follow segment {}",
            next.base_offset,
            self.active().base_offset
        );
        self.active_mut().seal();
        self.segments.push(next);
        Ok(())
    }

    /// The segment in which `offset` is, or would be.
    fn segment_index(&self, offset: Offset) -> usize {
        self.segments.partition_point(|segment| segment.base_offset <= offset).saturating_sub(1)
    }

    pub(super) fn active(&self) -> &LogSegment {
        self.segments.last().expect("a log has one segment at least")
    }

    pub(super) fn active_mut(&mut self) -> &mut LogSegment {
        self.segments.last_mut().expect("a log has one segment at least")
    }
}
