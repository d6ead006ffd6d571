//! When many strangers come at once.
//!
//! Among swipes of cards that are hardly known, fraud is often several times as frequent: a card
//! that its holder leaves in the drawer is as good to a thief as any. The model learns that, and it
//! is right as long as few cards are strangers. When a new bank's customers arrive, or a detector
//! with a past meets everybody for the first time, it would decline a third of them: their number
//! has risen, and the number of thieves has not. By Bayes, what being a stranger says of fraud is
//! `P(stranger | fraud) / P(stranger)`. With the first unchanged, the odds fall by as much as the
//! second has risen since what was learnt from.
//!
//! How known a card is goes by [`count`](super::features) of its swipes, and the two shares are of
//! cards known as little as this one or less: at the beginning, when all grow known together and
//! labels lag behind, the share lately is the smaller one, and nothing changes.

use super::features::HISTORY_BINS;

/// Swipes that "lately" is made of, and those that "learnt from" is made of.
const LATELY: f32 = 500.0;
const LEARNT: f32 = 50_000.0;
/// Shares smaller than this are not told apart.
const LEAST: f32 = 0.002;

/// How many strangers there are among the swipes of late, and among those that were learnt from.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers {
    lately: Shares,
    learnt: Shares,
}

/// A share for each degree to which a card can be known, decaying.
#[derive(Clone, Debug, Default)]
struct Shares {
    seen: f32,
    shares: [f32; HISTORY_BINS],
}

impl Shares {
    fn see(&mut self, known: u8, memory: f32) {
        self.seen = (self.seen + 1.0).min(memory);
        let weight = 1.0 / self.seen;
        self.shares.iter_mut().for_each(|share| *share -= weight * *share);
        self.shares[usize::from(known)] += weight;
    }

    /// The share of those that are known as little as this, or less.
    fn at_most(&self, known: u8) -> f32 {
        self.shares[..=usize::from(known)].iter().sum()
    }
}

impl Strangers {
    /// A swipe has come, of a card that is known to this degree.
    pub(super) fn meet(&mut self, known: u8) {
        self.lately.see(known, LATELY);
    }

    /// A swipe was learnt from, of a card that was known to this degree then.
    pub(super) fn learn(&mut self, known: u8) {
        self.learnt.see(known, LEARNT);
    }

    /// What to add to the log-odds of fraud: zero or less.
    pub(super) fn discount(&self, known: u8) -> f32 {
        if self.learnt.seen == 0.0 {
            return 0.0;
        }
        ((self.learnt.at_most(known) + LEAST) / (self.lately.at_most(known) + LEAST)).ln().min(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_influx_is_discounted() {
        let mut strangers = Strangers::default();
        assert!(strangers.discount(0).abs() < 1e-6, "nothing is known of how many there usually are");
        // One in fifty is a stranger, as ever.
        for number in 0..60_000 {
            let known = if number % 50 == 0 { 0 } else { 9 };
            strangers.meet(known);
            strangers.learn(known);
        }
        assert!(strangers.discount(0) > -0.3 && strangers.discount(9).abs() < 0.01);
        for _ in 0..2_000 {
            strangers.meet(1);
        }
        assert!(strangers.discount(1) < -2.5, "{}: fifty times as many", strangers.discount(1));
        assert!(strangers.discount(9).abs() < 0.01, "who is known is known");
        // All known better than in what was learnt from: the beginning of every replay.
        for _ in 0..20_000 {
            strangers.meet(9);
        }
        assert!(strangers.discount(1).abs() < 0.01);
    }
}
