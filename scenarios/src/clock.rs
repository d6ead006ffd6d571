//! The two clocks of a show: wall-clock time, and simulated time, which runs faster.
//!
//! Every process of a show is given the same three numbers (wall-clock time at the start, simulated
//! time at the start, and the speed), so that all agree on the time without communication.

use std::time::{SystemTime, UNIX_EPOCH};

pub use lanes::SimulatedClock;

/// Wall-clock time now, in milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the edge: this is where its processes read wall-clock time")]
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
