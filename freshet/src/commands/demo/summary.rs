//! What a show amounted to, said when it ends.

use std::collections::BTreeMap;
use std::fmt;

use events::Business;
use serde::Serialize;
use serde_json::Value;
use text::{Table, grouped, plural};

use bill::{Bill, BusinessBill, Line, LiveVsReplay, Part};
use scenarios::ledger::Sums;

use super::disk::DiskUse;
use crate::commands::ledger::replayed_words;
use crate::output::paragraph;

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
    /// The bill as it was seen on the screen: with the wall-clock time that answers and runs took,
    /// at the speed of the show.
    pub(crate) wall_clock_bill: BillSummary,
    /// Expectations that failed; empty when all is well.
    pub(crate) failed: Vec<String>,
    /// What it took of the disk.
    pub(crate) disk: Option<DiskUse>,
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
        write!(f, "cost to run the {lane} lane: {cpu_s:.1} CPU-s for {} records", grouped(*records))?;
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
    /// `doubled` and the rest; unknown when there was no audit, or when its questions are not owed
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
    /// What has no figure, and why, in sentences.
    #[serde(skip)]
    missing: Vec<String>,
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
    #[serde(skip)]
    name: &'static str,
    pub(crate) answers: u64,
    /// Records that were read after the turn of a later one.
    pub(crate) out_of_turn: u64,
    pub(crate) mean_apart_s: Option<f64>,
}

impl LiveArrivals {
    pub(crate) fn new(business: Business, apart: &LiveVsReplay) -> Self {
        let known = scenarios::businesses::ALL.iter().find(|known| known.id == business);
        let name = known.map_or("a business", |known| known.name);
        let LiveVsReplay { answers, out_of_turn, .. } = *apart;
        Self { business, name, answers, out_of_turn, mean_apart_s: apart.mean_apart_s() }
    }
}

impl fmt::Display for LiveArrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Arrivals in order of events; those that the stream gave live lay {} s from them on average ({} answers)",
            self.mean_apart_s.map_or("–".to_owned(), |mean| format!("{mean:.2}")),
            grouped(self.answers)
        )
    }
}

impl From<&Bill> for BillSummary {
    fn from(bill: &Bill) -> Self {
        let said = |bill: &dyn BusinessBill| [bill.sentences(), bill.wall_clock_sentences()];
        let lines = bill.lines();
        Self {
            counts: bill.parts().map(|(part, bill)| (part.key, bill.summary())).collect(),
            missing: bill.parts().filter_map(|(part, _)| missing(part, &lines)).collect(),
            lines,
            sentences: bill.parts().map(|(part, bill)| (part.business, said(bill))).collect(),
        }
    }
}

/// Which measures of a part have no figure, and what they wait for; none if all have one.
fn missing(part: &Part, lines: &[Line]) -> Option<String> {
    let is_there = |key: &str| lines.iter().any(|line| line.measure.key == key);
    let names: Vec<&str> =
        part.measures.iter().filter(|measure| !is_there(measure.key)).map(|measure| measure.name).collect();
    let why = if part.needs_next_run {
        format!("a case counts with the run of {} after it", part.job)
    } else {
        "it has no case".to_owned()
    };
    (!names.is_empty()).then(|| format!("{}: no figure yet, {why}", names.join(", ")))
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

impl Summary {
    /// The summary as a person reads it, in lines of at most `width` cells. It holds one bill, the
    /// one to quote; with `verbose` the other follows, and all that was counted.
    pub(crate) fn text(&self, width: u16, verbose: bool) -> String {
        let item = |words: &str| format!("  {}", paragraph(words, width.saturating_sub(2), 4));
        let mut out = paragraph(
            &format!("{:.0} s of real time, {:.0} min simulated", self.lasted_s, self.simulated_s / 60.0),
            width,
            0,
        );
        out += "\n";
        out += &paragraph(
            "The bill (quote this): in event time, without the delays of this machine; in parentheses the 95 % \
             interval",
            width,
            0,
        );
        for line in &self.bill.lines {
            out += &item(&line.sentence());
        }
        for words in &self.bill.missing {
            out += &item(words);
        }
        if let Some(live) = self.live_arrivals.as_ref().filter(|live| live.out_of_turn > 0) {
            out += &item(&format!(
                "{} were read too late to be billed in their order: the figures of {} are not exact",
                plural(live.out_of_turn, "record"),
                live.name
            ));
        }
        out += "\nLive on this machine:\n";
        out += &self.live().to_string();
        let ledgers = self.businesses.iter().filter_map(|business| business.ledger.as_ref());
        let replayed = replayed_words(ledgers.map(|sums| sums.replayed).sum());
        let costs = self.costs.iter().map(ToString::to_string);
        let disk = self.disk.as_ref().map(ToString::to_string);
        let closing = replayed.into_iter().chain(self.closing_sentences.iter().cloned());
        for words in closing.chain(costs).chain(disk) {
            out += &paragraph(&words, width, 2);
        }
        if verbose {
            out += &self.details(width, item);
        }
        let mut end = "Everything was simulated, and no money moved.".to_owned();
        if self.dead_letters > 0 {
            end += &format!(
                " Dead letters: {} (`freshet tail dead_letters --from beginning`).",
                grouped(self.dead_letters)
            );
        }
        if !verbose {
            end += " With --verbose the summary says all that was counted.";
        }
        out += "\n";
        out += &paragraph(&end, width, 0);
        for failed in &self.failed {
            out += &paragraph(&format!("FAILED: {failed}"), width, 2);
        }
        out
    }

    /// How each consumer did.
    fn live(&self) -> Table {
        let mut table = Table::new(&["consumer", "questions", "answers", "p50", "p99", "lost", "doubled"]);
        let ms = |value: Option<f64>| match value {
            None => "–".to_owned(),
            Some(ms) if ms < 10_000.0 => format!("{ms:.0} ms"),
            Some(ms) => format!("{:.0} s", ms / 1_000.0),
        };
        let count = |value: Option<u64>| value.map_or("–".to_owned(), grouped);
        for business in &self.businesses {
            table.row([
                business.business.to_owned(),
                // Whose questions are not counted has not had none.
                count(Some(business.events_in).filter(|count| *count > 0)),
                count(Some(business.answers_out).filter(|count| *count > 0)),
                ms(business.freshness_p50_ms),
                ms(business.freshness_p99_ms),
                count(business.ledger.and_then(|ledger| ledger.lost)),
                count(business.ledger.map(|ledger| ledger.doubled)),
            ]);
        }
        table
    }

    /// All that was counted, and the bill as it was seen on the screen.
    fn details(&self, width: u16, item: impl Fn(&str) -> String) -> String {
        let mut out = "\nWhat the bill counts:\n".to_owned();
        for (business, [counted, _]) in &self.bill.sentences {
            out.extend(counted.iter().map(|sentence| item(sentence)));
            if let Some(live) = self.live_arrivals.as_ref().filter(|live| live.business == *business) {
                out += &item(&live.to_string());
            }
        }
        let head = format!("As seen live (real delays × {}):", self.speed);
        out.push('\n');
        out += &paragraph(&head, width, 0);
        out.extend(self.wall_clock_bill.lines.iter().map(|line| item(&line.both())));
        let sentences = self.wall_clock_bill.sentences.iter().flat_map(|(_, [_, wall_clock])| wall_clock);
        out.extend(sentences.map(|sentence| item(sentence)));
        out
    }
}

#[cfg(test)]
mod tests {
    use bill::{Figure, LaneVerdict, PAYMENTS};

    use super::*;

    /// A bill of one line, on which waiting cost so much.
    fn bill(waiting: f64, sentences: [Vec<String>; 2]) -> BillSummary {
        let figure = |value: f64| Figure { value, low: Some(value - 1_000.0), high: Some(value + 1_000.0) };
        let line = Line {
            measure: PAYMENTS.measures[0],
            stream: figure(370_613.0),
            batch: figure(370_613.0 + waiting),
            waiting: figure(waiting),
            cases: 35_119,
            evidence: 233,
            margin: 17_560.0,
            verdict: LaneVerdict::StreamWins,
        };
        BillSummary {
            counts: BTreeMap::new(),
            lines: vec![line],
            missing: vec!["wrong texts: no figure yet".to_owned()],
            sentences: vec![(PAYMENTS.business, sentences)],
        }
    }

    fn summary() -> Summary {
        let business = |business, events_in, ledger| BusinessSummary {
            business,
            events_in,
            answers_out: 39_759,
            freshness_p50_ms: Some(20.2),
            freshness_p99_ms: (events_in > 0).then_some(111_349.0),
            ledger,
        };
        let judged = Sums { lost: Some(0), ..Sums::default() };
        let said = "Simulated fraud: 233 attempts";
        let late =
            "27,137 of 163,955 billed swipes had no verdict in time, and their terminals approved them";
        Summary {
            lasted_s: 150.0,
            speed: 60.0,
            simulated_s: 9_000.0,
            businesses: vec![business("fraud", 38_239, Some(judged)), business("notifications", 0, None)],
            closing: BTreeMap::new(),
            closing_sentences: vec![
                "From swipe to decision: p50 6 ms, p99 547 ms, p99.9 964 ms (the newest \
                swipes); of all swipes 93.213 % had it before their terminal's deadline of 100 ms"
                    .to_owned(),
            ],
            dead_letters: 0,
            costs: vec![LaneCost::new("stream", 100.1, 1_628_689)],
            bill: bill(965_739.0, [vec![said.to_owned()], Vec::new()]),
            live_arrivals: None,
            wall_clock_bill: bill(1_290_739.0, [Vec::new(), vec![late.to_owned()]]),
            failed: Vec::new(),
            disk: Some(DiskUse { bytes: 1_234_000_000, most_bytes: 1_500_000_000, reach_h: 1.65 }),
        }
    }

    #[test]
    fn a_summary_has_one_bill_and_says_that_it_is_the_one_to_quote() {
        let expected = "\
150 s of real time, 150 min simulated

The bill (quote this): in event time, without the delays of this machine; in
parentheses the 95 % interval
  fraud loss + wrong declines: stream $3,706.13, batch $13,363.52; batch delay
    cost $9,657.39 ($9,647.39 to $9,667.39), in 35,119 swipes
  wrong texts: no figure yet

Live on this machine:
consumer       questions  answers  p50    p99    lost  doubled
fraud             38,239   39,759  20 ms  111 s     0        0
notifications          –   39,759  20 ms  –         –        –
From swipe to decision: p50 6 ms, p99 547 ms, p99.9 964 ms (the newest swipes);
  of all swipes 93.213 % had it before their terminal's deadline of 100 ms
cost to run the stream lane: 100.1 CPU-s for 1,628,689 records, 61.5 a million
disk: 1.2 GB at the end and 1.5 GB at most (--disk), which keeps the newest 1.6
  h of the log

Everything was simulated, and no money moved. With --verbose the summary says
all that was counted.
";
        assert_eq!(summary().text(80, false), expected);
    }

    /// A show of an hour has no run after its trips: it says so instead of leaving them out.
    #[test]
    fn what_has_no_figure_is_named_with_what_it_waits_for() {
        let part = &bill::RIDES;
        let words = "ETA error per quote, wrong texts: no figure yet, a case counts with the run of batch-eta after it";
        assert_eq!(missing(part, &[]).as_deref(), Some(words));
        let [first, second] = part.measures else { panic!("two measures") };
        let line = |measure| Line { measure, ..bill(0.0, [Vec::new(), Vec::new()]).lines.remove(0) };
        assert!(
            missing(part, &[line(first)]).is_some_and(|words| words.starts_with("wrong texts: no figure"))
        );
        assert_eq!(missing(part, &[line(first), line(second)]), None);
        let words = "fraud loss + wrong declines: no figure yet, it has no case";
        assert_eq!(missing(&PAYMENTS, &[]).as_deref(), Some(words));
    }

    /// The rides of the bill are answered once more in order, which a reader can come too late for.
    #[test]
    fn what_was_read_out_of_turn_is_said() {
        let mut late = LiveVsReplay::default();
        late.out_of_turn = 1_234;
        let live = LiveArrivals::new(bill::RIDES.business, &late);
        let said = Summary { live_arrivals: Some(live), ..summary() }.text(200, false);
        let words = "1,234 records were read too late to be billed in their order: the figures of ride-share";
        assert!(said.contains(words), "{said}");
    }

    /// After a rewind the questions of before are answered again: neither lost nor doubled.
    #[test]
    fn what_was_answered_again_after_a_rewind_is_said_at_the_end() {
        let mut rewound = summary();
        let words = "15,191 questions were answered again, since a group's offset was reset";
        assert!(!rewound.text(200, false).contains("answered again"));
        rewound.businesses[0].ledger = Some(Sums { lost: Some(0), replayed: 15_191, ..Sums::default() });
        assert!(rewound.text(200, false).contains(words), "{}", rewound.text(200, false));
    }

    #[test]
    fn who_asks_for_more_gets_the_other_bill_too() {
        let all = summary().text(60, true);
        assert_eq!(all.matches("quote this").count(), 1, "{all}");
        let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("batch $16,613.52"), "{all}");
        assert!(
            flat.contains("Simulated fraud: 233 attempts") && flat.contains("their terminals approved them"),
            "{all}"
        );
        let is_table = |line: &str| line.starts_with(['c', 'f', 'n']) && line.contains("  ");
        let too_wide = all.lines().find(|line| line.chars().count() > 60 && !is_table(line));
        assert_eq!(too_wide, None);
        let failed = Summary { failed: vec!["eta: 3 lost".to_owned()], dead_letters: 4_000, ..summary() };
        let said = failed.text(80, false);
        assert!(said.ends_with("\nFAILED: eta: 3 lost\n") && said.contains("Dead letters: 4,000"), "{said}");
    }
}
