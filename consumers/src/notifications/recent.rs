//! A map that holds so many entries and no more.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// The entries that were added last. When it is full, the oldest makes room.
#[derive(Debug)]
pub(super) struct Recent<V> {
    most: usize,
    entries: HashMap<String, V>,
    /// Keys in the order of adding; those of removed entries stay until their turn comes.
    order: VecDeque<String>,
}

impl<V> Recent<V> {
    pub(super) fn new(most: usize) -> Self {
        assert!(most > 0, "a map for nothing");
        Self { most, entries: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Adds an entry under a key that is not there yet, and gives back the one that had to make
    /// room.
    pub(super) fn add(&mut self, key: &str, value: V) -> Option<V> {
        let mut gone = None;
        if self.order.len() == self.most {
            let oldest = self.order.pop_front().expect("it is full");
            gone = self.entries.remove(&oldest);
        }
        self.order.push_back(key.to_owned());
        self.entries.insert(key.to_owned(), value);
        gone
    }
}
