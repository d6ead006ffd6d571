//! Answering and learning, in a shop of 100,000 items after 1,000,000 clicks.
//!
//! `cargo bench -p consumers --bench recommendations`. Promised: an answer under 50 µs at the
//! median and 300 µs at p99, learning under 5 µs at the median. Criterion times the means; the
//! percentiles and the memory are printed before it starts.

use std::hint::black_box;
use std::time::{Duration, Instant};

use consumers::recommendations::RecommendationsProcessor;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use events::{Click, Event};
use producers::shop::{Shop, ShopConfig};

const ITEMS: usize = 100_000;
const CLICKS: usize = 1_000_000;
/// Clicks that are timed after those.
const TIMED: usize = 50_000;

fn clicks() -> impl Iterator<Item = Click> {
    Shop::new(ShopConfig { items: ITEMS, ..ShopConfig::default() }).filter_map(|sent| match sent.event {
        Event::Clicks(click) => Some(click),
        _ => None,
    })
}

/// Memory of this process in MiB, where the system tells it.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1_024)
}

fn percentiles(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |q: f64| took[((took.len() - 1) as f64 * q) as usize];
    println!("{name}: {:?} at the median, {:?} at p99, {:?} at worst", at(0.5), at(0.99), at(1.0));
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = what();
    (began.elapsed(), done)
}

fn recommendations(criterion: &mut Criterion) {
    let mut clicks = clicks();
    let before = resident_mib();
    let mut processor = RecommendationsProcessor::default();
    for click in clicks.by_ref().take(CLICKS) {
        processor.learn(&click);
    }
    if let (Some(before), Some(after)) = (before, resident_mib()) {
        println!("memory: {} MiB for what {CLICKS} clicks have taught", after.saturating_sub(before));
    }

    let (mut answering, mut learning) = (Vec::new(), Vec::new());
    let mut sessions = Vec::new();
    for click in clicks.by_ref().take(TIMED) {
        learning.push(timed(|| processor.learn(&click)).0);
        answering.push(timed(|| black_box(processor.page(&click.session_id))).0);
        sessions.push(click.session_id);
    }
    percentiles("answer", answering);
    percentiles("learn", learning);

    let mut session = sessions.iter().cycle();
    criterion.bench_function("answer", |bencher| {
        bencher.iter(|| processor.page(session.next().expect("a cycle has no end")));
    });
    criterion.bench_function("learn", |bencher| {
        let next = || clicks.next().expect("the shop has no end");
        bencher.iter_batched(next, |click| processor.learn(&click), BatchSize::SmallInput);
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = recommendations
}
criterion_main!(benches);
