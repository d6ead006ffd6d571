//! What a disk may hold: any bytes in any of a partition's files. Opening it gives a log that can
//! be read and goes on at its end, whatever is left of it; or an error, for the data directory's
//! own files that must not be guessed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::coordinator::{GroupConfig, GroupCoordinator, ProducerIds};
use broker::log::{LogConfig, LogDir, MemoryStorage, RecoveryHints, Storage, TopicPartition};
use broker::replica::{Partition, PartitionHandle};
use protocol::records::{BatchBuilder, LeaderEpoch, Offset};

/// A partition's files, then the data directory's. `bytes` is a row of pieces, each with its file's
/// number in this list, and its length in two bytes.
const FILES: [&str; 10] = [
    "t-0/00000000000000000000.log",
    "t-0/00000000000000000000.index",
    "t-0/00000000000000000000.timeindex",
    "t-0/00000000000000000004.log",
    "t-0/leader-epoch-checkpoint",
    "t-0/00000000000000000002.snapshot",
    "recovery-point-offset-checkpoint",
    "log-start-offset-checkpoint",
    "producer-id-block",
    "__consumer_offsets-0/00000000000000000000.log",
];

/// The first byte says how the last run ended and what is trusted.
pub(crate) fn recover(bytes: &[u8]) {
    let Some((&how, mut rest)) = bytes.split_first() else { return };
    let storage = MemoryStorage::new();
    while let Some((&[file, high, low], tail)) = rest.split_first_chunk::<3>() {
        let len = usize::from(u16::from_be_bytes([high, low])).min(tail.len());
        let (content, tail) = tail.split_at(len);
        storage.put(Path::new(FILES[usize::from(file) % FILES.len()]), content);
        rest = tail;
    }
    let shared = || -> Arc<dyn Storage> { Arc::new(storage.clone()) };
    let hints = RecoveryHints {
        clean_shutdown: how & 1 != 0,
        recovery_point: Offset(i64::from(how >> 1 & 7)),
        log_start_offset: Offset(i64::from(how >> 4 & 7)),
        first_dirty: Offset(i64::from(how >> 4 & 7)),
    };
    partition(shared(), hints);

    let _ = LogDir::open(shared(), PathBuf::new());
    let _ = ProducerIds::open(shared(), Path::new(""));
    let (dir, config) = (PathBuf::from("__consumer_offsets-0"), LogConfig::default());
    let (offsets, _) = Partition::open(shared(), dir, config, LeaderEpoch(0), hints).expect("memory works");
    let offsets = PartitionHandle::new(TopicPartition::new("__consumer_offsets", 0), offsets);
    let mut groups = GroupCoordinator::new(GroupConfig::default(), 1);
    if groups.load(vec![Arc::new(offsets)], 0).is_ok() {
        let _ = groups.tick(i64::MAX / 2);
    }
}

fn partition(storage: Arc<dyn Storage>, hints: RecoveryHints) {
    let config = LogConfig { index_interval_bytes: 100, retention_ms: None, ..LogConfig::default() };
    let (mut partition, _) =
        Partition::open(storage, PathBuf::from("t-0"), config, LeaderEpoch(0), hints).expect("memory works");
    let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
    assert!(start <= end);
    // A damaged base offset may leave a gap of millions, so only the ends are visited.
    for offset in (start.0..=end.0).take(50).chain((end.0 - 50).max(start.0)..=end.0) {
        if let Ok(region) = partition.read(Offset(offset), 200) {
            region.read_to(&mut Vec::new()).expect("the region is within the file");
        }
    }
    let _ = partition.timestamp_search(500).run();
    let _ = partition.max_timestamp_search().run();
    let mut batch = BatchBuilder::new();
    batch.push(1_000, None, Some(b"goes on"));
    let appended = partition.append(&batch.finish(), 1_000).expect("there is room");
    assert_eq!(appended.base_offset, end, "the log goes on at its end");
    assert!(partition.read(end, 0).expect("in range").len > 0);
    partition.close().expect("memory works");
}
