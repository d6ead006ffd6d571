//! What all sessions look at now: the page of a session of which nothing is known yet.
//!
//! Two counts of items decay at different speeds. The quick one (an hour) follows a sudden trend
//! within minutes but is noisy when few events come; the slow one (a day) is steady but late. An
//! item's share is taken from the quick count, with the slow one as a *prior*: as if it were a
//! fixed number of further events. In a busy shop the quick count decides, in a quiet one the slow.
//!
//! # Simplifications
//! - The greatest mixed shares are looked for among the 128 greatest of each count. Each of these
//!   two lists is exact.

use std::cmp::Ordering;

use super::catalogue::{Catalogue, ItemId};
use super::decay::ForwardDecay;

/// Length of the lists of the greatest counts.
const LEADERS: usize = 128;

/// Counts that decay, with an exact list of the greatest.
#[derive(Clone, Debug)]
pub(super) struct DecayingCount {
    decay: ForwardDecay,
    /// By slot.
    counts: Vec<f64>,
    total: f64,
    /// The greatest first.
    leaders: Vec<ItemId>,
}

impl DecayingCount {
    fn new(half_life_ms: i64, now_ms: i64) -> Self {
        Self {
            decay: ForwardDecay::new(half_life_ms, now_ms),
            counts: Vec::new(),
            total: 0.0,
            leaders: Vec::new(),
        }
    }

    /// Counts one event. The list stays exact because only this item's count changes, and it
    /// grows.
    fn add(&mut self, item: ItemId, at_ms: i64, now_ms: i64, catalogue: &Catalogue) {
        if let Some(factor) = self.decay.advance_landmark(now_ms) {
            self.counts.iter_mut().for_each(|count| *count *= factor);
            self.total *= factor;
            // Small counts may have become equal, and then names decide.
            let mut leaders = std::mem::take(&mut self.leaders);
            leaders.sort_by(|&a, &b| self.order(a, b, catalogue));
            self.leaders = leaders;
        }
        if self.counts.len() <= item.slot() {
            self.counts.resize(item.slot() + 1, 0.0);
        }
        let weight = self.decay.weight(at_ms);
        self.counts[item.slot()] += weight;
        self.total += weight;

        let mut place = match self.leaders.iter().position(|&leader| leader == item) {
            Some(place) => place,
            None if self.leaders.len() < LEADERS => {
                self.leaders.push(item);
                self.leaders.len() - 1
            }
            None if self.order(item, self.leaders[LEADERS - 1], catalogue).is_lt() => {
                self.leaders[LEADERS - 1] = item;
                LEADERS - 1
            }
            None => return,
        };
        while place > 0 && self.order(item, self.leaders[place - 1], catalogue).is_lt() {
            self.leaders.swap(place, place - 1);
            place -= 1;
        }
    }

    fn order(&self, a: ItemId, b: ItemId, catalogue: &Catalogue) -> Ordering {
        self.counts[b.slot()].total_cmp(&self.counts[a.slot()]).then_with(|| catalogue.by_name(a, b))
    }

    fn count(&self, item: ItemId) -> f64 {
        self.counts.get(item.slot()).copied().unwrap_or(0.0)
    }

    /// The slot belongs to another item now, whose count starts at 0.
    fn clear(&mut self, slot: usize) {
        if let Some(count) = self.counts.get_mut(slot) {
            self.total -= *count;
            *count = 0.0;
        }
        self.leaders.retain(|leader| leader.slot() != slot);
    }
}

/// Both counts.
#[derive(Clone, Debug)]
pub(super) struct Trending {
    quick: DecayingCount,
    slow: DecayingCount,
    /// The weight of the slow count, in events.
    prior: f64,
}

/// The shares of items at one instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares<'a> {
    trending: &'a Trending,
    quick_unit: f64,
    slow_unit: f64,
    mass: f64,
}

impl Trending {
    pub(super) fn new(quick_ms: i64, slow_ms: i64, prior: f64, now_ms: i64) -> Self {
        Self { quick: DecayingCount::new(quick_ms, now_ms), slow: DecayingCount::new(slow_ms, now_ms), prior }
    }

    pub(super) fn add(&mut self, item: ItemId, at_ms: i64, now_ms: i64, catalogue: &Catalogue) {
        self.quick.add(item, at_ms, now_ms, catalogue);
        self.slow.add(item, at_ms, now_ms, catalogue);
    }

    pub(super) fn clear(&mut self, slot: usize) {
        self.quick.clear(slot);
        self.slow.clear(slot);
    }

    /// The candidates for the greatest share; some come twice.
    pub(super) fn leaders(&self) -> impl Iterator<Item = ItemId> {
        self.quick.leaders.iter().chain(&self.slow.leaders).copied()
    }

    /// The shares of all items at this time.
    pub(super) fn shares(&self, now_ms: i64) -> Shares<'_> {
        let quick_unit = 1.0 / self.quick.decay.weight(now_ms);
        Shares {
            trending: self,
            quick_unit,
            slow_unit: if self.slow.total > 0.0 { self.prior / self.slow.total } else { 0.0 },
            mass: self.quick.total * quick_unit + self.prior,
        }
    }
}

impl Shares<'_> {
    /// The item's share of what is met now, 0 to 1.
    pub(super) fn of(&self, item: ItemId) -> f64 {
        let quick = self.trending.quick.count(item) * self.quick_unit;
        let slow = self.trending.slow.count(item) * self.slow_unit;
        (quick + slow) / self.mass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a list that is sorted from all counts: same items, same order.
        #[test]
        fn the_list_of_the_greatest_is_exact(events in prop::collection::vec((0_usize..200, 0_i64..90_000), 0..600)) {
            let mut catalogue = Catalogue::new(1_000);
            let mut count = DecayingCount::new(1_000, 0);
            let mut now_ms = 0;
            for &(name, at_ms) in &events {
                now_ms = now_ms.max(at_ms);
                let item = catalogue.get_or_insert(&format!("item-{name}")).item;
                count.add(item, at_ms, now_ms, &catalogue);
            }
            let mut all: Vec<ItemId> = (0..200).filter_map(|name| catalogue.find(&format!("item-{name}"))).collect();
            all.sort_by(|&a, &b| count.order(a, b, &catalogue));
            all.truncate(LEADERS);
            prop_assert_eq!(&count.leaders, &all);
        }
    }

    #[test]
    fn in_a_quiet_shop_the_slow_count_decides_and_in_a_busy_one_the_quick() {
        let hour = 3_600_000;
        for (events, best) in [(3, "classic"), (30_000, "hype")] {
            let mut catalogue = Catalogue::new(10);
            let mut trending = Trending::new(hour, 24 * hour, 2_000.0, 0);
            let (classic, hype) =
                (catalogue.get_or_insert("classic").item, catalogue.get_or_insert("hype").item);
            for _ in 0..events * 10 {
                trending.add(classic, 0, 0, &catalogue);
            }
            for _ in 0..events {
                trending.add(hype, 12 * hour, 12 * hour, &catalogue);
            }
            let shares = trending.shares(12 * hour);
            let winner = if shares.of(classic) > shares.of(hype) { "classic" } else { "hype" };
            assert_eq!(winner, best, "{events} events an hour");
            assert!(shares.of(classic) + shares.of(hype) <= 1.0 + 1e-9);
        }
    }
}
