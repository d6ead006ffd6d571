//! A business's part of the bill: plain data and a trait, so that the bill of a show, the one
//! in event time and the comparison name no business.

use std::any::Any;
use std::fmt::Debug;

use consumers::fraud::Costs;
use events::{Business, Event, HOUR_MS, Timestamp};
use serde_json::Value;

use crate::lines::{Line, Measure};

/// How long a case waits for the batch lane's answer: it comes with the run after it, so two
/// periods of an hour and some.
pub const PATIENCE_MS: i64 = 3 * HOUR_MS;
/// What no case needs any more is dropped so often, in milliseconds of event time: to look for it
/// means a scan of all that is kept, and a watcher judges several times a second.
const SWEEP_EVERY_MS: i64 = 5 * 60_000;

/// When what no case needs any more was dropped last.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    until: Option<Timestamp>,
}

impl Sweep {
    /// Whether it is time to drop it again, when all is judged up to `until`.
    pub(crate) fn is_due(&mut self, until: Timestamp) -> bool {
        let is_due = self.until.is_none_or(|swept| until.since_ms(swept) >= SWEEP_EVERY_MS);
        if is_due {
            self.until = Some(until);
        }
        is_due
    }
}

/// Which business an event of a log belongs to; none for an answer, which the lanes give again.
pub fn business_of(event: &Event) -> Option<Business> {
    if event.topic().role().is_simulated() { event.business() } else { None }
}

/// The two ways of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Each event is answered at once.
    Stream,
    /// The events of a period are answered at its end.
    Batch,
}

impl Lane {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Stream, Self::Batch];

    /// The lane's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Batch => "batch",
        }
    }
}

/// What cases are judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Only what happens from here on is judged; what was before is how things were found.
    pub judged_from: Timestamp,
    /// What a declined honest customer costs.
    pub costs: Costs,
}

impl Terms {
    /// Judges what happens from `judged_from` on, at the usual costs.
    pub fn from(judged_from: Timestamp) -> Self {
        Self { judged_from, costs: Costs::default() }
    }
}

/// A business's part of the bill.
#[derive(Debug)]
pub struct Part {
    /// Whose it is.
    pub business: Business,
    /// What it is called in sentences and on the command line.
    pub name: &'static str,
    /// What it is called in JSON.
    pub key: &'static str,
    /// The job whose runs give the batch lane's answers.
    pub job: &'static str,
    /// Whether a case is judged only when the run after it is out. Otherwise the last cases of a
    /// show are judged without one.
    pub needs_next_run: bool,
    /// Whether an answer's event time is that of its question. A candle has that of the minute that
    /// it is about, and its question, the trade that ended the minute, comes later.
    pub answers_carry_question_time: bool,
    /// What is measured, in the order in which it is shown.
    pub measures: &'static [&'static Measure],
    /// Whether an event tells what an answer can be held against.
    pub is_truth: fn(&Event) -> bool,
    /// A part on which nothing has been observed.
    pub new: fn(&Terms) -> Box<dyn BusinessBill>,
    /// What a page of a comparison asks over its plots.
    pub question: &'static str,
    /// What a reader should look for in them, as a paragraph of HTML.
    pub lesson: &'static str,
    /// The names of a period's counts, which are listed besides the plots; none if the plots
    /// suffice.
    pub breakdown: Option<Breakdown>,
}

/// Two parts are the same if they are of one business.
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.business == other.business
    }
}

/// The counts of a lane at one period, one by one.
#[derive(Debug)]
pub struct Breakdown {
    /// The counts in a sentence.
    pub sentence: fn(&Value) -> String,
    /// What its table is called.
    pub title: &'static str,
    /// The heads of the table, without that of the period.
    pub heads: &'static [&'static str],
    /// The cells under them.
    pub cells: fn(&Value) -> Vec<String>,
}

/// Both lanes of a business, judged on the same cases.
pub trait BusinessBill: Any + Debug + Send {
    /// Takes a record that anyone could have seen from the simulated instant `seen` on, and that
    /// the broker stamped `wall_ms`. One of another business changes nothing.
    fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64);

    /// Judges every case up to `until`: all that was published by then has been observed.
    fn settle(&mut self, until: Timestamp);

    /// Every line that has a case.
    fn lines(&self) -> Vec<Line>;

    /// What a lane's lines were worked out from, as counts.
    fn counts(&self, lane: Lane) -> Value;

    /// Everything that was counted, for the summary of a show.
    fn summary(&self) -> Value;

    /// The same in sentences.
    fn sentences(&self) -> Vec<String>;

    /// What of it depends on wall-clock time, in sentences.
    fn wall_clock_sentences(&self) -> Vec<String> {
        Vec::new()
    }
}

impl dyn BusinessBill {
    /// The part itself, if it is of this type.
    pub fn of_type<T: BusinessBill>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}
