//! Numbers for idempotent producers.

use std::path::Path;
use std::sync::Arc;

use crate::log::{Storage, StorageError};

/// Hands out producer ids; none is given twice, not even after a crash.
#[derive(Debug)]
pub struct ProducerIds {}

impl ProducerIds {
    /// Goes on where the data directory says.
    pub fn open(_storage: Arc<dyn Storage>, _data_dir: &Path) -> Result<Self, StorageError> {
        todo!()
    }

    /// The next one. Writes to disk once in a thousand.
    pub fn allocate(&mut self) -> Result<i64, StorageError> {
        todo!()
    }
}
