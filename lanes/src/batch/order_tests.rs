//! In which order a job reads what rests in several partitions.

use client::Outgoing;
use events::{Batched, CardSwipe, Decision, Event, FraudDecision, Timestamp, Topic};

use super::super::tests::{TIMEOUT, World};
use super::super::toy::swipe_at;
use super::super::{Control, WindowRun};
use super::{BatchConfig, Schedule, run_batch};
use crate::toy::MARTS;
use crate::warehouse::open;
use processor::Processor;

/// Numbers the swipes of all cards: its answers tell in which order it was given them.
#[derive(Default)]
struct Roll(u32);

impl Processor for Roll {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let Event::CardSwipes(CardSwipe { ts, swipe_id, card_id, .. }) = event else { return };
        self.0 += 1;
        let answer = FraudDecision {
            ts: *ts,
            swipe_id: swipe_id.clone(),
            card_id: card_id.clone(),
            decision: Decision::Approve,
            probability: 0.0,
            reasons: vec![self.0.to_string()],
            scored_in_us: None,
        };
        let valid_from = ts.floor(events::HOUR_MS).plus_ms(events::HOUR_MS);
        answers.push(Event::FraudBatch(Batched::as_of(answer, valid_from)));
    }
}

fn roll() -> Box<dyn Processor> {
    Box::new(Roll::default())
}

/// The hundredth minute is in the second hour.
const SWIPES: u32 = 100;
const PARTITIONS: u32 = 4;

/// Sends a swipe of the minute `n` to a partition.
fn send(world: &World, partition: i32, id: &str, ts: Timestamp) {
    let value = swipe_at(ts, id, "c", 1).to_json();
    let topic = Topic::CardSwipes.name();
    let record = Outgoing { topic, partition: Some(partition), value: Some(&value), ..Outgoing::default() };
    world.producer.send(record, TIMEOUT).unwrap();
}

fn minute(n: u32) -> Timestamp {
    Timestamp::from_ms(i64::from(n) * 60_000)
}

fn config(world: &World) -> BatchConfig {
    let outputs = [Topic::FraudBatch];
    BatchConfig {
        once: true,
        marts: MARTS.to_vec(),
        whole: true,
        ..BatchConfig::hourly(world.settings.clone(), "roll", &outputs, Schedule::EventTime)
    }
}

/// Each swipe with its number on the roll, in the order of time.
fn called(world: &World) -> Vec<(u32, u32)> {
    let mut called: Vec<_> = world
        .read(Topic::FraudBatch)
        .into_iter()
        .filter_map(|(_, event)| {
            let Event::FraudBatch(Batched { answer, .. }) = event else { unreachable!("another topic") };
            Some((answer.swipe_id.strip_prefix('s')?.parse().ok()?, answer.reasons[0].parse().ok()?))
        })
        .collect();
    called.sort_unstable();
    called
}

fn in_order_of_time() -> Vec<(u32, u32)> {
    (0..SWIPES).map(|n| (n, n + 1)).collect()
}

/// Live, no two shows bring the records of two partitions in the same order. They rest when a job
/// reads them, and it must not matter.
#[test]
fn partitions_are_read_in_the_order_of_events_however_they_were_filled() {
    let by_time: Vec<u32> = (0..SWIPES).collect();
    let mut by_partition = by_time.clone();
    by_partition.sort_by_key(|n| n % PARTITIONS);
    for order in [by_time, by_partition] {
        let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
        // One of the next century comes first, and holds up nothing that lies behind it.
        send(&world, 1, "far", Timestamp::from_ms(100 * 365 * 24 * events::HOUR_MS));
        for n in order {
            send(&world, (n % PARTITIONS) as i32, &format!("s{n}"), minute(n));
        }
        // The second hour is over when the third begins.
        (0..PARTITIONS as i32).for_each(|partition| send(&world, partition, "later", minute(150)));
        world.producer.flush(TIMEOUT).unwrap();

        let mut warehouse = open(folder.path().join("w.db").to_str().unwrap(), &MARTS).unwrap();
        run_batch(&config(&world), &roll, &mut *warehouse, &Control::new()).unwrap();
        assert_eq!(called(&world), in_order_of_time());

        // By hand, into a database that knows of no run.
        let mut warehouse = open(folder.path().join("by-hand.db").to_str().unwrap(), &MARTS).unwrap();
        let (config, control) = (config(&world), Control::new());
        for hour in 0..2 {
            let window = (minute(60 * hour), minute(60 * (hour + 1)));
            let run = WindowRun::new(&config, window, folder.path(), &control);
            run.extract(&[Topic::CardSwipes], &mut *warehouse).unwrap();
            run.transform(&roll).unwrap();
        }
        let last = folder.path().join("roll-1970-01-01T01").join("answers.jsonl");
        let said = std::fs::read_to_string(last).unwrap();
        assert!(said.lines().last().unwrap().contains(r#""reasons":["100"]"#), "{said}");
    }
}
