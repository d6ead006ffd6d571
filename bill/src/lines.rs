//! The bill line by line: what each lane's answers cost, what waiting cost, how sure that is, and
//! who did better.

use serde::{Serialize, Serializer};
use text::grouped;

use super::resample::{FEWEST, Interval};
use super::verdict::{LaneVerdict, Margin, verdict};

/// What a line measures. Every measure is a cost: less is better.
#[derive(Debug)]
pub struct Measure {
    /// What it is called in JSON.
    pub key: &'static str,
    /// What it is called above a plot, with its unit.
    pub title: &'static str,
    /// What it is called in a sentence, whose figures have their [unit](Self::unit): the words of
    /// the screen.
    pub name: &'static str,
    /// The unit behind a figure of a sentence, with the blank before it; empty where the amount
    /// has its unit already.
    pub unit: &'static str,
    /// What the cases are that it rests on.
    pub cases: &'static str,
    /// Those of them on which a verdict hangs: of a thousand swipes four are frauds, and nearly all
    /// of the money. Often they are the cases themselves.
    pub evidence: &'static str,
    /// The largest difference between the lanes that still counts as none.
    pub margin: Margin,
    /// An amount as a person writes it.
    pub amount: fn(f64) -> String,
    /// The same beside the axis of a plot, where amounts are round.
    pub tick: fn(f64) -> String,
}

impl Measure {
    /// A figure with its unit.
    fn figure(&self, value: f64) -> String {
        (self.amount)(value) + self.unit
    }
}

/// Two measures of one name are the same.
impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key)
    }
}

/// A number beside the axis of a plot, with as many digits as it needs, at most two.
pub fn plain_tick(tick: f64) -> String {
    if tick.fract() == 0.0 {
        format!("{tick:.0}")
    } else if (tick * 10.0).fract().abs() < 1e-9 {
        format!("{tick:.1}")
    } else {
        format!("{tick:.2}")
    }
}

/// A number with so many digits behind the point, with a minus as wide as a plus and none before a
/// zero.
pub fn signed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.chars().all(|char| matches!(char, '0' | '.'));
    if value < 0.0 && !is_zero { format!("−{text}") } else { text }
}

/// A figure and its 95 % bootstrap confidence interval; none when there are too few cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The figure, in the unit of its measure.
    pub value: f64,
    /// The lower end of the interval.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
}

impl Figure {
    fn new(value: f64, interval: Option<Interval>) -> Self {
        assert!(value.is_finite(), "a figure is {value}: it rests on no case, and should not be there");
        // A hair's breadth of rounding must not make two runs differ, nor a zero negative.
        let tidy = |value: f64| (value * 1e6).round() / 1e6 + 0.0;
        Self {
            value: tidy(value),
            low: interval.map(|interval| tidy(interval.low)),
            high: interval.map(|interval| tidy(interval.high)),
        }
    }

    fn interval(&self) -> Option<Interval> {
        Some(Interval { low: self.low?, high: self.high? })
    }
}

/// One line: both lanes on the same cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What is measured.
    pub measure: &'static Measure,
    /// What the stream's answers cost.
    pub stream: Figure,
    /// What the batch lane's cost.
    pub batch: Figure,
    /// The second less the first.
    pub waiting: Figure,
    /// On how many cases both rest.
    pub cases: u64,
    /// How many of them are of the kind that [`Measure::evidence`] names.
    pub evidence: u64,
    /// The largest difference that still counts as none, in the unit of the measure.
    pub margin: f64,
    /// Who did better.
    #[serde(flatten)]
    pub verdict: LaneVerdict,
}

impl Line {
    /// What each lane cost, in words.
    pub fn both(&self) -> String {
        let amount = |figure: Figure| self.measure.figure(figure.value);
        format!("{}: stream {}, batch {}", self.measure.name, amount(self.stream), amount(self.batch))
    }

    /// The same for cases that are too few for an interval.
    #[must_use]
    pub fn without_interval(self) -> Self {
        let bare = |figure: Figure| Figure { low: None, high: None, ..figure };
        let Self { stream, batch, waiting, .. } = self;
        Self {
            stream: bare(stream),
            batch: bare(batch),
            waiting: bare(waiting),
            verdict: LaneVerdict::TooFew { needed: None },
            ..self
        }
    }

    /// Whether the cases suffice for the interval by which the lanes are judged.
    pub fn has_interval(&self) -> bool {
        self.waiting.low.is_some() && self.evidence >= FEWEST
    }

    /// The margin in words: `±0.50`.
    pub fn margin_words(&self) -> String {
        format!("±{}", (self.measure.amount)(self.margin))
    }

    /// Who did better, in a few words.
    pub fn verdict_words(&self) -> String {
        match self.verdict {
            LaneVerdict::StreamWins => "stream better".to_owned(),
            LaneVerdict::BatchWins => "batch better".to_owned(),
            LaneVerdict::AsGood => format!("equivalent, within {}", self.margin_words()),
            LaneVerdict::TooFew { needed } => match self.evidence_words(needed) {
                Some(evidence) => format!("no significant difference yet: {evidence}"),
                None => "too few cases".to_owned(),
            },
        }
    }

    /// How many cases there are and how many would tell, if there are enough to speak of either.
    fn evidence_words(&self, needed: Option<u64>) -> Option<String> {
        let at_hand = format!("{} {}", grouped(self.evidence), self.measure.evidence);
        let words = match needed {
            Some(needed) => format!("{at_hand}; about {} needed", grouped(needed)),
            None => format!("{at_hand}; how many are needed can't be foreseen"),
        };
        self.has_interval().then_some(words)
    }

    /// One sentence on who did better.
    pub fn sentence(&self) -> String {
        let Self { measure, waiting, cases, .. } = self;
        let amount = |value| measure.figure(value);
        let both = self.both();
        let of = format!("{} {}", grouped(*cases), measure.cases);
        let range = match (waiting.low, waiting.high) {
            (Some(low), Some(high)) => format!(" ({} to {})", (measure.amount)(low), amount(high)),
            _ => String::new(),
        };
        match self.verdict {
            LaneVerdict::StreamWins => {
                format!("{both}; batch delay cost {}{range}, in {of}", amount(waiting.value))
            }
            LaneVerdict::BatchWins => {
                format!("{both}; batch did better, by {}{range}, in {of}", amount(-waiting.value))
            }
            LaneVerdict::AsGood => {
                format!("{both}; batch is equivalent, within ±{}{range}, in {of}", amount(self.margin))
            }
            LaneVerdict::TooFew { needed } => match self.evidence_words(needed) {
                Some(evidence) => format!("{both}; no significant difference yet{range}: {evidence}"),
                None => format!("{both}; {of} hold too few cases to tell"),
            },
        }
    }
}

/// A line from the sums over the cases and over their replicates.
pub(crate) struct Sums<'a, const K: usize> {
    pub(crate) all: [f64; K],
    pub(crate) spread: &'a super::resample::Resampled<K>,
}

impl<const K: usize> Sums<'_, K> {
    /// The line of a measure; none without a case. `evidence` of the `cases` decide: see
    /// [`Measure::evidence`].
    pub(crate) fn line(
        &self,
        measure: &'static Measure,
        (cases, evidence): (u64, u64),
        stream: impl Fn(&[f64; K]) -> Option<f64>,
        batch: impl Fn(&[f64; K]) -> Option<f64>,
    ) -> Option<Line> {
        let waiting = |sums: &[f64; K]| Some(batch(sums)? - stream(sums)?);
        let figure = |figure: &dyn Fn(&[f64; K]) -> Option<f64>| {
            figure(&self.all).map(|value| Figure::new(value, self.spread.interval(figure)))
        };
        let waiting = figure(&waiting)?;
        assert!(cases > 0, "the line {} has figures and no case", measure.key);
        assert!(evidence <= cases, "{evidence} {} among {cases} {}", measure.evidence, measure.cases);
        let margin = measure.margin.of(cases);
        let verdict = verdict(waiting.value, waiting.interval(), margin, evidence);
        let (stream, batch) = (figure(&stream)?, figure(&batch)?);
        Some(Line { measure, stream, batch, waiting, cases, evidence, margin, verdict })
    }
}

pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_do() {
        assert_eq!(signed(-0.004, 2), "0.00");
        assert_eq!(signed(-3.26, 1), "−3.3");
        assert_eq!([2.0, 2.5, 0.25].map(plain_tick), ["2", "2.5", "0.25"]);
    }

    fn line(low: f64, high: f64) -> Line {
        let figure = |value| Figure { value, low: None, high: None };
        let waiting = Figure { value: f64::midpoint(low, high), low: Some(low), high: Some(high) };
        let (margin, evidence) = (50.0, 71);
        Line {
            measure: &crate::payments::MONEY_CENTS,
            stream: figure(100.0),
            batch: figure(200.0),
            waiting,
            cases: 9_000,
            evidence,
            margin,
            verdict: verdict(waiting.value, waiting.interval(), margin, evidence),
        }
    }

    #[test]
    fn it_says_in_words_who_did_better() {
        let said = |low, high| {
            let sentence = line(low, high).sentence();
            let words = sentence.strip_prefix("fraud loss + wrong declines: stream $1.00, batch $2.00; ");
            words.unwrap_or_else(|| panic!("{sentence}")).to_owned()
        };
        assert_eq!(said(100.0, 300.0), "batch delay cost $2.00 ($1.00 to $3.00), in 9,000 swipes");
        assert_eq!(said(-300.0, -100.0), "batch did better, by $2.00 (−$3.00 to −$1.00), in 9,000 swipes");
        assert_eq!(
            said(-40.0, 40.0),
            "batch is equivalent, within ±$0.50 (−$0.40 to $0.40), in 9,000 swipes"
        );
        assert_eq!(
            said(-100.0, 300.0),
            "no significant difference yet (−$1.00 to $3.00): 71 frauds; about 590 needed"
        );
        assert_eq!(
            said(-1_000.0, 1_001.0),
            "no significant difference yet (−$10.00 to $10.01): 71 frauds; how many are needed can't be foreseen"
        );
        let bare = line(-100.0, 300.0).without_interval();
        assert!(bare.sentence().ends_with("batch $2.00; 9,000 swipes hold too few cases to tell"));
        assert_eq!(bare.verdict_words(), "too few cases");
    }
}
