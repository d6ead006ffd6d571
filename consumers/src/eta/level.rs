//! A mean ratio that forgets: the one brick that the traffic model is built of.

use events::Timestamp;

/// How a [`Level`] forgets and how much it must see before it is believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    /// After so many seconds an observation counts half.
    pub(crate) half_life_s: f64,
    /// An empty level says "as expected", a ratio of 1, as firmly as if it had seen that so many
    /// times.
    pub(crate) prior: f64,
    /// Evidence beyond this weight is forgotten, so that a busy road is not deaf to change.
    pub(crate) most: f64,
}

/// By what factor reality differs from what is expected, as a weighted mean in which old
/// observations count less.
///
/// The estimate is shrunk towards 1: `(Σwr + prior) / (Σw + prior)`, with both sums halved every
/// half-life. Without new observations it therefore glides back to 1, and the same formula asked
/// about the future says how much of today's deviation will be left then.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Level {
    weight: f32,
    weighted_ratio: f32,
    /// When the sums were last brought up to date, in ms.
    at_ms: i64,
}

impl Level {
    /// A level that holds `ratio` with this weight at this time.
    pub(crate) fn of(ratio: f64, weight: f64, at: Timestamp) -> Self {
        Self { weight: weight as f32, weighted_ratio: (weight * ratio) as f32, at_ms: at.ms() }
    }

    /// The ratio that is believed at `at`: 1 when nothing is known.
    pub(crate) fn ratio(&self, at: Timestamp, habit: &Habit) -> f64 {
        if self.weight == 0.0 {
            return 1.0;
        }
        let kept = self.kept(at, habit);
        let (weight, weighted) = (f64::from(self.weight) * kept, f64::from(self.weighted_ratio) * kept);
        (weighted + habit.prior) / (weight + habit.prior)
    }

    /// The weight of what has been seen, as of `at`.
    pub(crate) fn weight(&self, at: Timestamp, habit: &Habit) -> f64 {
        f64::from(self.weight) * self.kept(at, habit)
    }

    /// Takes in one observation. One that is older than the newest counts as if it were as new: it
    /// is late by seconds.
    pub(crate) fn observe(&mut self, ratio: f64, weight: f64, at: Timestamp, habit: &Habit) {
        let kept = self.kept(at, habit) as f32;
        self.weight = self.weight * kept + weight as f32;
        self.weighted_ratio = self.weighted_ratio * kept + (weight * ratio) as f32;
        self.at_ms = self.at_ms.max(at.ms());
        if f64::from(self.weight) > habit.most {
            let kept = habit.most as f32 / self.weight;
            self.weight *= kept;
            self.weighted_ratio *= kept;
        }
    }

    fn kept(&self, at: Timestamp, habit: &Habit) -> f64 {
        let age_ms = at.ms().saturating_sub(self.at_ms).max(0);
        (-(age_ms as f64) / (habit.half_life_s * 1000.0)).exp2()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these are exact")]

    use super::*;

    const HABIT: Habit = Habit { half_life_s: 600.0, prior: 1.0, most: 8.0 };

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    #[test]
    fn it_is_drawn_to_one_by_its_prior_and_back_to_one_by_time() {
        let mut level = Level::default();
        assert_eq!(level.ratio(minute(0), &HABIT), 1.0);
        level.observe(3.0, 1.0, minute(0), &HABIT);
        assert!((level.ratio(minute(0), &HABIT) - 2.0).abs() < 1e-6);
        level.observe(3.0, 2.0, minute(0), &HABIT);
        assert!((level.ratio(minute(0), &HABIT) - 2.5).abs() < 1e-6);
        // Two half-lives later a weight of 3 is 0.75.
        assert!((level.ratio(minute(20), &HABIT) - (0.75 * 3.0 + 1.0) / 1.75).abs() < 1e-6);
        assert!((level.ratio(minute(600), &HABIT) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_busy_road_still_hears_of_change() {
        let mut level = Level::default();
        for _ in 0..1000 {
            level.observe(1.0, 1.0, minute(0), &HABIT);
        }
        assert!(level.weight(minute(0), &HABIT) <= 8.0 + 1e-6);
        for _ in 0..8 {
            level.observe(3.0, 1.0, minute(1), &HABIT);
        }
        assert!(level.ratio(minute(1), &HABIT) > 1.9, "{}", level.ratio(minute(1), &HABIT));
    }

    #[test]
    fn a_clock_at_the_end_of_time_does_no_harm() {
        let mut level = Level::default();
        level.observe(2.0, 1.0, Timestamp::MAX, &HABIT);
        level.observe(2.0, 1.0, Timestamp::MIN, &HABIT);
        assert!(level.ratio(Timestamp::MIN, &HABIT).is_finite());
        assert!(level.ratio(Timestamp::MAX, &HABIT).is_finite());
    }
}
