//! Room that is kept for the way out.
//!
//! On a full disk a topic could be deleted to make room, but that it is gone must be written down
//! first, and for that there is no room. A process that has opened all the files it may can't write
//! a new file either. So a file of zeros is set aside, open twice: it is given up for the one write
//! that frees the rest, and set aside again afterwards.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Storage, StorageError, StorageFile};

/// Its name is none of a partition.
const FILE: &str = ".reserve";

/// A file of zeros and two descriptors: a file is written, and its directory is synced.
#[derive(Debug)]
pub(crate) struct Reserve {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    held: Mutex<Option<[Arc<dyn StorageFile>; 2]>>,
}

impl Reserve {
    /// The reserve of a data directory, with what an earlier run has set aside.
    pub(crate) fn new(storage: Arc<dyn Storage>, data_dir: &Path) -> Self {
        Self { storage, path: data_dir.join(FILE), held: Mutex::new(None) }
    }

    /// Sets `bytes` aside, or more if more are set aside already. Without room for them there is no
    /// reserve until the next call.
    pub(crate) fn fill(&self, bytes: usize) {
        let mut held = self.lock();
        if let Some([file, _]) = &*held
            && file.len().is_ok_and(|len| len >= bytes as u64)
        {
            return;
        }
        let set_aside = || {
            let file = self.storage.open(&self.path)?;
            let len = file.len()? as usize;
            if len < bytes {
                file.write_at([&vec![0; bytes - len], &[]], len as u64)?;
            }
            Ok::<_, std::io::Error>([file, self.storage.open(&self.path)?])
        };
        *held = set_aside().ok();
        if held.is_none() {
            // Half a reserve is only less room for others.
            let _without_is_fine = self.storage.remove(&self.path);
        }
    }

    /// Does what makes room, with the reserve if there is no other room.
    pub(crate) fn spend<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        match attempt() {
            Err(error) if error.lacks_room() && self.give_up() => attempt(),
            result => result,
        }
    }

    fn give_up(&self) -> bool {
        self.lock().take().is_some() && self.storage.remove(&self.path).is_ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<[Arc<dyn StorageFile>; 2]>> {
        self.held.lock().expect("no thread panics while it holds this lock")
    }
}
