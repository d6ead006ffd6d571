//! Live sessions: the items that each has met, and how much it is interested in them.
//!
//! No map of [`processor::bounded`] serves here, because the bound is on the items of all sessions
//! together, and a session that came back stays for another round.
//!
//! # Simplifications
//! - A session is known by the fingerprint of its id: two of a million are alike once in 40 million
//!   times.

use std::collections::VecDeque;
use std::sync::Arc;

use events::{Click, ClickKind};
use hashbrown::HashMap;
use processor::bounded::fingerprint;

use super::catalogue::ItemId;
use super::config::{Interest, RecommendationsConfig};

/// An item of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SessionItem {
    pub(super) item: ItemId,
    /// The catalogue's tag of it, by which it is recognised after its number was evicted.
    pub(super) tag: u32,
    /// The session's interest in it: 1 for a view.
    pub(super) interest: f32,
    /// When it was last met, in minutes of the Unix epoch, clamped to the range of the type.
    pub(super) minute: u32,
}

impl SessionItem {
    /// An item that was viewed just now.
    pub(super) fn new(item: ItemId, tag: u32) -> Self {
        Self { item, tag, interest: 1.0, minute: 0 }
    }

    /// How many minutes after the other it was met; 0 if it was met before it.
    pub(super) fn minutes_after(&self, other: &Self) -> u32 {
        self.minute.saturating_sub(other.minute)
    }
}

/// One session and its items.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Each item once, the one met last at the end.
    pub(super) items: Vec<SessionItem>,
    /// It has met more items than are kept: its page could propose one that it has met.
    pub(super) overflowed: bool,
    /// Its number in the index of sessions, once the model has learnt from it.
    pub(super) number: Option<u32>,
    /// How many of its items the model has learnt from.
    pub(super) training_examples: u32,
    pub(super) pace: Pace,
    last_ms: i64,
    /// Whether it was active since it last stood at the front of the queue (its reference bit).
    referenced: bool,
}

/// The rhythm of a session's events. People are irregular; bots are regular, or too fast.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    events: u32,
    first_ms: i64,
    last_ms: i64,
    /// At most 24 days.
    gap_ms: i32,
    even_gaps: u8,
    bot: bool,
}

/// So many gaps in a row that differ by less than a tenth are a bot's. Of human gaps (log-normal, σ
/// 1.5) one in twenty is that close to the one before.
const EVEN_GAPS: u8 = 15;
/// And so are so many events at less than [`FAST_MS`] from one to the next on average.
const MANY_EVENTS: u32 = 100;
const FAST_MS: i64 = 1_000;

impl Pace {
    /// Takes the time of the next event; returns whether the session is a bot's. Once it is, it
    /// stays one.
    fn step(&mut self, at_ms: i64) -> bool {
        if self.events == 0 {
            self.first_ms = at_ms;
        } else {
            let gap_ms = at_ms.saturating_sub(self.last_ms).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            // Equal times tell nothing about the rhythm: some logs are exact to the second, or to
            // the day.
            let even = gap_ms > 0 && gap_ms.abs_diff(self.gap_ms) <= gap_ms.unsigned_abs() / 10;
            self.even_gaps = if even { self.even_gaps.saturating_add(1) } else { 0 };
            self.gap_ms = gap_ms;
        }
        self.events = self.events.saturating_add(1);
        self.last_ms = at_ms;
        let spent_ms = at_ms.saturating_sub(self.first_ms);
        let fast = self.events >= MANY_EVENTS && spent_ms > 0 && spent_ms / i64::from(self.events) < FAST_MS;
        self.bot |= self.even_gaps >= EVEN_GAPS || fast;
        self.bot
    }

    pub(super) fn bot(&self) -> bool {
        self.bot
    }
}

impl Visit {
    /// Takes one event. `item` is its item, if it has one that is kept. Returns whether the session
    /// has met it for the first time.
    pub(super) fn observe(
        &mut self,
        click: &Click,
        item: Option<SessionItem>,
        config: &RecommendationsConfig,
    ) -> bool {
        if matches!(click.kind, ClickKind::View | ClickKind::Click) {
            self.pace.step(click.ts.ms());
        }
        // A scroll often names no item: it tells of the page that is open, so of the latest item.
        let Some(item) = item else {
            if let Some(latest) = self.items.last_mut() {
                latest.interest = add(latest.interest, added_interest(click, &config.interest));
            }
            return false;
        };
        let earlier =
            self.items.iter().rposition(|met| met.tag == item.tag).map(|place| self.items.remove(place));
        if earlier.is_none() && self.items.len() >= config.items_per_session {
            self.overflowed = true;
            return false;
        }
        if self.items.len() == self.items.capacity() {
            // Most sessions of most logs have an item or two: a vector would reserve four.
            self.items.reserve_exact((self.items.len() / 4).max(1));
        }
        let interest = earlier.map_or(item.interest, |met| met.interest);
        let minute = click.ts.ms().div_euclid(60_000).clamp(0, i64::from(u32::MAX)) as u32;
        self.items.push(SessionItem {
            interest: add(interest, added_interest(click, &config.interest)),
            minute,
            ..item
        });
        earlier.is_none()
    }
}

impl Visit {
    /// Whether a model makes the same pages of both, now and after the same clicks.
    fn shows_as(&self, other: &Self) -> bool {
        (self.last_ms, self.overflowed, &self.items) == (other.last_ms, other.overflowed, &other.items)
    }
}

/// What the event adds to the interest in its item.
fn added_interest(click: &Click, signs: &Interest) -> f64 {
    let dwell = click.dwell_ms.map_or(0.0, |ms| (ms as f64 / 60_000.0).clamp(0.0, 1.0) * signs.dwell);
    dwell
        + match click.kind {
            ClickKind::View | ClickKind::Click => 0.0,
            ClickKind::Hover => signs.hover,
            ClickKind::Scroll => click.depth.unwrap_or(0.0).clamp(0.0, 1.0) * signs.scroll,
            ClickKind::AddToCart => signs.add_to_cart,
            ClickKind::Purchase => signs.purchase,
        }
}

/// Interest stays between a tenth of that of a plain view and five times as much, however many
/// events there are.
fn add(interest: f32, more: f64) -> f32 {
    (f64::from(interest) + more).clamp(0.1, 5.0) as f32
}

/// All sessions that may continue, bounded by their number and by the sum of their items.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    /// By the [`fingerprint`] of the session's id. Boxed, for up to half of a table is empty.
    visits: HashMap<u64, Box<Visit>>,
    /// The oldest in front; one that was active since goes to the back and is not evicted ("second
    /// chance").
    queue: VecDeque<u64>,
    entries: usize,
    /// What all clones share: a session of it is copied when it continues.
    history: Arc<HashMap<u64, Box<Visit>>>,
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
            history.entry(*id).or_insert_with(|| visit.clone());
        }
        *self = Self { history: Arc::new(history), ..Self::new() };
    }

    /// The session of a click takes it; a new session begins if there is none. Returns the session,
    /// and whether the item is new to it.
    pub(super) fn observe(
        &mut self,
        click: &Click,
        item: Option<SessionItem>,
        now_ms: i64,
        config: &RecommendationsConfig,
    ) -> (&mut Visit, bool) {
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
    ) -> (&mut Visit, bool) {
        let expired = |visit: &Visit| now_ms.saturating_sub(visit.last_ms) > config.session_expiry_ms;
        let id = fingerprint(click.session_id.as_str());
        let begins = !self.visits.contains_key(&id);
        if begins || self.entries >= config.entries {
            self.make_room(expired, config);
        }
        if !self.visits.contains_key(&id) {
            self.queue.push_back(id);
            let new = || Box::new(Visit { last_ms: now_ms, ..Visit::default() });
            let known = self.history.get(&id).or_else(|| others?.visits.get(&id));
            let visit = known.cloned().unwrap_or_else(new);
            self.entries += visit.items.len();
            self.visits.insert(id, visit);
        }
        let visit = self.visits.get_mut(&id).expect("a session was inserted if there was none");
        if expired(visit) {
            self.entries -= visit.items.len();
            **visit = Visit::default();
        }
        let before = visit.items.len();
        let is_new = visit.observe(click, item, config);
        self.entries += visit.items.len() - before;
        visit.last_ms = now_ms;
        visit.referenced = true;
        (visit, is_new)
    }

    /// The session of this id.
    pub(super) fn get(&self, session_id: &str) -> Option<&Visit> {
        let id = fingerprint(session_id);
        self.visits.get(&id).or_else(|| self.history.get(&id)).map(|visit| &**visit)
    }

    /// An item that the session may have met has a number now.
    pub(super) fn update_number(&mut self, session_id: &str, item: &SessionItem) {
        let met = self.visits.get_mut(&fingerprint(session_id)).map(|visit| &mut visit.items);
        if let Some(met) = met.and_then(|met| met.iter_mut().rfind(|met| met.tag == item.tag)) {
            met.item = item.item;
        }
    }

    /// Drops the sessions that stand just so in `others`.
    pub(super) fn drop_those_of(&mut self, others: &Self) {
        self.visits.retain(|id, visit| others.visits.get(id).is_none_or(|other| !visit.shows_as(other)));
        self.queue.retain(|id| self.visits.contains_key(id));
        self.entries = self.visits.values().map(|visit| visit.items.len()).sum();
    }

    /// How many sessions there are, those of the shared history left out.
    pub(super) fn len(&self) -> usize {
        self.visits.len()
    }

    fn make_room(&mut self, expired: impl Fn(&Visit) -> bool, config: &RecommendationsConfig) {
        while let Some(id) = self.queue.front() {
            let full = self.visits.len() >= config.sessions.max(1) || self.entries >= config.entries;
            let visit = self.visits.get_mut(id).expect("the queue holds the keys of the map");
            if !full && !expired(visit) {
                return;
            }
            let id = self.queue.pop_front().expect("there is a front");
            if std::mem::take(&mut visit.referenced) && !expired(visit) {
                self.queue.push_back(id);
            } else {
                assert!(
                    visit.items.len() <= self.entries,
                    "{} items of one session, {} of all",
                    visit.items.len(),
                    self.entries
                );
                self.entries -= visit.items.len();
                self.visits.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendations::catalogue::Catalogue;
    use events::Timestamp;

    fn met(catalogue: &mut Catalogue, name: &str) -> SessionItem {
        let item = catalogue.get_or_insert(name).item;
        SessionItem::new(item, catalogue.tag(item))
    }

    fn click(session: &str, at_ms: i64) -> Click {
        Click {
            ts: Timestamp::from_ms(at_ms),
            event_id: None,
            session_id: session.to_owned(),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: None,
            dwell_ms: None,
            depth: None,
        }
    }

    /// Hundreds of thousands are kept.
    #[test]
    fn a_session_takes_ten_words_and_its_items() {
        assert!(size_of::<Visit>() <= 80 && size_of::<SessionItem>() == 16, "{}", size_of::<Visit>());
    }

    #[test]
    fn a_bot_is_known_by_even_gaps_and_a_person_is_not() {
        let mut bot = Pace::default();
        let flagged_at = (0..100).position(|event| bot.step(event * 2_000 + event % 3 * 30));
        assert_eq!(flagged_at, Some(usize::from(EVEN_GAPS) + 1), "the first gap has none to compare with");

        let mut person = Pace::default();
        let gaps = [5_000, 52_000, 51_000, 9_000, 300_000, 2_000, 2_100, 2_050, 40_000];
        let mut at_ms = 0;
        for gap in gaps.iter().cycle().take(500) {
            at_ms += gap;
            assert!(!person.step(at_ms));
        }
        let mut coarse = Pace::default();
        assert!((0..500).all(|_| !coarse.step(86_400_000)), "a log that knows only the day");
    }

    #[test]
    fn a_bot_without_rhythm_is_known_by_its_speed() {
        let mut bot = Pace::default();
        let mut at_ms = 0;
        let flagged = (0..300_i64).any(|event| {
            at_ms += if event % 2 == 0 { 100 } else { 900 };
            bot.step(at_ms)
        });
        assert!(flagged);
    }

    #[test]
    fn meeting_again_moves_to_the_end_and_interest_adds_up_within_bounds() {
        let config = RecommendationsConfig::default();
        let mut catalogue = Catalogue::new(10);
        let (a, b) = (met(&mut catalogue, "a"), met(&mut catalogue, "b"));
        let mut visit = Visit::default();
        assert!(visit.observe(&click("s", 0), Some(a), &config));
        assert!(visit.observe(&click("s", 1), Some(b), &config));
        let cart = Click { kind: ClickKind::AddToCart, ..click("s", 2) };
        for _ in 0..100 {
            assert!(!visit.observe(&cart, Some(a), &config));
        }
        let met: Vec<_> = visit.items.iter().map(|met| (met.item, met.interest)).collect();
        assert_eq!(met, [(b.item, 1.0), (a.item, 5.0)]);
    }

    #[test]
    fn a_scroll_without_an_item_counts_for_the_latest() {
        let config = RecommendationsConfig::default();
        let mut catalogue = Catalogue::new(10);
        let mut visit = Visit::default();
        let scroll = Click { kind: ClickKind::Scroll, depth: Some(1.0), ..click("s", 1) };
        assert!(!visit.observe(&scroll, None, &config), "nothing is open yet");
        visit.observe(&click("s", 0), Some(met(&mut catalogue, "a")), &config);
        visit.observe(&scroll, None, &config);
        assert!((f64::from(visit.items[0].interest) - 1.0 - config.interest.scroll).abs() < 1e-6);
    }

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
        assert_eq!(visits.entries, visits.visits.values().map(|visit| visit.items.len()).sum::<usize>());
        visits.observe(&click("e", 10_000), item, 10_000, &config);
        assert_eq!((visits.len(), visits.entries), (1, 1), "the others have been idle too long");
    }
}
