//! SIGKILL at random moments under load: nothing that was acknowledged is lost, and nothing is
//! there twice.
//!
//! The broker runs in a process of its own, which is this test program once more, started as
//! [`the_victim`]. Around it live four clients that never give up: two idempotent producers, a
//! group that commits how far it has come, and somebody who makes and deletes topics. Each
//! remembers what was acknowledged, and repeats what was not. Again and again the broker is
//! killed after a random number of answers and then a random moment, wherever it happens to be: in
//! a write, between a write and its answer, in a roll, a checkpoint, a rewrite of the committed
//! offsets. Segments are tiny and checkpoints come every few milliseconds, so that kills find all
//! of these.
//!
//! `make torture` kills two hundred times. A failure prints the seed; the moments differ from run
//! to run all the same, for processes are not deterministic.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use broker::{BrokerConfig, Cluster};
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::init_producer_id::InitProducerIdRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::{BatchBuilder, ProducerStamp, check_batch, records};
use protocol::{ErrorCode, Payload, Request, decode_response, encode_request};

/// A broker that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);

const TOPIC: &str = "written";
const PRODUCERS: i32 = 2;

#[test]
fn five_kills_lose_nothing_that_was_acknowledged() {
    torture(5);
}

#[test]
#[ignore = "takes minutes: make torture"]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    torture(200);
}

/// Not a test: the broker that is killed. It ends by itself when its parent process is gone.
#[test]
#[ignore = "the other tests start this one"]
fn the_victim() {
    let Some(data_dir) = std::env::var_os("TORTURE_DATA_DIR") else { return };
    let mut config = BrokerConfig::new(PathBuf::from(data_dir));
    config.listeners = vec![std::env::var("TORTURE_LISTEN").unwrap().parse().unwrap()];
    config.checkpoint_interval_ms = 20;
    // The records are from 1970.
    config.log.retention_ms = None;
    let cluster = Cluster::start(config).unwrap();
    println!("listening on {}", cluster.bootstrap_servers());
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    std::process::abort();
}

fn torture(kills: u32) {
    let data_dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(u64::from(std::process::id()) << 20 | u64::from(kills));
    println!("seed {}", dice.0);
    let mut victim = Victim::start(data_dir.path(), "127.0.0.1:0");
    let address = victim.address;
    prepare(address);

    let stage = Arc::new(Stage::default());
    let (answered, answers) = channel();
    let client = || Client { address, stream: None, stage: Arc::clone(&stage), answered: answered.clone() };
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|partition| {
            let (client, dice) = (client(), Dice(dice.next()));
            thread::spawn(move || produce(client, partition, dice))
        })
        .collect();
    let committer = {
        let client = client();
        thread::spawn(move || commit(client))
    };
    let administrator = {
        let client = client();
        thread::spawn(move || make_and_delete_topics(client))
    };
    drop(answered);

    for kill in 1..=kills {
        wait_for_a_random_moment(&answers, &mut dice);
        stage.set(Scene::Down);
        victim.kill();
        victim = Victim::start(data_dir.path(), &address.to_string());
        stage.set(Scene::Up);
        if kill % 20 == 0 {
            println!("{kill} kills");
        }
    }
    wait_for_a_random_moment(&answers, &mut dice);
    stage.set(Scene::Over);
    // Every client that waits for an answer gets it.
    while answers.recv().is_ok() {}
    let acknowledged: Vec<_> = producers.into_iter().map(|producer| producer.join().unwrap()).collect();
    let committed = committer.join().unwrap();
    let topics = administrator.join().unwrap();

    // Once more, so that what is looked at comes from the disk.
    victim.kill();
    let _victim = Victim::start(data_dir.path(), &address.to_string());
    let mut client = Connection::to(address).unwrap();
    let mut total = 0;
    for (partition, last) in (0..).zip(&acknowledged) {
        let found = read_all(&mut client, TOPIC, partition);
        // What was never acknowledged may be there or not, but only the last
        // batch can be in that state.
        assert!(
            found.len() as u64 >= *last,
            "partition {partition}: {last} acknowledged, {} left",
            found.len()
        );
        for (expected, number) in (0..).zip(&found) {
            assert_eq!(*number, expected, "partition {partition}: lost or doubled");
        }
        total += last;
    }
    assert!(fetch_commit(&mut client) >= committed, "the group fell back behind what it had committed");
    check_topics(&mut client, &topics);
    println!("{kills} kills: {total} records, {committed} commits and {} topics are all there", topics.len());
}

/// After some answers, and a moment that no answer marks.
fn wait_for_a_random_moment(answers: &Receiver<()>, dice: &mut Dice) {
    for _ in 0..=dice.below(300) {
        answers.recv_timeout(PATIENCE).expect("the broker answers somebody");
    }
    let moment = Duration::from_micros(dice.below(2_000));
    while let Ok(()) = answers.recv_timeout(moment) {
        if dice.below(20) == 0 {
            return;
        }
    }
}

/// Records 0, 1, 2 and so on, each once, in batches of a few. Returns how many were acknowledged.
fn produce(mut client: Client, partition: i32, mut dice: Dice) -> u64 {
    let identity = client.call(4, &InitProducerIdRequest::default()).expect("not stopped yet");
    let mut next = 0u64;
    while !client.is_stopped() {
        let stamp = ProducerStamp {
            producer_id: identity.producer_id,
            producer_epoch: identity.producer_epoch,
            base_sequence: next as i32,
        };
        let mut batch = BatchBuilder::new().producer(stamp);
        let count = dice.below(5) + 1;
        for number in next..next + count {
            batch.push(0, None, Some(&number.to_be_bytes().repeat(dice.below(30) as usize + 1)));
        }
        let Some(response) = client.call(9, &produce_request(TOPIC, partition, batch)) else { break };
        let answer = &response.topics[0].partitions[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "{:?}", answer.error_message);
        // One producer a partition, and every record once: so a record's number is its offset.
        assert_eq!(answer.base_offset, next as i64, "partition {partition}: lost or doubled");
        next += count;
    }
    next
}

/// Commits 1, 2, 3 and so on, with metadata long enough that the log of commits is soon rewritten.
/// Returns the last one that was acknowledged.
fn commit(mut client: Client) -> i64 {
    let mut committed = 0;
    while !client.is_stopped() {
        let partition = OffsetCommitPartition {
            committed_offset: committed + 1,
            committed_metadata: Some("x".repeat(4_000)),
            ..Default::default()
        };
        let topics = vec![OffsetCommitTopic { name: TOPIC.into(), partitions: vec![partition] }];
        let request = OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() };
        let Some(response) = client.call(9, &request) else { break };
        assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::NONE);
        committed += 1;
    }
    committed
}

/// Names of topics, each with the number of its life and whether it lives.
type Fates = BTreeMap<String, (u64, bool)>;

/// Makes a topic with one record in it; on the next visit deletes the record and the topic;
/// on the next makes it again. What was not acknowledged is asked for again, and may have
/// been done already.
fn make_and_delete_topics(mut client: Client) -> Fates {
    let mut fates = Fates::new();
    for life in 0.. {
        if client.is_stopped() {
            break;
        }
        let name = format!("made-{}", life % 7);
        // Unless everything is acknowledged, its fate is not known.
        let exists = fates.remove(&name).is_some_and(|(_, exists)| exists);
        let done =
            if exists { delete_topic(&mut client, &name) } else { make_topic(&mut client, &name, life) };
        if done.is_none() {
            break;
        }
        fates.insert(name, (life, !exists));
    }
    fates
}

fn make_topic(client: &mut Client, name: &str, life: u64) -> Option<()> {
    let topic =
        CreatableTopic { name: name.into(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let made = client.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() })?;
    let code = made.topics[0].error_code;
    assert!([ErrorCode::NONE, ErrorCode::TOPIC_ALREADY_EXISTS].contains(&code), "{code:?}");
    let mut batch = BatchBuilder::new();
    batch.push(0, None, Some(&life.to_be_bytes()));
    let response = client.call(9, &produce_request(name, 0, batch))?;
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NONE, "{name}");
    Some(())
}

fn delete_topic(client: &mut Client, name: &str) -> Option<()> {
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: -1 }];
    let topics = vec![DeleteRecordsTopic { name: name.into(), partitions }];
    let emptied = client.call(2, &DeleteRecordsRequest { topics, ..Default::default() })?;
    let code = emptied.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NONE, "{name}");
    let gone =
        client.call(5, &DeleteTopicsRequest { topic_names: vec![name.into()], ..Default::default() })?;
    let code = gone.responses[0].error_code;
    assert!([ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION].contains(&code), "{code:?}");
    Some(())
}

fn check_topics(client: &mut Connection, fates: &Fates) {
    for (name, (life, exists)) in fates {
        let topics = vec![MetadataRequestTopic { name: Some(name.clone()), ..Default::default() }];
        let request =
            MetadataRequest { topics: Some(topics), allow_auto_topic_creation: false, ..Default::default() };
        let topic = client.call(9, &request).unwrap().topics.remove(0);
        assert_eq!(topic.error_code.is_none(), *exists, "{name}: {:?}", topic.error_code);
        if *exists {
            // A repeated send of the one record may have doubled it.
            let numbers = read_all(client, name, 0);
            assert!(
                !numbers.is_empty() && numbers.iter().all(|number| number == life),
                "{name}: {numbers:?}"
            );
        }
    }
}

fn produce_request(topic: &str, partition: i32, batch: BatchBuilder) -> ProduceRequest {
    let partitions = vec![PartitionData { index: partition, records: Some(batch.finish()) }];
    let topics = vec![TopicData { name: topic.into(), partitions }];
    ProduceRequest { acks: -1, timeout_ms: 30_000, topics, ..Default::default() }
}

fn prepare(address: SocketAddr) {
    let configs = [("internal.segment.bytes", "20000"), ("index.interval.bytes", "500")];
    let topic = CreatableTopic {
        name: TOPIC.into(),
        num_partitions: PRODUCERS,
        replication_factor: 1,
        configs: configs
            .map(|(name, value)| CreatableTopicConfig { name: name.into(), value: Some(value.into()) })
            .to_vec(),
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let made = Connection::to(address).unwrap().call(7, &request).unwrap();
    assert_eq!(made.topics[0].error_code, ErrorCode::NONE, "{:?}", made.topics[0].error_message);
}

/// The numbers of all records of a partition, in order.
fn read_all(client: &mut Connection, topic: &str, partition: i32) -> Vec<u64> {
    let (mut numbers, mut offset) = (Vec::new(), 0);
    loop {
        let asked = FetchPartition {
            partition,
            fetch_offset: offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topics = vec![FetchTopic { topic: topic.into(), partitions: vec![asked], ..Default::default() }];
        let request = FetchRequest { max_bytes: 1 << 20, topics, ..Default::default() };
        let mut response = client.call(12, &request).unwrap();
        let answer = response.topics.remove(0).partitions.remove(0);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let Some(Payload::Bytes(bytes)) = answer.records else { panic!("zero bytes or more") };
        if bytes.is_empty() {
            assert_eq!(offset, answer.high_watermark);
            return numbers;
        }
        let mut rest = &bytes[..];
        while let Ok(header) = check_batch(rest) {
            let values = records(rest).unwrap().map(|record| record.unwrap().value.unwrap());
            numbers.extend(values.map(|value| u64::from_be_bytes(*value.first_chunk().unwrap())));
            offset = header.next_offset().0;
            rest = &rest[header.total_len()..];
        }
    }
}

fn fetch_commit(client: &mut Connection) -> i64 {
    let groups = vec![OffsetFetchGroup { group_id: "g".into(), topics: None, ..Default::default() }];
    let response = client.call(8, &OffsetFetchRequest { groups, ..Default::default() }).unwrap();
    response.groups[0].topics.first().map_or(0, |topic| topic.partitions[0].committed_offset)
}

/// The broker's process.
struct Victim {
    process: Child,
    address: SocketAddr,
}

impl Victim {
    fn start(data_dir: &Path, listen: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["the_victim", "--exact", "--ignored", "--nocapture"])
            .env("TORTURE_DATA_DIR", data_dir)
            .env("TORTURE_LISTEN", listen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address =
            said.map(Result::unwrap).find_map(|line| line.split("listening on ").nth(1)?.parse().ok());
        Self { process, address: address.expect("the broker starts") }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _already_dead = self.process.kill();
        let _status = self.process.wait();
    }
}

/// What the clients may expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scene {
    /// The broker runs, or is just being killed.
    #[default]
    Up,
    /// It is being started again.
    Down,
    /// No more questions.
    Over,
}

#[derive(Debug, Default)]
struct Stage {
    scene: Mutex<Scene>,
    changed: Condvar,
}

impl Stage {
    fn set(&self, scene: Scene) {
        *self.scene.lock().unwrap() = scene;
        self.changed.notify_all();
    }

    fn wait_while_down(&self) -> Scene {
        let scene = self.scene.lock().unwrap();
        *self.changed.wait_while(scene, |scene| *scene == Scene::Down).unwrap()
    }
}

/// A client that connects again and repeats itself until it is answered.
struct Client {
    address: SocketAddr,
    stream: Option<Connection>,
    stage: Arc<Stage>,
    answered: Sender<()>,
}

impl Client {
    fn is_stopped(&self) -> bool {
        self.stage.wait_while_down() == Scene::Over
    }

    /// `None` when there is no answer yet and it was told to stop.
    fn call<R: Request>(&mut self, version: i16, request: &R) -> Option<R::Response> {
        loop {
            if self.stream.is_none() {
                self.stream = Connection::to(self.address).ok();
            }
            if let Some(stream) = &mut self.stream {
                match stream.call(version, request) {
                    Ok(response) => {
                        let _receiver_is_gone_at_the_end = self.answered.send(());
                        return Some(response);
                    }
                    Err(_) => self.stream = None,
                }
            }
            if self.is_stopped() {
                return None;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    sent: i32,
}

impl Connection {
    fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, sent: 0 })
    }

    fn call<R: Request>(&mut self, version: i16, request: &R) -> io::Result<R::Response> {
        self.sent += 1;
        self.stream.write_all(&encode_request(version, self.sent, "torture", request))?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame)?;
        let (correlation_id, response) =
            decode_response::<R>(version, frame.into()).map_err(io::Error::other)?;
        assert_eq!(correlation_id, self.sent);
        Ok(response)
    }
}

/// Random numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
