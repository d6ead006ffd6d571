//! What a request costs to read and to write. `cargo bench -p protocol --bench decode`.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::metadata::{MetadataBroker, MetadataPartition, MetadataResponse, MetadataTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::{BatchBuilder, check_produced};
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

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check a batch");
    for records in [1, 150] {
        let bytes = batch(records);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("{records} records"), |bencher| {
            bencher.iter(|| check_produced(black_box(&bytes)).expect("a good batch"));
        });
    }
    group.finish();
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
