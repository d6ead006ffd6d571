//! The model: a sum of one learnt weight per feature, turned into a probability that is calibrated
//! by the labels.
//!
//! Each [feature](super::features) of a swipe falls into one bin, and each bin has a weight in
//! log-odds. Their sum is the *logit*, and `1 / (1 + exp(-logit))` is the probability: a
//! generalised additive model (Hastie & Tibshirani 1986) with steps for shapes. Ten coarse
//! features, the *keys*, also have a weight for each pair of their bins (as in GA2M: Lou, Caruana,
//! Gehrke & Hooker 2013), because an amount that is large *and* spent at a new terminal says more
//! than the two apart. The model explains itself: a reason is a weight. It learns from one swipe at
//! a time, as labels mature, by the gradient of the log-loss with a step of its own for each bin
//! (`AdaGrad`: Duchi, Hazan & Singer 2011), so that a bin that is rarely seen still learns much
//! from each time.
//!
//! A sum of correlated features orders swipes well but tends to be too sure. A *calibrator*
//! on top learns a rising curve from logits to calibrated ones (as isotonic regression would:
//! Zadrozny & Elkan 2002, here online), from the logits that swipes got before
//! their label was known.
//!
//! # Simplifications
//! - Every swipe weighs the same: no class weights and no resampling, which would spoil the
//!   probabilities that money is decided by.
//! - Weights do not decay: they change only with new labels.

use super::features::{Bins, FEATURES, Family, KEY_BINS, KEYS, TABLE, known};
use super::new_cards::NewCardPrior;

/// Where each feature's weights begin.
const OFFSETS: [usize; FEATURES + 1] = {
    let mut offsets = [0; FEATURES + 1];
    let mut feature = 0;
    while feature < FEATURES {
        offsets[feature + 1] = offsets[feature] + TABLE[feature].bins as usize;
        feature += 1;
    }
    offsets
};

/// The keys, each with each.
const PAIRS: usize = KEYS * (KEYS - 1) / 2;

/// Length of a gradient step, and the initial sum of squared gradients.
const RATE: f32 = 0.08;
const INITIAL_SQUARES: f32 = 0.3;
/// The same for pairs, which learn more slowly: what one feature alone explains should not be
/// explained by a pair.
const PAIR_RATE: f32 = 0.04;
const PAIR_INITIAL_SQUARES: f32 = 1.0;

/// What a score is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    /// What the calibrator learns from.
    pub(super) logit: f32,
    /// The calibrated probability, strictly between 0 and 1.
    pub(super) probability: f64,
}

#[derive(Clone, Copy, Debug)]
struct Weight {
    value: f32,
    /// Sum of squared gradients.
    squares: f32,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    bias: Weight,
    weights: Vec<Weight>,
    /// [`PAIRS`] tables of [`KEY_BINS`] by [`KEY_BINS`].
    pairs: Vec<Weight>,
    /// What each family contributes on average: a reason is a difference from it.
    average: [f32; Family::COUNT],
    calibrator: Calibrator,
    new_cards: NewCardPrior,
    learnt: u64,
    frauds: u64,
}

impl Model {
    /// A model that has seen nothing: every swipe is fraud with about the probability `prior`, a
    /// little more or less by each feature's own prior.
    pub(super) fn new(prior: f64) -> Self {
        let weights = TABLE
            .iter()
            .flat_map(|feature| {
                (0..feature.bins).map(|bin| Weight { value: (feature.prior)(bin), squares: INITIAL_SQUARES })
            })
            .collect();
        Self {
            bias: Weight { value: logit(prior) as f32, squares: INITIAL_SQUARES },
            weights,
            pairs: vec![Weight { value: 0.0, squares: PAIR_INITIAL_SQUARES }; PAIRS * KEY_BINS * KEY_BINS],
            average: [0.0; Family::COUNT],
            calibrator: Calibrator::default(),
            new_cards: NewCardPrior::default(),
            learnt: 0,
            frauds: 0,
        }
    }

    /// Scores a swipe that has just come.
    pub(super) fn score(&mut self, bins: &Bins) -> Score {
        self.new_cards.observe(known(bins));
        let logit = self.logit(bins) + self.new_cards.log_odds_shift(known(bins));
        assert!(logit.is_finite(), "a logit of {logit}: a weight is not a number");
        Score { logit, probability: self.calibrator.probability(logit) }
    }

    fn logit(&self, bins: &Bins) -> f32 {
        let mut sum = self.bias.value;
        for (feature, &bin) in bins.iter().enumerate() {
            sum += self.weights[OFFSETS[feature] + usize::from(bin)].value;
        }
        for_each_pair(bins, |place, _, _| sum += self.pairs[place].value);
        sum
    }

    /// How much each family of features adds to the log-odds of this swipe, next to the average
    /// one. A pair speaks for both of its families.
    pub(super) fn contributions(&self, bins: &Bins) -> [f32; Family::COUNT] {
        let mut families = self.families(bins);
        families.iter_mut().zip(&self.average).for_each(|(family, average)| *family -= average);
        families
    }

    fn families(&self, bins: &Bins) -> [f32; Family::COUNT] {
        let mut families = [0.0; Family::COUNT];
        for (feature, &bin) in bins.iter().enumerate() {
            families[TABLE[feature].family as usize] +=
                self.weights[OFFSETS[feature] + usize::from(bin)].value;
        }
        for_each_pair(bins, |place, one, other| {
            let half = self.pairs[place].value / 2.0;
            families[TABLE[one].family as usize] += half;
            families[TABLE[other].family as usize] += half;
        });
        families
    }

    /// Learns that a swipe was fraud or not. `logit_when_scored` is the logit that it got then.
    pub(super) fn learn(&mut self, bins: &Bins, logit_when_scored: f32, fraud: bool) {
        self.calibrator.learn(logit_when_scored, fraud);
        self.new_cards.learn(known(bins));
        let families = self.families(bins);
        let logit = self.bias.value + families.iter().sum::<f32>();
        self.descend(bins, sigmoid(f64::from(logit)) as f32 - f32::from(u8::from(fraud)));
        self.learnt += 1;
        self.frauds += u64::from(fraud);
        let weight = (1.0 / self.learnt as f32).max(1e-4);
        for (average, family) in self.average.iter_mut().zip(families) {
            *average += weight * (family - *average);
        }
    }

    /// Corrects a swipe that was learnt as genuine and is fraud. The gradients of the two labels
    /// differ by exactly one, so the sum of both steps is what the right label would have given.
    pub(super) fn correct(&mut self, bins: &Bins, logit_when_scored: f32) {
        self.calibrator.correct(logit_when_scored);
        self.descend(bins, -1.0);
        self.frauds += 1;
    }

    /// The share of fraud among what it has learnt from, `prior` while that is little.
    pub(super) fn fraud_share(&self, prior: f64) -> f32 {
        ((self.frauds as f64 + 2_000.0 * prior) / (self.learnt as f64 + 2_000.0)) as f32
    }

    /// How many frauds it has learnt from.
    pub(super) fn frauds(&self) -> u64 {
        self.frauds
    }

    fn descend(&mut self, bins: &Bins, gradient: f32) {
        step(&mut self.bias, gradient, RATE);
        for (feature, &bin) in bins.iter().enumerate() {
            step(&mut self.weights[OFFSETS[feature] + usize::from(bin)], gradient, RATE);
        }
        for_each_pair(bins, |place, _, _| step(&mut self.pairs[place], gradient, PAIR_RATE));
    }
}

/// The index of each pair's weight, and its two features.
fn for_each_pair(bins: &Bins, mut say: impl FnMut(usize, usize, usize)) {
    const FIRST: usize = FEATURES - KEYS;
    let mut pair = 0;
    for one in FIRST..FEATURES {
        for other in FIRST..one {
            let place = usize::from(bins[one]) * KEY_BINS + usize::from(bins[other]);
            say(pair * KEY_BINS * KEY_BINS + place, one, other);
            pair += 1;
        }
    }
}

fn step(weight: &mut Weight, gradient: f32, rate: f32) {
    weight.squares += gradient * gradient;
    weight.value -= rate * gradient / weight.squares.sqrt();
}

/// A rising curve from logits to calibrated ones: straight between [`NODES`](Self::NODES) points
/// one log-odd apart, level outside. It must be level: where the model has never seen fraud, its
/// sum falls without end, and the calibrated value is the share of fraud there.
#[derive(Clone, Debug)]
struct Calibrator {
    /// The calibrated value of each logit, from [`LOWEST`](Self::LOWEST) on.
    calibrated: [f64; Self::NODES],
    /// Sums of squared gradients.
    squares: [f64; Self::NODES],
}

impl Default for Calibrator {
    fn default() -> Self {
        let calibrated = std::array::from_fn(|node| Self::LOWEST + node as f64);
        Self { calibrated, squares: [0.5; Self::NODES] }
    }
}

impl Calibrator {
    const NODES: usize = 14;
    const LOWEST: f64 = -8.0;
    const RATE: f64 = 0.08;

    fn probability(&self, logit: f32) -> f64 {
        let (node, share) = Self::between(logit);
        let calibrated = (1.0 - share) * self.calibrated[node] + share * self.calibrated[node + 1];
        sigmoid(calibrated).clamp(1e-7, 1.0 - 1e-7)
    }

    /// The node below a logit, and how far towards the next one it lies.
    fn between(logit: f32) -> (usize, f64) {
        let at = (f64::from(logit) - Self::LOWEST).clamp(0.0, (Self::NODES - 1) as f64);
        let node = (at as usize).min(Self::NODES - 2);
        (node, at - node as f64)
    }

    fn learn(&mut self, logit_when_scored: f32, fraud: bool) {
        let error = self.probability(logit_when_scored) - f64::from(u8::from(fraud));
        self.descend(logit_when_scored, error);
    }

    fn correct(&mut self, logit_when_scored: f32) {
        self.descend(logit_when_scored, -1.0);
    }

    fn descend(&mut self, logit_when_scored: f32, error: f64) {
        let (node, share) = Self::between(logit_when_scored);
        for (node, share) in [(node, 1.0 - share), (node + 1, share)] {
            let gradient = error * share;
            self.squares[node] += gradient * gradient;
            self.calibrated[node] -= Self::RATE * gradient / self.squares[node].sqrt();
        }
        // The curve rises: a higher logit is never less probable.
        for node in 1..Self::NODES {
            self.calibrated[node] = self.calibrated[node].max(self.calibrated[node - 1]);
        }
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Log-odds of a probability.
pub(super) fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}
