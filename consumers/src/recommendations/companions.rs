//! What occurs together with an item: one row of decaying counts an item.
//!
//! Counting every pair of a large shop would take its square. A row keeps the heaviest `capacity`
//! companions by the Space-Saving rule (Metwally, Agrawal and El Abbadi, ICDT 2005): a new item in
//! a full row takes the place of the lightest *and its count*. An item with more than `1/capacity`
//! of the row's weight is then certainly in it, and a count is too high by at most the lightest
//! one. Counts decay by forward decay, so time alone changes no row.

use super::catalogue::ItemId;
use super::decay::ForwardDecay;

/// The companions of every item.
#[derive(Clone, Debug)]
pub(super) struct Companions {
    decay: ForwardDecay,
    capacity: usize,
    /// By slot of the item.
    rows: Vec<Row>,
}

/// The companions of one item.
#[derive(Clone, Debug, Default)]
struct Row {
    counts: Vec<Count>,
    /// The sum of all weights ever added, with the same decay.
    total: f32,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    item: ItemId,
    weight: f32,
}

impl Companions {
    /// `capacity` is that of a row; `half_life_ms` is that of the counts.
    pub(super) fn new(capacity: usize, half_life_ms: i64, now_ms: i64) -> Self {
        Self { decay: ForwardDecay::new(half_life_ms, now_ms), capacity, rows: Vec::new() }
    }

    /// Adds `amount` to the count of `companion` in the row of `item`.
    pub(super) fn add(&mut self, item: ItemId, companion: ItemId, amount: f64, at_ms: i64, now_ms: i64) {
        if let Some(factor) = self.decay.advance_landmark(now_ms) {
            for row in &mut self.rows {
                row.counts.iter_mut().for_each(|count| count.weight *= factor as f32);
                row.total *= factor as f32;
            }
        }
        if self.rows.len() <= item.slot() {
            self.rows.resize_with(item.slot() + 1, Row::default);
        }
        let weight = (amount * self.decay.weight(at_ms)) as f32;
        self.rows[item.slot()].add(companion, weight, self.capacity);
    }

    /// The companions of an item with their share of its row: an estimate of the probability that
    /// each occurs with it. `prior` is a count that belongs to none of them, so that a row of few
    /// counts has small shares.
    pub(super) fn shares(
        &self,
        item: ItemId,
        now_ms: i64,
        prior: f64,
    ) -> impl Iterator<Item = (ItemId, f32)> {
        let row = self.rows.get(item.slot());
        let mass = row.map_or(0.0, |row| f64::from(row.total)) + prior * self.decay.weight(now_ms);
        let unit = if mass > 0.0 { (1.0 / mass) as f32 } else { 0.0 };
        row.into_iter().flat_map(|row| &row.counts).map(move |count| (count.item, count.weight * unit))
    }

    /// The slot belongs to another item now.
    pub(super) fn clear(&mut self, slot: usize) {
        if let Some(row) = self.rows.get_mut(slot) {
            *row = Row::default();
        }
    }
}

impl Row {
    fn add(&mut self, companion: ItemId, weight: f32, capacity: usize) {
        assert!(weight >= 0.0 && weight.is_finite(), "a weight of {weight} would spoil the row for ever");
        self.total += weight;
        if let Some(count) = self.counts.iter_mut().find(|count| count.item == companion) {
            count.weight += weight;
        } else if self.counts.len() < capacity {
            if self.counts.len() == self.counts.capacity() {
                // A quarter more: a vector would double.
                self.counts.reserve_exact((self.counts.len() / 4).max(2));
            }
            self.counts.push(Count { item: companion, weight });
        } else if let Some(lightest) = self.lightest() {
            lightest.item = companion;
            lightest.weight += weight;
        }
    }

    /// The smallest count; the first of them when there are several.
    fn lightest(&mut self) -> Option<&mut Count> {
        self.counts.iter_mut().min_by(|a, b| a.weight.total_cmp(&b.weight))
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
            let mut row = Row::default();
            let mut exact = [0_u32; 30];
            for &companion in &companions {
                let item = catalogue.get_or_insert(&companion.to_string()).item;
                row.add(item, 1.0, capacity);
                exact[companion] += 1;
            }
            prop_assert!(row.counts.len() <= capacity);
            let lightest = row.lightest().unwrap().weight;
            for (companion, &count) in exact.iter().enumerate().filter(|(_, count)| **count > 0) {
                let item = catalogue.find(&companion.to_string()).unwrap();
                match row.counts.iter().find(|kept| kept.item == item) {
                    Some(&Count { weight: kept, .. }) => {
                        prop_assert!(kept >= count as f32 && kept <= count as f32 + lightest);
                    }
                    None => prop_assert!(count as usize * capacity <= companions.len()),
                }
            }
        }
    }

    #[test]
    fn an_old_companion_decays_against_a_new_one() {
        let mut catalogue = Catalogue::new(10);
        let [item, old, new] = ["item", "old", "new"].map(|name| catalogue.get_or_insert(name).item);
        let mut companions = Companions::new(10, 1_000, 0);
        companions.add(item, old, 3.0, 0, 0);
        companions.add(item, new, 1.0, 100_000, 100_000);
        let shares: Vec<_> = companions.shares(item, 100_000, 1.0).collect();
        assert!(shares[0].1 < 1e-6, "a hundred half-lives have passed: {shares:?}");
        assert!((shares[1].1 - 0.5).abs() < 1e-6, "one of its own against a prior of one: {shares:?}");
    }
}
