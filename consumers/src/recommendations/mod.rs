//! The shop's homepage: after every click, this shopper's best 20.
//!
//! [`RecommendationsProcessor`] is the streaming processor: it keeps the live sessions and their
//! items (`visits.rs`), learns when a session meets an item for the first time (`model.rs`, which
//! explains the method), and answers every event with a page. [`HourlyRecommendations`] does as
//! much of this as a scheduled job can.
//!
//! The order of work on one event: the session takes it, the page is made, then the model learns.
//! So a page knows nothing that its own event teaches, and no answer waits for learning.
//!
//! # Invalid and unusual input
//! - The same `event_id` twice in a session (a producer's retry) is one event. The second is
//!   counted, not answered.
//! - Events out of order are taken in the order of arrival. A late event is learnt from with the
//!   weight of its time.
//! - An implausible time: no event moves the watermark by more than an hour. The first event's time
//!   counts until the second contradicts it.
//! - Names of more than 256 bytes: such an item or session is not kept; its events are answered.
//! - Sessions of ten thousand events are answered like any other. After
//!   [`RecommendationsConfig::items_per_session`] *different* items a session's pages are empty.
//! - Bots (even gaps, or too fast for a person) are answered, but the model learns nothing from
//!   them, and they are no neighbours.

mod catalogue;
mod companions;
mod config;
mod decay;
mod history;
mod hourly;
mod mart;
mod model;
mod order_weights;
mod packed_visit;
mod postings;
mod session_index;
#[cfg(test)]
mod tests;
mod trending;
mod visit;
mod visits;

use events::{Click, Event, HOUR_MS, Recommendations, Timestamp, Topic};

pub use config::{Blend, Interest, RecommendationsConfig};
pub use hourly::HourlyRecommendations;
pub use mart::MART;

use model::{Model, SharedScratch};
use processor::Processor;
use processor::event_time::{DeduplicationWindow, Watermark};
use visits::Visits;

/// Names longer than this, in bytes, are not kept.
const MAX_NAME_BYTES: usize = 256;
/// The front page is published at most this often.
const FRONT_PAGE_MS: i64 = 60_000;
/// How many of the latest events the deduplication window holds, at least. Retries come within
/// seconds; a busy shop has so many in minutes.
const DEDUPLICATION_CAPACITY: usize = 1 << 13;
/// The most that one event moves the time by which counts decay.
const LARGEST_STEP_MS: i64 = HOUR_MS;

/// Answers each click with a page at once.
#[derive(Clone, Debug)]
pub struct RecommendationsProcessor {
    config: RecommendationsConfig,
    model: Model,
    visits: Visits,
    seen: DeduplicationWindow,
    scratch: SharedScratch,
    front: FrontPage,
    counters: Counters,
}

/// The page for a shopper without a session, as it was last published.
#[derive(Clone, Debug, Default)]
struct FrontPage {
    items: Vec<String>,
    published_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    duplicates: u64,
    bot_events: u64,
    overlong_names: u64,
    overflowed: u64,
}

impl RecommendationsProcessor {
    /// A recommender that has learnt nothing yet.
    pub fn new(config: RecommendationsConfig) -> Self {
        Self {
            model: Model::new(&config),
            visits: Visits::new(),
            seen: DeduplicationWindow::new(DEDUPLICATION_CAPACITY),
            scratch: SharedScratch::default(),
            front: FrontPage::default(),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes a click as [`process`](Processor::process) does, without making its page. The state
    /// afterwards is the same, except for the time at which the front page is published next.
    pub fn learn(&mut self, click: &Click) {
        let _ = self.take(click, false);
    }

    /// From now on clones of this recommender share the sessions and events known so far, and copy
    /// only those sessions that continue. They answer as if each had a copy of all.
    pub fn share_history(&mut self) {
        self.visits.share_history();
        self.seen.share_history();
    }

    /// The page for a session as it is now, or for a shopper without one. Changes nothing.
    pub fn page(&mut self, session_id: &str) -> Vec<String> {
        match self.visits.get(session_id) {
            Some(visit) => self.model.page(&visit, visit.number, &mut self.scratch.lock(), &self.config),
            None => self.model.front_page(&mut self.scratch.lock(), &self.config),
        }
    }

    /// Answers one click, learns from it, and publishes the front page if it is due.
    fn click(&mut self, click: &Click, answers: &mut Vec<Event>) {
        if let Some(answer) = self.take(click, true) {
            answers.push(answer.into());
            answers.extend(self.front_page().map(Event::from));
        }
    }

    /// Takes one click; returns its page if it is wanted and the click is not a duplicate. The
    /// state afterwards does not depend on whether the page is wanted.
    fn take(&mut self, click: &Click, wanted: bool) -> Option<Recommendations> {
        if is_duplicate(&mut self.seen, click) {
            self.counters.duplicates += 1;
            return None;
        }
        self.take_new(click, wanted)
    }

    /// Takes one click that is known to be no duplicate.
    fn take_new(&mut self, click: &Click, wanted: bool) -> Option<Recommendations> {
        let now_ms = self.model.advance(click.ts, &self.config);
        let items = if click.session_id.len() > MAX_NAME_BYTES {
            self.counters.overlong_names += 1;
            wanted.then(|| self.model.front_page(&mut self.scratch.lock(), &self.config))
        } else {
            let item = item_name(click, &mut self.counters).map(|name| self.model.get_or_insert(name));
            let (mut visit, is_new) = self.visits.observe(click, item, now_ms, &self.config);
            let page =
                wanted.then(|| self.model.page(&visit, visit.number, &mut self.scratch.lock(), &self.config));
            if visit.pace.bot {
                self.counters.bot_events += 1;
                if let Some(number) = visit.number {
                    self.model.mark_as_bot(number);
                }
            } else if is_new && (visit.training_examples as usize) < self.config.training_examples_per_session
            {
                self.model.learn(&mut visit, click.ts.ms());
            }
            self.counters.overflowed += u64::from(visit.overflowed);
            page
        };
        items.map(|items| page(click, items))
    }

    /// The page for a shopper without a session, if it has changed and a minute has passed.
    fn front_page(&mut self) -> Option<Recommendations> {
        let now_ms = self.model.now_ms();
        if self.front.published_ms.is_some_and(|at_ms| now_ms - at_ms < FRONT_PAGE_MS) {
            return None;
        }
        let items = self.model.front_page(&mut self.scratch.lock(), &self.config);
        if self.front.published_ms.is_some() && items == self.front.items {
            return None;
        }
        self.front = FrontPage { items: items.clone(), published_ms: Some(now_ms) };
        Some(Recommendations {
            ts: Timestamp::from_ms(now_ms),
            session_id: String::new(),
            after: None,
            items,
        })
    }
}

/// The watermark by which counts decay. After a long silence it takes a few events to catch up,
/// which does no harm.
fn decay_watermark() -> Watermark {
    Watermark::in_steps(LARGEST_STEP_MS)
}

/// Whether this event was seen before. Ids are unique within a session; an event without an id is
/// never a duplicate.
fn is_duplicate(seen: &mut DeduplicationWindow, click: &Click) -> bool {
    click.event_id.as_ref().is_some_and(|event_id| seen.is_duplicate(&(&click.session_id, event_id)))
}

/// The name of the click's item, if it has one that is kept.
fn item_name<'a>(click: &'a Click, counters: &mut Counters) -> Option<&'a str> {
    let name = click.item_id.as_deref().filter(|name| !name.is_empty())?;
    if name.len() > MAX_NAME_BYTES {
        counters.overlong_names += 1;
        return None;
    }
    Some(name)
}

fn page(click: &Click, items: Vec<String>) -> Recommendations {
    Recommendations {
        ts: click.ts,
        session_id: click.session_id.clone(),
        after: click.event_id.clone(),
        items,
    }
}

impl Default for RecommendationsProcessor {
    fn default() -> Self {
        Self::new(RecommendationsConfig::default())
    }
}

impl Processor for RecommendationsProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::Clicks]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        if let Event::Clicks(click) = event {
            self.click(click, answers);
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let Counters { duplicates, bot_events, overlong_names, overflowed } = self.counters;
        vec![
            ("duplicates", duplicates),
            ("bot_events", bot_events),
            ("overlong_names", overlong_names),
            ("pages_of_overflowed_sessions", overflowed),
            ("sessions", self.visits.len() as u64),
            ("items", self.model.catalogue.len() as u64),
        ]
    }
}
