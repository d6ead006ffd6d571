//! One visit: what a person views next, for how long, and the reactions that the shop records.
//!
//! # Simplifications
//! - A visit's interest in an item is uniform and independent of its price, which nothing has.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand_distr::{Distribution, Gamma, LogNormal, Poisson};

use super::catalogue::{Catalogue, Slot};
use super::trends::Trends;

/// Share of visits that end with their first click (assumed: the public logs leave them out).
const ONE_CLICK: f64 = 0.4;
/// The other visits: clicks after the first are negative binomial (a Poisson whose mean is gamma
/// distributed), at least one.
const LENGTH_R: f64 = 0.9;
const LENGTH_MEAN: f64 = 2.0;
/// A few visits are much longer.
const LONG_SHARE: f64 = 0.05;
const LONG_MEAN: f64 = 12.0;
/// Seconds between clicks: log-normal.
const GAP_MU: f64 = 3.9;
const GAP_SIGMA: f64 = 1.55;
/// Share of clicks after the first that go back to an item of the visit.
const REPEAT: f64 = 0.36;
/// What leads to a new item: one that is similar to an earlier one, the shelf of
/// an earlier one, or neither.
const BY_SIMILARITY: f64 = 0.66;
const BY_SHELF: f64 = 0.16;
/// The factor by which an earlier item counts less for each one viewed after it.
const POSITION_DECAY: f64 = 0.5;
/// Carts and purchases as shares of views, at full interest (the mean of interest cubed is 1/4).
const CART: f64 = 0.026 * 4.0;
const PURCHASE_OF_CART: f64 = 0.32;

/// An item of the visit, and the shopper's hidden interest in it, 0 to 1.
#[derive(Clone, Copy, Debug)]
struct ViewedItem {
    slot: Slot,
    interest: f64,
}

/// An open visit.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) session_id: String,
    pub(super) shopper_id: Option<String>,
    /// Views still to come.
    pub(super) left: u32,
    /// Each item once, the latest viewed last.
    viewed: Vec<ViewedItem>,
}

/// The events on a page until the next view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reaction {
    /// Time until the next view, if there is one, in milliseconds.
    pub(super) gap_ms: i64,
    /// How long the pointer rested on the item, in milliseconds.
    pub(super) hover_ms: Option<i64>,
    /// How far the page was scrolled, 0 to 1.
    pub(super) scroll: Option<f64>,
    pub(super) cart: bool,
    pub(super) purchase: bool,
}

impl Visit {
    pub(super) fn begin(number: u64, rng: &mut Rng) -> Self {
        Self {
            session_id: format!("session-{number:07}"),
            // Three in five are signed in.
            shopper_id: rng.random_bool(0.6).then(|| format!("shopper-{:05}", rng.random_range(0..50_000))),
            left: length(rng),
            viewed: Vec::new(),
        }
    }

    /// The next item that is viewed.
    pub(super) fn view(
        &mut self,
        now_ms: i64,
        catalogue: &Catalogue,
        trends: &Trends,
        rng: &mut Rng,
    ) -> Slot {
        self.left -= 1;
        let slot = if !self.viewed.is_empty() && rng.random_bool(REPEAT) {
            self.favourite(rng)
        } else {
            self.new_item(now_ms, catalogue, trends, rng)
        };
        let known =
            self.viewed.iter().position(|viewed| viewed.slot == slot).map(|place| self.viewed.remove(place));
        self.viewed.push(known.unwrap_or_else(|| ViewedItem { slot, interest: rng.random() }));
        slot
    }

    /// What the shopper does on the page just opened.
    pub(super) fn react(&mut self, rng: &mut Rng) -> Reaction {
        let latest = self.viewed.last_mut().expect("a reaction follows a view");
        let interest = latest.interest;
        let gap_s: f64 = LogNormal::new(GAP_MU, GAP_SIGMA).expect("σ is positive").sample(rng);
        // People who are not interested leave the pointer where it was.
        let hover = rng.random_bool(0.1 + 0.6 * interest);
        let hover_s = 60.0 * interest * rng.random_range(0.3..1.0);
        let scroll = rng.random_bool(0.2 + 0.6 * interest);
        let depth = (interest * rng.random_range(0.6..1.2)).clamp(0.02, 1.0);
        let cart = rng.random_bool(CART * interest.powi(3));
        let purchase = cart && rng.random_bool(PURCHASE_OF_CART);
        if purchase {
            latest.interest = 0.02; // a buyer of one looks for something else
        }
        Reaction {
            gap_ms: (gap_s * 1_000.0).clamp(200.0, 86_400_000.0) as i64,
            hover_ms: hover.then_some((hover_s * 1_000.0) as i64 + 300),
            scroll: scroll.then_some((depth * 100.0).round() / 100.0),
            cart,
            purchase,
        }
    }

    /// An item of the visit, by interest and by how recently it was viewed.
    fn favourite(&self, rng: &mut Rng) -> Slot {
        let weight = |age: usize, viewed: &ViewedItem| {
            (0.05 + viewed.interest.powi(2)) * POSITION_DECAY.powi(age as i32)
        };
        let weights = || {
            self.viewed.iter().rev().take(20).enumerate().map(|(age, viewed)| (weight(age, viewed), viewed))
        };
        let mut at = rng.random::<f64>() * weights().map(|(weight, _)| weight).sum::<f64>();
        let chosen = weights().find(|(weight, _)| {
            at -= weight;
            at < 0.0
        });
        chosen.map_or(self.viewed[0].slot, |(_, viewed)| viewed.slot)
    }

    fn new_item(&self, now_ms: i64, catalogue: &Catalogue, trends: &Trends, rng: &mut Rng) -> Slot {
        let around =
            |rng: &mut Rng| trends.draw(now_ms, catalogue, rng).unwrap_or_else(|| catalogue.any(rng));
        // Most of what comes to mind is new at the first or second attempt.
        for _ in 0..8 {
            let why = rng.random::<f64>();
            let slot = if self.viewed.is_empty() || why > BY_SIMILARITY + BY_SHELF {
                around(rng)
            } else if why > BY_SIMILARITY {
                catalogue.of_shelf(self.favourite(rng), rng)
            } else {
                catalogue.similar(self.favourite(rng), rng)
            };
            if self.viewed.iter().all(|viewed| viewed.slot != slot) {
                return slot;
            }
        }
        around(rng)
    }
}

/// How many views a visit has.
fn length(rng: &mut Rng) -> u32 {
    if rng.random_bool(ONE_CLICK) {
        return 1;
    }
    let mean = if rng.random_bool(LONG_SHARE) { LONG_MEAN } else { LENGTH_MEAN };
    let rate = Gamma::new(LENGTH_R, mean / LENGTH_R).expect("shape and scale are positive");
    loop {
        let more = Poisson::new(rate.sample(rng).max(1e-9)).expect("the rate is positive").sample(rng);
        if more >= 1.0 {
            return 1 + more.min(10_000.0) as u32;
        }
    }
}
