//! The three simulated businesses: a seeded world that says on topics what real ones would.
//!
//! A simulator is an endless iterator of [`Emission`]s in the order of sending. It knows no wall
//! clock and no broker: the same seed gives the same events, byte for byte, however fast they are
//! asked for.

pub mod cards;
pub mod city;
pub mod shop;

use events::{Event, Timestamp};

/// One event, and the simulated instant at which it is sent: its own time, or later when its
/// network was slow.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// When it leaves for the broker; never decreases along the iterator.
    pub at: Timestamp,
    /// What is said.
    pub event: Event,
}
