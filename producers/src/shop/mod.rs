//! The shop: visits, from the first click to the last, and everything the pages notice on the way.
//!
//! [`Shop`] is an endless iterator. A visit begins at random (Poisson, busier in the evening),
//! looks at an item, and then at the next: mostly one that is similar to what it liked,
//! sometimes one of the same shelf, sometimes whatever everybody looks at; and a third of the
//! time back at something it has seen. How much a shopper likes an item is known to nobody, but
//! shows: in hovers, scrolls, carts, purchases, and in where the visit goes next. Fame drifts
//! from day to day, flash trends come and go, new items replace old ones. Programs walk the
//! shelves at even pace.
//!
//! Session lengths, gaps, concentration, repeats, carts and the rest are fitted to two public click
//! logs of real shops; `tests/` measures each on what is generated here and names the figure it
//! must come near.
//!
//! # Simplifications
//! - Hovers, scrolls and dwell times have no public log of a shop. Here they follow interest by
//!   assumption, so whatever a consumer gains from them is a property of this file.
//! - Nobody sees the homepage that is recommended: what is shown doesn't change what is clicked.
//! - One catalogue, one country, no weekends; a shopper's visits have
//!   nothing to do with one another.

mod catalogue;
mod config;
mod shopper;
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

use crate::Emission;
use catalogue::{Catalogue, Slot};
use shopper::{Reaction, Visit};
use trends::Trends;

/// How busy each hour of the day (UTC) is, against the busiest. In between it
/// changes in a straight line.
const BUSY: [f64; 24] = [
    0.45, 0.30, 0.20, 0.15, 0.13, 0.15, 0.25, 0.40, 0.55, 0.68, 0.78, 0.84, 0.86, 0.86, 0.85, 0.85, 0.86,
    0.88, 0.92, 0.97, 1.00, 0.97, 0.85, 0.65,
];
/// Views that a person's visit has on average: what the rate of programs is reckoned from.
const VIEWS_A_VISIT: f64 = 3.0;
/// How many items a program looks at.
const BOT_VIEWS: std::ops::Range<u32> = 100..400;

/// The simulated shop: see the [module](self).
#[derive(Debug)]
pub struct Shop {
    config: ShopConfig,
    rng: Rng,
    catalogue: Catalogue,
    trends: Trends,
    /// What happens next, by time and then by the order in which it was decided.
    agenda: BinaryHeap<Reverse<Due>>,
    decided: u64,
    /// Visits begun, which number sessions, and events, which number themselves.
    sessions: u64,
    events: u64,
}

/// Something that will happen.
#[derive(Debug)]
struct Due {
    at: Timestamp,
    order: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Dawn,
    Visit,
    Bot,
    Trend,
    NewItem,
    View(Box<Visit>),
    Crawl(Box<Crawl>),
    Send(Box<Event>),
}

/// A program's visit: slot after slot at even pace.
#[derive(Debug)]
struct Crawl {
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
            agenda: BinaryHeap::new(),
            decided: 0,
            sessions: 0,
            events: 0,
            config,
        };
        shop.plan(start.floor(DAY_MS).plus_ms(DAY_MS), What::Dawn);
        shop.after(start, shop.config.sessions_per_hour, What::Visit);
        shop.after(start, shop.bots_per_hour(), What::Bot);
        shop.after(start, shop.config.trends_per_day / 24.0, What::Trend);
        shop.after(start, shop.new_items_per_hour(), What::NewItem);
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

    fn plan(&mut self, at: Timestamp, what: What) {
        self.decided += 1;
        self.agenda.push(Reverse(Due { at, order: self.decided, what }));
    }

    /// Plans the next of something that happens `per_hour` times an hour at random, never if that
    /// is 0.
    fn after(&mut self, now: Timestamp, per_hour: f64, what: What) {
        if per_hour > 0.0 {
            let hours: f64 = Exp1.sample(&mut self.rng);
            let wait_ms = hours / per_hour * HOUR_MS as f64;
            self.plan(now.plus_ms(wait_ms.ceil() as i64), what);
        }
    }

    /// Whether something that happens at the rate of the busiest hour happens now too.
    fn busy(&mut self, now: Timestamp) -> bool {
        let hour = now.hour() as usize;
        let past_hour = now.since_ms(now.floor(HOUR_MS)) as f64 / HOUR_MS as f64;
        let busy = BUSY[hour] + (BUSY[(hour + 1) % 24] - BUSY[hour]) * past_hour;
        self.rng.random_bool(busy)
    }

    /// Lets happen what is due; returns the event if it is one that is sent now.
    fn happen(&mut self, now: Timestamp, what: What) -> Option<Event> {
        match what {
            What::Send(event) => return Some(*event),
            What::Dawn => {
                self.catalogue.dawn(now.ms().div_euclid(DAY_MS));
                self.plan(now.plus_ms(DAY_MS), What::Dawn);
            }
            What::Trend => {
                self.trends.begin(now.ms(), &mut self.catalogue, &mut self.rng);
                self.after(now, self.config.trends_per_day / 24.0, What::Trend);
            }
            What::NewItem => {
                let slot = self.rng.random_range(0..self.catalogue.len());
                self.catalogue.launch(slot);
                self.after(now, self.new_items_per_hour(), What::NewItem);
            }
            What::Visit => {
                if self.busy(now) {
                    self.sessions += 1;
                    let visit = Visit::begin(self.sessions, &mut self.rng);
                    self.view(now, Box::new(visit));
                }
                self.after(now, self.config.sessions_per_hour, What::Visit);
            }
            What::Bot => {
                if self.busy(now) {
                    self.sessions += 1;
                    let crawl = Crawl {
                        session_id: format!("session-{:07}", self.sessions),
                        slot: self.rng.random_range(0..self.catalogue.len()),
                        left: self.rng.random_range(BOT_VIEWS),
                        gap_ms: self.rng.random_range(1_000..8_000),
                    };
                    self.crawl(now, Box::new(crawl));
                }
                self.after(now, self.bots_per_hour(), What::Bot);
            }
            What::View(visit) => self.view(now, visit),
            What::Crawl(crawl) => self.crawl(now, crawl),
        }
        None
    }

    /// A shopper opens an item's page, and does what people do there.
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
        self.tell_view(blank.clone(), slot, false);
        // What the page notices comes between this view and the next.
        let part = |share: f64| now.plus_ms((gap_ms.min(120_000) as f64 * share) as i64);
        if let Some(ms) = hover_ms {
            let ts = part(0.2).plus_ms(ms.min(gap_ms / 4));
            self.tell(Click { ts, kind: ClickKind::Hover, dwell_ms: Some(ms.min(gap_ms)), ..blank.clone() });
        }
        if let Some(depth) = scroll {
            self.tell(Click { ts: part(0.5), kind: ClickKind::Scroll, depth: Some(depth), ..blank.clone() });
        }
        if cart {
            self.tell(Click { ts: part(0.7), kind: ClickKind::AddToCart, ..blank.clone() });
        }
        if purchase {
            self.tell(Click { ts: part(0.9), kind: ClickKind::Purchase, ..blank });
        }
        if visit.left > 0 {
            self.plan(now.plus_ms(gap_ms), What::View(visit));
        }
    }

    /// A program fetches an item's page.
    fn crawl(&mut self, now: Timestamp, mut crawl: Box<Crawl>) {
        let slot = crawl.slot;
        let view = Click {
            ts: now,
            event_id: None,
            session_id: crawl.session_id.clone(),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: Some(self.catalogue.name(slot)),
            dwell_ms: None,
            depth: None,
        };
        self.tell_view(view, slot, true);
        crawl.slot = (slot + 1) % self.catalogue.len();
        crawl.left -= 1;
        if crawl.left > 0 {
            let jitter_ms = self.rng.random_range(-10..=10);
            self.plan(now.plus_ms(crawl.gap_ms + jitter_ms), What::Crawl(crawl));
        }
    }

    /// Sends a view, and before it, to those who may know, why it happened.
    fn tell_view(&mut self, view: Click, slot: Slot, bot: bool) {
        let intent = SimulationTruth::Intent {
            ts: view.ts,
            id: event_id(self.events + 1),
            session_id: view.session_id.clone(),
            item_id: view.item_id.clone().expect("a view is of an item"),
            trending: self.trends.trending(slot, view.ts.ms()),
            bot,
        };
        self.plan(view.ts, What::Send(Box::new(intent.into())));
        self.tell(view);
    }

    /// Sends an event: at once, or late, and now and then twice.
    fn tell(&mut self, mut click: Click) {
        self.events += 1;
        click.event_id = Some(event_id(self.events));
        let late = self.rng.random_bool(self.config.late);
        let delay_s = if late { self.rng.random::<f64>() * self.config.late_up_to_s } else { 0.0 };
        let at = click.ts.plus_seconds(delay_s);
        if self.rng.random_bool(self.config.duplicates) {
            let again = at.plus_ms(self.rng.random_range(500..5_000));
            self.plan(again, What::Send(Box::new(click.clone().into())));
        }
        self.plan(at, What::Send(Box::new(click.into())));
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

    /// The next event in the order of sending. There always is one, unless nobody ever comes.
    fn next(&mut self) -> Option<Emission> {
        if self.config.sessions_per_hour == 0.0 {
            return None;
        }
        loop {
            let Reverse(Due { at, what, .. }) = self.agenda.pop()?;
            if let Some(event) = self.happen(at, what) {
                return Some(Emission { at, event });
            }
        }
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
