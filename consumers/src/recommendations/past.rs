//! Past sessions and who met what: the memory that nearest neighbours are looked up in.
//!
//! A session enters with its second item and grows while it is still going on; there is no nightly
//! index. One that met a single thing has nothing to propose to others, and in most logs would take
//! up half of the places here. A session is known by a number that counts up (and one day wraps
//! round), so "the most recent" is a comparison of numbers.

use std::collections::VecDeque;

use super::catalogue::ItemId;
use super::decay::ForwardDecay;
use super::postings::PostingRing;

/// One session as others see it.
#[derive(Clone, Debug)]
pub(super) struct PastSession {
    /// What it met, each item once, in the order of first meeting.
    pub(super) items: Vec<ItemId>,
    /// How much it has to say as a neighbour, in units of [`PastSessions::unit`]: less the older it
    /// is, and less the more it met, by the root of the number (as in cosine similarity). 0
    /// once it is found out to be a program.
    pub(super) say: f32,
}

/// The latest sessions, bounded by their number and by the items in them.
#[derive(Clone, Debug)]
pub(super) struct PastSessions {
    capacity: usize,
    most_entries: usize,
    posting: usize,
    decay: ForwardDecay,
    /// The oldest in front.
    sessions: VecDeque<PastSession>,
    /// The number of the session that will be the next.
    next: u32,
    entries: usize,
    /// By slot of the item.
    rings: Vec<PostingRing>,
}

impl PastSessions {
    /// `half_life_ms` is that of a session's say.
    pub(super) fn new(
        capacity: usize,
        most_entries: usize,
        posting: usize,
        half_life_ms: i64,
        now_ms: i64,
    ) -> Self {
        Self {
            // Half of what the numbers can tell apart, so that old and new are never confused.
            capacity: capacity.clamp(1, 1 << 31),
            most_entries,
            posting: posting.max(1),
            decay: ForwardDecay::new(half_life_ms, now_ms),
            sessions: VecDeque::new(),
            next: 0,
            entries: 0,
            rings: Vec::new(),
        }
    }

    /// A session begins; the oldest make room.
    pub(super) fn begin(&mut self) -> u32 {
        if self.sessions.len() >= self.capacity {
            self.forget_oldest();
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.sessions.push_back(PastSession { items: Vec::new(), say: 0.0 });
        number
    }

    /// The session meets an item for the first time. Nothing happens if the session is forgotten.
    pub(super) fn meet(&mut self, number: u32, item: ItemId, at_ms: i64, now_ms: i64) {
        if let Some(factor) = self.decay.move_on(now_ms) {
            self.sessions.iter_mut().for_each(|session| session.say *= factor as f32);
        }
        while self.entries >= self.most_entries && !self.sessions.is_empty() {
            self.forget_oldest();
        }
        let Some(place) = self.place(number) else { return };
        let session = &mut self.sessions[place];
        let before = session.say * (session.items.len() as f32).sqrt();
        session.items.push(item);
        session.say = before.max(self.decay.weight(at_ms) as f32) / (session.items.len() as f32).sqrt();
        self.entries += 1;
        if self.rings.len() <= item.slot() {
            self.rings.resize_with(item.slot() + 1, PostingRing::default);
        }
        self.rings[item.slot()].push(number, self.posting);
    }

    /// The session turned out to be a program's.
    pub(super) fn unmask(&mut self, number: u32) {
        if let Some(place) = self.place(number) {
            self.sessions[place].say = 0.0;
        }
    }

    /// Whether the session of this number is remembered.
    pub(super) fn remembers(&self, number: u32) -> bool {
        self.place(number).is_some()
    }

    /// The session at a place that [`met`](Self::met) gave; the oldest stands at 0.
    pub(super) fn at(&self, place: u32) -> &PastSession {
        &self.sessions[place as usize]
    }

    /// What a [say](PastSession::say) is to be multiplied by, for that of a session of one item
    /// that ends now to be 1.
    pub(super) fn unit(&self, now_ms: i64) -> f64 {
        1.0 / self.decay.weight(now_ms)
    }

    /// Number and place of the sessions that met the item, the newest first; forgotten ones are
    /// left out.
    pub(super) fn met(&self, item: ItemId) -> impl Iterator<Item = (u32, u32)> {
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

    /// How many sessions are remembered.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    fn forget_oldest(&mut self) {
        self.entries -= self.sessions.pop_front().map_or(0, |session| session.items.len());
    }

    /// Where the session of this number stands, the oldest at 0.
    fn place(&self, number: u32) -> Option<usize> {
        let age = self.next.wrapping_sub(number) as usize;
        (1..=self.sessions.len()).contains(&age).then(|| self.sessions.len() - age)
    }
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
            let items: Vec<ItemId> = (0..8).map(|item: usize| catalogue.meet(&item.to_string()).item).collect();
            let mut past = PastSessions::new(capacity, usize::MAX, 500, 1_000, 0);
            past.next = u32::MAX - 10; // the numbers wrap round on the way
            let first = past.next;
            let mut naive: Vec<Vec<usize>> = Vec::new();
            let mut meetings: Vec<(usize, usize)> = Vec::new(); // (session, item) in order
            for &(item, back, begin) in &steps {
                if begin || naive.is_empty() {
                    past.begin();
                    naive.push(Vec::new());
                }
                let session = naive.len() - 1 - (back as usize % naive.len().min(capacity));
                if !naive[session].contains(&item) {
                    naive[session].push(item);
                    meetings.push((session, item));
                    past.meet(first.wrapping_add(session as u32), items[item], 0, 0);
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
                prop_assert_eq!(past.met(id).map(|(number, _)| number).collect::<Vec<_>>(), expected);
            }
            prop_assert_eq!(past.entries, past.sessions.iter().map(|session| session.items.len()).sum::<usize>());
        }
    }

    #[test]
    fn the_items_of_all_sessions_are_bounded() {
        let mut catalogue = Catalogue::new(100);
        let mut past = PastSessions::new(1_000, 50, 500, 1_000, 0);
        for _ in 0..100 {
            let number = past.begin();
            for item in 0..10 {
                past.meet(number, catalogue.meet(&item.to_string()).item, 0, 0);
            }
        }
        assert_eq!((past.entries, past.len()), (50, 5));
    }

    #[test]
    fn a_session_says_less_the_older_and_the_longer_it_is() {
        let mut catalogue = Catalogue::new(100);
        let mut past = PastSessions::new(10, 100, 500, 1_000, 0);
        let mut say = |met: &[i64], now_ms| {
            let number = past.begin();
            for (item, &at_ms) in met.iter().enumerate() {
                past.meet(number, catalogue.meet(&item.to_string()).item, at_ms, now_ms);
            }
            let newest = past.len() as u32 - 1;
            past.at(newest).say * past.unit(now_ms) as f32
        };
        // A hundred half-lives have passed between the first and the others: the landmark has moved
        // on.
        for (met, now_ms, expected) in [
            (&[0][..], 0, 1.0),
            (&[100_000], 100_000, 1.0),
            (&[100_000; 4], 100_000, 0.5),
            (&[99_000; 4], 100_000, 0.25),
            (&[100_000, 99_000, 99_000, 99_000], 100_000, 0.5),
        ] {
            assert!((say(met, now_ms) - expected).abs() < 1e-6, "{met:?}");
        }
        assert!(past.at(0).say < 1e-6);
        past.unmask(past.next.wrapping_sub(1));
        assert!(past.at(past.len() as u32 - 1).say <= 0.0, "a program says nothing");
    }
}
