//! How good the fraud detector must be on worlds it has never seen: the figures of the report (`examples/fraud_report`), small.
//!
//! The seeds are not those that anything was chosen by, and the second world is not ours.

#[path = "../examples/fraud_report/handbook.rs"]
mod handbook;
#[path = "../examples/fraud_report/measure.rs"]
#[expect(dead_code, reason = "the report prints more than is asserted here")]
mod measure;

use std::collections::HashMap;

use consumers::Processor;
use consumers::fraud::{FraudBatch, FraudConfig, FraudProcessor};
use events::{DAY_MS, Event, HOUR_MS, SimulationTruth};
use measure::{Judged, Quality, money, split};
use producers::cards::{Cards, CardsConfig};

struct World {
    events: Vec<Event>,
    fraud: HashMap<String, String>,
}

impl World {
    fn ours(seed: u64, days: i64, busiest: f64) -> Self {
        let config = CardsConfig {
            seed,
            cards: 1_000,
            terminals: 300,
            busy_swipes_per_second: busiest,
            history_days: 0,
            ..CardsConfig::default()
        };
        let end = config.start.plus_ms(days * DAY_MS);
        let mut world = Self { events: Vec::new(), fraud: HashMap::new() };
        for emission in Cards::new(&config).take_while(|emission| emission.at < end) {
            match emission.event {
                Event::SimulationTruth(SimulationTruth::Swipe { id, pattern, .. }) => {
                    world.fraud.extend(pattern.map(|pattern| (id, pattern)));
                }
                event => world.events.push(event),
            }
        }
        world
    }

    fn judge(&self, processor: &mut impl Processor) -> Vec<Judged> {
        let mut answers = Vec::new();
        let mut amounts = HashMap::new();
        for event in &self.events {
            if let Event::CardSwipes(swipe) = event {
                amounts.insert(swipe.swipe_id.as_str(), swipe.amount_cents);
            }
            processor.process(event, &mut answers);
        }
        processor.finish(&mut answers);
        let judged = |decision: events::FraudDecision, batched| Judged {
            amount_cents: amounts[decision.swipe_id.as_str()],
            fraud: self.fraud.get(&decision.swipe_id).cloned(),
            decision,
            batched,
        };
        answers
            .into_iter()
            .map(|answer| match answer {
                Event::FraudDecisions(decision) => judged(decision, None),
                Event::FraudBatch(batched) => judged(batched.answer.clone(), Some(batched)),
                other => panic!("{other:?} is no decision"),
            })
            .collect()
    }
}

#[test]
fn on_our_world_it_finds_fraud_in_time_and_an_hour_later_does_not() {
    let world = World::ours(1_001, 30, 0.07);
    let judged = world.judge(&mut FraudProcessor::new(FraudConfig::default()));
    let (_, seeing) = split(&judged);
    let quality = Quality::of(&seeing);
    assert!(quality.auc > 0.85 && quality.average_precision > 0.3, "{quality:?}");
    let stream = money(&judged);
    let batch = money(&world.judge(&mut FraudBatch::new(FraudConfig::default(), HOUR_MS)));
    assert!(stream.net() > 0.0, "{stream:?}");
    assert!(stream.stopped > 2 * batch.stopped, "stream {stream:?}, batch {batch:?}");
}

#[test]
fn on_a_world_that_is_not_ours_it_finds_what_labels_can_teach() {
    let world = handbook::world(2_002, 500, 1_000, 70);
    let judged = world.judge(&mut FraudProcessor::new(FraudConfig::default()));
    let (blind, seeing) = split(&judged);
    let quality = Quality::of(&seeing);
    // A terminal that was compromised within the last week cannot be known: that bounds what anyone can reach.
    assert!(quality.auc > 0.8 && quality.average_precision > 0.35, "{quality:?}");
    assert!((0.75..1.35).contains(&quality.expected_over_true), "{quality:?}");
    assert!(money(&judged).net() > 0.0);
    assert!(
        blind.iter().all(|one| one.decision.decision == events::Decision::Approve),
        "nothing was known yet"
    );
}

/// A million swipes a seed: `cargo test --release`, or minutes of waiting.
#[test]
#[cfg_attr(debug_assertions, ignore = "a million swipes a seed: run it with --release")]
fn expected_frauds_are_within_a_tenth_of_the_true_ones_over_unseen_seeds() {
    let (mut expected, mut known) = (0.0, 0.0);
    for seed in 1_010..1_013 {
        let world = World::ours(seed, 60, 0.5);
        let judged = world.judge(&mut FraudProcessor::new(FraudConfig::default()));
        let (_, seeing) = split(&judged);
        let quality = Quality::of(&seeing);
        expected += quality.expected_over_true * quality.frauds as f64;
        // What nobody ever reports nobody can learn: calibrated is who expects what is reported.
        known += quality.frauds as f64 * (1.0 - CardsConfig::default().label_never);
    }
    let ratio = expected / known;
    assert!((0.9..1.1).contains(&ratio), "{ratio} frauds expected for one that is reported");
}
