//! How simulated time runs against wall-clock time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::Timestamp;

/// Simulated time: it was `start` at `started_wall_ms`, and runs `speed` times faster than the
/// wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulatedClock {
    /// The wall clock at the start, in milliseconds since the Unix epoch.
    pub started_wall_ms: i64,
    /// The simulated instant at the start.
    pub start: Timestamp,
    /// Simulated seconds a second; more than zero.
    pub speed: f64,
}

impl SimulatedClock {
    /// The simulated instant at `wall_ms`.
    pub fn simulated(&self, wall_ms: i64) -> Timestamp {
        self.start.plus_ms(((wall_ms - self.started_wall_ms) as f64 * self.speed) as i64)
    }

    /// The wall-clock time when it is `at`, in milliseconds since the Unix epoch.
    pub fn wall_ms_at(&self, at: Timestamp) -> i64 {
        self.started_wall_ms + (at.since_ms(self.start) as f64 / self.speed) as i64
    }

    /// How long from `wall_ms` until it is `at`; zero when it already was.
    pub fn until(&self, at: Timestamp, wall_ms: i64) -> Duration {
        let left_ms = (at.since_ms(self.simulated(wall_ms)) as f64 / self.speed).ceil();
        // A day is longer than any single wait, and an infinite wait would overflow.
        Duration::from_millis(left_ms.clamp(0.0, 86_400_000.0) as u64)
    }
}

/// Wall-clock time, in milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the edge: the one place where the lanes read the wall clock")]
pub(crate) fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_a_minute_at_sixty_times_the_speed() {
        let clock = SimulatedClock { started_wall_ms: 1_000, start: Timestamp::from_ms(0), speed: 60.0 };
        assert_eq!(clock.simulated(61_000).ms(), 3_600_000);
        assert_eq!(clock.wall_ms_at(Timestamp::from_ms(3_600_000)), 61_000);
        assert_eq!(clock.until(Timestamp::from_ms(3_600_000), 1_000), Duration::from_mins(1));
        assert_eq!(clock.until(Timestamp::from_ms(3_600_000), 70_000), Duration::ZERO);
        assert!(clock.until(Timestamp::MAX, 1_000) <= Duration::from_hours(24));
    }
}
