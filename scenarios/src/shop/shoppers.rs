//! The shop as its topics show it: what some shoppers do, their pages, and what is trending.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use dashboard::{FollowedCase, Page, Shop, ShopEvent, ShopEventKind, Shopper, Snapshot, Trending};
use events::{Batched, ClickKind, Event, HOUR_MS, Recommendations, Timestamp, item_name};
use processor::event_time::Watermark;

use super::followed::{FollowedShopper, PageHits};
use crate::clock::SimulatedClock;
use crate::view::{CaseClock, PaneSource, View};

/// Events of a trail.
const TRAIL: usize = 40;
/// Shoppers to choose from.
const SHOPPERS: usize = 8;
/// Items to show as trending.
const TRENDING: usize = 20;
/// A shopper who is silent for so long, in event time, has left.
const SILENT_MS: i64 = 20 * 60_000;
/// Names longer than this, in bytes, are not shown.
const LONGEST_NAME: usize = 256;
/// One event moves the watermark by no more than this: one from the year 9999 must not make all
/// sessions expire.
const LARGEST_STEP_MS: i64 = HOUR_MS;
/// Over how long "now" is counted for trends, and how much longer "usual".
const TREND_MS: i64 = 15 * 60_000;
const USUAL: f64 = 8.0;

/// What is known of the shop.
#[derive(Debug)]
pub(super) struct ShopView {
    watermark: Watermark,
    /// Boxed: half of the table is empty.
    sessions: HashMap<String, Box<Session>>,
    everybody_batch: Option<Shown>,
    items: HashMap<Arc<str>, Interest>,
    swept: Option<Timestamp>,
    followed: FollowedShopper,
}

#[derive(Debug)]
struct Session {
    first: Timestamp,
    last: Timestamp,
    events: u64,
    trail: VecDeque<ShopEvent>,
    page: Option<Shown>,
    batch_page: Option<Shown>,
    stale_page: Option<Shown>,
    hits: PageHits,
}

#[derive(Debug, Clone)]
struct Shown {
    from: Timestamp,
    /// Twenty ids on each of three pages a visit: an id that shoppers ask for is held once.
    items: Box<[Arc<str>]>,
}

impl Shown {
    fn new(from: Timestamp, ids: &[String], known: &HashMap<Arc<str>, Interest>) -> Self {
        let held = |id: &String| known.get_key_value(id.as_str()).map(|(id, _)| Arc::clone(id));
        Self { from, items: ids.iter().map(|id| held(id).unwrap_or_else(|| id.as_str().into())).collect() }
    }

    fn holds(&self, item: &str) -> bool {
        self.items.iter().any(|held| **held == *item)
    }

    fn page(shown: Option<&Self>, now: Timestamp) -> Page {
        shown.map_or_else(Page::default, |shown| Page {
            items: shown.items.iter().map(|id| name(id)).collect(),
            age_ms: Some(now.since_ms(shown.from).max(0) as f64),
        })
    }
}

/// What a person calls an item; one that has no name is called by its id.
fn name(id: &str) -> String {
    item_name(id).unwrap_or_else(|| id.to_owned())
}

/// An event as the screen shows it, with the item's name.
fn in_words(event: &ShopEvent) -> ShopEvent {
    ShopEvent { item: event.item.as_deref().map(name), ..event.clone() }
}

/// The demand for an item: two decaying averages, a quick one and a slow one.
#[derive(Debug)]
struct Interest {
    at: Timestamp,
    now: f64,
    usual: f64,
}

impl Interest {
    fn decay(&mut self, now: Timestamp) {
        let elapsed = now.since_ms(self.at).max(0) as f64 / TREND_MS as f64;
        self.now *= (-elapsed).exp();
        self.usual *= (-elapsed / USUAL).exp();
        self.at = now;
    }

    /// Demand now over usual demand: 1 is usual.
    fn lift(&self) -> f64 {
        self.now / (self.usual / USUAL).max(1.0)
    }
}

impl Default for ShopView {
    fn default() -> Self {
        Self {
            watermark: Watermark::in_steps(LARGEST_STEP_MS),
            sessions: HashMap::new(),
            everybody_batch: None,
            items: HashMap::new(),
            swept: None,
            followed: FollowedShopper::default(),
        }
    }
}

impl ShopView {
    fn page(
        &mut self,
        answer: &Recommendations,
        from: Timestamp,
        which: fn(&mut Session) -> &mut Option<Shown>,
    ) {
        if let Some(session) = self.sessions.get_mut(&answer.session_id) {
            *which(session) = Some(Shown::new(from, &answer.items, &self.items));
        }
    }

    /// Everything as it is now; none before the first click.
    fn shown(&mut self) -> Option<Shop> {
        let now = self.watermark.now()?;
        self.sweep(now);
        // Never a session with hundreds of events, which is a bot's.
        let shown = |session: &Session| session.trail.len() >= 3 && session.events < 150;
        let mut shoppers: Vec<_> = self.sessions.iter().filter(|(_, session)| shown(session)).collect();
        // The oldest of the newest, so that the selected one does not move with every event.
        first(&mut shoppers, 64, |(a_id, a), (b_id, b)| b.first.cmp(&a.first).then_with(|| b_id.cmp(a_id)));
        first(&mut shoppers, SHOPPERS, |(a_id, a), (b_id, b)| {
            b.events.cmp(&a.events).then_with(|| a_id.cmp(b_id))
        });
        let mut trending: Vec<_> = self.items.iter().filter(|(_, interest)| interest.now >= 2.0).collect();
        first(&mut trending, TRENDING, |(a_id, a), (b_id, b)| {
            (b.lift() * b.now).total_cmp(&(a.lift() * a.now)).then_with(|| a_id.cmp(b_id))
        });
        Some(Shop {
            shoppers: shoppers
                .into_iter()
                .map(|(id, session)| Shopper {
                    session_id: id.clone(),
                    trail: session.trail.iter().map(in_words).collect(),
                    page: Shown::page(session.page.as_ref(), now),
                    batch_page: Shown::page(
                        session.batch_page.as_ref().or(self.everybody_batch.as_ref()),
                        now,
                    ),
                    stale_page: Shown::page(session.stale_page.as_ref(), now),
                })
                .collect(),
            trending: trending
                .into_iter()
                .map(|(item, interest)| Trending {
                    item: name(item),
                    per_minute: Some(interest.now / (TREND_MS as f64 / 60_000.0)),
                    lift: Some(interest.lift()),
                })
                .collect(),
            sessions: Some(self.sessions.len() as u64),
        })
    }

    /// Drops idle sessions and items without demand, once a minute of event time.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|swept| now.since_ms(swept) < 60_000) {
            return;
        }
        self.swept = Some(now);
        self.sessions.retain(|_, session| now.since_ms(session.last) < SILENT_MS);
        for interest in self.items.values_mut() {
            interest.decay(now);
        }
        self.items.retain(|_, interest| interest.usual > 0.05);
    }
}

/// The first `most` of them in this order, in order. Of thousands of sessions a screen shows a few,
/// five times a second: the others need not be sorted.
fn first<T>(all: &mut Vec<T>, most: usize, mut order: impl FnMut(&T, &T) -> std::cmp::Ordering) {
    if all.len() > most {
        all.select_nth_unstable_by(most, &mut order);
        all.truncate(most);
    }
    all.sort_unstable_by(order);
}

impl View for ShopView {
    fn observe(&mut self, event: &Event, _wall_ms: i64, _clock: Option<&SimulatedClock>) {
        if let Event::Clicks(click) = event {
            // As in the recommender: hostile names must not fill the memory.
            if click.session_id.len() > LONGEST_NAME {
                return;
            }
            let item = click.item_id.as_ref().filter(|item| item.len() <= LONGEST_NAME);
            let now = self.watermark.observe(click.ts);
            let everybody_batch = &self.everybody_batch;
            let new = || Session {
                first: now,
                last: now,
                events: 0,
                trail: VecDeque::new(),
                page: None,
                batch_page: None,
                stale_page: None,
                hits: PageHits::default(),
            };
            let session = self.sessions.entry(click.session_id.clone()).or_insert_with(|| Box::new(new()));
            session.last = now;
            session.events += 1;
            let on = |page: Option<&Shown>| {
                let item = item?;
                page.map(|page| page.holds(item))
            };
            session.trail.push_back(ShopEvent {
                at_ms: click.ts.ms(),
                kind: match click.kind {
                    ClickKind::View => ShopEventKind::View,
                    ClickKind::Click => ShopEventKind::Click,
                    ClickKind::Hover => ShopEventKind::Hover,
                    ClickKind::Scroll => ShopEventKind::Scroll,
                    ClickKind::AddToCart => ShopEventKind::AddToCart,
                    ClickKind::Purchase => ShopEventKind::Purchase,
                },
                item: item.cloned(),
                on_page: on(session.page.as_ref()),
                on_batch_page: on(session.batch_page.as_ref().or(everybody_batch.as_ref())),
            });
            if session.trail.len() > TRAIL {
                session.trail.pop_front();
            }
            if let (ClickKind::View, Some(item)) = (click.kind, item) {
                let batch_page = session.batch_page.as_ref().or(everybody_batch.as_ref());
                match session.page.as_ref().zip(batch_page) {
                    Some((page, batch)) => {
                        let held = |page: &Shown| page.holds(item);
                        session.hits.opened(item, held(page), held(batch), batch.from);
                    }
                    None => session.hits.opened_first(item),
                }
                let fresh = Interest { at: now, now: 0.0, usual: 0.0 };
                let interest = self.items.entry(item.as_str().into()).or_insert(fresh);
                interest.decay(now);
                interest.now += 1.0;
                interest.usual += 1.0;
            }
        } else if let Event::Recommendations(answer) = event {
            self.page(answer, answer.ts, |session| &mut session.page);
        } else if let Event::RecommendationsBatch(batched) = event {
            let Batched { answer, valid_from, .. } = &batched.0;
            if answer.session_id.is_empty() {
                self.everybody_batch = Some(Shown::new(*valid_from, &answer.items, &self.items));
            } else {
                self.page(answer, *valid_from, |session| &mut session.batch_page);
            }
        } else if let Event::RecommendationsStale(batched) = event {
            self.page(&batched.0.answer, batched.0.valid_from, |session| &mut session.stale_page);
        }
    }

    fn case(&self, _clock: &CaseClock) -> FollowedCase {
        self.followed.case()
    }

    fn show(&mut self, pane: &PaneSource<'_>, snapshot: &mut Snapshot) {
        if let Some(now) = self.watermark.now() {
            let visits = self.sessions.iter().map(|(id, session)| (id.as_str(), session.last, &session.hits));
            self.followed.choose(visits, now, pane.seen_ms());
        }
        snapshot.shop = pane.sourced(self.shown());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Click;

    fn click(session: &str, at_ms: i64, item: &str) -> Event {
        let (session_id, item_id) = (session.to_owned(), Some(item.to_owned()));
        let (event_id, shopper_id, dwell_ms, depth) = (None, None, None, None);
        let (ts, kind) = (Timestamp::from_ms(at_ms), ClickKind::View);
        Click { ts, event_id, session_id, shopper_id, kind, item_id, dwell_ms, depth }.into()
    }

    #[test]
    fn one_absurd_time_empties_no_shop_and_fills_none() {
        let mut view = ShopView::default();
        for number in 0..100_000 {
            let at_ms = number * 1_000;
            if number % 10_000 == 0 {
                view.observe(&click("odd", Timestamp::MAX.ms(), "odd"), 0, None);
            }
            view.observe(&click(&format!("s{}", number / 3), at_ms, &format!("i{number}")), 0, None);
            if number % 100 == 0 {
                view.shown();
            }
        }
        let shop = view.shown().expect("there were clicks");
        assert!(!shop.shoppers.is_empty(), "those who are here are shown");
        assert!(view.sessions.len() < 3_000, "{} sessions of 20 minutes", view.sessions.len());
        assert!(view.items.len() < 50_000, "{} items", view.items.len());
    }

    #[test]
    fn items_are_called_by_their_names_and_kept_by_their_ids() {
        let mut view = ShopView::default();
        let page = Recommendations {
            ts: Timestamp::from_ms(0),
            session_id: "s".to_owned(),
            after: None,
            items: vec!["item-000083".to_owned(), "kettle".to_owned()],
        };
        view.observe(&click("s", 0, "item-000000"), 0, None);
        view.observe(&page.into(), 0, None);
        view.observe(&click("s", 1, "item-000083"), 0, None);
        view.observe(&click("s", 2, "kettle"), 0, None);
        let shopper = view.shown().expect("there were clicks").shoppers.remove(0);
        let trail: Vec<_> = shopper.trail.iter().filter_map(|event| event.item.as_deref()).collect();
        assert_eq!(trail, ["red shoe", "linen boot", "kettle"]);
        assert_eq!(shopper.page.items, ["linen boot", "kettle"]);
        let on_page: Vec<_> = shopper.trail.iter().map(|event| event.on_page).collect();
        assert_eq!(on_page, [None, Some(true), Some(true)]);
    }

    #[test]
    fn names_as_long_as_a_record_are_not_kept() {
        let mut view = ShopView::default();
        let long = "x".repeat(1 << 20);
        for event in 0..3 {
            view.observe(&click("s", event, &long), 0, None);
            view.observe(&click(&long, event, "kettle"), 0, None);
        }
        let shop = view.shown().expect("there were clicks");
        assert_eq!(shop.sessions, Some(1));
        assert!(shop.shoppers[0].trail.iter().all(|event| event.item.is_none()));
    }
}
