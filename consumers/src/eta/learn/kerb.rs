//! How long a car stands at the kerb until the rider is in, or out.

use processor::bounded::SlidingSample;

/// The kerb times of the last finished stops. Standing is not driving, so it is learnt separately
/// from traffic.
///
/// A rider who has not come after two minutes will not come in the average minus two minutes. What
/// counts is the mean of the time that is *left*, given the time that has passed: the mean residual
/// life of the sample.
#[derive(Clone, Debug)]
pub(crate) struct Kerb {
    seconds: SlidingSample,
}

/// The most stops that are kept.
const MAX_STOPS: usize = 256;
/// Longer than this is not a stop at the kerb, in seconds.
const LONGEST_S: f64 = 900.0;
/// The weight of the prior, no time at all, in stops.
const PRIOR_STOPS: f64 = 1.0;

impl Default for Kerb {
    fn default() -> Self {
        Self { seconds: SlidingSample::new(MAX_STOPS) }
    }
}

impl Kerb {
    /// Learns the length of one stop in seconds.
    pub(crate) fn learn(&mut self, seconds: f64) {
        if (0.0..=LONGEST_S).contains(&seconds) {
            self.seconds.push(seconds as f32);
        }
    }

    /// The seconds still to stand for a car that has stood for `stood_s`.
    pub(crate) fn left_s(&self, stood_s: f64) -> f64 {
        let sorted = self.seconds.sorted();
        let longer = &sorted[sorted.partition_point(|&other| f64::from(other) <= stood_s)..];
        let sum: f64 = longer.iter().map(|&other| f64::from(other) - stood_s).sum();
        sum / (longer.len() as f64 + PRIOR_STOPS)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these are exact")]

    use super::*;

    #[test]
    fn what_is_left_depends_on_what_has_passed() {
        let mut kerb = Kerb::default();
        assert_eq!(kerb.left_s(0.0), 0.0);
        for seconds in [20.0, 30.0, 40.0, 110.0].repeat(50) {
            kerb.learn(seconds);
        }
        assert!((kerb.left_s(0.0) - 50.0).abs() < 1.0);
        assert!((kerb.left_s(60.0) - 50.0).abs() < 2.0);
        assert_eq!(kerb.left_s(500.0), 0.0);
    }

    #[test]
    fn it_forgets_and_takes_nothing_absurd() {
        let mut kerb = Kerb::default();
        for seconds in [f64::NAN, -1.0, f64::INFINITY, 1e6] {
            kerb.learn(seconds);
        }
        assert_eq!(kerb.left_s(0.0), 0.0);
        (0..MAX_STOPS).for_each(|_| kerb.learn(10.0));
        (0..MAX_STOPS).for_each(|_| kerb.learn(60.0));
        assert_eq!(kerb.seconds.len(), MAX_STOPS);
        assert!((kerb.left_s(0.0) - 60.0).abs() < 1.0);
    }
}
