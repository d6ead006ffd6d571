//! By what factor each vehicle is slower or faster than others on the same streets.

use events::Timestamp;
use hashbrown::HashMap;

use super::level::{Habit, Level};

const HABIT: Habit = Habit { half_life_s: 8.0 * 3600.0, prior: 20.0, most: 200.0 };
/// More vehicles than this are taken as average drivers.
const MOST: usize = 100_000;
/// Where there are that many, those of whom less than so much is left are forgotten …
const LITTLE: f64 = 1.0;
/// … but they are looked for only once in so many newcomers: it means to look at all.
const SWEEP_EVERY: usize = 10_000;

/// The habits of all vehicles, as many as are remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Vehicles {
    habits: HashMap<String, Level>,
    /// Vehicles that were met for the first time since some were last forgotten.
    newcomers: usize,
}

impl Vehicles {
    /// By what factor this one is slower than others: 1 when nothing is known of it.
    pub(super) fn ratio(&self, vehicle: &str, at: Timestamp) -> f64 {
        self.habits.get(vehicle).map_or(1.0, |habit| habit.ratio(at, &HABIT))
    }

    /// Learns that it took `ratio` times as long as was believed.
    pub(super) fn learn(&mut self, vehicle: &str, ratio: f64, weight: f64, at: Timestamp) {
        if let Some(habit) = self.habits.get_mut(vehicle) {
            habit.observe(ratio, weight, at, &HABIT);
            return;
        }
        self.newcomers += 1;
        if self.habits.len() >= MOST && self.newcomers >= SWEEP_EVERY {
            self.newcomers = 0;
            self.habits.retain(|_, habit| habit.weight(at, &HABIT) > LITTLE);
        }
        if self.habits.len() < MOST {
            let mut habit = Level::default();
            habit.observe(ratio, weight, at, &HABIT);
            self.habits.insert(vehicle.to_owned(), habit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eta::tests::at;

    #[test]
    fn a_newcomer_to_a_full_house_does_not_look_at_all_who_are_in_it() {
        let mut vehicles = Vehicles::default();
        for number in 0..MOST {
            vehicles.learn(&format!("v{number}"), 2.0, 5.0, at(0.0));
        }
        // They are regulars, so all stay, and who comes now is an average driver.
        let mut looked = 0;
        for number in 0..20_000 {
            vehicles.learn(&format!("w{number}"), 2.0, 5.0, at(1.0));
            looked += usize::from(vehicles.newcomers == 0);
        }
        assert!(looked <= 2, "looked at all of them {looked} times");
        assert_eq!(vehicles.habits.len(), MOST);
        assert!(vehicles.ratio("v7", at(1.0)) > 1.1);
        assert!((vehicles.ratio("w7", at(1.0)) - 1.0).abs() < f64::EPSILON);
        // A day later little is left of the regulars' habits, and newcomers find room.
        for number in 0..2 * SWEEP_EVERY {
            vehicles.learn(&format!("x{number}"), 2.0, 5.0, at(86_400.0));
        }
        assert!(vehicles.habits.len() <= 2 * SWEEP_EVERY, "{}", vehicles.habits.len());
        assert!(vehicles.ratio(&format!("x{}", 2 * SWEEP_EVERY - 1), at(86_400.0)) > 1.1);
    }
}
