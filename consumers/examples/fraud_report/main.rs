//! How good the fraud detector is, and what an hour's delay costs: measured on worlds it has never seen.
//!
//! ```text
//! cargo run --release -p consumers --example fraud_report [-- SEED [DAYS]]
//! ```
//!
//! Two worlds: our own generator, and an independent one written after the published description of the Fraud Detection
//! Handbook's simulator, which knows only the five required fields. In both the detector starts empty and every figure is
//! *prequential*: a swipe counts with the probability it was given when it came, before anything was learnt from it.
//!
//! Simulated fraud is clearer than real fraud. Precision here is several times what real card data gives.

mod handbook;
mod measure;

use std::collections::HashMap;

use consumers::Processor;
use consumers::fraud::{FraudBatch, FraudConfig, FraudProcessor};
use events::{DAY_MS, Event, FraudDecision, HOUR_MS, SimulationTruth};
use measure::Judged;
use producers::cards::{Cards, CardsConfig};

/// One world: what arrives, in the order of arrival, and which swipes are fraud.
struct World {
    events: Vec<Event>,
    fraud: HashMap<String, String>,
}

fn main() {
    let mut arguments =
        std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("SEED and DAYS are numbers"));
    let seed = arguments.next().unwrap_or(1);
    let days = arguments.next().unwrap_or(60) as i64;
    println!("# our generator, seed {seed}, {days} days, starting empty");
    report(&ours(seed, days));
    println!("\n# the handbook's simulator, seed {seed}, 183 days, starting empty");
    report(&handbook::world(seed, 5_000, 10_000, 183));
}

fn ours(seed: u64, days: i64) -> World {
    let config = CardsConfig {
        seed,
        cards: 6_000,
        terminals: 2_000,
        busy_swipes_per_second: 0.5,
        history_days: 0,
        ..CardsConfig::default()
    };
    let end = config.start.plus_ms(days * DAY_MS);
    let mut world = World { events: Vec::new(), fraud: HashMap::new() };
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

#[expect(clippy::disallowed_methods, reason = "a report measures how long things take on the wall")]
fn report(world: &World) {
    let amounts: HashMap<&str, i64> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CardSwipes(swipe) => Some((swipe.swipe_id.as_str(), swipe.amount_cents)),
            _ => None,
        })
        .collect();
    let judge = |decision: FraudDecision, batched| Judged {
        amount_cents: amounts[decision.swipe_id.as_str()],
        fraud: world.fraud.get(&decision.swipe_id).cloned(),
        batched,
        decision,
    };

    let mut stream = FraudProcessor::new(FraudConfig::default());
    let mut answers = Vec::new();
    let started = std::time::Instant::now();
    for event in &world.events {
        stream.process(event, &mut answers);
    }
    let took = started.elapsed();
    let count = answers.len();
    println!("{count} decisions, {:.2} us each", took.as_secs_f64() * 1e6 / count as f64);
    let judged: Vec<Judged> = answers
        .into_iter()
        .map(|answer| match answer {
            Event::FraudDecisions(decision) => judge(decision, None),
            other => unreachable!("the detector gives decisions, not {other:?}"),
        })
        .collect();
    measure::quality(&judged);
    measure::money(&judged).print("stream");

    let mut batch = FraudBatch::new(FraudConfig::default(), HOUR_MS);
    let mut answers = Vec::new();
    for event in &world.events {
        batch.process(event, &mut answers);
    }
    batch.finish(&mut answers);
    let judged: Vec<Judged> = answers
        .into_iter()
        .map(|answer| match answer {
            Event::FraudBatch(batched) => judge(batched.answer.clone(), Some(batched)),
            other => unreachable!("the lane gives batched decisions, not {other:?}"),
        })
        .collect();
    measure::money(&judged).print("hourly batch");
    for (name, value) in stream.counters() {
        println!("  {name}: {value}");
    }
}
