//! The markets: pairs, their prices, and what the lanes say to do.

use serde::{Deserialize, Serialize};

/// Pairs of currencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Markets {
    /// Some pairs (at most 60), the most traded first.
    pub pairs: Vec<MarketPair>,
    /// Candles that the stream lane has closed.
    pub candles: Option<u64>,
    /// Those of them that have changed since, because a trade came late.
    pub revised: Option<u64>,
}

/// One pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarketPair {
    /// Which.
    pub name: String,
    /// What the latest trade paid for a unit, in 1e-8.
    pub price_e8: Option<i64>,
    /// What the last trade of each minute paid, oldest first; at most 60 minutes.
    pub closes: Vec<f64>,
    /// When a lane said buy or sell, newest first; at most 20.
    pub orders: Vec<MarketOrder>,
}

/// A minute after which a lane said buy or sell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarketOrder {
    /// The end of the minute: event time, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whether it is to buy; otherwise to sell.
    pub buys: bool,
    /// When the stream lane said it.
    pub stream: Option<MarketMove>,
    /// When the batch lane did.
    pub batch: Option<MarketMove>,
}

/// What had happened by the time a signal was there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarketMove {
    /// How long after the end of the minute that was, in milliseconds of event time.
    pub after_ms: f64,
    /// How far the price had moved against the order since the minute's close, in basis points;
    /// below zero when it had moved for it.
    pub against_bp: Option<f64>,
}
