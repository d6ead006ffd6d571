//! How much order matters in this shop: the weights by which a pair of items that was seen at some
//! distance, in some order, predicts that one follows the other directly.
//!
//! In some shops sessions go from one item to the next and never back; in others a session is a set
//! of items that belong together. So the weights of "b came three after a" and of "b came directly
//! *before* a", against "b came directly after a", are not assumed but learnt. A table holds the
//! latest occurrences of pairs. When b comes directly after a, the table tells whether the pair
//! occurred before, and at which distance: that occurrence is *confirmed*. The weight of a distance
//! is the share of its occurrences that were confirmed. Pairs of popular items are also confirmed
//! by chance. That share is estimated with a *control item*, the latest item of another session,
//! and subtracted.
//!
//! # Simplifications
//! - One set of weights for the whole shop, and what was counted with older weights is not counted
//!   again.
//! - An entry of the table belongs to the latest pair with its hash: the table takes 512 KiB
//!   however large the shop is.

use super::catalogue::ItemId;

/// The greatest distance of two items at which their order is learnt.
pub(super) const MAX_DISTANCE: usize = 6;
/// Entries of the table: 2 to this power, of four bytes each.
const TABLE_BITS: u32 = 17;
/// The weight of the prior, in confirmed occurrences.
const PRIOR: f64 = 50.0;
/// The smallest weight: a rare item may have no other occurrence.
const MIN_WEIGHT: f64 = 0.05;
/// After so many pairs all counts are halved: a shop may change.
const HALVE_EVERY: u32 = 1 << 16;

/// Learns the weights of pairs by distance.
#[derive(Clone, Debug)]
pub(super) struct OrderWeights {
    /// Hash of the pair in the upper bits, distance in the lower three; 0 is no pair.
    table: Vec<u32>,
    /// By distance - 1: all occurrences; those confirmed in the same order, and in the other; and
    /// those of the control item.
    seen: [f64; MAX_DISTANCE],
    forward: [f64; MAX_DISTANCE],
    backward: [f64; MAX_DISTANCE],
    chance: [f64; MAX_DISTANCE],
    /// The latest item of all sessions.
    latest: Option<ItemId>,
    /// The latest item of another session than that.
    control_item: Option<ItemId>,
    pairs: u32,
    weights: Weights,
}

/// The weights of an occurrence against "directly after", by distance - 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// Of an item that came after the other.
    pub(super) after: [f32; MAX_DISTANCE],
    /// Of an item that came before the other.
    pub(super) before: [f32; MAX_DISTANCE],
}

impl OrderWeights {
    pub(super) fn new() -> Self {
        let mut new = Self {
            table: Vec::new(),
            seen: [0.0; MAX_DISTANCE],
            forward: [0.0; MAX_DISTANCE],
            backward: [0.0; MAX_DISTANCE],
            chance: [0.0; MAX_DISTANCE],
            latest: None,
            control_item: None,
            pairs: 0,
            weights: Weights { after: [0.0; MAX_DISTANCE], before: [0.0; MAX_DISTANCE] },
        };
        new.update_weights();
        new
    }

    /// The weights as they are now.
    pub(super) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Learns that a session has met an item after `earlier`, the nearest first.
    pub(super) fn learn(&mut self, item: ItemId, earlier: impl Iterator<Item = ItemId>) {
        if self.table.is_empty() {
            self.table.resize(1 << TABLE_BITS, 0);
        }
        let mut earlier = earlier.take(MAX_DISTANCE).peekable();
        // Where one session follows the other in the log, the latest item is often its own.
        if earlier.peek() != self.latest.as_ref() {
            self.control_item = self.latest;
        }
        for (distance, met) in earlier.enumerate() {
            if distance == 0 {
                self.confirm(met, item);
            }
            let (place, mark) = Self::place(met, item);
            self.table[place] = mark | (distance as u32 + 1);
            self.seen[distance] += 1.0;
        }
        self.latest = Some(item);
    }

    /// `after` came directly after `before`: counts the occurrences that this confirms.
    fn confirm(&mut self, before: ItemId, after: ItemId) {
        if let Some(distance) = self.latest_distance(before, after) {
            self.forward[distance] += 1.0;
        }
        if let Some(distance) = self.latest_distance(after, before) {
            self.backward[distance] += 1.0;
        }
        if let Some(control) = self.control_item.filter(|&control| control != after) {
            for (a, b) in [(control, after), (after, control)] {
                if let Some(distance) = self.latest_distance(a, b) {
                    self.chance[distance] += 0.5;
                }
            }
        }
        self.pairs += 1;
        if self.pairs.is_multiple_of(64) {
            self.update_weights();
        }
        if self.pairs == HALVE_EVERY {
            self.pairs = 0;
            for counts in [&mut self.seen, &mut self.forward, &mut self.backward, &mut self.chance] {
                for count in counts {
                    *count *= 0.5;
                }
            }
        }
    }

    fn update_weights(&mut self) {
        let exposed = |distance: usize| {
            if self.seen[distance] > 0.0 { self.seen[0] / self.seen[distance] } else { 0.0 }
        };
        let confirmed = |counts: &[f64; MAX_DISTANCE], distance: usize| {
            (counts[distance] - self.chance[distance]).max(0.0) * exposed(distance)
        };
        let most = confirmed(&self.forward, 0) + PRIOR;
        let weight = |counts, distance: usize, prior: f64| {
            let prior = prior / (distance as f64 + 1.0);
            ((confirmed(counts, distance) + PRIOR * prior) / most).clamp(MIN_WEIGHT, 1.0) as f32
        };
        self.weights = Weights {
            after: std::array::from_fn(|distance| weight(&self.forward, distance, 1.0)),
            before: std::array::from_fn(|distance| weight(&self.backward, distance, 0.5)),
        };
        let all = self.weights.after.iter().chain(&self.weights.before);
        assert!(
            all.clone().all(|weight| (MIN_WEIGHT as f32..=1.0).contains(weight)),
            "weights outside {MIN_WEIGHT} to 1: {:?}",
            self.weights
        );
    }

    /// The distance of the pair's latest occurrence, less 1.
    fn latest_distance(&self, before: ItemId, after: ItemId) -> Option<usize> {
        let (place, mark) = Self::place(before, after);
        let found = self.table[place];
        (found != 0 && found & !7 == mark).then(|| (found & 7) as usize - 1)
    }

    /// The pair's entry in the table, and its mark there.
    fn place(before: ItemId, after: ItemId) -> (usize, u32) {
        let pair = u64::from(before.number()) << 32 | u64::from(after.number());
        let hash = (pair ^ pair >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let hash = (hash ^ hash >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        ((hash >> (64 - TABLE_BITS)) as usize, (hash as u32) & !7)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::seq::SliceRandom as _;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// The weights after sessions of five of six items that belong together, in the order that
    /// `arrange` makes.
    fn learnt(arrange: impl Fn(&mut Vec<usize>, &mut StdRng)) -> Weights {
        let mut dice = StdRng::seed_from_u64(1);
        let mut order = OrderWeights::new();
        for _ in 0..4_000 {
            let first = 6 * dice.random_range(0..50);
            let mut session: Vec<usize> = (first..first + 6).collect();
            session.remove(dice.random_range(0..6));
            arrange(&mut session, &mut dice);
            let items: Vec<ItemId> = session.iter().map(|&item| ItemId::new(item, 0)).collect();
            for (met, &item) in items.iter().enumerate() {
                order.learn(item, items[..met].iter().rev().copied());
            }
        }
        *order.weights()
    }

    #[test]
    fn where_one_item_leads_to_the_next_the_way_back_weighs_little() {
        let weights = learnt(|_, _| {});
        assert!((0.95..=1.0).contains(&weights.after[0]), "{weights:?}");
        assert!(weights.before[0] < 0.1 && weights.after[3] < 0.15, "{weights:?}");
    }

    #[test]
    fn in_a_set_all_distances_weigh_the_same() {
        let weights = learnt(|session, dice| session.shuffle(dice));
        for share in
            [weights.after[1], weights.after[2], weights.before[0], weights.before[1], weights.before[2]]
        {
            assert!((0.75..=1.0).contains(&share), "{weights:?}");
        }
    }

    #[test]
    fn the_prior_weighs_by_order_and_distance() {
        let weights = *OrderWeights::new().weights();
        assert_eq!((weights.after[0], weights.after[3]), (1.0, 0.25));
        assert_eq!((weights.before[0], weights.before[3]), (0.5, 0.125));
    }

    #[test]
    fn what_is_confirmed_by_chance_does_not_count() {
        // Two of ten popular items, after one that occurs once: any two of the ten come again, in
        // any order.
        let mut dice = StdRng::seed_from_u64(1);
        let mut order = OrderWeights::new();
        for session in 0..20_000 {
            let items = [100 + session, dice.random_range(0..10), dice.random_range(0..10)]
                .map(|item| ItemId::new(item, 0));
            for (met, &item) in items.iter().enumerate() {
                order.learn(item, items[..met].iter().rev().copied());
            }
        }
        // Nearly all of these pairs occurred before, and it means nothing: the prior holds.
        assert!(order.forward[0] > 15_000.0, "{:?}", order.forward);
        let nothing_learnt = *OrderWeights::new().weights();
        assert_eq!(
            (order.weights().after, order.weights().before),
            (nothing_learnt.after, nothing_learnt.before)
        );
    }
}
