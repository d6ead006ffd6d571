//! The bill line by line: what each lane's answers cost, what waiting cost, how sure that is, and
//! who did better.

use serde::Serialize;

use super::resample::Interval;
use super::{Bill, PaymentsBill, RidesBill, ShopBill};

/// What a line measures. Every measure is a cost: less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// |ETA − drop-off| of what was on the rider's screen, mean over looks at it, in minutes.
    EtaErrorMin,
    /// Texts "five minutes away" that came at another time, or never; of a hundred.
    WrongTextsPercent,
    /// Money approved to fraudsters plus what honest customers declined cost, in cents.
    MoneyCents,
    /// Next new items that were not on the page, of a hundred clicks: the page itself is as old as
    /// the run.
    MissedClicksPercent,
    /// The same where only the model is as old as the run and the session is live, on views within
    /// a session.
    MissedClicksStalePercent,
}

impl Measure {
    /// Every measure, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::EtaErrorMin,
        Self::WrongTextsPercent,
        Self::MoneyCents,
        Self::MissedClicksPercent,
        Self::MissedClicksStalePercent,
    ];

    /// What it is called, with its unit.
    pub fn title(self) -> &'static str {
        match self {
            Self::EtaErrorMin => "ETA error, minutes a quote",
            Self::WrongTextsPercent => "wrong texts, of 100",
            Self::MoneyCents => "money lost and honest customers declined",
            Self::MissedClicksPercent => "next clicks not on the page, of 100",
            Self::MissedClicksStalePercent => "the same, old model but live session",
        }
    }

    /// What the cases are that it rests on.
    pub fn cases(self) -> &'static str {
        match self {
            Self::EtaErrorMin => "quotes",
            Self::WrongTextsPercent => "texts due",
            Self::MoneyCents => "swipes",
            Self::MissedClicksPercent | Self::MissedClicksStalePercent => "clicks",
        }
    }

    /// An amount as a person writes it.
    pub fn amount(self, value: f64) -> String {
        match self {
            Self::EtaErrorMin => signed(value, 2),
            Self::WrongTextsPercent | Self::MissedClicksPercent | Self::MissedClicksStalePercent => {
                signed(value, 1)
            }
            Self::MoneyCents => money(value.round() as i64),
        }
    }
}

/// With a minus as wide as a plus, and none before a zero.
fn signed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.chars().all(|char| matches!(char, '0' | '.'));
    if value < 0.0 && !is_zero { format!("−{text}") } else { text }
}

/// Cents as money, with groups of three: `12,345.67`.
pub fn money(cents: i64) -> String {
    let whole = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if cents < 0 { "−" } else { "" };
    format!("{sign}{grouped}.{:02}", cents.unsigned_abs() % 100)
}

/// A figure and the interval that 95 of 100 drawings of the cases fall into; none when there are
/// too few cases.
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
        // A hair's breadth of rounding must not make two runs differ, nor a zero negative.
        let tidy = |value: f64| (value * 1e6).round() / 1e6 + 0.0;
        Self {
            value: tidy(value),
            low: interval.map(|interval| tidy(interval.low)),
            high: interval.map(|interval| tidy(interval.high)),
        }
    }
}

/// Who did better, as far as the cases tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Waiting cost something.
    StreamWins,
    /// Waiting saved something.
    BatchWins,
    /// The interval of the difference holds zero: these cases do not tell the lanes apart.
    Tie,
    /// Too few cases.
    Unknown,
}

/// One line: both lanes on the same cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What is measured.
    pub measure: Measure,
    /// What the stream's answers cost.
    pub stream: Figure,
    /// What the batch lane's cost.
    pub batch: Figure,
    /// The second less the first.
    pub waiting: Figure,
    /// On how many cases both rest.
    pub cases: u64,
    /// Who did better.
    pub verdict: Verdict,
}

impl Line {
    /// What each lane cost, in words.
    pub fn both(&self) -> String {
        let amount = |figure: Figure| self.measure.amount(figure.value);
        format!("{}: stream {}, batch {}", self.measure.title(), amount(self.stream), amount(self.batch))
    }

    /// One sentence on who did better.
    pub fn sentence(&self) -> String {
        let Self { measure, waiting, cases, .. } = self;
        let amount = |value| measure.amount(value);
        let both = self.both();
        let of = format!("{cases} {}", measure.cases());
        let range = match (waiting.low, waiting.high) {
            (Some(low), Some(high)) => format!(" ({} to {})", amount(low), amount(high)),
            _ => String::new(),
        };
        match self.verdict {
            Verdict::StreamWins => {
                format!("{both}; waiting cost {}{range}, in {of}", amount(waiting.value))
            }
            Verdict::BatchWins => {
                format!("{both}; batch did better, by {}{range}, in {of}", amount(-waiting.value))
            }
            Verdict::Tie => format!("{both}; batch is as good as far as {of} can tell{range}"),
            Verdict::Unknown => format!("{both}; {of} hold too few cases to tell"),
        }
    }
}

/// A line from the sums over the cases and over their replicates.
struct Sums<'a, const K: usize> {
    all: [f64; K],
    spread: &'a super::resample::Resampled<K>,
}

impl<const K: usize> Sums<'_, K> {
    fn line(
        &self,
        measure: Measure,
        cases: u64,
        stream: impl Fn(&[f64; K]) -> Option<f64>,
        batch: impl Fn(&[f64; K]) -> Option<f64>,
    ) -> Option<Line> {
        let waiting = |sums: &[f64; K]| Some(batch(sums)? - stream(sums)?);
        let figure = |figure: &dyn Fn(&[f64; K]) -> Option<f64>| {
            figure(&self.all).map(|value| Figure::new(value, self.spread.interval(figure)))
        };
        let waiting = figure(&waiting)?;
        let verdict = verdict(&waiting);
        Some(Line { measure, stream: figure(&stream)?, batch: figure(&batch)?, waiting, cases, verdict })
    }
}

/// Who did better, by the interval of what waiting cost.
fn verdict(waiting: &Figure) -> Verdict {
    match (waiting.low, waiting.high) {
        (Some(low), _) if low > 0.0 => Verdict::StreamWins,
        (_, Some(high)) if high < 0.0 => Verdict::BatchWins,
        (Some(_), Some(_)) => Verdict::Tie,
        _ => Verdict::Unknown,
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl Bill {
    /// Every line that has a case.
    pub fn lines(&self) -> Vec<Line> {
        [self.rides.lines(), self.payments.lines(), self.shop.lines()].concat()
    }
}

impl RidesBill {
    fn lines(&self) -> Vec<Line> {
        let (stream, batch) = (&self.stream_beside_batch, &self.batch);
        let sums = Sums { all: super::rides::sums(stream, batch), spread: &self.spread };
        let quotes = stream.quotes.min(batch.quotes);
        let minutes = |ms: f64, quotes: f64| ratio(ms / 60_000.0, quotes);
        let errors =
            sums.line(Measure::EtaErrorMin, quotes, |s| minutes(s[0], s[1]), |s| minutes(s[2], s[3]));
        let percent = |wrong: f64, due: f64| ratio(100.0 * wrong, due);
        let texts = sums.line(
            Measure::WrongTextsPercent,
            batch.texts_due,
            |s| percent(s[5], s[4]),
            |s| percent(s[6], s[4]),
        );
        errors.into_iter().chain(texts).collect()
    }
}

impl PaymentsBill {
    fn lines(&self) -> Vec<Line> {
        let (stream, batch) = (&self.stream, &self.batch);
        if stream.swipes == 0 {
            return Vec::new();
        }
        let all = [stream.lost_cents, stream.decline_cost_cents, batch.lost_cents, batch.decline_cost_cents];
        let sums = Sums { all: all.map(|cents| cents as f64), spread: &self.spread };
        let mut line =
            sums.line(Measure::MoneyCents, stream.swipes, |s| Some(s[0] + s[1]), |s| Some(s[2] + s[3]));
        // Nearly all of the money hangs on the frauds, and of a thousand swipes four are one.
        if let Some(line) = line.as_mut().filter(|_| stream.frauds < super::resample::FEWEST) {
            line.verdict = Verdict::Unknown;
        }
        line.into_iter().collect()
    }
}

impl ShopBill {
    fn lines(&self) -> Vec<Line> {
        let missed = |hits: f64, cases: f64| ratio(100.0 * (cases - hits), cases);
        let line = |measure, stream: &super::ShopLane, late: &super::ShopLane, spread| {
            let all = [stream.cases as f64, stream.hits as f64, late.hits as f64];
            let sums = Sums { all, spread };
            sums.line(measure, stream.cases, |s| missed(s[1], s[0]), |s| missed(s[2], s[0]))
        };
        let page = line(Measure::MissedClicksPercent, &self.stream, &self.batch, &self.spread);
        let stale = line(
            Measure::MissedClicksStalePercent,
            &self.stream_beside_stale,
            &self.stale,
            &self.stale_spread,
        );
        page.into_iter().chain(stale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_do() {
        assert_eq!(money(123_456_789), "1,234,567.89");
        assert_eq!(money(-5), "−0.05");
        assert_eq!(money(100_000), "1,000.00");
        assert_eq!(Measure::EtaErrorMin.amount(-0.004), "0.00");
        assert_eq!(Measure::MissedClicksPercent.amount(-3.26), "−3.3");
    }

    fn line(low: f64, high: f64) -> Line {
        let figure = |value| Figure { value, low: None, high: None };
        let waiting = Figure { value: f64::midpoint(low, high), low: Some(low), high: Some(high) };
        let verdict = verdict(&waiting);
        Line {
            measure: Measure::MoneyCents,
            stream: figure(100.0),
            batch: figure(200.0),
            waiting,
            cases: 9,
            verdict,
        }
    }

    #[test]
    fn it_says_in_words_who_did_better() {
        assert_eq!(
            line(100.0, 300.0).sentence(),
            "money lost and honest customers declined: stream 1.00, batch 2.00; waiting cost 2.00 (1.00 to 3.00), in 9 swipes"
        );
        assert!(line(-300.0, -100.0).sentence().contains("batch did better, by 2.00"));
        assert!(line(-100.0, 300.0).sentence().contains("batch is as good as far as 9 swipes can tell"));
    }
}
