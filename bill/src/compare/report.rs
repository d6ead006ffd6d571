//! What a comparison amounts to: as words and tables, and as JSON lines.

use std::fmt;

use events::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use text::{Table, grouped};

use crate::lines::{Figure, Line, Measure};
use crate::part::{BusinessBill, Lane, Part};
use crate::verdict::LaneVerdict;

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
    /// One report a business, in the order in which they are shown.
    pub businesses: Vec<BusinessReport>,
}

/// What of a log a business is compared on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The log's first instant.
    pub start: Timestamp,
    /// The log's last instant.
    pub end: Timestamp,
    /// Cases before this are not judged.
    pub judged_from: Timestamp,
}

impl Span {
    /// A log from `start` to `end`, judged when all periods that fit have run; see
    /// [`judged_from`](super::judged_from).
    pub fn new(start: Timestamp, end: Timestamp, periods_ms: &[i64]) -> Self {
        assert!(start <= end, "a log that begins at {start} ends at {end}");
        Self { start, end, judged_from: super::judged_from(start, end, periods_ms) }
    }

    /// Whether the lane of this period had nothing to say for most of what was judged: its first
    /// run came after judging had begun.
    fn is_longer(&self, period_ms: i64) -> bool {
        super::first_boundary(self.start, period_ms) > self.judged_from
    }

    /// Its length in words: `36 hours`.
    pub fn length(&self) -> String {
        length(self.end.since_ms(self.start))
    }

    /// A period's name, with a mark where it [is too long](Self::is_longer).
    pub(super) fn marked(&self, period_ms: i64) -> String {
        period_name(period_ms) + if self.is_longer(period_ms) { "†" } else { "" }
    }
}

/// One business at every period.
#[derive(Debug, Clone, PartialEq)]
pub struct BusinessReport {
    /// Which business.
    pub part: &'static Part,
    /// What of the log it was compared on.
    pub span: Span,
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
        span: Span,
        (events, truths): (u64, u64),
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
        let curves = part.measures.iter().filter_map(curve).collect();
        Self { part, span, events, truths, curves, details }
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
    pub fn sentence(&self, span: &Span) -> String {
        // All periods are judged on the same cases.
        let Some((_, first)) = self.points.first() else { return String::new() };
        let margin = first.margin_words();
        let evidence = format!("{} {}", grouped(first.evidence), self.measure.evidence);
        let at = |words: &str, is: fn(LaneVerdict) -> bool| {
            let these = self.points.iter().filter(|(_, line)| is(line.verdict));
            let periods: Vec<String> =
                these.map(|(period_ms, line)| period_and_needed(span, *period_ms, line)).collect();
            (!periods.is_empty()).then(|| format!("{words} at {}", periods.join(", ")))
        };
        let parts = [
            at(&format!("batch is equivalent to the stream, within {margin},"), |verdict| {
                verdict == LaneVerdict::AsGood
            }),
            at("batch does better than the stream", |verdict| verdict == LaneVerdict::BatchWins),
            at("waiting costs something", |verdict| verdict == LaneVerdict::StreamWins),
            at(&format!("no significant difference with {evidence}"), |verdict| {
                matches!(verdict, LaneVerdict::TooFew { .. })
            })
            .map(|words| words + "; run longer to tell"),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("; ") + ".";
        text[..1].to_uppercase() + &text[1..]
    }
}

/// A period, with about how many cases are needed where they are too few.
fn period_and_needed(span: &Span, period_ms: i64, line: &Line) -> String {
    let period = span.marked(period_ms);
    match line.verdict {
        LaneVerdict::TooFew { needed: Some(needed) } => {
            format!("{period} (about {} needed)", grouped(needed))
        }
        LaneVerdict::StreamWins
        | LaneVerdict::BatchWins
        | LaneVerdict::AsGood
        | LaneVerdict::TooFew { needed: None } => period,
    }
}

/// What the verdicts mean.
pub(super) const VERDICTS: &str = "A lane is better where the whole 95 % interval of what waiting costs lies on one side of zero. Batch is equivalent \
    where all of it lies within the margin on both sides of zero. Otherwise the cases are too few to tell.";

/// `1.20 to 1.90`, or nothing.
pub(super) fn range(measure: &Measure, figure: &Figure) -> String {
    match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{} to {}", (measure.amount)(low), (measure.amount)(high)),
        _ => "–".to_owned(),
    }
}

impl Report {
    /// The parts of the log that businesses were compared on, each with its businesses.
    pub(super) fn spans(&self) -> Vec<(Span, Vec<&BusinessReport>)> {
        let mut spans: Vec<(Span, Vec<&BusinessReport>)> = Vec::new();
        for business in &self.businesses {
            match spans.iter_mut().find(|(span, _)| *span == business.span) {
                Some((_, these)) => these.push(business),
                None => spans.push((business.span, vec![business])),
            }
        }
        spans
    }

    /// What the mark † says, for each span in which a period bears it.
    pub fn longer_words(&self) -> Vec<String> {
        let spans = self.spans();
        let words = |(span, businesses): &(Span, Vec<&BusinessReport>)| {
            let mut periods_ms: Vec<i64> = businesses
                .iter()
                .flat_map(|business| business.details.iter().map(|(period_ms, _)| *period_ms))
                .filter(|&period_ms| period_ms > 0 && span.is_longer(period_ms))
                .collect();
            periods_ms.sort_unstable();
            periods_ms.dedup();
            let longer: Vec<String> = periods_ms.into_iter().map(period_name).collect();
            let of = if spans.len() > 1 { format!(" of {}", names(businesses)) } else { String::new() };
            (!longer.is_empty()).then(|| {
                format!(
                    "† {} {} too long for this log of {}{of}: the first run came after judging had begun or not at all, so \
                     this is what it costs to have no answer yet. A longer --duration shows more.",
                    longer.join(", "),
                    if longer.len() == 1 { "is" } else { "are" },
                    span.length(),
                )
            })
        };
        spans.iter().filter_map(words).collect()
    }

    /// One JSON object a line: what was compared, then a line for each measure and period. Of
    /// businesses that were compared on different spans the first line names the longest.
    pub fn json_lines(&self, schema: u32) -> Vec<Value> {
        let spans = || self.businesses.iter().map(|business| business.span);
        let mut lines = vec![json!({
            "schema": schema, "type": "comparison", "source": self.source, "simulated": true,
            "log_start": spans().map(|span| span.start).min(), "log_end": spans().map(|span| span.end).max(),
            "judged_from": spans().map(|span| span.judged_from).min(),
            "confidence": 0.95, "replicates": crate::resample::REPLICATES,
            "businesses": self.businesses.iter().map(|business| json!({
                "business": business.name(), "events": business.events, "truths": business.truths,
                "log_end": business.span.end, "judged_from": business.span.judged_from,
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
                    let mut cost = json!({
                        "schema": schema, "type": "cost", "business": business.name(), "measure": curve.measure,
                        "period_ms": period_ms, "cases": line.cases, "cost": line.batch, "waiting": line.waiting,
                        "margin": line.margin, "evidence": line.evidence, "evidence_of": line.measure.evidence,
                        "ran_in_time": !business.span.is_longer(*period_ms),
                    });
                    if let (Value::Object(cost), Value::Object(verdict)) = (&mut cost, json!(line.verdict)) {
                        cost.extend(verdict);
                    }
                    lines.push(cost);
                }
            }
        }
        lines
    }

    /// What was compared: one line for each span.
    pub fn about(&self) -> String {
        let source = match &self.source {
            Source::Simulated { seed } => format!("simulated, seed {seed}"),
            Source::File { path } => format!("from {path}"),
        };
        let spans = self.spans();
        let line = |(span, businesses): &(Span, Vec<&BusinessReport>)| {
            let of = if spans.len() > 1 { names(businesses) + ": " } else { String::new() };
            format!(
                "{of}{} of events from {}, {source}; judged from {} on",
                span.length(),
                minute(span.start),
                minute(span.judged_from),
            )
        };
        spans.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The names of businesses, in a sentence.
pub(super) fn names(businesses: &[&BusinessReport]) -> String {
    businesses.iter().map(|business| business.name()).collect::<Vec<_>>().join(", ")
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
                let mut table =
                    Table::new(&["period", "cost", "95 % interval", "waiting costs", "95 % interval", ""]);
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
                    table.row([
                        business.span.marked(*period_ms),
                        (measure.amount)(line.batch.value),
                        range(measure, &line.batch),
                        (measure.amount)(line.waiting.value),
                        range(measure, &line.waiting),
                        line.verdict_words(),
                    ]);
                }
                write!(f, "{table}")?;
                writeln!(f, "{}", curve.sentence(&business.span))?;
            }
            if let Some(breakdown) = &business.part.breakdown {
                for (period_ms, counts) in &business.details {
                    let lane = if *period_ms == 0 { "stream".to_owned() } else { period_name(*period_ms) };
                    writeln!(f, "  {lane:>6}: {}", (breakdown.sentence)(counts))?;
                }
            }
        }
        writeln!(f)?;
        for words in self.longer_words() {
            writeln!(f, "{words}")?;
        }
        writeln!(f, "{VERDICTS}")?;
        writeln!(f, "Everything here is simulated, and so are these figures.")
    }
}
