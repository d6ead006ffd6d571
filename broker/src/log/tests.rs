//! Rules of the log that a story tells badly: exact sizes, failing disks, hostile bytes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use protocol::records::{BatchBuilder, LeaderEpoch, Offset, check_batch, check_produced, records};

use super::*;

/// A batch of records with these timestamps and values as long as `value_len`.
pub(super) fn batch(timestamps_ms: &[i64], value_len: usize) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    for &timestamp_ms in timestamps_ms {
        batch.push(timestamp_ms, None, Some(&vec![b'x'; value_len]));
    }
    batch.finish().to_vec()
}

fn open(storage: &MemoryStorage, config: &LogConfig, hints: RecoveryHints) -> (Log, Recovery) {
    Log::open(Arc::new(storage.clone()), "t-0".into(), config.clone(), hints).unwrap()
}

fn append(log: &mut Log, bytes: &[u8]) -> Result<Appended, AppendError> {
    let header = check_produced(bytes).unwrap();
    log.append(bytes, &header, LeaderEpoch(0), 1_000)
}

/// Offsets of all records from `from` on, read as a consumer does, `max_bytes` at a time.
fn consume(log: &Log, mut from: Offset, max_bytes: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    while from < log.log_end_offset() {
        let region = log.read(from, max_bytes).unwrap();
        let mut bytes = Vec::new();
        region.read_to(&mut bytes).unwrap();
        let mut rest = bytes.as_slice();
        assert!(!rest.is_empty(), "a read before the end gives at least one batch");
        while !rest.is_empty() {
            let header = check_batch(rest).expect("only whole batches are handed out");
            for record in records(rest).unwrap() {
                let offset = record.unwrap().offset;
                if offset >= from {
                    seen.push(offset.0);
                }
            }
            from = header.next_offset();
            rest = &rest[header.total_len()..];
        }
    }
    seen
}

#[test]
fn a_read_gives_whole_batches_and_at_least_one() {
    let (mut log, _) = open(&MemoryStorage::new(), &LogConfig::default(), RecoveryHints::default());
    let one = batch(&[1, 2, 3], 100);
    for _ in 0..1_000 {
        append(&mut log, &one).unwrap();
    }
    for (from, max_bytes, batches) in [
        (0, 1, 1),
        (1, 0, 1),
        (2, one.len(), 1),
        (3, one.len() * 2 - 1, 1),
        (4, one.len() * 2, 2),
        (2_997, 1 << 20, 1),
    ] {
        let region = log.read(Offset(from), max_bytes).unwrap();
        assert_eq!(region.len, batches * one.len(), "{max_bytes} bytes from {from}");
        assert_eq!(region.position as i64, from / 3 * one.len() as i64, "from {from}");
    }
    assert_eq!(log.read(Offset(3_000), 1).unwrap().len, 0);
    assert!(matches!(log.read(Offset(3_001), 1), Err(ReadError::OffsetOutOfRange { .. })));
    assert!(matches!(log.read(Offset(-1), 1), Err(ReadError::OffsetOutOfRange { .. })));
    // Within an index interval of what was asked for, and never more.
    let region = log.read(Offset(0), 100_000).unwrap();
    assert!((90_000..=100_000).contains(&region.len), "{}", region.len);
    for max_bytes in [1, 1_000, 50_000, 1 << 30] {
        assert_eq!(consume(&log, Offset(1), max_bytes), (1..3_000).collect::<Vec<_>>());
    }
}

#[test]
fn a_full_disk_refuses_the_batch_and_goes_on_reading() {
    let storage = MemoryStorage::new();
    let (mut log, _) = open(&storage, &LogConfig::default(), RecoveryHints::default());
    let one = batch(&[1, 2], 100);
    append(&mut log, &one).unwrap();
    storage.limit_capacity(Some(50));
    assert!(matches!(append(&mut log, &one), Err(AppendError::Storage(_))));
    assert_eq!(consume(&log, Offset(0), 1 << 20), [0, 1]);
    // What was written of it is cut off: a kill now leaves nothing to repair.
    let (killed, recovery) = open(&storage.kill(), &LogConfig::default(), RecoveryHints::default());
    assert_eq!((killed.log_end_offset(), recovery.truncated_bytes), (Offset(2), 0));
    storage.limit_capacity(None);
    assert_eq!(append(&mut log, &one).unwrap().base_offset, Offset(2));
    assert_eq!(consume(&log, Offset(0), 1 << 20), [0, 1, 2, 3]);
}

#[test]
fn after_a_failed_sync_nothing_more_is_taken() {
    let storage = MemoryStorage::new();
    let (mut log, _) = open(&storage, &LogConfig::default(), RecoveryHints::default());
    let one = batch(&[1], 10);
    append(&mut log, &one).unwrap();
    storage.fail_syncs(true);
    assert!(log.flush().is_err());
    storage.fail_syncs(false);
    assert!(matches!(append(&mut log, &one), Err(AppendError::Storage(_))));
    assert_eq!(log.recovery_point(), Offset(0));
    assert_eq!(consume(&log, Offset(0), 1 << 20), [0]);
}

#[test]
fn a_region_outlives_the_segment_it_points_into() {
    let storage = MemoryStorage::new();
    let config = LogConfig { segment_bytes: 300, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, RecoveryHints::default());
    let one = batch(&[1], 100);
    for _ in 0..4 {
        append(&mut log, &one).unwrap();
    }
    let region = log.read(Offset(0), 1).unwrap();
    log.delete_before(Offset(3)).unwrap();
    assert!(storage.bytes(Path::new("t-0/00000000000000000000.log")).is_none());
    let mut bytes = Vec::new();
    region.read_to(&mut bytes).unwrap();
    assert_eq!(check_batch(&bytes).unwrap().base_offset, Offset(0));
}

/// No checksum covers a batch's offsets, and those of which nothing stays are not read further.
#[test]
fn a_cleaning_ends_in_an_error_at_offsets_that_can_not_be() {
    for at in [0, 7] {
        let storage = MemoryStorage::new();
        let config = LogConfig {
            cleanup: CleanupPolicy::COMPACT,
            segment_bytes: 300,
            min_cleanable_dirty_ratio: 0.0,
            ..LogConfig::default()
        };
        let (mut log, _) = open(&storage, &config, RecoveryHints::default());
        for value in 0..6 {
            let mut batch = BatchBuilder::new();
            batch.push(1_000, Some(b"key"), Some(&[value; 60]));
            append(&mut log, &batch.finish()).unwrap();
        }
        let path = Path::new("t-0/00000000000000000000.log");
        storage.open(path).unwrap().write_at([&[0x40], &[]], at).unwrap();
        let (end, cleaner) = (log.log_end_offset(), CleanerConfig::new([1, 2]));
        let error = log.clean(&cleaner, end, HashMap::new(), 2_000).unwrap_err();
        assert!(error.to_string().contains("offsets"), "{error}");
    }
}

/// It may take long, and the log goes on meanwhile.
#[test]
fn a_search_by_time_needs_the_log_no_more() {
    let config = LogConfig { segment_bytes: 300, ..LogConfig::default() };
    let (mut log, _) = open(&MemoryStorage::new(), &config, RecoveryHints::default());
    for time in [10, 20, 30, 40] {
        append(&mut log, &batch(&[time], 100)).unwrap();
    }
    let search = log.timestamp_search(15);
    log.delete_before(Offset(4)).unwrap();
    assert_eq!(search.run().unwrap().map(|found| found.offset), Some(Offset(1)));
    assert_eq!(log.timestamp_search(15).run().unwrap(), None);
}

#[test]
fn flush_messages_syncs_without_being_asked() {
    let storage = MemoryStorage::new();
    let config = LogConfig { flush_messages: Some(3), ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, RecoveryHints::default());
    for _ in 0..5 {
        append(&mut log, &batch(&[1], 10)).unwrap();
    }
    // The power goes, and takes all that it may.
    let (log, _) = open(&storage.crash(|_, _| 0), &config, RecoveryHints::default());
    assert_eq!(log.log_end_offset(), Offset(3));
}

#[test]
fn flush_ms_counts_from_the_oldest_unsynced_record() {
    let config = LogConfig { flush_ms: Some(50), ..LogConfig::default() };
    let (mut log, _) = open(&MemoryStorage::new(), &config, RecoveryHints::default());
    assert_eq!(log.next_flush_ms(), None);
    append(&mut log, &batch(&[1], 10)).unwrap();
    assert_eq!(log.next_flush_ms(), Some(1_050));
    log.flush().unwrap();
    assert_eq!(log.next_flush_ms(), None);
}

#[test]
fn offsets_are_not_given_twice_after_everything_was_deleted() {
    let storage = MemoryStorage::new();
    let hints = RecoveryHints {
        clean_shutdown: false,
        recovery_point: Offset(0),
        log_start_offset: Offset(40),
        ..RecoveryHints::default()
    };
    let (mut log, _) = open(&storage, &LogConfig::default(), hints);
    assert_eq!(log.log_start_offset(), Offset(40));
    assert_eq!(append(&mut log, &batch(&[1], 10)).unwrap().base_offset, Offset(40));
}

#[test]
fn leader_epochs_survive_the_loss_of_their_file() {
    let storage = MemoryStorage::new();
    let (mut log, _) = open(&storage, &LogConfig::default(), RecoveryHints::default());
    let bytes = batch(&[1, 2], 10);
    let header = check_produced(&bytes).unwrap();
    for epoch in [0, 0, 3, 3, 4] {
        log.append(&bytes, &header, LeaderEpoch(epoch), 0).unwrap();
    }
    let before = log.end_of_epoch(LeaderEpoch(2));
    assert_eq!(before, Some((LeaderEpoch(0), Offset(4))));
    log.flush().unwrap();
    storage.remove(Path::new("t-0/leader-epoch-checkpoint")).unwrap();
    let clean =
        RecoveryHints { clean_shutdown: true, recovery_point: Offset(10), ..RecoveryHints::default() };
    for hints in [clean, RecoveryHints::default()] {
        let storage = storage.kill();
        let (log, _) = open(&storage, &LogConfig::default(), hints);
        assert_eq!(log.end_of_epoch(LeaderEpoch(2)), before);
        assert_eq!(log.end_of_epoch(LeaderEpoch(4)), Some((LeaderEpoch(4), Offset(10))));
    }
}

#[test]
fn the_same_calls_leave_the_same_bytes_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let memory = MemoryStorage::new();
    let config = LogConfig { segment_bytes: 4_000, index_interval_bytes: 500, ..LogConfig::default() };
    let (mut on_disk, _) =
        Log::open(Arc::new(DiskStorage), dir.path().join("t-0"), config.clone(), RecoveryHints::default())
            .unwrap();
    let (mut in_memory, _) = open(&memory, &config, RecoveryHints::default());
    for number in 0..100 {
        for log in [&mut on_disk, &mut in_memory] {
            append(log, &batch(&[number, number + 1], 50)).unwrap();
        }
    }
    assert_eq!(consume(&on_disk, Offset(0), 700), (0..200).collect::<Vec<_>>());
    for log in [&mut on_disk, &mut in_memory] {
        log.delete_before(Offset(90)).unwrap();
        log.flush().unwrap();
    }
    let names = DiskStorage.list(&dir.path().join("t-0")).unwrap();
    assert_eq!(names, memory.list(Path::new("t-0")).unwrap());
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        let bytes = std::fs::read(dir.path().join("t-0").join(&name)).unwrap();
        assert_eq!(memory.bytes(&Path::new("t-0").join(&name)).unwrap(), bytes, "{name}");
    }
}
