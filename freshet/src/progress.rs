//! What a person is told while a command works: how far it is, on one line of a terminal, or now
//! and then as a line of a file. A command that takes less than a second says nothing.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use crate::output::width_of;

/// A terminal shows each second; a file gets every fifth.
const IN_A_FILE: u64 = 5;

/// The line on standard error that says how far a command is.
pub(crate) struct ProgressLine {
    began: Instant,
    terminal: bool,
    /// How many seconds have been told.
    told_s: u64,
}

#[expect(clippy::disallowed_methods, reason = "the edge: a person waits in wall-clock time")]
impl ProgressLine {
    /// A line of which nothing is written yet.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), terminal: io::stderr().is_terminal(), told_s: 0 }
    }

    /// How long the command has worked, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Writes `words`, if a second has gone by since it wrote last.
    pub(crate) fn tell(&mut self, words: impl FnOnce() -> String) {
        let seconds = self.began.elapsed().as_secs();
        if seconds <= self.told_s {
            return;
        }
        let is_due = seconds / IN_A_FILE > self.told_s / IN_A_FILE;
        self.told_s = seconds;
        if self.terminal {
            // A line that wraps is not cleared by the next one.
            let words = words();
            let words = text::escape(&words);
            let line = text::fit(&words, width_of(io::stderr()) - 1);
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        } else if is_due {
            say!("{}", words());
        }
    }

    /// Writes words that stay, above the line.
    pub(crate) fn keep(&mut self, words: &str) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
        say!("{words}");
    }
}

impl Drop for ProgressLine {
    /// A terminal's line is gone when the command has ended.
    fn drop(&mut self) {
        if self.terminal && self.told_s > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// About how many seconds the rest takes, when `part` of the work (0 to 1) took `took_s`; none at
/// the beginning, where it would be a guess.
pub(crate) fn left_s(part: f64, took_s: f64) -> Option<u64> {
    (part >= 0.05).then(|| (took_s * (1.0 - part) / part).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_no_guess() {
        assert_eq!(left_s(0.04, 10.0), None);
        assert_eq!(left_s(0.25, 10.0), Some(30));
        assert_eq!(left_s(1.0, 10.0), Some(0));
    }
}
