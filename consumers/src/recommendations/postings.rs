//! The posting list of an item: the latest sessions that met it, in a ring.

/// Numbers of sessions, at most `capacity` of them; the newest takes the place of the oldest.
#[derive(Clone, Debug, Default)]
pub(super) struct PostingRing {
    sessions: Vec<u32>,
    /// Where the next one goes once the ring is full: the place of the oldest.
    next: usize,
}

impl PostingRing {
    /// Adds the newest. A list that would grow loses what is no longer `held` first.
    pub(super) fn push(&mut self, session: u32, capacity: usize, held: impl Fn(u32) -> bool) {
        if self.sessions.len() < capacity {
            if self.sessions.len() == self.sessions.capacity() {
                self.sessions.retain(|&session| held(session));
                // A quarter more: a vector would double.
                self.sessions.reserve_exact((self.sessions.len() / 4).max(2));
            }
            self.sessions.push(session);
        } else if let Some(oldest) = self.sessions.get_mut(self.next) {
            *oldest = session;
            self.next = (self.next + 1) % capacity;
        }
    }

    /// All of them, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = u32> {
        let (newer, older) = self.sessions.split_at(self.next);
        newer.iter().rev().chain(older.iter().rev()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a list that keeps everything.
        #[test]
        fn a_ring_is_the_end_of_the_list(sessions in prop::collection::vec(any::<u32>(), 0..50), capacity in 1_usize..12) {
            let mut ring = PostingRing::default();
            for &session in &sessions {
                ring.push(session, capacity, |_| true);
            }
            let naive: Vec<u32> = sessions.iter().rev().take(capacity).copied().collect();
            prop_assert_eq!(ring.newest_first().collect::<Vec<_>>(), naive);
            prop_assert!(ring.sessions.len() <= capacity);
        }
    }

    #[test]
    fn a_ring_does_not_grow_by_what_is_no_longer_held() {
        let mut ring = PostingRing::default();
        for session in 0..10_000 {
            ring.push(session, 500, |other| session - other < 20);
        }
        assert!(ring.sessions.capacity() <= 40, "{}", ring.sessions.capacity());
        assert_eq!(
            ring.newest_first().take(20).collect::<Vec<_>>(),
            (9_980..10_000).rev().collect::<Vec<_>>()
        );
    }
}
