//! The payments business: decisions on card swipes.

use serde::{Deserialize, Serialize};

/// Decisions on card swipes.
///
/// A terminal that gets no answer before its deadline decides alone: *stand-in processing*, as
/// card networks call it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payments {
    /// The newest decisions, and older ones that matter more; by [`Decision::at_ms`], newest first;
    /// at most 200.
    pub recent: Vec<Decision>,
    /// How many of them were approved since the start.
    pub approved: Option<u64>,
    /// How many were declined.
    pub declined: Option<u64>,
    /// How many the terminal approved itself, because no answer came in time.
    pub stood_in: Option<u64>,
    /// Money approved, in cents.
    pub approved_cents: Option<i64>,
    /// Money declined, in cents.
    pub declined_cents: Option<i64>,
    /// Until when an answer must be there, in milliseconds of wall time.
    pub deadline_ms: Option<f64>,
    /// The median time from swipe to answer, in milliseconds of wall time.
    pub latency_p50_ms: Option<f64>,
    /// Its 99th percentile.
    pub latency_p99_ms: Option<f64>,
    /// Its 99.9th percentile.
    pub latency_p999_ms: Option<f64>,
    /// The share of swipes that were answered before the deadline, 0 to 1.
    pub in_time: Option<f64>,
}

/// One decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// When the card was presented: event time, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whose card.
    pub card_id: String,
    /// How much, in cents.
    pub amount_cents: i64,
    /// What the terminal did.
    pub verdict: Verdict,
    /// The probability of fraud, 0 to 1.
    pub probability: Option<f64>,
    /// The reasons, the strongest first.
    pub reasons: Vec<String>,
    /// From swipe to answer, in milliseconds of wall time.
    pub latency_ms: Option<f64>,
    /// Whether it really was fraud, once that is known.
    pub fraud: Option<bool>,
}

/// What a terminal did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It approved the sale, as it was answered.
    #[default]
    Approved,
    /// It declined the sale, as it was answered.
    Declined,
    /// No answer came in time, and it approved the sale itself.
    StoodIn,
}

impl Verdict {
    /// The word for it: of the three who decide, the terminal is named where it was alone.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Approved => "approved",
            Verdict::Declined => "declined",
            Verdict::StoodIn => "terminal",
        }
    }
}
