//! What a request costs to read and to write. `cargo bench -p protocol --bench decode`.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::metadata::{MetadataBroker, MetadataPartition, MetadataResponse, MetadataTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::{BatchBuilder, Compression, check_produced, walk};
use protocol::{ApiKey, Request, RequestHeader, encode_request, encode_response};

/// A batch of `count` records of 100 bytes.
fn batch(count: usize) -> Bytes {
    let mut batch = BatchBuilder::new();
    for index in 0..count {
        batch.push(1_000 + index as i64, None, Some(&[b'x'; 100]));
    }
    batch.finish()
}

fn produce(records: usize) -> ProduceRequest {
    let partitions = vec![PartitionData { index: 0, records: Some(batch(records)) }];
    let topics = vec![TopicData { name: "clicks".into(), partitions }];
    ProduceRequest { acks: -1, timeout_ms: 30_000, topics, ..Default::default() }
}

fn fetch(partitions: i32) -> FetchRequest {
    let partitions = (0..partitions).map(|partition| FetchPartition { partition, ..Default::default() });
    let topics =
        vec![FetchTopic { topic: "clicks".into(), partitions: partitions.collect(), ..Default::default() }];
    FetchRequest { max_wait_ms: 500, min_bytes: 1, max_bytes: 50 << 20, topics, ..Default::default() }
}

/// The frame without its length, as the server holds it.
fn frame<R: Request>(version: i16, request: &R) -> Bytes {
    Bytes::from(encode_request(version, 1, "bench", request)).slice(4..)
}

fn read<R: Request>(frame: &Bytes) -> R {
    let (header, mut body) = RequestHeader::decode(frame.clone()).expect("we wrote it");
    R::decode(&mut body, R::KEY.version(header.api_version)).expect("we wrote it")
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for records in [1, 150] {
        let frame = frame(9, &produce(records));
        group.bench_function(format!("produce, {records} records"), |bencher| {
            bencher.iter(|| read::<ProduceRequest>(black_box(&frame)));
        });
    }
    for partitions in [4, 100] {
        let frame = frame(12, &fetch(partitions));
        group.bench_function(format!("fetch, {partitions} partitions"), |bencher| {
            bencher.iter(|| read::<FetchRequest>(black_box(&frame)));
        });
    }
    group.finish();
}

/// A thousand card swipes in one batch.
fn swipes(compression: Compression) -> Bytes {
    let mut batch = BatchBuilder::new().compression(compression);
    for index in 0..1_000u64 {
        let card = index * 7_919 % 3_001;
        let value = format!(
            r#"{{"ts":"2026-03-03T11:00:{:02}.{:03}Z","swipe_id":"s-{}","card_id":"c-{card}","terminal_id":"t-{}","amount_cents":{}}}"#,
            index / 40 % 60,
            index * 37 % 1_000,
            900_000 + index,
            card % 211,
            index * index % 9_973,
        );
        let key = format!("c-{card}");
        batch.push(1_772_535_600_000 + index as i64, Some(key.as_bytes()), Some(value.as_bytes()));
    }
    batch.finish()
}

/// What a broker pays for a batch before it stores it: the checksum and the header, as it was once,
/// and every record, as it is.
fn check(criterion: &mut Criterion) {
    for compression in Compression::ALL {
        let bytes = swipes(compression);
        let mut group = criterion.benchmark_group(format!("check 1000 swipes, {compression:?}"));
        group.throughput(Throughput::Elements(1_000));
        group.bench_function("checksum and header", |bencher| {
            bencher.iter(|| check_produced(black_box(&bytes)).expect("a good batch"));
        });
        group.bench_function("and every record", |bencher| {
            bencher.iter(|| {
                let header = check_produced(black_box(&bytes)).expect("a good batch");
                let mut largest = i64::MIN;
                walk(&bytes, &header, |record| {
                    largest = largest.max(record.timestamp_ms);
                    ControlFlow::<()>::Continue(())
                })
                .expect("good records");
                largest
            });
        });
        group.finish();
    }
    let one = batch(1);
    criterion.bench_function("check 1 record", |bencher| {
        bencher.iter(|| {
            let header = check_produced(black_box(&one)).expect("a good batch");
            walk(&one, &header, |record| ControlFlow::Break(record.index)).expect("a good record")
        });
    });
}

fn encode(criterion: &mut Criterion) {
    let partitions = |count| {
        let partition = |partition_index| MetadataPartition {
            partition_index,
            replica_nodes: vec![1],
            isr_nodes: vec![1],
            ..Default::default()
        };
        (0..count).map(partition).collect()
    };
    let topics = (0..20).map(|number| MetadataTopic {
        name: Some(format!("topic-{number}")),
        partitions: partitions(4),
        ..Default::default()
    });
    let brokers = vec![MetadataBroker { node_id: 1, host: "127.0.0.1".into(), port: 9092, rack: None }];
    let response = MetadataResponse { brokers, topics: topics.collect(), ..Default::default() };
    criterion.bench_function("encode/metadata, 20 topics", |bencher| {
        bencher.iter(|| encode_response(ApiKey::Metadata, 12, 1, black_box(&response)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    targets = decode, check, encode
}
criterion_main!(benches);
