//! Which window is due, and when.

use std::time::Duration;

use events::{Event, Timestamp};

use super::super::clock::wall_ms;
use super::super::window::{Cut, Fate, Window};
use super::{Job, LOOK, Schedule, probe};
use crate::BatchError;

impl Job<'_> {
    /// The window that is due, or how long to wait until it is looked for again.
    pub(super) fn next_window(&mut self) -> Result<Result<Window, Duration>, BatchError> {
        let after = self.inputs.iter().filter_map(|input| Some(input.done?.until)).max();
        // Before the window after the last one is over nothing can be due, whatever is in the log.
        if let (Schedule::Clock(clock), Some(after), false) =
            (self.config.schedule, after, self.control.is_closed())
        {
            let due = Window::next(Some(after), after, self.period_ms).end.plus_ms(self.config.grace_ms);
            let wait = clock.until(due, wall_ms());
            if !wait.is_zero() {
                return Ok(Err(wait));
            }
        }
        let at: Vec<_> = self.inputs.iter().map(|input| input.at.clone()).collect();
        let ends = self.admin.ends(&at)?;
        let (mut oldest, mut newest): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        for (input, end) in self.inputs.iter().zip(ends) {
            let end = end.unwrap_or(0);
            if end <= input.position {
                continue;
            }
            let probe = probe(&mut self.probes, &self.config.settings, input.topic)?;
            probe.turn_to(input.at.partition);
            // A record that claims to be of the next century is left by every run, and stays where
            // the bookmark stands. What waits behind it must not wait with it: so it is looked
            // among what was left, and among what no run has seen.
            let cut = Cut { done: input.done, until: Timestamp::MAX };
            let unseen = input.done.map_or(input.position, |done| done.end.max(input.position));
            let places = if unseen > input.position { vec![input.position, unseen] } else { vec![unseen] };
            for from in places {
                let waits = |offset, event: &Event| cut.fate(offset, Some(event)) != Fate::Done;
                if let Some(ts) = probe.oldest(from, end, &waits)? {
                    oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
                }
            }
            if self.config.schedule == Schedule::EventTime
                && let Some(ts) = probe.ts((end - 1).max(input.position), end)?
            {
                newest = newest.max(Some(ts));
            }
            probe.rest()?;
        }
        let Some(oldest) = oldest else {
            // Nothing waits. With a clock it is known when there may be something to do.
            return Ok(Err(match self.config.schedule {
                Schedule::Clock(clock) => {
                    let now = clock.simulated(wall_ms());
                    let end = Window::next(after, now, self.period_ms).end;
                    clock.until(end.plus_ms(self.config.grace_ms), wall_ms()).max(LOOK)
                }
                Schedule::EventTime => LOOK,
            }));
        };
        let window = Window::next(after, oldest, self.period_ms);
        let due = window.end.plus_ms(self.config.grace_ms);
        if self.control.is_closed() {
            return Ok(Ok(window));
        }
        Ok(match self.config.schedule {
            Schedule::Clock(clock) => {
                let wait = clock.until(due, wall_ms());
                if wait.is_zero() { Ok(window) } else { Err(wait) }
            }
            Schedule::EventTime => {
                if newest >= Some(due) {
                    Ok(window)
                } else {
                    Err(LOOK)
                }
            }
        })
    }
}
