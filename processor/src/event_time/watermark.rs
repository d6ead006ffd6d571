//! How far event time has come.
//!
//! A *watermark* is a processor's assumption that no event from before it is still to come (Akidau
//! and others, "MillWheel", VLDB 2013; "The Dataflow Model", VLDB 2015). From a log in which any
//! producer may write any time, it can only be a guess: here it is the newest event time that was
//! seen and is plausible. Kafka Streams calls the same *stream time*; it is Flink's watermark with
//! a bound of zero on how far events are out of order.
//!
//! An event from before the watermark is *out of order*. How much later than the watermark an event
//! may come and still count is the *allowed lateness* (Kafka Streams: the grace period). It belongs
//! to the question, not to the time, so it is added by the code that closes a window:
//!
//! ```
//! use processor::event_time::Watermark;
//! use events::{DAY_MS, Timestamp};
//!
//! const ALLOWED_LATENESS_MS: i64 = 30_000;
//! let minute_end = Timestamp::from_ms(1_772_535_660_000);
//! let mut watermark = Watermark::confirmed_by_other_source_or_run(DAY_MS);
//! for (after_ms, closed) in [(-1, false), (20_000, false), (5_000, false), (30_000, true)] {
//!     watermark.observe(minute_end.plus_ms(after_ms));
//!     assert_eq!(watermark.has_passed(minute_end.plus_ms(ALLOWED_LATENESS_MS)), closed);
//! }
//! ```
//!
//! # Jumps
//! One producer whose clock says "the year 9999" must not close every window. So a time that is
//! further ahead than a limit is a *jump*, which counts only once something confirms it. What that
//! is depends on the events:
//!
//! - [`confirmed_by_other_source_or_run`](Watermark::confirmed_by_other_source_or_run): another
//!   source says about the same, or [`IN_A_ROW`] events of one source in a row do. The source is
//!   the key of the events: one bad producer, or one bad record that is read twice, moves nothing.
//!   The watermark is then the later of the last two, and never goes back. The rule for every log
//!   whose windows close once: swipes, clicks, trades, comparisons, the periods of a batch job.
//! - [`confirmed_by_other_source`](Watermark::confirmed_by_other_source): another source says about
//!   the same, before any event near the watermark, and no run of one source counts. By the same
//!   rule it goes back. For a fleet, in which every car sends each second: its watermark closes no
//!   window, it only tells which car's clock is wrong, so it must get away from a wrong first ping.
//! - [`in_steps`](Watermark::in_steps): nothing; each event moves the watermark by one step at
//!   most. For weights that decay, where an hour more or less does no harm.
//!
//! # Simplifications
//! - A silent producer does not hold the watermark back (an *idle source*): it follows the others,
//!   and what the silent one sends later is late.
//! - Two producers that are wrong in the same way, one directly after the other, are taken to be
//!   right; where the rule is a run, so is one that is wrong so often with no other between.
//! - In a log whose events lie further apart than the limit, each jumps and no two agree: the
//!   watermark stands until some do.

use events::{DAY_MS, Timestamp};

/// So many events of one source, with no other between, confirm a jump as those of two sources do:
/// a topic with one key only must get over a quiet night, too.
pub const IN_A_ROW: u32 = 8;

/// The newest plausible event time; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Watermark {
    rule: Rule,
    /// A time that is further ahead than this, in milliseconds, is a jump.
    max_jump_ms: i64,
    now: Option<Timestamp>,
    /// The latest jump, while nothing has confirmed or contradicted it.
    unconfirmed: Option<Jump>,
    /// Whether exactly one event has been seen.
    only_first_seen: bool,
}

/// What it takes for a jump to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    OtherSource,
    /// Another source, or [`IN_A_ROW`] events in a row.
    OtherSourceOrRun,
    Steps,
}

#[derive(Clone, Copy, Debug)]
struct Jump {
    /// Its source, if that is known.
    source: Option<u64>,
    to: Timestamp,
    /// How many jumps in a row have gone there, each about as far as the one before.
    in_a_row: u32,
}

/// What a watermark makes of an event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plausibility {
    /// Near the watermark, or before it.
    Plausible,
    /// Far ahead of all that was seen, and confirmed by nothing.
    UnconfirmedJump,
}

/// How far before the first event the second may be, in milliseconds, before the first one's time
/// is taken for the wrong one; for [`Watermark::in_steps`].
const FIRST_AHEAD_MS: i64 = DAY_MS;

impl Watermark {
    /// A watermark that jumps by more than `max_jump_ms` milliseconds, forwards or backwards, when
    /// two sources say the same to within `max_jump_ms` and no event near the watermark comes
    /// between them.
    pub fn confirmed_by_other_source(max_jump_ms: i64) -> Self {
        Self::new(Rule::OtherSource, max_jump_ms)
    }

    /// A watermark that jumps forward by more than `max_jump_ms` milliseconds when two sources say
    /// the same to within `max_jump_ms`, or [`IN_A_ROW`] events of one source, and no event near
    /// the watermark comes between them.
    ///
    /// # Panics
    /// When `max_jump_ms` is negative, as in all three constructors.
    pub fn confirmed_by_other_source_or_run(max_jump_ms: i64) -> Self {
        Self::new(Rule::OtherSourceOrRun, max_jump_ms)
    }

    /// A watermark that each event moves by `max_step_ms` milliseconds at most.
    ///
    /// The first event sets it, until the second is more than a day before that: then the second
    /// does.
    pub fn in_steps(max_step_ms: i64) -> Self {
        Self::new(Rule::Steps, max_step_ms)
    }

    fn new(rule: Rule, max_jump_ms: i64) -> Self {
        assert!(max_jump_ms >= 0, "a jump of {max_jump_ms} ms: a watermark's limit can't be negative");
        Self { rule, max_jump_ms, now: None, unconfirmed: None, only_first_seen: false }
    }

    /// The watermark; none before the first event.
    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// Whether the watermark is at `instant` or after it.
    pub fn has_passed(&self, instant: Timestamp) -> bool {
        self.now.is_some_and(|now| now >= instant)
    }

    /// Takes the time of an event that has arrived, from a source of its own; returns the watermark
    /// that follows.
    pub fn observe(&mut self, at: Timestamp) -> Timestamp {
        self.take(None, at);
        self.now.expect("an event was seen just now")
    }

    /// Takes the time of an event that has arrived from `source`, a number that tells one producer
    /// from another; returns the watermark that follows.
    pub fn advance_from(&mut self, source: u64, at: Timestamp) -> Timestamp {
        self.take(Some(source), at);
        self.now.expect("an event was seen just now")
    }

    /// Takes the time of an event that has arrived from `source`; returns what it makes of it.
    pub fn observe_from(&mut self, source: u64, at: Timestamp) -> Plausibility {
        self.take(Some(source), at)
    }

    /// Whether an event of this time shows that the only one before it had a wrong time: the
    /// watermark would start over with it. Only [in steps](Self::in_steps).
    pub fn would_restart(&self, at: Timestamp) -> bool {
        self.rule == Rule::Steps
            && self.only_first_seen
            && self.now.is_some_and(|now| now.since_ms(at) > FIRST_AHEAD_MS)
    }

    fn take(&mut self, source: Option<u64>, at: Timestamp) -> Plausibility {
        let restarts = self.would_restart(at);
        self.only_first_seen = self.now.is_none();
        let Some(now) = self.now.filter(|_| !restarts) else {
            self.now = Some(at);
            return Plausibility::Plausible;
        };
        let ahead_ms = at.since_ms(now);
        let jumps =
            ahead_ms > self.max_jump_ms || (self.rule == Rule::OtherSource && ahead_ms < -self.max_jump_ms);
        if !jumps {
            self.now = Some(now.max(at));
            // An event near the watermark contradicts the jump.
            self.unconfirmed = None;
            return Plausibility::Plausible;
        }
        let mut jump = Jump { source, to: at, in_a_row: 1 };
        if let Some(before) = self.unconfirmed.filter(|before| self.agree(*before, jump)) {
            jump.in_a_row = before.in_a_row.saturating_add(1);
        }
        if let Some(confirmed) = self.confirmed(jump) {
            self.now = Some(confirmed);
            self.unconfirmed = None;
            return Plausibility::Plausible;
        }
        if self.rule == Rule::Steps {
            self.now = Some(now.plus_ms(self.max_jump_ms));
        } else {
            self.unconfirmed = Some(jump);
        }
        if ahead_ms > 0 { Plausibility::UnconfirmedJump } else { Plausibility::Plausible }
    }

    /// Where the watermark goes if this jump confirms the one before.
    fn confirmed(&self, jump: Jump) -> Option<Timestamp> {
        let before = self.unconfirmed?;
        let others = before.source.is_none() || before.source != jump.source;
        let later = before.to.max(jump.to);
        match self.rule {
            Rule::OtherSource => (others && self.agree(before, jump)).then_some(later),
            Rule::OtherSourceOrRun => {
                let enough = others || jump.in_a_row >= IN_A_ROW;
                (enough && self.agree(before, jump)).then_some(later)
            }
            Rule::Steps => None,
        }
    }

    /// Whether two jumps go to about the same time.
    fn agree(&self, one: Jump, other: Jump) -> bool {
        one.to.since_ms(other.to).abs() <= self.max_jump_ms
    }
}

#[cfg(test)]
mod tests {
    use events::HOUR_MS;
    use proptest::prelude::*;

    use super::Plausibility::{Plausible, UnconfirmedJump};
    use super::*;

    const START_MS: i64 = 1_772_535_600_000;
    const MINUTE_MS: i64 = 60_000;

    /// The instant so long after the start of the test.
    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(START_MS + ms)
    }

    #[test]
    fn bad_records_of_one_key_move_nothing_and_two_keys_after_a_quiet_week_do() {
        let mut watermark = Watermark::confirmed_by_other_source_or_run(DAY_MS);
        let day = |days: i64| at(days * DAY_MS);
        assert_eq!(watermark.advance_from(1, day(0)), day(0));
        // A clock of the year 9999 sends twice in a row; then the others go on.
        assert_eq!(watermark.advance_from(2, Timestamp::MAX), day(0));
        assert_eq!(watermark.advance_from(2, Timestamp::MAX), day(0));
        assert_eq!(watermark.advance_from(1, at(5)), at(5));
        // A second bad record of another key that names another time confirms nothing.
        assert_eq!(watermark.advance_from(2, Timestamp::MAX), at(5));
        assert_eq!(watermark.advance_from(3, day(900)), at(5));
        // A quiet week is over for two keys.
        assert_eq!(watermark.advance_from(1, day(7)), at(5));
        assert_eq!(watermark.advance_from(4, at(7 * DAY_MS + 3)), at(7 * DAY_MS + 3));
    }

    #[test]
    fn one_source_alone_moves_nothing_far() {
        let mut watermark = Watermark::confirmed_by_other_source(10 * MINUTE_MS);
        let minute = |minutes: i64| at(minutes * MINUTE_MS);
        assert_eq!(watermark.observe_from(1, minute(0)), Plausible);
        assert_eq!(watermark.observe_from(2, minute(1)), Plausible);
        assert_eq!(watermark.observe_from(3, Timestamp::MAX), UnconfirmedJump);
        assert_eq!(watermark.observe_from(3, Timestamp::MAX), UnconfirmedJump);
        assert_eq!(watermark.now(), Some(minute(1)));
        assert_eq!(watermark.observe_from(1, minute(2)), Plausible);
        assert_eq!(watermark.now(), Some(minute(2)));
        assert_eq!(
            watermark.observe_from(4, Timestamp::MAX),
            UnconfirmedJump,
            "two clocks are wrong, but others speak between them"
        );
        assert_eq!(watermark.now(), Some(minute(2)));
    }

    #[test]
    fn two_sources_that_agree_move_it_forwards_and_backwards() {
        let mut watermark = Watermark::confirmed_by_other_source(10 * MINUTE_MS);
        let minute = |minutes: i64| at(minutes * MINUTE_MS);
        watermark.observe_from(1, Timestamp::MAX);
        watermark.observe_from(2, minute(0));
        watermark.observe_from(3, minute(0));
        assert_eq!(watermark.now(), Some(minute(0)));
        assert_eq!(watermark.observe_from(1, minute(500)), UnconfirmedJump);
        assert_eq!(watermark.observe_from(2, minute(600)), UnconfirmedJump, "they do not agree");
        assert_eq!(watermark.observe_from(1, minute(601)), Plausible);
        assert_eq!(watermark.now(), Some(minute(601)));
    }

    #[test]
    fn a_run_of_one_source_moves_it_and_a_producer_of_another_day_among_others_does_not() {
        let mut watermark = Watermark::confirmed_by_other_source_or_run(HOUR_MS);
        let hour = |hours: i64| at(hours * HOUR_MS);
        watermark.observe_from(1, at(0));
        for round in 1..20 {
            for _ in 1..IN_A_ROW {
                assert_eq!(watermark.observe_from(9, hour(6_000)), UnconfirmedJump);
            }
            assert_eq!(watermark.observe_from(1, at(round)), Plausible);
            assert_eq!(watermark.now(), Some(at(round)));
        }
        // A quiet night of the only source that there is.
        for _ in 1..IN_A_ROW {
            assert_eq!(watermark.observe_from(1, hour(8)), UnconfirmedJump);
        }
        assert_eq!(watermark.observe_from(1, hour(8)), Plausible);
        assert_eq!(watermark.now(), Some(hour(8)));
        // Of two sources one event each is enough; events that do not agree are no run.
        assert_eq!(watermark.observe_from(1, hour(20)), UnconfirmedJump);
        assert_eq!(watermark.observe_from(2, at(20 * HOUR_MS + 5)), Plausible);
        for hours in (40..240).step_by(20) {
            assert_eq!(watermark.observe_from(1, hour(hours)), UnconfirmedJump);
        }
        assert_eq!(watermark.observe_from(1, hour(-100)), Plausible, "it never goes back");
        assert_eq!(watermark.now(), Some(at(20 * HOUR_MS + 5)));
    }

    #[test]
    fn steps_catch_up_and_no_event_alone_carries_it_away() {
        let mut watermark = Watermark::in_steps(HOUR_MS);
        assert_eq!(watermark.observe(at(1_000)), at(1_000));
        assert_eq!(watermark.observe(at(500)), at(1_000));
        assert_eq!(watermark.observe(Timestamp::MAX), at(1_000 + HOUR_MS));
        assert_eq!(watermark.observe(Timestamp::MIN), at(1_000 + HOUR_MS));
        let next_day = at(24 * HOUR_MS);
        assert_eq!((0..24).map(|_| watermark.observe(next_day)).last(), Some(next_day), "a silent day");
    }

    #[test]
    fn a_first_event_from_the_year_9999_is_not_believed_for_long() {
        let mut watermark = Watermark::in_steps(HOUR_MS);
        assert_eq!(watermark.observe(Timestamp::MAX), Timestamp::MAX);
        assert!(watermark.would_restart(at(1_000)));
        assert_eq!(watermark.observe(at(1_000)), at(1_000));
        assert!(!watermark.would_restart(at(-2 * DAY_MS)));
        assert_eq!(watermark.observe(at(-2 * DAY_MS)), at(1_000), "the third is out of order, no more");
    }

    #[test]
    fn what_has_passed_counts_the_instant_itself() {
        let mut watermark = Watermark::confirmed_by_other_source_or_run(DAY_MS);
        assert!(!watermark.has_passed(Timestamp::MIN), "nothing was seen yet");
        watermark.observe(at(0));
        assert!(watermark.has_passed(at(0)) && !watermark.has_passed(at(1)));
    }

    fn any_rule() -> impl Strategy<Value = Watermark> {
        prop_oneof![
            Just(Watermark::confirmed_by_other_source(HOUR_MS)),
            Just(Watermark::confirmed_by_other_source_or_run(HOUR_MS)),
            Just(Watermark::in_steps(HOUR_MS)),
        ]
    }

    proptest! {
        /// Whatever the rule: events that are out of order by less than the limit leave the newest
        /// of them, and a few events of one key with any other time among them move it by no more
        /// than the limit, or than a step for each.
        #[test]
        fn a_few_wrong_times_of_one_key_move_no_watermark_by_more_than_the_limit(
            watermark in any_rule(),
            times in prop::collection::vec((0_u64..5, -HOUR_MS / 2..HOUR_MS / 2), 3..40),
            wrong in prop_oneof![any::<i64>(), START_MS - 3 * HOUR_MS..START_MS + 3 * HOUR_MS],
            copies in 1..IN_A_ROW,
            place in any::<prop::sample::Index>(),
        ) {
            let (mut plain, mut disturbed) = (watermark, watermark);
            // The second event may restart a watermark that moves in steps.
            let place = 2 + place.index(times.len() - 2);
            for (index, &(source, ms)) in times.iter().enumerate() {
                if index == place {
                    for _ in 0..copies {
                        disturbed.observe_from(9, Timestamp::from_ms(wrong));
                    }
                }
                prop_assert_eq!(plain.observe_from(source, at(ms)), Plausible);
                disturbed.observe_from(source, at(ms));
            }
            let newest = times.iter().map(|time| time.1).max().map(at);
            prop_assert_eq!(plain.now(), newest);
            let moved_ms = disturbed.now().unwrap().since_ms(newest.unwrap());
            let steps = if watermark.rule == Rule::Steps { copies } else { 1 };
            prop_assert!(moved_ms.abs() <= HOUR_MS * i64::from(steps), "moved by {moved_ms} ms");
        }
    }
}
