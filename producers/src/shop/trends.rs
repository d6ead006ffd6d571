//! Flash trends: an item that suddenly becomes popular for an afternoon.
//!
//! # Simplifications
//! - A trend has one cause and one item: no trend spreads to similar items.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus as Rng;

use super::catalogue::{Catalogue, Slot};

const MINUTE_MS: f64 = 60_000.0;
const HOUR_MS: f64 = 60.0 * MINUTE_MS;
/// Views come by popularity and trend only when a shopper looks around; the rest of the way one
/// item leads to the next. For an item's views as a whole to rise by its lift, the looking around
/// must rise by this much more.
const ONLY_LOOKING_AROUND: f64 = 1.8;

/// One trend: interest rises linearly, then decays exponentially.
#[derive(Clone, Debug)]
pub(super) struct Trend {
    pub(super) slot: Slot,
    pub(super) began_ms: i64,
    pub(super) rise_ms: f64,
    pub(super) half_life_ms: f64,
    /// Views at the peak on top of the item's usual ones, as a multiple of these.
    pub(super) lift: f64,
}

impl Trend {
    /// How many times its usual views the item gets on top of them.
    fn strength(&self, now_ms: i64) -> f64 {
        let age = (now_ms - self.began_ms) as f64;
        let shape = if age < self.rise_ms {
            age / self.rise_ms
        } else {
            ((self.rise_ms - age) / self.half_life_ms).exp2()
        };
        self.lift * shape.clamp(0.0, 1.0)
    }
}

/// The active trends.
#[derive(Debug, Default)]
pub(super) struct Trends {
    on: Vec<Trend>,
}

impl Trends {
    /// A trend begins: lift 3 to 50 (even in the logarithm), rise 5 to 30 min, half-life 0.5 to 6
    /// h. A third of them are new items, launched with it; the others had been middling.
    pub(super) fn begin(&mut self, now_ms: i64, catalogue: &mut Catalogue, rng: &mut Rng) {
        self.on.retain(|trend| trend.strength(now_ms) > 0.05 || now_ms - trend.began_ms < 3_600_000);
        let slot = rng.random_range(0..catalogue.len());
        let slot = [slot, catalogue.any(rng)][usize::from(rng.random_bool(0.7))];
        if rng.random_bool(1.0 / 3.0) {
            catalogue.launch(slot);
        }
        self.on.push(Trend {
            slot,
            began_ms: now_ms,
            rise_ms: rng.random_range(5.0..30.0) * MINUTE_MS,
            half_life_ms: rng.random_range(0.5..6.0) * HOUR_MS,
            lift: log_uniform(3.0, 50.0, rng),
        });
    }

    /// The active trends, and those that ended recently.
    #[cfg(test)]
    pub(super) fn on(&self) -> &[Trend] {
        &self.on
    }

    /// Adds a trend.
    #[cfg(test)]
    pub(super) fn add(&mut self, trend: Trend) {
        self.on.push(trend);
    }

    /// The trending item that a shopper who browses chooses, if a trend decides.
    pub(super) fn draw(&self, now_ms: i64, catalogue: &Catalogue, rng: &mut Rng) -> Option<Slot> {
        let pull = |trend: &Trend| ONLY_LOOKING_AROUND * catalogue.share(trend.slot) * trend.strength(now_ms);
        let total: f64 = self.on.iter().map(pull).sum();
        let mut at = rng.random::<f64>() * (1.0 + total);
        self.on
            .iter()
            .find(|trend| {
                at -= pull(trend);
                at < 0.0
            })
            .map(|trend| trend.slot)
    }

    /// Whether the item is in the middle of a trend: at least half of its views are due to it.
    pub(super) fn trending(&self, slot: Slot, now_ms: i64) -> bool {
        self.on.iter().any(|trend| trend.slot == slot && trend.strength(now_ms) >= 1.0)
    }
}

fn log_uniform(from: f64, to: f64, rng: &mut Rng) -> f64 {
    from * (to / from).powf(rng.random::<f64>())
}
