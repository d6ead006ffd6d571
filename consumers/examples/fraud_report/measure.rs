//! What is measured, each by its definition.

use std::collections::{BTreeMap, HashMap, HashSet};

use consumers::fraud::{BlockPolicy, Costs};
use events::{DAY_MS, Decision, FraudDecision, Timestamp};

/// A decision with what was true.
pub(crate) struct Judged {
    pub(crate) decision: FraudDecision,
    pub(crate) amount_cents: i64,
    /// The pattern; none for an honest swipe.
    pub(crate) fraud: Option<String>,
    /// From when the decision could be seen.
    pub(crate) valid_from: Timestamp,
}

/// Whose decisions they are.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lane {
    /// Given while the terminal waited.
    Stream,
    /// Given when the period was over.
    Batch,
}

/// Days at the start that are shown apart: nothing can have been learnt.
const BLIND_DAYS: i64 = 8;

/// How well probabilities order and how true they are.
pub(crate) fn quality(judged: &[Judged]) {
    let first = judged[0].decision.ts;
    let (blind, seeing): (Vec<&Judged>, Vec<&Judged>) =
        judged.iter().partition(|one| one.decision.ts.since_ms(first) < BLIND_DAYS * DAY_MS);
    for (name, part) in [("before the first labels", &blind), ("after", &seeing)] {
        if part.is_empty() {
            continue;
        }
        let (auc, ap) = ranking(part);
        let frauds = part.iter().filter(|one| one.fraud.is_some()).count();
        let expected: f64 = part.iter().map(|one| one.decision.probability).sum();
        println!(
            "{name}: {} swipes, {:.3} % fraud; AUC {auc:.4}, average precision {ap:.4}, card precision at 100 a day {:.3}; \
             expected frauds / true {:.3}",
            part.len(),
            100.0 * frauds as f64 / part.len() as f64,
            card_precision(part),
            expected / frauds as f64
        );
    }
    println!("calibration, tenths by probability: mean probability / share of fraud (%)");
    let mut sorted = seeing;
    sorted.sort_by(|one, other| one.decision.probability.total_cmp(&other.decision.probability));
    let tenths: Vec<String> = sorted
        .chunks(sorted.len().div_ceil(10).max(1))
        .map(|tenth| {
            let mean = tenth.iter().map(|one| one.decision.probability).sum::<f64>() / tenth.len() as f64;
            let share = tenth.iter().filter(|one| one.fraud.is_some()).count() as f64 / tenth.len() as f64;
            format!("{:.3}/{:.3}", 100.0 * mean, 100.0 * share)
        })
        .collect();
    println!("  {}", tenths.join("  "));
    for (low, high) in [(0.0, 0.01), (0.01, 0.03), (0.03, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)] {
        let inside: Vec<&&Judged> =
            sorted.iter().filter(|one| (low..high).contains(&one.decision.probability)).collect();
        let mean = inside.iter().map(|one| one.decision.probability).sum::<f64>() / inside.len().max(1) as f64;
        let frauds = inside.iter().filter(|one| one.fraud.is_some()).count();
        println!(
            "  {low:.2} to {high:.2}: {:>8} swipes, said {:.4}, true {:.4}",
            inside.len(),
            mean,
            frauds as f64 / inside.len().max(1) as f64
        );
    }
}

/// Area under the ROC curve (ties count half), and average precision.
fn ranking(judged: &[&Judged]) -> (f64, f64) {
    let mut scored: Vec<(f64, bool)> = judged.iter().map(|one| (one.decision.probability, one.fraud.is_some())).collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    let positives = scored.iter().filter(|one| one.1).count() as f64;
    let negatives = scored.len() as f64 - positives;
    let (mut above, mut wins, mut precision, mut seen) = (0.0, 0.0, 0.0, 0.0);
    for ties in scored.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let frauds = ties.iter().filter(|one| one.1).count() as f64;
        let honest = ties.len() as f64 - frauds;
        wins += honest * (above + frauds / 2.0);
        above += frauds;
        seen += ties.len() as f64;
        precision += frauds * above / seen;
    }
    (wins / (positives * negatives).max(1.0), precision / positives.max(1.0))
}

/// Of the 100 cards a day that look worst, the share that were truly defrauded that day; a card that was found is not looked at
/// again (the handbook's measure).
fn card_precision(judged: &[&Judged]) -> f64 {
    let mut days: BTreeMap<i64, HashMap<&str, (f64, bool)>> = BTreeMap::new();
    for one in judged {
        let card = days
            .entry(one.decision.ts.ms().div_euclid(DAY_MS))
            .or_default()
            .entry(&one.decision.card_id)
            .or_insert((0.0, false));
        card.0 = card.0.max(one.decision.probability);
        card.1 |= one.fraud.is_some();
    }
    let mut found: HashSet<&str> = HashSet::new();
    let mut precisions = Vec::new();
    for cards in days.values() {
        let mut worst: Vec<(&str, f64, bool)> =
            cards.iter().filter(|card| !found.contains(*card.0)).map(|(&id, &(p, fraud))| (id, p, fraud)).collect();
        worst.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        worst.truncate(100);
        let hits: Vec<&str> = worst.iter().filter(|card| card.2).map(|card| card.0).collect();
        precisions.push(hits.len() as f64 / 100.0);
        found.extend(hits);
    }
    precisions.iter().sum::<f64>() / precisions.len().max(1) as f64
}

/// What the decisions were worth. The stream's stop the swipe itself; the batch's come too late for it, and stop what its card does
/// from then on, for as long as a block lasts.
pub(crate) fn money(name: &str, lane: Lane, judged: &[Judged]) {
    let block = BlockPolicy::default();
    let mut alarms: HashMap<&str, Vec<(Timestamp, Timestamp)>> = HashMap::new();
    if lane == Lane::Batch {
        for one in judged.iter().filter(|one| one.decision.probability >= block.alarm_probability) {
            let until = one.decision.ts.plus_ms(block.for_ms).max(one.valid_from.plus_ms(block.for_ms));
            alarms.entry(&one.decision.card_id).or_default().push((one.valid_from, until));
        }
    }
    let stopped = |one: &Judged| match lane {
        Lane::Stream => one.decision.decision == Decision::Decline,
        Lane::Batch => alarms.get(one.decision.card_id.as_str()).is_some_and(|alarms| {
            alarms.iter().any(|&(from, until)| (from..until).contains(&one.decision.ts))
        }),
    };
    let (mut saved, mut lost, mut honest, mut cost) = (0, 0, 0, 0.0);
    let mut patterns: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for one in judged {
        match (&one.fraud, stopped(one)) {
            (Some(pattern), stopped) => {
                let pattern = patterns.entry(pattern).or_default();
                if stopped {
                    saved += one.amount_cents;
                    pattern.0 += one.amount_cents;
                } else {
                    lost += one.amount_cents;
                }
                pattern.1 += one.amount_cents;
            }
            (None, true) => {
                honest += 1;
                cost += Costs::default().of_declining(one.amount_cents);
            }
            (None, false) => {}
        }
    }
    println!(
        "{name}: stopped {:.0} of {:.0} ({:.1} %), {honest} honest swipes declined at a cost of {:.0}, net {:.0}",
        saved as f64 / 100.0,
        (saved + lost) as f64 / 100.0,
        100.0 * saved as f64 / (saved + lost).max(1) as f64,
        cost / 100.0,
        (saved as f64 - cost) / 100.0
    );
    let shares: Vec<String> = patterns
        .iter()
        .map(|(pattern, (saved, all))| format!("{pattern} {:.0} %", 100.0 * *saved as f64 / (*all).max(1) as f64))
        .collect();
    println!("  stopped of each: {}", shares.join(", "));
}
