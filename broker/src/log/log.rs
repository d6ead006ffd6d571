//! The log itself.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::{BatchHeader, LeaderEpoch, Offset};

use super::{AppendError, LogConfig, ReadError, Storage, StorageError, StorageFile};

/// One partition on disk: a row of segments, the last of which is written to.
#[derive(Debug)]
pub struct Log {}

/// What is known of a log before it is opened. The default knows nothing: everything is scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The last run ended in order: nothing needs to be scanned.
    pub clean: bool,
    /// Everything before this offset was synced and is trusted.
    pub recovery_point: Offset,
    /// Records before this offset were deleted, though their segment may still be there.
    pub log_start_offset: Offset,
}

/// What opening a log had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of log whose checksums were checked.
    pub scanned_bytes: u64,
    /// Bytes cut off because no whole, right batch began there.
    pub truncated_bytes: u64,
    /// Indexes that were missing or broken and made anew.
    pub rebuilt_indexes: usize,
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

/// Whole batches in a file: what a fetch sends. The bytes are immutable; holding the region keeps
/// them readable even when retention removes the file.
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
}

/// An offset found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// The record's, ms since 1970.
    pub timestamp_ms: i64,
    /// The record's.
    pub offset: Offset,
    /// Leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// What retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Segments.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A sync to be done without holding the log: `run` it on a thread that may block, then hand it to
/// [`Log::finish_flush`].
#[derive(Debug)]
pub struct PendingFlush {}

impl PendingFlush {
    /// Syncs. May take as long as the disk does.
    pub fn run(&mut self) {
        todo!()
    }
}

impl Log {
    /// Opens the log in `dir`, or starts one there. `now_ms` counts from 1970.
    pub fn open(
        _storage: Arc<dyn Storage>,
        _dir: PathBuf,
        _config: LogConfig,
        _opening: Opening,
        _now_ms: i64,
    ) -> Result<(Self, Recovery), StorageError> {
        todo!()
    }

    /// Appends one checked batch, with the offset and `epoch` written into it, in one write.
    pub fn append(
        &mut self,
        _batch: &[u8],
        _header: &BatchHeader,
        _epoch: LeaderEpoch,
        _now_ms: i64,
    ) -> Result<Appended, AppendError> {
        todo!()
    }

    /// The batch that contains `from` and whole batches after it, `max_bytes` at most, but always
    /// at least one batch. Never crosses a segment's end. Empty at the end of the log.
    pub fn read(&self, _from: Offset, _max_bytes: usize) -> Result<FileRegion, ReadError> {
        todo!()
    }

    /// First record whose timestamp is `timestamp_ms` or later.
    pub fn offset_for_timestamp(
        &self,
        _timestamp_ms: i64,
    ) -> Result<Option<TimestampedOffset>, StorageError> {
        todo!()
    }

    /// First of the records with the largest timestamp; `None` when the log is empty.
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimestampedOffset>, StorageError> {
        todo!()
    }
}
