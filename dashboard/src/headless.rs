//! Without a terminal: a line of words a second, or JSON lines; and the summary at the end, for
//! both.
//!
//! Data goes to stdout and words to stderr, and nothing here ever writes an escape code. Each JSON
//! line is an object with `schema` (1) and `type` (`snapshot`, `event` or `summary`), and the units
//! in the names of its fields.

use std::fmt::Write;

use serde::Serialize;

use crate::format::{amount, maybe_count, maybe_duration, number, plural, time_of_day, verdict, weekday};
use crate::snapshot::{Bill, Freshness, Notice, Snapshot, Source, Trend, Worker, WorkerState};
use crate::view::header;
use crate::view::lesson::lesson;
use crate::view::pen::Pieces;
use crate::view::trend::{trend, waiting};
use text::clean;

/// Counts changes that break a reader of the lines.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Line<'a, T> {
    schema: u32,
    r#type: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

fn line<T: Serialize>(r#type: &'static str, what: &T) -> String {
    serde_json::to_string(&Line { schema: SCHEMA, r#type, what })
        .expect("plain values with string keys always have a JSON form")
}

/// A snapshot as one JSON line, without the newline.
pub fn snapshot_json(snapshot: &Snapshot) -> String {
    line("snapshot", snapshot)
}

/// One thing that happened, as one JSON line.
pub fn event_json(notice: &Notice) -> String {
    line("event", notice)
}

/// A snapshot in one line of words.
pub fn snapshot_text(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    if let Some(clock) = snapshot.title.clock_ms {
        let offset = snapshot.title.utc_offset_min;
        let _ = write!(text, "{} {}  ", weekday(clock, offset), time_of_day(clock, offset));
    }
    text.push_str(&words(&lesson(Some(snapshot), u16::MAX)));
    let rates =
        snapshot.topics.data.iter().filter_map(|topic| topic.in_per_second).filter(|rate| rate.is_finite());
    let _ = write!(text, "    {} records/s", number(rates.reduce(|all, rate| all + rate)));
    for group in snapshot.groups.data.iter().filter(|group| !is_usual(group.trend)) {
        let (trend, _) = trend(group.trend, false);
        let _ = write!(text, "  {}: {trend}", clean(&group.id));
        if let Some(waiting) = waiting(group) {
            let _ = write!(text, ", {waiting}");
        }
    }
    let _ = write!(text, "    {}", words(&header::health(Some(snapshot), None)));
    text
}

fn words(pieces: &Pieces) -> String {
    pieces.iter().map(|(text, _)| text.as_str()).collect()
}

/// Whether a trend is normal, and needs no mention.
fn is_usual(trend: Trend) -> bool {
    matches!(trend, Trend::KeepingUp | Trend::Unknown | Trend::Joining | Trend::Scheduled { .. })
}

/// The result of a run: made from its last snapshot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The scenario.
    pub name: String,
    /// The seed that repeats it.
    pub seed: Option<u64>,
    /// How many times faster than wall-clock time simulated time ran.
    pub speed: Option<f64>,
    /// How long it ran, in milliseconds of wall time.
    pub ran_ms: u64,
    /// Events in, answers out and their freshness, per business.
    pub businesses: Vec<Freshness>,
    /// What the batch lane's delay has cost.
    pub bill: Bill,
    /// How many workers were dead at the end.
    pub workers_dead: u64,
    /// Records that were written and not yet read at the end, over all groups that were known.
    pub lag_records: Option<u64>,
}

impl Summary {
    /// The summary of a run that lasted `ran_ms` and ended with this snapshot.
    pub fn of(snapshot: &Snapshot, ran_ms: u64) -> Summary {
        let lags = snapshot.groups.data.iter().map(|group| group.lag_records);
        let dead = |worker: &&Worker| matches!(worker.state, WorkerState::Dead { .. });
        Summary {
            name: snapshot.title.name.clone(),
            seed: snapshot.title.seed,
            speed: snapshot.title.speed,
            ran_ms,
            businesses: snapshot.lanes.data.freshness.clone(),
            bill: snapshot.lanes.data.bill.clone(),
            workers_dead: snapshot.workers.data.iter().filter(dead).count() as u64,
            lag_records: match snapshot.groups.source {
                Source::Waiting | Source::Absent => None,
                Source::Live | Source::Stale { .. } => lags.flatten().reduce(u64::saturating_add),
            },
        }
    }

    /// As one JSON line.
    pub fn json(&self) -> String {
        line("summary", self)
    }

    /// As the words that are printed after `q`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let name = if self.name.is_empty() { "freshet".into() } else { clean(&self.name) };
        let seed = self.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let _ = writeln!(text, "{name} ran for {}{seed}.", maybe_duration(Some(self.ran_ms as f64)));
        if !self.businesses.is_empty() {
            let _ = writeln!(text, "\n{:<18}{:>13}{:>13}{:>11}{:>11}", "", "events", "answers", "p50", "p99");
            for business in &self.businesses {
                let _ = writeln!(
                    text,
                    "{:<18}{:>13}{:>13}{:>11}{:>11}",
                    clean(&business.business),
                    maybe_count(business.events),
                    maybe_count(business.answers),
                    maybe_duration(business.p50_ms),
                    maybe_duration(business.p99_ms)
                );
            }
        }
        if self.bill.is_known() {
            let _ =
                writeln!(text, "\n{:<30}{:>13}{:>13}{:>22}", "", "stream", "batch", "cost of batch delay");
            for line in &self.bill.items {
                let amount = |value| amount(line.unit, value);
                let verdict =
                    line.verdict.as_ref().and_then(|its| verdict(its, line.unit).into_iter().next());
                let mut cases =
                    line.cases.map_or(String::new(), |cases| format!("  out of {}", plural(cases, "case")));
                cases.extend(verdict.map(|words| format!(": {words}")));
                let _ = writeln!(
                    text,
                    "{:<30}{:>13}{:>13}{:>22}{cases}",
                    clean(&line.name),
                    amount(line.stream),
                    amount(line.batch),
                    amount(line.delay_cost())
                );
            }
        }
        if self.workers_dead > 0 {
            let _ = writeln!(text, "\n{} dead at the end.", plural(self.workers_dead, "worker"));
        }
        text
    }
}
