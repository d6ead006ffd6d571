//! The factor by which each vehicle is slower than others on the same streets.
//!
//! No map of [`processor::bounded`] serves here, because a full one keeps its *regulars*: what goes
//! is what has little weight, not what is old.

use events::Timestamp;
use hashbrown::HashMap;

use super::decaying_ratio::{DecayConfig, DecayingRatio};

const CONFIG: DecayConfig = DecayConfig { half_life_s: 8.0 * 3600.0, prior: 20.0, max_weight: 200.0 };
/// When so many vehicles are known, further ones count as average.
const MAX_VEHICLES: usize = 100_000;
/// Then those with less weight than this are removed …
const NEGLIGIBLE_WEIGHT: f64 = 1.0;
/// … but only once in so many new vehicles, since that means a scan of all.
const SWEEP_EVERY: usize = 10_000;

/// The ratios of all remembered vehicles.
#[derive(Clone, Debug, Default)]
pub(super) struct Vehicles {
    ratios: HashMap<String, DecayingRatio>,
    /// New vehicles since the last scan.
    newcomers: usize,
}

impl Vehicles {
    /// The factor by which this vehicle is slower than others: 1 when nothing is known of it.
    pub(super) fn ratio(&self, vehicle: &str, at: Timestamp) -> f64 {
        self.ratios.get(vehicle).map_or(1.0, |ratio| ratio.ratio(at, &CONFIG))
    }

    /// Learns that a link took `ratio` times as long as expected.
    pub(super) fn learn(&mut self, vehicle: &str, ratio: f64, weight: f64, at: Timestamp) {
        if let Some(known) = self.ratios.get_mut(vehicle) {
            known.observe(ratio, weight, at, &CONFIG);
            return;
        }
        self.newcomers += 1;
        if self.ratios.len() >= MAX_VEHICLES && self.newcomers >= SWEEP_EVERY {
            self.newcomers = 0;
            self.ratios.retain(|_, ratio| ratio.weight(at, &CONFIG) > NEGLIGIBLE_WEIGHT);
        }
        if self.ratios.len() < MAX_VEHICLES {
            let mut learnt = DecayingRatio::default();
            learnt.observe(ratio, weight, at, &CONFIG);
            self.ratios.insert(vehicle.to_owned(), learnt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eta::tests::at;

    #[test]
    fn a_new_vehicle_does_not_scan_a_full_map() {
        let mut vehicles = Vehicles::default();
        for number in 0..MAX_VEHICLES {
            vehicles.learn(&format!("v{number}"), 2.0, 5.0, at(0.0));
        }
        // They are regulars, so all stay, and who comes now is an average driver.
        let mut looked = 0;
        for number in 0..20_000 {
            vehicles.learn(&format!("w{number}"), 2.0, 5.0, at(1.0));
            looked += usize::from(vehicles.newcomers == 0);
        }
        assert!(looked <= 2, "looked at all of them {looked} times");
        assert_eq!(vehicles.ratios.len(), MAX_VEHICLES);
        assert!(vehicles.ratio("v7", at(1.0)) > 1.1);
        assert!((vehicles.ratio("w7", at(1.0)) - 1.0).abs() < f64::EPSILON);
        // A day later little is left of the regulars' habits, and newcomers find room.
        for number in 0..2 * SWEEP_EVERY {
            vehicles.learn(&format!("x{number}"), 2.0, 5.0, at(86_400.0));
        }
        assert!(vehicles.ratios.len() <= 2 * SWEEP_EVERY, "{}", vehicles.ratios.len());
        assert!(vehicles.ratio(&format!("x{}", 2 * SWEEP_EVERY - 1), at(86_400.0)) > 1.1);
    }
}
