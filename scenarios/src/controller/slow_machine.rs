//! Whether this machine is too slow for its show, and what helps.
//!
//! A consumer that falls behind while the processors are busy waits for a processor, and no key on
//! the screen helps: fewer cars or a slower clock do. A consumer that was killed, paused or reset
//! has another reason to be behind, as has everything after the machine was suspended. Then nothing
//! is judged until all have caught up.
//!
//! # Simplifications
//! - The processors count as one: a consumer that keeps one of eight busy and needs more is not
//!   recognised.
//! - On a machine that is too slow, a killed consumer never catches up, and so the warning does not
//!   come again.

use crate::usage::ProcessorTime;

/// A consumer so far behind, in milliseconds of wall-clock time, is behind.
const BEHIND_MS: f64 = 3_000.0;
/// One less far behind than this has caught up.
const CAUGHT_UP_MS: f64 = 1_500.0;
/// From this share on, processors are busy.
const BUSY: f64 = 0.85;
/// So long, in milliseconds, both must last.
const LASTS_MS: i64 = 10_000;
/// How far apart looks are at least: over less, the share of busy time is a matter of chance.
const LOOK_EVERY_MS: i64 = 1_000;
/// Looks that are further apart than this were interrupted: the machine was suspended, or its clock
/// was set.
const SUSPENDED_MS: i64 = 5_000;

/// What is looked at: this moment, in milliseconds of wall-clock time, the delay of the stream's
/// consumer that is furthest behind, and how long the processors have worked since they were
/// started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) now_ms: i64,
    pub(super) behind_ms: Option<f64>,
    pub(super) processors: Option<ProcessorTime>,
}

/// What the looks so far have shown.
#[derive(Debug, Default)]
pub(super) struct SlowMachine {
    before: Option<Look>,
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// All keep up.
    #[default]
    Well,
    /// One is behind and the processors are busy, since then.
    Suspected { since_ms: i64 },
    /// There is another reason to be behind.
    Excused,
    /// It is too slow, which has been said.
    TooSlow,
}

impl SlowMachine {
    /// Takes a look, and tells whether the machine has turned out to be too slow just now.
    pub(super) fn look(&mut self, look: Look) -> bool {
        let Some(before) = self.before else {
            self.before = Some(look);
            return false;
        };
        let passed_ms = look.now_ms - before.now_ms;
        if (0..LOOK_EVERY_MS).contains(&passed_ms) {
            return false;
        }
        self.before = Some(look);
        if !(0..SUSPENDED_MS).contains(&passed_ms) {
            self.excuse();
        }
        // What is unknown has not caught up, and is not behind.
        let has_caught_up = look.behind_ms.is_some_and(|behind_ms| behind_ms < CAUGHT_UP_MS);
        let busy = before.processors.zip(look.processors).and_then(|(before, now)| now.busy_since(before));
        let is_behind = look.behind_ms.is_some_and(|behind_ms| behind_ms >= BEHIND_MS);
        let is_slow = is_behind && busy.is_some_and(|busy| busy >= BUSY);
        let state = match self.state {
            State::Excused | State::TooSlow if has_caught_up => State::Well,
            State::Suspected { .. } if !is_slow => State::Well,
            State::Well if is_slow => State::Suspected { since_ms: look.now_ms },
            State::Suspected { since_ms } if look.now_ms - since_ms >= LASTS_MS => State::TooSlow,
            State::Well | State::Excused | State::TooSlow | State::Suspected { .. } => self.state,
        };
        let is_news = state == State::TooSlow && self.state != State::TooSlow;
        self.state = state;
        is_news
    }

    /// A person, or a crash, has put consumers behind: nothing is judged until they have caught up.
    pub(super) fn excuse(&mut self) {
        if self.state != State::TooSlow {
            self.state = State::Excused;
        }
    }

    /// Whether the machine is too slow, and has not caught up since.
    pub(super) fn is_too_slow(&self) -> bool {
        self.state == State::TooSlow
    }
}

/// The cars of a show on a machine that is too slow for more.
const FEW_DRIVERS: u32 = 60;

/// The options that make a show with so many cars, if it has any, at this speed easier.
pub(super) fn remedy(drivers: Option<u32>, speed: f64) -> String {
    match drivers {
        Some(drivers) if drivers > FEW_DRIVERS => format!("--drivers {FEW_DRIVERS}"),
        Some(_) | None => format!("--speed {}", (speed / 2.0).max(1.0).round()),
    }
}

/// What a show with so many cars asks of a machine, in words.
pub(super) fn load(drivers: Option<u32>, speed: f64) -> String {
    match drivers {
        Some(drivers) => format!("{drivers} cars at {speed:.0}×"),
        None => format!("this show at {speed:.0}×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks once a second while the delay is so long and so much of two processors is in use;
    /// gives the seconds in which it was said that the machine is too slow.
    fn watch(slow: &mut SlowMachine, from_s: i64, looks: &[(f64, f64)]) -> Vec<i64> {
        let mut busy_s = from_s as f64 * 10.0;
        let mut said = Vec::new();
        for (second, (behind_s, share)) in (from_s..).zip(looks) {
            busy_s += 2.0 * share;
            let processors =
                Some(ProcessorTime { busy_s, all_s: from_s as f64 * 100.0 + second as f64 * 2.0 });
            let look = Look { now_ms: second * 1_000, behind_ms: Some(behind_s * 1_000.0), processors };
            if slow.look(look) {
                said.push(second);
            }
        }
        said
    }

    const BEHIND_AND_BUSY: (f64, f64) = (8.0, 0.97);
    const WELL: (f64, f64) = (0.4, 0.97);

    #[test]
    fn a_machine_is_too_slow_when_one_is_behind_for_long_while_all_is_busy() {
        let mut slow = SlowMachine::default();
        assert_eq!(watch(&mut slow, 0, &[WELL; 20]), [0_i64; 0], "busy and in time");
        assert_eq!(watch(&mut slow, 20, &[(8.0, 0.4); 30]), [0_i64; 0], "behind, and the processors idle");
        assert_eq!(watch(&mut slow, 50, &[BEHIND_AND_BUSY; 9]), [0_i64; 0], "not for long");
        assert_eq!(watch(&mut slow, 59, &[WELL; 2]), [0_i64; 0]);
        assert!(!slow.is_too_slow());
    }

    #[test]
    fn it_is_said_once_and_again_after_it_has_caught_up() {
        let mut slow = SlowMachine::default();
        let mut looks = vec![WELL; 3];
        looks.extend([BEHIND_AND_BUSY; 60]);
        assert_eq!(watch(&mut slow, 0, &looks), [13]);
        assert!(slow.is_too_slow());
        assert_eq!(watch(&mut slow, 63, &[(2.0, 0.97); 5]), [0_i64; 0], "not yet");
        assert!(slow.is_too_slow());
        assert_eq!(watch(&mut slow, 68, &[WELL; 5]), [0_i64; 0]);
        assert!(!slow.is_too_slow());
        assert_eq!(watch(&mut slow, 73, &[BEHIND_AND_BUSY; 20]).len(), 1);
    }

    #[test]
    fn who_was_killed_or_reset_is_excused_until_it_has_caught_up() {
        let mut slow = SlowMachine::default();
        watch(&mut slow, 0, &[WELL; 3]);
        slow.excuse();
        assert_eq!(watch(&mut slow, 3, &[BEHIND_AND_BUSY; 60]), [0_i64; 0]);
        assert_eq!(watch(&mut slow, 63, &[WELL; 2]), [0_i64; 0]);
        assert_eq!(watch(&mut slow, 65, &[BEHIND_AND_BUSY; 20]).len(), 1);
        slow.excuse();
        assert!(slow.is_too_slow(), "what was said before stays true");
    }

    #[test]
    fn after_a_suspend_and_a_clock_that_was_set_nothing_is_judged() {
        for jump_s in [600, -600] {
            let mut slow = SlowMachine::default();
            watch(&mut slow, 1_000, &[WELL; 3]);
            let later = 1_003 + jump_s;
            assert_eq!(watch(&mut slow, later, &[BEHIND_AND_BUSY; 60]), [0_i64; 0], "{jump_s}");
        }
    }

    #[test]
    fn unknown_delays_and_processors_are_no_reason() {
        let mut slow = SlowMachine::default();
        for second in 0..60 {
            let look = Look { now_ms: second * 1_000, behind_ms: Some(9e3), processors: None };
            assert!(!slow.look(look));
        }
        assert_eq!(watch(&mut slow, 60, &[BEHIND_AND_BUSY; 20]).len(), 1);
        slow.look(Look { now_ms: 81_000, behind_ms: None, processors: None });
        assert!(slow.is_too_slow(), "what is unknown has not caught up");
    }

    #[test]
    fn what_helps_depends_on_the_show() {
        assert_eq!(remedy(Some(160), 60.0), "--drivers 60");
        assert_eq!(remedy(Some(60), 60.0), "--speed 30");
        assert_eq!(remedy(None, 1.0), "--speed 1");
        assert_eq!(load(Some(160), 60.0), "160 cars at 60×");
        assert_eq!(load(None, 60.0), "this show at 60×");
    }
}
