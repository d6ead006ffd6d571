//! The data directory: which partitions it has, and what the last run knew about them.
//!
//! # Files (text, Kafka's)
//!
//! ```text
//! recovery-point-offset-checkpoint    everything before these offsets is synced
//! log-start-offset-checkpoint         everything before these offsets was deleted
//! cleaner-offset-checkpoint           everything before these offsets was compacted
//! .kafka_cleanshutdown                there only after a run that ended in order
//! ```
//!
//! A checkpoint is a version (0), a count, and a line `topic partition offset` for each partition.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::Offset;

use super::{RecoveryHints, Storage, StorageError, TopicPartition, read_file, replace_file};

const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
const LOG_STARTS: &str = "log-start-offset-checkpoint";
const CLEANED: &str = "cleaner-offset-checkpoint";
const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
/// Room for more partitions than one directory can hold.
const MAX_FILE_LEN: u64 = 64 << 20;

/// What is kept about a partition beside its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Everything before this offset is synced.
    pub recovery_point: Offset,
    /// First offset that was not deleted.
    pub log_start_offset: Offset,
    /// First offset that was not compacted.
    pub first_dirty: Offset,
}

/// A data directory.
#[derive(Debug)]
pub struct LogDir {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    clean: bool,
    recovery_points: BTreeMap<TopicPartition, Offset>,
    log_starts: BTreeMap<TopicPartition, Offset>,
    cleaned: BTreeMap<TopicPartition, Offset>,
}

impl LogDir {
    /// Reads the checkpoints and whether the last run ended in order, and forgets the latter, so
    /// that a crash from here on is noticed.
    pub fn open(storage: Arc<dyn Storage>, path: PathBuf) -> Result<Self, StorageError> {
        storage.create_dir(&path).map_err(StorageError::of("create", &path))?;
        let checkpoint = |name: &str| -> Result<_, StorageError> {
            let bytes = read_file(&*storage, &path.join(name), MAX_FILE_LEN)?.unwrap_or_default();
            // Without a readable checkpoint everything is checked: slower, never wrong.
            Ok(std::str::from_utf8(&bytes).ok().and_then(parse).unwrap_or_default())
        };
        let (recovery_points, log_starts) = (checkpoint(RECOVERY_POINTS)?, checkpoint(LOG_STARTS)?);
        let cleaned = checkpoint(CLEANED)?;
        let marker = path.join(CLEAN_SHUTDOWN);
        let clean = storage.exists(&marker);
        if clean {
            storage.remove(&marker).map_err(StorageError::of("remove", &marker))?;
            storage.sync_dir(&path).map_err(StorageError::of("sync", &path))?;
        }
        Ok(Self { storage, path, clean, recovery_points, log_starts, cleaned })
    }

    /// Partitions that have a directory, in order.
    pub fn partitions(&self) -> Result<Vec<TopicPartition>, StorageError> {
        let names = self.storage.list(&self.path).map_err(StorageError::of("list", &self.path))?;
        let mut partitions: Vec<_> =
            names.iter().filter_map(|name| TopicPartition::from_dir_name(name)).collect();
        partitions.sort_unstable();
        Ok(partitions)
    }

    /// Partitions that the last run's checkpoints speak of, in order.
    pub fn checkpointed(&self) -> impl Iterator<Item = &TopicPartition> {
        self.recovery_points.keys()
    }

    /// Where a partition's files are.
    pub fn partition_dir(&self, partition: &TopicPartition) -> PathBuf {
        self.path.join(partition.dir_name())
    }

    /// What to open a partition with.
    pub fn recovery_hints(&self, partition: &TopicPartition) -> RecoveryHints {
        RecoveryHints {
            // A partition that was made after the checkpoint is not in it, and is then checked.
            clean_shutdown: self.clean && self.recovery_points.contains_key(partition),
            recovery_point: self.recovery_points.get(partition).copied().unwrap_or_default(),
            log_start_offset: self.log_starts.get(partition).copied().unwrap_or_default(),
            first_dirty: self.cleaned.get(partition).copied().unwrap_or_default(),
        }
    }

    /// Writes the checkpoints of all partitions; those not given are forgotten. Call it every
    /// minute or so after flushing, right after records were deleted, and before
    /// [`LogDir::close`].
    pub fn checkpoint(&self, all: &[(TopicPartition, Checkpoint)]) -> Result<(), StorageError> {
        let points = encode(all.iter().map(|(partition, at)| (partition, at.recovery_point)));
        replace_file(&*self.storage, &self.path.join(RECOVERY_POINTS), points.as_bytes())?;
        let starts = encode(all.iter().map(|(partition, at)| (partition, at.log_start_offset)));
        replace_file(&*self.storage, &self.path.join(LOG_STARTS), starts.as_bytes())?;
        // Few logs are compacted, and one that is not named is compacted from its start.
        let cleaned = all.iter().filter(|(_, at)| at.first_dirty > Offset::ZERO);
        let cleaned = encode(
            cleaned.map(|(partition, at)| (partition, at.first_dirty)).collect::<Vec<_>>().into_iter(),
        );
        replace_file(&*self.storage, &self.path.join(CLEANED), cleaned.as_bytes())
    }

    /// Removes a partition's files.
    ///
    /// The checkpoints may still name it. A later topic of that name must not inherit
    /// them, so write a checkpoint without it before answering that it is gone.
    pub fn remove(&self, partition: &TopicPartition) -> Result<(), StorageError> {
        let dir = self.partition_dir(partition);
        self.storage.remove_dir(&dir).map_err(StorageError::of("remove", &dir))
    }

    /// Marks this run as ended in order: every log has been closed, and then checkpointed.
    pub fn close(self) -> Result<(), StorageError> {
        replace_file(&*self.storage, &self.path.join(CLEAN_SHUTDOWN), b"{\"version\":0,\"brokerEpoch\":-1}")
    }
}

fn encode<'a>(lines: impl ExactSizeIterator<Item = (&'a TopicPartition, Offset)>) -> String {
    let mut text = format!("0\n{}\n", lines.len());
    for (partition, offset) in lines {
        let _ = writeln!(text, "{} {} {offset}", partition.topic, partition.partition);
    }
    text
}

fn parse(text: &str) -> Option<BTreeMap<TopicPartition, Offset>> {
    let mut lines = text.lines();
    if lines.next()? != "0" {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let mut offsets = BTreeMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let (topic, partition, offset) =
            (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        // A negative offset would let recovery trust nothing or start nowhere.
        if words.next().is_some() || offset < 0 {
            return None;
        }
        offsets.insert(TopicPartition::new(topic, partition), Offset(offset));
    }
    (offsets.len() == count).then_some(offsets)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::log::MemoryStorage;

    fn open(storage: &MemoryStorage) -> LogDir {
        LogDir::open(Arc::new(storage.clone()), "data".into()).unwrap()
    }

    #[test]
    fn a_clean_end_is_believed_once() {
        let storage = MemoryStorage::new();
        let clicks = TopicPartition::new("clicks", 3);
        let at =
            Checkpoint { recovery_point: Offset(70), log_start_offset: Offset(7), first_dirty: Offset(30) };
        let dir = open(&storage);
        assert_eq!(dir.recovery_hints(&clicks), RecoveryHints::default());
        dir.checkpoint(&[(clicks.clone(), at)]).unwrap();
        dir.close().unwrap();

        let hints = open(&storage).recovery_hints(&clicks);
        assert_eq!(
            hints,
            RecoveryHints {
                clean_shutdown: true,
                recovery_point: Offset(70),
                log_start_offset: Offset(7),
                first_dirty: Offset(30),
            }
        );
        // The second run did not end in order.
        assert!(!open(&storage).recovery_hints(&clicks).clean_shutdown);
    }

    #[test]
    fn a_partition_outside_the_checkpoint_is_not_clean() {
        let storage = MemoryStorage::new();
        open(&storage).close().unwrap();
        assert_eq!(open(&storage).recovery_hints(&TopicPartition::new("new", 0)), RecoveryHints::default());
    }

    #[test]
    fn broken_checkpoints_are_empty() {
        for text in
            ["", "x", "0\n1\n", "0\n1\nclicks 0\n", "0\n1\nclicks 0 -5\n", "0\n1\nclicks 0 5 6\n", "\u{1}"]
        {
            let storage = MemoryStorage::new();
            storage.put(Path::new("data/recovery-point-offset-checkpoint"), text.as_bytes());
            assert_eq!(
                open(&storage).recovery_hints(&TopicPartition::new("clicks", 0)),
                RecoveryHints::default(),
                "{text:?}"
            );
        }
    }
}
