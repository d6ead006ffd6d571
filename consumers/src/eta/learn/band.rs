//! The 80 % prediction band: between which instants eight trips in ten end.

use processor::bounded::SlidingSample;

/// The errors of past predictions, by the time that was left.
///
/// The error of a prediction is measured as `(actual − predicted) / (predicted + contested + 30
/// s)`: errors grow with the time left, but near the end some seconds remain; and where the streets
/// ahead are not as usual (*contested*: by how many seconds), all is less certain (locally weighted
/// conformal prediction, Lei et al. 2018). The 10th and 90th percentile of the last errors make the
/// band (empirical quantiles, as in split conformal prediction). Predictions with about the same
/// time left are compared with one another; as long as there are few of those, with all. The errors
/// of one trip are correlated, so as long as few trips have ended the band is shrunk towards a
/// prior.
#[derive(Clone, Debug)]
pub(crate) struct Bands {
    all: SlidingSample,
    near: [SlidingSample; BUCKETS],
    /// The number of trips in these errors.
    trips: u32,
}

/// Time left, in powers of two of a minute: under 1, 1 to 2, …, over 32.
const BUCKETS: usize = 7;
/// The most errors that are kept in each bucket.
const MAX_ERRORS: usize = 600;
/// With fewer errors the percentiles are not used.
const MIN_ERRORS: usize = 60;
const SOFT_S: f64 = 30.0;
/// The prior band, as errors: wide, and soon replaced.
const PRIOR_BAND: (f64, f64) = (-0.4, 0.8);
/// … with the weight of so many trips.
const PRIOR_TRIPS: f64 = 3.0;

impl Default for Bands {
    fn default() -> Self {
        let empty = || SlidingSample::new(MAX_ERRORS);
        Self { all: empty(), near: std::array::from_fn(|_| empty()), trips: 0 }
    }
}

impl Bands {
    /// Learns that `actual_s` were left when `predicted_s` were predicted, for a route that was
    /// contested by `contested_s`.
    pub(crate) fn learn(&mut self, predicted_s: f64, contested_s: f64, actual_s: f64) {
        let error = ((actual_s - predicted_s) / (predicted_s + contested_s + SOFT_S)) as f32;
        if error.is_finite() {
            self.all.push(error);
            self.near[bucket(predicted_s)].push(error);
        }
    }

    /// Counts one more trip: all its errors have been learnt.
    pub(crate) fn trip_ended(&mut self) {
        self.trips = self.trips.saturating_add(1);
    }

    /// The seconds left at the 10th and the 90th percentile, around a prediction: `0 ≤ p10 ≤
    /// predicted ≤ p90`.
    pub(crate) fn around(&self, predicted_s: f64, contested_s: f64) -> (f64, f64) {
        let near = &self.near[bucket(predicted_s)];
        let errors = if near.len() >= MIN_ERRORS { near } else { &self.all };
        let (low, high) = match errors.interpolated(0.1).zip(errors.interpolated(0.9)) {
            Some((low, high)) if errors.len() >= MIN_ERRORS => {
                let known = f64::from(self.trips) / (f64::from(self.trips) + PRIOR_TRIPS);
                let shrunk = |error: f64, prior: f64| known * error + (1.0 - known) * prior;
                (shrunk(low, PRIOR_BAND.0), shrunk(high, PRIOR_BAND.1))
            }
            _ => PRIOR_BAND,
        };
        let at = |error: f64| predicted_s + error * (predicted_s + contested_s + SOFT_S);
        (at(low).clamp(0.0, predicted_s), at(high).max(predicted_s))
    }
}

fn bucket(predicted_s: f64) -> usize {
    let minutes = predicted_s / 60.0;
    if minutes < 1.0 { 0 } else { (1 + minutes.log2() as usize).min(BUCKETS - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_covers_eight_in_ten_of_what_it_has_seen() {
        let mut bands = Bands::default();
        let actual = |trip: u32| 300.0 + f64::from(trip * 37 % 101) * 4.0;
        for trip in 0..500 {
            bands.learn(500.0, 0.0, actual(trip));
            bands.trip_ended();
        }
        let (low, high) = bands.around(500.0, 0.0);
        let covered = (0..101).filter(|&trip| (low..=high).contains(&actual(trip))).count();
        assert!((78..=84).contains(&covered), "{covered} of 101 between {low} and {high}");
    }

    #[test]
    fn it_is_wider_where_the_streets_are_not_as_usual() {
        let mut bands = Bands::default();
        // One trip in ten is contested, and its prediction is wrong by up to the contested seconds.
        let actual = |trip: u32, contested_s: f64| {
            500.0 + (f64::from(trip * 37 % 101) - 50.0) * (1.0 + contested_s / 100.0)
        };
        let contested = |trip: u32| if trip.is_multiple_of(10) { 300.0 } else { 0.0 };
        for trip in 0..1000 {
            bands.learn(500.0, contested(trip), actual(trip, contested(trip)));
            bands.trip_ended();
        }
        let width = |contested_s: f64| {
            let (low, high) = bands.around(500.0, contested_s);
            high - low
        };
        assert!(width(300.0) > 1.3 * width(0.0), "{} s and {} s", width(300.0), width(0.0));
    }

    #[test]
    fn it_is_always_around_the_prediction_and_never_in_the_past() {
        let mut bands = Bands::default();
        for predicted in [0.0, 1.0, 59.0, 60.0, 1e4, 1e9] {
            for _ in 0..100 {
                let (low, high) = bands.around(predicted, 0.0);
                assert!(0.0 <= low && low <= predicted && predicted <= high, "{low} {predicted} {high}");
                // Everything always takes ten times as long.
                bands.learn(predicted, 0.0, predicted * 10.0);
            }
        }
    }
}
