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

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

pub mod compare;
mod event_time;
mod id;
mod lines;
mod part;
mod payments;
mod resample;
mod ride_replay;
mod rides;
mod send_time;
mod shop;
mod table;

use events::{Business, Event, HOUR_MS, Timestamp};

pub use event_time::{BillRecord, EventTimeBill, JobProgress};
pub use lines::{Figure, Line, Measure, Verdict, money, plain_tick, signed};
pub use part::{Breakdown, BusinessBill, Lane, Part, Terms};
pub use payments::{DEADLINE_MS, MONEY_CENTS, PAYMENTS, PaymentLane, PaymentsBill};
pub use resample::REPLICATES;
pub use ride_replay::{AnswerReplay, DeterministicRideReplay, LiveVsReplay};
pub use rides::{ETA_ERROR_MIN, RIDES, RideLane, RidesBill, WRONG_TEXTS_PERCENT};
pub use send_time::{SEND_TIME_HEADER, SimulatedSendTime};
pub use shop::{MISSED_CLICKS_PERCENT, MISSED_CLICKS_STALE_PERCENT, SHOP, ShopBill, ShopLane};
pub use table::Table;

/// How long a case waits for the batch lane's answer: it comes with the run after it, so two
/// periods of an hour and some.
pub const PATIENCE_MS: i64 = 3 * HOUR_MS;

/// From when on a show that begins at `start` is billed: from the end of its first period, before
/// which no batch job has had a chance to run. A real one would have run the day before, and the
/// stream's models come with a history, so to count that time would be to bill the batch lane for
/// not having run yet. The bill waits for an hour of event time at most: a person who turns the
/// dial to a day wants to see what a day costs.
pub fn judged_from(start: Timestamp, period_ms: i64) -> Timestamp {
    let period_ms = period_ms.clamp(1, HOUR_MS);
    start.floor(period_ms).plus_ms(period_ms)
}

/// Which business an event of a log belongs to; none for an answer, which the lanes give again.
pub fn business_of(event: &Event) -> Option<Business> {
    if event.topic().role().is_simulated() { event.business() } else { None }
}

/// Both lanes of several businesses.
#[derive(Debug)]
pub struct Bill {
    parts: Vec<(&'static Part, Box<dyn BusinessBill>)>,
}

impl Bill {
    /// An empty bill of these businesses, judged by these terms.
    pub fn new(parts: &[&'static Part], terms: &Terms) -> Self {
        Self { parts: parts.iter().map(|&part| (part, (part.new)(terms))).collect() }
    }

    /// The businesses, in order, each with what was judged of it.
    pub fn parts(&self) -> impl Iterator<Item = (&'static Part, &dyn BusinessBill)> {
        self.parts.iter().map(|(part, bill)| (*part, bill.as_ref()))
    }

    /// Takes a record that anyone could have seen from the simulated instant `seen` on, and that
    /// the broker stamped `wall_ms`.
    pub fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64) {
        for (_, bill) in &mut self.parts {
            bill.observe(event, seen, wall_ms);
        }
    }

    /// Judges every case up to `until`: all that was published by then has been observed.
    pub fn settle(&mut self, until: Timestamp) {
        self.settle_each(|_| Some(until));
    }

    /// Judges every case of each business up to an instant of its own, or none of it.
    fn settle_each(&mut self, until: impl Fn(&Part) -> Option<Timestamp>) {
        for (part, bill) in &mut self.parts {
            if let Some(until) = until(part) {
                bill.settle(until);
            }
        }
    }

    /// Every line that has a case.
    pub fn lines(&self) -> Vec<Line> {
        self.parts.iter().flat_map(|(_, bill)| bill.lines()).collect()
    }
}

#[cfg(test)]
mod tests;
