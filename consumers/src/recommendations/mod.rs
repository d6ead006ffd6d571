//! The shop's homepage: after every click, this shopper's best 20.
//!
//! [`RecommendationsProcessor`] is the streaming answer: it keeps who is here and what each has met
//! (`visits.rs`), learns from each first meeting of a session with an item (`model.rs`, which
//! explains the method), and answers every event with a page. [`HourlyRecommendations`] is what a
//! scheduled job can do with the same logic.
//!
//! Order of work on one event: the session sees it, the page is made, then the model learns. So a
//! page never knows what its own event has taught, and nobody waits for learning.
//!
//! # What is done with bad input
//! - The same `event_id` twice in a session (a producer sent again): one event. The second is
//!   counted, not answered.
//! - Time going backwards: order is that of arrival. A late event teaches with the weight of its
//!   time.
//! - An absurd time: no event moves the clock by more than an hour; the first of all only until the
//!   second contradicts it.
//! - Names of more than 256 bytes: an item of such a name is not remembered, nor is a session; both
//!   are answered.
//! - Sessions of ten thousand events: answered like any other. After
//!   [`RecommendationsConfig::items_per_session`] *different* items its pages stay empty.
//! - Programs (even gaps, or too fast for a person): answered, but they teach nothing and are
//!   nobody's neighbours.

mod catalogue;
mod companions;
mod config;
mod decay;
mod hourly;
mod mart;
mod model;
mod order;
mod past;
mod postings;
#[cfg(test)]
mod tests;
mod trending;
mod visits;

use events::{Click, Event, HOUR_MS, Recommendations, Timestamp, Topic};

pub use config::{Blend, Interest, RecommendationsConfig};
pub use hourly::HourlyRecommendations;
pub use mart::MART;

use model::{Model, Scratch};
use processor::Processor;
use processor::event_time::{DeduplicationWindow, Watermark};
use visits::Visits;

/// Names longer than this, in bytes, are not remembered.
const LONGEST_NAME: usize = 256;
/// The page for someone who has no session yet changes at most this often.
const FRONT_PAGE_MS: i64 = 60_000;
/// How many of the latest events are remembered, at least, to notice one that is sent again.
/// Retries come within seconds; this is over an hour of a busy shop.
const REMEMBERED: usize = 1 << 17;
/// The most that one event moves the time by which counts decay.
const LARGEST_STEP_MS: i64 = HOUR_MS;

/// Clicks in, pages out, at once.
#[derive(Clone, Debug)]
pub struct RecommendationsProcessor {
    config: RecommendationsConfig,
    model: Model,
    visits: Visits,
    seen: DeduplicationWindow,
    scratch: Scratch,
    front: FrontPage,
    counters: Counters,
}

/// The page for someone who has no session yet, as it was last published.
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
    /// A recommender that knows nothing yet.
    pub fn new(config: RecommendationsConfig) -> Self {
        Self {
            model: Model::new(&config),
            visits: Visits::new(),
            seen: DeduplicationWindow::new(REMEMBERED),
            scratch: Scratch::default(),
            front: FrontPage::default(),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes a click as [`process`](Processor::process) does, without making the pages that it asks
    /// for. What is known afterwards is the same; only when the front page is next published
    /// may differ.
    pub fn learn(&mut self, click: &Click) {
        let _ = self.take(click, false);
    }

    /// What is known so far becomes a past. Clones of this recommender share the shoppers of it,
    /// and keep for themselves only those who come back; they answer as if each had learnt it
    /// all.
    pub fn share_past(&mut self) {
        self.visits.share();
    }

    /// The page for a session as it is now, or for someone who has none, without anything having
    /// happened.
    pub fn page(&mut self, session_id: &str) -> Vec<String> {
        match self.visits.get(session_id) {
            Some(visit) => self.model.page(visit, visit.number, &mut self.scratch, &self.config),
            None => self.model.front_page(&mut self.scratch, &self.config),
        }
    }

    /// Answers one click, learns from it, and publishes the front page if it is due.
    fn click(&mut self, click: &Click, answers: &mut Vec<Event>) {
        if let Some(answer) = self.take(click, true) {
            answers.push(answer.into());
            answers.extend(self.front_page().map(Event::from));
        }
    }

    /// Takes one click; returns its page if it is wanted and the click is not a duplicate. What is
    /// learnt does not depend on whether the page is wanted.
    fn take(&mut self, click: &Click, wanted: bool) -> Option<Recommendations> {
        if is_duplicate(&mut self.seen, click) {
            self.counters.duplicates += 1;
            return None;
        }
        let now_ms = self.model.advance(click.ts, &self.config);
        let items = if click.session_id.len() > LONGEST_NAME {
            self.counters.overlong_names += 1;
            wanted.then(|| self.model.front_page(&mut self.scratch, &self.config))
        } else {
            let item = item_name(click, &mut self.counters).map(|name| self.model.meet(name));
            let (visit, is_new) = self.visits.see(click, item, now_ms, &self.config);
            let page = wanted.then(|| self.model.page(visit, visit.number, &mut self.scratch, &self.config));
            if visit.pace.bot() {
                self.counters.bot_events += 1;
                if let Some(number) = visit.number {
                    self.model.unmask(number);
                }
            } else if is_new && visit.lessons < self.config.lessons_per_session {
                self.model.learn(visit, click.ts.ms());
            }
            self.counters.overflowed += u64::from(visit.overflowed);
            page
        };
        items.map(|items| page(click, items))
    }

    /// The page for someone who has no session yet, if it has changed and a minute has passed.
    fn front_page(&mut self) -> Option<Recommendations> {
        let now_ms = self.model.now_ms();
        if self.front.published_ms.is_some_and(|at_ms| now_ms - at_ms < FRONT_PAGE_MS) {
            return None;
        }
        let items = self.model.front_page(&mut self.scratch, &self.config);
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

/// The watermark of the time by which counts decay. After a long silence it takes a few events to
/// catch up, which does no harm.
fn decay_watermark() -> Watermark {
    Watermark::in_steps(LARGEST_STEP_MS)
}

/// Whether this event was seen before. Ids are unique within a session; an event without one is
/// always new.
fn is_duplicate(seen: &mut DeduplicationWindow, click: &Click) -> bool {
    click.event_id.as_ref().is_some_and(|event_id| seen.is_duplicate(&(&click.session_id, event_id)))
}

/// The name of the click's item, if it has one that can be remembered.
fn item_name<'a>(click: &'a Click, counters: &mut Counters) -> Option<&'a str> {
    let name = click.item_id.as_deref().filter(|name| !name.is_empty())?;
    if name.len() > LONGEST_NAME {
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
