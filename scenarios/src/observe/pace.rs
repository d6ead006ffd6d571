//! The show's clock, worked out from outside: someone who attaches to a running show is not told
//! it.
//!
//! Every event says when it happened in the show, and its record when it was sent in wall-clock
//! time. Both go straight ahead together, but events come late, in batches and out of order. So the
//! wall is cut into short stretches, of each only the newest event counts (one that is late says
//! nothing about now), and the speed is the median of the slopes between all pairs of stretches
//! (Theil 1950, Sen 1968): up to a quarter of them may be nonsense, as while a producer catches up.
//!
//! # Simplifications
//! - The event that was sent soonest after it happened is taken to have been sent at once. Delays
//!   measured with a clock that was worked out are too short by that one's delay.

use std::collections::VecDeque;

use events::Timestamp;

use crate::clock::SimulatedClock;

/// How long a stretch is, in milliseconds of wall-clock time.
const STRETCH_MS: i64 = 250;
/// How many are remembered: half a minute.
const STRETCHES: usize = 120;
/// A speed is inferred from so many stretches at least: three seconds.
const ENOUGH: usize = 12;
/// A clock that jumps by more than this, in milliseconds of wall-clock time, is another show's.
const JUMP_MS: f64 = 20_000.0;

/// What was seen of both clocks.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Wall-clock time at the newest event of each stretch, and that event's time.
    stretches: VecDeque<(i64, i64)>,
}

impl Pace {
    /// Takes an event of `ts` that was sent when the wall showed `wall_ms`. A new clock when a
    /// stretch is over and enough have been seen.
    pub(crate) fn observe(&mut self, ts: Timestamp, wall_ms: i64) -> Option<SimulatedClock> {
        let stretch = |wall_ms: i64| wall_ms.div_euclid(STRETCH_MS);
        match self.stretches.back_mut() {
            Some((wall, newest)) if stretch(*wall) >= stretch(wall_ms) => {
                // Records of several partitions come interleaved; those of an earlier stretch say
                // nothing new.
                if stretch(*wall) == stretch(wall_ms) && *newest < ts.ms() {
                    (*wall, *newest) = (wall_ms, ts.ms());
                }
                None
            }
            _ => {
                let clock = self.clock();
                self.stretches.push_back((wall_ms, ts.ms()));
                if self.stretches.len() > STRETCHES {
                    self.stretches.pop_front();
                }
                clock
            }
        }
    }

    fn clock(&mut self) -> Option<SimulatedClock> {
        if self.stretches.len() < ENOUGH {
            return None;
        }
        let points: Vec<(f64, f64)> =
            self.stretches.iter().map(|&(wall, ts)| (wall as f64, ts as f64)).collect();
        let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * points.len() / 2);
        for (at, a) in points.iter().enumerate() {
            slopes.extend(points[at + 1..].iter().map(|b| (b.1 - a.1) / (b.0 - a.0)));
        }
        let middle = slopes.len() / 2;
        let (_, &mut speed, _) = slopes.select_nth_unstable_by(middle, f64::total_cmp);
        if !(speed.is_finite() && speed > 0.0) {
            return None;
        }
        // The event that is furthest ahead of the line was sent with the least delay.
        let (wall, ts) = *self.stretches.iter().max_by(|a, b| {
            let ahead = |point: &(i64, i64)| point.1 as f64 - speed * (point.0 - self.stretches[0].0) as f64;
            ahead(a).total_cmp(&ahead(b))
        })?;
        let (last_wall, last_ts) = *self.stretches.back()?;
        let due = ts as f64 + speed * (last_wall - wall) as f64;
        if (due - last_ts as f64).abs() > JUMP_MS * speed {
            self.stretches.clear();
            return None;
        }
        Some(SimulatedClock { started_wall_ms: wall, start: Timestamp::from_ms(ts), speed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_764_000_000_000;
    const START: i64 = 1_772_500_000_000;

    /// A show at `speed` seen for so many seconds, each event sent `delay_ms(wall)` of
    /// wall-clock time after it happened.
    fn watched(speed: i64, seconds: i64, delay_ms: impl Fn(i64) -> i64) -> Option<SimulatedClock> {
        let mut pace = Pace::default();
        let mut clock = None;
        for wall in (0..seconds * 1000).step_by(20) {
            let ts = Timestamp::from_ms(START + (wall - delay_ms(wall)) * speed);
            clock = pace.observe(ts, WALL + wall).or(clock);
        }
        clock
    }

    #[track_caller]
    fn assert_clock(clock: Option<SimulatedClock>, speed: f64, off_ms: f64) {
        let clock = clock.expect("enough was seen");
        assert!((clock.speed / speed - 1.0).abs() < 0.01, "{} is not {speed}", clock.speed);
        let now = clock.simulated(WALL + 10_000).ms() as f64;
        let truly = START as f64 + 10_000.0 * speed;
        assert!(
            (now - truly).abs() / speed <= off_ms,
            "off by {} ms of wall-clock time",
            (now - truly) / speed
        );
    }

    #[test]
    fn events_sent_at_once_give_the_clock_away() {
        assert_clock(watched(60, 10, |_| 0), 60.0, 5.0);
        assert_clock(watched(1, 10, |_| 0), 1.0, 5.0);
        assert!(watched(60, 2, |_| 0).is_none(), "two seconds are too few");
    }

    #[test]
    fn neither_late_events_nor_a_producer_that_catches_up_spoil_it() {
        // Every third comes up to two seconds late, in no order.
        assert_clock(watched(60, 20, |wall| if wall % 60 == 0 { wall * 7 % 2_000 } else { 5 }), 60.0, 20.0);
        // It begins three seconds behind, and needs four to catch up: the first two events would
        // say 105 times.
        let behind = |wall: i64| if wall < 4_000 { 3_000 - wall * 3 / 4 } else { 0 };
        assert_clock(watched(60, 20, behind), 60.0, 20.0);
    }

    #[test]
    fn another_show_has_another_clock() {
        let mut pace = Pace::default();
        let mut clock = None;
        for wall in (0..40_000).step_by(20) {
            let (start, speed) = if wall < 20_000 { (START, 60) } else { (START - 90_000_000, 10) };
            clock = pace.observe(Timestamp::from_ms(start + wall * speed), WALL + wall).or(clock);
        }
        assert!((clock.expect("seen").speed - 10.0).abs() < 0.1);
    }
}
