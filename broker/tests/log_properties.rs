//! What holds for every log, whatever was done to it: it reads back what was appended, a crash
//! leaves a prefix with everything that was safe, an index is only a short cut, and no bytes on the
//! disk make it panic.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use broker::log::{LogConfig, MemoryStorage, RecoveryHints};
use broker::replica::Partition;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use protocol::records::{BatchBuilder, Compression, LeaderEpoch, Offset, check_batch, walk};

/// Small enough that a few dozen batches make several segments and index entries.
fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 2_000,
        index_interval_bytes: 150,
        retention_ms: None,
        timestamp_after_max_ms: i64::MAX,
        ..LogConfig::default()
    }
}

fn open(storage: &MemoryStorage, hints: RecoveryHints) -> Partition {
    let dir = PathBuf::from("t-0");
    Partition::open(Arc::new(storage.clone()), dir, config(), LeaderEpoch(0), hints).expect("memory works").0
}

fn batch(compression: Compression, timestamps: &[i64], value: &[u8]) -> Vec<u8> {
    let mut batch = BatchBuilder::new().compression(compression);
    for &timestamp in timestamps {
        batch.push(timestamp, None, Some(value));
    }
    batch.finish().to_vec()
}

/// Offset and timestamp of every record from `from` on, in reads of `max_bytes`.
fn read_all(partition: &Partition, mut from: Offset, max_bytes: usize) -> Vec<(i64, i64)> {
    let first = from;
    let mut all = Vec::new();
    while from < partition.log_end_offset() {
        let region = partition.read(from, max_bytes).expect("the offset is in range");
        assert!(region.len > 0, "a read before the end gives a batch");
        let mut bytes = Vec::new();
        region.read_to(&mut bytes).expect("memory works");
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let header = check_batch(rest).expect("only whole, right batches are handed out");
            assert!(header.next_offset() > from, "batches before the wanted one are not sent");
            let walked = walk(rest, &header, |record| {
                let offset = header.base_offset + i64::from(record.offset_delta);
                all.push((offset.0, record.timestamp_ms));
                ControlFlow::<()>::Continue(())
            });
            walked.expect("what was taken can be read");
            from = header.next_offset();
            rest = &rest[header.total_len()..];
        }
    }
    all.retain(|(offset, _)| *offset >= first.0);
    all
}

#[derive(Clone, Debug)]
enum Step {
    Append { compression: Compression, timestamps: Vec<i64>, size: usize },
    Read { from: Index, max_bytes: usize },
    Find { timestamp: i64 },
    Delete { before: Index },
    Flush,
    Restart,
    Kill,
}

/// A batch: its codec, its records' timestamps, the length of their values.
fn appended() -> impl Strategy<Value = (Compression, Vec<i64>, usize)> {
    (select(&Compression::ALL), vec(0..1_000i64, 1..5), 0..120usize)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => appended().prop_map(|(compression, timestamps, size)| Step::Append { compression, timestamps, size }),
        4 => (any::<Index>(), 0..3_000usize).prop_map(|(from, max_bytes)| Step::Read { from, max_bytes }),
        2 => (0..1_050i64).prop_map(|timestamp| Step::Find { timestamp }),
        1 => any::<Index>().prop_map(|before| Step::Delete { before }),
        1 => Just(Step::Flush),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
    ]
}

fn recovery_hints(partition: &Partition, clean_shutdown: bool) -> RecoveryHints {
    let checkpoint = partition.checkpoint();
    RecoveryHints {
        clean_shutdown,
        recovery_point: checkpoint.recovery_point,
        log_start_offset: checkpoint.log_start_offset,
        first_dirty: checkpoint.first_dirty,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_reads_like_a_vector(steps in vec(step(), 1..60)) {
        let mut storage = MemoryStorage::new();
        let mut partition = open(&storage, RecoveryHints::default());
        // A record's offset is its place in here; only the timestamp is kept.
        let mut model: Vec<i64> = Vec::new();
        let mut start = 0usize;
        for step in steps {
            match step {
                Step::Append { compression, timestamps, size } => {
                    let bytes = batch(compression, &timestamps, &vec![7; size]);
                    let appended = partition.append(&bytes, 0).expect("there is room");
                    prop_assert_eq!(appended.base_offset.0, model.len() as i64);
                    model.extend(timestamps);
                }
                Step::Read { from, max_bytes } => {
                    let from = start + from.index(model.len() - start + 1);
                    let expected: Vec<_> = (from..model.len()).map(|at| (at as i64, model[at])).collect();
                    prop_assert_eq!(read_all(&partition, Offset(from as i64), max_bytes), expected);
                }
                Step::Find { timestamp } => {
                    let expected = (start..model.len()).find(|&at| model[at] >= timestamp);
                    let found = partition.timestamp_search(timestamp).run().expect("memory works");
                    prop_assert_eq!(found.map(|found| found.offset.0 as usize), expected);
                }
                Step::Delete { before } => {
                    start += before.index(model.len() - start + 1);
                    let answer = partition.delete_records(Some(Offset(start as i64))).expect("in range");
                    prop_assert_eq!(answer.0 as usize, start);
                }
                Step::Flush => partition.flush().expect("memory works"),
                Step::Restart => {
                    partition.close().expect("memory works");
                    storage = storage.kill();
                    partition = open(&storage, recovery_hints(&partition, true));
                }
                Step::Kill => {
                    storage = storage.kill();
                    partition = open(&storage, recovery_hints(&partition, false));
                }
            }
            prop_assert_eq!(partition.log_end_offset().0 as usize, model.len());
            prop_assert_eq!(partition.log_start_offset().0 as usize, start);
        }
    }

    #[test]
    fn a_power_loss_leaves_a_prefix_with_all_that_was_synced(
        batches in vec((appended(), prop::bool::weighted(0.15)), 1..60),
        losses in vec(any::<Index>(), 30),
        checkpoint_written in any::<bool>(),
    ) {
        let storage = MemoryStorage::new();
        let mut partition = open(&storage, RecoveryHints::default());
        let mut model = Vec::new();
        let mut synced = 0;
        for ((compression, timestamps, size), flush) in batches {
            partition.append(&batch(compression, &timestamps, &vec![7; size]), 0).expect("there is room");
            model.extend(timestamps);
            if flush {
                partition.flush().expect("memory works");
                synced = model.len();
            }
        }
        let mut losses = losses.iter().cycle();
        let left = storage.crash(|_, unsynced| losses.next().expect("a cycle").index(unsynced + 1));
        let hints = if checkpoint_written { recovery_hints(&partition, false) } else { RecoveryHints::default() };
        let mut survivor = open(&left, hints);
        let end = survivor.log_end_offset().0 as usize;
        prop_assert!(end >= synced, "{end} records are left, {synced} were synced");
        let prefix: Vec<_> = model[..end].iter().enumerate().map(|(at, stamp)| (at as i64, *stamp)).collect();
        prop_assert_eq!(read_all(&survivor, Offset(0), 500), prefix);
        // And it goes on.
        let appended = survivor.append(&batch(Compression::Lz4, &[5], b"x"), 0).expect("there is room");
        prop_assert_eq!(appended.base_offset.0 as usize, end);
    }

    #[test]
    fn an_index_is_only_a_short_cut(batches in vec(appended(), 1..80)) {
        let storage = MemoryStorage::new();
        let mut partition = open(&storage, RecoveryHints::default());
        let mut model = Vec::new();
        let mut places = Vec::new();
        for (compression, timestamps, size) in &batches {
            let bytes = batch(*compression, timestamps, &vec![7; *size]);
            let appended = partition.append(&bytes, 0).expect("there is room");
            model.extend(timestamps.iter().copied());
            places.extend(timestamps.iter().map(|_| appended.base_offset));
        }
        partition.close().expect("memory works");
        // As it grew, and as it comes from the index files: then nothing is remembered but those.
        for partition in [&partition, &open(&storage.kill(), recovery_hints(&partition, true))] {
            for (at, base_offset) in places.iter().enumerate() {
                let region = partition.read(Offset(at as i64), 0).expect("in range");
                let mut bytes = Vec::new();
                region.read_to(&mut bytes).expect("memory works");
                prop_assert_eq!(check_batch(&bytes).expect("a whole batch").base_offset, *base_offset);
            }
            for timestamp in (0..1_010).step_by(7) {
                let expected = model.iter().position(|stamp| *stamp >= timestamp);
                let found = partition.timestamp_search(timestamp).run().expect("memory works");
                prop_assert_eq!(found.map(|found| found.offset.0 as usize), expected);
            }
        }
    }

    #[test]
    fn no_bytes_on_the_disk_make_it_panic(
        batches in vec(appended(), 0..30),
        edits in vec((any::<Index>(), any::<Index>(), vec(any::<u8>(), 0..40), any::<bool>()), 1..6),
        clean_shutdown in any::<bool>(),
        recovery_point in 0..80i64,
        log_start_offset in prop_oneof![Just(0i64), 0..80i64],
    ) {
        let storage = MemoryStorage::new();
        let mut partition = open(&storage, RecoveryHints::default());
        for (compression, timestamps, size) in &batches {
            partition.append(&batch(*compression, timestamps, &vec![7; *size]), 0).expect("there is room");
        }
        partition.close().expect("memory works");
        let files = storage.sizes();
        for (file, place, garbage, cut) in edits {
            let Some((path, _)) = (!files.is_empty()).then(|| file.get(&files)) else { continue };
            let mut bytes = storage.bytes(path).expect("it was listed");
            let place = place.index(bytes.len() + 1);
            let end = if cut { bytes.len() } else { (place + garbage.len()).min(bytes.len()) };
            bytes.splice(place..end, garbage);
            storage.put(path, &bytes);
        }
        let hints =
            RecoveryHints { clean_shutdown, recovery_point: Offset(recovery_point), log_start_offset: Offset(log_start_offset), ..RecoveryHints::default() };
        let storage = storage.kill();
        let mut partition = open(&storage, hints);
        // Damage in what was trusted may be met later: as an error, not as a panic.
        // A damaged base offset may leave a gap of millions, so only the ends are visited.
        let (start, end) = (partition.log_start_offset().0, partition.log_end_offset().0);
        for offset in (start..=end).take(100).chain((end - 100).max(start)..=end) {
            if let Ok(region) = partition.read(Offset(offset), 200) {
                let mut bytes = Vec::new();
                region.read_to(&mut bytes).expect("the region is within the file");
            }
        }
        let _ = partition.timestamp_search(500).run();
        let _ = partition.max_timestamp_search().run();
        let end = partition.log_end_offset();
        let appended = partition.append(&batch(Compression::Lz4, &[1], b"x"), 0).expect("there is room");
        prop_assert_eq!(appended.base_offset, end);
        prop_assert_eq!(read_all(&partition, end, 0).len(), 1);
    }

    #[test]
    fn pure_noise_is_an_empty_log(noise in vec(any::<u8>(), 0..3_000), clean_shutdown in any::<bool>()) {
        let storage = MemoryStorage::new();
        for name in ["00000000000000000000.log", "00000000000000000000.index", "00000000000000000009.snapshot"] {
            storage.put(&PathBuf::from("t-0").join(name), &noise);
        }
        let hints = RecoveryHints { clean_shutdown, ..RecoveryHints::default() };
        let mut partition = open(&storage, hints);
        let end = partition.log_end_offset();
        prop_assert_eq!(partition.append(&batch(Compression::Lz4, &[1], b"x"), 0).expect("there is room").base_offset, end);
    }
}
