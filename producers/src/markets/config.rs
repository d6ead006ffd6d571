//! The parameters of the simulated markets.

use events::Timestamp;

/// Some twenty pairs on five exchanges. [`Default`] is what the demo runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketsConfig {
    /// Same seed, same prices and trades, byte for byte.
    pub seed: u64,
    /// The first second, in event time.
    pub start: Timestamp,
    /// Trades per simulated second over all pairs, as a mean over the day. Prices do not depend on
    /// it.
    pub trades_per_second: f64,
    /// News about one pair, per pair and day.
    pub news_per_day: f64,
    /// News about all of them, a day.
    pub market_news_per_day: f64,
    /// The share of news that is in the price at once; the rest follows over
    /// [`late_informed_s`](Self::late_informed_s).
    pub at_once: f64,
    /// Time constant, in seconds, with which late-informed traders move the price: after it, 1/e (a
    /// third) of the rest is still to come.
    pub late_informed_s: f64,
    /// How far orders push a price away from what the pair is worth, in basis points (standard
    /// deviation).
    pub pressure_bp: f64,
    /// Time constant of such a push, in seconds: after it, 1/e (a third) of it is left.
    pub pressure_s: f64,
    /// Share of trades that arrive late, by 5 to 120 seconds.
    pub late: f64,
    /// Share of trades that are sent a second time, some seconds later.
    pub repeated: f64,
    /// Outages of each exchange's feed, per day. An outage lasts 20 to 150 seconds; after it the
    /// feed sends the trades of the outage, and its last trades before it a second time.
    pub outages_per_day: f64,
    /// Whether the true prices are published too. A burst has it off: it adds trades to a
    /// simulation that publishes them.
    pub truth: bool,
}

impl Default for MarketsConfig {
    fn default() -> Self {
        Self {
            seed: 7,
            start: "2026-03-03T11:00:00.000Z".parse().expect("a good instant"),
            trades_per_second: 12.0,
            news_per_day: 0.9,
            market_news_per_day: 0.5,
            at_once: 0.85,
            late_informed_s: 300.0,
            pressure_bp: 1.5,
            pressure_s: 20.0,
            late: 0.004,
            repeated: 0.003,
            outages_per_day: 2.0,
            truth: true,
        }
    }
}
