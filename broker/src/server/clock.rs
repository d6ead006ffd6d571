//! The time, and numbers that don't repeat: all the rest of the broker gets both as arguments.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A clock that shows milliseconds since 1970 and never goes back: the machine's at the start, and
/// from then on how long this program has run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    started_at_ms: i64,
    started: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge: here the broker learns the time")]
    pub(super) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_at_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Self { started_at_ms, started: Instant::now() }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.started_at_ms.saturating_add(self.started.elapsed().as_millis() as i64)
    }

    /// When the clock will show `at_ms`, or in an hour if that is later, so that no mistake makes a
    /// sleep endless.
    pub(super) fn instant(&self, at_ms: i64) -> Instant {
        let after_start = at_ms.saturating_sub(self.started_at_ms).max(0) as u64;
        let in_an_hour = self.started.elapsed() + Duration::from_hours(1);
        self.started + Duration::from_millis(after_start).min(in_an_hour)
    }
}

/// A number from the operating system's randomness, by way of the seeds of Rust's hash maps.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
