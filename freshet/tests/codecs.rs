//! Whatever a producer compressed its records with, our own commands read it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use bytes::Bytes;
use common::{Broker, call, freshet, repository};
use protocol::ErrorCode;
use protocol::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::BatchBuilder;

const VALUES: [&str; 6] = ["a:1", "b:2", "c:3", "d:4", "e:5", "f:6"];

#[test]
fn our_client_reads_every_codec() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        create(&broker.address, codec);
        assert_eq!(produce(&broker.address, codec, batch(codec)), ErrorCode::NONE, "{codec}");
        let tail = freshet()
            .args(["tail", codec, "--from-beginning", "-n", "6", "--values"])
            .args(["--bootstrap-servers", &broker.address])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tail.stderr);
        let read = String::from_utf8_lossy(&tail.stdout);
        assert_eq!(read.lines().collect::<Vec<_>>(), VALUES, "{codec}: {said}");
        assert!(tail.status.success(), "{codec}: {said}");
    }
}

/// The six values in one batch: the compressed ones as real clients sent them, kept in the corpus
/// of the fuzzer.
fn batch(codec: &str) -> Bytes {
    if codec == "none" {
        let mut batch = BatchBuilder::new();
        for value in VALUES {
            batch.push(1_000, None, Some(value.as_bytes()));
        }
        return batch.finish();
    }
    let file = format!("fuzz/corpus/records/{codec}-idempotent");
    std::fs::read(repository().join(file)).unwrap().into()
}

fn create(address: &str, name: &str) {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    assert_eq!(call(address, 7, &request).topics[0].error_code, ErrorCode::NONE, "{name}");
}

/// Sends one batch to partition 0, byte by byte as it is.
fn produce(address: &str, topic: &str, batch: Bytes) -> ErrorCode {
    let partitions = vec![PartitionData { index: 0, records: Some(batch) }];
    let topics = vec![TopicData { name: topic.to_owned(), partitions }];
    let request = ProduceRequest { acks: -1, timeout_ms: 10_000, topics, ..Default::default() };
    call(address, 7, &request).topics[0].partitions[0].error_code
}
