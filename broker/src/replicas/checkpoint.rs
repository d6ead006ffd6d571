//! What the next start should know.

use std::sync::atomic::Ordering;

use super::Replicas;
use crate::log::StorageError;

impl Replicas {
    /// Writes down how far every replica is synced and where it starts.
    pub(crate) fn checkpoint(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.checkpointing.lock().expect("no thread panics while it holds this lock");
        // Before the replicas are read: a deletion from here on makes it stale again.
        let was_stale = self.checkpoint_is_stale.swap(false, Ordering::AcqRel);
        let replicas = self.all();
        let all: Vec<_> =
            replicas.iter().map(|replica| (replica.name.clone(), replica.lock().checkpoint())).collect();
        self.log_dir.checkpoint(&all).inspect_err(|_| {
            self.checkpoint_is_stale.fetch_or(was_stale, Ordering::AcqRel);
        })
    }

    /// A topic that is made under the name of one that is gone must not inherit where that one
    /// began and how far it was synced.
    pub(super) fn forget_deleted(&self) -> Result<(), StorageError> {
        if self.checkpoint_is_stale.load(Ordering::Acquire) { self.checkpoint() } else { Ok(()) }
    }

    /// Closes every replica. A checkpoint follows, and then the mark that all ended in order.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        self.all().iter().try_for_each(|replica| replica.lock().close())
    }

    /// Marks the data directory as closed in order.
    pub(crate) fn mark_closed(self) -> Result<(), StorageError> {
        self.log_dir.close()
    }
}
