//! Where each leader epoch begins.
//!
//! # The `leader-epoch-checkpoint` file (text, Kafka's)
//!
//! ```text
//! 0            version
//! 2            how many lines follow
//! 0 0          epoch, first offset written under it
//! 3 1041
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::records::{LeaderEpoch, Offset};

use super::{NamedFile, Storage, StorageError, StorageFile, read_file, replace_file_lazily};

/// More than a partition can ever have; a larger file is none of ours.
const MAX_FILE_LEN: u64 = 16 << 20;

/// Leader epochs in order, each with its first offset.
#[derive(Debug)]
pub(super) struct Epochs {
    path: PathBuf,
    starts: Vec<(LeaderEpoch, Offset)>,
    /// The file does not say this yet.
    changed: bool,
    /// The file as last written, until it is synced.
    unsynced: Option<Arc<dyn StorageFile>>,
}

impl Epochs {
    /// Reads the file; a missing or unreadable one is as good as empty, the batches know better.
    pub(super) fn open(storage: &dyn Storage, dir: &Path) -> Result<Self, StorageError> {
        let path = dir.join("leader-epoch-checkpoint");
        let bytes = read_file(storage, &path, MAX_FILE_LEN)?.unwrap_or_default();
        let starts = std::str::from_utf8(&bytes).ok().and_then(parse).unwrap_or_default();
        Ok(Self { path, starts, changed: false, unsynced: None })
    }

    /// Whether none is known.
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Notes that `epoch` writes from `offset` on. No news if it did before.
    pub(super) fn assign(&mut self, epoch: LeaderEpoch, offset: Offset) {
        if epoch.0 >= 0 && self.starts.last().is_none_or(|last| last.0 < epoch && last.1 <= offset) {
            // An epoch that never wrote anything leaves no trace.
            self.starts.retain(|start| start.1 < offset);
            self.starts.push((epoch, offset));
            let in_order = self.starts.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
            assert!(in_order, "leader epochs and their offsets rise: {:?}", self.starts);
            self.changed = true;
        }
    }

    /// The last of them.
    pub(super) fn latest(&self) -> Option<LeaderEpoch> {
        self.starts.last().map(|start| start.0)
    }

    /// Forgets what begins at or after the log's end.
    pub(super) fn truncate_end(&mut self, log_end: Offset) {
        let before = self.starts.len();
        self.starts.retain(|start| start.1 < log_end);
        self.changed |= self.starts.len() < before;
    }

    /// The largest epoch not after `epoch`, and the offset after its last record. As Kafka's
    /// `LeaderEpochFileCache.endOffsetFor`.
    pub(super) fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<(LeaderEpoch, Offset)> {
        let latest = self.starts.last()?;
        if epoch == latest.0 {
            return Some((epoch, log_end));
        }
        let next = self.starts.partition_point(|start| start.0 <= epoch);
        let end = self.starts.get(next)?.1;
        Some(next.checked_sub(1).map_or((epoch, end), |floor| (self.starts[floor].0, end)))
    }

    /// Writes the file if it does not say the same already. The next flush syncs it; until then the
    /// batches behind the recovery point say it as well.
    pub(super) fn save(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        if self.changed {
            let mut text = format!("0\n{}\n", self.starts.len());
            for (epoch, offset) in &self.starts {
                let _ = writeln!(text, "{epoch} {offset}");
            }
            self.unsynced = Some(replace_file_lazily(storage, &self.path, text.as_bytes())?);
            self.changed = false;
        }
        Ok(())
    }

    /// The file, if a flush must sync it.
    pub(super) fn take_unsynced(&mut self) -> Option<NamedFile> {
        self.unsynced.take().map(|file| (self.path.clone(), file))
    }
}

fn parse(text: &str) -> Option<Vec<(LeaderEpoch, Offset)>> {
    // A power loss may leave the beginning of the file, and 1 of an offset that was 13.
    let mut lines = text.strip_suffix('\n')?.lines();
    if lines.next()? != "0" {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let mut starts: Vec<(LeaderEpoch, Offset)> = Vec::new();
    for line in lines {
        let (epoch, offset) = line.split_once(' ')?;
        let start = (LeaderEpoch(epoch.parse().ok()?), Offset(offset.parse().ok()?));
        if starts.last().is_some_and(|last| last.0 >= start.0 || last.1 > start.1) {
            return None;
        }
        starts.push(start);
    }
    (starts.len() == count).then_some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::MemoryStorage;

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let storage = MemoryStorage::new();
        let mut epochs = Epochs::open(&storage, Path::new("t-0")).unwrap();
        assert_eq!(epochs.end_of(LeaderEpoch(0), Offset(0)), None);
        for (epoch, offset) in [(1, 0), (1, 5), (3, 10), (4, 10), (2, 12)] {
            epochs.assign(LeaderEpoch(epoch), Offset(offset));
        }
        epochs.save(&storage).unwrap();
        let epochs = Epochs::open(&storage, Path::new("t-0")).unwrap();
        let end =
            |epoch| epochs.end_of(LeaderEpoch(epoch), Offset(25)).map(|(epoch, offset)| (epoch.0, offset.0));
        assert_eq!(end(0), Some((0, 0)));
        assert_eq!(end(1), Some((1, 10)));
        assert_eq!(end(3), Some((1, 10)));
        assert_eq!(end(4), Some((4, 25)));
        assert_eq!(end(5), None);
    }

    #[test]
    fn a_broken_file_is_empty() {
        for text in [
            "",
            "0\n2\n1 1\n",
            "0\n1\n1 1",
            "1\n0\n",
            "0\n1\nx y\n",
            "0\n2\n3 1\n2 5\n",
            "0\n99999999999999999999\n",
        ] {
            let storage = MemoryStorage::new();
            storage.put(Path::new("t-0/leader-epoch-checkpoint"), text.as_bytes());
            assert!(Epochs::open(&storage, Path::new("t-0")).unwrap().starts.is_empty(), "{text:?}");
        }
    }
}
