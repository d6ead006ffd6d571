//! How far event time has come, by the times of trades.

use events::{HOUR_MS, Timestamp, Trade};

use processor::bounded::fingerprint;
use processor::event_time::{IN_A_ROW, Plausibility, Watermark};

/// A trade that is further ahead of all others than this, in milliseconds, needs others to confirm
/// its time.
const MAX_JUMP_MS: i64 = HOUR_MS;

/// The watermark of trades. The exchange is the source of a trade.
///
/// A trade that jumps ahead is held until others confirm or refute its time: after a quiet night it
/// counts, and from a clock in the year 9999 it does not. Nor does the trade of today that somebody
/// sends into a simulated market of last March.
#[derive(Clone, Debug)]
pub(super) struct TradeWatermark {
    watermark: Watermark,
    /// Trades that jump ahead, in their order of arrival; fewer than [`IN_A_ROW`].
    held: Vec<Trade>,
    /// Dropped trades, whose time no other trade confirmed.
    pub(super) dropped: u64,
}

impl Default for TradeWatermark {
    fn default() -> Self {
        let watermark = Watermark::confirmed_by_other_source_or_run(MAX_JUMP_MS);
        Self { watermark, held: Vec::new(), dropped: 0 }
    }
}

/// The source of a trade's time.
fn exchange_of(trade: &Trade) -> u64 {
    fingerprint(&trade.exchange)
}

impl TradeWatermark {
    /// The watermark; none before two trades.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.watermark.now()
    }

    /// Takes a trade as it arrives, and gives the trades to count now: this one, none, or those
    /// that were held and are confirmed by it.
    pub(super) fn admit(&mut self, trade: &Trade) -> Vec<Trade> {
        if self.held.iter().any(|held| is_same(held, trade)) {
            // A duplicate does not confirm itself.
            return Vec::new();
        }
        if self.now().is_none() {
            return self.admit_first(trade);
        }
        match self.watermark.observe_from(exchange_of(trade), trade.ts) {
            Plausibility::Plausible => self.release(trade),
            Plausibility::UnconfirmedJump => self.hold(trade),
        }
    }

    /// The very first trade can't be compared with anything: the second decides.
    fn admit_first(&mut self, trade: &Trade) -> Vec<Trade> {
        match self.held.pop() {
            Some(first) if !jumps(&first, trade.ts) => {
                self.watermark.observe_from(exchange_of(&first), first.ts);
                let mut admitted = vec![first];
                admitted.extend(self.admit(trade));
                admitted
            }
            first => {
                self.dropped += u64::from(first.is_some());
                self.hold(trade)
            }
        }
    }

    fn hold(&mut self, trade: &Trade) -> Vec<Trade> {
        // Times that do not agree are no run, however many they are.
        if self.held.len() + 1 == IN_A_ROW as usize {
            self.held.remove(0);
            self.dropped += 1;
        }
        self.held.push(trade.clone());
        Vec::new()
    }

    /// A trade is plausible; those that were held before it are so by now, or will never be.
    fn release(&mut self, trade: &Trade) -> Vec<Trade> {
        let now = self.watermark.now().unwrap_or(trade.ts);
        let held = self.held.len();
        let mut released = std::mem::take(&mut self.held);
        released.retain(|held| !jumps(held, now));
        self.dropped += (held - released.len()) as u64;
        released.push(trade.clone());
        released
    }

    /// At the end of the input the held trades count: none will refute them.
    pub(super) fn finish(&mut self) -> Vec<Trade> {
        std::mem::take(&mut self.held)
    }
}

/// Whether a trade is further ahead of the watermark than one trade alone may carry it.
fn jumps(trade: &Trade, now: Timestamp) -> bool {
    trade.ts.since_ms(now) > MAX_JUMP_MS
}

fn is_same(one: &Trade, other: &Trade) -> bool {
    (&one.pair, &one.trade_id) == (&other.pair, &other.trade_id)
}
