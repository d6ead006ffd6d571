//! One tumbling window: the trades of a pair in one minute, aggregated.

use events::{Candle, Timestamp, Trade};

/// The first or last trade so far. Ties within a millisecond are broken by the id, so that the
/// order of arrival makes no difference.
#[derive(Clone, Debug)]
struct Edge {
    at: (Timestamp, String),
    price_e8: i64,
}

impl Edge {
    fn of(trade: &Trade) -> Self {
        Self { at: (trade.ts, trade.trade_id.clone()), price_e8: trade.price_e8 }
    }

    fn is_after(&self, trade: &Trade) -> bool {
        (self.at.0, self.at.1.as_str()) > (trade.ts, trade.trade_id.as_str())
    }
}

/// The aggregate of one minute's trades.
#[derive(Clone, Debug)]
pub(super) struct Window {
    open: Edge,
    close: Edge,
    high_e8: i64,
    low_e8: i64,
    /// Sum of quantities. A sum of 64-bit numbers needs more than 64 bits: here 2⁶³ of them fit.
    volume_e8: i128,
    /// Sum of price times quantity, in 1e-16; saturates.
    turnover: i128,
    /// The trades, as hashes of their ids.
    pub(super) ids: Vec<u64>,
    /// How often the candle was published.
    pub(super) published: u64,
    /// Whether the candle has changed since.
    pub(super) changed: bool,
}

impl Window {
    /// An empty window for the minute of a trade, which is still to be [added](Self::add).
    pub(super) fn new(trade: &Trade) -> Self {
        Self {
            open: Edge::of(trade),
            close: Edge::of(trade),
            high_e8: trade.price_e8,
            low_e8: trade.price_e8,
            volume_e8: 0,
            turnover: 0,
            ids: Vec::new(),
            published: 0,
            changed: false,
        }
    }

    /// Adds a trade that is no duplicate. The order of adding makes no difference.
    pub(super) fn add(&mut self, trade: &Trade, id: u64) {
        if self.open.is_after(trade) {
            self.open = Edge::of(trade);
        }
        if !self.close.is_after(trade) {
            self.close = Edge::of(trade);
        }
        self.high_e8 = self.high_e8.max(trade.price_e8);
        self.low_e8 = self.low_e8.min(trade.price_e8);
        self.volume_e8 += i128::from(trade.quantity_e8);
        let turnover = i128::from(trade.price_e8) * i128::from(trade.quantity_e8);
        self.turnover = self.turnover.saturating_add(turnover);
        self.ids.push(id);
    }

    /// Price of the latest trade, in 1e-8.
    pub(super) fn close_e8(&self) -> i64 {
        self.close.price_e8
    }

    /// The candle as it stands.
    pub(super) fn candle(&self, pair: &str, start: Timestamp) -> Candle {
        assert!(self.volume_e8 > 0, "every trade has a quantity, and a window a trade");
        // A saturated sum gives too low a mean: no mean is below the lowest price.
        let mean = self.turnover / self.volume_e8;
        Candle {
            ts: start,
            pair: pair.to_owned(),
            open_e8: self.open.price_e8,
            high_e8: self.high_e8,
            low_e8: self.low_e8,
            close_e8: self.close.price_e8,
            vwap_e8: mean.clamp(self.low_e8.into(), self.high_e8.into()) as i64,
            volume_e8: i64::try_from(self.volume_e8).unwrap_or(i64::MAX),
            trades: self.ids.len() as u64,
            revision: self.published.saturating_sub(1),
        }
    }
}
