//! What compaction costs beside reading and writing: a gigabyte of records of 100 bytes with a
//! million keys, in processor time. `cargo bench -p broker --bench compaction`; `MB`, `KEYS` and
//! `ROUNDS` in the environment are for other sizes. What the system adds depends on what memory it
//! has at hand and on what else runs, so the least of all rounds counts.

use std::path::Path;
use std::sync::Arc;

use broker::log::{CleanerConfig, CleanupPolicy, DiskStorage, LogConfig, RecoveryHints, Storage as _};
use broker::replica::Partition;
use protocol::records::{BatchBuilder, LeaderEpoch, check_batch, opened, raw_records};

/// Records of a batch.
const BATCH: u64 = 150;
/// Bytes of a record with what the format adds.
const RECORD: u64 = 100;

/// How far one read reaches, as in a cleaning.
const PIECE: usize = 256 << 10;

fn main() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
    };
    let (mb, keys, rounds) = (number("MB", 1_000), number("KEYS", 1_000_000), number("ROUNDS", 3));
    let (mut plain, mut compacting) = (u64::MAX, u64::MAX);
    for round in 1..=rounds {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("bench-0");
        let mut partition = filled(&path, mb, keys);
        take_memory(mb);
        let begun = cpu_ms();
        read_decode_write(&path, &dir.path().join("copy"));
        let read = cpu_ms() - begun;
        take_memory(mb);
        let begun = cpu_ms();
        let cleaned = partition.clean(&CleanerConfig::new([1, 2]), 2_000).expect("a healthy disk");
        let cleaning = cpu_ms() - begun;
        let stats = cleaned.expect("all of it is dirty");
        println!(
            "{round}: {} MB became {} MB; {} keys took {} MB; read, decoded and written {read} ms, compacted {cleaning} ms",
            stats.bytes_before / 1_000_000,
            stats.bytes_after / 1_000_000,
            stats.keys,
            stats.key_bytes / 1_000_000,
        );
        (plain, compacting) = (plain.min(read), compacting.min(cleaning));
    }
    println!(
        "the least of each: {compacting} ms are {:.2} times {plain} ms",
        compacting as f64 / plain as f64
    );
}

/// Takes so many megabytes from the system and gives them back. Memory that a virtual machine must
/// first get from its host costs more than what is written to it, so none of that is measured.
fn take_memory(mb: u64) {
    std::hint::black_box(vec![1u8; mb as usize * 1_000_000]);
}

/// A log of so many bytes, synced.
fn filled(path: &Path, mb: u64, keys: u64) -> Partition {
    let config = LogConfig {
        cleanup: CleanupPolicy::COMPACT,
        segment_bytes: 128 << 20,
        timestamp_after_max_ms: i64::MAX,
        ..LogConfig::default()
    };
    let opened = Partition::open(
        Arc::new(DiskStorage),
        path.to_owned(),
        config,
        LeaderEpoch(0),
        RecoveryHints::default(),
    );
    let mut partition = opened.expect("a fresh log").0;
    let (mut dice, mut written) = (1u64, 0);
    while written < mb * 1_000_000 {
        let mut batch = BatchBuilder::new();
        for _ in 0..BATCH {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (dice >> 24) % keys;
            batch.push(1_000, Some(&key.to_be_bytes()), Some(&[b'x'; RECORD as usize - 17]));
        }
        written += partition.append(&batch.finish(), 1_000).map(|_| BATCH * RECORD).expect("a healthy disk");
    }
    partition.flush().expect("a healthy disk");
    partition
}

/// Every byte read, every batch checked, every record decoded, every byte written and synced.
fn read_decode_write(log: &Path, copy: &Path) {
    let copy = DiskStorage.open(copy).expect("a healthy disk");
    let (mut buffer, mut position, mut count) = (vec![0; PIECE], 0, 0);
    let names = DiskStorage.list(log).expect("a healthy disk");
    for name in
        names.iter().filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "log"))
    {
        let file = DiskStorage.open(&log.join(name)).expect("a healthy disk");
        let (mut at, len) = (0, file.len().expect("a healthy disk"));
        while at < len {
            let read = file.read_at(&mut buffer, at).expect("a healthy disk");
            let bytes = &buffer[..read];
            let mut rest = bytes;
            while let Ok(header) = check_batch(rest) {
                let plain = opened(rest, &header).expect("the records are whole");
                count += raw_records(&plain, header.records_count).flatten().count();
                rest = &rest[header.total_len()..];
            }
            let whole = bytes.len() - rest.len();
            copy.write_at([&bytes[..whole], &[]], position).expect("a healthy disk");
            position += whole as u64;
            at += whole as u64;
        }
    }
    copy.sync().expect("a healthy disk");
    assert!(count > 0, "there is something to read");
}

/// Processor time of this process so far, all threads, from Linux.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse().ok()).unwrap_or(0u64);
    (ticks(11) + ticks(12)) * 10
}
