//! How far event time has come, by the times of trades.

use events::{HOUR_MS, Timestamp, Trade};

use processor::event_time::Watermark;

/// A trade that is further ahead of all others than this, in milliseconds, needs others to confirm
/// its time.
const MAX_JUMP_MS: i64 = HOUR_MS;
/// So many trades of one exchange in a row confirm each other; of two exchanges, one of each.
const ENOUGH: usize = 16;

/// The watermark of trades.
///
/// A trade that jumps ahead is held until others confirm or refute its time: one of another
/// exchange, or many in a row, and no trade near the watermark between them. After a quiet night
/// they count. A producer whose clock is wrong, or who sends the trades of today into a market of
/// last March, stops none of the others.
///
/// # Simplifications
/// - A wrong clock that sends [`ENOUGH`] trades with none of another producer between them is
///   believed.
#[derive(Clone, Debug)]
pub(super) struct TradeWatermark {
    watermark: Watermark,
    /// Trades that jump ahead, in their order of arrival.
    held: Vec<Trade>,
    /// Dropped trades, whose time no other trade confirmed.
    pub(super) dropped: u64,
}

impl Default for TradeWatermark {
    fn default() -> Self {
        Self { watermark: Watermark::confirmed_by_next_event(MAX_JUMP_MS), held: Vec::new(), dropped: 0 }
    }
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
        let Some(now) = self.now() else { return self.admit_first(trade) };
        if !jumps(trade, now) {
            self.dropped += self.held.len() as u64;
            self.held.clear();
            self.watermark.observe(trade.ts);
            return vec![trade.clone()];
        }
        let confirms = |held: &&Trade| {
            held.exchange != trade.exchange && held.ts.since_ms(trade.ts).abs() <= MAX_JUMP_MS
        };
        let confirmed = self.held.iter().find(confirms).map(|held| held.ts.min(trade.ts));
        self.held.push(trade.clone());
        match confirmed {
            Some(to) => self.jump(to),
            None if self.held.len() >= ENOUGH => {
                let mut times: Vec<Timestamp> = self.held.iter().map(|held| held.ts).collect();
                times.sort_unstable();
                self.jump(times[times.len() / 2])
            }
            None => Vec::new(),
        }
    }

    /// The very first trade can't be compared with anything: the second decides.
    fn admit_first(&mut self, trade: &Trade) -> Vec<Trade> {
        let Some(first) = self.held.pop() else {
            self.held.push(trade.clone());
            return Vec::new();
        };
        if jumps(&first, trade.ts) {
            self.dropped += 1;
            self.held.push(trade.clone());
            return Vec::new();
        }
        self.watermark.observe(first.ts);
        let mut believed = vec![first];
        believed.extend(self.admit(trade));
        believed
    }

    /// The watermark jumps; gives the held trades that are near it now.
    fn jump(&mut self, to: Timestamp) -> Vec<Trade> {
        // The second of two in a row confirms the first.
        self.watermark.observe(to);
        let now = self.watermark.observe(to);
        assert!(now >= to, "a confirmed jump to {to} leaves the watermark at {now}");
        let (beyond, believed): (Vec<Trade>, Vec<Trade>) =
            std::mem::take(&mut self.held).into_iter().partition(|held| jumps(held, now));
        self.held = beyond;
        for held in &believed {
            self.watermark.observe(held.ts);
        }
        believed
    }

    /// At the end of the input the held trades count: none will refute them.
    pub(super) fn finish(&mut self) -> Vec<Trade> {
        let held = std::mem::take(&mut self.held);
        for trade in &held {
            self.watermark.observe(trade.ts);
        }
        held
    }
}

/// Whether a trade is further ahead of the watermark than one trade alone may carry it.
fn jumps(trade: &Trade, now: Timestamp) -> bool {
    trade.ts.since_ms(now) > MAX_JUMP_MS
}

fn is_same(one: &Trade, other: &Trade) -> bool {
    (&one.pair, &one.trade_id) == (&other.pair, &other.trade_id)
}
