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
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use scenarios::clock::wall_ms;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

use crate::fields::Fields;

/// The same warning is written again after so long, in milliseconds of wall-clock time.
const SAME_MS: i64 = 1_000;
/// So many different warnings are remembered: what clients send can make any number of them.
const MOST: usize = 1_000;

/// Lets a warning through at most once a second.
#[derive(Debug, Default)]
pub(crate) struct OnceASecond(Mutex<Written>);

impl<S: Subscriber> Filter<S> for OnceASecond {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if *event.metadata().level() > Level::WARN {
            return true;
        }
        let mut same = DefaultHasher::new();
        event.metadata().callsite().hash(&mut same);
        without_numbers(&Fields::of(event).message()).hash(&mut same);
        let passed_over = {
            let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            written.passed_over(same.finish(), wall_ms())
        };
        if let Some(passed_over) = passed_over.filter(|passed_over| *passed_over > 0) {
            say!("(and {passed_over} more like the next one since it was last written)");
        }
        passed_over.is_some()
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
