//! A business on the screen: its pane, and its lines of the bill.

use bill::{Line, Measure};
use dashboard::{BillItem, FollowedCase, Headline, LaneVerdict, Snapshot, Source, Sourced};
use events::{Event, HOUR_MS, Timestamp};
use serde_json::Value;

use crate::clock::SimulatedClock;

/// The data of a business's pane, from its topics.
pub trait View: Send {
    /// Takes a record with the timestamp `wall_ms` of the broker or its producer; `clock` says what
    /// simulated time that was, if it is known. One of another business changes nothing.
    fn observe(&mut self, event: &Event, wall_ms: i64, clock: Option<&SimulatedClock>);

    /// The unanswered questions, if the view knows more of them than the ledger: their number, and
    /// the cents at stake.
    fn waiting(&self) -> Option<(u64, i64)> {
        None
    }

    /// One case of the business and what both lanes made of it, in words; one without a subject
    /// while there is none.
    fn case(&self, _clock: &CaseClock) -> FollowedCase {
        FollowedCase::default()
    }

    /// Writes the current state into the snapshot, and drops what is idle.
    fn show(&mut self, pane: &PaneSource<'_>, snapshot: &mut Snapshot);
}

/// The time by which a case is told.
#[derive(Debug, Clone, Copy)]
pub struct CaseClock {
    /// When the show began, in event time.
    pub start: Timestamp,
    /// Event time now.
    pub now: Timestamp,
    /// The business's batch job runs whenever so much event time is over, in milliseconds; none for
    /// one that has missed its runs.
    pub period_ms: Option<i64>,
    /// Whether the run over the period that ended last is under way.
    pub is_running: bool,
}

impl CaseClock {
    /// When a run looks at what happened at `at`: `in 41 min`, or `now` while it does. A run looks
    /// at what was before its period ended, so what came later waits for the next.
    pub(crate) fn when_it_looks(&self, at: Timestamp) -> String {
        let Some(period_ms) = self.period_ms else { return "when its job runs again".to_owned() };
        let ended = self.now.floor(period_ms);
        if self.is_running && at < ended {
            return "now".to_owned();
        }
        match ended.plus_ms(period_ms).since_ms(self.now) {
            left_ms @ ..60_000 => format!("in {} s", (left_ms + 999) / 1_000),
            left_ms => format!("in {} min", left_ms / 60_000),
        }
    }

    /// `12:01`, in UTC as the first line has it.
    pub(crate) fn hour_and_minute(at: Timestamp) -> String {
        let minute = at.ms().rem_euclid(HOUR_MS) / 60_000;
        format!("{:02}:{minute:02}", at.hour())
    }
}

/// The source of a pane's data, and whether it is alive.
#[derive(Debug, Clone, Copy)]
pub struct PaneSource<'a> {
    /// Wall-clock time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Whether the cluster has the business's topics, or may have.
    pub here: bool,
    /// Since when the cluster does not answer, and why.
    pub silent: Option<&'a (i64, String)>,
}

impl PaneSource<'_> {
    /// As of when the data is, in wall-clock time: while the cluster is silent, nothing moves.
    pub fn seen_ms(&self) -> i64 {
        self.silent.map_or(self.now_ms, |(since_ms, _)| *since_ms)
    }

    /// The data with its source: without any a business is waited for, or is not there.
    pub fn sourced<T: Default>(&self, data: Option<T>) -> Sourced<T> {
        match (data, self.silent) {
            (Some(data), Some((since, reason))) => {
                // In whole seconds, so that a screen on which nothing else changes is drawn once a
                // second and no more.
                let for_ms = (self.now_ms - since).max(0) as u64 / 1000 * 1000;
                Sourced::stale(data, for_ms, reason.clone())
            }
            (Some(data), None) => Sourced::live(data),
            (None, _) if self.here => Sourced::default(),
            (None, _) => absent(),
        }
    }
}

/// Data that is missing and will not come.
pub(crate) fn absent<T: Default>() -> Sourced<T> {
    Sourced { data: T::default(), source: Source::Absent }
}

/// A business's summary at the end of a show, besides its bill.
#[derive(Debug, Clone)]
pub struct Closing {
    /// Its key in JSON.
    pub key: &'static str,
    /// As JSON.
    pub json: Value,
    /// As a sentence.
    pub sentence: String,
}

/// How the bill judges a line: its interval and verdict, in `times` of the unit that the measure
/// speaks of: lines speak of one quote or of a hundred texts, the screen shows sums.
pub(crate) fn judged(
    lines: &[Line],
    measure: &Measure,
    times: f64,
) -> (Option<(f64, f64)>, Option<LaneVerdict>) {
    let Some(line) = lines.iter().find(|line| line.measure == measure) else { return (None, None) };
    let verdict = match line.verdict {
        bill::LaneVerdict::StreamWins => LaneVerdict::StreamWins,
        bill::LaneVerdict::BatchWins => LaneVerdict::BatchWins,
        bill::LaneVerdict::AsGood => LaneVerdict::AsGood { margin: line.margin * times },
        bill::LaneVerdict::TooFew { needed } => {
            let of = line.measure.evidence.to_owned();
            LaneVerdict::TooFew { evidence: line.evidence, of, needed }
        }
    };
    let interval = line.waiting.low.zip(line.waiting.high).filter(|_| line.has_interval());
    (interval.map(|(low, high)| (low * times, high * times)), Some(verdict))
}

/// A line of the bill, both columns judged on the same cases; before there is a case, nothing is
/// known.
pub(crate) fn item(stream: f64, batch: f64, cases: u64) -> BillItem {
    if cases == 0 {
        return BillItem::default();
    }
    BillItem { stream: Some(stream), batch: Some(batch), cases: Some(cases), ..BillItem::default() }
}

/// A line under its key, with its name, one of at most 14 cells, and how the first lines of the
/// screen name it.
pub(crate) fn named(
    key: &str,
    (name, short_name): (&str, &str),
    (rank, words, short): (u8, &str, &str),
    mut item: BillItem,
) -> BillItem {
    key.clone_into(&mut item.key);
    name.clone_into(&mut item.name);
    short_name.clone_into(&mut item.short_name);
    item.headline = Some(Headline { rank, words: words.to_owned(), short: short.to_owned() });
    item
}
