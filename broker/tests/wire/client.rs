//! A client of a few lines: it sends what the tests say, byte for byte, and waits for answers.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use broker::{BrokerConfig, Cluster, Listener};
use bytes::Bytes;
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic, FetchedPartition};
use protocol::produce::{PartitionData, PartitionResponse, ProduceRequest, TopicData};
use protocol::records::BatchBuilder;
use protocol::{ErrorCode, Payload, Request, decode_response, encode_request};
use tempfile::TempDir;

/// Far longer than any answer takes, even on a machine that is busy with other things: a test that
/// waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than [`PATIENCE`]: a fetch that is allowed to wait this long must have been woken if it
/// is answered.
pub(crate) const FOR_EVER_MS: i32 = 600_000;

/// The settings that tests start from: a free port, one partition, and no retention, for the
/// records of tests are from 1970.
pub(crate) fn config(data_dir: &TempDir) -> BrokerConfig {
    let mut config =
        BrokerConfig { listeners: vec![Listener::on_this_machine()], ..BrokerConfig::new(data_dir.path()) };
    config.num_partitions = 1;
    config.log.retention_ms = None;
    config
}

/// A broker of its own for a test.
pub(crate) fn start() -> (Cluster, TempDir) {
    let data_dir = TempDir::new().unwrap();
    (Cluster::start(config(&data_dir)).unwrap(), data_dir)
}

/// What SIGKILL would leave of a running broker's data now: the page cache survives its process, so
/// a copy shows it. A file that is gone when its turn comes had its name for a moment only:
/// checkpoints are written under another name first and renamed.
pub(crate) fn what_a_kill_leaves(data_dir: &TempDir) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in from.read_dir().unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                match std::fs::copy(entry.path(), to) {
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    copied => drop(copied.unwrap()),
                }
            }
        }
    }
    let left = TempDir::new().unwrap();
    copy(data_dir.path(), left.path());
    left
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A socket, or what stands on one.
pub(crate) trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

pub(crate) struct Client {
    stream: Box<dyn Duplex>,
    sent: i32,
    answered: i32,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(connect(address))
    }

    pub(crate) fn over(stream: impl Duplex + 'static) -> Self {
        Self { stream: Box::new(stream), sent: 0, answered: 0 }
    }

    pub(crate) fn to(cluster: &Cluster) -> Self {
        Self::connect(cluster.address())
    }

    /// Sends a request and does not wait.
    pub(crate) fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.sent += 1;
        self.send_bytes(&encode_request(version, self.sent, "test", request));
    }

    /// Receives the answer to the oldest request that has none yet: answers come in order.
    pub(crate) fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        self.answered += 1;
        let (correlation_id, response) = decode_response::<R>(version, self.receive_frame()).unwrap();
        assert_eq!(correlation_id, self.answered, "answers come in the order of their requests");
        response
    }

    pub(crate) fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request);
        self.receive::<R>(version)
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
        self.stream.flush().unwrap();
    }

    /// The next frame without its length.
    pub(crate) fn receive_frame(&mut self) -> Bytes {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame).unwrap();
        frame.into()
    }

    /// Waits until the broker hangs up, which it must do without another byte.
    pub(crate) fn expect_hangup(&mut self) {
        match self.stream.read(&mut [0; 1]) {
            Ok(0) => {}
            Ok(_) => panic!("the broker answered instead of hanging up"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }

    pub(crate) fn create_topic(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let configs = configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig { name: (*name).into(), value: Some((*value).into()) });
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        };
        let response = self.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        assert_eq!(response.topics[0].error_code, ErrorCode::NONE, "{:?}", response.topics[0].error_message);
    }

    pub(crate) fn produce(&mut self, topic: &str, partition: i32, batch: Bytes) -> PartitionResponse {
        let mut response = self.call(11, &produce(topic, partition, batch));
        response.topics.remove(0).partitions.remove(0)
    }

    pub(crate) fn fetch(&mut self, request: &FetchRequest) -> FetchedPartition {
        let mut response = self.call(12, request);
        assert_eq!(response.error_code, ErrorCode::NONE);
        response.topics.remove(0).partitions.remove(0)
    }
}

pub(crate) fn produce(topic: &str, partition: i32, batch: Bytes) -> ProduceRequest {
    let partitions = vec![PartitionData { index: partition, records: Some(batch) }];
    let topics = vec![TopicData { name: topic.into(), partitions }];
    ProduceRequest { acks: -1, timeout_ms: 30_000, topics, ..Default::default() }
}

/// A fetch that waits for nothing; a test that wants it to wait sets `max_wait_ms` and `min_bytes`.
pub(crate) fn fetch(topic: &str, partitions: &[(i32, i64)]) -> FetchRequest {
    let partitions = partitions.iter().map(|&(partition, fetch_offset)| FetchPartition {
        partition,
        fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    });
    let topics =
        vec![FetchTopic { topic: topic.into(), partitions: partitions.collect(), ..Default::default() }];
    FetchRequest { min_bytes: 1, max_bytes: 50 << 20, topics, ..Default::default() }
}

/// A batch of these values with timestamps 1000, 1001 and so on.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (timestamp_ms, value) in (1000..).zip(values) {
        builder.push(timestamp_ms, None, Some(value.as_bytes()));
    }
    builder.finish()
}

/// The record batches that a fetch has read.
pub(crate) fn records(partition: &FetchedPartition) -> Bytes {
    match &partition.records {
        Some(Payload::Bytes(bytes)) => bytes.clone(),
        other => panic!("records must be there, if only zero bytes of them: {other:?}"),
    }
}
