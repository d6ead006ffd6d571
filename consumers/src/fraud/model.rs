//! The model: a sum of one learnt weight per feature, turned into a probability and kept honest by what really happened.
//!
//! Each [feature](super::features) of a swipe falls into one bin, and each bin has a weight in log-odds. Their sum is the
//! *logit*, and `1 / (1 + exp(-logit))` is the probability: a generalised additive model (Hastie & Tibshirani 1986) with steps
//! for shapes. It says by itself why: a reason is a weight. It learns from one swipe at a time, as labels mature, by
//! the gradient of the log-loss with a step of its own for each bin (`AdaGrad`: Duchi, Hazan & Singer 2011), so that a bin that
//! is rarely seen still learns much from each time.
//!
//! What a sum of correlated features says is ordered well but tends to be too sure. A *calibrator* on top learns a rising curve
//! from logits to honest ones (as isotonic regression would: Zadrozny & Elkan 2002, here online), from the logits that were really
//! given, before their label was known.
//!
//! # Simplifications
//! - Every swipe weighs the same: no class weights and no resampling, which would spoil the probabilities that money is
//!   decided by.
//! - Weights live for ever: what changes is unlearnt only by new labels.

use super::features::{Bins, FEATURES, Family, TABLE};

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

/// Length of a gradient step, and what the sum of squared gradients begins with.
const RATE: f32 = 0.08;
const CAUTION: f32 = 0.3;

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
    /// What each feature contributes on average: reasons are what differs from it.
    average: [f32; FEATURES],
    calibrator: Calibrator,
    learnt: u64,
    frauds: u64,
}

impl Model {
    /// A model that has seen nothing: everything is as likely as `prior`, a little more or less by what common sense says.
    pub(super) fn new(prior: f64) -> Self {
        let weights = TABLE
            .iter()
            .flat_map(|feature| {
                (0..feature.bins).map(|bin| Weight { value: (feature.prior)(bin), squares: CAUTION })
            })
            .collect();
        Self {
            bias: Weight { value: logit(prior) as f32, squares: CAUTION },
            weights,
            average: [0.0; FEATURES],
            calibrator: Calibrator::default(),
            learnt: 0,
            frauds: 0,
        }
    }

    /// Scores a swipe.
    pub(super) fn score(&self, bins: &Bins) -> Score {
        let logit = self.logit(bins);
        Score { logit, probability: self.calibrator.probability(logit) }
    }

    fn logit(&self, bins: &Bins) -> f32 {
        let mut sum = self.bias.value;
        for (feature, &bin) in bins.iter().enumerate() {
            sum += self.weights[OFFSETS[feature] + usize::from(bin)].value;
        }
        sum
    }

    /// How much each family of features adds to the log-odds of this swipe, next to the average one.
    pub(super) fn contributions(&self, bins: &Bins) -> [f32; Family::COUNT] {
        let mut families = [0.0; Family::COUNT];
        for (feature, &bin) in bins.iter().enumerate() {
            let value = self.weights[OFFSETS[feature] + usize::from(bin)].value;
            families[TABLE[feature].family as usize] += value - self.average[feature];
        }
        families
    }

    /// Learns that a swipe was fraud or not. `given` is the logit that it was given when it was scored.
    pub(super) fn learn(&mut self, bins: &Bins, given: f32, fraud: bool) {
        self.calibrator.learn(given, fraud);
        let error = sigmoid(f64::from(self.logit(bins))) as f32 - f32::from(u8::from(fraud));
        self.descend(bins, error);
        self.learnt += 1;
        self.frauds += u64::from(fraud);
        let weight = (1.0 / self.learnt as f32).max(1e-4);
        for (feature, &bin) in bins.iter().enumerate() {
            let value = self.weights[OFFSETS[feature] + usize::from(bin)].value;
            self.average[feature] += weight * (value - self.average[feature]);
        }
    }

    /// Learns that a swipe which was learnt as genuine is fraud after all. The gradients of the two labels differ by exactly
    /// one, so this step makes the sum of both what it should have been.
    pub(super) fn correct(&mut self, bins: &Bins, given: f32) {
        self.calibrator.correct(given);
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
    }
}

fn step(weight: &mut Weight, gradient: f32, rate: f32) {
    weight.squares += gradient * gradient;
    weight.value -= rate * gradient / weight.squares.sqrt();
}

/// A rising curve that makes logits honest: straight between [`NODES`](Self::NODES) points one log-odd apart, level outside. Level
/// matters: where the model has never seen fraud its sum falls without end, and honest is what share was fraud there.
#[derive(Clone, Debug)]
struct Calibrator {
    /// What each logit, from [`LOWEST`](Self::LOWEST) on, should have been.
    honest: [f64; Self::NODES],
    /// Sums of squared gradients.
    squares: [f64; Self::NODES],
}

impl Default for Calibrator {
    fn default() -> Self {
        let honest = std::array::from_fn(|node| Self::LOWEST + node as f64);
        Self { honest, squares: [0.5; Self::NODES] }
    }
}

impl Calibrator {
    const NODES: usize = 14;
    const LOWEST: f64 = -8.0;
    const RATE: f64 = 0.08;

    fn probability(&self, logit: f32) -> f64 {
        let (node, share) = Self::between(logit);
        let honest = (1.0 - share) * self.honest[node] + share * self.honest[node + 1];
        sigmoid(honest).clamp(1e-7, 1.0 - 1e-7)
    }

    /// The node below a logit, and how far towards the next one it lies.
    fn between(logit: f32) -> (usize, f64) {
        let at = (f64::from(logit) - Self::LOWEST).clamp(0.0, (Self::NODES - 1) as f64);
        let node = (at as usize).min(Self::NODES - 2);
        (node, at - node as f64)
    }

    fn learn(&mut self, given: f32, fraud: bool) {
        let error = self.probability(given) - f64::from(u8::from(fraud));
        self.descend(given, error);
    }

    fn correct(&mut self, given: f32) {
        self.descend(given, -1.0);
    }

    fn descend(&mut self, given: f32, error: f64) {
        let (node, share) = Self::between(given);
        for (node, share) in [(node, 1.0 - share), (node + 1, share)] {
            let gradient = error * share;
            self.squares[node] += gradient * gradient;
            self.honest[node] -= Self::RATE * gradient / self.squares[node].sqrt();
        }
        // The curve rises: a higher logit is never less probable.
        for node in 1..Self::NODES {
            self.honest[node] = self.honest[node].max(self.honest[node - 1]);
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
