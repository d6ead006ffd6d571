//! How good the fraud detector is, and what an hour's delay costs: measured on worlds it has never
//! seen.
//!
//! ```text
//! cargo run --release --workspace --example fraud_report [-- SEED [DAYS]]
//! cargo run --release --workspace --example fraud_report -- \
//!     challenger ours|handbook SEED DAYS FILE
//! ```
//!
//! The second writes what a [challenger] is tried on.
//!
//! Two worlds: our own generator, and an independent one written after the published description of
//! the Fraud Detection Handbook's simulator, which knows only the five required fields. In both the
//! detector starts empty and every figure is *prequential*: a swipe counts with the probability it
//! was given when it came, before anything was learnt from it. Money is counted from the day on
//! which labels can have been learnt from, for both lanes alike.
//!
//! Simulated fraud is clearer than real fraud. Precision here is several times what real card data
//! gives.

mod challenger;
mod handbook;
mod measure;

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use consumers::fraud::{BlockedCards, Case, Costs, FraudBatch, FraudConfig, FraudProcessor, Quality};
use events::{Batched, CardSwipe, DAY_MS, Decision, Event, FraudDecision, HOUR_MS, SimulationTruth};
use processor::Processor;
use producers::cards::{Cards, CardsConfig};

/// One world: what arrives, in the order of arrival, and which swipes are fraud.
struct World {
    events: Vec<Event>,
    fraud: HashMap<String, String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, world, seed, days, path] = &arguments[..]
        && mode == "challenger"
    {
        let world = match world.as_str() {
            "ours" => ours(number(seed), number(days) as i64),
            _ => handbook::world(number(seed), 5_000, 10_000, number(days) as usize),
        };
        return challenger::write(&world, path).expect("the file can be written");
    }
    let mut arguments = arguments.iter().map(|argument| number(argument));
    let seed = arguments.next().unwrap_or(1);
    let days = arguments.next().unwrap_or(60) as i64;
    println!("# our generator, seed {seed}, {days} days, starting empty");
    report(&ours(seed, days));
    println!("\n# the handbook's simulator, seed {seed}, 183 days, starting empty");
    report(&handbook::world(seed, 5_000, 10_000, 183));
}

fn number(argument: &str) -> u64 {
    argument.parse().expect("SEED and DAYS are numbers")
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

#[expect(clippy::disallowed_methods, reason = "a report measures how long things take in wall-clock time")]
fn report(world: &World) {
    let config = FraudConfig::default();
    let before_labels_ms = config.label_delay_ms + config.label_grace_ms;
    let mut stream = FraudProcessor::new(config.clone());
    let mut answers = Vec::new();
    let started = std::time::Instant::now();
    for event in &world.events {
        stream.process(event, &mut answers);
    }
    let took = started.elapsed();
    println!("{} decisions, {:.2} us each", answers.len(), took.as_secs_f64() * 1e6 / answers.len() as f64);
    let swipes: HashMap<&str, &CardSwipe> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CardSwipes(swipe) => Some((swipe.swipe_id.as_str(), swipe)),
            _ => None,
        })
        .collect();
    let judge = |decision: &FraudDecision, stopped| Case {
        at_ms: decision.ts.ms(),
        card: hash(&decision.card_id),
        amount_cents: swipes[decision.swipe_id.as_str()].amount_cents,
        probability: decision.probability,
        stopped,
        fraud: world.fraud.contains_key(&decision.swipe_id),
    };
    let decisions: Vec<FraudDecision> = answers
        .into_iter()
        .map(|answer| match answer {
            Event::FraudDecisions(decision) => decision,
            other => unreachable!("the detector gives decisions, not {other:?}"),
        })
        .collect();
    let cases: Vec<Case> =
        decisions.iter().map(|decision| judge(decision, decision.decision == Decision::Decline)).collect();
    let [before_labels, after_labels] = measure::split(&cases, before_labels_ms);
    measure::quality("before the first labels", &before_labels);
    measure::quality("after", &after_labels);
    measure::calibration(&cases);
    measure::money("stream", after_labels.money());
    patterns(world, &decisions, &cases);

    for (name, period_ms) in
        [("15-minute batch", HOUR_MS / 4), ("hourly batch", HOUR_MS), ("daily batch", DAY_MS)]
    {
        let mut batch = FraudBatch::new(config.clone(), period_ms);
        let mut answers = Vec::new();
        for event in &world.events {
            batch.process(event, &mut answers);
        }
        batch.finish(&mut answers);
        let answers: Vec<Batched<FraudDecision>> = answers
            .into_iter()
            .map(|answer| match answer {
                Event::FraudBatch(batched) => batched,
                other => unreachable!("the lane gives batched decisions, not {other:?}"),
            })
            .collect();
        let mut blocks = BlockedCards::default();
        for batched in &answers {
            blocks.observe_run(batched);
        }
        let cases: Vec<Case> = answers
            .iter()
            .map(|Batched { answer, .. }| judge(answer, blocks.is_blocked(&answer.card_id, answer.ts)))
            .collect();
        let late = measure::split(&cases, before_labels_ms)[1].money().to_owned();
        measure::money(name, &late);
        let at_once = after_labels.money();
        println!(
            "  the stream stopped {:.2} times as much; its net is better by {:.0}",
            at_once.stopped_cents as f64 / late.stopped_cents as f64,
            (at_once.net_cents() - late.net_cents()) / 100.0
        );
    }
    for (name, value) in stream.counters() {
        println!("  {name}: {value}");
    }
}

/// Prints what was stopped of each kind of fraud.
fn patterns(world: &World, decisions: &[FraudDecision], cases: &[Case]) {
    let mut of: BTreeMap<&str, Quality> = BTreeMap::new();
    for (decision, case) in decisions.iter().zip(cases) {
        if let Some(pattern) = world.fraud.get(&decision.swipe_id) {
            of.entry(pattern).or_insert_with(|| Quality::new(Costs::default())).judge(case);
        }
    }
    let shares: Vec<String> = of
        .iter()
        .map(|(pattern, quality)| {
            let money = quality.money();
            let share = 100.0 * money.stopped_cents as f64 / money.fraud_cents.max(1) as f64;
            format!("{pattern} {share:.0} % of {:.0}", money.fraud_cents as f64 / 100.0)
        })
        .collect();
    println!("  stopped of each: {}", shares.join(", "));
}

fn hash(id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}
