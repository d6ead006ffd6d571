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
    counts: Counts,
    /// The sum of all weights ever added, with the same decay.
    total: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Count {
    item: ItemId,
    weight: f32,
}

/// The counts of a row. All rows together have hundreds of thousands in a small shop, whose items
/// have small numbers.
#[derive(Clone, Debug)]
enum Counts {
    /// Of items whose numbers have 16 bits: the number, and the bits of the weight.
    Short(Vec<[u16; 3]>),
    Long(Vec<Count>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

impl Count {
    fn to_short(self) -> Option<[u16; 3]> {
        let bits = self.weight.to_bits();
        Some([u16::try_from(self.item.number()).ok()?, (bits >> 16) as u16, bits as u16])
    }

    fn of_short([item, high, low]: [u16; 3]) -> Self {
        let weight = f32::from_bits(u32::from(high) << 16 | u32::from(low));
        Self { item: ItemId::of_number(item.into()), weight }
    }
}

impl Counts {
    fn len(&self) -> usize {
        match self {
            Self::Short(counts) => counts.len(),
            Self::Long(counts) => counts.len(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Count> {
        let (short, long): (&[_], &[_]) = match self {
            Self::Short(counts) => (counts, &[]),
            Self::Long(counts) => (&[], counts),
        };
        short.iter().map(|&count| Count::of_short(count)).chain(long.iter().copied())
    }

    fn get(&self, place: usize) -> Count {
        match self {
            Self::Short(counts) => Count::of_short(counts[place]),
            Self::Long(counts) => counts[place],
        }
    }

    /// Where this item is.
    fn position(&self, item: ItemId) -> Option<usize> {
        match self {
            Self::Short(counts) => counts.iter().position(|count| u32::from(count[0]) == item.number()),
            Self::Long(counts) => counts.iter().position(|count| count.item == item),
        }
    }

    /// Puts another count at a place.
    fn set(&mut self, place: usize, count: Count) {
        match (&mut *self, count.to_short()) {
            (Self::Short(counts), Some(short)) => counts[place] = short,
            _ => self.long()[place] = count,
        }
    }

    fn push(&mut self, count: Count) {
        if let (Self::Short(counts), Some(short)) = (&mut *self, count.to_short()) {
            make_room(counts);
            return counts.push(short);
        }
        let counts = self.long();
        make_room(counts);
        counts.push(count);
    }

    fn long(&mut self) -> &mut Vec<Count> {
        if let Self::Short(_) = self {
            *self = Self::Long(self.iter().collect());
        }
        match self {
            Self::Long(counts) => counts,
            Self::Short(_) => unreachable!("it was made long just now"),
        }
    }

    fn scale(&mut self, factor: f32) {
        for place in 0..self.len() {
            let count = self.get(place);
            self.set(place, Count { weight: count.weight * factor, ..count });
        }
    }
}

/// Room for a quarter more: a vector would double.
fn make_room<T>(counts: &mut Vec<T>) {
    if counts.len() == counts.capacity() {
        counts.reserve_exact((counts.len() / 4).max(2));
    }
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
                row.counts.scale(factor as f32);
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
        row.into_iter().flat_map(|row| row.counts.iter()).map(move |count| (count.item, count.weight * unit))
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
        let place = match self.counts.position(companion) {
            Some(place) => place,
            None if self.counts.len() < capacity => {
                self.counts.push(Count { item: companion, weight });
                return;
            }
            None => match self.lightest() {
                Some(place) => place,
                None => return,
            },
        };
        let weight = self.counts.get(place).weight + weight;
        self.counts.set(place, Count { item: companion, weight });
    }

    /// Where the smallest count is; the first of them when there are several.
    fn lightest(&self) -> Option<usize> {
        let places = self.counts.iter().enumerate();
        places.min_by(|a, b| a.1.weight.total_cmp(&b.1.weight)).map(|(place, _)| place)
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
            let lightest = row.counts.get(row.lightest().unwrap()).weight;
            for (companion, &count) in exact.iter().enumerate().filter(|(_, count)| **count > 0) {
                let item = catalogue.find(&companion.to_string()).unwrap();
                match row.counts.iter().find(|kept| kept.item == item) {
                    Some(Count { weight: kept, .. }) => {
                        prop_assert!(kept >= count as f32 && kept <= count as f32 + lightest);
                    }
                    None => prop_assert!(count as usize * capacity <= companions.len()),
                }
            }
        }
    }

    #[test]
    fn a_count_takes_six_bytes_until_an_item_comes_whose_number_is_long() {
        let item = |slot| ItemId::new(slot, 0);
        let mut counts = Counts::default();
        let mut naive = Vec::new();
        for slot in (0..40).chain([65_535, 65_536, 7_000_000]).chain(100..110) {
            let count = Count { item: item(slot), weight: 0.1 + slot as f32 / 3.0 };
            counts.push(count);
            naive.push(count);
            assert_eq!(matches!(counts, Counts::Short(_)), slot < 65_536 && naive.len() < 42, "{slot}");
            assert_eq!(counts.iter().collect::<Vec<_>>(), naive);
            assert_eq!(counts.position(item(slot)), Some(naive.len() - 1));
        }
        for place in [0, 41, 52] {
            let count = Count { item: ItemId::new(place, 3), weight: 9.5 };
            counts.set(place, count);
            naive[place] = count;
        }
        counts.scale(0.3);
        for count in &mut naive {
            count.weight *= 0.3;
        }
        assert_eq!((counts.iter().collect::<Vec<_>>(), counts.position(item(1_000))), (naive, None));
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
