//! The batch lane: the same candles and signals, computed once an hour.
//!
//! A job reads the trades of the period that has ended, adds them to its windows and publishes
//! every candle that has changed: an upsert, like an hourly `INSERT … ON CONFLICT DO UPDATE`.
//! Trades that miss the run of their own period change its candles with the next run.
//!
//! The job has no allowed lateness: almost all trades of an hour have arrived when the hour is
//! over. So its candles are seldom revised, and up to an hour old.
//!
//! # Simplifications
//! - A minute across the end of a period belongs to the next one, also at the end of the input.

use events::{Batched, Event, HOUR_MS, Timestamp, Topic, Trade};

use super::store::WindowStore;
use super::trade_watermark::TradeWatermark;
use super::{Counters, MarketsConfig, is_usable};
use processor::Processor;

/// The batch lane: trades in, candles and signals out at the end of each period.
#[derive(Clone, Debug)]
pub struct MarketsBatch {
    config: MarketsConfig,
    period_ms: i64,
    watermark: TradeWatermark,
    store: WindowStore,
    counters: Counters,
    /// The time of the newest trade.
    newest: Option<Timestamp>,
    /// The end of the current period; none before the first trade.
    end: Option<Timestamp>,
    /// The end of the period of the last run.
    ran_to: Option<Timestamp>,
}

impl MarketsBatch {
    /// A job that runs every `period_ms` milliseconds of event time, aligned to midnight UTC.
    ///
    /// # Panics
    /// When the period has no length, or as
    /// [`MarketsProcessor::new`](super::MarketsProcessor::new).
    pub fn new(config: MarketsConfig, period_ms: i64) -> Self {
        assert!(period_ms > 0, "a period has a length: {period_ms} ms");
        Self {
            period_ms,
            watermark: TradeWatermark::default(),
            store: WindowStore::new(config.clone()),
            counters: Counters::default(),
            newest: None,
            end: None,
            ran_to: None,
            config,
        }
    }

    /// The end of the period to which arriving trades belong: never one that has run.
    fn period_end(&self) -> Option<Timestamp> {
        let now = self.newest.max(self.ran_to)?;
        Some(now.floor(self.period_ms).plus_ms(self.period_ms))
    }

    /// Adds a trade of plausible time, and runs the period that it ends. The order of the two does
    /// not matter, since the trade's minute belongs to a later period.
    fn add(&mut self, trade: &Trade, answers: &mut Vec<Event>) {
        self.counters.add(&mut self.store, trade, self.ran_to);
        while let Some(oldest) = self.store.overfull() {
            self.counters.closed_early += 1;
            self.publish(oldest, answers);
            self.store.forget(oldest);
        }
        self.newest = self.newest.max(Some(trade.ts));
        if let Some(end) = self.end.filter(|end| self.newest >= Some(*end)) {
            self.run(end, answers);
        }
        self.end = self.end.or_else(|| self.period_end());
    }

    /// Runs the job for the period that ends at `end`.
    fn run(&mut self, end: Timestamp, answers: &mut Vec<Event>) {
        self.publish(end, answers);
        self.store.forget(end.plus_ms(-self.config.kept_ms));
        self.ran_to = Some(end);
        self.end = None;
    }

    /// Publishes the candles that end by `until`, as the run of the current period.
    fn publish(&mut self, until: Timestamp, answers: &mut Vec<Event>) {
        let valid_from = self.end.unwrap_or(until);
        while let Some((candle, signal)) = self.store.next_closed(until) {
            answers.push(Batched::as_of(candle, valid_from).into());
            answers.extend(signal.map(|signal| Batched::as_of(signal, valid_from).into()));
        }
    }
}

impl Default for MarketsBatch {
    fn default() -> Self {
        Self::new(MarketsConfig::default(), HOUR_MS)
    }
}

impl Processor for MarketsBatch {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::Trades]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let Event::Trades(trade) = event else { return };
        if !is_usable(trade) {
            self.counters.unusable += 1;
            return;
        }
        for trade in self.watermark.admit(trade) {
            self.add(&trade, answers);
        }
    }

    fn finish(&mut self, answers: &mut Vec<Event>) {
        for trade in self.watermark.finish() {
            self.add(&trade, answers);
        }
        if let Some(end) = self.end {
            self.run(end, answers);
        }
    }

    fn set_period_ms(&mut self, period_ms: i64) {
        self.period_ms = period_ms.max(1);
        // The collected trades stay, until the end of a period of the new length.
        self.end = self.end.and_then(|_| self.period_end());
    }

    fn fork(&self) -> Option<Box<dyn Processor>> {
        Some(Box::new(self.clone()))
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.counters.with(&self.watermark, &self.store)
    }
}
