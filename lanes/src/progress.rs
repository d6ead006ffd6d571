//! What is said of work that takes longer than a second.

use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_secs(1);

/// Tells once a second how far something has come; never of what is done within one.
pub(crate) struct Progress {
    what: String,
    /// How many there are, if that is known.
    of: u64,
    done: u64,
    told: Instant,
}

#[expect(clippy::disallowed_methods, reason = "the rim: progress is told by the wall clock")]
impl Progress {
    /// Of `of` records, about which `what` says what is done with them.
    pub(crate) fn new(what: impl Into<String>, of: u64) -> Self {
        Self { what: what.into(), of, done: 0, told: Instant::now() }
    }

    /// One more.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        // Most of the time nobody has to look at the clock.
        if self.done.is_multiple_of(1024) && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            tracing::info!(target: PROGRESS, "{}, {} of {} records", self.what, self.done, self.of);
        }
    }
}

/// The target of lines that a person wants to see without asking for them.
pub(crate) const PROGRESS: &str = "progress";
