//! Past sessions and who met what: the memory that nearest neighbours are looked up in.
//!
//! A session enters with its first item and grows while it is still going on; there is no nightly index. It is known by
//! a number that counts up (and one day wraps round), so "the most recent" is a comparison of numbers.

use std::collections::VecDeque;

use super::catalogue::ItemId;
use super::postings::PostingRing;

/// One session as others see it.
#[derive(Clone, Debug)]
pub(super) struct PastSession {
    /// What it met, each item once, in the order of first meeting.
    pub(super) items: Vec<ItemId>,
    /// When it last met something new, in milliseconds of the model's time.
    pub(super) last_ms: i64,
    /// Found out to be a machine: nobody's neighbour.
    pub(super) bot: bool,
}

/// The latest sessions, bounded by their number and by the items in them.
#[derive(Clone, Debug)]
pub(super) struct PastSessions {
    capacity: usize,
    most_entries: usize,
    posting: usize,
    sessions: VecDeque<PastSession>,
    /// The number of the session that will be the next.
    next: u32,
    entries: usize,
    /// By slot of the item.
    rings: Vec<PostingRing>,
}

impl PastSessions {
    pub(super) fn new(capacity: usize, most_entries: usize, posting: usize) -> Self {
        Self {
            // Half of what the numbers can tell apart, so that old and new are never confused.
            capacity: capacity.clamp(1, 1 << 31),
            most_entries,
            posting: posting.max(1),
            sessions: VecDeque::new(),
            next: 0,
            entries: 0,
            rings: Vec::new(),
        }
    }

    /// A session begins; the oldest make room.
    pub(super) fn begin(&mut self, now_ms: i64) -> u32 {
        if self.sessions.len() >= self.capacity {
            self.forget_oldest();
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.sessions.push_back(PastSession { items: Vec::new(), last_ms: now_ms, bot: false });
        number
    }

    /// The session meets an item for the first time. Nothing happens if the session is forgotten.
    pub(super) fn meet(&mut self, number: u32, item: ItemId, at_ms: i64) {
        while self.entries >= self.most_entries && !self.sessions.is_empty() {
            self.forget_oldest();
        }
        let Some(place) = self.place(number) else { return };
        let session = &mut self.sessions[place];
        session.items.push(item);
        session.last_ms = session.last_ms.max(at_ms);
        self.entries += 1;
        if self.rings.len() <= item.slot() {
            self.rings.resize_with(item.slot() + 1, PostingRing::default);
        }
        self.rings[item.slot()].push(number, self.posting);
    }

    /// The session turned out to be a machine.
    pub(super) fn unmask(&mut self, number: u32) {
        if let Some(place) = self.place(number) {
            self.sessions[place].bot = true;
        }
    }

    /// The session of this number, unless it is forgotten.
    pub(super) fn get(&self, number: u32) -> Option<&PastSession> {
        self.place(number).map(|place| &self.sessions[place])
    }

    /// The session and where it stands, unless it is forgotten.
    pub(super) fn find(&self, number: u32) -> Option<(usize, &PastSession)> {
        self.place(number).map(|place| (place, &self.sessions[place]))
    }

    /// The number of the session that began last.
    pub(super) fn newest(&self) -> u32 {
        self.next.wrapping_sub(1)
    }

    /// Sessions that met the item, the newest first; forgotten ones are left out.
    pub(super) fn met(&self, item: ItemId) -> impl Iterator<Item = (u32, usize)> {
        self.rings
            .get(item.slot())
            .into_iter()
            .flat_map(PostingRing::newest_first)
            .map_while(|number| self.place(number).map(|place| (number, place)))
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
            let mut past = PastSessions::new(capacity, usize::MAX, 500);
            past.next = u32::MAX - 10; // the numbers wrap round on the way
            let first = past.next;
            let mut naive: Vec<Vec<usize>> = Vec::new();
            let mut meetings: Vec<(usize, usize)> = Vec::new(); // (session, item) in order
            for &(item, back, begin) in &steps {
                if begin || naive.is_empty() {
                    past.begin(0);
                    naive.push(Vec::new());
                }
                let session = naive.len() - 1 - (back as usize % naive.len().min(capacity));
                if !naive[session].contains(&item) {
                    naive[session].push(item);
                    meetings.push((session, item));
                    past.meet(first.wrapping_add(session as u32), items[item], 0);
                }
            }
            let oldest = naive.len().saturating_sub(capacity);
            for (item, &id) in items.iter().enumerate() {
                let expected: Vec<u32> = meetings
                    .iter()
                    .rev()
                    .filter(|&&(_, met)| met == item)
                    .take_while(|&&(session, _)| session >= oldest)
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
        let mut past = PastSessions::new(1_000, 50, 500);
        for _ in 0..100 {
            let number = past.begin(0);
            for item in 0..10 {
                past.meet(number, catalogue.meet(&item.to_string()).item, 0);
            }
        }
        assert_eq!((past.entries, past.len()), (50, 5));
    }
}
