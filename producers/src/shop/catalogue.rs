//! The items for sale: on shelves, with their popularity today, and similar items of each.
//!
//! # Simplifications
//! - Similarity is fixed for a slot: a new item inherits that of the one it replaces.

use events::ITEMS_OF_A_KIND;
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution, StandardNormal};

/// A place in the catalogue. The item in it changes (new items replace old ones); its shelf, its
/// popularity and its neighbours stay.
pub(super) type Slot = usize;

/// Zipf–Mandelbrot: the item of rank r is viewed in proportion to `(r + q)^-s`. With q, here
/// a share of all items, the head is flatter than Zipf's, as it is in the logs: no item is
/// one in ten clicks.
const ZIPF_S: f64 = 0.95;
const ZIPF_Q: f64 = 0.006;
/// How much an item's popularity moves from one day to the next (σ of its logarithm).
const DAILY_DRIFT: f64 = 0.22;
/// Items on a shelf: by their names they are of one kind.
const SHELF: usize = ITEMS_OF_A_KIND;
/// Items that one item leads to.
const SIMILAR: usize = 30;
/// The k-th of them is chosen in proportion to `(k + 1)^-s`.
const SIMILAR_S: f64 = 1.5;

#[derive(Debug)]
pub(super) struct Catalogue {
    seed: u64,
    /// Number in the name of the item in each slot; counts up with every new item.
    names: Vec<u64>,
    next_name: u64,
    /// Lasting popularity of each slot.
    popularity: Vec<f64>,
    /// Popularity today, which drifts from day to day.
    today: Vec<f64>,
    today_total: f64,
    by_popularity: WeightedAliasIndex<f64>,
    shelf_of: Vec<usize>,
    shelves: Vec<Vec<Slot>>,
    /// Running sums of today's popularity along each shelf.
    shelf_sums: Vec<Vec<f64>>,
    /// What each slot leads to, the most similar first.
    similar: Vec<Vec<Slot>>,
    by_similarity: Vec<f64>,
}

impl Catalogue {
    pub(super) fn new(seed: u64, items: usize, day: i64) -> Self {
        let mut rng = Rng::seed_from_u64(seed ^ 0x5348_454C_5645_5321);
        let mut popularity: Vec<f64> =
            (1..=items).map(|rank| (rank as f64 + ZIPF_Q * items as f64).powf(-ZIPF_S)).collect();
        popularity.shuffle(&mut rng);
        // Popularity is in random order already, so shelves may be runs of neighbouring slots.
        let shelves: Vec<Vec<Slot>> =
            (0..items).collect::<Vec<_>>().chunks(SHELF).map(<[usize]>::to_vec).collect();
        let shelf_of = (0..items).map(|slot| slot / SHELF).collect();
        let similar =
            (0..items).map(|slot| similar_to(slot, &shelves[slot / SHELF], &popularity, &mut rng)).collect();
        let weights: Vec<f64> = (0..SIMILAR).map(|k| (k as f64 + 1.0).powf(-SIMILAR_S)).collect();
        let mut catalogue = Self {
            seed,
            names: (0..items as u64).collect(),
            next_name: items as u64,
            today: popularity.clone(),
            today_total: 0.0,
            by_popularity: WeightedAliasIndex::new(popularity.clone())
                .expect("popularity is positive and finite"),
            popularity,
            shelf_of,
            shelf_sums: Vec::new(),
            shelves,
            similar,
            by_similarity: sums(weights.into_iter()),
        };
        catalogue.start_day(day);
        catalogue
    }

    /// Starts a day: the popularity of every item drifts.
    pub(super) fn start_day(&mut self, day: i64) {
        let mut rng =
            Rng::seed_from_u64(self.seed.wrapping_add(day as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for (today, popularity) in self.today.iter_mut().zip(&self.popularity) {
            let drift: f64 = StandardNormal.sample(&mut rng);
            *today = popularity * (DAILY_DRIFT * drift).exp();
        }
        self.today_total = self.today.iter().sum();
        self.by_popularity =
            WeightedAliasIndex::new(self.today.clone()).expect("popularity is positive and finite");
        self.shelf_sums =
            self.shelves.iter().map(|shelf| sums(shelf.iter().map(|&slot| self.today[slot]))).collect();
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name of the item that is in the slot now.
    pub(super) fn name(&self, slot: Slot) -> String {
        format!("item-{:06}", self.names[slot])
    }

    /// The number in that name; items that were there from the start have the least.
    #[cfg(test)]
    pub(super) fn number(&self, slot: Slot) -> u64 {
        self.names[slot]
    }

    /// A new item takes the slot.
    pub(super) fn launch(&mut self, slot: Slot) {
        self.names[slot] = self.next_name;
        self.next_name += 1;
    }

    /// The item's share of all views today, trends left out.
    pub(super) fn share(&self, slot: Slot) -> f64 {
        self.today[slot] / self.today_total
    }

    /// Any item, by its popularity.
    pub(super) fn any(&self, rng: &mut Rng) -> Slot {
        self.by_popularity.sample(rng)
    }

    /// An item of the same shelf, by its popularity.
    pub(super) fn of_shelf(&self, slot: Slot, rng: &mut Rng) -> Slot {
        let shelf = self.shelf_of[slot];
        self.shelves[shelf][draw(&self.shelf_sums[shelf], rng)]
    }

    /// An item that this one leads to, the most similar most often.
    pub(super) fn similar(&self, slot: Slot, rng: &mut Rng) -> Slot {
        let similar = &self.similar[slot];
        similar[draw(&self.by_similarity, rng).min(similar.len() - 1)]
    }
}

/// Items of the shelf in random order, popular ones earlier (weighted sampling without replacement
/// by exponential keys: Efraimidis and Spirakis, 2006).
fn similar_to(slot: Slot, shelf: &[Slot], popularity: &[f64], rng: &mut Rng) -> Vec<Slot> {
    let mut keyed: Vec<(f64, Slot)> = shelf
        .iter()
        .filter(|&&other| other != slot)
        .map(|&other| (-rng.random::<f64>().max(f64::MIN_POSITIVE).ln() / popularity[other].sqrt(), other))
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keyed.truncate(SIMILAR);
    let mut similar: Vec<Slot> = keyed.into_iter().map(|(_, other)| other).collect();
    // It was collected in the room of the whole shelf.
    similar.shrink_to_fit();
    similar
}

fn sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

/// A place in proportion to the steps between running sums.
fn draw(sums: &[f64], rng: &mut Rng) -> usize {
    let total = sums.last().copied().unwrap_or(0.0);
    let at = rng.random::<f64>() * total;
    sums.partition_point(|&sum| sum <= at).min(sums.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn what_is_similar_takes_no_more_room_than_it_needs() {
        let shelf: Vec<Slot> = (0..100).collect();
        let similar = similar_to(7, &shelf, &[1.0; 100], &mut Rng::seed_from_u64(7));
        assert_eq!((similar.len(), similar.capacity()), (SIMILAR, SIMILAR));
    }
}
