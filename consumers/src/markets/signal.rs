//! Two moving averages: the rule that a candle's signal follows.
//!
//! When the mean of the latest closes (the fast average) crosses the mean of more closes (the slow
//! average), a trend may have begun. This is the oldest rule of technical trading and the one most
//! often tested (Brock and others, *Simple technical trading rules and the stochastic properties of
//! stock returns*, 1992). Whether it earns money does not matter here: it is an answer that loses
//! its value within minutes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use events::{Action, CANDLE_MS, Signal, Timestamp};

use super::MarketsConfig;
use super::window::Window;

/// The windows of one pair, by their first instant in milliseconds.
pub(super) type Windows = BTreeMap<i64, Window>;

/// A mean of closes, as an exact fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mean {
    sum: i128,
    count: i128,
}

impl Mean {
    /// The mean close of `minutes` minutes, of which the last begins at `start_ms`. Minutes without
    /// a trade are left out; when they are more than half, the mean is unknown.
    fn of(windows: &Windows, start_ms: i64, minutes: i64) -> Option<Self> {
        let from_ms = start_ms - (minutes - 1) * CANDLE_MS;
        let (mut sum, mut count) = (0, 0);
        for window in windows.range(from_ms..=start_ms).map(|(_, window)| window) {
            sum += i128::from(window.close_e8());
            count += 1;
        }
        (count * 2 >= i128::from(minutes)).then_some(Self { sum, count })
    }

    /// Rounded down, in 1e-8.
    fn e8(self) -> i64 {
        (self.sum / self.count) as i64
    }

    fn compare(self, other: Self) -> Ordering {
        (self.sum * other.count).cmp(&(other.sum * self.count))
    }
}

/// Both averages; none where too few minutes have trades.
fn averages(windows: &Windows, start_ms: i64, config: &MarketsConfig) -> (Option<Mean>, Option<Mean>) {
    (Mean::of(windows, start_ms, config.fast), Mean::of(windows, start_ms, config.slow))
}

/// The signal of a pair's minute: whether the averages have crossed since the previous candle.
pub(super) fn signal(pair: &str, start_ms: i64, windows: &Windows, config: &MarketsConfig) -> Signal {
    let position = |(fast, slow): (Option<Mean>, Option<Mean>)| Some(fast?.compare(slow?));
    let (fast, slow) = averages(windows, start_ms, config);
    let before = windows.range(..start_ms).next_back();
    let before = before.and_then(|(&before_ms, _)| position(averages(windows, before_ms, config)));
    let action = match (before, position((fast, slow))) {
        (Some(Ordering::Less | Ordering::Equal), Some(Ordering::Greater)) => Action::Buy,
        (Some(Ordering::Greater | Ordering::Equal), Some(Ordering::Less)) => Action::Sell,
        (Some(_) | None, Some(_) | None) => Action::Hold,
    };
    Signal {
        ts: Timestamp::from_ms(start_ms),
        pair: pair.to_owned(),
        action,
        fast_e8: fast.map(Mean::e8),
        slow_e8: slow.map(Mean::e8),
    }
}
