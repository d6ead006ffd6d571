//! What amounts are usual: for one card, for one terminal, for all cards together.

use serde::{Deserialize, Serialize};

/// Mean and spread of the logarithm of amounts: robust, and averaged over the newest ones.
///
/// On the log scale "five times as much" is the same distance for any currency and any spender.
/// An amount further than [`WINSOR`] spreads from the mean teaches only as much as one that far
/// would (it is *winsorised*), so that fraud does not make its own amounts usual.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Baseline {
    seen: u32,
    mean: f32,
    variance: f32,
}

const WINSOR: f32 = 2.5;
/// Newest amounts never weigh less than this, so that a change of habit is learnt in about 50
/// swipes.
const LEAST_WEIGHT: f32 = 0.02;
/// How many swipes the prior weighs.
const PRIOR_WEIGHT: f32 = 3.0;
/// The narrowest spread: a card that pays the same fare every day may once pay another.
const NARROWEST: f32 = 0.25;

/// Natural logarithm of an amount; refunds count as what they would have cost.
pub(super) fn ln_amount(cents: i64) -> f32 {
    (cents.unsigned_abs() as f32 + 1.0).ln()
}

impl Baseline {
    pub(super) fn seen(&self) -> u32 {
        self.seen
    }

    pub(super) fn mean(&self) -> f32 {
        self.mean
    }

    pub(super) fn spread(&self) -> f32 {
        self.variance.sqrt().max(NARROWEST)
    }

    /// Mean and spread, pulled towards `prior` while few amounts have been seen.
    pub(super) fn usual(&self, prior: &Baseline) -> (f32, f32) {
        let seen = self.seen.min(50) as f32;
        let weight = seen / (seen + PRIOR_WEIGHT);
        let mean = weight * self.mean + (1.0 - weight) * prior.mean;
        let variance = weight * self.variance + (1.0 - weight) * prior.variance;
        (mean, variance.sqrt().max(NARROWEST))
    }

    /// Learns one amount. `prior` bounds the influence of the first few.
    pub(super) fn learn(&mut self, ln_amount: f32, prior: Option<&Baseline>) {
        let (centre, spread) = match prior {
            Some(prior) => self.usual(prior),
            None if self.seen >= 30 => (self.mean, self.spread() * 2.0),
            None => (ln_amount, 1.0),
        };
        let amount = ln_amount.clamp(centre - WINSOR * spread, centre + WINSOR * spread);
        self.seen = self.seen.saturating_add(1);
        let weight = (1.0 / self.seen as f32).max(LEAST_WEIGHT);
        let off = amount - self.mean;
        self.mean += weight * off;
        self.variance = (1.0 - weight) * (self.variance + weight * off * off);
        assert!(
            self.mean.is_finite() && self.variance >= 0.0,
            "mean {} and variance {} after an amount of {ln_amount}: they would spoil every later one",
            self.mean,
            self.variance
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thief_does_not_make_his_amounts_usual() {
        let mut population = Baseline::default();
        let mut card = Baseline::default();
        for day in 0..60 {
            let ln = ln_amount(2_000 + 300 * (day % 5));
            population.learn(ln, None);
            card.learn(ln, Some(&population));
        }
        let before = card.usual(&population);
        for _ in 0..3 {
            card.learn(ln_amount(500_000), Some(&population));
        }
        let after = card.usual(&population);
        let thief = |(mean, spread): (f32, f32)| (ln_amount(500_000) - mean) / spread;
        assert!(thief(before) > 8.0 && thief(after) > 6.0, "{} then {}", thief(before), thief(after));
    }
}
