//! Which events were seen before: a producer that got no acknowledgement sends again.

use std::hash::Hash;
use std::sync::Arc;

use crate::bounded::{RecentMap, fingerprint};

/// Remembers the keys of the latest events: at least `capacity` of them, at most four times as
/// many.
///
/// A key is kept as its [`fingerprint`], which costs 10 to 20 bytes.
///
/// # Simplifications
/// - Two keys with one fingerprint are taken for one.
/// - A repeated key does not count as one of the latest again.
#[derive(Clone, Debug)]
pub struct DeduplicationWindow {
    seen: RecentMap<()>,
    /// What was seen before this window began; see [`SharedWindow`].
    inherited: Option<Arc<RecentMap<()>>>,
}

/// The keys of a window, from which several windows start. They share them.
#[derive(Clone, Debug)]
pub struct SharedWindow {
    seen: Arc<RecentMap<()>>,
}

impl DeduplicationWindow {
    /// A window that has seen nothing. At least the latest `capacity` keys are remembered.
    pub fn new(capacity: usize) -> Self {
        Self { seen: RecentMap::new(capacity), inherited: None }
    }

    /// The fingerprint of a key that is seen for the first time among the latest ones; none of one
    /// that was seen before.
    pub fn first_seen<K: Hash + ?Sized>(&mut self, key: &K) -> Option<u64> {
        let fingerprint = fingerprint(key);
        let inherited = self.inherited.as_ref().is_some_and(|seen| seen.contains(fingerprint));
        if inherited || self.seen.contains(fingerprint) {
            return None;
        }
        self.seen.insert(fingerprint, ());
        Some(fingerprint)
    }

    /// Whether this key was seen before among the latest ones. From now on it was.
    pub fn is_duplicate<K: Hash + ?Sized>(&mut self, key: &K) -> bool {
        self.first_seen(key).is_none()
    }

    /// From now on clones of this window share what it has seen so far, and hold only what each
    /// sees itself. What was shared before stays so.
    pub fn share_history(&mut self) {
        if self.inherited.is_none() {
            let empty = self.seen.empty();
            self.inherited = Some(Arc::new(std::mem::replace(&mut self.seen, empty)));
        }
    }

    /// How many keys are remembered, what is inherited left out.
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// The keys of this window, from which several windows start.
    ///
    /// # Panics
    /// When this window has itself inherited something.
    pub fn into_shared(self) -> SharedWindow {
        assert!(self.inherited.is_none(), "a window that inherits is not shared again");
        SharedWindow { seen: Arc::new(self.seen) }
    }
}

impl SharedWindow {
    /// A window for which what is shared here was seen before.
    pub fn window(&self) -> DeduplicationWindow {
        DeduplicationWindow { seen: self.seen.empty(), inherited: Some(Arc::clone(&self.seen)) }
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
            assert!(window.remembered() <= 4 * CAPACITY);
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

    #[test]
    fn clones_of_a_window_that_shares_hold_only_what_they_see() {
        let mut past = DeduplicationWindow::new(10);
        assert!(past.first_seen("old").is_some());
        past.share_history();
        let (mut one, mut other) = (past.clone(), past.clone());
        assert_eq!(one.remembered() + other.remembered(), 0);
        assert!(!one.is_duplicate("new") && !other.is_duplicate("new"), "each sees it for the first time");
        one.share_history();
        assert!(one.is_duplicate("old") && one.is_duplicate("new") && other.is_duplicate("old"));
    }
}
