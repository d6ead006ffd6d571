//! The lanes against a cluster: crashes in the middle, instances that come and go.

#![expect(
    clippy::disallowed_methods,
    reason = "waiting for other threads and processes is done on the wall's time"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use client::{Admin, LogReader, NewTopic, Outgoing, Producer, ProducerOptions, Settings, TopicPartition};
use events::{Batched, Event, Timestamp, Topic};

use super::toy::{HourlyToy, Toy, swipe, swipe_at};
use super::{
    BatchConfig, Clock, Control, LaneError, SOURCE_HEADER, Schedule, Source, StreamConfig, WorkerStats,
    run_batch, run_stream,
};
use crate::Processor;
use crate::warehouse::{Rows, Run, Sqlite, Warehouse, WarehouseError};

const PARTITIONS: i32 = 4;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A cluster with the topics of one test, which nobody else touches.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) admin: Admin,
    producer: Producer,
    #[expect(dead_code, reason = "it runs as long as it is held")]
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

    /// Everything on a topic: each partition in order.
    pub(crate) fn read(&self, topic: Topic) -> Vec<(Option<Source>, Event)> {
        let count = self.admin.partitions(topic.name()).unwrap();
        let at: Vec<_> = (0..count).map(|partition| TopicPartition::new(topic.name(), partition)).collect();
        let ends = self.admin.ends(&at).unwrap();
        let stretches: Vec<_> = ends.iter().enumerate().map(|(n, end)| (n as i32, 0, end.unwrap())).collect();
        let mut reader = LogReader::range(&self.settings, topic.name(), &stretches).unwrap();
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
        let control = Control::new();
        let handle = control.clone();
        let thread = std::thread::spawn(move || run_stream(&config, &factory, &handle));
        Worker { control, thread: Some(thread) }
    }

    /// One answer to each of the swipes `0..count`, in the order of each card, from a state that missed nothing.
    fn check(&self, count: u32) {
        let mut by_swipe: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut by_source = BTreeMap::new();
        for (source, event) in self.read(Topic::FraudDecisions) {
            let Event::FraudDecisions(decision) = event else { unreachable!("another topic") };
            let source = source.expect("every answer says what it answers").to_string();
            *by_source.entry(source).or_insert(0) += 1;
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
    thread: Option<JoinHandle<Result<WorkerStats, LaneError>>>,
}

impl Worker {
    fn stop(mut self) -> Result<WorkerStats, LaneError> {
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
        Control::new().wait_while(super::Wish::Run, Duration::from_millis(10));
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
    // Each life ends a little later than the one before: before the first commit, between commits, and after.
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
fn what_cannot_be_read_becomes_a_dead_letter_and_stops_nobody() {
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
    // Whoever sees a swipe unanswered for longer than a poll takes sees a pause.
    Control::new().wait_while(super::Wish::Run, Duration::from_millis(200));
    world.swipes(100, 200);
    Control::new().wait_while(super::Wish::Run, Duration::from_millis(500));
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

/// Dies while it loads, before or after the rows are in.
struct Fragile {
    inner: Sqlite,
    dies: Option<When>,
}

#[derive(Clone, Copy, PartialEq)]
enum When {
    BeforeLoading,
    BeforePublishing,
    AfterPublishing,
}

impl Warehouse for Fragile {
    fn load(&mut self, run: &Run, rows: &Rows) -> Result<u64, WarehouseError> {
        if self.dies == Some(When::BeforeLoading) {
            std::panic::resume_unwind(Box::new("the end"));
        }
        let loaded = self.inner.load(run, rows)?;
        if self.dies == Some(When::BeforePublishing) {
            std::panic::resume_unwind(Box::new("the end"));
        }
        Ok(loaded)
    }

    fn finish(&mut self, batch_id: &str, at: Timestamp, from: Timestamp) -> Result<(), WarehouseError> {
        if self.dies == Some(When::AfterPublishing) {
            std::panic::resume_unwind(Box::new("the end"));
        }
        self.inner.finish(batch_id, at, from)
    }
}

/// Runs the hourly toy over what is due. Whether it lived to the end.
fn batch_once(world: &World, database: &Path, dies: Option<When>) -> Option<WorkerStats> {
    let mut config =
        BatchConfig::hourly(world.settings.clone(), "toy-batch", &[Topic::FraudBatch], Schedule::EventTime);
    config.once = true;
    let mut warehouse = Fragile { inner: Sqlite::open(database).unwrap(), dies };
    let control = Control::new();
    let run = std::thread::scope(|scope| {
        scope
            .spawn(|| run_batch(&config, &|| Box::new(HourlyToy::default()), &mut warehouse, &control))
            .join()
    });
    run.ok().map(Result::unwrap)
}

#[test]
fn a_job_that_dies_in_the_middle_repeats_its_run_and_gives_each_answer_once() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let minute = |n: u32| Timestamp::from_ms(i64::from(n) * 60_000);
    // A swipe a minute for three hours and a bit; some arrive early, some late.
    let mut order: Vec<u32> = (0..200).collect();
    order.chunks_mut(7).for_each(<[u32]>::reverse);
    for n in order {
        world.send(&swipe_at(minute(n), &format!("s{n}"), &format!("c{}", n % 20), 1));
    }
    world.send_bytes(Topic::CardSwipes, "c1", b"not JSON");
    world.producer.flush(TIMEOUT).unwrap();

    for dies in [When::BeforeLoading, When::BeforePublishing, When::AfterPublishing, When::AfterPublishing] {
        assert!(batch_once(&world, &database, Some(dies)).is_none(), "it was to die");
    }
    let stats = batch_once(&world, &database, None).unwrap();
    assert!(stats.already_answered > 0, "nothing was repeated: {stats}");
    let idle = batch_once(&world, &database, None).unwrap();
    assert_eq!((idle.runs, idle.answers), (0, 0), "all that is due is done");

    let mut answered: BTreeMap<String, u32> = BTreeMap::new();
    for (_, event) in world.read(Topic::FraudBatch) {
        let Event::FraudBatch(Batched { answer, valid_from, .. }) = event else {
            unreachable!("another topic")
        };
        assert!(valid_from > answer.ts, "nobody saw it before its window ended");
        *answered.entry(answer.swipe_id).or_default() += 1;
    }
    let expected: BTreeMap<String, u32> = (0..180).map(|n| (format!("s{n}"), 1)).collect();
    assert_eq!(answered, expected, "three whole hours, each swipe once; the fourth hour is not over");
    assert_eq!(world.count(Topic::DeadLetters), 1);
    let runs: Vec<_> = world
        .read(Topic::BatchRuns)
        .into_iter()
        .map(|(_, event)| match event {
            Event::BatchRuns(run) => (run.batch_id, run.window_end.ms() / events::HOUR_MS),
            other => panic!("{other:?}"),
        })
        .collect();
    let named = |n: i64| (format!("toy-batch-1970-01-01T{:02}", n - 1), n);
    assert_eq!(runs, [named(1), named(2), named(3)], "one line for each run in the log of runs");
}

#[test]
fn a_job_on_a_clock_sleeps_until_the_period_is_over() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Sqlite::open(&folder.path().join("w.db")).unwrap();
    for n in 0..60 {
        world.send(&swipe_at(Timestamp::from_ms(n * 60_000), &format!("s{n}"), "c", 1));
    }
    world.producer.flush(TIMEOUT).unwrap();
    // It is eleven minutes to one, and an hour is six seconds.
    let clock = Clock {
        started_wall_ms: super::clock::wall_ms(),
        start: Timestamp::from_ms(49 * 60_000),
        speed: 600.0,
    };
    let config = BatchConfig::hourly(
        world.settings.clone(),
        "toy-batch",
        &[Topic::FraudBatch],
        Schedule::Clock(clock),
    );
    let control = Control::new();
    let handle = control.clone();
    let job = std::thread::spawn(move || {
        run_batch(&config, &|| Box::new(HourlyToy::default()), &mut warehouse, &handle)
    });
    assert_eq!(world.count(Topic::FraudBatch), 0, "the hour is not over");
    wait_until("the run", || world.count(Topic::BatchRuns) == 1);
    control.stop();
    let stats = job.join().unwrap().unwrap();
    assert_eq!((stats.runs, stats.answers, stats.rows), (1, 61, 60));
    for (_, event) in world.read(Topic::FraudBatch) {
        let Event::FraudBatch(batched) = event else { unreachable!("another topic") };
        let late_ms = batched.valid_from.ms() - events::HOUR_MS;
        assert!(late_ms > 0, "a real run takes time, and the answer says so");
        assert!(late_ms < 3 * events::HOUR_MS, "{late_ms} ms of simulated time after the hour");
    }
}
