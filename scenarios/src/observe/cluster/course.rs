//! How a count has gone: how fast it grows, when it stood where, and where a lag is going.

use std::collections::VecDeque;

use dashboard::Trend;

/// How long polls are kept, in milliseconds of wall-clock time.
pub(super) const KEEP_MS: i64 = 600_000;
/// Over how long a rate is measured.
const RATE_MS: i64 = 2_000;
/// So many of the last polls are kept as they came, of those before one in so long, in
/// milliseconds.
const FINE: usize = 100;
const COARSE_MS: i64 = 2_000;
/// How many seconds of history a sparkline has.
const HISTORY: usize = 120;
/// Over how long a trend is judged.
const TREND_MS: i64 = 5_000;
/// A lag of less than this, in milliseconds, is the batching of producers and the interval of
/// commits, not a delay.
const KEEPING_UP_MS: f64 = 3_000.0;

/// A count that grows, remembered for a while.
#[derive(Debug, Default)]
pub(super) struct Growth(VecDeque<(i64, i64)>);

impl Growth {
    pub(super) fn push(&mut self, now_ms: i64, value: i64) {
        if self.0.back().is_some_and(|&(_, last)| value < last) {
            // The topic was deleted and recreated: its history no longer counts.
            self.0.clear();
        }
        // How far behind a group is tells no more of a minute ago than to two seconds.
        if let Some(place) = self.0.len().checked_sub(FINE).filter(|&place| place > 0) {
            let [before, at, after] = [place - 1, place, place + 1].map(|place| self.0[place]);
            // Where a step begins and where it ends is kept.
            let is_on_the_way = (before.1 == at.1) == (at.1 == after.1);
            if is_on_the_way && after.0 - before.0 < COARSE_MS {
                self.0.remove(place);
            }
        }
        self.0.push_back((now_ms, value));
        // Two are kept however old they are: between them it has grown.
        while self.0.len() > 2 && self.0.front().is_some_and(|&(at, _)| now_ms - at > KEEP_MS) {
            self.0.pop_front();
        }
    }

    pub(super) fn last(&self) -> Option<i64> {
        self.0.back().map(|&(_, value)| value)
    }

    /// When it was looked at last.
    pub(super) fn pushed_at(&self) -> Option<i64> {
        self.0.back().map(|&(at, _)| at)
    }

    /// When it was looked at first, as far as is kept, if it had passed `value` by then.
    pub(super) fn passed_before(&self, value: i64) -> Option<i64> {
        self.0.front().and_then(|&(at, first)| (first > value).then_some(at))
    }

    /// Growth a second over the last [`RATE_MS`] or a little more.
    pub(super) fn per_second(&self) -> Option<f64> {
        let &(now, value) = self.0.back()?;
        let &(then, before) = self.0.iter().rev().find(|&&(at, _)| now - at >= RATE_MS).or(self.0.front())?;
        (now > then).then(|| (value - before) as f64 * 1000.0 / (now - then) as f64)
    }

    /// Growth a second of a count that grows in steps, as committed offsets do: from one step to
    /// another that is [`RATE_MS`] later or more. So it stays level between two commits, and one of
    /// a period's records is spread over the period. It falls when the next step is overdue at
    /// `now`, up to which nothing else has come.
    pub(super) fn per_second_of_steps(&self, now: i64) -> Option<f64> {
        let &(_, value) = self.0.back()?;
        // When the count came to a value, the newest first.
        let all = self.0.iter().rev();
        let earlier = self.0.iter().rev().skip(1).map(|&(_, value)| Some(value)).chain([None]);
        let mut steps = all.zip(earlier).filter(|(step, before)| *before != Some(step.1));
        let (&(last, _), _) = steps.next()?;
        let before = steps.map(|(&step, _)| step).find(|(at, _)| last - at >= RATE_MS);
        let (then, from) = before.or(self.0.front().copied().filter(|(at, _)| *at < now))?;
        let interval = last - then;
        let until = if now - last > 2 * interval { now } else { last.max(then + 1) };
        Some((value - from) as f64 * 1000.0 / (until - then) as f64)
    }

    /// When it passed `value`, between two polls in proportion.
    pub(super) fn when(&self, value: i64) -> Option<f64> {
        let after = self.0.partition_point(|&(_, seen)| seen <= value);
        let &(later, more) = self.0.get(after)?;
        let &(earlier, less) = self.0.get(after.checked_sub(1)?)?;
        Some(earlier as f64 + (later - earlier) as f64 * (value - less) as f64 / (more - less) as f64)
    }
}

/// The last polls of a committed offset, or of the sum of a group's: when, the lag, and the
/// offset.
#[derive(Debug, Default)]
pub(super) struct Course(VecDeque<(i64, i64, i64)>);

impl Course {
    pub(super) fn push(&mut self, now_ms: i64, lag: i64, committed: i64) {
        if self.0.back().is_some_and(|&(.., last)| committed < last) {
            // The committed offset was reset: its history no longer counts.
            self.0.clear();
        }
        self.0.push_back((now_ms, lag, committed));
        while self.0.front().is_some_and(|&(at, ..)| now_ms - at > TREND_MS) {
            self.0.pop_front();
        }
    }

    pub(super) fn lag(&self) -> Option<i64> {
        self.0.back().map(|&(_, lag, _)| lag)
    }

    /// Where the lag is going.
    pub(super) fn trend(&self) -> Trend {
        let (Some(&(then, before, from)), Some(&(now, lag, to))) = (self.0.front(), self.0.back()) else {
            return Trend::Unknown;
        };
        if now - then < 1_500 {
            return Trend::Unknown;
        }
        let a_second = |growth: i64| growth as f64 * 1000.0 / (now - then) as f64;
        let (per_second, pace) = (a_second(lag - before), a_second(to - from).max(1.0));
        // What would be read within the interval of commits is no lag at all, however many records
        // it is; unless most of what is read is backlog.
        let catches_up = per_second < -0.5 * pace;
        if !catches_up && lag as f64 / pace * 1000.0 < KEEPING_UP_MS && lag <= before.max(pace as i64 * 3) {
            Trend::KeepingUp
        } else if per_second < -0.02 * pace {
            Trend::Draining { done_in_ms: Some(lag as f64 / -per_second * 1000.0) }
        } else if per_second > 0.02 * pace {
            Trend::FallingBehind { records_per_second: Some(per_second) }
        } else {
            Trend::KeepingUp
        }
    }
}

/// A value a second, for a sparkline.
#[derive(Debug, Default)]
pub(super) struct History {
    values: VecDeque<f64>,
    last_second: Option<i64>,
}

impl History {
    pub(super) fn push(&mut self, now_ms: i64, value: f64) {
        let second = now_ms / 1000;
        if self.last_second.is_none_or(|last| second > last) {
            self.last_second = Some(second);
            self.values.push_back(value);
            if self.values.len() > HISTORY {
                self.values.pop_front();
            }
        }
    }

    pub(super) fn to_vec(&self) -> Vec<f64> {
        self.values.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_of_polls_are_held_in_little_and_tell_when_a_value_was_passed() {
        let mut growth = Growth::default();
        for poll in 0..6_000 {
            growth.push(poll * 250, poll * 1_000);
        }
        let (first, last) = (growth.0.front().expect("polls").0, growth.0.back().expect("polls").0);
        assert!(last - first >= KEEP_MS - COARSE_MS, "{}", last - first);
        assert!(growth.0.len() < 450, "{} of ten minutes", growth.0.len());
        for ago in [1, 50, 99, 150, 800, 2_000] {
            let poll = 5_999 - ago;
            assert_eq!(growth.when(poll * 1_000), Some(poll as f64 * 250.0), "{ago} polls ago");
        }
        assert_eq!(growth.per_second(), Some(4_000.0));
    }
}
