//! The two clocks of a show: the wall's, and simulated time, which runs faster.
//!
//! Every process of a show is given the same three numbers (what the wall showed at the start, what
//! simulated time was then, and the speed), so that all agree on what time it is without talking.

use std::time::{SystemTime, UNIX_EPOCH};

pub use lanes::Clock;

/// What the wall shows now, in milliseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary is the rim: this is where its processes read the wall"
)]
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
