//! Which events were seen before: a producer that got no acknowledgement sends again.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

/// A hasher with fixed keys: the same numbers in every run.
type FixedHasher = BuildHasherDefault<DefaultHasher>;
type Generation = HashSet<u64, FixedHasher>;

/// Remembers the keys of the latest events: at least `capacity` of them, at most four times as
/// many.
///
/// A key is kept as a 64-bit fingerprint, in two *generations*. When the younger one is full, the
/// older is cleared and becomes the younger: no order of arrival must be kept, and a key costs 10
/// to 20 bytes.
///
/// # Simplifications
/// - Two keys with one fingerprint are taken for one: among 7 million that are remembered, that
///   happens once in some 10¹² events.
/// - A repeated key does not count as one of the latest again.
#[derive(Clone, Debug)]
pub struct DeduplicationWindow {
    /// Keys in one generation.
    capacity: usize,
    /// The younger one first.
    generations: [Generation; 2],
    /// What was seen before this window began; see [`SharedWindow`].
    inherited: Option<Arc<[Generation; 2]>>,
}

/// What a window remembers, for several windows to go on from. They share it.
#[derive(Clone, Debug)]
pub struct SharedWindow {
    capacity: usize,
    generations: Arc<[Generation; 2]>,
}

impl DeduplicationWindow {
    /// A window that has seen nothing. At least the latest `capacity` keys are remembered.
    pub fn new(capacity: usize) -> Self {
        Self {
            // As many as fill a hash table: one more would double it.
            capacity: (capacity.clamp(7, 1 << 40) * 8 / 7).next_power_of_two() / 8 * 7,
            generations: <[Generation; 2]>::default(),
            inherited: None,
        }
    }

    /// The fingerprint of a key that is seen for the first time among the latest ones; none of one
    /// that was seen before.
    pub fn first_seen<K: Hash + ?Sized>(&mut self, key: &K) -> Option<u64> {
        let fingerprint = FixedHasher::default().hash_one(key);
        let inherited = self.inherited.iter().flat_map(|generations| generations.iter());
        if self.generations.iter().chain(inherited).any(|seen| seen.contains(&fingerprint)) {
            return None;
        }
        if self.generations[0].len() >= self.capacity {
            self.generations.swap(0, 1);
            self.generations[0].clear();
        }
        self.generations[0].insert(fingerprint);
        Some(fingerprint)
    }

    /// Whether this key was seen before among the latest ones. From now on it was.
    pub fn is_duplicate<K: Hash + ?Sized>(&mut self, key: &K) -> bool {
        self.first_seen(key).is_none()
    }

    /// How many keys are remembered, what is inherited left out.
    pub fn remembered(&self) -> usize {
        self.generations.iter().map(HashSet::len).sum()
    }

    /// What is remembered, for several windows to go on from.
    ///
    /// # Panics
    /// When this window has itself inherited something.
    pub fn into_shared(self) -> SharedWindow {
        assert!(self.inherited.is_none(), "a window that inherits is not shared again");
        SharedWindow { capacity: self.capacity, generations: Arc::new(self.generations) }
    }
}

impl SharedWindow {
    /// A window for which what is shared here was seen before.
    pub fn window(&self) -> DeduplicationWindow {
        DeduplicationWindow {
            capacity: self.capacity,
            generations: <[Generation; 2]>::default(),
            inherited: Some(Arc::clone(&self.generations)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_keys_are_remembered_and_room_is_bounded() {
        const CAPACITY: usize = 100;
        let mut window = DeduplicationWindow::new(CAPACITY);
        for key in 0..10_000 {
            assert!(!window.is_duplicate(&key), "{key} is new");
            for back in 0..CAPACITY.min(key) {
                assert!(window.is_duplicate(&(key - back)), "{back} keys ago");
            }
            assert!(window.remembered() <= 2 * window.capacity);
        }
        assert!(!window.is_duplicate(&0), "the oldest are forgotten");
    }

    #[test]
    fn windows_that_share_what_was_seen_go_on_apart() {
        let mut before = DeduplicationWindow::new(10);
        assert!(before.first_seen("old").is_some());
        let shared = before.into_shared();
        let (mut one, mut other) = (shared.window(), shared.window());
        assert!(one.is_duplicate("old") && other.is_duplicate("old"));
        assert!(!one.is_duplicate("new") && !other.is_duplicate("new"), "each sees it for the first time");
        assert_eq!((one.remembered(), other.remembered()), (1, 1), "what is inherited is held once");
    }
}
