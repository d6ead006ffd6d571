//! What a simulator says, and when it says it.

use events::{Event, Timestamp};

/// One event, and the simulated instant at which it is sent: its own time, or later when its
/// network was slow.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// When it leaves for the broker; never decreases along the iterator.
    pub at: Timestamp,
    /// The event.
    pub event: Event,
}
