//! The shop: next clicks that were on the page, and those that were not.
//!
//! A case is a view of an item that its session has not met before: what the shopper went for next.
//! It is a hit when the item was on the page that this shopper had on the screen at that moment.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use events::{ClickKind, Event, Recommendations, SimulationTruth, Timestamp};

use super::PATIENCE_MS;
use super::id::{Id, ItemId};
use super::resample::Resampled;

/// A shopper who is silent for half an hour has left.
const SESSION_MS: i64 = 30 * 60_000;

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
    after: Option<Id>,
    items: Box<[ItemId]>,
}

/// Pages of one session, or those for everybody, in the order in which they could be seen.
#[derive(Debug, Default)]
struct Pages(VecDeque<Page>);

impl Pages {
    fn add(&mut self, from: Timestamp, answer: &Recommendations) {
        let new = Page { from, after: answer.after.as_ref().map(Id::from), items: items_of(answer) };
        // Pages for everybody come from several partitions: of two of one instant it must not
        // matter which was read first.
        let not_after = |page: &Page| match new.after {
            Some(_) => page.from <= from,
            None => (page.from, &page.items) <= (from, &new.items),
        };
        let place = self.0.partition_point(not_after);
        self.0.insert(place, new);
    }

    /// What was on the screen before `at`: a page that comes at the very instant of a click answers
    /// that click. Older pages are forgotten, for nobody asks about an earlier moment again.
    fn before(&mut self, at: Timestamp) -> Option<&Page> {
        while self.0.get(1).is_some_and(|next| next.from < at) {
            self.0.pop_front();
        }
        self.0.front().filter(|page| page.from < at)
    }

    /// Forgets pages that nobody asks about any more who looks after `judged_to`. A click that
    /// comes late is answered late, so the newest page may answer one of a while ago.
    fn forget(&mut self, judged_to: Timestamp) {
        while self
            .0
            .get(1)
            .is_some_and(|next| next.from < judged_to && judged_to.since_ms(next.from) > SESSION_MS)
        {
            self.0.pop_front();
        }
    }
}

fn items_of(page: &Recommendations) -> Box<[ItemId]> {
    page.items.iter().map(ItemId::from).collect()
}

#[derive(Debug, Default)]
struct Session {
    met: HashSet<ItemId>,
    stream: Pages,
    batch: Pages,
    /// The pages of the stale model that somebody may still ask about; `from` is when the click
    /// that each answers was made.
    stale: Pages,
    touched: Option<Timestamp>,
    bot: bool,
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
    /// Up to where cases have been judged.
    judged_to: Timestamp,
    /// What shoppers did: when, in which visit, and its sequence number; only the view of
    /// an item can be a case, the others change the page. They are judged in the order of their
    /// time, whichever partition was read first.
    waiting: BTreeMap<(Timestamp, Id, u64), Option<ItemId>>,
    heard: u64,
    sessions: HashMap<Id, Session>,
    everybody_stream: Pages,
    everybody_batch: Pages,
    /// Views whose page from the stale model is not known yet, by the event that page answers: the
    /// one that the stream's page on the screen answered, for a service with an old model would
    /// be as quick as one with a new.
    stale_waiting: HashMap<Id, Vec<StaleCase>>,
}

impl ShopBill {
    pub(super) fn new(judged_from: Timestamp) -> Self {
        Self {
            stream: ShopLane::default(),
            batch: ShopLane::default(),
            stale: ShopLane::default(),
            stream_beside_stale: ShopLane::default(),
            spread: Resampled::default(),
            stale_spread: Resampled::default(),
            judged_from,
            judged_to: Timestamp::MIN,
            waiting: BTreeMap::new(),
            heard: 0,
            sessions: HashMap::new(),
            everybody_stream: Pages::default(),
            everybody_batch: Pages::default(),
            stale_waiting: HashMap::new(),
        }
    }

    pub(super) fn observe(&mut self, event: &Event, seen: Timestamp) {
        match event {
            Event::Clicks(click) => {
                self.heard += 1;
                let viewed = click.item_id.as_ref().filter(|_| click.kind == ClickKind::View);
                let key = (seen, Id::from(&click.session_id), self.heard);
                self.waiting.insert(key, viewed.map(ItemId::from));
            }
            Event::SimulationTruth(SimulationTruth::Intent { session_id, bot: true, .. }) => {
                let session = self.session(session_id.into(), seen);
                session.bot = true;
            }
            Event::Recommendations(answer) if answer.session_id.is_empty() => {
                self.everybody_stream.add(seen, answer);
            }
            Event::Recommendations(answer) => {
                self.session(Id::from(&answer.session_id), seen).stream.add(seen, answer);
            }
            Event::RecommendationsBatch(batched) if batched.0.answer.session_id.is_empty() => {
                self.everybody_batch.add(batched.0.valid_from, &batched.0.answer);
            }
            Event::RecommendationsBatch(batched) => {
                // A session that the bill has forgotten will not look at a page again.
                if let Some(session) = self.sessions.get_mut(&Id::from(&batched.0.answer.session_id)) {
                    session.batch.add(batched.0.valid_from, &batched.0.answer);
                }
            }
            Event::RecommendationsStale(batched) => {
                let page = &batched.0.answer;
                let Some(after) = page.after.as_ref().map(Id::from) else { return };
                let session_id = Id::from(&page.session_id);
                let Some(cases) = self.stale_waiting.remove(&after) else {
                    // Its click is not judged yet, or nobody looked at the page that answers it.
                    if let Some(session) = self.sessions.get_mut(&session_id) {
                        session.stale.add(page.ts, page);
                        session.stale.forget(self.judged_to);
                    }
                    return;
                };
                let items = items_of(page);
                for case in cases {
                    self.judge_stale(session_id, items.contains(&case.item), case.stream_hit);
                }
            }
            _ => {}
        }
    }

    fn session(&mut self, id: Id, seen: Timestamp) -> &mut Session {
        let session = self.sessions.entry(id).or_default();
        session.touched = session.touched.max(Some(seen));
        session
    }

    pub(super) fn settle(&mut self, until: Timestamp) {
        self.judged_to = self.judged_to.max(until);
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= until) {
            let ((seen, session_id, _), viewed) = first.remove_entry();
            self.judge(seen, session_id, viewed);
        }
        self.sessions.retain(|_, session| {
            session.touched.is_some_and(|touched| until.since_ms(touched) < SESSION_MS * 3)
        });
        let recent = |case: &StaleCase| until.since_ms(case.seen) < PATIENCE_MS;
        self.stale_waiting.retain(|_, cases| cases.last().is_some_and(recent));
    }

    fn judge(&mut self, seen: Timestamp, session_id: Id, viewed: Option<ItemId>) {
        let session = self.sessions.entry(session_id).or_default();
        session.touched = session.touched.max(Some(seen));
        // Also before what is no case, so that pages of the past are forgotten.
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

    fn judge_stale(&mut self, session_id: Id, hit: bool, stream_hit: bool) {
        self.stale.add(hit);
        self.stream_beside_stale.add(stream_hit);
        self.stale_spread.add(session_id, [1.0, f64::from(stream_hit), f64::from(hit)]);
    }
}
