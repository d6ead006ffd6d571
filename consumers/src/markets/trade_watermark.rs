//! How far event time has come, by the times of trades.

use events::{HOUR_MS, Timestamp, Trade};

use processor::event_time::Watermark;

/// A trade that is further ahead of all others than this, in milliseconds, needs a second trade to
/// confirm its time.
const MAX_JUMP_MS: i64 = HOUR_MS;

/// The watermark of trades. A trade that jumps ahead is held until the next one confirms or refutes
/// its time: after a quiet night it counts, and from a clock in the year 9999 it does not.
#[derive(Clone, Debug)]
pub(super) struct TradeWatermark {
    watermark: Watermark,
    held: Option<Trade>,
    /// Dropped trades, whose time no other trade confirmed.
    pub(super) dropped: u64,
}

impl Default for TradeWatermark {
    fn default() -> Self {
        Self { watermark: Watermark::confirmed_by_next_event(MAX_JUMP_MS), held: None, dropped: 0 }
    }
}

impl TradeWatermark {
    /// The watermark; none before two trades.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.watermark.now()
    }

    /// Takes a trade as it arrives, and gives the trades to count now: this one, none, or the held
    /// one and this one, which confirms it.
    pub(super) fn admit(&mut self, trade: &Trade) -> Vec<Trade> {
        let held = self.held.take();
        if held.as_ref().is_some_and(|held| is_same(held, trade)) {
            // A duplicate does not confirm itself.
            self.held = held;
            return Vec::new();
        }
        if self.now().is_none() {
            // The very first trade can't be compared with anything: the second decides.
            match &held {
                Some(first) if first.ts.since_ms(trade.ts) <= MAX_JUMP_MS => {
                    self.watermark.observe(first.ts);
                }
                first => {
                    self.dropped += u64::from(first.is_some());
                    self.held = Some(trade.clone());
                    return Vec::new();
                }
            }
        }
        let now = self.watermark.observe(trade.ts);
        let is_plausible = |trade: &Trade| trade.ts.since_ms(now) <= MAX_JUMP_MS;
        let mut believed = Vec::with_capacity(2);
        match held {
            Some(held) if is_plausible(&held) => believed.push(held),
            // The next trade did not confirm it.
            held => self.dropped += u64::from(held.is_some()),
        }
        if is_plausible(trade) {
            believed.push(trade.clone());
        } else {
            self.held = Some(trade.clone());
        }
        believed
    }

    /// At the end of the input the held trade counts: none will refute it.
    pub(super) fn finish(&mut self) -> Option<Trade> {
        let held = self.held.take()?;
        self.watermark.observe(held.ts);
        Some(held)
    }
}

fn is_same(one: &Trade, other: &Trade) -> bool {
    (&one.pair, &one.trade_id) == (&other.pair, &other.trade_id)
}
