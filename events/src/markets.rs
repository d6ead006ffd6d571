//! Markets: trades in pairs of currencies, one-minute candles of trades, and signals.
//!
//! Prices and quantities are integers of 1e-8, as exchanges keep them: `price_e8` 6212345000000 is
//! 62,123.45. Floating-point numbers can't hold 0.1 exactly, and their sum depends on the order of
//! adding; the sum of integers does not.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::check::{Broken, id};

/// How long a candle lasts, in milliseconds of event time.
pub const CANDLE_MS: i64 = 60_000;

/// The longest name of a pair, an exchange or a trade, in bytes: consumers keep names in memory.
const LONGEST_NAME: usize = 64;

/// The side of the *taker*, which accepted a price that the other side had offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A buyer took an offer.
    Buy,
    /// A seller hit a bid.
    Sell,
}

/// `trades`: one trade on one exchange. Key: the pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// When the exchange matched it.
    pub ts: Timestamp,
    /// The trade's id, for deduplication: a feed that reconnects sends some trades a second time.
    pub trade_id: String,
    /// What was traded and in which currency it was priced: `ADA-USD`.
    pub pair: String,
    /// The exchange.
    pub exchange: String,
    /// Price of one unit, in 1e-8; more than zero.
    pub price_e8: i64,
    /// Units, in 1e-8; more than zero.
    pub quantity_e8: i64,
    /// The taker's side.
    pub side: Side,
}

/// `candles`: the trades of a pair in one minute of event time. Key: the pair.
///
/// A candle that changes after it was closed is published again with the next `revision`: an
/// upsert by pair and minute, in which the greatest revision holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// The first instant of the minute.
    pub ts: Timestamp,
    /// The pair.
    pub pair: String,
    /// Price of the earliest trade, in 1e-8.
    pub open_e8: i64,
    /// Highest price, in 1e-8.
    pub high_e8: i64,
    /// Lowest price, in 1e-8.
    pub low_e8: i64,
    /// Price of the latest trade, in 1e-8.
    pub close_e8: i64,
    /// Mean price, each trade weighted by its quantity, in 1e-8, rounded down.
    pub vwap_e8: i64,
    /// Units traded, in 1e-8; saturates at `i64::MAX`.
    pub volume_e8: i64,
    /// Trades, each counted once.
    pub trades: u64,
    /// How often it has changed since it was first published.
    pub revision: u64,
}

/// What a signal says to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The fast average has risen above the slow one.
    Buy,
    /// The fast average has fallen below the slow one.
    Sell,
    /// Neither, or one of the averages is unknown.
    Hold,
}

/// `signals`: the trading signal at the close of a pair's candle. Key: the pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The first instant of the minute that was closed.
    pub ts: Timestamp,
    /// The pair.
    pub pair: String,
    /// What to do.
    pub action: Action,
    /// The fast moving average of closes, in 1e-8; none while too few minutes have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fast_e8: Option<i64>,
    /// The slow one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_e8: Option<i64>,
}

impl Trade {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        name(&self.trade_id, "trade_id")?;
        name(&self.pair, "pair")?;
        name(&self.exchange, "exchange")?;
        positive(self.price_e8, "price_e8")?;
        positive(self.quantity_e8, "quantity_e8")
    }
}

impl Candle {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        name(&self.pair, "pair")?;
        positive(self.low_e8, "low_e8")?;
        for (price_e8, field) in
            [(self.open_e8, "open_e8"), (self.close_e8, "close_e8"), (self.vwap_e8, "vwap_e8")]
        {
            if !(self.low_e8..=self.high_e8).contains(&price_e8) {
                let (low, high) = (self.low_e8, self.high_e8);
                return Err(Broken::new(format!("{field} is {price_e8}: it must be from {low} to {high}")));
            }
        }
        Ok(())
    }
}

impl Signal {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        name(&self.pair, "pair")
    }
}

fn name(value: &str, field: &str) -> Result<(), Broken> {
    if value.len() > LONGEST_NAME {
        let length = value.len();
        return Err(Broken::new(format!("{field} has {length} bytes: it may have {LONGEST_NAME}")));
    }
    id(value, field)
}

fn positive(value: i64, field: &str) -> Result<(), Broken> {
    if value > 0 { Ok(()) } else { Err(Broken::new(format!("{field} is {value}: it must be more than 0"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Topic};

    fn trade(change: impl Fn(&mut Trade)) -> Result<Event, Broken> {
        let mut trade = Trade {
            ts: Timestamp::from_ms(1_772_535_600_000),
            trade_id: "kelp-1".into(),
            pair: "ADA-USD".into(),
            exchange: "kelp".into(),
            price_e8: 45_120_000,
            quantity_e8: 100_000_000,
            side: Side::Buy,
        };
        change(&mut trade);
        Event::parse(Topic::Trades, &serde_json::to_vec(&trade).expect("a trade has a JSON form"))
    }

    #[test]
    fn a_trade_has_a_price_a_quantity_and_names_that_can_be_kept() {
        assert!(trade(|_| {}).is_ok());
        assert!(trade(|trade| trade.price_e8 = i64::MAX).is_ok());
        let reason = |change: &dyn Fn(&mut Trade)| trade(change).unwrap_err().to_string();
        assert_eq!(reason(&|trade| trade.price_e8 = 0), "price_e8 is 0: it must be more than 0");
        assert_eq!(reason(&|trade| trade.quantity_e8 = -1), "quantity_e8 is -1: it must be more than 0");
        assert_eq!(reason(&|trade| trade.pair.clear()), "pair is empty");
        let long = "x".repeat(65);
        assert_eq!(
            reason(&|trade| trade.trade_id.clone_from(&long)),
            "trade_id has 65 bytes: it may have 64"
        );
        let wide = "é".repeat(40);
        assert_eq!(
            reason(&|trade| trade.exchange.clone_from(&wide)),
            "exchange has 80 bytes: it may have 64"
        );
    }

    #[test]
    fn a_price_beyond_64_bits_and_a_price_with_a_fraction_are_no_prices() {
        let with = |price: &str| {
            let text = format!(
                r#"{{"ts":"2026-03-03T11:00:00.000Z","trade_id":"t","pair":"ADA-USD","exchange":"kelp","price_e8":{price},"quantity_e8":1,"side":"sell"}}"#
            );
            Event::parse(Topic::Trades, text.as_bytes())
        };
        assert!(with("1").is_ok());
        for price in ["9223372036854775808", "1e8", "1.5", "\"1\"", "null", "NaN"] {
            assert!(with(price).is_err(), "{price}");
        }
    }
}
