//! A warning that comes a thousand times a second is written once a second, with a count.
//!
//! A client that sends garbage, a disk that is full or a broker that is away make the same warning
//! for every record and every connection, and a terminal that scrolls shows nothing else. Two
//! warnings are the same if they come from one place in the code and differ in numbers alone: of an
//! offset or a port, one tells as much as a thousand.
//!
//! # Simplifications
//! - Only standard error is spared: the dashboard and the supervisor of a worker compare lines
//!   themselves.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use scenarios::clock::wall_ms;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::fields::Fields;

/// The same warning is written again after so long, in milliseconds of wall-clock time.
const SAME_MS: i64 = 1_000;
/// So many different warnings are remembered: what clients send can make any number of them.
const MOST: usize = 1_000;

/// Writes events as another format does, and the same warning at most once a second.
#[derive(Debug)]
pub(crate) struct OnceASecond<F> {
    format: F,
    written: Mutex<Written>,
}

impl<F> OnceASecond<F> {
    pub(crate) fn new(format: F) -> Self {
        Self { format, written: Mutex::default() }
    }
}

impl<S, N, F> FormatEvent<S, N> for OnceASecond<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if *event.metadata().level() <= Level::WARN {
            let mut same = DefaultHasher::new();
            event.metadata().callsite().hash(&mut same);
            without_numbers(&Fields::of(event).message()).hash(&mut same);
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            match written.passed_over(same.finish(), wall_ms()) {
                None => return Ok(()),
                Some(0) => {}
                Some(passed_over) => {
                    writeln!(writer, "(and {passed_over} more like the next one since it was last written)")?;
                }
            }
        }
        self.format.format_event(context, writer, event)
    }
}

/// Words with their digits left out.
fn without_numbers(words: &str) -> String {
    words.chars().filter(|char| !char.is_ascii_digit()).collect()
}

/// When each warning was last written, and how often it has come since.
#[derive(Debug, Default)]
struct Written(HashMap<u64, (i64, u64)>);

impl Written {
    /// How many were passed over before this one, if it is to be written.
    fn passed_over(&mut self, same: u64, now_ms: i64) -> Option<u64> {
        // A clock that was set back must not silence a warning.
        let is_recent = |at_ms: i64| (at_ms..at_ms.saturating_add(SAME_MS)).contains(&now_ms);
        if let Some((_, passed_over)) = self.0.get_mut(&same).filter(|(at_ms, _)| is_recent(*at_ms)) {
            *passed_over += 1;
            return None;
        }
        if self.0.len() >= MOST {
            self.0.retain(|_, (at_ms, _)| is_recent(*at_ms));
        }
        let before = if self.0.len() < MOST { self.0.insert(same, (now_ms, 0)) } else { None };
        Some(before.map_or(0, |(_, passed_over)| passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_warning_is_written_once_a_second_with_a_count() {
        let mut written = Written::default();
        let mut told = Vec::new();
        for now_ms in (0..3_000).step_by(2) {
            told.extend(written.passed_over(7, now_ms));
            if now_ms == 500 {
                assert_eq!(written.passed_over(8, now_ms), Some(0), "another one is not held up");
            }
        }
        assert_eq!(told, [0, 499, 499]);
        assert_eq!(written.passed_over(7, 1_000), Some(499), "a clock that was set back silences nothing");
    }

    #[test]
    fn numbers_make_no_other_warning() {
        assert_eq!(
            without_numbers("card_swipes/0@17: not JSON"),
            without_numbers("card_swipes/3@9001: not JSON")
        );
        assert_ne!(without_numbers("a: not JSON"), without_numbers("b: not JSON"));
    }

    #[test]
    fn any_number_of_warnings_costs_no_memory() {
        let mut written = Written::default();
        for same in 0..100_000 {
            assert_eq!(written.passed_over(same, (same / 10_000) as i64), Some(0));
        }
        assert!(written.0.len() <= MOST);
        assert_eq!(written.passed_over(1, 10_000), Some(0));
        assert_eq!(written.0.len(), 1, "those of long ago are forgotten");
    }
}
