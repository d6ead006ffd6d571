//! The lanes against a cluster: crashes in the middle, instances that come and go.

#![expect(
    clippy::disallowed_methods,
    reason = "waiting for other threads and processes is done in wall-clock time"
)]

mod hostile;
mod replay;
mod takeover;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use client::{Admin, LogReader, NewTopic, Outgoing, Producer, ProducerOptions, Settings, TopicPartition};
use events::{Event, SOURCE_HEADER, Source, Topic};

use super::toy::{Toy, swipe};
use super::{Control, StreamConfig, StreamError, WorkerStats, run_stream};
use processor::Processor;

const PARTITIONS: i32 = 4;
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A cluster with the topics of one test, which no other test touches.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) admin: Admin,
    pub(crate) producer: Producer,
    cluster: super::cluster::TestCluster,
}

impl World {
    pub(crate) fn new() -> Self {
        let cluster = super::cluster::TestCluster::start();
        let settings = Settings::new(cluster.servers());
        let admin = Admin::connect(&settings, Duration::from_secs(10)).unwrap();
        let old: Vec<&str> = Topic::ALL.iter().map(|topic| topic.name()).collect();
        admin.delete(&old).unwrap();
        let topics = [Topic::CardSwipes, Topic::Chargebacks, Topic::FraudDecisions, Topic::FraudBatch];
        let mut new: Vec<_> = topics.iter().map(|topic| new_topic(*topic, PARTITIONS)).collect();
        new.extend([new_topic(Topic::DeadLetters, 1), new_topic(Topic::BatchRuns, 1)]);
        admin.create(&new).unwrap();
        let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
        Self { settings, admin, producer, cluster }
    }

    /// The same world, with unchecked batches of swipes; none on a broker that isn't
    /// ours.
    pub(crate) fn with_stored(self, batches: &[(i32, Vec<u8>)]) -> Option<Self> {
        let Self { cluster, producer, admin, .. } = self;
        drop((producer, admin));
        let cluster = cluster.with_stored("card_swipes", batches)?;
        let settings = Settings::new(cluster.servers());
        let admin = Admin::connect(&settings, Duration::from_secs(10)).unwrap();
        let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
        Some(Self { settings, admin, producer, cluster })
    }

    /// Swipes `from..to` over twenty cards.
    pub(crate) fn swipes(&self, from: u32, to: u32) {
        for n in from..to {
            let event = swipe(&format!("s{n}"), &format!("c{}", n % 20), i64::from(n));
            self.send(&event);
        }
        self.producer.flush(TIMEOUT).unwrap();
    }

    pub(crate) fn send(&self, event: &Event) {
        self.send_bytes(event.topic(), event.key(), &event.to_json());
    }

    pub(crate) fn send_bytes(&self, topic: Topic, key: &str, value: &[u8]) {
        let record = Outgoing {
            topic: topic.name(),
            key: Some(key.as_bytes()),
            value: Some(value),
            ..Outgoing::default()
        };
        self.producer.send(record, TIMEOUT).unwrap();
    }

    /// A reader of everything on a topic: each partition in order.
    fn reader(&self, topic: Topic) -> LogReader {
        let count = self.admin.partitions(topic.name()).unwrap();
        let at: Vec<_> = (0..count).map(|partition| TopicPartition::new(topic.name(), partition)).collect();
        let ends = self.admin.ends(&at).unwrap();
        let stretches: Vec<_> = ends.iter().enumerate().map(|(n, end)| (n as i32, 0, end.unwrap())).collect();
        LogReader::range(&self.settings, topic.name(), &stretches).unwrap()
    }

    /// Everything on a topic: each partition in order.
    pub(crate) fn read(&self, topic: Topic) -> Vec<(Option<Source>, Event)> {
        let mut reader = self.reader(topic);
        let mut all = Vec::new();
        while !reader.is_finished() {
            let Some(record) = reader.next(TIMEOUT).unwrap() else { continue };
            let source = record.header(SOURCE_HEADER).and_then(Source::parse);
            all.push((source, Event::parse(topic, record.value().unwrap()).unwrap()));
        }
        all
    }

    pub(crate) fn count(&self, topic: Topic) -> i64 {
        let count = self.admin.partitions(topic.name()).unwrap();
        let at: Vec<_> = (0..count).map(|partition| TopicPartition::new(topic.name(), partition)).collect();
        self.admin.ends(&at).unwrap().into_iter().flatten().sum()
    }

    pub(crate) fn wait_for_answers(&self, count: i64) {
        wait_until(&format!("{count} answers"), || self.count(Topic::FraudDecisions) >= count);
    }

    fn config(&self) -> StreamConfig {
        StreamConfig::new(self.settings.clone(), "toy", &[Topic::FraudDecisions])
    }

    fn worker(&self, name: &str) -> Worker {
        self.worker_with(name, || Box::new(Toy::default()))
    }

    fn worker_with(&self, name: &str, factory: impl Fn() -> Box<dyn Processor> + Send + 'static) -> Worker {
        let mut config = self.config();
        config.settings = config.settings.with_client_id(name);
        Self::worker_of(config, factory)
    }

    fn worker_of(config: StreamConfig, factory: impl Fn() -> Box<dyn Processor> + Send + 'static) -> Worker {
        let control = Control::new();
        let handle = control.clone();
        let thread = std::thread::spawn(move || run_stream(&config, &factory, &handle));
        Worker { control, thread: Some(thread) }
    }

    /// One answer to each of the swipes `0..count`, in the order of each card, from a state that
    /// missed nothing.
    fn check(&self, count: u32) {
        let mut by_swipe: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut by_source = BTreeMap::new();
        for (source, event) in self.read(Topic::FraudDecisions) {
            let Event::FraudDecisions(decision) = event else { unreachable!("another topic") };
            let source = source.expect("every answer says what it answers").to_string();
            *by_source.entry(source).or_insert(0) += 1;
            assert!(decision.scored_in_us.is_some(), "the lane tells how long an answer took");
            by_swipe.entry(decision.swipe_id).or_default().push(decision.reasons[0].clone());
        }
        for n in 0..count {
            let answers = by_swipe.remove(&format!("s{n}")).unwrap_or_default();
            assert_eq!(answers, [format!("swipe {} of this card", n / 20 + 1)], "the answers to swipe s{n}");
        }
        assert_eq!(by_swipe.len(), 0, "answers to swipes that were never made");
        assert!(by_source.values().all(|count| *count == 1), "two answers to one record");
    }
}

struct Worker {
    control: Control,
    thread: Option<JoinHandle<Result<WorkerStats, StreamError>>>,
}

impl Worker {
    fn stop(mut self) -> Result<WorkerStats, StreamError> {
        self.control.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.control.stop();
    }
}

fn new_topic(topic: Topic, partitions: i32) -> NewTopic {
    NewTopic { name: topic.name().to_owned(), partitions, configs: Vec::new() }
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "waited {TIMEOUT:?} in vain for {what}");
        Control::new().wait_while(super::DesiredState::Run, Duration::from_millis(10));
    }
}

/// Dies, as a process does, at its n-th record: nothing is flushed, nothing is committed.
struct Mortal {
    toy: Toy,
    dies_at: &'static AtomicU64,
}

impl Processor for Mortal {
    fn inputs(&self) -> &'static [Topic] {
        self.toy.inputs()
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        self.toy.process(event, answers);
        if self.dies_at.fetch_sub(1, Ordering::SeqCst) == 1 {
            // The unwinding drops the runner in the middle of everything.
            std::panic::resume_unwind(Box::new("the end"));
        }
    }

    fn learn(&mut self, event: &Event) {
        self.toy.process(event, &mut Vec::new());
    }
}

#[test]
fn every_question_is_answered_once_however_often_the_worker_dies() {
    let world = World::new();
    let total = 4_000_u32;
    world.swipes(0, total / 2);
    let mut lives = 0;
    let mut sent = total / 2;
    // Each life ends a little later than the one before: before the first commit, between commits,
    // and after.
    for dies_at in [1, 2, 3, 50, 400, 401, 1_000] {
        let counter: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(dies_at)));
        let mut worker =
            world.worker_with("mortal", move || Box::new(Mortal { toy: Toy::default(), dies_at: counter }));
        if sent < total {
            world.swipes(sent, sent + 250);
            sent += 250;
        }
        let end = worker.thread.take().unwrap().join();
        assert!(end.is_err(), "it was to die at record {dies_at}");
        lives += 1;
    }
    world.swipes(sent, total);
    let last = world.worker("last");
    world.wait_for_answers(i64::from(total));
    let stats = last.stop().unwrap();
    assert_eq!(lives, 7);
    assert!(stats.already_answered > 0, "no life left answers behind that were not committed: {stats}");
    world.check(total);
}

#[test]
fn instances_share_the_partitions_and_hand_them_over_at_once() {
    let world = World::new();
    world.swipes(0, 500);
    let first = world.worker("first");
    world.wait_for_answers(500);
    let second = world.worker("second");
    wait_until("both to have two partitions", || owners(&world) == [("first", 2), ("second", 2)].map(named));
    world.swipes(500, 1_000);
    world.wait_for_answers(1_000);

    let began = Instant::now();
    let stats = first.stop().unwrap();
    assert!(stats.records > 0);
    world.swipes(1_000, 1_500);
    world.wait_for_answers(1_500);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "handing over took {took:?}");
    assert_eq!(owners(&world), [("second", 4)].map(named));
    let stats = second.stop().unwrap();
    assert_eq!(stats.already_answered, 0, "after a clean hand-over nothing is processed again");
    world.check(1_500);
}

fn named((name, count): (&str, usize)) -> (String, usize) {
    (name.to_owned(), count)
}

/// Who has how many partitions.
fn owners(world: &World) -> Vec<(String, usize)> {
    let groups = world.admin.groups().unwrap();
    let Some(group) = groups.into_iter().find(|group| group.id == "toy") else { return Vec::new() };
    let mut owners: Vec<_> =
        group.members.into_iter().map(|member| (member.client_id, member.partitions.len())).collect();
    owners.sort();
    owners
}

#[test]
fn what_cannot_be_read_becomes_a_dead_letter_and_stops_nothing_else() {
    let world = World::new();
    world.swipes(0, 10);
    world.send_bytes(Topic::CardSwipes, "c1", b"{\"swipe_id\":");
    world.swipes(10, 20);
    let worker = world.worker("reader");
    world.wait_for_answers(20);
    wait_until("the dead letter", || world.count(Topic::DeadLetters) == 1);
    let stats = worker.stop().unwrap();
    assert_eq!((stats.dead_letters, stats.answers, stats.records), (1, 20, 21));
    let letters = world.read(Topic::DeadLetters);
    let (source, Event::DeadLetters(letter)) = &letters[0] else { panic!("{letters:?}") };
    assert_eq!(letter.topic, "card_swipes");
    assert_eq!(letter.value_base64, "eyJzd2lwZV9pZCI6");
    assert_eq!(letter.consumer.as_deref(), Some("toy"), "it says whose it is");
    assert_eq!(source.unwrap().to_string(), format!("card_swipes/{}/{}", letter.partition, letter.offset));

    // It is not written a second time by the next life, which finds it committed.
    let worker = world.worker("again");
    world.swipes(20, 40);
    world.wait_for_answers(40);
    worker.stop().unwrap();
    assert_eq!(world.count(Topic::DeadLetters), 1);
}

#[test]
fn a_paused_worker_stays_in_its_group_and_answers_nothing() {
    let world = World::new();
    world.swipes(0, 100);
    let worker = world.worker("sleeper");
    world.wait_for_answers(100);
    worker.control.pause();
    // Who sees a swipe unanswered for longer than a poll takes sees a pause.
    Control::new().wait_while(super::DesiredState::Run, Duration::from_millis(200));
    world.swipes(100, 200);
    Control::new().wait_while(super::DesiredState::Run, Duration::from_millis(500));
    assert_eq!(world.count(Topic::FraudDecisions), 100);
    assert_eq!(owners(&world), [("sleeper", 4)].map(named));
    worker.control.resume();
    world.wait_for_answers(200);
    worker.stop().unwrap();
    world.check(200);
}

#[test]
fn a_lane_says_what_is_missing() {
    let world = World::new();
    world.admin.delete(&["fraud_decisions"]).unwrap();
    wait_until("the topic to be gone", || world.admin.partitions("fraud_decisions").is_err());
    let error = run_stream(&world.config(), &|| Box::new(Toy::default()), &Control::new()).unwrap_err();
    assert!(error.to_string().contains("has no topic fraud_decisions"), "{error}");
}
