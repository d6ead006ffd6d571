//! One candle in the making: what is known of a pair's minute.

use events::{Candle, Timestamp, Trade};

/// A trade that is first or last so far. Of two of the same millisecond the id decides, so that it
/// doesn't matter which of them came first.
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

/// The trades of one minute, added up.
#[derive(Clone, Debug)]
pub(super) struct Window {
    open: Edge,
    close: Edge,
    high_e8: i64,
    low_e8: i64,
    /// Sum of quantities. A sum of 64-bit numbers needs more than 64 bits: here 2⁶³ of them fit.
    volume_e8: i128,
    /// Sum of price times quantity, in 1e-16; stays at its greatest value once it is reached.
    turnover: i128,
    /// The trades, as hashes of their ids.
    pub(super) ids: Vec<u64>,
    /// How often it was published.
    pub(super) published: u64,
    /// Whether it has changed since.
    pub(super) changed: bool,
}

impl Window {
    /// The minute of one trade, to be [added](Self::add).
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

    /// Adds a trade that is not among them. The order of adding makes no difference.
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
        // A turnover that stayed at its greatest value would give too low a mean: the lowest price
        // is lower than no mean.
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
