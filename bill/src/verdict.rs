//! Who did better, as far as the cases tell: the one place where the lanes are judged.
//!
//! *Absence of evidence is not evidence of absence* (Altman and Bland, BMJ 1995). When the 95 %
//! interval of what waiting cost contains zero, the lanes may be alike, or the cases may be too few
//! to tell them apart: a batch lane that lost four times as much on a handful of frauds is not "as
//! good". So there are four verdicts and not three:
//!
//! - The whole interval lies above zero: waiting cost something.
//! - It lies below zero: waiting saved something.
//! - It contains zero, and all of it lies inside the [`Margin`] on both sides of zero: batch is *as
//!   good*. That is an equivalence test. Schuirmann's *two one-sided tests* (1987) at 5 % ask for
//!   the 90 % interval inside the margin; this asks for the 95 % interval, which is stricter and is
//!   the one that is shown.
//! - Otherwise the cases are too few to tell. How many are needed follows from the interval: its
//!   width shrinks with `1/√n`, so four times the cases halve it. As is usual for the size of a
//!   sample, so many are asked for that they tell in four of five repetitions ([`POWER`]).
//!
//! A difference that is sure is named, even where it is smaller than the margin: the reader sees
//! how large it is.
//!
//! # Simplifications
//! - The number needed supposes that the difference stays as measured. It is measured on few cases,
//!   so it is an order of magnitude.
//! - Where the lanes never differed the bootstrap has nothing to draw, and its interval has no
//!   width. Then the *rule of three* stands in: what was not seen in `n` cases happens in at most
//!   `3/n` of them (95 %). See [`FEWEST_ALIKE`].

use serde::Serialize;

use super::resample::{FEWEST, Interval};

/// How many cases without any difference between the lanes call them alike: by the rule of three
/// they then differ in at most one case of a hundred.
const FEWEST_ALIKE: u64 = 300;
/// An end of the interval is 1.96 standard errors from the estimate. Where zero, or the margin, is
/// 1.96 + 0.84 of them away, 80 of 100 repetitions tell: 1.43 times as far.
const POWER: f64 = 1.43;
/// A prediction of the number needed reaches at most to so many times the cases at hand.
const MOST_TIMES: f64 = 100.0;

/// The largest difference between the lanes that does not matter to those who pay it. Each measure
/// states its own, with the reason, and none was chosen by what it makes of a bill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// Of a mean or a share: so much, in the measure's unit.
    Of(f64),
    /// Of a sum over the cases: so much for each case, in the measure's unit.
    PerCase(f64),
}

impl Margin {
    /// The margin of so many cases, in the unit of the measure.
    pub fn of(self, cases: u64) -> f64 {
        match self {
            Self::Of(margin) => margin,
            Self::PerCase(margin) => margin * cases as f64,
        }
    }
}

/// Who did better, as far as the cases tell; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum LaneVerdict {
    /// Waiting cost something.
    StreamWins,
    /// Waiting saved something.
    BatchWins,
    /// Waiting cost nothing or saved nothing that exceeds the margin.
    AsGood,
    /// Too few cases to tell.
    TooFew {
        /// About how many would tell, with two significant digits; none when these cases are too
        /// few for that, too.
        needed: Option<u64>,
    },
}

/// Judges the lanes by what waiting cost: `waiting` and its 95 % interval, which too few cases do
/// not have. `evidence` counts the cases on which the verdict hangs.
pub(crate) fn verdict(waiting: f64, interval: Option<Interval>, margin: f64, evidence: u64) -> LaneVerdict {
    assert!(margin > 0.0, "a margin of {margin}: no two lanes are alike to the last digit");
    let Some(interval) = interval.filter(|_| evidence >= FEWEST) else {
        return LaneVerdict::TooFew { needed: None };
    };
    let Interval { low, high } = interval;
    assert!(low <= high, "an interval from {low} to {high}");
    if low > 0.0 {
        LaneVerdict::StreamWins
    } else if high < 0.0 {
        LaneVerdict::BatchWins
    } else if high <= low && evidence < FEWEST_ALIKE {
        LaneVerdict::TooFew { needed: Some(FEWEST_ALIKE) }
    } else if -margin < low && high < margin {
        LaneVerdict::AsGood
    } else {
        LaneVerdict::TooFew { needed: needed(waiting, interval, margin, evidence) }
    }
}

/// About how many cases would bring the interval to one side of zero, or inside the margin,
/// whichever takes fewer; none when it is more than [`MOST_TIMES`] as many as there are.
fn needed(waiting: f64, interval: Interval, margin: f64, evidence: u64) -> Option<u64> {
    let (down, up) = (waiting - interval.low, interval.high - waiting);
    // How many times the cases it takes until an end of the interval comes this near.
    let times = |reach: f64, room: f64| (room > 0.0).then(|| (POWER * reach.max(0.0) / room).powi(2));
    let differs = if waiting > 0.0 { times(down, waiting) } else { times(up, -waiting) };
    let alike = times(down, waiting + margin).zip(times(up, margin - waiting)).map(|(a, b)| a.max(b));
    let times = differs.into_iter().chain(alike).reduce(f64::min)?;
    (times <= MOST_TIMES).then(|| two_digits_up((evidence as f64 * times).ceil() as u64).max(evidence + 1))
}

/// The next number with two significant digits: 124 becomes 130.
fn two_digits_up(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    number.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(waiting: f64, low: f64, high: f64, margin: f64) -> LaneVerdict {
        verdict(waiting, Some(Interval { low, high }), margin, 71)
    }

    fn needed_of(verdict: LaneVerdict) -> Option<u64> {
        match verdict {
            LaneVerdict::TooFew { needed } => needed,
            other => panic!("{other:?} of an interval that tells nothing"),
        }
    }

    #[test]
    fn an_interval_that_holds_zero_is_not_as_good_unless_all_of_it_lies_within_the_margin() {
        for (low, high) in [(-0.1, 500.0), (-500.0, 0.1), (-11.0, 11.0), (0.0, 10.0), (-10.0, 0.0)] {
            let said = judged(f64::midpoint(low, high), low, high, 10.0);
            assert!(matches!(said, LaneVerdict::TooFew { .. }), "{low} to {high}: {said:?}");
        }
        for (low, high) in [(-9.9, 9.9), (-1.0, 2.0), (0.0, 9.9), (-9.9, 0.0)] {
            assert_eq!(judged(f64::midpoint(low, high), low, high, 10.0), LaneVerdict::AsGood);
        }
    }

    #[test]
    fn a_sure_difference_is_named_even_within_the_margin() {
        assert_eq!(judged(2.0, 1.0, 3.0, 10.0), LaneVerdict::StreamWins);
        assert_eq!(judged(20.0, 1.0, 30.0, 10.0), LaneVerdict::StreamWins);
        assert_eq!(judged(-2.0, -3.0, -1.0, 10.0), LaneVerdict::BatchWins);
    }

    #[test]
    fn the_number_needed_follows_from_the_width() {
        // A distance of 30 to the lower end must shrink to 20: (3/2)² times 71 is 160, and twice as
        // many for luck.
        assert_eq!(needed_of(judged(20.0, -10.0, 50.0, 1.0)), Some(330));
        // The same the other way round.
        assert_eq!(needed_of(judged(-20.0, -50.0, 10.0, 1.0)), Some(330));
        // No difference at all: 30 must shrink to 10, and no number shows a difference.
        assert_eq!(needed_of(judged(0.0, -30.0, 30.0, 10.0)), Some(1_400));
        // Nearly told.
        assert_eq!(needed_of(judged(20.0, 0.0, 40.0, 1.0)), Some(150));
        // Neither can be foreseen.
        assert_eq!(needed_of(judged(0.5, -30.0, 30.0, 1.0)), None);
        assert_eq!([7, 99, 100, 101, 1_234].map(two_digits_up), [7, 99, 100, 110, 1_300]);
    }

    #[test]
    fn a_handful_gives_no_verdict_and_no_number() {
        let interval = Some(Interval { low: 5.0, high: 6.0 });
        assert_eq!(verdict(5.5, interval, 1.0, FEWEST - 1), LaneVerdict::TooFew { needed: None });
        assert_eq!(verdict(5.5, None, 1.0, 71), LaneVerdict::TooFew { needed: None });
        assert_eq!(verdict(5.5, interval, 1.0, FEWEST), LaneVerdict::StreamWins);
    }

    /// Ten frauds of which neither lane stopped one do not show that both stop as many.
    #[test]
    fn lanes_that_never_differed_are_as_good_only_by_the_rule_of_three() {
        let none = Some(Interval { low: 0.0, high: 0.0 });
        assert_eq!(verdict(0.0, none, 1.0, 10), LaneVerdict::TooFew { needed: Some(300) });
        assert_eq!(verdict(0.0, none, 1.0, 300), LaneVerdict::AsGood);
    }

    #[test]
    fn a_margin_of_a_sum_grows_with_the_cases() {
        let of = |cases| [Margin::Of(0.5), Margin::PerCase(0.5)].map(|margin| margin.of(cases).to_string());
        assert_eq!((of(1), of(200)), (["0.5", "0.5"].map(Into::into), ["0.5", "100"].map(Into::into)));
    }
}
