//! The latest entries, in two generations.

use super::FixedHashMap;

/// The latest entries by [`fingerprint`](super::fingerprint): at least `capacity` of them, at most
/// four times as many.
///
/// They are kept in two *generations*. When the younger one is full, the older is cleared and
/// becomes the younger: no order of arrival must be kept, and an entry costs little more than its
/// value and the fingerprint.
#[derive(Clone, Debug)]
pub struct RecentMap<V> {
    /// Entries in one generation.
    capacity: usize,
    /// The younger one first.
    generations: [FixedHashMap<u64, V>; 2],
}

impl<V> RecentMap<V> {
    /// An empty map that keeps at least the latest `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self {
            // As many as fill a hash table: one more would double it.
            capacity: (capacity.clamp(7, 1 << 40) * 8 / 7).next_power_of_two() / 8 * 7,
            generations: [FixedHashMap::default(), FixedHashMap::default()],
        }
    }

    /// Whether there is an entry under this fingerprint.
    pub fn contains(&self, fingerprint: u64) -> bool {
        self.generations.iter().any(|generation| generation.contains_key(&fingerprint))
    }

    /// Adds the newest entry.
    pub fn insert(&mut self, fingerprint: u64, value: V) {
        if self.generations[0].len() >= self.capacity {
            self.generations.swap(0, 1);
            self.generations[0].clear();
        }
        self.generations[0].insert(fingerprint, value);
        assert!(
            self.generations[0].len() <= self.capacity,
            "a generation of {} entries, of {} at most",
            self.generations[0].len(),
            self.capacity
        );
    }

    /// Removes the newest entry under this fingerprint.
    pub fn remove(&mut self, fingerprint: u64) -> Option<V> {
        self.generations.iter_mut().find_map(|generation| generation.remove(&fingerprint))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.generations.iter().map(FixedHashMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An empty map with the same capacity.
    #[must_use]
    pub fn empty(&self) -> Self {
        Self { generations: [FixedHashMap::default(), FixedHashMap::default()], ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stay_and_room_is_bounded() {
        const CAPACITY: u64 = 100;
        let mut map = RecentMap::new(CAPACITY as usize);
        for key in 0..10_000 {
            assert!(!map.contains(key));
            map.insert(key, 2 * key);
            assert!((0..CAPACITY.min(key)).all(|back| map.contains(key - back)), "after {key}");
            assert!(map.len() <= 2 * map.capacity && map.capacity <= 2 * CAPACITY as usize);
            let tables = map.generations.iter().map(FixedHashMap::capacity);
            assert!(tables.max().unwrap() <= map.capacity, "a table has doubled");
        }
        assert!(!map.contains(0), "the oldest are forgotten");
        assert_eq!((map.remove(9_999), map.remove(9_999)), (Some(19_998), None));
        assert!(map.empty().is_empty() && map.empty().capacity == map.capacity);
    }
}
