//! Numbers for idempotent producers.
//!
//! Two producers with one id would take each other's records for retries, so an id must never be
//! given out twice. Ids are reserved on disk a thousand at a time, before the first of them is
//! used: a crash wastes what is left of a block, and a block is one small write.
//!
//! # The `producer-id-block` file (text)
//!
//! ```text
//! 0            version
//! 3000         first id that was never reserved
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::{Storage, StorageError, read_file, replace_file};

/// Ids reserved at once, as in Kafka.
const BLOCK: i64 = 1000;
const MAX_FILE_LEN: u64 = 1024;

/// Hands out producer ids; none is given twice, not even after a crash.
#[derive(Debug)]
pub struct ProducerIds {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    next: i64,
    reserved_until: i64,
}

impl ProducerIds {
    /// Goes on where the data directory says. A file that can't be read is an error: guessing might
    /// give an id a second time.
    pub fn open(storage: Arc<dyn Storage>, data_dir: &Path) -> Result<Self, StorageError> {
        let path = data_dir.join("producer-id-block");
        let next = match read_file(&*storage, &path, MAX_FILE_LEN)? {
            None => 0,
            Some(bytes) => parse(&bytes).ok_or_else(|| {
                let source = std::io::Error::other("it does not say which producer ids are taken");
                StorageError { operation: "understand", path: path.clone(), source }
            })?,
        };
        Ok(Self { storage, path, next, reserved_until: next })
    }

    /// Whether the next one needs no write.
    pub fn is_at_hand(&self) -> bool {
        self.next < self.reserved_until
    }

    /// The next one. Writes to disk once in a thousand.
    pub fn allocate(&mut self) -> Result<i64, StorageError> {
        if !self.is_at_hand() {
            let until = self.reserved_until + BLOCK;
            replace_file(&*self.storage, &self.path, format!("0\n{until}\n").as_bytes())?;
            self.reserved_until = until;
        }
        assert!(self.next < self.reserved_until, "a producer id is reserved on disk before it is given out");
        self.next += 1;
        Ok(self.next - 1)
    }
}

fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let next: i64 = text.strip_prefix("0\n")?.strip_suffix('\n')?.parse().ok()?;
    (0..i64::MAX - BLOCK).contains(&next).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::MemoryStorage;

    #[test]
    fn no_id_is_given_twice_even_when_the_power_goes() {
        let mut storage = MemoryStorage::new();
        let mut last = -1;
        for run in 0..5 {
            let mut ids = ProducerIds::open(Arc::new(storage.clone()), Path::new("data")).unwrap();
            for _ in 0..=run * 700 {
                let id = ids.allocate().unwrap();
                assert!(id > last, "{id} after {last}");
                last = id;
            }
            storage = storage.crash(|_, _| 0);
        }
    }

    #[test]
    fn an_unreadable_file_is_an_error() {
        for text in ["", "0\n", "0\nx\n", "0\n-5\n", "0\n9223372036854775807\n", "1\n5\n"] {
            let storage = MemoryStorage::new();
            storage.put(Path::new("data/producer-id-block"), text.as_bytes());
            assert!(ProducerIds::open(Arc::new(storage), Path::new("data")).is_err(), "{text:?}");
        }
    }
}
