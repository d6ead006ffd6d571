//! The batch twin: a scheduled job runs the same processor over each finished period.
//!
//! It answers on two topics, because two different things can be late:
//!
//! - `recommendations_batch`: **the page is late.** At a period's end the job reads the period's
//!   clicks, runs the processor over them and publishes the result: for each session of the period
//!   its last page (earlier ones would be overwritten at once, as an upsert by key leaves one row
//!   in a table), and the front page.
//! - `recommendations_stale`: **only the model is late.** The job publishes the model, and a
//!   service applies it to the live session. So every event gets a page at once, from what was
//!   known at the end of the last finished period. Applying a model does not change it.
//!
//! # Simplifications
//! - A job reads in the order of arrival: a late click belongs to the period in which it arrives.
//! - The clicks of the current period are kept in memory, some 200 bytes each.
//! - A session is held twice while its clicks wait for the next run: as the job knows it, and as it
//!   is now. Once a run has made both the same, it is held once, by the job.
//! - Events of one session with a time more than 30 days ahead do not end a period, unless they are
//!   several in a row: see [`Watermark`]. The time of the very first event counts until the second
//!   contradicts it.

use events::{
    Batched, Click, DAY_MS, Event, HOUR_MS, Recommendations, RecommendationsBatch, RecommendationsStale,
    Timestamp, Topic,
};
use hashbrown::HashMap;

use super::visits::Visits;
use super::{
    Counters, MAX_NAME_BYTES, RecommendationsConfig, RecommendationsProcessor, decay_watermark, is_duplicate,
    item_name, page,
};
use processor::Processor;
use processor::bounded::fingerprint;
use processor::event_time::Watermark;

/// How far ahead one event may be and still end the period, in milliseconds.
const LARGEST_JUMP_MS: i64 = 30 * DAY_MS;

/// Answers clicks on both batch topics: see the [module](self).
#[derive(Clone, Debug)]
pub struct HourlyRecommendations {
    period_ms: i64,
    /// The job. Between runs it does not change: its model is the stale one.
    job: RecommendationsProcessor,
    /// The sessions as they are now, to which the service applies the stale model; of those that
    /// are as the job left them, the job's.
    live: Visits,
    counters: Counters,
    /// The time by which counts decay.
    decay: Watermark,
    /// The clicks of the current period, in the order of arrival.
    clicks: Vec<Click>,
    /// The start of the current period; none before the first click.
    period: Watermark,
}

impl HourlyRecommendations {
    /// A job that runs at the end of each period of `period_ms` of event time (at least a
    /// millisecond; the default is an hour), aligned to midnight UTC.
    pub fn new(config: RecommendationsConfig, period_ms: i64) -> Self {
        Self::starting_from(RecommendationsProcessor::new(config), period_ms)
    }

    /// The same with a recommender that has already learnt from history.
    pub fn starting_from(mut job: RecommendationsProcessor, period_ms: i64) -> Self {
        // What is live goes on from what the job has seen itself: to the service a session begins
        // with the first click that it is asked about.
        job.visits.share_history();
        Self {
            period_ms: period_ms.max(1),
            job,
            live: Visits::new(),
            counters: Counters::default(),
            decay: decay_watermark(),
            clicks: Vec::new(),
            period: Watermark::confirmed_by_other_source_or_run(LARGEST_JUMP_MS),
        }
    }

    /// The start of the period in which a click of this time arrives. Runs the job if that ends a
    /// period.
    fn enter(&mut self, click: &Click, answers: &mut Vec<Event>) -> Timestamp {
        let at = click.ts;
        let period = at.floor(self.period_ms);
        if self.decay.would_restart(at) {
            self.period = Watermark::confirmed_by_other_source_or_run(LARGEST_JUMP_MS);
        }
        let before = self.period.now();
        let entered = self.period.advance_from(fingerprint(&click.session_id), period);
        if let Some(before) = before.filter(|before| *before < entered) {
            self.run(before, answers);
        }
        entered
    }

    /// Runs the job over the period that began at `start`.
    fn run(&mut self, start: Timestamp, answers: &mut Vec<Event>) {
        let clicks = std::mem::take(&mut self.clicks);
        if clicks.is_empty() {
            return;
        }
        let valid_from = start.plus_ms(self.period_ms);
        let batched = |answer| Batched::as_of(answer, valid_from);

        // Only a session's last page is left in the table, so only that one is made; the model
        // learns from all clicks alike.
        let last: HashMap<&str, usize> =
            clicks.iter().enumerate().map(|(place, click)| (click.session_id.as_str(), place)).collect();
        for (place, click) in clicks.iter().enumerate() {
            let wanted = last[click.session_id.as_str()] == place;
            let page = self.job.take_new(click, wanted);
            answers.extend(page.map(|page| RecommendationsBatch(batched(page)).into()));
        }
        // The new model may know items of the live sessions that the old one did not.
        for click in &clicks {
            if let Some(name) = click.item_id.as_deref() {
                self.live.update_number(&click.session_id, &self.job.model.find(name));
            }
        }
        self.live.drop_those_of(&self.job.visits);

        let front = Recommendations {
            ts: valid_from,
            session_id: String::new(),
            after: None,
            items: self.job.model.front_page(&mut self.job.scratch.lock(), &self.job.config),
        };
        answers.push(RecommendationsStale(batched(front.clone())).into());
        answers.push(RecommendationsBatch(batched(front)).into());
    }

    fn click(&mut self, click: &Click, answers: &mut Vec<Event>) {
        let period = self.enter(click, answers);
        if is_duplicate(&mut self.job.seen, click) {
            self.counters.duplicates += 1;
            return;
        }
        let now_ms = self.decay.observe(click.ts).ms();
        let Self { job, live, counters, .. } = self;
        let RecommendationsProcessor { model, visits, scratch, config, .. } = job;
        let items = if click.session_id.len() > MAX_NAME_BYTES {
            counters.overlong_names += 1;
            model.front_page(&mut scratch.lock(), config)
        } else {
            let item = item_name(click, counters).map(|name| model.find(name));
            let (visit, _) = live.observe_beside(Some(visits), click, item, now_ms, config);
            let itself = visits.get(&click.session_id).and_then(|visit| visit.number);
            model.page(&visit, itself, &mut scratch.lock(), config)
        };
        answers.push(RecommendationsStale(Batched::as_of(page(click, items), period)).into());
        self.clicks.push(click.clone());
    }
}

impl Default for HourlyRecommendations {
    fn default() -> Self {
        Self::new(RecommendationsConfig::default(), HOUR_MS)
    }
}

impl Processor for HourlyRecommendations {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::Clicks]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        if let Event::Clicks(click) = event {
            self.click(click, answers);
        }
    }

    fn finish(&mut self, answers: &mut Vec<Event>) {
        if let Some(start) = self.period.now() {
            self.run(start, answers);
        }
    }

    fn set_period_ms(&mut self, period_ms: i64) {
        self.period_ms = period_ms.max(1);
    }

    fn fork(&self) -> Option<Box<dyn Processor>> {
        Some(Box::new(self.clone()))
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("duplicates", self.counters.duplicates),
            ("overlong_names", self.counters.overlong_names),
            ("sessions", self.live.len() as u64 + self.job.visits.len() as u64),
            ("items", self.job.model.catalogue.len() as u64),
        ]
    }
}

#[cfg(test)]
impl HourlyRecommendations {
    /// How many visits are held besides the job's, and how many by the job.
    pub(super) fn held(&self) -> (usize, usize) {
        (self.live.len(), self.job.visits.len())
    }

    /// What the old model answers to a visit of these clicks.
    pub(super) fn page_of(&mut self, clicks: &[Click]) -> Vec<String> {
        let Self { job: RecommendationsProcessor { model, visits, scratch, config, .. }, .. } = self;
        let mut alone = Visits::new();
        for click in clicks {
            let item = click.item_id.as_deref().map(|name| model.find(name));
            alone.observe(click, item, click.ts.ms(), config);
        }
        let id = &clicks[0].session_id;
        let itself = visits.get(id).and_then(|visit| visit.number);
        model.page(&alone.get(id).expect("it was observed"), itself, &mut scratch.lock(), config)
    }
}
