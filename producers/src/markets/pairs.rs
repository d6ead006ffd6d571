//! The pairs, and the exchanges that trade them.

/// A pair at the start of the simulation.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: &'static str,
    /// Price of one unit.
    pub(super) price: f64,
    /// Standard deviation of a day's return, in percent.
    pub(super) daily_percent: f64,
    /// Its share of all trades, in parts of their sum.
    pub(super) weight: f64,
    /// Half of the distance between bid and offer, in basis points.
    pub(super) half_spread_bp: f64,
    /// The smallest step of its price, in 1e-8.
    pub(super) tick_e8: i64,
}

const fn pair(
    name: &'static str,
    price: f64,
    daily_percent: f64,
    weight: f64,
    half_spread_bp: f64,
    tick_e8: i64,
) -> Pair {
    Pair { name, price, daily_percent, weight, half_spread_bp, tick_e8 }
}

/// Orders of magnitude are those of 2024 and 2025; a few pairs have most of the trades, and those
/// with few have wide spreads.
pub(super) const PAIRS: [Pair; 20] = [
    pair("BTC-USD", 62_000.0, 2.6, 100.0, 0.5, 1_000_000),
    pair("ETH-USD", 2_450.0, 3.3, 70.0, 0.5, 1_000_000),
    pair("SOL-USD", 142.0, 4.4, 45.0, 1.0, 1_000_000),
    pair("XRP-USD", 0.58, 4.0, 35.0, 1.0, 1_000),
    pair("DOGE-USD", 0.118, 4.8, 28.0, 1.2, 100),
    pair("ADA-USD", 0.36, 4.2, 20.0, 1.5, 1_000),
    pair("LINK-USD", 11.4, 4.4, 14.0, 1.8, 10_000),
    pair("AVAX-USD", 26.5, 4.8, 13.0, 1.8, 100_000),
    pair("LTC-USD", 66.0, 3.4, 12.0, 1.8, 1_000_000),
    pair("DOT-USD", 4.3, 4.1, 9.0, 2.2, 10_000),
    pair("BCH-USD", 345.0, 4.0, 8.0, 2.2, 1_000_000),
    pair("UNI-USD", 7.2, 4.9, 7.0, 2.5, 10_000),
    pair("NEAR-USD", 4.6, 5.2, 6.0, 2.8, 10_000),
    pair("ATOM-USD", 4.5, 4.1, 5.0, 3.0, 10_000),
    pair("XLM-USD", 0.096, 3.7, 5.0, 3.0, 100),
    pair("FIL-USD", 3.7, 4.6, 4.0, 3.5, 10_000),
    pair("ETC-USD", 18.6, 3.9, 3.5, 3.5, 100_000),
    pair("ALGO-USD", 0.127, 4.3, 3.0, 4.0, 100),
    pair("XTZ-USD", 0.68, 4.0, 1.5, 5.0, 1_000),
    pair("ZEC-USD", 36.0, 4.5, 1.0, 6.0, 100_000),
];

/// An exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) name: &'static str,
    /// Its share of all trades, in percent.
    pub(super) percent: f64,
    /// Its feed is out of order: each trade is sent up to so many milliseconds after it happened.
    pub(super) shuffled_ms: i64,
}

pub(super) const EXCHANGES: [Exchange; 5] = [
    Exchange { name: "kelp", percent: 40.0, shuffled_ms: 0 },
    Exchange { name: "coral", percent: 26.0, shuffled_ms: 0 },
    Exchange { name: "gannet", percent: 16.0, shuffled_ms: 0 },
    Exchange { name: "eddy", percent: 10.0, shuffled_ms: 8_000 },
    Exchange { name: "shoal", percent: 8.0, shuffled_ms: 0 },
];
