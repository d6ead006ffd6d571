//! The shop: visits, from the first click to the last, with every event that the pages record.
//!
//! [`Shop`] is an endless iterator. A visit begins at random (Poisson, busier in the evening),
//! views an item, and then the next: mostly one that is similar to an item it liked, sometimes one
//! of the same shelf, sometimes a popular one; and a third of the time one that it has viewed
//! before. How much a shopper likes an item is hidden, but has effects: hovers, scrolls, carts,
//! purchases, and the next item. Popularity drifts from day to day, flash trends come and go, new
//! items replace old ones. Bots walk the shelves at an even pace.
//!
//! Session lengths, gaps, concentration, repeats, carts and the rest are fitted to two public click
//! logs of real shops; `tests/` measures each on what is generated here and names the figure it
//! must come near.
//!
//! # Simplifications
//! - Hovers, scrolls and dwell times have no public log of a shop. Here they follow interest by
//!   assumption, so what a consumer gains from them is a property of this file.
//! - No shopper sees the recommended homepage: what is shown does not change what is clicked.
//! - One catalogue, one country, no weekends; a shopper's visits are independent.

mod catalogue;
mod config;
mod shopper;
mod staged;
#[cfg(test)]
mod tests;
mod trends;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use events::{Click, ClickKind, DAY_MS, Event, HOUR_MS, SimulationTruth, Timestamp};
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};

pub use config::ShopConfig;

use crate::emission::Emission;
use catalogue::{Catalogue, Slot};
use shopper::{Reaction, Visit};
use staged::StagedVisit;
use trends::Trends;

/// How busy each hour of the day (UTC) is, relative to the busiest; linear in between.
const BUSY: [f64; 24] = [
    0.45, 0.30, 0.20, 0.15, 0.13, 0.15, 0.25, 0.40, 0.55, 0.68, 0.78, 0.84, 0.86, 0.86, 0.85, 0.85, 0.86,
    0.88, 0.92, 0.97, 1.00, 0.97, 0.85, 0.65,
];
/// Mean views of a person's visit, from which the rate of bots follows.
const VIEWS_A_VISIT: f64 = 3.0;
/// How many items a bot views.
const BOT_VIEWS: std::ops::Range<u32> = 100..400;

/// The simulated shop: see the [module](self).
#[derive(Debug)]
pub struct Shop {
    config: ShopConfig,
    rng: Rng,
    catalogue: Catalogue,
    trends: Trends,
    /// The next actions, by time and then by the order in which they were scheduled.
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    /// How many sessions and events there were: their next numbers.
    sessions: u64,
    events: u64,
}

/// An action and its time.
#[derive(Debug)]
struct Scheduled {
    at: Timestamp,
    order: u64,
    due: Due,
}

#[derive(Debug)]
enum Due {
    NewDay,
    Visit,
    Bot,
    Trend,
    NewItem,
    View(Box<Visit>),
    BotVisit(Box<BotVisit>),
    StagedView(Box<StagedVisit>),
    Send(Box<Event>),
}

/// A bot's visit: slot after slot at an even pace.
#[derive(Debug)]
struct BotVisit {
    session_id: String,
    slot: Slot,
    left: u32,
    gap_ms: i64,
}

impl Shop {
    /// A shop that opens at [`ShopConfig::start`].
    ///
    /// # Panics
    /// If a share is not within 0 to 1, a rate is not finite or is negative, or there are fewer
    /// than 100 items.
    pub fn new(config: ShopConfig) -> Self {
        let shares = [config.bots, config.duplicates, config.late, config.new_items_per_day];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "a share is from 0 to 1: {config:?}");
        let rates = [config.sessions_per_hour, config.trends_per_day, config.late_up_to_s];
        assert!(rates.iter().all(|rate| (0.0..1e9).contains(rate)), "a rate is from 0 to 1e9: {config:?}");
        assert!(config.bots < 0.9 && config.items >= 100, "mostly people, and something to sell: {config:?}");
        let start = config.start;
        let mut shop = Self {
            rng: Rng::seed_from_u64(config.seed),
            catalogue: Catalogue::new(config.seed, config.items, start.ms().div_euclid(DAY_MS)),
            trends: Trends::default(),
            queue: BinaryHeap::new(),
            scheduled: 0,
            sessions: 0,
            events: 0,
            config,
        };
        shop.plan(start.floor(DAY_MS).plus_ms(DAY_MS), Due::NewDay);
        shop.after(start, shop.config.sessions_per_hour, Due::Visit);
        shop.after(start, shop.bots_per_hour(), Due::Bot);
        shop.after(start, shop.config.trends_per_day / 24.0, Due::Trend);
        shop.after(start, shop.new_items_per_hour(), Due::NewItem);
        if let Some(moment) = shop.config.staged {
            shop.stage_visit(moment);
        }
        shop
    }

    fn bots_per_hour(&self) -> f64 {
        let people = self.config.sessions_per_hour * VIEWS_A_VISIT;
        let views = f64::from(BOT_VIEWS.start + BOT_VIEWS.end) / 2.0;
        people * self.config.bots / (1.0 - self.config.bots) / views
    }

    fn new_items_per_hour(&self) -> f64 {
        self.config.items as f64 * self.config.new_items_per_day / 24.0
    }

    fn plan(&mut self, at: Timestamp, due: Due) {
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled { at, order: self.scheduled, due }));
    }

    /// Schedules the next action of a Poisson process with a rate of `per_hour`, never if that is
    /// 0.
    fn after(&mut self, now: Timestamp, per_hour: f64, due: Due) {
        if per_hour > 0.0 {
            let hours: f64 = Exp1.sample(&mut self.rng);
            let wait_ms = hours / per_hour * HOUR_MS as f64;
            self.plan(now.plus_ms(wait_ms.ceil() as i64), due);
        }
    }

    /// Whether a candidate at the rate of the busiest hour is accepted now (*thinning*).
    fn busy(&mut self, now: Timestamp) -> bool {
        let hour = now.hour() as usize;
        let past_hour = now.since_ms(now.floor(HOUR_MS)) as f64 / HOUR_MS as f64;
        let busy = BUSY[hour] + (BUSY[(hour + 1) % 24] - BUSY[hour]) * past_hour;
        self.rng.random_bool(busy)
    }

    /// Performs what is due; returns the event if it is one that is sent now.
    fn apply(&mut self, now: Timestamp, due: Due) -> Option<Event> {
        match due {
            Due::Send(event) => return Some(*event),
            Due::NewDay => {
                self.catalogue.start_day(now.ms().div_euclid(DAY_MS));
                self.plan(now.plus_ms(DAY_MS), Due::NewDay);
            }
            Due::Trend => {
                self.trends.begin(now.ms(), &mut self.catalogue, &mut self.rng);
                self.after(now, self.config.trends_per_day / 24.0, Due::Trend);
            }
            Due::NewItem => {
                let slot = self.rng.random_range(0..self.catalogue.len());
                self.catalogue.launch(slot);
                self.after(now, self.new_items_per_hour(), Due::NewItem);
            }
            Due::Visit => {
                if self.busy(now) {
                    self.sessions += 1;
                    let visit = Visit::begin(self.sessions, &mut self.rng);
                    self.view(now, Box::new(visit));
                }
                self.after(now, self.config.sessions_per_hour, Due::Visit);
            }
            Due::Bot => {
                if self.busy(now) {
                    self.sessions += 1;
                    let visit = BotVisit {
                        session_id: format!("session-{:07}", self.sessions),
                        slot: self.rng.random_range(0..self.catalogue.len()),
                        left: self.rng.random_range(BOT_VIEWS),
                        gap_ms: self.rng.random_range(1_000..8_000),
                    };
                    self.bot_view(now, Box::new(visit));
                }
                self.after(now, self.bots_per_hour(), Due::Bot);
            }
            Due::View(visit) => self.view(now, visit),
            Due::BotVisit(visit) => self.bot_view(now, visit),
            Due::StagedView(visit) => self.staged_view(now, visit),
        }
        None
    }

    /// A shopper opens an item's page, and reacts to it.
    fn view(&mut self, now: Timestamp, mut visit: Box<Visit>) {
        let slot = visit.view(now.ms(), &self.catalogue, &self.trends, &mut self.rng);
        let Reaction { gap_ms, hover_ms, scroll, cart, purchase } = visit.react(&mut self.rng);
        let blank = Click {
            ts: now,
            event_id: None,
            session_id: visit.session_id.clone(),
            shopper_id: visit.shopper_id.clone(),
            kind: ClickKind::View,
            item_id: Some(self.catalogue.name(slot)),
            dwell_ms: None,
            depth: None,
        };
        self.send_view(blank.clone(), slot, false);
        // The reactions come between this view and the next.
        let part = |share: f64| now.plus_ms((gap_ms.min(120_000) as f64 * share) as i64);
        if let Some(ms) = hover_ms {
            let ts = part(0.2).plus_ms(ms.min(gap_ms / 4));
            self.send(Click { ts, kind: ClickKind::Hover, dwell_ms: Some(ms.min(gap_ms)), ..blank.clone() });
        }
        if let Some(depth) = scroll {
            self.send(Click { ts: part(0.5), kind: ClickKind::Scroll, depth: Some(depth), ..blank.clone() });
        }
        if cart {
            self.send(Click { ts: part(0.7), kind: ClickKind::AddToCart, ..blank.clone() });
        }
        if purchase {
            self.send(Click { ts: part(0.9), kind: ClickKind::Purchase, ..blank });
        }
        if visit.left > 0 {
            self.plan(now.plus_ms(gap_ms), Due::View(visit));
        }
    }

    /// A bot fetches an item's page.
    fn bot_view(&mut self, now: Timestamp, mut visit: Box<BotVisit>) {
        let slot = visit.slot;
        let view = Click {
            ts: now,
            event_id: None,
            session_id: visit.session_id.clone(),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: Some(self.catalogue.name(slot)),
            dwell_ms: None,
            depth: None,
        };
        self.send_view(view, slot, true);
        visit.slot = (slot + 1) % self.catalogue.len();
        visit.left -= 1;
        if visit.left > 0 {
            let jitter_ms = self.rng.random_range(-10..=10);
            self.plan(now.plus_ms(visit.gap_ms + jitter_ms), Due::BotVisit(visit));
        }
    }

    /// Sends a view, and before it the truth about why it happened.
    fn send_view(&mut self, view: Click, slot: Slot, bot: bool) {
        let intent = SimulationTruth::Intent {
            ts: view.ts,
            id: event_id(self.events + 1),
            session_id: view.session_id.clone(),
            item_id: view.item_id.clone().expect("a view is of an item"),
            trending: self.trends.trending(slot, view.ts.ms()),
            bot,
        };
        self.plan(view.ts, Due::Send(Box::new(intent.into())));
        self.send(view);
    }

    /// Sends an event: at once or late, and sometimes twice.
    fn send(&mut self, mut click: Click) {
        self.events += 1;
        click.event_id = Some(event_id(self.events));
        let late = self.rng.random_bool(self.config.late);
        let delay_s = if late { self.rng.random::<f64>() * self.config.late_up_to_s } else { 0.0 };
        let at = click.ts.plus_seconds(delay_s);
        if self.rng.random_bool(self.config.duplicates) {
            let again = at.plus_ms(self.rng.random_range(500..5_000));
            self.plan(again, Due::Send(Box::new(click.clone().into())));
        }
        self.plan(at, Due::Send(Box::new(click.into())));
    }
}

fn event_id(number: u64) -> String {
    format!("click-{number:09}")
}

impl Default for Shop {
    fn default() -> Self {
        Self::new(ShopConfig::default())
    }
}

impl Iterator for Shop {
    type Item = Emission;

    /// The next event in the order of sending; none only without any visits.
    fn next(&mut self) -> Option<Emission> {
        if self.config.sessions_per_hour == 0.0 {
            return None;
        }
        loop {
            let Reverse(Scheduled { at, due, .. }) = self.queue.pop()?;
            if let Some(event) = self.apply(at, due) {
                return Some(Emission { at, event });
            }
        }
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
