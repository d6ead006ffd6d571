//! The time that counts fade by.

use events::{DAY_MS, HOUR_MS};

/// Follows the newest event, but by an hour an event at most, so that one event from the year 9999
/// doesn't make everything before it worthless. After a long silence it takes a few events to catch
/// up. The first event is believed, until the second comes from more than a day before it: then the
/// second is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    now_ms: Option<i64>,
    /// Whether there was one event only.
    unsure: bool,
}

impl Clock {
    /// Takes the time of an event that has arrived; returns the time it is now.
    pub(super) fn advance(&mut self, at_ms: i64) -> i64 {
        let now_ms = match self.now_ms {
            Some(now_ms) if !self.contradicts(at_ms) => now_ms.max(at_ms.min(now_ms.saturating_add(HOUR_MS))),
            _ => at_ms,
        };
        self.unsure = self.now_ms.is_none();
        self.now_ms = Some(now_ms);
        now_ms
    }

    /// Whether an event of this time shows that the only one before it had an absurd time.
    pub(super) fn contradicts(self, at_ms: i64) -> bool {
        self.unsure && self.now_ms.is_some_and(|now_ms| now_ms.saturating_sub(at_ms) > DAY_MS)
    }

    /// The time, once there was an event.
    pub(super) fn now_ms(self) -> Option<i64> {
        self.now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_and_no_event_alone_carries_it_away() {
        let mut clock = Clock::default();
        assert_eq!(clock.advance(1_000), 1_000);
        assert_eq!(clock.advance(500), 1_000);
        assert_eq!(clock.advance(i64::MAX), 1_000 + HOUR_MS);
        assert_eq!(clock.advance(i64::MIN), 1_000 + HOUR_MS);
        assert_eq!(
            (0..24).map(|_| clock.advance(24 * HOUR_MS)).last(),
            Some(24 * HOUR_MS),
            "a silent day is caught up"
        );
    }

    #[test]
    fn a_first_event_from_the_year_9999_is_not_believed_for_long() {
        let mut clock = Clock::default();
        assert_eq!(clock.advance(i64::MAX), i64::MAX);
        assert_eq!(clock.advance(1_000), 1_000);
        assert_eq!(clock.advance(-2 * DAY_MS), 1_000, "the third is late, and no more than that");
    }
}
