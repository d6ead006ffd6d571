//! Forward decay: counts that decay without being changed.
//!
//! A count in which old events weigh less would have to be multiplied at every step of time.
//! *Forward decay* avoids that (Cormode, Shkapenyuk, Srivastava and Xu, "Forward decay", ICDE
//! 2009): an event at time t is added with the weight `2^((t - landmark) / half_life)`, which grows
//! with t, and a count is divided by the weight of now only when it is read. Weights of different
//! times stay comparable and counts only grow, so a list of the greatest stays exact at little
//! cost. The landmark moves before the weights leave the range of a float.

/// The half-life of a count, and the instant from which weights are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ForwardDecay {
    half_life_ms: f64,
    landmark_ms: i64,
}

/// An `f32` holds weights up to 2^127: half of that is left for sums.
const MAX_HALF_LIVES: f64 = 64.0;

impl ForwardDecay {
    pub(super) fn new(half_life_ms: i64, landmark_ms: i64) -> Self {
        Self { half_life_ms: half_life_ms.max(1) as f64, landmark_ms }
    }

    /// The weight of an event at this time, against one at the landmark. It is limited to 2^64: a
    /// later time needs [`advance_landmark`](Self::advance_landmark) first.
    pub(super) fn weight(&self, at_ms: i64) -> f64 {
        (at_ms.saturating_sub(self.landmark_ms) as f64 / self.half_life_ms).min(MAX_HALF_LIVES).exp2()
    }

    /// Moves the landmark to now if weights have grown large; returns the factor by which every
    /// count must then be multiplied.
    pub(super) fn advance_landmark(&mut self, now_ms: i64) -> Option<f64> {
        let half_lives = now_ms.saturating_sub(self.landmark_ms) as f64 / self.half_life_ms;
        (half_lives >= MAX_HALF_LIVES).then(|| {
            self.landmark_ms = now_ms;
            (-half_lives).exp2()
        })
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "powers of two are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_count_halves_with_each_half_life() {
        let decay = ForwardDecay::new(1_000, 5_000);
        let count = decay.weight(5_000) + decay.weight(6_000);
        assert_eq!(count / decay.weight(7_000), 0.25 + 0.5);
    }

    #[test]
    fn moving_the_landmark_changes_no_reading() {
        let mut decay = ForwardDecay::new(1_000, 0);
        let count = decay.weight(60_000);
        let before = count / decay.weight(64_000);
        let factor = decay.advance_landmark(64_000).expect("64 half-lives have passed");
        assert_eq!(count * factor / decay.weight(64_000), before);
        assert_eq!(decay.advance_landmark(65_000), None);
    }

    #[test]
    fn hostile_times_give_finite_weights() {
        let decay = ForwardDecay::new(1, i64::MIN);
        assert!(decay.weight(i64::MAX).is_finite());
        assert_eq!(ForwardDecay::new(1, i64::MAX).weight(i64::MIN), 0.0);
    }
}
