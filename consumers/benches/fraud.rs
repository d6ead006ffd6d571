//! The time of one decision: state, score and reasons, with everything that is learnt from it.
//!
//! Each sample is one swipe, decided by a detector that has read 45 days of history, so
//! that its labels mature and its windows are full. Criterion's mean is the throughput; the
//! percentiles are printed before it, each swipe timed alone.

use std::hint::black_box;
use std::time::Instant;

use consumers::fraud::{FraudConfig, FraudProcessor};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use events::Event;
use processor::Processor;
use producers::cards::{Cards, CardsConfig, history};

fn trained() -> (FraudProcessor, Vec<Event>) {
    let config = CardsConfig::default();
    let mut detector = FraudProcessor::new(FraudConfig::default());
    let mut answers = Vec::new();
    for event in history(&config) {
        detector.process(&event, &mut answers);
        answers.clear();
    }
    let live = Cards::new(&config)
        .map(|emission| emission.event)
        .filter(|event| matches!(event, Event::CardSwipes(_) | Event::Chargebacks(_)))
        .take(400_000)
        .collect();
    (detector, live)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn decide(criterion: &mut Criterion) {
    let (mut detector, live) = trained();
    let (timed, rest) = live.split_at(200_000);
    let mut answers = Vec::with_capacity(4);
    let mut nanoseconds: Vec<u128> = timed
        .iter()
        .map(|event| {
            let started = Instant::now();
            detector.process(black_box(event), &mut answers);
            let took = started.elapsed().as_nanos();
            answers.clear();
            took
        })
        .collect();
    nanoseconds.sort_unstable();
    let at = |share: f64| nanoseconds[((nanoseconds.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    println!("one event, us: p50 {:.2}, p99 {:.2}, p99.9 {:.2}", at(0.5), at(0.99), at(0.999));

    // Every swipe is new: one that was met before would be a duplicate, and cheap.
    let mut number = 0_u64;
    criterion.bench_function("fraud: decide one swipe", |bencher| {
        bencher.iter_batched(
            || {
                number += 1;
                let mut event = rest[number as usize % rest.len()].clone();
                if let Event::CardSwipes(swipe) = &mut event {
                    swipe.swipe_id = format!("again-{number}");
                }
                event
            },
            |event| {
                detector.process(black_box(&event), &mut answers);
                answers.clear();
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, decide);
criterion_main!(benches);
