//! A correction of the prior for times when many new cards come at once (*prior shift*).
//!
//! Fraud is often several times as frequent among cards that the detector hardly knows: a thief
//! can use a card that its holder never uses as well as any other. The model learns that, and it is
//! right as long as few cards are new. When a new bank's customers arrive, or a detector meets
//! every card for the first time, it would decline a third of them: the number of new cards has
//! risen, the number of thieves has not. By Bayes, the odds of fraud contain
//! `P(new | fraud) / P(new)`. When `P(new)` has risen since the labels that the model learnt from,
//! and `P(new | fraud)` has not, the odds must fall by the same factor.
//!
//! How well a card is known is the [`count`](super::features) of its swipes in 12 steps. Both
//! shares are of cards that are known as little as this one or less: at the beginning, when all
//! cards become known together and labels lag behind, the recent share is the smaller one, and
//! nothing changes.
//!
//! # Simplifications
//! - The correction only lowers the odds. When new cards become rarer than they were, nothing is
//!   added.

use super::features::HISTORY_BINS;

/// Swipes over which the recent share is averaged, and over which the share among labels is.
const RECENT_SWIPES: f32 = 500.0;
const LEARNT_SWIPES: f32 = 50_000.0;
/// Added to both shares, so that a share near zero says little.
const SMOOTHING: f32 = 0.002;

/// The shares of cards by how well they are known: among the recent swipes, and among those that
/// the model learnt from.
#[derive(Clone, Debug, Default)]
pub(super) struct NewCardPrior {
    recent: Shares,
    learnt: Shares,
}

/// The share of each degree to which a card can be known, as a decaying average.
#[derive(Clone, Debug, Default)]
struct Shares {
    seen: f32,
    shares: [f32; HISTORY_BINS],
}

impl Shares {
    fn add(&mut self, known: u8, memory: f32) {
        self.seen = (self.seen + 1.0).min(memory);
        let weight = 1.0 / self.seen;
        self.shares.iter_mut().for_each(|share| *share -= weight * *share);
        self.shares[usize::from(known)] += weight;
    }

    /// The share of cards that are known as little as this, or less.
    fn at_most(&self, known: u8) -> f32 {
        self.shares[..=usize::from(known)].iter().sum()
    }
}

impl NewCardPrior {
    /// A swipe has come, of a card that is known to this degree.
    pub(super) fn observe(&mut self, known: u8) {
        self.recent.add(known, RECENT_SWIPES);
    }

    /// A swipe was learnt from, of a card that was known to this degree then.
    pub(super) fn learn(&mut self, known: u8) {
        self.learnt.add(known, LEARNT_SWIPES);
    }

    /// What to add to the log-odds of fraud: zero or less.
    pub(super) fn log_odds_shift(&self, known: u8) -> f32 {
        if self.learnt.seen == 0.0 {
            return 0.0;
        }
        ((self.learnt.at_most(known) + SMOOTHING) / (self.recent.at_most(known) + SMOOTHING)).ln().min(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_influx_is_discounted() {
        let mut prior = NewCardPrior::default();
        assert!(prior.log_odds_shift(0).abs() < 1e-6, "nothing is known of how many there usually are");
        // One in fifty is new, as usual.
        for number in 0..60_000 {
            let known = if number % 50 == 0 { 0 } else { 9 };
            prior.observe(known);
            prior.learn(known);
        }
        assert!(prior.log_odds_shift(0) > -0.3 && prior.log_odds_shift(9).abs() < 0.01);
        for _ in 0..2_000 {
            prior.observe(1);
        }
        assert!(prior.log_odds_shift(1) < -2.5, "{}: fifty times as many", prior.log_odds_shift(1));
        assert!(prior.log_odds_shift(9).abs() < 0.01, "who is known is known");
        // All known better than in what was learnt from: the beginning of every replay.
        for _ in 0..20_000 {
            prior.observe(9);
        }
        assert!(prior.log_odds_shift(1).abs() < 0.01);
    }
}
