//! Markets: one-minute candles from trades, and a signal at each candle that is closed.
//!
//! Trades arrive out of order: networks are slow, one exchange shuffles what it sends, feeds send
//! trades a second time. A candle is about when trades *happened*: it is an aggregation over a
//! tumbling window of event time. Three questions follow, the basic ones of stream processing:
//!
//! - **When is a window complete?** It is never certain, so a rule decides. The
//!   [watermark](processor::event_time) says how far event time has come; when it has passed the
//!   end of a minute by the *allowed lateness* ([`MarketsConfig::allowed_lateness_ms`]), the candle
//!   is *closed*: published together with its signal. The watermark is one for the whole partition,
//!   so a pair without trades closes its last candle when trades of other pairs arrive.
//! - **What happens to late trades?** They count: the candle is published again with the next
//!   [`revision`](events::Candle::revision), an *upsert* by pair and minute. The signal is not
//!   published again, since an order may have followed it. A trade that is hours late is dropped
//!   and counted.
//! - **What happens to duplicates?** *Deduplication*: a trade counts once, by its id, for as long
//!   as its candle is kept. Otherwise its volume would be counted twice.
//!
//! ```text
//! trade_watermark.rs  how far event time has come
//! window.rs           one open candle
//! store.rs            the windows of all pairs: add, close, drop
//! signal.rs           two moving averages
//! hourly.rs           the batch lane
//! config.rs           the numbers
//! mart.rs             the tables in the warehouse
//! ```
//!
//! [`MarketsProcessor`] is the stream lane's logic; [`MarketsBatch`] does the same once an hour.
//! Both use the same window store and differ in one thing: what closes a window.
//!
//! # Invalid input
//! - A price or quantity of zero or less: dropped and counted. (From a topic it goes to the dead
//!   letters.)
//! - Prices near the limit of 64 bits: sums have 128 bits and saturate.
//! - A trade more than an hour ahead of all others: held until the next trade confirms its time,
//!   and otherwise dropped and counted.
//! - More pairs or trades than the limits allow: the oldest candles are closed early.
//!
//! # Simplifications
//! - The averages use closes alone, and are unknown where fewer than half of the minutes have one.
//! - A revision of a candle does not change the signals of later candles.
//! - A trade's id is unique in its pair: two exchanges must not number their trades alike.

mod config;
mod hourly;
mod mart;
mod signal;
mod store;
#[cfg(test)]
mod tests;
mod trade_watermark;
mod window;

use events::{CANDLE_MS, Event, Timestamp, Topic, Trade};

pub use config::MarketsConfig;
pub use hourly::MarketsBatch;
pub use mart::MART;

use processor::Processor;
use store::{Added, WindowStore};
use trade_watermark::TradeWatermark;

/// The stream lane: trades in, candles and signals out as the watermark passes their windows.
#[derive(Clone, Debug)]
pub struct MarketsProcessor {
    config: MarketsConfig,
    watermark: TradeWatermark,
    store: WindowStore,
    counters: Counters,
}

/// Counts of the trades that were late, duplicate or dropped.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    unusable: u64,
    duplicates: u64,
    late: u64,
    too_late: u64,
    closed_early: u64,
}

impl MarketsProcessor {
    /// A processor before its first trade.
    ///
    /// # Panics
    /// When candles are kept for less time than the averages look back.
    pub fn new(config: MarketsConfig) -> Self {
        Self {
            watermark: TradeWatermark::default(),
            store: WindowStore::new(config.clone()),
            counters: Counters::default(),
            config,
        }
    }

    /// Windows that end by then are closed; none before two trades.
    fn closed_to(&self) -> Option<Timestamp> {
        self.watermark.now().map(|now| now.plus_ms(-self.config.allowed_lateness_ms))
    }

    fn trade(&mut self, trade: &Trade, answers: &mut Vec<Event>) {
        let before = self.closed_to();
        if !is_usable(trade) {
            self.counters.unusable += 1;
            return;
        }
        for trade in self.watermark.admit(trade) {
            self.counters.add(&mut self.store, &trade, before);
        }
        let Some(closed_to) = self.closed_to() else { return };
        self.publish(closed_to, answers);
        self.store.forget(closed_to.plus_ms(-self.config.kept_ms));
        while let Some(end) = self.store.overfull() {
            self.counters.closed_early += 1;
            self.publish(end, answers);
            self.store.forget(end);
        }
    }

    /// Publishes every candle that ends by `until` and has changed since it was published.
    fn publish(&mut self, until: Timestamp, answers: &mut Vec<Event>) {
        while let Some((candle, signal)) = self.store.next_closed(until) {
            answers.push(candle.into());
            answers.extend(signal.map(Event::from));
        }
    }
}

/// Whether a trade can be part of a candle.
fn is_usable(trade: &Trade) -> bool {
    trade.price_e8 > 0 && trade.quantity_e8 > 0
}

impl Counters {
    /// Adds a trade to the store; it is late when its window ends by `closed`.
    fn add(&mut self, store: &mut WindowStore, trade: &Trade, closed: Option<Timestamp>) {
        match store.add(trade) {
            Added::Counted => {
                let end = trade.ts.floor(CANDLE_MS).plus_ms(CANDLE_MS);
                self.late += u64::from(closed.is_some_and(|closed| end <= closed));
            }
            Added::Duplicate => self.duplicates += 1,
            Added::TooLate => self.too_late += 1,
        }
    }

    fn with(&self, watermark: &TradeWatermark, store: &WindowStore) -> Vec<(&'static str, u64)> {
        vec![
            ("late trades", self.late),
            ("trades too late for their candle", self.too_late),
            ("duplicate trades", self.duplicates),
            ("trades from the future", watermark.dropped),
            ("prices or quantities of zero or less", self.unusable),
            ("candles closed early for want of room", self.closed_early),
            ("candles kept", store.len() as u64),
        ]
    }
}

impl Default for MarketsProcessor {
    fn default() -> Self {
        Self::new(MarketsConfig::default())
    }
}

impl Processor for MarketsProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::Trades]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        if let Event::Trades(trade) = event {
            self.trade(trade, answers);
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.counters.with(&self.watermark, &self.store)
    }
}
