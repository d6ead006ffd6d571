//! The shop as its topics tell it: what some shoppers do, the page beside them, and what everybody wants.

use std::collections::{HashMap, VecDeque};

use dashboard::{Page, Shop, ShopEvent, ShopEventKind, Shopper, Trending};
use events::{ClickKind, Event, Recommendations, Timestamp};

/// Events of a trail.
const TRAIL: usize = 40;
/// Shoppers to choose from.
const SHOPPERS: usize = 8;
/// A shopper who is silent for so long, in event time, has left.
const SILENT_MS: i64 = 20 * 60_000;
/// Over how long "now" is counted for trends, and how much longer "usual".
const TREND_MS: i64 = 15 * 60_000;
const USUAL: f64 = 8.0;

/// What is known of the shop.
#[derive(Debug, Default)]
pub(crate) struct ShopView {
    now: Option<Timestamp>,
    sessions: HashMap<String, Session>,
    everybody_batch: Option<Shown>,
    items: HashMap<String, Interest>,
    swept: Option<Timestamp>,
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
}

#[derive(Debug, Clone)]
struct Shown {
    from: Timestamp,
    items: Vec<String>,
}

impl Shown {
    fn page(shown: Option<&Self>, now: Timestamp) -> Page {
        shown.map_or_else(Page::default, |shown| Page {
            items: shown.items.clone(),
            age_ms: Some(now.since_ms(shown.from).max(0) as f64),
        })
    }
}

/// How much an item is wanted: two averages that forget, one quickly and one slowly.
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

    /// Wanted now over usually wanted: 1 is usual.
    fn lift(&self) -> f64 {
        self.now / (self.usual / USUAL).max(1.0)
    }
}

impl ShopView {
    pub(crate) fn observe(&mut self, event: &Event) {
        match event {
            Event::Clicks(click) => {
                self.now = self.now.max(Some(click.ts));
                let everybody_batch = &self.everybody_batch;
                let session = self.sessions.entry(click.session_id.clone()).or_insert_with(|| Session {
                    first: click.ts,
                    last: click.ts,
                    events: 0,
                    trail: VecDeque::new(),
                    page: None,
                    batch_page: None,
                    stale_page: None,
                });
                session.last = session.last.max(click.ts);
                session.events += 1;
                let on = |page: Option<&Shown>| {
                    let item = click.item_id.as_ref()?;
                    page.map(|page| page.items.contains(item))
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
                    item: click.item_id.clone(),
                    on_page: on(session.page.as_ref()),
                    on_batch_page: on(session.batch_page.as_ref().or(everybody_batch.as_ref())),
                });
                if session.trail.len() > TRAIL {
                    session.trail.pop_front();
                }
                if let (ClickKind::View, Some(item)) = (click.kind, &click.item_id) {
                    let fresh = Interest { at: click.ts, now: 0.0, usual: 0.0 };
                    let interest = self.items.entry(item.clone()).or_insert(fresh);
                    interest.decay(click.ts);
                    interest.now += 1.0;
                    interest.usual += 1.0;
                }
            }
            Event::Recommendations(answer) => self.page(answer, answer.ts, |session| &mut session.page),
            Event::RecommendationsBatch(batched) if batched.0.answer.session_id.is_empty() => {
                self.everybody_batch =
                    Some(Shown { from: batched.0.valid_from, items: batched.0.answer.items.clone() });
            }
            Event::RecommendationsBatch(batched) => {
                self.page(&batched.0.answer, batched.0.valid_from, |session| &mut session.batch_page);
            }
            Event::RecommendationsStale(batched) => {
                self.page(&batched.0.answer, batched.0.valid_from, |session| &mut session.stale_page);
            }
            _ => {}
        }
    }

    fn page(
        &mut self,
        answer: &Recommendations,
        from: Timestamp,
        which: fn(&mut Session) -> &mut Option<Shown>,
    ) {
        if let Some(session) = self.sessions.get_mut(&answer.session_id) {
            *which(session) = Some(Shown { from, items: answer.items.clone() });
        }
    }

    /// Everything as it is now; none before the first click.
    pub(crate) fn shown(&mut self) -> Option<Shop> {
        let now = self.now?;
        self.sweep(now);
        let mut open: Vec<(&String, &Session)> =
            self.sessions.iter().filter(|(_, session)| session.trail.len() >= 3).collect();
        // Those who have been there longest, so that the one being watched does not jump away with every event; never a
        // visitor with hundreds of events, who is a robot.
        open.retain(|(_, session)| session.events < 150);
        open.sort_unstable_by(|(a_id, a), (b_id, b)| a.first.cmp(&b.first).then_with(|| a_id.cmp(b_id)));
        let shoppers = open.into_iter().rev().take(64).collect::<Vec<_>>();
        let mut shoppers: Vec<_> = shoppers.into_iter().collect();
        shoppers
            .sort_unstable_by(|(a_id, a), (b_id, b)| b.events.cmp(&a.events).then_with(|| a_id.cmp(b_id)));
        let mut trending: Vec<(&String, &Interest)> =
            self.items.iter().filter(|(_, i)| i.now >= 2.0).collect();
        trending.sort_unstable_by(|(a_id, a), (b_id, b)| {
            (b.lift() * b.now).total_cmp(&(a.lift() * a.now)).then_with(|| a_id.cmp(b_id))
        });
        Some(Shop {
            shoppers: shoppers
                .into_iter()
                .take(SHOPPERS)
                .map(|(id, session)| Shopper {
                    session_id: id.clone(),
                    trail: session.trail.iter().cloned().collect(),
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
                .take(20)
                .map(|(item, interest)| Trending {
                    item: item.clone(),
                    per_minute: Some(interest.now / (TREND_MS as f64 / 60_000.0)),
                    lift: Some(interest.lift()),
                })
                .collect(),
            sessions: Some(self.sessions.len() as u64),
        })
    }

    /// Forgets who has left and what nobody wants, once a minute of event time.
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
