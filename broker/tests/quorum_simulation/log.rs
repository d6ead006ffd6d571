//! A metadata log of which only what elections look at is there: each record's epoch, and a number
//! that no other record has.

use broker::quorum::MetadataLogView;
use protocol::records::{LeaderEpoch, Offset};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) epoch: i32,
    pub(crate) number: u64,
}

/// Records, of which the first `synced` survive a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    pub(crate) synced: usize,
}

impl Log {
    pub(crate) fn truncate(&mut self, at: usize) {
        self.entries.truncate(at);
        self.synced = self.synced.min(at);
    }

    /// Syncs all. Returns what wasn't synced before.
    pub(crate) fn sync(&mut self) -> &[Entry] {
        let before = std::mem::replace(&mut self.synced, self.entries.len());
        &self.entries[before..]
    }
}

impl MetadataLogView for Log {
    fn end(&self) -> Offset {
        Offset(self.entries.len() as i64)
    }

    fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|last| LeaderEpoch(last.epoch))
    }

    fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let last = self.last_epoch()?;
        if epoch == last {
            return Some((epoch, self.end()));
        }
        let end = self.entries.partition_point(|entry| entry.epoch <= epoch.0);
        let later = self.entries.get(end).map(|_| Offset(end as i64))?;
        Some((end.checked_sub(1).map_or(epoch, |last| LeaderEpoch(self.entries[last].epoch)), later))
    }
}
