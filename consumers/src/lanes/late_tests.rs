//! A worker that comes late: all that it missed lies in the log, and its inputs are of very
//! different rates.

use std::sync::{Arc, Mutex};

use client::{Compression, Outgoing, Producer, ProducerOptions};
use events::{Chargeback, Event, Timestamp, Topic};

use super::clock::wall_ms;
use super::tests::{TIMEOUT, World, wait_until};
use super::toy::swipe_at;
use super::{Control, StreamConfig, run_stream};
use crate::Processor;

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

/// Swipes are many and small, so that one answer to a fetch brings more of them than any room for
/// waiting records has; a chargeback comes with every thousandth.
#[test]
fn a_late_worker_takes_its_inputs_in_their_order_whatever_arrives_first() {
    const SWIPES: i64 = 60_000;
    let world = World::new();
    let options =
        ProducerOptions { compression: Compression::Lz4, linger_ms: 50, ..ProducerOptions::stream() };
    let producer = Producer::new(&world.settings, &options).unwrap();
    let began = wall_ms() - 2 * SWIPES;
    let send = |event: &Event| {
        let ts = event.ts().unwrap();
        let value = event.to_json();
        let record = Outgoing {
            topic: event.topic().name(),
            partition: Some(0),
            value: Some(&value),
            timestamp_ms: Some(ts.ms()),
            ..Outgoing::default()
        };
        producer.send(record, TIMEOUT).unwrap();
    };
    for n in 0..SWIPES {
        let ts = Timestamp::from_ms(began + n);
        send(&swipe_at(ts, &format!("s{n}"), "c", 100));
        if n % 1_000 == 999 {
            send(&Event::Chargebacks(Chargeback {
                ts,
                swipe_id: format!("s{n}"),
                card_id: "c".to_owned(),
                terminal_id: "t1".to_owned(),
            }));
        }
    }
    producer.flush(TIMEOUT).unwrap();

    let diary = Arc::new(Mutex::new(Vec::new()));
    let config = StreamConfig::new(world.settings.clone(), "late", &[Topic::FraudDecisions]);
    let control = Control::new();
    let (written, stop) = (Arc::clone(&diary), control.clone());
    let worker = std::thread::spawn(move || {
        run_stream(&config, &|| Box::new(Diary(Arc::clone(&written))), &stop).unwrap()
    });
    let total = (SWIPES + SWIPES / 1_000) as usize;
    wait_until("all of it", || diary.lock().unwrap().len() >= total);
    control.stop();
    worker.join().unwrap();
    let diary = diary.lock().unwrap();
    assert_eq!(diary.len(), total, "each once");
    let wrong = diary.windows(2).position(|two| two[0] > two[1]);
    assert_eq!(wrong, None, "the first that came before its turn, of {total}");
}
