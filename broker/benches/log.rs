//! What a batch costs to append and to find again. `cargo bench -p broker --bench log`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use broker::log::{DiskStorage, LogConfig, RecoveryHints};
use broker::replica::Partition;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use protocol::records::{BatchBuilder, LeaderEpoch, Offset};

/// A batch of `count` records of 100 bytes, at a time that retention leaves alone.
fn batch(count: usize) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    for index in 0..count {
        batch.push(1_000 + index as i64, None, Some(&[b'x'; 100]));
    }
    batch.finish().to_vec()
}

/// A partition on the machine's temporary directory, bounded so that a long run does not fill it.
fn partition(dir: &tempfile::TempDir) -> Partition {
    let config =
        LogConfig { retention_bytes: Some(256 << 20), segment_bytes: 64 << 20, ..LogConfig::default() };
    let path = dir.path().join("bench-0");
    Partition::open(Arc::new(DiskStorage), path, config, LeaderEpoch(0), RecoveryHints::default())
        .expect("a fresh log")
        .0
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for count in [1, 10, 150] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut partition = partition(&dir);
        let bytes = batch(count);
        let mut appended = 0u64;
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} records"), |bencher| {
            bencher.iter(|| {
                appended += 1;
                if appended.is_multiple_of(4096) {
                    partition.tick(2_000).expect("a healthy disk");
                }
                partition.append(black_box(&bytes), 2_000).expect("a healthy disk")
            });
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut partition = partition(&dir);
    let bytes = batch(10);
    for _ in 0..20_000 {
        partition.append(&bytes, 2_000).expect("a healthy disk");
    }
    let end = partition.log_end_offset();
    let mut group = criterion.benchmark_group("read");
    group.bench_function("find the newest batch", |bencher| {
        bencher.iter(|| partition.read(black_box(end + -10), 1 << 20).expect("in range"));
    });
    let mut old = 0;
    group.bench_function("find an old batch", |bencher| {
        bencher.iter(|| {
            old = (old + 7_919) % 100_000;
            partition.read(black_box(Offset(old)), 1 << 20).expect("in range")
        });
    });
    let region = partition.read(Offset(0), 1 << 20).expect("in range");
    group.throughput(Throughput::Bytes(region.len as u64));
    group.bench_function("copy a megabyte out", |bencher| {
        bencher.iter_batched_ref(
            || Vec::with_capacity(1 << 20),
            |buffer| region.read_to(buffer).expect("a healthy disk"),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    targets = append, read
}
criterion_main!(benches);
