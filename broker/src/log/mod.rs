//! One partition on disk.

mod config;
mod error;
mod log;
mod log_dir;
mod storage;
mod topic_partition;

pub use config::LogConfig;
pub use error::{AppendError, ReadError};
pub use log::{Appended, FileRegion, Log, Opening, PendingFlush, Recovery, Swept, TimestampedOffset};
pub use log_dir::{Checkpoint, LogDir};
pub use storage::{DiskStorage, MemoryStorage, Storage, StorageError, StorageFile, read_file, replace_file};
pub use topic_partition::TopicPartition;
