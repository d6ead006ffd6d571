//! The payments business: swipes, decisions, and the truth that arrives days later.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::check::{Broken, coordinates, id, probability};

/// `card_swipes`: a card was presented at a terminal, which now waits for an answer. Key: the card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardSwipe {
    /// When the card was presented.
    pub ts: Timestamp,
    /// Which swipe: unique for ever.
    pub swipe_id: String,
    /// Whose card.
    pub card_id: String,
    /// At which terminal.
    pub terminal_id: String,
    /// The amount in cents. Zero is a card check; negative is a refund.
    pub amount_cents: i64,
    /// ISO 4217 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the merchant sells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Where the terminal stands, degrees north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Where the terminal stands, degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
}

/// What the terminal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The sale goes through.
    Approve,
    /// The sale is refused.
    Decline,
}

/// `fraud_decisions`: exactly one for every swipe. Key: the card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FraudDecision {
    /// The event time of the swipe that is answered.
    pub ts: Timestamp,
    /// Which swipe.
    pub swipe_id: String,
    /// Whose card.
    pub card_id: String,
    /// What the terminal is told.
    pub decision: Decision,
    /// The probability that this swipe is fraud, 0 to 1, as known at `ts`.
    pub probability: f64,
    /// Why, in words, the weightiest first; at most three.
    pub reasons: Vec<String>,
    /// Wall time spent on state, score and reasons, in microseconds; absent in a
    /// replay, which is deterministic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_in_us: Option<u64>,
}

/// `chargebacks`: the card holder's bank says that this swipe was fraud. Key: the card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chargeback {
    /// When that became known: days after the swipe.
    pub ts: Timestamp,
    /// Which swipe.
    pub swipe_id: String,
    /// Whose card.
    pub card_id: String,
    /// At which terminal the swipe was.
    pub terminal_id: String,
}

impl CardSwipe {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.swipe_id, "swipe_id")?;
        id(&self.card_id, "card_id")?;
        if let (Some(lat), Some(lon)) = (self.lat, self.lon) {
            coordinates(lat, lon)?;
        }
        Ok(())
    }
}

impl FraudDecision {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.swipe_id, "swipe_id")?;
        probability(self.probability, "probability")
    }
}

impl Chargeback {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.swipe_id, "swipe_id")?;
        id(&self.card_id, "card_id")
    }
}
