//! A mean ratio in which old observations decay: the building block of the traffic model.

use events::Timestamp;

/// How fast a [`DecayingRatio`] decays, and how many observations outweigh its prior.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecayConfig {
    /// After so many seconds an observation counts half.
    pub(crate) half_life_s: f64,
    /// The weight of the prior, a ratio of 1 ("as expected"), in observations.
    pub(crate) prior: f64,
    /// The weight of observations is limited to this, so that a busy road still follows a change.
    pub(crate) max_weight: f64,
}

/// By what factor reality differs from what is expected, as a weighted mean in which old
/// observations count less.
///
/// The estimate is shrunk towards 1: `(Σwr + prior) / (Σw + prior)`, with both sums halved every
/// half-life. Without new observations it therefore decays to 1, and the same formula for an
/// instant in the future says how much of today's deviation will remain then.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DecayingRatio {
    weight: f32,
    weighted_ratio: f32,
    /// When the sums were last brought up to date, in ms.
    at_ms: i64,
}

impl DecayingRatio {
    /// An estimate of `ratio` with this weight at this time.
    pub(crate) fn of(ratio: f64, weight: f64, at: Timestamp) -> Self {
        Self { weight: weight as f32, weighted_ratio: (weight * ratio) as f32, at_ms: at.ms() }
    }

    /// The estimate at `at`: 1 when nothing is known.
    pub(crate) fn ratio(&self, at: Timestamp, config: &DecayConfig) -> f64 {
        if self.weight == 0.0 {
            return 1.0;
        }
        let remaining = self.remaining(at, config);
        let (weight, weighted) =
            (f64::from(self.weight) * remaining, f64::from(self.weighted_ratio) * remaining);
        (weighted + config.prior) / (weight + config.prior)
    }

    /// The weight of the observations, as of `at`.
    pub(crate) fn weight(&self, at: Timestamp, config: &DecayConfig) -> f64 {
        f64::from(self.weight) * self.remaining(at, config)
    }

    /// Adds one observation. One that is older than the newest counts as if it were as new: it is
    /// late by seconds.
    pub(crate) fn observe(&mut self, ratio: f64, weight: f64, at: Timestamp, config: &DecayConfig) {
        assert!(
            ratio.is_finite() && weight >= 0.0,
            "a ratio of {ratio} with weight {weight}: it would spoil the mean for ever"
        );
        let remaining = self.remaining(at, config) as f32;
        self.weight = self.weight * remaining + weight as f32;
        self.weighted_ratio = self.weighted_ratio * remaining + (weight * ratio) as f32;
        self.at_ms = self.at_ms.max(at.ms());
        if f64::from(self.weight) > config.max_weight {
            let remaining = config.max_weight as f32 / self.weight;
            self.weight *= remaining;
            self.weighted_ratio *= remaining;
        }
    }

    fn remaining(&self, at: Timestamp, config: &DecayConfig) -> f64 {
        let age_ms = at.ms().saturating_sub(self.at_ms).max(0);
        (-(age_ms as f64) / (config.half_life_s * 1000.0)).exp2()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these are exact")]

    use super::*;

    const CONFIG: DecayConfig = DecayConfig { half_life_s: 600.0, prior: 1.0, max_weight: 8.0 };

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    #[test]
    fn it_is_drawn_to_one_by_its_prior_and_back_to_one_by_time() {
        let mut estimate = DecayingRatio::default();
        assert_eq!(estimate.ratio(minute(0), &CONFIG), 1.0);
        estimate.observe(3.0, 1.0, minute(0), &CONFIG);
        assert!((estimate.ratio(minute(0), &CONFIG) - 2.0).abs() < 1e-6);
        estimate.observe(3.0, 2.0, minute(0), &CONFIG);
        assert!((estimate.ratio(minute(0), &CONFIG) - 2.5).abs() < 1e-6);
        // Two half-lives later a weight of 3 is 0.75.
        assert!((estimate.ratio(minute(20), &CONFIG) - (0.75 * 3.0 + 1.0) / 1.75).abs() < 1e-6);
        assert!((estimate.ratio(minute(600), &CONFIG) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_busy_road_still_learns_a_change() {
        let mut estimate = DecayingRatio::default();
        for _ in 0..1000 {
            estimate.observe(1.0, 1.0, minute(0), &CONFIG);
        }
        assert!(estimate.weight(minute(0), &CONFIG) <= 8.0 + 1e-6);
        for _ in 0..8 {
            estimate.observe(3.0, 1.0, minute(1), &CONFIG);
        }
        assert!(estimate.ratio(minute(1), &CONFIG) > 1.9, "{}", estimate.ratio(minute(1), &CONFIG));
    }

    #[test]
    fn a_clock_at_the_end_of_time_does_no_harm() {
        let mut estimate = DecayingRatio::default();
        estimate.observe(2.0, 1.0, Timestamp::MAX, &CONFIG);
        estimate.observe(2.0, 1.0, Timestamp::MIN, &CONFIG);
        assert!(estimate.ratio(Timestamp::MIN, &CONFIG).is_finite());
        assert!(estimate.ratio(Timestamp::MAX, &CONFIG).is_finite());
    }
}
