//! The cost of lateness: one recorded log, the same logic at several periods, one bill each.
//!
//! Only the timing differs. One log is read once; at every event the stream's
//! processor answers, and so does the batch lane of each period (the processors of `freshet replay`
//! and `freshet replay --period`). Each period has a [`Bill`](crate::Bill) of its own, on which its
//! batch answers stand beside the stream's, judged on the same cases against `simulation_truth`.
//! Nothing depends on wall-clock time: the same log gives the same bill, to the byte.
//!
//! # When an answer could be seen
//! A log tells when events happened, not when they arrived: an event arrives when the newest time
//! that its business has shown so far has been reached. The stream's answer is there at that
//! instant, a batch answer from the end of its period on, as if jobs took no time: what is compared
//! is the *period* alone. Live, a run takes some seconds besides, and the dashboard's bill counts
//! them.
//!
//! # Which cases count
//! All periods are judged on the same cases, so they must all have had a chance to run. Judging
//! begins at the first boundary of the longest period whose first boundary lies in the log's first
//! half. Longer periods are billed too, and marked: their lane had nothing, or next to nothing,
//! while the log lasted. Frauds are rare and costly, so payments need a longer log than rides to
//! tell the lanes apart: each business has a [`Span`] of its own.
//!
//! # Simplifications
//! - One processor over everything, as in a replay. In a show each partition has its own, which
//!   knows a quarter of the cards.
//! - A run is over the instant it begins.

mod html;
mod lanes;
mod report;
#[cfg(test)]
mod tests;

use consumers::fraud::Costs;
use events::{Event, Role, Timestamp};
use processor::bounded::fingerprint;
use processor::event_time::Watermark;

use crate::part::{BusinessBill, Part, Terms, business_of};

pub use html::{page, picture};
pub use lanes::{Lanes, Rides, Separate};
pub use report::{BusinessReport, Report, Source, Span, period_name};

/// Cases are judged when event time has gone on for so long, in milliseconds.
const SETTLE_EVERY_MS: i64 = 60_000;
/// How far ahead, in milliseconds, the events of one key may move the log on their own.
const LARGEST_JUMP_MS: i64 = 30 * events::DAY_MS;

/// From when on cases are judged in a log that lasts from `start` to `end`; see the [module](self).
pub fn judged_from(start: Timestamp, end: Timestamp, periods_ms: &[i64]) -> Timestamp {
    let half = start.plus_ms(end.since_ms(start) / 2);
    let boundaries = periods_ms.iter().map(|&period_ms| first_boundary(start, period_ms));
    boundaries.filter(|boundary| *boundary <= half).max().unwrap_or(start)
}

/// The end of the period that `start` lies in.
pub fn first_boundary(start: Timestamp, period_ms: i64) -> Timestamp {
    start.floor(period_ms).plus_ms(period_ms)
}

/// When the events of a log arrive: see the [module](self).
#[derive(Debug)]
pub struct Arrivals {
    watermark: Watermark,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { watermark: Watermark::confirmed_by_other_source_or_run(LARGEST_JUMP_MS) }
    }
}

impl Arrivals {
    /// How far the log has come.
    pub fn now(&self) -> Option<Timestamp> {
        self.watermark.now()
    }

    /// The instant at which the next event of the log is there.
    pub fn arrives(&mut self, event: &Event) -> Timestamp {
        match event.ts() {
            Some(ts) => self.watermark.advance_from(fingerprint(event.key()), ts),
            None => self.now().unwrap_or(Timestamp::MIN),
        }
    }
}

/// One business at every period.
pub struct Comparison {
    part: &'static Part,
    span: Span,
    lanes: Box<dyn Lanes>,
    /// One a period.
    bills: Vec<Box<dyn BusinessBill>>,
    arrivals: Arrivals,
    settled: Option<Timestamp>,
    stream: Vec<Event>,
    batch: Vec<Vec<Event>>,
    events: u64,
    truths: u64,
}

impl Comparison {
    /// Nothing seen yet. `lanes` answers at as many periods as `periods`; cases are judged within
    /// `span`.
    pub fn new(part: &'static Part, lanes: Box<dyn Lanes>, periods: usize, span: Span, costs: Costs) -> Self {
        let terms = Terms { judged_from: span.judged_from, costs };
        Self {
            part,
            span,
            lanes,
            bills: (0..periods).map(|_| (part.new)(&terms)).collect(),
            arrivals: Arrivals::default(),
            settled: None,
            stream: Vec::new(),
            batch: vec![Vec::new(); periods],
            events: 0,
            truths: 0,
        }
    }

    /// Takes the next event of the log; one of another business changes nothing.
    pub fn take(&mut self, event: &Event) {
        if business_of(event) != Some(self.part.business) {
            return;
        }
        let now = self.arrivals.arrives(event);
        self.truths += u64::from((self.part.is_truth)(event));
        if event.topic().role() != Role::Truth {
            self.events += 1;
            self.lanes.process(event, &mut self.stream, &mut self.batch);
        }
        for bill in &mut self.bills {
            bill.observe(event, now, 0);
        }
        self.hand_over(now);
        if self.settled.is_none_or(|settled| now.since_ms(settled) >= SETTLE_EVERY_MS) {
            self.settled = Some(now);
            // What arrives at this very instant may still be on its way.
            self.bills.iter_mut().for_each(|bill| bill.settle(now.plus_ms(-1)));
        }
    }

    /// How far the log has come.
    pub fn now(&self) -> Option<Timestamp> {
        self.arrivals.now()
    }

    fn hand_over(&mut self, now: Timestamp) {
        for answer in self.stream.drain(..) {
            self.bills.iter_mut().for_each(|bill| bill.observe(&answer, now, 0));
        }
        for (bill, answers) in self.bills.iter_mut().zip(&mut self.batch) {
            for answer in answers.drain(..) {
                bill.observe(&answer, now, 0);
            }
        }
    }

    /// The log has ended: the last period is run, and what can be judged is.
    pub fn finish(mut self, periods_ms: &[i64]) -> BusinessReport {
        self.end();
        BusinessReport::new(self.part, self.span, (self.events, self.truths), periods_ms, &self.bills)
    }

    /// The same, as the bills themselves: one a period.
    pub fn into_bills(mut self) -> Vec<Box<dyn BusinessBill>> {
        self.end();
        self.bills
    }

    fn end(&mut self) {
        self.lanes.finish(&mut self.batch);
        let now = self.now().unwrap_or(Timestamp::MIN);
        self.hand_over(now);
        self.bills.iter_mut().for_each(|bill| bill.settle(now));
    }
}
