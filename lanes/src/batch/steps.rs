//! One run of one window: what its four steps have in common, on a schedule and by hand.

use client::Admin;
use events::Timestamp;

use super::super::clock::wall_ms;
use super::super::retry::{Backoff, retry_with_backoff};
use super::super::window::Window;
use super::{BatchConfig, METADATA_TIMEOUT, Schedule};
use crate::warehouse::{LoggedRun, Run, RunOffsets, TableRows, Warehouse, WarehouseError, runs_near};
use crate::{BatchError, Control, DesiredState};

/// A run, named.
pub(super) struct Steps<'a> {
    pub(super) config: &'a BatchConfig,
    pub(super) control: &'a Control,
    pub(super) window: Window,
    pub(super) batch_id: String,
    /// How often a database that is away is retried.
    pub(super) backoff: Backoff,
}

/// When the rows of a run were in: from then on its answers could be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// In wall-clock time.
    pub(super) at: Timestamp,
    /// In event time.
    pub(super) visible_from: Timestamp,
}

impl<'a> Steps<'a> {
    /// The run of `window`. `retries` is how often what may pass is tried again; none for as often
    /// as it takes.
    pub(super) fn new(
        config: &'a BatchConfig,
        control: &'a Control,
        window: Window,
        retries: Option<u32>,
    ) -> Self {
        let backoff = Backoff::new(retries, config.first_wait);
        Self { config, control, window, batch_id: window.batch_id(&config.job), backoff }
    }

    pub(super) fn admin(&self) -> Result<Admin, BatchError> {
        Ok(Admin::connect(&self.config.settings, METADATA_TIMEOUT)?)
    }

    /// What the run log has of it.
    pub(super) fn line(&self, started_at: Timestamp, records: u64, offsets: Vec<RunOffsets>) -> Run {
        Run {
            job: self.config.job.clone(),
            batch_id: self.batch_id.clone(),
            window_start: self.window.start,
            window_end: self.window.end,
            records,
            started_at,
            offsets,
        }
    }

    /// Whether an answer about data up to `valid_from` rests on this run, and not on one before.
    pub(super) fn gives(&self, valid_from: Timestamp) -> bool {
        valid_from > self.window.start
    }

    /// The run is over now. A wall clock that was set back since `started_at` counts as standing
    /// still: in the run log nothing ends before it began.
    pub(super) fn finished(&self, started_at: Timestamp) -> Finished {
        let now = Timestamp::from_ms(wall_ms());
        if now < started_at {
            tracing::warn!(
                "{}: the machine's clock went back by {:.1} s during the run, so its times in the run log are not to be trusted; nothing is run twice for that",
                self.batch_id,
                started_at.since_ms(now) as f64 / 1000.0
            );
        }
        let at = now.max(started_at);
        let visible_from = match self.config.schedule {
            Schedule::Clock(clock) => clock.simulated(at.ms()).max(self.window.end),
            // How fast these topics' time runs is unknown: the window's end is the earliest that
            // could be.
            Schedule::EventTime => self.window.end,
        };
        Finished { at, visible_from }
    }

    /// An error once the lane has been told to stop.
    pub(super) fn check_stop(&self) -> Result<(), BatchError> {
        match self.control.desired_state() {
            DesiredState::Stop => Err(self.interrupted()),
            DesiredState::Run | DesiredState::Pause => Ok(()),
        }
    }

    fn interrupted(&self) -> BatchError {
        BatchError::Interrupted { batch_id: self.batch_id.clone() }
    }

    /// Loads the rows of the run. A stop while the database is away leaves the run to the job's
    /// next life.
    pub(super) fn load(
        &self,
        warehouse: &mut dyn Warehouse,
        run: &Run,
        rows: &TableRows,
    ) -> Result<u64, BatchError> {
        self.retry(|| warehouse.load(run, rows))
    }

    /// Notes when the answers of the run were out.
    pub(super) fn finish(
        &self,
        warehouse: &mut dyn Warehouse,
        Finished { at, visible_from }: Finished,
    ) -> Result<(), BatchError> {
        self.retry(|| warehouse.finish(&self.batch_id, at, visible_from))
    }

    /// The runs that the database knows around the window, which may touch it.
    pub(super) fn known_runs(&self, warehouse: &mut dyn Warehouse) -> Result<Vec<LoggedRun>, BatchError> {
        let (job, window) = (&self.config.job, self.window);
        self.retry(|| runs_near(warehouse, job, window.start, window.end))
    }

    /// The same, none of which may overlap the window unless it is the same.
    pub(super) fn overlapping_runs(
        &self,
        warehouse: &mut dyn Warehouse,
    ) -> Result<Vec<LoggedRun>, BatchError> {
        let near = self.known_runs(warehouse)?;
        self.refuse_overlap(&near)?;
        Ok(near)
    }

    /// An error if one of these runs overlaps the window and is not the same.
    pub(super) fn refuse_overlap(&self, near: &[LoggedRun]) -> Result<(), BatchError> {
        let window = self.window;
        let overlaps = |run: &LoggedRun| run.window_start < window.end && run.window_end > window.start;
        match near.iter().find(|run| overlaps(run) && !self.is_same(run)) {
            Some(other) => Err(BatchError::Overlap {
                start: window.start,
                end: window.end,
                other: other.batch_id.clone(),
                other_start: other.window_start,
                other_end: other.window_end,
            }),
            None => Ok(()),
        }
    }

    /// Whether `run` was over this window.
    pub(super) fn is_same(&self, run: &LoggedRun) -> bool {
        run.window_start == self.window.start && run.window_end == self.window.end
    }

    fn retry<T>(&self, attempt: impl FnMut() -> Result<T, WarehouseError>) -> Result<T, BatchError> {
        retry_with_backoff(self.backoff.clone(), self.control, attempt).map_err(|error| {
            if self.control.desired_state() == DesiredState::Stop {
                tracing::warn!("{error}");
                self.interrupted()
            } else {
                error.into()
            }
        })
    }
}
