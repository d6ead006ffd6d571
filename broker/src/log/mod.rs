//! One partition on disk.
//!
//! A log is the whole of Kafka in one idea: records are only ever added at the end, each gets the
//! next number (its *offset*), and readers remember how far they have come. Nothing is changed in
//! place, so writers and readers don't disturb each other, and a record can be read as often and by
//! as many as like.
//!
//! # On disk
//!
//! ```text
//! clicks-3/                         topic "clicks", partition 3
//!   00000000000000000000.log        record batches from offset 0 on, one behind the other
//!   00000000000000000000.index      offset -> position, one entry for about 4 KB of log
//!   00000000000000000000.timeindex  timestamp -> offset, the same
//!   00000000000000041270.log        the active segment, from offset 41270 on
//!   leader-epoch-checkpoint         which leader epoch began at which offset
//! ```
//!
//! The log is cut into *segments* so that old records can be forgotten by removing a file. All of
//! it is Kafka's own form: `kafka-dump-log` reads it. Byte by byte (numbers are big-endian):
//!
//! ```text
//! .log        batch, batch, …       each as its producer sent it, but for two fields:
//!                 0  8  base offset             of its first record; written here
//!                 8  4  batch length            bytes that follow this field
//!                12  4  partition leader epoch  written here
//!                16  1  magic                   2
//!                17  4  CRC-32C                 of everything behind it, to the end of the batch
//!                21  …  attributes, times, producer, records: see `protocol::records`
//! .index      entry, entry, …       eight bytes each, both columns rising (`offset_index.rs`)
//!                 0  4  last offset of a batch, less the segment's base offset
//!                 4  4  where in .log that batch begins
//! .timeindex  entry, entry, …       twelve bytes each, both columns rising (`time_index.rs`)
//!                 0  8  largest timestamp so far, ms since 1970
//!                 8  4  last offset of the batch that has it, less the segment's base offset
//! ```
//!
//! A lookup of offset 41300 takes the segment with the largest base offset that is not larger
//! (`00000000000000041270.log`), in its index the last entry that is not larger than 30, and walks
//! from there, header by header, to the batch that holds it. The text files are drawn in
//! `epochs.rs` and `log_dir.rs`.
//!
//! # The life of a batch
//!
//! - [`Log::append`] gives it its offset and writes it behind the last one, with one system call.
//!   It is then in the page cache, which survives this program but not a power loss.
//! - [`Log::read`] answers where in which file it stands. The bytes go from the file to the socket
//!   as they are.
//! - [`Log::begin_flush`] syncs it now and then and moves the recovery point behind it, so that the
//!   next start need not check it (`recovery.rs`).
//! - [`Log::apply_retention`] forgets it when its time has come (`retention.rs`), or
//!   [`Log::begin_cleaning`] when newer records of its keys have made it old (`cleaner/`).
//! - Where another broker leads, batches come from there with their offsets
//!   ([`Log::append_replicated`]), and those that it does not have go ([`Log::truncate_to`]).
//!
//! # Simplifications
//!
//! - Indexes of all segments are kept in memory, about 5 MB for each GB of log; Kafka maps them in.
//! - Index files are written at a flush, not at every append.

mod cleaner;
mod config;
mod epochs;
mod error;
mod flush;
#[expect(clippy::module_inception, reason = "the log module's subject is the log")]
mod log;
mod log_dir;
mod offset_index;
mod recovery;
mod replication;
mod reserve;
mod retention;
mod segment;
mod storage;
mod swap;
#[cfg(test)]
mod tests;
mod time_index;
mod timestamp_search;
mod topic_partition;
mod truncation;
mod walk;

pub use cleaner::{CleanerConfig, Cleaning, CleaningStats};
pub use config::{CleanupPolicy, LogConfig};
pub use error::{AppendError, ReadError, ReplicationError};
pub use flush::PendingFlush;
pub use log::{Appended, FileRegion, Log};
pub use log_dir::{Checkpoint, LogDir};
pub use recovery::{Recovery, RecoveryHints};
pub(crate) use reserve::Reserve;
pub use retention::DeletedSegments;
pub use storage::{DiskStorage, MemoryStorage, Storage, StorageError, StorageFile, read_file, replace_file};
pub(crate) use storage::{NamedFile, replace_file_lazily};
pub use timestamp_search::{TimestampSearch, TimestampedOffset};
pub use topic_partition::TopicPartition;
