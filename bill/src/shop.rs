//! The shop: next clicks that were on the page, and those that were not.
//!
//! A case is a view of an item that its session has not met before: what the shopper went for next.
//! It is a hit when the item was on the page that this shopper had on the screen at that moment.

use std::collections::{BTreeMap, HashMap};

use events::{Batched, Business, ClickKind, Event, Recommendations, SimulationTruth, Timestamp};

use serde_json::{Value, json};
use text::grouped;

use super::id::{Id, ItemId};
use super::lines::{Line, Measure, Sums, plain_tick, ratio, signed};
use super::part::{BusinessBill, Lane, PATIENCE_MS, Part, Sweep, Terms};
use super::resample::Resampled;
use super::verdict::Margin;

/// A shopper who is silent for half an hour has left.
const SESSION_MS: i64 = 30 * 60_000;
/// So late a click may come, and the next one of its visit be seen before it.
const LATE_MS: i64 = SESSION_MS;
/// Who clicks again after so long is another visitor to the bill: what was met, and the pages of
/// before, are forgotten.
const FORGOTTEN_MS: i64 = 3 * SESSION_MS;

/// The business's part of the bill.
pub static SHOP: Part = Part {
    business: Business::Shop,
    name: "shop",
    key: "shop",
    job: "batch-recommendations",
    needs_next_run: false,
    answers_carry_question_time: true,
    measures: &[&MISSED_CLICKS_PERCENT, &MISSED_CLICKS_STALE_PERCENT],
    is_truth: |event| matches!(event, Event::SimulationTruth(SimulationTruth::Intent { .. })),
    new: |terms| Box::new(ShopBill::new(terms)),
    question: "The shop: what goes on the page?",
    lesson: "<p>A click is missed when the item that the shopper went for next was not among the 20 on the page. Two different things can be late. In the first plot the \
             <i>page itself</i> is as old as the last run: it knows neither this visit nor what trends now. In the second only the <i>model</i> is that \
             old, and it is asked with the live visit: nearly everything that matters is in the visit, so the model can wait.</p>",
    breakdown: None,
};

/// Next new items that were not on the page, of a hundred clicks: the page itself is as old as the
/// run.
///
/// Margin: one click of a hundred. A visit goes for 2.3 new items, so one visitor in forty meets
/// one miss more.
pub static MISSED_CLICKS_PERCENT: Measure = Measure {
    key: "missed_clicks_percent",
    title: "missed clicks, of 100",
    name: "missed clicks",
    unit: " %",
    cases: "clicks",
    evidence: "clicks",
    margin: Margin::Of(1.0),
    amount: |percent| signed(percent, 1),
    tick: plain_tick,
};

/// The same where only the model is as old as the run and the session is live, on views within a
/// session.
///
/// Margin: one click of a hundred, as of the page itself.
pub static MISSED_CLICKS_STALE_PERCENT: Measure = Measure {
    key: "missed_clicks_stale_percent",
    title: "missed clicks, old model but live session",
    name: "missed clicks, old model but live session",
    unit: " %",
    cases: "clicks",
    evidence: "clicks",
    margin: Margin::Of(1.0),
    amount: |percent| signed(percent, 1),
    tick: plain_tick,
};

/// How one column did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShopLane {
    /// Novel views judged.
    pub cases: u64,
    /// Those whose item was on the page.
    pub hits: u64,
}

impl ShopLane {
    /// The share of hits, if there was a case.
    pub fn hit_rate(&self) -> Option<f64> {
        (self.cases > 0).then(|| self.hits as f64 / self.cases as f64)
    }

    fn add(&mut self, hit: bool) {
        self.cases += 1;
        self.hits += u64::from(hit);
    }
}

/// A view that waits for the stale model's page.
#[derive(Debug)]
struct StaleCase {
    seen: Timestamp,
    item: ItemId,
    /// Whether the stream's page had it.
    stream_hit: bool,
}

#[derive(Debug)]
struct Page {
    from: Timestamp,
    /// When the click was made that it answers.
    asked: Timestamp,
    after: Option<Id>,
    items: Box<[ItemId]>,
}

/// Pages of one session, or those for everybody, in the order in which they could be seen.
#[derive(Debug, Default)]
struct Pages(Vec<Page>);

impl Pages {
    fn add(&mut self, from: Timestamp, answer: &Recommendations) {
        let (asked, after) = (answer.ts, answer.after.as_ref().map(Id::from));
        let new = Page { from, asked, after, items: items_of(answer) };
        // Pages for everybody come from several partitions: of two of one instant it must not
        // matter which was read first.
        let not_after = |page: &Page| match new.after {
            Some(_) => page.from <= from,
            None => (page.from, &page.items) <= (from, &new.items),
        };
        let place = self.0.partition_point(not_after);
        if self.0.len() == self.0.capacity() {
            // A vector would double, and there are three for each of ten thousands of visits.
            self.0.reserve_exact(self.0.len() / 4 + 1);
        }
        self.0.insert(place, new);
        let next = self.0.get(place + 1).map_or(Timestamp::MAX, |next| next.from);
        assert!(from <= next, "a page of {from} stands before one of {next}: the pages are not in order");
    }

    /// What was on the screen before `at`: a page that comes at the very instant of a click answers
    /// that click. Older pages are dropped: earlier moments are not judged again.
    fn before(&mut self, at: Timestamp) -> Option<&Page> {
        let older = self.0.iter().skip(1).take_while(|next| next.from < at).count();
        self.0.drain(..older);
        self.0.first().filter(|page| page.from < at)
    }

    /// The page on the screen before `at`.
    fn shown(&self, at: Timestamp) -> Option<&Page> {
        self.0.iter().rfind(|page| page.from < at)
    }
}

fn items_of(page: &Recommendations) -> Box<[ItemId]> {
    page.items.iter().map(ItemId::from).collect()
}

/// What the items are that a visit has met: in order, for most visits meet a few.
#[derive(Debug, Default)]
struct Met(Vec<ItemId>);

impl Met {
    /// Whether this item is met for the first time.
    fn insert(&mut self, item: ItemId) -> bool {
        let Err(place) = self.0.binary_search(&item) else { return false };
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(self.0.len() / 4 + 2);
        }
        self.0.insert(place, item);
        true
    }
}

#[derive(Debug)]
struct Session {
    met: Met,
    stream: Pages,
    batch: Pages,
    /// The pages of the stale model that a case may still need; `from` is when the click that each
    /// answers was made.
    stale: Pages,
    /// When the last click was that has been judged.
    judged: Option<Timestamp>,
    /// The newest that is known of it, which may not be judged yet.
    touched: Timestamp,
    bot: bool,
}

impl Session {
    fn new(touched: Timestamp) -> Self {
        let (stream, batch, stale) = Default::default();
        Self { met: Met::default(), stream, batch, stale, judged: None, touched, bot: false }
    }

    /// Forgets the past if the last click was too long before `seen`. The sweep must not decide
    /// that: it comes when a watcher looks. It forgets only visits that have no past left. A page
    /// of the stream is there after the click; a late one was `clicked` before it was seen.
    fn forget_if_silent(&mut self, seen: Timestamp, clicked: Timestamp) {
        let last = self.judged;
        self.judged = last.max(Some(seen));
        if last.is_none_or(|last| seen.since_ms(last) >= FORGOTTEN_MS) {
            self.met = Met::default();
            self.stream.0.retain(|page| page.from >= clicked);
            // Of this visit's clicks another may have been made first and have come later.
            self.batch.0.retain(|page| clicked.since_ms(page.asked) < LATE_MS);
        }
    }

    /// Drops pages that no case after `judged_to` needs: most visits are over, and are held for
    /// those who come back. A late click is answered late, and may be judged late where the delays
    /// of wall-clock time count: what was there half an hour before is old.
    fn drop_old_pages(&mut self, judged_to: Timestamp) {
        let old = judged_to.plus_ms(-SESSION_MS);
        let answered = self.stream.shown(judged_to).and_then(|page| page.after);
        self.stale.0.retain(|page| page.from > old || page.after == answered);
        for pages in [&mut self.stream, &mut self.batch] {
            pages.before(old);
        }
        for pages in [&mut self.stream, &mut self.batch, &mut self.stale] {
            pages.0.shrink_to_fit();
        }
    }
}

/// The shop's part of the bill.
#[derive(Debug)]
pub struct ShopBill {
    /// The stream lane.
    pub stream: ShopLane,
    /// The page itself is as old as the last run.
    pub batch: ShopLane,
    /// Only the model is as old as the last run; the session is live. Judged on views within a
    /// session, for before the first event there is no session to ask with.
    pub stale: ShopLane,
    /// The stream lane on the cases of `stale`.
    pub stream_beside_stale: ShopLane,
    /// Case by case, drawn visit by visit: cases, hits of the stream, hits of the batch lane.
    pub spread: Resampled<3>,
    /// The same of the stale model.
    pub stale_spread: Resampled<3>,
    judged_from: Timestamp,
    /// When sessions and cases were swept.
    sweep: Sweep,
    /// What shoppers did: when it was seen, in which visit, and its sequence number; then when it
    /// was done, which may be earlier, and the item. Only the view of
    /// an item can be a case, the others change the page. They are judged in the order of their
    /// time, whichever partition was read first.
    waiting: BTreeMap<(Timestamp, Id, u64), (Timestamp, Option<ItemId>)>,
    sequence: u64,
    /// Boxed: one is of sixteen words, and half of the table is empty.
    sessions: HashMap<Id, Box<Session>>,
    everybody_stream: Pages,
    everybody_batch: Pages,
    /// Views whose page from the stale model is not known yet, by the event that page answers: the
    /// one that the stream's page on the screen answered, for a service with an old model would
    /// be as quick as one with a new.
    stale_waiting: HashMap<Id, Vec<StaleCase>>,
}

/// The session of this id, of which something was known at `seen`.
fn touched(sessions: &mut HashMap<Id, Box<Session>>, id: Id, seen: Timestamp) -> &mut Session {
    let session = sessions.entry(id).or_insert_with(|| Box::new(Session::new(seen)));
    session.touched = session.touched.max(seen);
    session
}

impl ShopBill {
    /// Nothing has been observed.
    pub fn new(terms: &Terms) -> Self {
        Self {
            stream: ShopLane::default(),
            batch: ShopLane::default(),
            stale: ShopLane::default(),
            stream_beside_stale: ShopLane::default(),
            spread: Resampled::default(),
            stale_spread: Resampled::default(),
            judged_from: terms.judged_from,
            sweep: Sweep::default(),
            waiting: BTreeMap::new(),
            sequence: 0,
            sessions: HashMap::new(),
            everybody_stream: Pages::default(),
            everybody_batch: Pages::default(),
            stale_waiting: HashMap::new(),
        }
    }

    fn session(&mut self, id: Id, seen: Timestamp) -> &mut Session {
        touched(&mut self.sessions, id, seen)
    }

    fn judge(&mut self, seen: Timestamp, clicked: Timestamp, session_id: Id, viewed: Option<ItemId>) {
        let session = touched(&mut self.sessions, session_id, seen);
        session.forget_if_silent(seen, clicked);
        // Also before what is no case, so that old pages are forgotten.
        let (streamed, batched) = (session.stream.before(seen), session.batch.before(seen));
        let Some(item) = viewed else { return };
        let novel = session.met.insert(item);
        if session.bot || !novel || seen < self.judged_from {
            return;
        }
        let shows = |page: Option<&Page>| page.is_some_and(|page| page.items.contains(&item));
        let after = streamed.and_then(|page| page.after);
        let stream_hit = shows(streamed.or_else(|| self.everybody_stream.before(seen)));
        let batch_hit = shows(batched.or_else(|| self.everybody_batch.before(seen)));
        self.stream.add(stream_hit);
        self.batch.add(batch_hit);
        self.spread.add(session_id, [1.0, f64::from(stream_hit), f64::from(batch_hit)]);
        let Some(after) = after else { return };
        if let Some(page) = session.stale.0.iter().rev().find(|page| page.after == Some(after)) {
            let hit = page.items.contains(&item);
            self.judge_stale(session_id, hit, stream_hit);
        } else {
            let case = StaleCase { seen, item, stream_hit };
            self.stale_waiting.entry(after).or_default().push(case);
        }
    }

    /// The stale model's answer to a click.
    fn observe_stale(&mut self, page: &Recommendations) {
        let Some(after) = page.after.as_ref().map(Id::from) else { return };
        let session_id = Id::from(&page.session_id);
        let Some(cases) = self.stale_waiting.remove(&after) else {
            // Its click is not judged yet, or the page that answers it was not looked at.
            self.session(session_id, page.ts).stale.add(page.ts, page);
            return;
        };
        let items = items_of(page);
        for case in cases {
            self.judge_stale(session_id, items.contains(&case.item), case.stream_hit);
        }
    }

    fn judge_stale(&mut self, session_id: Id, hit: bool, stream_hit: bool) {
        self.stale.add(hit);
        self.stream_beside_stale.add(stream_hit);
        self.stale_spread.add(session_id, [1.0, f64::from(stream_hit), f64::from(hit)]);
        assert_eq!(
            self.stale.cases, self.stream_beside_stale.cases,
            "cases of the stale model and of the stream beside it: they are the same"
        );
    }
}

impl BusinessBill for ShopBill {
    fn observe(&mut self, event: &Event, seen: Timestamp, _wall_ms: i64) {
        if let Event::Clicks(click) = event {
            self.sequence += 1;
            let viewed = click.item_id.as_ref().filter(|_| click.kind == ClickKind::View);
            let key = (seen, Id::from(&click.session_id), self.sequence);
            self.waiting.insert(key, (click.ts, viewed.map(ItemId::from)));
        } else if let Event::SimulationTruth(SimulationTruth::Intent { session_id, bot: true, .. }) = event {
            self.session(session_id.into(), seen).bot = true;
        } else if let Event::Recommendations(answer) = event {
            let pages = if answer.session_id.is_empty() {
                &mut self.everybody_stream
            } else {
                &mut self.session(Id::from(&answer.session_id), seen).stream
            };
            pages.add(seen, answer);
        } else if let Event::RecommendationsBatch(batched) = event {
            let Batched { answer, valid_from, .. } = &batched.0;
            if answer.session_id.is_empty() {
                self.everybody_batch.add(*valid_from, answer);
            } else {
                // Of a visit whose clicks have not been read, too.
                let session = self.session(Id::from(&answer.session_id), answer.ts);
                session.batch.add(*valid_from, answer);
            }
        } else if let Event::RecommendationsStale(batched) = event {
            self.observe_stale(&batched.0.answer);
        }
    }

    fn settle(&mut self, until: Timestamp) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= until) {
            let ((seen, session_id, _), (clicked, viewed)) = first.remove_entry();
            self.judge(seen, clicked, session_id, viewed);
        }
        if !self.sweep.is_due(until) {
            return;
        }
        self.sessions.retain(|_, session| {
            session.drop_old_pages(until);
            until.since_ms(session.touched) < FORGOTTEN_MS
        });
        let recent = |case: &StaleCase| until.since_ms(case.seen) < PATIENCE_MS;
        self.stale_waiting.retain(|_, cases| cases.last().is_some_and(recent));
    }

    fn lines(&self) -> Vec<Line> {
        let missed = |hits: f64, cases: f64| ratio(100.0 * (cases - hits), cases);
        let line = |measure: &'static Measure, stream: &ShopLane, late: &ShopLane, spread| {
            let all = [stream.cases as f64, stream.hits as f64, late.hits as f64];
            let sums = Sums { all, spread };
            sums.line(measure, (stream.cases, stream.cases), |s| missed(s[1], s[0]), |s| missed(s[2], s[0]))
        };
        let page = line(&MISSED_CLICKS_PERCENT, &self.stream, &self.batch, &self.spread);
        let stale =
            line(&MISSED_CLICKS_STALE_PERCENT, &self.stream_beside_stale, &self.stale, &self.stale_spread);
        page.into_iter().chain(stale).collect()
    }

    fn counts(&self, lane: Lane) -> Value {
        let (page, stale) = match lane {
            Lane::Stream => (&self.stream, &self.stream_beside_stale),
            Lane::Batch => (&self.batch, &self.stale),
        };
        json!({
            "clicks": page.cases, "on_the_page": page.hits,
            "clicks_within_a_session": stale.cases, "on_the_page_of_the_old_model": stale.hits,
        })
    }

    fn summary(&self) -> Value {
        let lane =
            |lane: &ShopLane| json!({ "cases": lane.cases, "hits": lane.hits, "hit_rate": lane.hit_rate() });
        json!({
            "stream": lane(&self.stream), "full_batch": lane(&self.batch),
            "stale_model": lane(&self.stale), "stream_beside_stale": lane(&self.stream_beside_stale),
        })
    }

    fn sentences(&self) -> Vec<String> {
        let rate = |lane: &ShopLane| {
            lane.hit_rate()
                .map_or("–".to_owned(), |rate| format!("{:.1} % of {}", rate * 100.0, grouped(lane.cases)))
        };
        vec![format!(
            "Next new item was on the page: stream {}, full batch {}; within a session: stream {}, stale model {}",
            rate(&self.stream),
            rate(&self.batch),
            rate(&self.stream_beside_stale),
            rate(&self.stale),
        )]
    }
}

#[cfg(test)]
mod tests {
    use events::{Click, RecommendationsStale};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(minute * 60_000)
    }

    fn click(minute: i64, item: &str) -> Event {
        Event::Clicks(Click {
            ts: at(minute),
            event_id: Some(format!("click {minute}")),
            session_id: "visit".into(),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: Some(item.into()),
            dwell_ms: None,
            depth: None,
        })
    }

    fn page(minute: i64, items: &[&str]) -> Recommendations {
        Recommendations {
            ts: at(minute),
            session_id: "visit".into(),
            after: Some(format!("click {minute}")),
            items: items.iter().map(ToString::to_string).collect(),
        }
    }

    /// Tens of thousands are held.
    #[test]
    fn a_visit_takes_sixteen_words_and_its_pages() {
        assert!(size_of::<Session>() <= 128, "{} bytes", size_of::<Session>());
    }

    #[test]
    fn of_a_visit_that_is_over_the_pages_are_held_that_the_next_click_would_be_held_against() {
        let mut bill = ShopBill::new(&Terms::from(Timestamp::MIN));
        for minute in 0..20 {
            bill.observe(&click(minute, &format!("item {minute}")), at(minute), 0);
            bill.observe(&page(minute, &["lamp"]).into(), at(minute), 0);
            let stale = Batched::as_of(page(minute, &["lamp", "cup"]), at(0));
            bill.observe(&RecommendationsStale(stale).into(), at(60), 0);
        }
        let held = |bill: &ShopBill| {
            let pages =
                |session: &Session| [&session.stream, &session.batch, &session.stale].map(|it| it.0.len());
            bill.sessions.values().map(|session| pages(session.as_ref())).collect::<Vec<_>>()
        };
        bill.settle(at(10));
        assert_eq!(held(&bill), [[11, 0, 20]], "what was on the screen half an hour before is held");
        bill.settle(at(60));
        assert_eq!(held(&bill), [[1, 0, 1]]);
        bill.observe(&click(80, "cup"), at(80), 0);
        bill.settle(at(90));
        assert_eq!((bill.stream.hits, bill.stale.hits, bill.stale.cases), (0, 1, 20));
    }
}
