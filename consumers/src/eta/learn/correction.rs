//! `a + b · expected`: corrects the bias of the sum over links.

/// A straight line through (expected, actual) driving times, by least squares in which old trips
/// decay.
///
/// Errors grow with the length of a trip, so each point is weighted by the inverse of its expected
/// time; otherwise the longest trips alone would decide. A ridge shrinks the line towards "expected
/// is right" (`a = 0`, `b = 1`); a few trips outweigh it.
#[derive(Clone, Debug)]
pub(crate) struct Correction {
    weight: f64,
    x: f64,
    xx: f64,
    y: f64,
    xy: f64,
    a: f64,
    b: f64,
    trips: u32,
}

/// A trip that ended so many trips ago counts 1/e. At first much fewer: times that were expected
/// before the traffic was known say nothing about those expected now, and what the traffic model
/// has learnt meanwhile would be corrected twice.
const MEMORY_TRIPS: f64 = 400.0;
const FIRST_MEMORY_TRIPS: f64 = 1.0;
/// The memory grows by so many trips with each trip.
const MEMORY_GROWTH: f64 = 0.2;
/// The ridge, in points of [`TYPICAL_S`].
const RIDGE: f64 = 5.0;
const TYPICAL_S: f64 = 300.0;
/// Points further off than this factor are clipped to it.
const CLIP: f64 = 3.0;
/// Below this expected time, in seconds, ratios mean nothing.
const FLOOR_S: f64 = 30.0;

impl Default for Correction {
    fn default() -> Self {
        Self { weight: 0.0, x: 0.0, xx: 0.0, y: 0.0, xy: 0.0, a: 0.0, b: 1.0, trips: 0 }
    }
}

impl Correction {
    /// The corrected driving time in seconds.
    pub(crate) fn apply(&self, expected_s: f64) -> f64 {
        // Near the end the constant fades out, too.
        let fade = (expected_s / (2.0 * FLOOR_S)).min(1.0);
        (self.a * fade + self.b * expected_s).max(0.0)
    }

    /// Learns from one finished leg: pairs of expected and actual driving time, as of several
    /// moments on its way.
    pub(crate) fn learn(&mut self, points: impl Iterator<Item = (f64, f64)>) {
        let memory = MEMORY_TRIPS.min(FIRST_MEMORY_TRIPS + MEMORY_GROWTH * f64::from(self.trips));
        self.trips = self.trips.saturating_add(1);
        let keep = (-1.0 / memory).exp();
        for sum in [&mut self.weight, &mut self.x, &mut self.xx, &mut self.y, &mut self.xy] {
            *sum *= keep;
        }
        // A trip counts once, however many moments of it are known.
        let points: Vec<(f64, f64)> =
            points.filter(|(x, y)| *x > FLOOR_S && y.is_finite() && x.is_finite()).collect();
        let share = 1.0 / (points.len().max(1) as f64);
        for (x, y) in points {
            let near = self.apply(x);
            let y = y.clamp(near / CLIP, near * CLIP);
            let weight = share * TYPICAL_S / x;
            self.weight += weight;
            self.x += weight * x;
            self.xx += weight * x * x;
            self.y += weight * y;
            self.xy += weight * x * y;
        }
        self.solve();
    }

    fn solve(&mut self) {
        // Ridge: points that lie on y = x, spread around the typical time.
        let (low, high) = (0.5 * TYPICAL_S, 1.5 * TYPICAL_S);
        let half = 0.5 * RIDGE;
        let weight = self.weight + RIDGE;
        let x = self.x + half * (low + high);
        let xx = self.xx + half * (low * low + high * high);
        let y = self.y + half * (low + high);
        let xy = self.xy + half * (low * low + high * high);
        let spread = weight * xx - x * x;
        if spread > 1e-6 * weight * xx {
            self.b = ((weight * xy - x * y) / spread).clamp(0.3, 3.0);
            self.a = ((y - self.b * x) / weight).clamp(-TYPICAL_S, TYPICAL_S);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these are exact")]

    use super::*;

    #[test]
    fn it_starts_by_believing_and_finds_the_line() {
        let mut correction = Correction::default();
        assert_eq!(correction.apply(400.0), 400.0);
        for trip in 0..300 {
            let x = 100.0 + f64::from(trip % 10) * 100.0;
            correction.learn([(x, 20.0 + 1.3 * x), (x / 2.0, 20.0 + 0.65 * x)].into_iter());
        }
        for x in [100.0, 400.0, 900.0] {
            let (found, truth) = (correction.apply(x), 20.0 + 1.3 * x);
            assert!((found - truth).abs() < 0.05 * truth, "{found} for {truth}");
        }
        assert_eq!(correction.apply(0.0), 0.0);
    }

    #[test]
    fn one_absurd_trip_moves_it_little() {
        let mut correction = Correction::default();
        for _ in 0..50 {
            correction.learn([(300.0, 300.0)].into_iter());
        }
        correction.learn([(300.0, 1e9), (300.0, f64::NAN), (f64::INFINITY, 1.0)].into_iter());
        assert!((correction.apply(300.0) - 300.0).abs() < 60.0, "{}", correction.apply(300.0));
    }
}
