//! How good decisions were, by the measures of the field.
//!
//! - *ROC AUC*: how often a fraud got a higher probability than an honest swipe. Nearly everything
//!   is honest, so 0.95 is easy to reach.
//! - *Average precision*: the share of fraud among all swipes down to some probability, averaged
//!   over the frauds. Guessing reaches the share of fraud. Where fraud is rare, it is this measure
//!   that separates good detectors from mediocre ones.
//! - *Card precision at 100 a day*: among the 100 most suspicious cards of a day, the share of
//!   cards with fraud on that day; a card that was found once does not count again (Le Borgne et
//!   al.,
//!   *Reproducible Machine Learning for Credit Card Fraud Detection*, chapter 4). Where fewer than
//!   100 cards a day have fraud, even a perfect detector is below 1: its value is given, too.
//! - *Calibration*: the sum of the probabilities divided by the number of frauds. Decisions compare
//!   costs by the probabilities, so these must be right and not only well ordered.
//! - *Money*: the fraud that was stopped, and the cost of declining honest customers.
//!
//! A decision must have been made before the detector learnt from the same swipe; its
//! [caller](super::Scorecard) ensures that.
//!
//! # Simplifications
//! - Probabilities are kept to one part in 8,192: closer ones count as tied. So the memory is 2 MB,
//!   however many swipes are judged, and a set of the cards that were found.

use std::collections::BTreeMap;

use events::DAY_MS;

use super::decide::Costs;
use processor::bounded::{FixedHashMap, FixedHashSet};

/// Cards a day that an investigator can check.
const INVESTIGATED_A_DAY: usize = 100;
/// Probabilities are kept as the leading bits of a float, which order as numbers do: 8 of the
/// exponent, 13 of the mantissa.
const DROPPED_BITS: u32 = 10;
/// The smallest probability that differs from zero.
const LEAST: f32 = 1e-7;

/// A decision and the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// When the card was presented, in milliseconds since 1970.
    pub at_ms: i64,
    /// Which card: any number that no other card has.
    pub card: u64,
    /// The amount, in cents.
    pub amount_cents: i64,
    /// The probability of fraud that the detector gave, 0 to 1.
    pub probability: f64,
    /// Whether the sale was declined.
    pub stopped: bool,
    /// Whether it was fraud.
    pub fraud: bool,
}

/// What the decisions were worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Money {
    /// The sum of all fraudulent swipes, in cents.
    pub fraud_cents: i64,
    /// The part of it that was declined, in cents.
    pub stopped_cents: i64,
    /// Frauds that were declined.
    pub frauds_stopped: u64,
    /// Honest swipes that were declined.
    pub honest_declined: u64,
    /// What that cost, in cents.
    pub decline_cost_cents: f64,
}

impl Money {
    /// What was stopped less what that cost, in cents.
    pub fn net_cents(&self) -> f64 {
        self.stopped_cents as f64 - self.decline_cost_cents
    }
}

/// Any number of [cases](Case), summed up.
#[derive(Clone, Debug)]
pub struct Quality {
    costs: Costs,
    swipes: u64,
    frauds: u64,
    expected: f64,
    /// Honest swipes and frauds by probability.
    by_probability: Vec<[u32; 2]>,
    money: Money,
    days: BTreeMap<i64, Day>,
    /// Days before this one have been investigated.
    investigated_until: i64,
    found: FixedHashSet<u64>,
    hits: u64,
    best: u64,
    investigated: u64,
}

/// Each card's highest probability of a day, and whether it had fraud.
type Day = FixedHashMap<u64, (f32, bool)>;

impl Quality {
    /// Nothing judged yet. Declined honest customers cost as much as `costs` says.
    pub fn new(costs: Costs) -> Self {
        Self {
            costs,
            swipes: 0,
            frauds: 0,
            expected: 0.0,
            by_probability: vec![[0; 2]; bucket(1.0) + 1],
            money: Money::default(),
            days: BTreeMap::new(),
            investigated_until: i64::MIN,
            found: FixedHashSet::default(),
            hits: 0,
            best: 0,
            investigated: 0,
        }
    }

    /// Judges one more case. Cases come in the order of time, to within a day: a later one no
    /// longer counts for the card precision of its day.
    pub fn judge(&mut self, case: &Case) {
        let &Case { at_ms, card, amount_cents, probability, stopped, fraud } = case;
        self.swipes += 1;
        self.frauds += u64::from(fraud);
        self.expected += probability;
        self.by_probability[bucket(probability as f32)][usize::from(fraud)] += 1;

        let cents = amount_cents.max(0);
        let money = &mut self.money;
        if fraud {
            money.fraud_cents = money.fraud_cents.saturating_add(cents);
        }
        match (fraud, stopped) {
            (true, true) => {
                money.frauds_stopped += 1;
                money.stopped_cents = money.stopped_cents.saturating_add(cents);
            }
            (false, true) => {
                money.honest_declined += 1;
                money.decline_cost_cents += self.costs.of_declining(amount_cents);
            }
            (_, false) => {}
        }

        let day = at_ms.div_euclid(DAY_MS);
        if day < self.investigated_until {
            return;
        }
        let of_card = self.days.entry(day).or_default().entry(card).or_default();
        of_card.0 = of_card.0.max(probability as f32);
        of_card.1 |= fraud;
        while self.days.first_key_value().is_some_and(|(&oldest, _)| oldest < day - 1) {
            self.investigate_oldest_day();
        }
    }

    /// The log has ended: counts the last days' cards.
    pub fn finish(&mut self) {
        while !self.days.is_empty() {
            self.investigate_oldest_day();
        }
    }

    fn investigate_oldest_day(&mut self) {
        let Some((day, cards)) = self.days.pop_first() else { return };
        self.investigated_until = day + 1;
        let mut worst: Vec<(u64, f32, bool)> = cards
            .into_iter()
            .filter(|(card, _)| !self.found.contains(card))
            .map(|(card, (probability, fraud))| (card, probability, fraud))
            .collect();
        let robbed = worst.iter().filter(|card| card.2).count();
        worst.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        worst.truncate(INVESTIGATED_A_DAY);
        for (card, ..) in worst.into_iter().filter(|card| card.2) {
            self.hits += 1;
            self.found.insert(card);
        }
        self.best += robbed.min(INVESTIGATED_A_DAY) as u64;
        self.investigated += INVESTIGATED_A_DAY as u64;
    }

    /// How many swipes were judged.
    pub fn swipes(&self) -> u64 {
        self.swipes
    }

    /// How many of them were fraud.
    pub fn frauds(&self) -> u64 {
        self.frauds
    }

    /// What the probabilities add up to.
    pub fn expected_frauds(&self) -> f64 {
        self.expected
    }

    /// What the decisions were worth.
    pub fn money(&self) -> &Money {
        &self.money
    }

    /// Area under the ROC curve, ties counting half; none while there are not both frauds and
    /// honest swipes.
    pub fn auc(&self) -> Option<f64> {
        let honest = self.swipes - self.frauds;
        if self.frauds == 0 || honest == 0 {
            return None;
        }
        let (mut above, mut wins) = (0.0, 0.0);
        for [honest, frauds] in self.most_probable_first() {
            wins += honest * (above + frauds / 2.0);
            above += frauds;
        }
        Some(wins / (self.frauds as f64 * honest as f64))
    }

    /// Average precision; none without frauds.
    pub fn average_precision(&self) -> Option<f64> {
        let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
        for [honest, frauds] in self.most_probable_first() {
            found += frauds;
            seen += honest + frauds;
            sum += frauds * found / seen;
        }
        (self.frauds > 0).then(|| sum / self.frauds as f64)
    }

    /// Frauds that were expected for each one that there was; none without frauds.
    pub fn calibration(&self) -> Option<f64> {
        (self.frauds > 0).then(|| self.expected / self.frauds as f64)
    }

    /// How many swipes and frauds there were and how well the probabilities put them in order, in
    /// words.
    pub fn ranking(&self) -> String {
        let shown = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.4}"));
        format!(
            "{} swipes, {} of them fraud ({:.3} %): ROC AUC {}, average precision {}",
            self.swipes(),
            self.frauds(),
            100.0 * self.frauds() as f64 / self.swipes().max(1) as f64,
            shown(self.auc()),
            shown(self.average_precision()),
        )
    }

    /// Card precision at 100 a day, and that of a perfect detector; none before
    /// [`finish`](Self::finish) or without a day.
    pub fn card_precision(&self) -> Option<(f64, f64)> {
        let share = |count: u64| count as f64 / self.investigated as f64;
        (self.investigated > 0).then(|| (share(self.hits), share(self.best)))
    }

    /// Honest swipes and frauds of each probability.
    fn most_probable_first(&self) -> impl Iterator<Item = [f64; 2]> {
        let said = self.by_probability.iter().rev().filter(|counts| **counts != [0, 0]);
        said.map(|counts| counts.map(f64::from))
    }
}

/// The bucket in which a probability is counted.
fn bucket(probability: f32) -> usize {
    // A foreign answer may hold any number, and nothing may panic here.
    let known = if probability.is_nan() { LEAST } else { probability.clamp(LEAST, 1.0) };
    let bits = |probability: f32| probability.to_bits() >> DROPPED_BITS;
    (bits(known) - bits(LEAST)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn case(card: u64, probability: f64, fraud: bool) -> Case {
        Case { at_ms: 0, card, amount_cents: 1_000, probability, stopped: false, fraud }
    }

    /// Both from their definition: every pair; and every fraud's precision.
    fn by_definition(cases: &[(f64, bool)]) -> (f64, f64) {
        let of = |fraud| cases.iter().filter(move |case| case.1 == fraud).map(|case| case.0);
        let (frauds, honest) = (of(true).count() as f64, of(false).count() as f64);
        let wins: f64 = of(true)
            .flat_map(|one| of(false).map(move |other| one.total_cmp(&other)))
            .map(|order| match order {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .sum();
        let precision = |least: f64| {
            let found = of(true).filter(|&p| p >= least).count() as f64;
            found / (found + of(false).filter(|&p| p >= least).count() as f64)
        };
        (wins / (frauds * honest), of(true).map(precision).sum::<f64>() / frauds)
    }

    proptest! {
        #[test]
        fn ranks_as_the_definitions_say(hundredths in prop::collection::vec((1..100_u8, any::<bool>()), 2..60)) {
            let mut cases: Vec<(f64, bool)> =
                hundredths.into_iter().map(|(p, fraud)| (f64::from(p) / 100.0, fraud)).collect();
            cases.extend([(0.5, true), (0.25, false)]);
            let mut quality = Quality::new(Costs::default());
            for &(p, fraud) in &cases {
                quality.judge(&case(1, p, fraud));
            }
            let (auc, precision) = by_definition(&cases);
            prop_assert!((quality.auc().unwrap() - auc).abs() < 1e-9);
            prop_assert!((quality.average_precision().unwrap() - precision).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_unknown_is_not_zero() {
        let mut quality = Quality::new(Costs::default());
        quality.finish();
        assert_eq!((quality.auc(), quality.average_precision(), quality.calibration()), (None, None, None));
        assert_eq!(quality.card_precision(), None);
        quality.judge(&case(1, 0.1, true));
        assert_eq!(quality.auc(), None, "there is nothing to be told apart from");
        assert_eq!(quality.calibration().map(|ratio| (ratio * 1e6).round()), Some(100_000.0));
    }

    #[test]
    fn a_card_is_found_once_and_the_best_is_what_there_was() {
        let mut quality = Quality::new(Costs::default());
        for day in 0..4 {
            for card in 0..300 {
                // Card 0 is robbed every day and suspicious; card 1 is robbed on day 2 and
                // investigated like the others.
                let fraud = card == 0 || (card == 1 && day == 2);
                let probability = if card == 0 { 0.9 } else { 0.001 + card as f64 * 1e-6 };
                quality.judge(&Case { at_ms: day * DAY_MS, ..case(card, probability, fraud) });
            }
        }
        quality.finish();
        assert_eq!(quality.card_precision(), Some((1.0 / 400.0, 2.0 / 400.0)));
        assert!(quality.days.is_empty());
    }

    #[test]
    fn money_is_what_was_refused_to_whom() {
        let mut quality = Quality::new(Costs { fixed_cents: 500.0, margin: 0.02 });
        let all = [(true, true, 40_000), (true, false, 10_000), (false, true, 10_000), (true, true, -70)];
        for (fraud, stopped, amount_cents) in all {
            quality.judge(&Case { amount_cents, stopped, ..case(1, 0.5, fraud) });
        }
        let money = quality.money();
        assert_eq!((money.fraud_cents, money.stopped_cents, money.frauds_stopped), (50_000, 40_000, 2));
        assert_eq!((money.honest_declined, money.decline_cost_cents), (1, 700.0));
        assert!((money.net_cents() - 39_300.0).abs() < 1e-9);
    }

    #[test]
    fn every_probability_has_a_place() {
        for p in [0.0, -1.0, 1e-30, 1e-7, 0.3, 1.0, 2.0, f32::NAN, f32::INFINITY] {
            assert!(bucket(p) <= bucket(1.0));
        }
        assert!(bucket(0.010_01) > bucket(0.01), "one part in a thousand is told apart");
    }
}
