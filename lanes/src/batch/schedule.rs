//! Which window is due, and when, and how far its run reads.
//!
//! Windows follow each other without a gap in what they take, on a schedule and by hand. So a
//! schedule that comes to a window that was run by hand runs that very window, also where it is
//! longer or shorter than its own would be ([`Job::fit`]), and cuts it where it was cut
//! ([`Job::plan`]).

use std::time::Duration;

use events::{Event, Timestamp};

use super::super::clock::wall_ms;
use super::super::commit_metadata::RunEnd;
use super::super::offsets::partitions_of;
use super::super::rebuild::OffsetSearcher;
use super::super::window::{Assignment, Cut, Window};
use super::edges::{Edges, is_of_this_log, window_of};
use super::job::{InputPosition, Job, searcher};
use super::newest::Newest;
use super::steps::Steps;
use super::{LOOK, Schedule};
use crate::BatchError;
use crate::warehouse::LoggedRun;

impl Job<'_> {
    /// The window that is due, or how long to wait until it is looked for again.
    pub(super) fn next_window(&mut self) -> Result<Result<Window, Duration>, BatchError> {
        let after = self.ran_until();
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
        let (mut oldest, mut newest): (Option<Timestamp>, _) = (None, Newest::default());
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
            let unseen = input.unseen();
            let places = if unseen > input.position { vec![input.position, unseen] } else { vec![unseen] };
            for from in places {
                let waits =
                    |offset, event: &Event| cut.assignment(offset, Some(event)) != Assignment::Earlier;
                let first_few = (from + OffsetSearcher::WIDTH).min(end);
                if let Some(ts) = searcher.oldest(from, first_few, &waits)? {
                    oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
                }
            }
            if self.config.schedule == Schedule::EventTime {
                newest.look(searcher, input.position, end)?;
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
                if newest.has_passed(due) {
                    Ok(window)
                } else {
                    Err(LOOK)
                }
            }
        })
    }

    /// The window to run where `due` is due, and the runs whose edges it has: the same, unless a
    /// part of it was run by hand, or something waits that belongs to a window before it.
    pub(super) fn fit(&mut self, due: Window) -> Result<(Window, Vec<LoggedRun>), BatchError> {
        let after = self.ran_until();
        let mut window = due;
        // Each turn begins the window earlier or ends it earlier.
        loop {
            let known = self.runs_around(window)?;
            let fitted = among(&known, window, after);
            if fitted != window {
                window = fitted;
                continue;
            }
            match self.older_than(window, &known)? {
                Some(ts) => window = Window::next(after, ts, self.period_ms),
                None => return Ok((window, known)),
            }
        }
    }

    /// The runs that are loaded and overlap `window` or touch its end, by their windows.
    fn runs_around(&mut self, window: Window) -> Result<Vec<LoggedRun>, BatchError> {
        let steps = Steps::new(self.config, self.control, window, self.config.job_retries());
        let mut runs = steps.known_runs(self.warehouse)?;
        runs.retain(|run| run.window_end > window.start);
        if runs.is_empty() {
            return Ok(runs);
        }
        let ends = self.input_ends()?;
        let mut of_this_log = Vec::new();
        for run in runs {
            let mut is_ours = true;
            for (InputPosition { place, .. }, log) in self.inputs.iter().zip(&ends) {
                let searcher = searcher(&mut self.searchers, &self.config.settings, place.0)?;
                searcher.select_partition(place.1);
                is_ours &= is_of_this_log(&run, searcher, *place, *log)?;
                searcher.stop_fetching()?;
            }
            if is_ours {
                of_this_log.push(run);
            } else {
                tracing::info!(
                    "{}: the database knows it of another log, where it was cut otherwise",
                    run.batch_id
                );
            }
        }
        Ok(of_this_log)
    }

    /// The oldest event time of what no run has taken, and a run of `window` would leave to the
    /// windows before. A window that follows the last one leaves nothing.
    fn older_than(&mut self, window: Window, known: &[LoggedRun]) -> Result<Option<Timestamp>, BatchError> {
        if self.ran_until() == Some(window.start) {
            return Ok(None);
        }
        let edges = Edges { window, grace_ms: self.config.grace_ms, known };
        let ends = self.input_ends()?;
        let mut oldest: Option<Timestamp> = None;
        for (input, log) in self.inputs.iter().zip(ends) {
            let (place, first) = (input.place, input.position);
            let searcher = searcher(&mut self.searchers, &self.config.settings, place.0)?;
            searcher.select_partition(place.1);
            let edge = edges.start(searcher, place, log)?;
            let cut = Cut { done: input.marks.read, until: window.start };
            let left = |offset, event: &Event| cut.assignment(offset, Some(event)) == Assignment::This;
            if let Some(ts) = searcher.oldest(first, edge.max(first), &left)? {
                oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
            }
            searcher.stop_fetching()?;
        }
        Ok(oldest)
    }

    /// Between which offsets each input lies.
    fn input_ends(&self) -> Result<Vec<(i64, i64)>, BatchError> {
        let ends = self.admin.offsets(&partitions_of(self.inputs.iter().map(|input| &input.place)))?;
        Ok(ends.into_iter().map(|ends| ends.map_or((0, 0), |ends| (ends.earliest, ends.latest))).collect())
    }

    /// The end of the last window that was run.
    fn ran_until(&self) -> Option<Timestamp> {
        self.inputs.iter().filter_map(|input| Some(input.marks.read?.until)).max()
    }

    /// Decides how far the run of `window` reads, beside the runs that are `known`, and writes that
    /// down before anything is done.
    pub(super) fn plan(&mut self, window: Window, known: &[LoggedRun]) -> Result<(), BatchError> {
        if self.inputs.iter().any(|input| input.marks.plan.is_some()) {
            return Ok(());
        }
        let edges = Edges { window, grace_ms: self.config.grace_ms, known };
        let ends = self.input_ends()?;
        for (input, log) in self.inputs.iter_mut().zip(ends) {
            let place = input.place;
            let searcher = searcher(&mut self.searchers, &self.config.settings, place.0)?;
            searcher.select_partition(place.1);
            let end = edges.end(searcher, place, input.unseen(), log)?;
            searcher.stop_fetching()?;
            input.marks.plan = Some(RunEnd { end, until: window.end });
            input.marks.plan_start = Some(window.start);
        }
        self.commit()
    }
}

/// What of `window` is run next among runs that are there, when windows up to `after` have been:
/// what lies before the first of them, or that run's own window. One that began before `after` is
/// no neighbour, and the run will be refused.
fn among(known: &[LoggedRun], window: Window, after: Option<Timestamp>) -> Window {
    let overlaps = |run: &Window| run.start < window.end && run.end > window.start;
    match known.iter().filter_map(window_of).find(overlaps) {
        Some(run) if window.start < run.start => Window::new(window.start, run.start),
        Some(run) if after.is_none_or(|after| after <= run.start) => run,
        Some(_) | None => window,
    }
}
