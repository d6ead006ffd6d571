//! Putting a cleaned segment in the place of the old ones, so that no crash loses anything.
//!
//! ```text
//! step  files of segments 0, 40, 70 that become one                 a start after a crash
//! ────  ──────────────────────────────────────────────────────────  ─────────────────────────
//!  1    0.log 40.log 70.log   0.log.cleaned 0.index.cleaned …       removes *.cleaned
//!  2    0.log 40.log 70.log   0.log.swap    0.index.cleaned …       goes on with step 3
//!  3    0.log                 0.log.swap    0.index.cleaned …       goes on with step 3
//!  4    0.log                               0.index.cleaned …       makes the indexes again
//!  5    0.log 0.index 0.timeindex                                   has nothing to do
//! ```
//!
//! Step 2 comes when all of the new segment is on the disk; from then on it counts. Which segments
//! it replaces follows from itself: those that begin within its offsets, for it ends with the last
//! offset of the last one. Step 4 is one renaming, over the old segment of the same name.
//!
//! Source: Kafka's `LogSegments.replaceSegments` and KAFKA-12520.

use std::path::Path;

use protocol::records::Offset;

use super::segment::{base_offset_of, beside, file_path};
use super::walk::{Step, Walk};
use super::{Storage, StorageError};

/// The extension of what is not whole yet.
pub(super) const CLEANED: &str = "cleaned";
const SWAP: &str = "swap";
const INDEXES: [&str; 2] = ["index", "timeindex"];

/// Step 2: from here on the new segment counts.
pub(super) fn name(storage: &dyn Storage, log: &Path) -> Result<(), StorageError> {
    rename(storage, &beside(log, CLEANED), &beside(log, SWAP))
}

/// Step 5: the new segment, which stands in its place, gets its indexes.
pub(super) fn install_indexes(storage: &dyn Storage, log: &Path) -> Result<(), StorageError> {
    for extension in INDEXES {
        let path = log.with_extension(extension);
        rename(storage, &beside(&path, CLEANED), &path)?;
    }
    Ok(())
}

/// Steps 3 and 4, for the segments that begin at `bases`.
pub(super) fn install(storage: &dyn Storage, dir: &Path, bases: &[Offset]) -> Result<(), StorageError> {
    for &base in &bases[1..] {
        for extension in ["index", "timeindex", "log"] {
            remove(storage, &file_path(dir, base, extension))?;
        }
    }
    // They would speak of what no longer stands there.
    for extension in INDEXES {
        remove(storage, &file_path(dir, bases[0], extension))?;
    }
    let log = file_path(dir, bases[0], "log");
    rename(storage, &beside(&log, SWAP), &log)
}

/// Finishes what a crash has cut short, and removes what was not whole.
pub(super) fn recover(storage: &dyn Storage, dir: &Path) -> Result<(), StorageError> {
    let names = storage.list(dir).map_err(StorageError::of("list", dir))?;
    for name in &names {
        let swapped = name.strip_suffix(SWAP).and_then(|name| name.strip_suffix('.'));
        let Some(base) = swapped.and_then(base_offset_of) else { continue };
        let path = dir.join(name);
        let end = end_of(storage, &path, base)?;
        let covered = names.iter().filter_map(|name| base_offset_of(name));
        let covered = covered.filter(|other| (base + 1..end).contains(other));
        install(storage, dir, &[base].into_iter().chain(covered).collect::<Vec<_>>())?;
    }
    for name in names.iter().filter(|name| is_unfinished(name)) {
        remove(storage, &dir.join(name))?;
    }
    Ok(())
}

/// Removes what a cleaning that failed has written: on a full disk it takes the last of the room.
pub(super) fn remove_unfinished(storage: &dyn Storage, dir: &Path) {
    for name in storage.list(dir).unwrap_or_default().iter().filter(|name| is_unfinished(name)) {
        // The next cleaning writes over it, and the next start removes it.
        let _left_for_later = storage.remove(&dir.join(name));
    }
}

fn is_unfinished(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == CLEANED)
}

/// The offset behind the last batch of a segment file.
fn end_of(storage: &dyn Storage, path: &Path, base: Offset) -> Result<Offset, StorageError> {
    let file = storage.open(path).map_err(StorageError::of("open", path))?;
    let len = file.len().map_err(StorageError::of("measure", path))?;
    let mut walk = Walk::headers(&*file, 0, len);
    let mut end = base;
    while let Step::Batch { header, .. } = walk.next_header().map_err(StorageError::of("read", path))? {
        end = header.next_offset();
    }
    Ok(end)
}

fn rename(storage: &dyn Storage, from: &Path, to: &Path) -> Result<(), StorageError> {
    storage.rename(from, to).map_err(StorageError::of("rename", from))
}

fn remove(storage: &dyn Storage, path: &Path) -> Result<(), StorageError> {
    storage.remove(path).map_err(StorageError::of("remove", path))
}
