//! A new segment and the old ones in whose place it comes. See `log/swap.rs` for the steps.

use std::path::PathBuf;

use protocol::records::Offset;

use crate::log::segment::LogSegment;
use crate::log::{Log, Storage, StorageError, swap};

/// A new segment, whole and synced, that stands beside those which it will replace.
#[derive(Debug)]
pub(super) struct Replacement {
    segment: LogSegment,
    log: PathBuf,
}

impl Replacement {
    /// Syncs it, with its indexes.
    pub(super) fn sync(storage: &dyn Storage, mut segment: LogSegment) -> Result<Self, StorageError> {
        for (path, file) in segment.save_indexes_beside(storage, swap::CLEANED)? {
            file.sync().map_err(StorageError::of("sync", path))?;
        }
        let log = segment.path().to_owned();
        Ok(Self { segment, log })
    }

    /// From here on it counts.
    pub(super) fn name(&self, storage: &dyn Storage) -> Result<(), StorageError> {
        swap::name(storage, &self.log)
    }
}

impl Log {
    /// The new segment takes the place of those that begin at `bases`.
    pub(super) fn replace(&mut self, bases: &[Offset], new: Replacement) -> Result<(), StorageError> {
        let Replacement { segment, log } = new;
        let first = self.segments.partition_point(|old| old.base_offset < bases[0]);
        let range = first..first + bases.len();
        let old = self.segments.get(range.clone()).unwrap_or_default();
        assert!(
            old.iter().map(|old| old.base_offset).eq(bases.iter().copied())
                && range.end < self.segments.len(),
            "segments {bases:?} were cleaned, and the log has others in their place"
        );
        assert_eq!(
            (segment.base_offset, segment.next_offset),
            (old[0].base_offset, old[bases.len() - 1].next_offset),
            "a cleaned segment has the offsets of those which it replaces"
        );
        swap::install(&*self.storage, &self.dir, bases)?;
        swap::install_indexes(&*self.storage, &log)?;
        self.segments.splice(range, [segment]);
        Ok(())
    }
}
