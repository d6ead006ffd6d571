//! Windows that are run one after the other by one command say what each says by itself, and read
//! the log about once.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::Path;

use client::{NewTopic, Outgoing};
use events::{
    Batched, Chargeback, Click, ClickKind, Decision, Event, FraudDecision, HOUR_MS, Timestamp, Topic,
};

use super::super::tests::{TIMEOUT, World};
use super::super::toy::swipe_at;
use super::super::{BatchConfig, Control, Schedule};
use super::{SharedState, WindowRun};
use crate::toy::MARTS;
use crate::warehouse::{Warehouse, open};
use consumers::fraud::{FraudBatch, FraudConfig};
use consumers::recommendations::{HourlyRecommendations, RecommendationsConfig};
use processor::Processor;

/// Says of each swipe what it was given before, to the last letter and in which order.
#[derive(Clone, Default)]
struct Chain(u64);

impl Chain {
    fn add(&mut self, link: &[u8]) {
        self.0 = hash(&(self.0, link));
    }
}

impl Processor for Chain {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes, Topic::Chargebacks]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        self.add(&event.to_json());
        let Event::CardSwipes(swipe) = event else { return };
        let answer = FraudDecision {
            ts: swipe.ts,
            swipe_id: swipe.swipe_id.clone(),
            card_id: swipe.card_id.clone(),
            decision: Decision::Approve,
            probability: 0.0,
            reasons: vec![self.0.to_string()],
            scored_in_us: None,
        };
        let valid_from = swipe.ts.floor(HOUR_MS).plus_ms(HOUR_MS);
        answers.push(Event::FraudBatch(Batched::as_of(answer, valid_from)));
    }

    fn finish(&mut self, _answers: &mut Vec<Event>) {
        self.add(b"the end");
    }

    fn fork(&self) -> Option<Box<dyn Processor>> {
        Some(Box::new(self.clone()))
    }
}

fn hash(of: &impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(of)
}

const HOURS: i64 = 4;

fn second(n: i64) -> Timestamp {
    Timestamp::from_ms(n * 1_000)
}

/// A swipe and a click a second, and chargebacks, each in one of two of the four partitions and
/// many of them late, some by more than an hour.
fn a_day_of_it(world: &World) {
    let clicks =
        [(Topic::Clicks, 4), (Topic::RecommendationsBatch, 4), (Topic::RecommendationsStale, 4)].map(
            |(topic, partitions)| NewTopic { name: topic.name().to_owned(), partitions, configs: Vec::new() },
        );
    world.admin.create(&clicks).unwrap();
    let mut order: Vec<(i64, i64)> = (0..HOURS * 3_600 + 60)
        .map(|n| {
            let late = match hash(&n) % 300 {
                0 => 2_000 + n % 3_000,
                1..30 => n % 29,
                _ => 0,
            };
            (n + late, n)
        })
        .collect();
    order.sort_unstable();
    for (_, n) in order {
        let partition = (n % 2) as i32;
        let (card, item) = (format!("c{}", n % 97), format!("i{}", hash(&n) % 50));
        send(world, partition, &swipe_at(second(n), &format!("s{n}"), &card, (hash(&n) % 20_000) as i64));
        send(world, partition, &click(second(n), format!("v{}", n / 60 * 8 + n % 8), item));
        // They are few, and none comes in the last hours.
        if n % 60 == 0 && n > 3_600 && n < 9_000 {
            send(world, partition, &chargeback(second(n), n - 3_600));
        }
    }
    // Something that can't be read; and the last ones say that the last hour is over.
    let broken = Outgoing {
        topic: Topic::CardSwipes.name(),
        partition: Some(0),
        value: Some(b"not JSON"),
        ..Outgoing::default()
    };
    world.producer.send(broken, TIMEOUT).unwrap();
    for partition in 0..2 {
        let over = second(HOURS * 3_600 + 100);
        send(world, partition, &swipe_at(over, &format!("over{partition}"), "c", 1));
        send(world, partition, &click(over, "over".to_owned(), "i0".to_owned()));
    }
    world.producer.flush(TIMEOUT).unwrap();
}

fn click(ts: Timestamp, session_id: String, item: String) -> Event {
    Event::Clicks(Click {
        ts,
        event_id: None,
        session_id,
        shopper_id: None,
        kind: ClickKind::View,
        item_id: Some(item),
        dwell_ms: None,
        depth: None,
    })
}

fn chargeback(ts: Timestamp, n: i64) -> Event {
    Event::Chargebacks(Chargeback {
        ts,
        swipe_id: format!("s{n}"),
        card_id: format!("c{}", n % 97),
        terminal_id: "t1".to_owned(),
    })
}

fn send(world: &World, partition: i32, event: &Event) {
    let value = event.to_json();
    let topic = event.topic().name();
    let record = Outgoing { topic, partition: Some(partition), value: Some(&value), ..Outgoing::default() };
    world.producer.send(record, TIMEOUT).unwrap();
}

/// What a window read, the files that it left, and how many answers it sent and found.
#[derive(Debug, PartialEq)]
struct Done {
    read: u64,
    left: (u64, u64, String, String),
    answers: u64,
    already: u64,
}

fn step_by_step(
    run: &WindowRun<'_>,
    folder: &Path,
    factory: &dyn Fn() -> Box<dyn Processor>,
    warehouse: &mut dyn Warehouse,
) -> Done {
    let extracted = run.extract(factory().inputs(), warehouse).unwrap();
    run.transform(factory).unwrap();
    run.load(warehouse).unwrap();
    let published = run.publish(warehouse).unwrap();
    let file = |name: &str| std::fs::read_to_string(folder.join(run.batch_id()).join(name)).unwrap();
    Done {
        read: extracted.read,
        left: (extracted.past, extracted.run.records, file("rows.jsonl"), file("answers.jsonl")),
        answers: published.answers,
        already: published.already,
    }
}

/// Runs the first windows twice: as one of several, and by itself. `between` happens after the
/// second. Gives what each read.
fn the_same_together_and_apart(
    world: &World,
    job: &str,
    outputs: &[Topic],
    whole: bool,
    factory: &dyn Fn() -> Box<dyn Processor>,
    (hours, between): (i64, &dyn Fn()),
) -> Vec<(u64, u64)> {
    let (together, apart) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let database = |folder: &Path| open(folder.join("w.db").to_str().unwrap(), &MARTS).unwrap();
    let (mut one, mut other) = (database(together.path()), database(apart.path()));
    let config = BatchConfig {
        whole,
        marts: MARTS.to_vec(),
        ..BatchConfig::hourly(world.settings.clone(), job, outputs, Schedule::EventTime)
    };
    let control = Control::new();
    let shared = SharedState::new(factory, second(hours * 3_600));
    (0..hours)
        .map(|hour| {
            let window = (second(hour * 3_600), second((hour + 1) * 3_600));
            let run = WindowRun::new(&config, window, together.path(), &control).with_shared_state(&shared);
            let together = step_by_step(&run, together.path(), factory, &mut *one);
            let run = WindowRun::new(&config, window, apart.path(), &control);
            let apart = step_by_step(&run, apart.path(), factory, &mut *other);
            assert!(
                together.left == apart.left,
                "{job}, hour {hour}: the same rows and answers, to the byte"
            );
            assert!(together.answers > 3_000, "{job}, hour {hour}: {}", together.answers);
            assert_eq!((together.answers, 0), (apart.already, apart.answers), "{job}, hour {hour}");
            if hour == 1 {
                between();
            }
            (together.read, apart.read)
        })
        .collect()
}

#[test]
fn windows_together_are_the_windows_apart_and_read_the_log_about_once() {
    let world = World::new();
    a_day_of_it(&world);
    let chain = || Box::new(Chain::default()) as Box<dyn Processor>;
    let read =
        the_same_together_and_apart(&world, "chain", &[Topic::FraudBatch], false, &chain, (HOURS, &|| ()));
    let (second_hour, last) = (read[1], read[HOURS as usize - 1]);
    assert!(
        last.0 < second_hour.0 * 11 / 10 && last.1 > second_hour.1 * 3 / 2,
        "it reads no more of a long past: {read:?}"
    );

    let fraud = || Box::new(FraudBatch::new(FraudConfig::default(), HOUR_MS)) as Box<dyn Processor>;
    the_same_together_and_apart(&world, "fraud", &[Topic::FraudBatch], false, &fraud, (3, &|| ()));
    let clicks = || {
        Box::new(HourlyRecommendations::new(RecommendationsConfig::default(), HOUR_MS)) as Box<dyn Processor>
    };
    let outputs = [Topic::RecommendationsBatch, Topic::RecommendationsStale];
    the_same_together_and_apart(&world, "clicks", &outputs, false, &clicks, (3, &|| ()));

    // In a partition that had come to its end: a record whose turn would have been among those that
    // were learnt long ago.
    let late = || {
        send(&world, 3, &chargeback(second(2_000), 6));
        world.producer.flush(TIMEOUT).unwrap();
    };
    let read =
        the_same_together_and_apart(&world, "whole", &[Topic::FraudBatch], true, &chain, (HOURS, &late));
    assert!(read[2].0 == read[2].1 && read[3].0 < read[3].1, "all is learnt again, once: {read:?}");
}
