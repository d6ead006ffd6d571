//! What comes together with an item: one row of fading counts an item.
//!
//! Counting every pair of a large shop would take its square. A row keeps the heaviest `capacity` companions by the
//! Space-Saving rule (Metwally, Agrawal and El Abbadi, ICDT 2005): a newcomer to a full row takes the place of the
//! lightest *and its count*. Whatever has had more than `1/capacity` of the row's weight is then surely in it, and a
//! count is too high by at most the lightest one. Counts fade by forward decay, so a row is never walked just because
//! time has passed.

use super::catalogue::ItemId;
use super::decay::ForwardDecay;

/// The companions of one item.
#[derive(Clone, Debug)]
pub(super) struct CompanionRow {
    decay: ForwardDecay,
    items: Vec<ItemId>,
    counts: Vec<f32>,
    /// Weight of everything ever added, faded alike.
    total: f32,
}

impl CompanionRow {
    pub(super) fn new(half_life_ms: i64, now_ms: i64) -> Self {
        Self {
            decay: ForwardDecay::new(half_life_ms, now_ms),
            items: Vec::new(),
            counts: Vec::new(),
            total: 0.0,
        }
    }

    /// Adds `amount` to the count of a companion.
    pub(super) fn add(&mut self, companion: ItemId, amount: f64, at_ms: i64, now_ms: i64, capacity: usize) {
        if let Some(factor) = self.decay.move_on(now_ms) {
            self.counts.iter_mut().for_each(|count| *count *= factor as f32);
            self.total *= factor as f32;
        }
        let weight = (amount * self.decay.weight(at_ms)) as f32;
        self.total += weight;
        if let Some(place) = self.items.iter().position(|&item| item == companion) {
            self.counts[place] += weight;
        } else if self.items.len() < capacity {
            self.items.push(companion);
            self.counts.push(weight);
        } else if let Some(lightest) = self.lightest() {
            self.items[lightest] = companion;
            self.counts[lightest] += weight;
        }
    }

    /// The companions with their share of the row: an estimate of how likely each comes with the item. `prior` is a count
    /// that belongs to none of them, and keeps a row that knows little from saying much.
    pub(super) fn shares(&self, now_ms: i64, prior: f64) -> impl Iterator<Item = (ItemId, f64)> {
        let mass = f64::from(self.total) + prior * self.decay.weight(now_ms);
        let unit = if mass > 0.0 { 1.0 / mass } else { 0.0 };
        self.items.iter().zip(&self.counts).map(move |(&item, &count)| (item, f64::from(count) * unit))
    }

    /// The place of the smallest count; the first of them when there are several.
    fn lightest(&self) -> Option<usize> {
        let mut lightest = None;
        let mut least = f32::INFINITY;
        for (place, &count) in self.counts.iter().enumerate() {
            if count < least {
                (lightest, least) = (Some(place), count);
            }
        }
        lightest
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Space-Saving's two promises, against exact counts.
        #[test]
        fn heavy_companions_are_kept_and_counts_are_never_too_low(
            companions in prop::collection::vec(0_usize..30, 1..300),
            capacity in 1_usize..12,
        ) {
            let mut catalogue = Catalogue::new(100);
            let mut row = CompanionRow::new(1_000, 0);
            let mut exact = [0_u32; 30];
            for &companion in &companions {
                let item = catalogue.meet(&companion.to_string()).item;
                row.add(item, 1.0, 0, 0, capacity);
                exact[companion] += 1;
            }
            prop_assert!(row.items.len() <= capacity);
            let lightest = row.lightest().map(|place| row.counts[place]).unwrap();
            for (companion, &count) in exact.iter().enumerate().filter(|(_, count)| **count > 0) {
                let item = catalogue.find(&companion.to_string()).unwrap();
                match row.items.iter().position(|&kept| kept == item) {
                    Some(place) => {
                        let kept = row.counts[place];
                        prop_assert!(kept >= count as f32 && kept <= count as f32 + lightest);
                    }
                    None => prop_assert!(count as usize * capacity <= companions.len()),
                }
            }
        }
    }

    #[test]
    fn an_old_companion_fades_against_a_new_one() {
        let mut catalogue = Catalogue::new(10);
        let (old, new) = (catalogue.meet("old").item, catalogue.meet("new").item);
        let mut row = CompanionRow::new(1_000, 0);
        row.add(old, 3.0, 0, 0, 10);
        row.add(new, 1.0, 100_000, 100_000, 10);
        let shares: Vec<_> = row.shares(100_000, 1.0).collect();
        assert!(shares[0].1 < 1e-6, "a hundred half-lives have passed: {shares:?}");
        assert!((shares[1].1 - 0.5).abs() < 1e-6, "one of its own against a prior of one: {shares:?}");
    }
}
