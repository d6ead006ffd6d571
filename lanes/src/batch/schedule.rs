//! Which window is due, and when, and how far its run reads.

use std::time::Duration;

use events::{Event, Timestamp};

use super::super::clock::wall_ms;
use super::super::commit_metadata::RunEnd;
use super::super::offsets::partitions_of;
use super::super::window::{Assignment, Cut, Window};
use super::job::{InputPosition, Job, searcher};
use super::{LOOK, Schedule};
use crate::BatchError;

impl Job<'_> {
    /// The window that is due, or how long to wait until it is looked for again.
    pub(super) fn next_window(&mut self) -> Result<Result<Window, Duration>, BatchError> {
        let after = self.inputs.iter().filter_map(|input| Some(input.marks.read?.until)).max();
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
        let ends = self.admin.ends(&partitions_of(self.inputs.iter().map(|input| &input.place)))?;
        let (mut oldest, mut newest): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        for (input, end) in self.inputs.iter().zip(ends) {
            let end = end.unwrap_or(0);
            if end <= input.position {
                continue;
            }
            let (topic, partition) = input.place;
            let searcher = searcher(&mut self.searchers, &self.config.settings, topic)?;
            searcher.select_partition(partition);
            // A record that claims to be of the next century is left by every run, and holds the
            // committed offset. The records behind it must not wait with it: so both the records
            // that runs have left and those that no run has seen are searched.
            let cut = Cut { done: input.marks.read, until: Timestamp::MAX };
            let unseen = input.marks.read.map_or(input.position, |done| done.end.max(input.position));
            let places = if unseen > input.position { vec![input.position, unseen] } else { vec![unseen] };
            for from in places {
                let waits =
                    |offset, event: &Event| cut.assignment(offset, Some(event)) != Assignment::Earlier;
                if let Some(ts) = searcher.oldest(from, end, &waits)? {
                    oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
                }
            }
            if self.config.schedule == Schedule::EventTime
                && let Some(ts) = searcher.ts((end - 1).max(input.position), end)?
            {
                newest = newest.max(Some(ts));
            }
            searcher.stop_fetching()?;
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

    /// Decides how far the run of `window` reads, and writes that down before anything is done.
    pub(super) fn plan(&mut self, window: Window) -> Result<(), BatchError> {
        if self.inputs.iter().any(|input| input.marks.plan.is_some()) {
            return Ok(());
        }
        let ends = self.admin.ends(&partitions_of(self.inputs.iter().map(|input| &input.place)))?;
        let beyond = window.end.plus_ms(self.config.grace_ms.max(self.period_ms));
        for (InputPosition { place: (topic, partition), position, marks }, end) in
            self.inputs.iter_mut().zip(ends)
        {
            let end = end.unwrap_or(0).max(*position);
            // A job that is many periods behind must not read to the end of the log for each of
            // them.
            let searcher = searcher(&mut self.searchers, &self.config.settings, *topic)?;
            let end = searcher.select_partition(*partition).search(*position, end, beyond)?.1;
            searcher.stop_fetching()?;
            // What an earlier run has looked at stays looked at.
            let end = marks.read.map_or(end, |done| end.max(done.end));
            marks.plan = Some(RunEnd { end, until: window.end });
            marks.plan_start = Some(window.start);
        }
        self.commit()
    }
}
