//! Where producer state is kept between runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::records::Offset;

use super::producer_state::ProducerState;
use crate::log::{Storage, StorageError, read_file, replace_file_lazily};

/// A larger file is none of ours: that would be 30 million batches.
const MAX_FILE_LEN: u64 = 1 << 30;

/// The snapshot files of one partition; there is one but for the moment in which it is replaced.
#[derive(Clone, Debug)]
pub(super) struct Snapshots {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
}

impl Snapshots {
    pub(super) fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Self {
        Self { storage, dir }
    }

    /// The newest readable state that does not go past the log's end, and up to where it holds.
    /// Offset 0 and nothing when there is none: then the whole log tells.
    pub(super) fn load(&self, log_end: Offset) -> Result<(Offset, ProducerState), StorageError> {
        for (offset, path) in self.files()?.into_iter().rev().filter(|(offset, _)| *offset <= log_end) {
            let bytes = read_file(&*self.storage, &path, MAX_FILE_LEN)?;
            if let Some(state) = bytes.as_deref().and_then(ProducerState::decode) {
                return Ok((offset, state));
            }
        }
        Ok((Offset::ZERO, ProducerState::default()))
    }

    /// Writes one and removes the others.
    pub(super) fn save(&self, offset: Offset, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.dir.join(format!("{:020}.snapshot", offset.0));
        // Not synced: a torn one fails its checksum, and the log tells the same, only slower.
        replace_file_lazily(&*self.storage, &path, bytes)?;
        for (_, other) in self.files()?.into_iter().filter(|(_, other)| *other != path) {
            self.storage.remove(&other).map_err(StorageError::of("remove", &other))?;
        }
        Ok(())
    }

    /// Removes those of states that the log no longer has. When it has grown past their offsets
    /// with other records, they would look right.
    pub(super) fn truncate(&self, log_end: Offset) -> Result<(), StorageError> {
        let gone: Vec<_> = self.files()?.into_iter().filter(|(offset, _)| *offset > log_end).collect();
        for (_, path) in &gone {
            self.storage.remove(path).map_err(StorageError::of("remove", path))?;
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.storage.sync_dir(&self.dir).map_err(StorageError::of("sync", &self.dir))
    }

    /// In order of their offsets.
    fn files(&self) -> Result<Vec<(Offset, PathBuf)>, StorageError> {
        let names = self.storage.list(&self.dir).map_err(StorageError::of("list", &self.dir))?;
        let offset = |name: &str| name.strip_suffix(".snapshot").and_then(|digits| digits.parse().ok());
        let path = |name: &str| -> PathBuf { Path::new(&self.dir).join(name) };
        let files = names.iter().filter_map(|name| Some((Offset(offset(name)?), path(name))));
        Ok(files.filter(|(offset, _)| offset.0 >= 0).collect())
    }
}
