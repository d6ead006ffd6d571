//! What is measured, each by its definition.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use consumers::fraud::{BlockPolicy, Costs};
use events::{Batched, DAY_MS, Decision, FraudDecision, Timestamp};

/// A decision with what was true.
pub(crate) struct Judged {
    pub(crate) decision: FraudDecision,
    pub(crate) amount_cents: i64,
    /// The pattern; none for an honest swipe.
    pub(crate) fraud: Option<String>,
    /// How the batch lane gave it; none for the stream's.
    pub(crate) batched: Option<Batched<FraudDecision>>,
}

/// Days at the start that are shown apart: nothing can have been learnt.
const BLIND_DAYS: i64 = 8;

/// How well probabilities order, and how true they are in total.
#[derive(Debug)]
pub(crate) struct Quality {
    pub(crate) swipes: usize,
    pub(crate) frauds: usize,
    /// Area under the ROC curve, and average precision.
    pub(crate) auc: f64,
    pub(crate) average_precision: f64,
    /// Frauds that the probabilities add up to, for one that was.
    pub(crate) expected_over_true: f64,
}

/// The decisions of the first days, when nothing can have been learnt, and those after.
pub(crate) fn split(judged: &[Judged]) -> (Vec<&Judged>, Vec<&Judged>) {
    let first = judged.first().map_or(Timestamp::MIN, |one| one.decision.ts);
    judged.iter().partition(|one| one.decision.ts.since_ms(first) < BLIND_DAYS * DAY_MS)
}

impl Quality {
    pub(crate) fn of(judged: &[&Judged]) -> Self {
        let (auc, average_precision) = ranking(judged);
        let frauds = judged.iter().filter(|one| one.fraud.is_some()).count();
        let expected: f64 = judged.iter().map(|one| one.decision.probability).sum();
        let expected_over_true = expected / frauds.max(1) as f64;
        Self { swipes: judged.len(), frauds, auc, average_precision, expected_over_true }
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: {} swipes, {:.3} % fraud; AUC {:.4}, average precision {:.4}, expected frauds / true {:.3}",
            self.swipes,
            100.0 * self.frauds as f64 / self.swipes.max(1) as f64,
            self.auc,
            self.average_precision,
            self.expected_over_true
        );
    }
}

/// Prints all of it.
pub(crate) fn quality(judged: &[Judged]) {
    let (blind, seeing) = split(judged);
    Quality::of(&blind).print("before the first labels");
    Quality::of(&seeing).print("after");
    println!("card precision at 100 a day: {:.3}", card_precision(&seeing));
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
    for (low, high) in
        [(0.0, 0.01), (0.01, 0.03), (0.03, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)]
    {
        let inside: Vec<&&Judged> =
            sorted.iter().filter(|one| (low..high).contains(&one.decision.probability)).collect();
        let mean =
            inside.iter().map(|one| one.decision.probability).sum::<f64>() / inside.len().max(1) as f64;
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
    let mut scored: Vec<(f64, bool)> =
        judged.iter().map(|one| (one.decision.probability, one.fraud.is_some())).collect();
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
        let mut worst: Vec<(&str, f64, bool)> = cards
            .iter()
            .filter(|card| !found.contains(*card.0))
            .map(|(&id, &(p, fraud))| (id, p, fraud))
            .collect();
        worst.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        worst.truncate(100);
        let hits: Vec<&str> = worst.iter().filter(|card| card.2).map(|card| card.0).collect();
        precisions.push(hits.len() as f64 / 100.0);
        found.extend(hits);
    }
    precisions.iter().sum::<f64>() / precisions.len().max(1) as f64
}

/// What the decisions were worth, in cents.
#[derive(Debug, Default)]
pub(crate) struct Money {
    /// Fraud that was stopped, and all there was.
    pub(crate) stopped: i64,
    pub(crate) all: i64,
    /// Honest swipes that were declined, and what that costs.
    pub(crate) honest: u64,
    pub(crate) cost: f64,
    /// The first two for each pattern.
    pub(crate) patterns: BTreeMap<String, (i64, i64)>,
}

/// The stream's decisions stop the swipe itself. The batch's come too late for it, and stop what its card does from then on, for as
/// long as a block lasts.
pub(crate) fn money(judged: &[Judged]) -> Money {
    let mut blocked: HashMap<&str, Vec<Range<Timestamp>>> = HashMap::new();
    for one in judged {
        if let Some(batched) = &one.batched
            && let Some(range) = BlockPolicy::default().after_batch(batched)
        {
            blocked.entry(&one.decision.card_id).or_default().push(range);
        }
    }
    let mut money = Money::default();
    for one in judged {
        let stopped = if one.batched.is_some() {
            let blocks = blocked.get(one.decision.card_id.as_str());
            blocks.is_some_and(|blocks| blocks.iter().any(|block| block.contains(&one.decision.ts)))
        } else {
            one.decision.decision == Decision::Decline
        };
        let stopped_cents = if stopped { one.amount_cents } else { 0 };
        match &one.fraud {
            Some(pattern) => {
                let of_pattern = money.patterns.entry(pattern.clone()).or_default();
                of_pattern.0 += stopped_cents;
                of_pattern.1 += one.amount_cents;
                money.stopped += stopped_cents;
                money.all += one.amount_cents;
            }
            None if stopped => {
                money.honest += 1;
                money.cost += Costs::default().of_declining(one.amount_cents);
            }
            None => {}
        }
    }
    money
}

impl Money {
    /// What is left of the money stopped, in cents.
    pub(crate) fn net(&self) -> f64 {
        self.stopped as f64 - self.cost
    }

    /// Says it on two lines.
    pub(crate) fn print(&self, name: &str) {
        println!(
            "{name}: stopped {:.0} of {:.0} ({:.1} %), {} honest swipes declined at a cost of {:.0}, net {:.0}",
            self.stopped as f64 / 100.0,
            self.all as f64 / 100.0,
            100.0 * self.stopped as f64 / self.all.max(1) as f64,
            self.honest,
            self.cost / 100.0,
            self.net() / 100.0
        );
        let share = |(stopped, all): (i64, i64)| 100.0 * stopped as f64 / all.max(1) as f64;
        let shares: Vec<String> = self
            .patterns
            .iter()
            .map(|(pattern, cents)| format!("{pattern} {:.0} %", share(*cents)))
            .collect();
        println!("  stopped of each: {}", shares.join(", "));
    }
}
