//! How long a small producer waits beside a cleaning, and beside a long pipeline of commits: with
//! them and without, in one run. `cargo bench -p broker --bench beside`; `MB` in the environment is
//! the size of the log that is cleaned.

#![expect(clippy::disallowed_methods, reason = "a bench measures wall-clock time")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use broker::{BrokerConfig, Cluster, Listener};
use bytes::Bytes;
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::BatchBuilder;
use protocol::{ErrorCode, Request, decode_response, encode_request};

/// The small producer sends one record each: beside a cleaning, and beside commits.
const PERIODS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(4)];
/// How long it is watched alone.
const ALONE: Duration = Duration::from_secs(5);
/// Groups, and the offsets that each commits.
const GROUPS: usize = 3_000;
const OFFSETS: i32 = 100;
/// The number of a topic among what has settings.
const TOPIC: i8 = 2;
const DIRTY_RATIO: &str = "min.cleanable.dirty.ratio";

fn main() {
    let mb = std::env::var("MB").ok().and_then(|value| value.parse().ok()).unwrap_or(1_000);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut config =
        BrokerConfig { listeners: vec![Listener::on_this_machine()], ..BrokerConfig::new(dir.path()) };
    config.log.retention_ms = None;
    let cluster = Cluster::start(config).expect("a free port");
    let address = cluster.address();
    let mut client = Client::connect(address);
    client.create("small", 1, &[]);
    client.create("read", OFFSETS, &[]);

    // At a ratio of 1 nothing is dirty enough.
    client.create(
        "table",
        1,
        &[("cleanup.policy", "compact"), ("segment.bytes", "134217728"), (DIRTY_RATIO, "1")],
    );
    client.fill("table", mb);
    told("alone", small_producer(address, PERIODS[0], || thread::sleep(ALONE)));
    let log = dir.path().join("table-0");
    let before = size(&log);
    told(
        "beside a cleaning",
        small_producer(address, PERIODS[0], || {
            client.set("table", DIRTY_RATIO, "0.1");
            while size(&log) > before / 3 {
                thread::sleep(Duration::from_millis(20));
            }
        }),
    );

    client.commit_all(0);
    told("alone", small_producer(address, PERIODS[1], || thread::sleep(ALONE)));
    told(
        "beside commits",
        small_producer(address, PERIODS[1], || {
            for round in 1..=20 {
                client.commit_all(round);
            }
        }),
    );
}

/// Bytes of the files in a directory.
fn size(dir: &Path) -> u64 {
    let files = dir.read_dir().into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// Sends a record every so often while something else is done: how long each waited.
fn small_producer(address: SocketAddr, period: Duration, meanwhile: impl FnOnce()) -> Vec<Duration> {
    let done = Arc::new(AtomicBool::new(false));
    let producer = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let mut client = Client::connect(address);
            let (mut waited, mut due) = (Vec::new(), Instant::now());
            while !done.load(Ordering::Acquire) {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let sent = Instant::now();
                client.produce("small", batch((0..1).map(|n| (n, 50))));
                waited.push(sent.elapsed());
                due = sent + period;
            }
            waited
        }
    });
    meanwhile();
    done.store(true, Ordering::Release);
    producer.join().expect("the broker answers")
}

fn told(what: &str, mut waited: Vec<Duration>) {
    waited.sort_unstable();
    let at = |share: f64| waited[(waited.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms, of {} records", at(0.5), at(0.99), waited.len());
}

/// Records with these keys and lengths.
fn batch(records: impl Iterator<Item = (u64, usize)>) -> Bytes {
    let mut batch = BatchBuilder::new();
    for (key, len) in records {
        batch.push(1_000, Some(&key.to_be_bytes()), Some(&vec![b'x'; len]));
    }
    batch.finish()
}

struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the broker listens");
        stream.set_nodelay(true).expect("a socket");
        Self(stream)
    }

    fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).expect("an answer");
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame).expect("an answer");
        decode_response::<R>(version, frame.into()).expect("an answer").1
    }

    fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.0.write_all(&encode_request(version, 1, "bench", request)).expect("a broker");
        self.receive::<R>(version)
    }

    fn create(&mut self, name: &str, num_partitions: i32, configs: &[(&str, &str)]) {
        let configs = configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig { name: (*name).into(), value: Some((*value).into()) });
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        };
        let response = self.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        assert_eq!(response.topics[0].error_code, ErrorCode::NONE, "{:?}", response.topics[0].error_message);
    }

    fn set(&mut self, topic: &str, name: &str, value: &str) {
        let config = AlterableConfig { name: name.into(), config_operation: 0, value: Some(value.into()) };
        let resource =
            AlterConfigsResource { resource_type: TOPIC, resource_name: topic.into(), configs: vec![config] };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        assert_eq!(self.call(1, &request).responses[0].error_code, ErrorCode::NONE);
    }

    fn produce(&mut self, topic: &str, records: Bytes) {
        let partitions = vec![PartitionData { index: 0, records: Some(records) }];
        let topics = vec![TopicData { name: topic.into(), partitions }];
        let request = ProduceRequest { acks: -1, timeout_ms: 30_000, topics, ..Default::default() };
        assert_eq!(self.call(11, &request).topics[0].partitions[0].error_code, ErrorCode::NONE);
    }

    /// Records of 100 bytes with a million keys.
    fn fill(&mut self, topic: &str, mb: u64) {
        let mut dice = 1u64;
        for _ in 0..mb * 10 {
            let keys = (0..1_000).map(|_| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((dice >> 24) % 1_000_000, 83)
            });
            self.produce(topic, batch(keys));
        }
    }

    /// A commit of each group, all of them sent before the first is answered.
    fn commit_all(&mut self, offset: i64) {
        let mut sender = self.0.try_clone().expect("a socket");
        let sending = thread::spawn(move || {
            for group in 0..GROUPS {
                let partitions = (0..OFFSETS).map(|partition_index| OffsetCommitPartition {
                    partition_index,
                    committed_offset: offset,
                    ..Default::default()
                });
                let topic = OffsetCommitTopic { name: "read".into(), partitions: partitions.collect() };
                let request = OffsetCommitRequest {
                    group_id: format!("group-{group}"),
                    generation_id: -1,
                    topics: vec![topic],
                    ..Default::default()
                };
                sender.write_all(&encode_request(8, 1, "bench", &request)).expect("a broker");
            }
        });
        for _ in 0..GROUPS {
            let response = self.receive::<OffsetCommitRequest>(8);
            assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::NONE);
        }
        sending.join().expect("it was sent");
    }
}
