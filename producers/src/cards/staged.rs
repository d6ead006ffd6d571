//! The theft of the opening: somebody has copied a card, tries it on small amounts, and goes
//! shopping.
//!
//! Chance brings such a theft every few minutes of a show, but not at a moment at which a newcomer
//! looks. So a show may begin with one that is sure to come, just after a full hour: the stream
//! meets it at its ninth swipe, an hourly job most of an hour later. Whose card it is, where and
//! for how much, is up to the seed. What the processors make of it is up to them: to them it is a
//! card like any other.
//!
//! # Simplifications
//! - `simulation_truth` is silent about it, so that no bill counts a theft that was put there to be
//!   seen. The chargebacks come, as they do for every holder who reads the statement.

use events::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::world::{Due, Payment, World};

/// Keeps the opening's random numbers apart from those of the town.
const STAGED: u64 = 0x5354_4147_4544_2143;
/// The first small swipe, in seconds after the moment.
const BEGINS_S: f64 = 12.0;
/// How many small ones there are, and seconds from one to the next.
const SMALL: u32 = 8;
const GAP_S: f64 = 5.0;
/// Cents of a small one, of the one that the thief came for, and of those after it.
const SMALL_CENTS: std::ops::Range<i64> = 60..290;
const LARGE_CENTS: std::ops::Range<i64> = 70_000..99_000;
const MORE_CENTS: std::ops::Range<i64> = 30_000..80_000;
/// When the thief comes back, in seconds after the large one.
const COMES_BACK_S: [f64; 3] = [420.0, 1_080.0, 1_980.0];

impl World {
    /// Schedules the theft, without a number from the town's own generator.
    pub(super) fn stage_theft(&mut self, moment: Timestamp) {
        let mut rng = StdRng::seed_from_u64(self.config.seed ^ STAGED);
        let cards = self.config.history_cards.clamp(1, self.config.cards.max(1));
        let card = rng.random_range(0..cards);
        let mut at = moment.plus_seconds(BEGINS_S);
        for _ in 0..SMALL {
            let amount_cents = rng.random_range(SMALL_CENTS);
            let terminal = self.testing_shop;
            self.schedule(at, Due::Staged(Payment { card, terminal, amount_cents }));
            at = at.plus_seconds(GAP_S);
        }
        let terminal = self.population.resale_shop(&mut rng);
        let amount_cents = rng.random_range(LARGE_CENTS);
        self.schedule(at, Due::Staged(Payment { card, terminal, amount_cents }));
        for after_s in COMES_BACK_S {
            let terminal = self.population.resale_shop(&mut rng);
            let amount_cents = rng.random_range(MORE_CENTS);
            self.schedule(at.plus_seconds(after_s), Due::Staged(Payment { card, terminal, amount_cents }));
        }
    }
}
