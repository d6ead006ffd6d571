//! The bill of being late: what each lane could have answered at a moment, against what truly
//! happened.
//!
//! At every moment the answer that a lane could have given is what its user would have seen. For
//! the stream that is the newest answer published by then; for the batch lane the newest answer of
//! a run that had finished by then. Both are held against
//! [`SimulationTruth`](events::SimulationTruth), which no consumer reads, and reported in the
//! business's own unit with the number of cases.
//!
//! The bill is pure: it takes records, in any order of reading, with the simulated instant at which
//! they became visible; [`Bill::settle`] judges every case older than a given instant, when all
//! records from before it have been read.
//!
//! # Simplifications
//! - A case is judged once. A batch answer that comes later than [`PATIENCE_MS`] after its case
//!   counts as never given.
//! - Money is what was approved to fraudsters plus what declined honest customers cost, by the
//!   parameters of the processor.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod arrivals;
mod bill;
pub mod compare;
mod event_time;
mod id;
mod lines;
mod markets;
mod part;
mod payments;
mod resample;
mod ride_replay;
mod rides;
mod send_time;
mod shop;
mod verdict;

pub use bill::{Bill, judged_from};
pub use event_time::{BillRecord, EventTimeBill, JobProgress};
pub use lines::{Figure, Line, Measure, plain_tick, signed};
pub use markets::{MARK_OUT_CENTS, MARKETS, MarketLane, MarketsBill, PRICE_MOVE_BP};
pub use part::{Breakdown, BusinessBill, Lane, PATIENCE_MS, Part, Terms, business_of};
pub use payments::{DEADLINE_MS, MONEY_CENTS, PAYMENTS, PaymentLane, PaymentsBill};
pub use resample::REPLICATES;
pub use ride_replay::{AnswerReplay, DeterministicRideReplay, LiveVsReplay};
pub use rides::{ETA_ERROR_MIN, RIDES, RideLane, RidesBill, WRONG_TEXTS_PERCENT};
pub use send_time::{LogPosition, SEND_TIME_HEADER, SimulatedSendTime};
pub use shop::{MISSED_CLICKS_PERCENT, MISSED_CLICKS_STALE_PERCENT, SHOP, ShopBill, ShopLane};
pub use verdict::{LaneVerdict, Margin};

#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;
