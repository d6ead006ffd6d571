//! Live sessions: the items that each has met, and how much it is interested in them.
//!
//! No map of [`processor::bounded`] serves here, because the bound is on the items of all sessions
//! together, and a session that came back stays for another round.
//!
//! # Simplifications
//! - A session is known by the fingerprint of its id: two of a million are alike once in 40 million
//!   times.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use events::Click;
use hashbrown::HashMap;
use processor::bounded::fingerprint;

use super::config::RecommendationsConfig;
use super::history::History;
use super::packed_visit::PackedVisit;
use super::visit::{SessionItem, Visit};

/// All sessions that may continue, bounded by their number and by the sum of their items.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    /// By the [`fingerprint`] of the session's id.
    visits: HashMap<u64, PackedVisit>,
    /// The oldest in front; one that was active since goes to the back and is not evicted ("second
    /// chance").
    queue: VecDeque<u64>,
    entries: usize,
    /// What all clones share: a session of it is copied when it continues.
    history: Arc<History>,
}

/// A visit that is worked with. What becomes of it is held once it is dropped.
pub(super) struct OpenVisit<'a> {
    visit: Visit,
    held: &'a mut PackedVisit,
}

impl<'a> OpenVisit<'a> {
    fn new(held: &'a mut PackedVisit) -> Self {
        Self { visit: held.get(), held }
    }
}

impl Deref for OpenVisit<'_> {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl DerefMut for OpenVisit<'_> {
    fn deref_mut(&mut self) -> &mut Visit {
        &mut self.visit
    }
}

impl Drop for OpenVisit<'_> {
    fn drop(&mut self) {
        self.held.set(&self.visit);
    }
}

impl Visits {
    pub(super) fn new() -> Self {
        Self { visits: HashMap::new(), queue: VecDeque::new(), entries: 0, history: Arc::default() }
    }

    /// From now on all clones share what is known so far. Most of those sessions have ended, and
    /// each clone would hold a copy of them.
    pub(super) fn share_history(&mut self) {
        if self.visits.is_empty() {
            return;
        }
        let mut history = std::mem::take(&mut self.visits);
        for (id, visit) in self.history.iter() {
            history.entry(id).or_insert(visit);
        }
        *self = Self { history: Arc::new(History::new(history)), ..Self::new() };
    }

    /// The session of a click takes it; a new session begins if there is none. Returns the session,
    /// and whether the item is new to it.
    pub(super) fn observe(
        &mut self,
        click: &Click,
        item: Option<SessionItem>,
        now_ms: i64,
        config: &RecommendationsConfig,
    ) -> (OpenVisit<'_>, bool) {
        self.observe_beside(None, click, item, now_ms, config)
    }

    /// The same, where a session that is not here goes on from how it stands in `others`. What they
    /// share with their clones is left out.
    pub(super) fn observe_beside(
        &mut self,
        others: Option<&Self>,
        click: &Click,
        item: Option<SessionItem>,
        now_ms: i64,
        config: &RecommendationsConfig,
    ) -> (OpenVisit<'_>, bool) {
        let is_expired = |last_ms: i64| now_ms.saturating_sub(last_ms) > config.session_expiry_ms;
        let id = fingerprint(click.session_id.as_str());
        let begins = !self.visits.contains_key(&id);
        if begins || self.entries >= config.entries {
            self.make_room(is_expired, config);
        }
        if !self.visits.contains_key(&id) {
            self.queue.push_back(id);
            let new = || PackedVisit::new(&Visit { last_ms: now_ms, ..Visit::default() });
            let known = self.history.get(id).or_else(|| others?.visits.get(&id).cloned());
            let visit = known.unwrap_or_else(new);
            self.entries += visit.items();
            self.visits.insert(id, visit);
        }
        let held = self.visits.get_mut(&id).expect("a session was inserted if there was none");
        let mut visit = OpenVisit::new(held);
        if is_expired(visit.last_ms) {
            self.entries -= visit.items.len();
            *visit = Visit::default();
        }
        let before = visit.items.len();
        let is_new = visit.observe(click, item, config);
        self.entries += visit.items.len() - before;
        visit.last_ms = now_ms;
        visit.referenced = true;
        (visit, is_new)
    }

    /// The session of this id.
    pub(super) fn get(&self, session_id: &str) -> Option<Visit> {
        let id = fingerprint(session_id);
        let visit = self.visits.get(&id).map(PackedVisit::get);
        visit.or_else(|| self.history.get(id).as_ref().map(PackedVisit::get))
    }

    /// An item that the session may have met has a number now.
    pub(super) fn update_number(&mut self, session_id: &str, item: &SessionItem) {
        let Some(held) = self.visits.get_mut(&fingerprint(session_id)) else { return };
        let mut visit = OpenVisit::new(held);
        if let Some(met) = visit.items.iter_mut().rfind(|met| met.tag == item.tag) {
            met.item = item.item;
        }
    }

    /// Drops the sessions that stand just so in `others`.
    pub(super) fn drop_those_of(&mut self, others: &Self) {
        let stands_so = |id: &u64, visit: &PackedVisit| {
            others.visits.get(id).is_some_and(|other| visit.get().shows_as(&other.get()))
        };
        self.visits.retain(|id, visit| !stands_so(id, visit));
        self.queue.retain(|id| self.visits.contains_key(id));
        self.entries = self.visits.values().map(PackedVisit::items).sum();
    }

    /// How many sessions there are, those of the shared history left out.
    pub(super) fn len(&self) -> usize {
        self.visits.len()
    }

    fn make_room(&mut self, is_expired: impl Fn(i64) -> bool, config: &RecommendationsConfig) {
        while let Some(id) = self.queue.front() {
            let full = self.visits.len() >= config.sessions.max(1) || self.entries >= config.entries;
            let visit = self.visits.get_mut(id).expect("the queue holds the keys of the map");
            let is_expired = is_expired(visit.last_ms());
            if !full && !is_expired {
                return;
            }
            let id = self.queue.pop_front().expect("there is a front");
            if visit.take_referenced() && !is_expired {
                self.queue.push_back(id);
            } else {
                let items = visit.items();
                assert!(items <= self.entries, "{items} items of one session, {} of all", self.entries);
                self.entries -= items;
                self.visits.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendations::catalogue::Catalogue;
    use crate::recommendations::visit::tests::{click, met};

    #[test]
    fn idle_sessions_expire_and_the_rest_is_bounded() {
        let config = RecommendationsConfig { sessions: 3, session_expiry_ms: 1_000, ..Default::default() };
        let mut catalogue = Catalogue::new(10);
        let item = Some(met(&mut catalogue, "a"));
        let mut visits = Visits::new();
        for session in ["a", "b", "c"] {
            visits.observe(&click(session, 0), item, 0, &config);
        }
        assert!(!visits.observe(&click("a", 500), item, 500, &config).1, "met before");
        visits.observe(&click("d", 600), item, 600, &config);
        assert_eq!(visits.len(), 3);
        assert!(
            visits.observe(&click("d", 1_601), item, 1_601, &config).1,
            "idle for more than a second: a new visit"
        );
        assert_eq!(visits.entries, visits.visits.values().map(PackedVisit::items).sum::<usize>());
        visits.observe(&click("e", 10_000), item, 10_000, &config);
        assert_eq!((visits.len(), visits.entries), (1, 1), "the others have been idle too long");
    }
}
