//! What is printed of one lane.

use consumers::fraud::{Case, Costs, Money, Quality};

/// Sums up the cases of the first days, when nothing can have been learnt, and those after.
pub(crate) fn split(cases: &[Case], before_labels_ms: i64) -> [Quality; 2] {
    let first_ms = cases.iter().map(|case| case.at_ms).min().unwrap_or(0);
    let mut both = [Quality::new(Costs::default()), Quality::new(Costs::default())];
    for case in cases {
        both[usize::from(case.at_ms >= first_ms + before_labels_ms)].judge(case);
    }
    both.iter_mut().for_each(Quality::finish);
    both
}

/// Prints how well probabilities order, and how true they are in total.
pub(crate) fn quality(name: &str, quality: &Quality) {
    println!("{name}: {}", quality.ranking());
    if let Some(calibration) = quality.calibration() {
        println!("  expected frauds / true {calibration:.4}");
    }
    if let Some((precision, best)) = quality.card_precision() {
        println!("  card precision at 100 a day: {precision:.4} ({best:.4} at best)");
    }
}

/// Prints how true the probabilities are, from the least to the greatest.
pub(crate) fn calibration(cases: &[Case]) {
    println!("calibration, by probability: swipes, said, true");
    for (low, high) in [
        (0.0, 0.001),
        (0.001, 0.01),
        (0.01, 0.03),
        (0.03, 0.1),
        (0.1, 0.3),
        (0.3, 0.6),
        (0.6, 0.9),
        (0.9, 1.0),
    ] {
        let inside = || cases.iter().filter(|case| (low..high).contains(&case.probability));
        let (count, frauds) = (inside().count(), inside().filter(|case| case.fraud).count());
        println!(
            "  {low:.3} to {high:.3}: {count:>8}  {:.4}  {:.4}",
            inside().map(|case| case.probability).sum::<f64>() / count.max(1) as f64,
            frauds as f64 / count.max(1) as f64
        );
    }
}

/// Prints what the decisions were worth, on one line.
pub(crate) fn money(name: &str, money: &Money) {
    println!(
        "{name}: stopped {:.0} of {:.0} ({:.1} %), {} honest swipes declined at a cost of {:.0}, net {:.0}",
        money.stopped_cents as f64 / 100.0,
        money.fraud_cents as f64 / 100.0,
        100.0 * money.stopped_cents as f64 / money.fraud_cents.max(1) as f64,
        money.honest_declined,
        money.decline_cost_cents / 100.0,
        money.net_cents() / 100.0
    );
}
