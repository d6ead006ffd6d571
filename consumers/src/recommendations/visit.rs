//! A visit: the items that a session has met, and the rhythm of its events.

use events::{Click, ClickKind};

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

/// One session and its items, as it is worked with; it is held packed (`packed_visit.rs`).
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// When its last event was.
    pub(super) last_ms: i64,
    /// Whether it was active since it last stood at the front of the queue (its reference bit).
    pub(super) referenced: bool,
}

/// The rhythm of a session's events. People are irregular; bots are regular, or too fast.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pace {
    pub(super) events: u32,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    /// At most 24 days.
    pub(super) gap_ms: i32,
    pub(super) even_gaps: u8,
    pub(super) bot: bool,
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
        let interest = earlier.map_or(item.interest, |met| met.interest);
        let minute = click.ts.ms().div_euclid(60_000).clamp(0, i64::from(u32::MAX)) as u32;
        self.items.push(SessionItem {
            interest: add(interest, added_interest(click, &config.interest)),
            minute,
            ..item
        });
        earlier.is_none()
    }

    /// Whether a model makes the same pages of both, now and after the same clicks.
    pub(super) fn shows_as(&self, other: &Self) -> bool {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recommendations::catalogue::Catalogue;
    use events::Timestamp;

    pub(in crate::recommendations) fn met(catalogue: &mut Catalogue, name: &str) -> SessionItem {
        let item = catalogue.get_or_insert(name).item;
        SessionItem::new(item, catalogue.tag(item))
    }

    pub(in crate::recommendations) fn click(session: &str, at_ms: i64) -> Click {
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
}
