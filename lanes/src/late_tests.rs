//! A worker that comes late: all that it missed lies in the log, and its inputs are of very
//! different rates.

use std::sync::{Arc, Mutex};

use client::{Compression, Outgoing, Producer, ProducerOptions};
use events::{Chargeback, Event, Timestamp, Topic};

use super::clock::wall_ms;
use super::tests::{TIMEOUT, World, wait_until};
use super::toy::swipe_at;
use super::{Control, StreamConfig, run_stream};
use processor::Processor;

/// Writes down when each event happened, in the order in which it was given them.
struct Diary(Arc<Mutex<Vec<i64>>>);

impl Processor for Diary {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes, Topic::Chargebacks]
    }

    fn process(&mut self, event: &Event, _: &mut Vec<Event>) {
        self.0.lock().unwrap().extend(event.ts().map(Timestamp::ms));
    }
}

/// A swipe a millisecond, in batches so small on the wire that one fetch brings tens of thousands
/// of them; a chargeback with every thousandth, so large that one fetch brings a few. Whatever is
/// buffered of the swipes must keep the chargebacks neither from being fetched nor from their turn.
#[test]
fn a_late_worker_takes_its_inputs_in_their_order_whatever_arrives_first() {
    const SWIPES: i64 = 60_000;
    const EVERY: i64 = 1_000;
    let world = World::new();
    let options =
        ProducerOptions { compression: Compression::Lz4, linger_ms: 50, ..ProducerOptions::stream() };
    let compressing = Producer::new(&world.settings, &options).unwrap();
    let began = wall_ms() - 2 * SWIPES;
    let send = |producer: &Producer, topic: Topic, ts: Timestamp, value: &[u8]| {
        let record = Outgoing {
            topic: topic.name(),
            partition: Some(0),
            value: Some(value),
            timestamp_ms: Some(ts.ms()),
            ..Outgoing::default()
        };
        producer.send(record, TIMEOUT).unwrap();
    };
    for n in 0..SWIPES {
        let ts = Timestamp::from_ms(began + n);
        send(&compressing, Topic::CardSwipes, ts, &swipe_at(ts, &format!("s{n}"), "c", 100).to_json());
        if n % EVERY == EVERY - 1 {
            send(&world.producer, Topic::Chargebacks, ts, &large_chargeback(ts, n));
        }
    }
    compressing.flush(TIMEOUT).unwrap();
    world.producer.flush(TIMEOUT).unwrap();

    let diary = Arc::new(Mutex::new(Vec::new()));
    let config = StreamConfig::new(world.settings.clone(), "late", &[Topic::FraudDecisions]);
    let control = Control::new();
    let (written, stop) = (Arc::clone(&diary), control.clone());
    let worker = std::thread::spawn(move || {
        run_stream(&config, &|| Box::new(Diary(Arc::clone(&written))), &stop).unwrap()
    });
    let total = (SWIPES + SWIPES / EVERY) as usize;
    wait_until("all of it", || diary.lock().unwrap().len() >= total);
    control.stop();
    worker.join().unwrap();
    let diary = diary.lock().unwrap();
    assert_eq!(diary.len(), total, "each once");
    let wrong = diary.windows(2).position(|two| two[0] > two[1]);
    assert_eq!(wrong, None, "the first that came before its turn, of {total}");
}

/// With 100 kB that are not read.
fn large_chargeback(ts: Timestamp, swipe: i64) -> Vec<u8> {
    let chargeback = Chargeback {
        ts,
        swipe_id: format!("s{swipe}"),
        card_id: "c".to_owned(),
        terminal_id: "t1".to_owned(),
    };
    let mut json = Event::Chargebacks(chargeback).to_json();
    json.pop();
    json.extend(format!(r#","note":"{}"}}"#, "x".repeat(100_000)).bytes());
    json
}
