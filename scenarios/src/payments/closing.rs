//! How long the terminals waited: the summary at the end of a show.

use std::fmt;

use dashboard::Snapshot;
use serde::Serialize;

use crate::view::Closing;

/// From a swipe to its decision, both as the broker stamped them, in wall-clock time: the newest
/// thousands of swipes.
#[derive(Debug, Serialize)]
struct TerminalSummary {
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    p999_ms: Option<f64>,
    deadline_ms: Option<f64>,
    /// The share of all swipes that were decided before the deadline, 0 to 1.
    in_time: Option<f64>,
}

/// How long the terminals waited, when a show has ended.
pub(super) fn closing(snapshot: &Snapshot) -> Closing {
    let payments = &snapshot.payments.data;
    let summary = TerminalSummary {
        p50_ms: payments.latency_p50_ms,
        p99_ms: payments.latency_p99_ms,
        p999_ms: payments.latency_p999_ms,
        deadline_ms: payments.deadline_ms,
        in_time: payments.in_time,
    };
    let json = serde_json::to_value(&summary).expect("plain values with string keys have a JSON form");
    Closing { key: "terminals", json, sentence: summary.to_string() }
}

impl fmt::Display for TerminalSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
        // Nearly all is not all: rounded down.
        let share =
            self.in_time.map_or("–".to_owned(), |share| format!("{:.3} %", (share * 1e5).floor() / 1e3));
        write!(
            f,
            "From swipe to decision: p50 {}, p99 {}, p99.9 {} (the newest swipes); of all swipes {share} had it before their terminal's deadline of {}",
            ms(self.p50_ms),
            ms(self.p99_ms),
            ms(self.p999_ms),
            ms(self.deadline_ms),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_all_in_time_is_not_all() {
        let terminals = TerminalSummary {
            p50_ms: Some(4.0),
            p99_ms: Some(6.0),
            p999_ms: None,
            deadline_ms: Some(100.0),
            in_time: Some(0.999_999),
        };
        assert_eq!(
            terminals.to_string(),
            "From swipe to decision: p50 4 ms, p99 6 ms, p99.9 – (the newest swipes); of all swipes 99.999 % had it before their terminal's deadline of 100 ms"
        );
    }
}
