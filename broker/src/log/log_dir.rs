//! The data directory: which partitions it has, and what the last run knew about them.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::Offset;

use super::{Opening, Storage, StorageError, TopicPartition};

/// What is kept about a partition beside its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Everything before this offset is synced.
    pub recovery_point: Offset,
    /// First offset that was not deleted.
    pub log_start_offset: Offset,
}

/// A data directory.
#[derive(Debug)]
pub struct LogDir {}

impl LogDir {
    /// Reads the checkpoints and whether the last run ended in order, and forgets the latter, so
    /// that a crash from here on is noticed.
    pub fn open(_storage: Arc<dyn Storage>, _path: PathBuf) -> Result<Self, StorageError> {
        todo!()
    }

    /// Partitions that have a directory, in order.
    pub fn partitions(&self) -> Result<Vec<TopicPartition>, StorageError> {
        todo!()
    }

    /// Where a partition's files are.
    pub fn partition_dir(&self, _partition: &TopicPartition) -> PathBuf {
        todo!()
    }

    /// What to open a partition with.
    pub fn opening(&self, _partition: &TopicPartition) -> Opening {
        todo!()
    }

    /// Writes the checkpoints of all partitions (those not given are forgotten). Call it every
    /// minute or so, after `delete_records`, and before [`LogDir::close`].
    pub fn checkpoint(&self, _all: &[(TopicPartition, Checkpoint)]) -> Result<(), StorageError> {
        todo!()
    }

    /// Removes a partition's files.
    pub fn remove(&self, _partition: &TopicPartition) -> Result<(), StorageError> {
        todo!()
    }

    /// Marks this run as ended in order: every log has been closed.
    pub fn close(self) -> Result<(), StorageError> {
        todo!()
    }
}
