//! What time it is, when all that one has is what others say.
//!
//! Event time is the newest instant that anybody has spoken of. One broken phone that says "the
//! year 9999" must not end every trip, so a leap counts only when a second voice confirms it before
//! anybody contradicts: the ping of another driver, or a trip's own event.

use events::Timestamp;

/// The event time that the voices agree on.
#[derive(Clone, Debug)]
pub(crate) struct StreamClock {
    leap_ms: i64,
    now: Option<Timestamp>,
    /// A leap that one voice has claimed: who, and to when.
    claimed: Option<(u64, Timestamp)>,
}

/// What the clock makes of a time that it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// About now, or earlier.
    Plausible,
    /// Far ahead of everybody else.
    Leap,
}

impl StreamClock {
    /// A clock that wants a second voice for a leap of more than `leap_ms` either way.
    pub(crate) fn new(leap_ms: i64) -> Self {
        Self { leap_ms, now: None, claimed: None }
    }

    /// The newest instant agreed on.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// Hears `voice` (a number that tells one speaker from another) say that it is `at`.
    pub(crate) fn hear(&mut self, voice: u64, at: Timestamp) -> Heard {
        let Some(now) = self.now else {
            self.now = Some(at);
            return Heard::Plausible;
        };
        let ahead_ms = at.since_ms(now);
        if ahead_ms.abs() <= self.leap_ms {
            self.now = Some(now.max(at));
            // Somebody still says that it is now: whoever claimed otherwise is alone.
            self.claimed = None;
            return Heard::Plausible;
        }
        match self.claimed {
            Some((other, claimed)) if other != voice && at.since_ms(claimed).abs() <= self.leap_ms => {
                self.now = Some(claimed.max(at));
                self.claimed = None;
                Heard::Plausible
            }
            _ => {
                self.claimed = Some((voice, at));
                if ahead_ms > 0 { Heard::Leap } else { Heard::Plausible }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    #[test]
    fn one_voice_alone_does_not_move_it_far() {
        let mut clock = StreamClock::new(600_000);
        assert_eq!(clock.hear(1, at(0)), Heard::Plausible);
        assert_eq!(clock.hear(2, at(1)), Heard::Plausible);
        assert_eq!(clock.hear(3, Timestamp::MAX), Heard::Leap);
        assert_eq!(clock.hear(3, Timestamp::MAX), Heard::Leap);
        assert_eq!(clock.now(), Some(at(1)));
        assert_eq!(clock.hear(1, at(2)), Heard::Plausible);
        assert_eq!(clock.now(), Some(at(2)));
        assert_eq!(
            clock.hear(4, Timestamp::MAX),
            Heard::Leap,
            "two broken clocks, but others speak between them"
        );
        assert_eq!(clock.now(), Some(at(2)));
    }

    #[test]
    fn two_voices_do_forwards_and_backwards() {
        let mut clock = StreamClock::new(600_000);
        clock.hear(1, Timestamp::MAX);
        clock.hear(2, at(0));
        clock.hear(3, at(0));
        assert_eq!(clock.now(), Some(at(0)));
        assert_eq!(clock.hear(1, at(500)), Heard::Leap);
        assert_eq!(clock.hear(2, at(501)), Heard::Plausible);
        assert_eq!(clock.now(), Some(at(501)));
    }
}
