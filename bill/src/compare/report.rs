//! What a comparison amounts to: as words and tables, and as JSON lines.

use std::fmt;

use events::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use text::Table;

use crate::lines::{Figure, LaneVerdict, Line, Measure};
use crate::part::{BusinessBill, Lane, Part};

/// Where the log comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Simulated on the spot.
    Simulated {
        /// What makes it the same again.
        seed: u64,
    },
    /// Read from a file.
    File {
        /// Its name.
        path: String,
    },
}

/// All businesses of one comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Where the log comes from.
    pub source: Source,
    /// The log's first instant.
    pub start: Timestamp,
    /// The log's last instant.
    pub end: Timestamp,
    /// Cases before this are not judged.
    pub judged_from: Timestamp,
    /// One report a business, in the order in which they are shown.
    pub businesses: Vec<BusinessReport>,
}

/// One business at every period.
#[derive(Debug, Clone, PartialEq)]
pub struct BusinessReport {
    /// Which business.
    pub part: &'static Part,
    /// How many events it was asked about.
    pub events: u64,
    /// How many facts there are to judge answers by.
    pub truths: u64,
    /// One a measure that has cases.
    pub curves: Vec<Curve>,
    /// How the stream did, and the batch lane at each period: counts.
    pub details: Vec<(i64, Value)>,
}

/// One measure over the periods.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What is measured.
    pub measure: &'static Measure,
    /// On how many cases.
    pub cases: u64,
    /// What the stream's answers cost.
    pub stream: Figure,
    /// By period, in milliseconds, from the shortest on.
    pub points: Vec<(i64, Line)>,
}

impl BusinessReport {
    pub(super) fn new(
        part: &'static Part,
        events: u64,
        truths: u64,
        periods_ms: &[i64],
        bills: &[Box<dyn BusinessBill>],
    ) -> Self {
        let lines: Vec<(i64, Vec<Line>)> =
            periods_ms.iter().zip(bills).map(|(&period_ms, bill)| (period_ms, bill.lines())).collect();
        let curve = |measure: &&'static Measure| {
            let points: Vec<(i64, Line)> = lines
                .iter()
                .filter_map(|(period_ms, lines)| {
                    Some((*period_ms, lines.iter().find(|line| line.measure == *measure)?.clone()))
                })
                .collect();
            let (_, first) = points.first()?;
            Some(Curve { measure, cases: first.cases, stream: first.stream, points: points.clone() })
        };
        let mut details = Vec::new();
        if let Some(first) = bills.first() {
            details.push((0, first.counts(Lane::Stream)));
        }
        for (&period_ms, bill) in periods_ms.iter().zip(bills) {
            details.push((period_ms, bill.counts(Lane::Batch)));
        }
        Self { part, events, truths, curves: part.measures.iter().filter_map(curve).collect(), details }
    }

    /// What the business is called.
    pub fn name(&self) -> &'static str {
        self.part.name
    }
}

/// A period as people write it: `15m`, `1d`.
pub fn period_name(period_ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let (unit_ms, unit) = units
        .into_iter()
        .find(|(unit_ms, _)| period_ms % unit_ms == 0 && period_ms >= *unit_ms)
        .unwrap_or((1_000, "s"));
    format!("{}{unit}", period_ms / unit_ms)
}

impl Curve {
    /// One sentence on where waiting costs something, and where it does not.
    pub fn sentence(&self, marked: impl Fn(i64) -> bool) -> String {
        let named = |verdict: LaneVerdict| {
            let these = self.points.iter().filter(|(_, line)| line.verdict == verdict);
            these
                .map(|(period_ms, _)| period_name(*period_ms) + if marked(*period_ms) { "†" } else { "" })
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts = Vec::new();
        for (verdict, words) in [
            (LaneVerdict::Tie, "as far as these cases tell, batch is as good as the stream at"),
            (LaneVerdict::BatchWins, "batch does better than the stream at"),
            (LaneVerdict::StreamWins, "waiting costs something at"),
            (LaneVerdict::Unknown, "too few cases to tell at"),
        ] {
            let periods = named(verdict);
            if !periods.is_empty() {
                parts.push(format!("{words} {periods}"));
            }
        }
        let text = parts.join("; ") + ".";
        text[..1].to_uppercase() + &text[1..]
    }
}

/// `1.20 to 1.90`, or nothing.
pub(super) fn range(measure: &Measure, figure: &Figure) -> String {
    match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{} to {}", (measure.amount)(low), (measure.amount)(high)),
        _ => "–".to_owned(),
    }
}

pub(super) fn verdict_words(verdict: LaneVerdict) -> &'static str {
    match verdict {
        LaneVerdict::StreamWins => "stream better",
        LaneVerdict::BatchWins => "batch better",
        LaneVerdict::Tie => "no difference",
        LaneVerdict::Unknown => "too few cases",
    }
}

impl Report {
    /// Whether the lane of this period had nothing to say for most of what was judged: its first
    /// run came after judging had begun.
    pub fn is_longer(&self, period_ms: i64) -> bool {
        super::first_boundary(self.start, period_ms) > self.judged_from
    }

    /// What the mark † says; nothing when no period bears it.
    pub fn longer_words(&self, periods_ms: &[i64]) -> Option<String> {
        let longer: Vec<String> =
            periods_ms.iter().filter(|&&period| self.is_longer(period)).map(|&p| period_name(p)).collect();
        (!longer.is_empty()).then(|| {
            format!(
                "† {} too long for this log of {}: the first run came after judging had begun or not at all, so \
                 this is what it costs to have no answer yet. A longer --duration shows more.",
                if longer.len() == 1 {
                    format!("{} is", longer[0])
                } else {
                    format!("{} are", longer.join(", "))
                },
                length(self.end.since_ms(self.start)),
            )
        })
    }

    /// The periods that were compared, from the shortest on.
    pub fn periods_ms(&self) -> Vec<i64> {
        let all =
            self.businesses.iter().flat_map(|business| business.details.iter().map(|(period, _)| *period));
        let mut periods: Vec<i64> = all.filter(|&period| period > 0).collect();
        periods.sort_unstable();
        periods.dedup();
        periods
    }

    /// One JSON object a line: what was compared, then a line for each measure and period.
    pub fn json_lines(&self, schema: u32) -> Vec<Value> {
        let mut lines = vec![json!({
            "schema": schema, "type": "comparison", "source": self.source, "simulated": true,
            "log_start": self.start, "log_end": self.end, "judged_from": self.judged_from,
            "confidence": 0.95, "replicates": crate::resample::REPLICATES,
            "businesses": self.businesses.iter().map(|business| json!({
                "business": business.name(), "events": business.events, "truths": business.truths,
                "counts": business.details.iter().map(|(period_ms, counts)| {
                    let mut counts = counts.clone();
                    counts["period_ms"] = (*period_ms).into();
                    counts
                }).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })];
        for business in &self.businesses {
            for curve in &business.curves {
                lines.push(json!({
                    "schema": schema, "type": "cost", "business": business.name(), "measure": curve.measure,
                    "period_ms": 0, "cases": curve.cases, "cost": curve.stream,
                }));
                for (period_ms, line) in &curve.points {
                    lines.push(json!({
                        "schema": schema, "type": "cost", "business": business.name(), "measure": curve.measure,
                        "period_ms": period_ms, "cases": line.cases, "cost": line.batch, "waiting": line.waiting,
                        "verdict": line.verdict, "ran_in_time": !self.is_longer(*period_ms),
                    }));
                }
            }
        }
        lines
    }

    /// One line on what was compared.
    pub fn about(&self) -> String {
        let source = match &self.source {
            Source::Simulated { seed } => format!("simulated, seed {seed}"),
            Source::File { path } => format!("from {path}"),
        };
        format!(
            "{} of events from {}, {source}; judged from {} on",
            length(self.end.since_ms(self.start)),
            minute(self.start),
            minute(self.judged_from),
        )
    }
}

/// `2026-03-03 10:45`, in UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.to_string().chars().take(16).collect::<String>().replace('T', " ")
}

/// A length of time in the largest unit that leaves a number of at least one, `3.5 days`.
pub(super) fn length(ms: i64) -> String {
    let hours = ms as f64 / 3_600_000.0;
    let (number, unit) = match hours {
        hours if hours >= 48.0 => (hours / 24.0, "days"),
        hours if hours >= 2.0 => (hours, "hours"),
        hours => (hours * 60.0, "minutes"),
    };
    let number = format!("{number:.1}");
    format!("{} {unit}", number.strip_suffix(".0").unwrap_or(&number))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.about())?;
        for business in &self.businesses {
            for curve in &business.curves {
                let measure = curve.measure;
                writeln!(
                    f,
                    "\n{}: {}   ({} {})",
                    business.name(),
                    measure.title,
                    curve.cases,
                    measure.cases
                )?;
                let mut table = Table::new(&[
                    "period",
                    "cost",
                    "95 % of drawings",
                    "waiting costs",
                    "95 % of drawings",
                    "",
                ]);
                let stream = &curve.stream;
                table.row([
                    "0s (stream)".to_owned(),
                    (measure.amount)(stream.value),
                    range(measure, stream),
                    "–".to_owned(),
                    "–".to_owned(),
                    String::new(),
                ]);
                for (period_ms, line) in &curve.points {
                    let mark = if self.is_longer(*period_ms) { "†" } else { "" };
                    table.row([
                        period_name(*period_ms) + mark,
                        (measure.amount)(line.batch.value),
                        range(measure, &line.batch),
                        (measure.amount)(line.waiting.value),
                        range(measure, &line.waiting),
                        verdict_words(line.verdict).to_owned(),
                    ]);
                }
                write!(f, "{table}")?;
                writeln!(f, "{}", curve.sentence(|period| self.is_longer(period)))?;
            }
            if let Some(breakdown) = &business.part.breakdown {
                for (period_ms, counts) in &business.details {
                    let lane = if *period_ms == 0 { "stream".to_owned() } else { period_name(*period_ms) };
                    writeln!(f, "  {lane:>6}: {}", (breakdown.sentence)(counts))?;
                }
            }
        }
        writeln!(f)?;
        if let Some(words) = self.longer_words(&self.periods_ms()) {
            writeln!(f, "{words}")?;
        }
        writeln!(f, "Everything here is simulated, and so are these figures.")
    }
}
