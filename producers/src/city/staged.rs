//! The crash of the opening: just after a full hour, on the way of a trip that is
//! under way.
//!
//! Chance brings a crash every five minutes, but seldom on a way that a newcomer watches. So a show
//! may begin with one that a trip is sure to meet: an hourly job has just said when that trip will
//! end, and does not know; the stream sees the car slow down. Which trip it is is up to the seed;
//! what the estimators make of it is up to them.
//!
//! # Simplifications
//! - The trip chosen is the longest that is left: the others would be over before the crash is
//!   felt.

use super::City;

/// When the crash happens, in seconds after the moment, and how long its effect lasts.
const BEGINS_S: f64 = 4.0;
const LASTS_S: f64 = 900.0;
/// The car is to reach the scene so many seconds after the moment.
const REACHED_AFTER_S: f64 = 70.0;
/// A trip that ends later is not followed to its end by anyone, in seconds.
const LONGEST_S: f64 = 900.0;

impl City {
    /// The second since the start in which the place of the crash is chosen.
    pub(super) fn staged_second(&self) -> Option<i64> {
        let moment = self.world.config.staged?;
        Some(moment.since_ms(self.world.config.start) / 1000)
    }

    /// Puts a crash where the trip with the most ahead of it will be in a minute.
    pub(super) fn stage_crash(&mut self, now: f64) {
        let left_s = |car: &super::Car| car.riding_s(now, &self.world).filter(|&left_s| left_s < LONGEST_S);
        let longest = self
            .cars
            .iter()
            .filter_map(|car| Some((left_s(car)?, car.link_after(now, REACHED_AFTER_S, &self.world)?)))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some((_, scene)) = longest {
            self.world.incidents.crash_at(scene, (now + BEGINS_S, now + BEGINS_S + LASTS_S), &self.world.map);
        }
    }
}
