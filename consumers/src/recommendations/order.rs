//! How much order matters here: what a sighting of two items in one session says about one
//! following the other later.
//!
//! In some shops people go from one thing to the next and never the other way, in others a session
//! is a bag of things that belong together. So the model does not assume what a sighting "b stood
//! three after a" is worth against "b came right after a", or against "b came right *before* a": it
//! looks. A table remembers the latest sightings of pairs. Whenever b comes right after a, the
//! table is asked whether the pair was seen before, and how far apart; each kind of sighting is
//! worth what share of its kind came true. Pairs of popular items come true by chance: the same is
//! asked of the item that some *other* session met last, and taken off.
//!
//! # Simplifications
//! - One answer for the whole shop; and what was counted with an older answer is not counted again.
//! - A place of the table belongs to the latest pair that fell on it: it takes 512 KiB however
//!   large the shop is.

use super::catalogue::ItemId;

/// How far apart two items are looked at together.
pub(super) const REACH: usize = 6;
/// Places of the table: 2 to this power, of four bytes each.
const TABLE_BITS: u32 = 17;
/// Confirmed sightings' worth of belief in what holds before anything was seen.
const PRIOR: f64 = 50.0;
/// No kind of sighting is worth less than this: of a rare item there may be no other.
const LEAST: f64 = 0.05;
/// After so many pairs all tallies are halved: a shop may change.
const FADE_EVERY: u32 = 1 << 16;

/// What sightings are worth, by distance, learnt as they come true.
#[derive(Clone, Debug)]
pub(super) struct OrderSense {
    /// Hash of the pair in the upper bits, distance in the lower three; 0 is nobody.
    table: Vec<u32>,
    /// By distance - 1: sightings; those that came true in the same order and in the other; and by
    /// chance.
    seen: [f64; REACH],
    forward: [f64; REACH],
    backward: [f64; REACH],
    chance: [f64; REACH],
    /// The item that was met last, whoever met it, and the one that another session than that one
    /// met before.
    latest: Option<ItemId>,
    stranger: Option<ItemId>,
    pairs: u32,
    worth: Worth,
}

/// What a sighting is worth against "right after", by distance - 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    /// One after the other.
    pub(super) after: [f32; REACH],
    /// One before the other.
    pub(super) before: [f32; REACH],
}

impl OrderSense {
    pub(super) fn new() -> Self {
        let mut new = Self {
            table: Vec::new(),
            seen: [0.0; REACH],
            forward: [0.0; REACH],
            backward: [0.0; REACH],
            chance: [0.0; REACH],
            latest: None,
            stranger: None,
            pairs: 0,
            worth: Worth { after: [0.0; REACH], before: [0.0; REACH] },
        };
        new.weigh();
        new
    }

    /// What sightings are worth now.
    pub(super) fn worth(&self) -> &Worth {
        &self.worth
    }

    /// An item has been met after `earlier`, the nearest first.
    pub(super) fn learn(&mut self, item: ItemId, earlier: impl Iterator<Item = ItemId>) {
        if self.table.is_empty() {
            self.table.resize(1 << TABLE_BITS, 0);
        }
        let mut earlier = earlier.take(REACH).peekable();
        // In a log where one session follows the other, who came last is no stranger.
        if earlier.peek() != self.latest.as_ref() {
            self.stranger = self.latest;
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

    /// `after` came right after `before`: which sightings said so?
    fn confirm(&mut self, before: ItemId, after: ItemId) {
        if let Some(distance) = self.sighted(before, after) {
            self.forward[distance] += 1.0;
        }
        if let Some(distance) = self.sighted(after, before) {
            self.backward[distance] += 1.0;
        }
        if let Some(stranger) = self.stranger.filter(|&stranger| stranger != after) {
            for (a, b) in [(stranger, after), (after, stranger)] {
                if let Some(distance) = self.sighted(a, b) {
                    self.chance[distance] += 0.5;
                }
            }
        }
        self.pairs += 1;
        if self.pairs.is_multiple_of(64) {
            self.weigh();
        }
        if self.pairs == FADE_EVERY {
            self.pairs = 0;
            for tally in [&mut self.seen, &mut self.forward, &mut self.backward, &mut self.chance] {
                for count in tally {
                    *count *= 0.5;
                }
            }
        }
    }

    fn weigh(&mut self) {
        let exposed = |distance: usize| {
            if self.seen[distance] > 0.0 { self.seen[0] / self.seen[distance] } else { 0.0 }
        };
        let come_true = |tally: &[f64; REACH], distance: usize| {
            (tally[distance] - self.chance[distance]).max(0.0) * exposed(distance)
        };
        let most = come_true(&self.forward, 0) + PRIOR;
        let worth = |tally, distance: usize, before: f64| {
            let before = before / (distance as f64 + 1.0);
            ((come_true(tally, distance) + PRIOR * before) / most).clamp(LEAST, 1.0) as f32
        };
        self.worth = Worth {
            after: std::array::from_fn(|distance| worth(&self.forward, distance, 1.0)),
            before: std::array::from_fn(|distance| worth(&self.backward, distance, 0.5)),
        };
    }

    /// How far apart the pair was seen last, less 1.
    fn sighted(&self, before: ItemId, after: ItemId) -> Option<usize> {
        let (place, mark) = Self::place(before, after);
        let found = self.table[place];
        (found != 0 && found & !7 == mark).then(|| (found & 7) as usize - 1)
    }

    /// The pair's place in the table, and its mark there.
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

    /// Sessions of five of the six things that belong together, as `arrange` puts them.
    fn learnt(arrange: impl Fn(&mut Vec<usize>, &mut StdRng)) -> Worth {
        let mut dice = StdRng::seed_from_u64(1);
        let mut order = OrderSense::new();
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
        *order.worth()
    }

    #[test]
    fn where_one_thing_leads_to_the_next_the_way_back_is_worth_little() {
        let worth = learnt(|_, _| {});
        assert!((0.95..=1.0).contains(&worth.after[0]), "{worth:?}");
        assert!(worth.before[0] < 0.1 && worth.after[3] < 0.15, "{worth:?}");
    }

    #[test]
    fn in_a_bag_all_sightings_are_worth_the_same() {
        let worth = learnt(|session, dice| session.shuffle(dice));
        for share in [worth.after[1], worth.after[2], worth.before[0], worth.before[1], worth.before[2]] {
            assert!((0.75..=1.0).contains(&share), "{worth:?}");
        }
    }

    #[test]
    fn who_has_seen_nothing_believes_in_order_and_nearness() {
        let worth = *OrderSense::new().worth();
        assert_eq!((worth.after[0], worth.after[3]), (1.0, 0.25));
        assert_eq!((worth.before[0], worth.before[3]), (0.5, 0.125));
    }

    #[test]
    fn chance_is_no_reason() {
        // Two of ten items that everybody meets, after something that nobody meets twice: any two
        // of the ten come again, in any order.
        let mut dice = StdRng::seed_from_u64(1);
        let mut order = OrderSense::new();
        for session in 0..20_000 {
            let items = [100 + session, dice.random_range(0..10), dice.random_range(0..10)]
                .map(|item| ItemId::new(item, 0));
            for (met, &item) in items.iter().enumerate() {
                order.learn(item, items[..met].iter().rev().copied());
            }
        }
        // Nearly all of these pairs had been "seen before", and it means nothing: what holds before
        // anything was seen holds on.
        assert!(order.forward[0] > 15_000.0, "{:?}", order.forward);
        let nothing_learnt = *OrderSense::new().worth();
        assert_eq!(
            (order.worth().after, order.worth().before),
            (nothing_learnt.after, nothing_learnt.before)
        );
    }
}
