//! The index of past sessions by item, in which nearest neighbours are looked up.
//!
//! A session enters with its second item and grows while it lasts; no job rebuilds the index. A
//! session with one item has nothing to propose to others, and in most logs such sessions would
//! take up half of the index. Sessions are numbered in the order in which they enter (one day the
//! number wraps around), so the more recent of two has the greater number.

use std::collections::VecDeque;

use super::catalogue::ItemId;
use super::decay::ForwardDecay;
use super::postings::PostingRing;

/// One session in the index.
#[derive(Clone, Debug)]
pub(super) struct IndexedSession {
    /// Its items, each once, in the order in which it first met them. Most have a few, and none
    /// of them room for more: a vector is a word longer.
    pub(super) items: Box<[ItemId]>,
    /// Its weight as a neighbour, in units of [`SessionIndex::unit`]. It falls with age, and with
    /// the square root of the number of items (as in cosine similarity). It is 0 once the session
    /// is known to be a bot's.
    pub(super) weight: f32,
}

/// The latest sessions, bounded by their number and by the items in them.
#[derive(Clone, Debug)]
pub(super) struct SessionIndex {
    capacity: usize,
    max_items: usize,
    posting: usize,
    decay: ForwardDecay,
    /// The oldest in front.
    sessions: VecDeque<IndexedSession>,
    /// The number of the session that will be the next.
    next: u32,
    items: usize,
    /// By slot of the item.
    rings: Vec<PostingRing>,
}

impl SessionIndex {
    /// `half_life_ms` is that of a session's weight.
    pub(super) fn new(
        capacity: usize,
        max_items: usize,
        posting: usize,
        half_life_ms: i64,
        now_ms: i64,
    ) -> Self {
        Self {
            // Half of the range of the numbers, so that an old one is never taken for a new one.
            capacity: capacity.clamp(1, 1 << 31),
            max_items,
            posting: posting.max(1),
            decay: ForwardDecay::new(half_life_ms, now_ms),
            sessions: VecDeque::new(),
            next: 0,
            items: 0,
            rings: Vec::new(),
        }
    }

    /// Adds a session, and returns its number. The oldest is evicted if the index is full.
    pub(super) fn add_session(&mut self) -> u32 {
        if self.sessions.len() >= self.capacity {
            self.evict_oldest();
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        assert!(self.sessions.len() < self.capacity, "the index holds {} sessions", self.sessions.len());
        if self.sessions.len() == self.sessions.capacity() {
            // A quarter more: a queue would double.
            self.sessions.reserve_exact((self.sessions.len() / 4).max(16));
        }
        self.sessions.push_back(IndexedSession { items: Box::default(), weight: 0.0 });
        number
    }

    /// Adds an item that the session has met for the first time. Does nothing if the session was
    /// evicted.
    pub(super) fn add_item(&mut self, number: u32, item: ItemId, at_ms: i64, now_ms: i64) {
        if let Some(factor) = self.decay.advance_landmark(now_ms) {
            self.sessions.iter_mut().for_each(|session| session.weight *= factor as f32);
        }
        while self.items >= self.max_items && !self.sessions.is_empty() {
            self.evict_oldest();
        }
        let Some(place) = self.place(number) else { return };
        let session = &mut self.sessions[place];
        let before = session.weight * (session.items.len() as f32).sqrt();
        let mut items = std::mem::take(&mut session.items).into_vec();
        items.reserve_exact(1);
        items.push(item);
        session.items = items.into();
        session.weight = before.max(self.decay.weight(at_ms) as f32) / (session.items.len() as f32).sqrt();
        self.items += 1;
        if self.rings.len() <= item.slot() {
            self.rings.resize_with(item.slot() + 1, PostingRing::default);
        }
        let (sessions, next) = (self.sessions.len(), self.next);
        let held = |other| place_of(other, next, sessions).is_some();
        self.rings[item.slot()].push(number, self.posting, held);
    }

    /// The session is a bot's: it is no neighbour from now on.
    pub(super) fn mark_as_bot(&mut self, number: u32) {
        if let Some(place) = self.place(number) {
            self.sessions[place].weight = 0.0;
        }
    }

    /// Whether the session of this number is in the index.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.place(number).is_some()
    }

    /// The session at a place that [`sessions_with`](Self::sessions_with) gave; the oldest is at 0.
    pub(super) fn at(&self, place: u32) -> &IndexedSession {
        &self.sessions[place as usize]
    }

    /// The factor that makes the [weight](IndexedSession::weight) of a session of one item that
    /// ends now equal to 1.
    pub(super) fn unit(&self, now_ms: i64) -> f64 {
        1.0 / self.decay.weight(now_ms)
    }

    /// Number and place of the sessions that met the item, the newest first, without those that
    /// were evicted.
    pub(super) fn sessions_with(&self, item: ItemId) -> impl Iterator<Item = (u32, u32)> {
        self.rings
            .get(item.slot())
            .into_iter()
            .flat_map(PostingRing::newest_first)
            .filter_map(|number| self.place(number).map(|place| (number, place as u32)))
    }

    /// The slot belongs to another item now.
    pub(super) fn clear(&mut self, slot: usize) {
        if let Some(ring) = self.rings.get_mut(slot) {
            *ring = PostingRing::default();
        }
    }

    /// How many sessions are in the index.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    fn evict_oldest(&mut self) {
        let evicted = self.sessions.pop_front().map_or(0, |session| session.items.len());
        assert!(evicted <= self.items, "{evicted} items of one session, {} of all", self.items);
        self.items -= evicted;
    }

    /// The place of the session of this number; the oldest is at 0.
    fn place(&self, number: u32) -> Option<usize> {
        place_of(number, self.next, self.sessions.len())
    }
}

/// The place of a session among `sessions`, of which the next has the number `next`.
fn place_of(number: u32, next: u32, sessions: usize) -> Option<usize> {
    let age = next.wrapping_sub(number) as usize;
    (1..=sessions).contains(&age).then(|| sessions - age)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a list of all sessions and a walk through all of them.
        #[test]
        fn postings_agree_with_a_walk_through_all_sessions(
            steps in prop::collection::vec((0_usize..8, 0_u32..30, any::<bool>()), 0..200),
            capacity in 1_usize..10,
        ) {
            let mut catalogue = Catalogue::new(100);
            let items: Vec<ItemId> = (0..8).map(|item: usize| catalogue.get_or_insert(&item.to_string()).item).collect();
            let mut index = SessionIndex::new(capacity, usize::MAX, 500, 1_000, 0);
            index.next = u32::MAX - 10; // the numbers wrap around on the way
            let first = index.next;
            let mut naive: Vec<Vec<usize>> = Vec::new();
            let mut meetings: Vec<(usize, usize)> = Vec::new(); // (session, item) in order
            for &(item, back, begin) in &steps {
                if begin || naive.is_empty() {
                    index.add_session();
                    naive.push(Vec::new());
                }
                let session = naive.len() - 1 - (back as usize % naive.len().min(capacity));
                if !naive[session].contains(&item) {
                    naive[session].push(item);
                    meetings.push((session, item));
                    index.add_item(first.wrapping_add(session as u32), items[item], 0, 0);
                }
            }
            let oldest = naive.len().saturating_sub(capacity);
            for (item, &id) in items.iter().enumerate() {
                let expected: Vec<u32> = meetings
                    .iter()
                    .rev()
                    .filter(|&&(session, met)| met == item && session >= oldest)
                    .map(|&(session, _)| first.wrapping_add(session as u32))
                    .collect();
                prop_assert_eq!(index.sessions_with(id).map(|(number, _)| number).collect::<Vec<_>>(), expected);
            }
            prop_assert_eq!(index.items, index.sessions.iter().map(|session| session.items.len()).sum::<usize>());
        }
    }

    #[test]
    fn the_items_of_all_sessions_are_bounded() {
        let mut catalogue = Catalogue::new(100);
        let mut index = SessionIndex::new(1_000, 50, 500, 1_000, 0);
        for _ in 0..100 {
            let number = index.add_session();
            for item in 0..10 {
                index.add_item(number, catalogue.get_or_insert(&item.to_string()).item, 0, 0);
            }
        }
        assert_eq!((index.items, index.len()), (50, 5));
    }

    /// Some 80,000 are kept of each partition.
    #[test]
    fn a_session_takes_three_words_and_its_items() {
        assert_eq!(size_of::<IndexedSession>(), 24);
    }

    #[test]
    fn a_session_weighs_less_the_older_and_the_longer_it_is() {
        let mut catalogue = Catalogue::new(100);
        let mut index = SessionIndex::new(10, 100, 500, 1_000, 0);
        let mut weight = |met: &[i64], now_ms| {
            let number = index.add_session();
            for (item, &at_ms) in met.iter().enumerate() {
                index.add_item(number, catalogue.get_or_insert(&item.to_string()).item, at_ms, now_ms);
            }
            let newest = index.len() as u32 - 1;
            index.at(newest).weight * index.unit(now_ms) as f32
        };
        // A hundred half-lives lie between the first and the others: the landmark has moved.
        for (met, now_ms, expected) in [
            (&[0][..], 0, 1.0),
            (&[100_000], 100_000, 1.0),
            (&[100_000; 4], 100_000, 0.5),
            (&[99_000; 4], 100_000, 0.25),
            (&[100_000, 99_000, 99_000, 99_000], 100_000, 0.5),
        ] {
            assert!((weight(met, now_ms) - expected).abs() < 1e-6, "{met:?}");
        }
        assert!(index.at(0).weight < 1e-6);
        index.mark_as_bot(index.next.wrapping_sub(1));
        assert!(index.at(index.len() as u32 - 1).weight <= 0.0, "a bot has no weight");
    }
}
