//! The bill of being late: what each lane could have answered at a moment, against what truly
//! happened.
//!
//! At every moment the answer that a lane could have given is what its user would have seen. For
//! the stream that is the newest answer published by then; for the batch lane the newest answer of
//! a run that had finished by then. Both are held against
//! [`SimulationTruth`](events::SimulationTruth), which no consumer reads, and reported in the
//! business's own unit with the number of cases.
//!
//! The bill is pure: records go in with the simulated instant at which anyone could have seen them,
//! in whatever order the topics happened to be read; [`Bill::settle`] judges every case older than
//! a given instant, when all that was said before it has surely been read.
//!
//! # Simplifications
//! - A case is judged once. A batch answer that comes later than [`PATIENCE_MS`] after its case
//!   counts as never given.
//! - Money is what was approved to fraudsters plus what declined honest customers cost, by the
//!   parameters of the processor.

pub mod compare;
mod event_time;
mod id;
mod lines;
mod payments;
mod resample;
mod ride_replay;
mod rides;
mod send_time;
mod shop;
mod table;

use events::{Event, HOUR_MS, Timestamp};

pub use event_time::{BillRecord, EventTimeBill, JobProgress};
pub use lines::{Figure, Line, Measure, Verdict, money};
pub use payments::{PaymentLane, PaymentsBill};
pub use resample::REPLICATES;
pub use ride_replay::{DeterministicRideReplay, LiveVsReplay};
pub use rides::{RideLane, RidesBill};
pub use send_time::{SEND_TIME_HEADER, SimulatedSendTime};
pub use shop::{ShopBill, ShopLane};
pub use table::Table;

/// How long a case waits for the batch lane's answer: it comes with the run after it, so two
/// periods of an hour and some.
pub const PATIENCE_MS: i64 = 3 * HOUR_MS;

/// From when on a show that begins at `start` is billed: from the end of its first period, before
/// which no batch job has had a chance to run. A real one would have run the day before, and the
/// stream's learners come with a past, so to count that time would be to bill the batch lane for
/// having just been born. Nobody waits for longer than an hour of event time: whoever turns the
/// dial to a day wants to see what a day costs.
pub fn judged_from(start: Timestamp, period_ms: i64) -> Timestamp {
    let period_ms = period_ms.clamp(1, HOUR_MS);
    start.floor(period_ms).plus_ms(period_ms)
}

/// Both lanes of the three businesses.
#[derive(Debug)]
pub struct Bill {
    /// Minutes of ETA error, and texts.
    pub rides: RidesBill,
    /// Money.
    pub payments: PaymentsBill,
    /// Missed clicks.
    pub shop: ShopBill,
}

impl Bill {
    /// An empty bill. A verdict that took longer than `deadline_ms` on the wall came after the
    /// terminal had given up.
    pub fn new(deadline_ms: i64) -> Self {
        Self::from(deadline_ms, Timestamp::MIN)
    }

    /// One that judges only what happens from `judged_from` on; what was before is how things were
    /// found.
    pub fn from(deadline_ms: i64, judged_from: Timestamp) -> Self {
        Self {
            rides: RidesBill::new(judged_from),
            payments: PaymentsBill::new(deadline_ms, judged_from),
            shop: ShopBill::new(judged_from),
        }
    }

    /// Takes a record that anyone could have seen from the simulated instant `seen` on, and that
    /// the broker stamped `wall_ms`.
    pub fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64) {
        self.rides.observe(event, seen);
        self.payments.observe(event, seen, wall_ms);
        self.shop.observe(event, seen);
    }

    /// Judges every case up to `until`: all that was published by then has been observed.
    pub fn settle(&mut self, until: Timestamp) {
        self.rides.settle(until);
        self.payments.settle(until);
        self.shop.settle(until);
    }
}

#[cfg(test)]
mod tests;
