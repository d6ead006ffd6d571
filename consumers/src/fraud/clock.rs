//! What time it is, as far as swipes can be trusted to tell.

use events::DAY_MS;

/// How far one swipe may move the clock on its own word.
const TRUSTED_JUMP_MS: i64 = DAY_MS;

/// Event time as the stream knows it: the latest `ts`, except that a leap of more than a day needs
/// two swipes in a row to say so. One terminal with a clock in the year 9999 would otherwise mature
/// every label at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    now_ms: Option<i64>,
    claimed_ms: Option<i64>,
}

impl Clock {
    /// Hears what one more swipe claims, and says what time it is.
    pub(super) fn hear(&mut self, at_ms: i64) -> i64 {
        let now = match (self.now_ms, self.claimed_ms) {
            (None, _) => at_ms,
            (Some(now), _) if at_ms <= now.saturating_add(TRUSTED_JUMP_MS) => now.max(at_ms),
            (Some(now), Some(claimed)) if claimed > now.saturating_add(TRUSTED_JUMP_MS) => claimed.min(at_ms),
            (Some(now), _) => now,
        };
        self.claimed_ms = Some(at_ms);
        self.now_ms = Some(now);
        now
    }

    /// What time it was at the last swipe.
    pub(super) fn now_ms(&self) -> Option<i64> {
        self.now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_clock_moves_nothing_and_two_in_a_row_are_believed() {
        let mut clock = Clock::default();
        assert_eq!(clock.hear(1_000), 1_000);
        assert_eq!(clock.hear(2_000), 2_000);
        assert_eq!(clock.hear(1_500), 2_000, "a late swipe does not turn it back");
        assert_eq!(clock.hear(900 * DAY_MS), 2_000, "one may be wrong");
        assert_eq!(clock.hear(3_000), 3_000);
        assert_eq!(clock.hear(10 * DAY_MS), 3_000, "a quiet stream, first swipe after the gap");
        assert_eq!(clock.hear(10 * DAY_MS + 5), 10 * DAY_MS, "and the second");
    }
}
