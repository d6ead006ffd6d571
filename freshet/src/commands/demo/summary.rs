//! What a show amounted to, said when it ends.

use std::collections::BTreeMap;
use std::fmt;

use events::Business;
use serde::Serialize;
use serde_json::Value;

use bill::{Bill, BusinessBill, Line, LiveVsReplay};
use scenarios::ledger::Sums;

/// Printed after a show, as words or as one JSON object.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// How long the show lasted, in wall-clock time.
    pub(crate) lasted_s: f64,
    /// Simulated seconds in a second of wall-clock time.
    pub(crate) speed: f64,
    /// Simulated time that passed.
    pub(crate) simulated_s: f64,
    /// One line a business.
    pub(crate) businesses: Vec<BusinessSummary>,
    /// What businesses have to say besides their bill.
    #[serde(flatten)]
    pub(crate) closing: BTreeMap<&'static str, Value>,
    /// The same in sentences.
    #[serde(skip)]
    pub(crate) closing_sentences: Vec<String>,
    /// Records that no consumer could read.
    pub(crate) dead_letters: u64,
    /// What each lane cost to run.
    pub(crate) costs: Vec<LaneCost>,
    /// The bill of both lanes in event time: the same for a seed on any machine, broker and
    /// database.
    pub(crate) bill: BillSummary,
    /// How far from it the stream's live arrivals lie; none without rides.
    pub(crate) live_arrivals: Option<LiveArrivals>,
    /// The bill as it was seen on the screen: with the time that answers and runs took on the wall,
    /// at the speed of the show.
    pub(crate) wall_clock_bill: BillSummary,
    /// Expectations that failed; empty when all is well.
    pub(crate) failed: Vec<String>,
}

/// What a lane cost to run: the CPU time of its worker processes.
#[derive(Debug, Serialize)]
pub(crate) struct LaneCost {
    pub(crate) lane: &'static str,
    pub(crate) cpu_s: f64,
    pub(crate) records: u64,
    /// Unknown before a record was read.
    pub(crate) cpu_s_per_million: Option<f64>,
}

impl LaneCost {
    pub(crate) fn new(lane: &'static str, cpu_s: f64, records: u64) -> Self {
        let cpu_s_per_million = (records > 0).then(|| cpu_s * 1e6 / records as f64);
        Self { lane, cpu_s, records, cpu_s_per_million }
    }
}

impl fmt::Display for LaneCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, cpu_s, records, cpu_s_per_million } = self;
        write!(f, "cost to run the {lane} lane: {cpu_s:.1} CPU-s for {records} records")?;
        cpu_s_per_million.map_or(Ok(()), |cost| write!(f, ", {cost:.1} a million"))
    }
}

/// How one business did.
#[derive(Debug, Serialize)]
pub(crate) struct BusinessSummary {
    pub(crate) business: &'static str,
    pub(crate) events_in: u64,
    pub(crate) answers_out: u64,
    /// From the event to its answer on the log, in wall-clock time; unknown when there was none.
    pub(crate) freshness_p50_ms: Option<f64>,
    pub(crate) freshness_p99_ms: Option<f64>,
    /// What became of every question, by an audit of the log: `produced`, `answered`, `lost`,
    /// `doubled` and the rest; unknown when nobody looked, or when its questions are not owed
    /// one answer each.
    #[serde(flatten)]
    pub(crate) ledger: Option<Sums>,
}

/// Both lanes, in each business's own unit, with the number of cases.
#[derive(Debug, Serialize)]
pub(crate) struct BillSummary {
    /// By business, everything that was counted.
    #[serde(flatten)]
    counts: BTreeMap<&'static str, Value>,
    /// What waiting cost, line by line, with its interval and who did better.
    lines: Vec<Line>,
    /// By business, the counts in sentences, and what of them depends on wall-clock time.
    #[serde(skip)]
    sentences: Vec<(Business, [Vec<String>; 2])>,
}

/// How far the arrivals that the stream lane gave live lie from those of the bill, which are in
/// order.
#[derive(Debug, Serialize)]
pub(crate) struct LiveArrivals {
    #[serde(skip)]
    business: Business,
    pub(crate) answers: u64,
    pub(crate) mean_apart_s: Option<f64>,
}

impl LiveArrivals {
    pub(crate) fn new(business: Business, apart: &LiveVsReplay) -> Self {
        Self { business, answers: apart.answers, mean_apart_s: apart.mean_apart_s() }
    }
}

impl fmt::Display for LiveArrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Arrivals in order of events; those that the stream gave live lay {} s from them on average ({} answers)",
            self.mean_apart_s.map_or("–".to_owned(), |mean| format!("{mean:.2}")),
            self.answers
        )
    }
}

impl From<&Bill> for BillSummary {
    fn from(bill: &Bill) -> Self {
        let said = |bill: &dyn BusinessBill| [bill.sentences(), bill.wall_clock_sentences()];
        Self {
            counts: bill.parts().map(|(part, bill)| (part.key, bill.summary())).collect(),
            lines: bill.lines(),
            sentences: bill.parts().map(|(part, bill)| (part.business, said(bill))).collect(),
        }
    }
}

impl Summary {
    /// The summary as one JSON object, in the form of the lines before it.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = serde_json::to_value(self).expect("plain values with string keys have a JSON form");
        json["schema"] = dashboard::headless::SCHEMA.into();
        json["type"] = "summary".into();
        json
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:.0} s on the wall, {:.0} min simulated", self.lasted_s, self.simulated_s / 60.0)?;
        for business in &self.businesses {
            let ms = |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
            let count = |value: Option<u64>| value.map_or("–".to_owned(), |count| count.to_string());
            writeln!(
                f,
                "{:16} {:>9} events in {:>9} answers out   p50 {:>6}  p99 {:>6}   lost {} doubled {}",
                business.business,
                business.events_in,
                business.answers_out,
                ms(business.freshness_p50_ms),
                ms(business.freshness_p99_ms),
                count(business.ledger.and_then(|ledger| ledger.lost)),
                count(business.ledger.map(|ledger| ledger.doubled)),
            )?;
        }
        for sentence in &self.closing_sentences {
            writeln!(f, "{sentence}")?;
        }
        for (business, [counted, _]) in &self.bill.sentences {
            for sentence in counted {
                writeln!(f, "{sentence}")?;
            }
            if let Some(live) = self.live_arrivals.as_ref().filter(|live| live.business == *business) {
                writeln!(f, "{live}")?;
            }
        }
        writeln!(f, "Who did better (what waiting cost, and its 95 % interval):")?;
        for line in &self.bill.lines {
            writeln!(f, "  {}", line.sentence())?;
        }
        writeln!(
            f,
            "As it was seen, with the time that answers and runs took on the wall, a second of which is {:.0} simulated ones:",
            self.speed
        )?;
        for line in &self.wall_clock_bill.lines {
            writeln!(f, "  {}", line.both())?;
        }
        for sentence in self.wall_clock_bill.sentences.iter().flat_map(|(_, [_, wall_clock])| wall_clock) {
            writeln!(f, "  {sentence}")?;
        }
        for cost in &self.costs {
            writeln!(f, "  {cost}")?;
        }
        writeln!(
            f,
            "Everything above is simulated; times are the wall's. Dead letters: {}",
            self.dead_letters
        )?;
        for failed in &self.failed {
            writeln!(f, "FAILED: {failed}")?;
        }
        Ok(())
    }
}
