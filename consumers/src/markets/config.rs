//! The parameters of candles and signals.

use events::{CANDLE_MS, HOUR_MS};

/// How trades become candles, and candles signals. [`Default`] is what the demo and `freshet
/// replay` run with.
///
/// # Memory
/// Two limits bound it, whatever the input: `windows` candles of some 300 bytes each, and `ids`
/// trades of some 20 bytes each. At a limit the oldest candles are closed early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketsConfig {
    /// The allowed lateness: how far the watermark must be past the end of a minute before its
    /// candle is closed, in milliseconds of event time (Kafka Streams: a window's *grace period*).
    /// A longer one means fewer revisions; a shorter one means earlier signals.
    pub allowed_lateness_ms: i64,
    /// How long after its end a window still takes late trades, in milliseconds of event time.
    /// Later trades are dropped and counted.
    pub kept_ms: i64,
    /// Minutes in the fast moving average.
    pub fast: i64,
    /// Minutes in the slow one, at least as many.
    pub slow: i64,
    /// Most candles kept at once, over all pairs.
    pub windows: usize,
    /// Most trades remembered by their ids, over all pairs.
    pub ids: usize,
}

const ALLOWED_LATENESS_MS: i64 = 30_000;
const KEPT_MS: i64 = 2 * HOUR_MS;

impl Default for MarketsConfig {
    fn default() -> Self {
        Self {
            allowed_lateness_ms: ALLOWED_LATENESS_MS,
            kept_ms: KEPT_MS,
            fast: 5,
            slow: 20,
            windows: 500_000,
            ids: 8_000_000,
        }
    }
}

impl MarketsConfig {
    /// How far back the usual state reaches, in milliseconds of event time: a worker restores its
    /// state from so much of the log. Ten minutes are added for records in transit.
    pub const HORIZON_MS: i64 = KEPT_MS + ALLOWED_LATENESS_MS + 10 * CANDLE_MS;

    /// # Panics
    /// When a signal needs candles that are no longer kept, or a limit is 0.
    pub(super) fn check(&self) {
        assert!(0 < self.fast && self.fast <= self.slow, "the fast average is the shorter: {self:?}");
        // A signal looks back as far as the slow average of the previous candle.
        assert!(2 * self.slow * CANDLE_MS <= self.kept_ms, "signals need what is kept: {self:?}");
        assert!(self.allowed_lateness_ms >= 0 && self.windows > 0 && self.ids > 0, "{self:?}");
    }
}
