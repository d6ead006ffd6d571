//! Opening a log: trusting what may be trusted, checking the rest, cutting off what is torn.
//!
//! A batch is acknowledged when it is in the page cache. When this program is killed the kernel
//! still writes it out, so the file ends, at worst, in a batch that was half written when the kill
//! came. When the machine itself dies, everything since the last sync may be missing or torn, in
//! any order of pages. Both are met in the same way: everything before the *recovery point* was
//! synced and is trusted; behind it each batch's checksum is computed, and the log ends where the
//! first one fails. What is left is always a prefix of what was written.
//!
//! Indexes and the leader-epoch file are only ever made from the log, so a missing or broken one is
//! made again.

use std::path::Path;

use protocol::records::Offset;

use super::epochs::Epochs;
use super::segment::{LogSegment, Trust, base_offset_of};
use super::{LogConfig, Storage, StorageError, swap};

/// What is known of a log before it is opened. The default knows nothing: everything is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryHints {
    /// The last run ended in order: nothing needs to be checked.
    pub clean_shutdown: bool,
    /// Everything before this offset was synced and is trusted.
    pub recovery_point: Offset,
    /// Records before this offset were deleted, though their segment may still be there.
    pub log_start_offset: Offset,
    /// Everything before this offset has been compacted.
    pub first_dirty: Offset,
}

/// What opening a log had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of log whose checksums were checked.
    pub scanned_bytes: u64,
    /// Bytes cut off because no whole, right batch began there.
    pub truncated_bytes: u64,
    /// Indexes that were missing or broken and were rebuilt.
    pub rebuilt_indexes: usize,
}

/// A log's parts, whole again.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) segments: Vec<LogSegment>,
    pub(super) epochs: Epochs,
    pub(super) log_start_offset: Offset,
    pub(super) recovery: Recovery,
}

/// See the module.
pub(super) fn recover(
    storage: &dyn Storage,
    dir: &Path,
    config: &LogConfig,
    hints: RecoveryHints,
) -> Result<Recovered, StorageError> {
    storage.create_dir(dir).map_err(StorageError::of("create", dir))?;
    swap::recover(storage, dir)?;
    let mut epochs = Epochs::open(storage, dir)?;
    let names = storage.list(dir).map_err(StorageError::of("list", dir))?;
    let bases: Vec<Offset> = names.iter().filter_map(|name| base_offset_of(name)).collect();
    let mut recovery = Recovery::default();
    let mut segments: Vec<LogSegment> = Vec::with_capacity(bases.len() + 1);
    let epochs_known = !epochs.is_empty();
    let mut torn = false;
    for (index, &base) in bases.iter().enumerate() {
        let limit = bases.get(index + 1).copied();
        if torn {
            // Behind a hole nothing counts: a crash must leave a prefix.
            let segment = LogSegment::create(storage, dir, base, config)?;
            recovery.truncated_bytes += segment.file.len().map_err(StorageError::of("measure", dir))?;
            segment.remove(storage)?;
            continue;
        }
        let below = limit.is_some_and(|limit| limit <= hints.recovery_point);
        let trust =
            if hints.clean_shutdown || below { Trust::Whole } else { Trust::Before(hints.recovery_point) };
        let (mut segment, opened) = LogSegment::open(storage, dir, base, limit, trust, config, |header| {
            if epochs_known {
                epochs.assign(header.partition_leader_epoch, header.base_offset);
            }
        })?;
        recovery.scanned_bytes += opened.scanned_bytes;
        recovery.truncated_bytes += opened.truncated_bytes;
        recovery.rebuilt_indexes += opened.rebuilt_indexes;
        // A segment can also end short of the next one between two batches, and look whole.
        let short = limit.is_some_and(|limit| segment.next_offset < limit);
        torn = matches!(trust, Trust::Before(_)) && (opened.truncated_bytes > 0 || short);
        if limit.is_some() && !torn {
            segment.seal();
        }
        // On a full disk the log can be read all the same, and the next flush tries again.
        if opened.rebuilt_indexes > 0
            && let Err(error) = segment.save_indexes(storage)
        {
            tracing::warn!("{error}; it is kept in memory meanwhile");
        }
        segments.push(segment);
    }

    if !epochs_known {
        // The file is gone; only the tail was read above, so ask every batch.
        for segment in &segments {
            segment.for_each_header(segment.base_offset, |header| {
                epochs.assign(header.partition_leader_epoch, header.base_offset);
            })?;
        }
    }
    let end = segments.last().map(|segment| segment.next_offset);
    if end.is_none_or(|end| end < hints.log_start_offset) {
        // Offsets must never be given twice, so the log goes on behind what was deleted.
        for segment in segments.drain(..) {
            segment.remove(storage)?;
        }
        segments.push(LogSegment::create(storage, dir, hints.log_start_offset, config)?);
    }
    let log_start_offset = segments[0].base_offset.max(hints.log_start_offset);
    let end = segments.last().map_or(log_start_offset, |segment| segment.next_offset);
    epochs.truncate_end(end);
    Ok(Recovered { segments, epochs, log_start_offset, recovery })
}
