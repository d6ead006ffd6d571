//! Entries in the order in which they came, found by key.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::FixedHasher;

/// At most `capacity` entries, which leave in the order in which they came (*first in, first out*).
///
/// What a join of two streams needs, for each side waits for the other; and a queue of events whose
/// label comes later. A key is looked up in constant time: a table holds the entry's *sequence
/// number*, which is its place in the queue plus how many have left, and nothing else. The key
/// stands in the queue, once. So an entry takes its own bytes, a quarter more at most, and 6 to 23
/// for the table, which doubles also for the marks of what has left.
///
/// # Simplifications
/// - An entry can't be removed from the middle.
/// - When a key is pushed again, the newer entry is found, and the older stays until it leaves.
#[derive(Clone, Debug)]
pub struct FifoMap<K, V> {
    capacity: usize,
    entries: VecDeque<(K, V)>,
    /// How many have left: the sequence number of the first entry. It wraps around, and there are
    /// never so many entries that two have the same.
    left: u32,
    sequence: HashTable<u32>,
}

impl<K: Hash + Eq, V> FifoMap<K, V> {
    /// An empty map of at most `capacity` entries, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.clamp(1, 1 << 31),
            entries: VecDeque::new(),
            left: 0,
            sequence: HashTable::new(),
        }
    }

    /// Adds the newest entry; returns the oldest if it was evicted.
    pub fn push(&mut self, key: K, value: V) -> Option<(K, V)> {
        let evicted = if self.is_full() { self.pop_oldest() } else { None };
        let sequence = self.left.wrapping_add(self.entries.len() as u32);
        // What is in the table is in the queue, for each leaves both.
        let (entries, left) = (&self.entries, self.left);
        let key_at = |known: u32| key_at(entries, left, known);
        match self.sequence.entry(hash(&key), |&known| key_at(known) == &key, |&known| hash(key_at(known))) {
            Entry::Occupied(mut older) => *older.get_mut() = sequence,
            Entry::Vacant(free) => {
                free.insert(sequence);
            }
        }
        if self.entries.len() == self.entries.capacity() {
            // A quarter more: a queue would double, and these are the largest that there are.
            self.entries.reserve_exact((self.entries.len() / 4).max(16));
        }
        self.entries.push_back((key, value));
        evicted
    }

    /// Removes the oldest entry.
    pub fn pop_oldest(&mut self) -> Option<(K, V)> {
        let oldest = hash(&self.entries.front()?.0);
        let left = self.left;
        if let Ok(found) = self.sequence.find_entry(oldest, |&sequence| sequence == left) {
            found.remove();
        }
        self.left = left.wrapping_add(1);
        self.entries.pop_front()
    }

    /// The oldest entry's value.
    pub fn oldest(&self) -> Option<&V> {
        self.at(0)
    }

    /// The newest entry's value.
    pub fn newest(&self) -> Option<&V> {
        self.entries.back().map(|(_, value)| value)
    }

    /// The value at a place in the order of arrival; the oldest stands at 0.
    pub fn at(&self, place: usize) -> Option<&V> {
        self.entries.get(place).map(|(_, value)| value)
    }

    /// Where the entry of this key stands; see [`at`](Self::at).
    pub fn place<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        let is_it = |&sequence: &u32| key_at(&self.entries, self.left, sequence).borrow() == key;
        let sequence = *self.sequence.find(hash(key), is_it)?;
        Some(sequence.wrapping_sub(self.left) as usize)
    }

    /// The value of this key.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key)?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is an entry of this key.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the next entry evicts the oldest.
    pub fn is_full(&self) -> bool {
        self.entries.len() >= self.capacity
    }

    /// All entries, the oldest first.
    pub fn into_entries(self) -> impl Iterator<Item = (K, V)> {
        self.entries.into_iter()
    }
}

fn hash<Q: Hash + ?Sized>(key: &Q) -> u64 {
    FixedHasher::default().hash_one(key)
}

/// The key of the entry with this sequence number.
fn key_at<K, V>(entries: &VecDeque<(K, V)>, left: u32, sequence: u32) -> &K {
    &entries[sequence.wrapping_sub(left) as usize].0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut map = FifoMap::new(3);
        for (at, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert_eq!(map.push(key, at), (key == "d").then_some(("a", 0)));
        }
        assert!(map.get_mut("a").is_none() && !map.contains_key("a"));
        assert_eq!(map.get_mut("d"), Some(&mut 3));
        assert_eq!((map.place("d"), map.oldest()), (Some(2), Some(&1)));
    }

    /// What the module says of its memory, at whatever size.
    #[test]
    fn an_entry_takes_a_quarter_more_than_its_own_bytes_and_23() {
        let mut map = FifoMap::new(100_000);
        for key in 0..300_000_u64 {
            map.push(key, [0_u8; 32]);
            let reserved = map.entries.capacity();
            let most = map.len() * 5 / 4 + 16;
            assert!(reserved <= most, "room for {reserved} of {} entries", map.len());
        }
        let table = map.sequence.allocation_size();
        assert!(table <= 23 * map.len(), "{table} bytes to find {} entries", map.len());
    }

    proptest! {
        /// Against a list that is walked through.
        #[test]
        fn keys_are_found_where_a_walk_finds_them(
            steps in prop::collection::vec((0_u8..12, any::<bool>()), 0..80),
            capacity in 0_usize..6,
        ) {
            let mut map = FifoMap::new(capacity);
            let mut naive: Vec<(u8, usize)> = Vec::new();
            for (number, &(key, pop)) in steps.iter().enumerate() {
                if pop {
                    let oldest = (!naive.is_empty()).then(|| naive.remove(0));
                    prop_assert_eq!(map.pop_oldest(), oldest);
                } else {
                    let evicted = (naive.len() == capacity.max(1)).then(|| naive.remove(0));
                    naive.push((key, number));
                    prop_assert_eq!(map.push(key, number), evicted);
                }
                for key in 0..12 {
                    let place = naive.iter().rposition(|entry| entry.0 == key);
                    prop_assert_eq!(map.place(&key), place);
                    prop_assert_eq!(map.get_mut(&key).copied(), place.map(|place| naive[place].1));
                }
                prop_assert_eq!(map.newest(), naive.last().map(|entry| &entry.1));
                prop_assert_eq!((map.len(), map.is_empty()), (naive.len(), naive.is_empty()));
            }
            let keys: std::collections::HashSet<u8> = naive.iter().map(|entry| entry.0).collect();
            prop_assert_eq!(map.sequence.len(), keys.len(), "what has left is not looked for");
            prop_assert_eq!(map.into_entries().collect::<Vec<_>>(), naive);
        }
    }
}
