//! What the next start should know.

use std::sync::atomic::Ordering;

use super::Topics;
use crate::log::StorageError;

/// So much is kept for the day on which the disk is full: a deletion takes a hundred bytes.
const RESERVE_BYTES: usize = 64 << 10;

impl Topics {
    /// Writes down how far every partition is synced and where it starts. Shortens the log of
    /// topics if most of it is old changes.
    pub(crate) fn checkpoint(&self) -> Result<(), StorageError> {
        self.write_checkpoint()?;
        let mut log = self.changes();
        if log.is_due() {
            let resources = self.read().resources.clone();
            log.snapshot(&self.all().iter().map(|topic| topic.entry()).collect::<Vec<_>>(), &resources)?;
        }
        self.keep_reserve();
        Ok(())
    }

    fn write_checkpoint(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.checkpointing.lock().expect("no thread panics while it holds this lock");
        // Before the topics are read: a deletion from here on makes it stale again.
        let was_stale = self.checkpoint_is_stale.swap(false, Ordering::AcqRel);
        let mut all = Vec::new();
        for topic in self.all() {
            all.extend(
                topic
                    .partitions
                    .iter()
                    .map(|partition| (partition.name.clone(), partition.lock().checkpoint())),
            );
        }
        self.log_dir.checkpoint(&all).inspect_err(|_| {
            self.checkpoint_is_stale.fetch_or(was_stale, Ordering::AcqRel);
        })
    }

    /// A topic that is made under the name of one that is gone must not inherit where that one
    /// began and how far it was synced.
    pub(super) fn forget_deleted(&self) -> Result<(), StorageError> {
        if self.checkpoint_is_stale.load(Ordering::Acquire) { self.write_checkpoint() } else { Ok(()) }
    }

    /// As if much had been written to the log of topics.
    #[cfg(test)]
    pub(in crate::controller) fn make_log_due(&self) {
        self.changes().make_due();
    }

    /// Sets room aside for the changes that make room, if there is any.
    pub(super) fn keep_reserve(&self) {
        self.reserve.fill(RESERVE_BYTES);
    }

    /// Closes every partition and marks the data directory as closed in order.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        for topic in self.all() {
            for partition in &topic.partitions {
                partition.lock().close()?;
            }
        }
        self.checkpoint()?;
        self.changes().close()?;
        self.log_dir.close()
    }
}
