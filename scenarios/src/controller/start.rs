//! What starts later than the controller: workers that learn from a history, the show's clock with
//! those who need it, and the bill of the hour before.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use dashboard::{NoticeKind, PastBill, Severity};

use super::ShowController;
use crate::clock::{SimulatedClock, wall_ms};
use crate::supervise::WorkerSpec;

/// Workers that start when the groups that answer them have joined.
pub(super) struct DeferredStart {
    /// The groups that must have joined.
    groups: Vec<String>,
    /// How long to wait for them, in milliseconds of wall-clock time, once all of them have been
    /// started.
    patience_ms: i64,
    /// When to start although a group is missing.
    at_latest_ms: Option<i64>,
    /// Makes the workers, given the moment at which the show's clock starts.
    workers: Box<dyn FnOnce(i64) -> (SimulatedClock, Vec<WorkerSpec>) + Send>,
}

impl ShowController {
    /// Starts these workers, and the show's clock, when each of `groups` has joined: no question
    /// should come before there is a worker to answer it. After `patience` it starts them without
    /// the groups that are missing.
    ///
    /// # Panics
    /// When workers are deferred already: one show has one clock to start.
    pub fn start_when_ready(
        &mut self,
        groups: Vec<String>,
        patience: Duration,
        workers: impl FnOnce(i64) -> (SimulatedClock, Vec<WorkerSpec>) + Send + 'static,
    ) {
        assert!(self.second.is_none(), "workers are deferred already, for {groups:?} too");
        let patience_ms = patience.as_millis() as i64;
        self.second =
            Some(DeferredStart { groups, patience_ms, at_latest_ms: None, workers: Box::new(workers) });
    }

    pub(super) fn start_if_ready(&mut self) {
        let now_ms = wall_ms();
        // A worker that reads a history can't start before it is written, however long a busy
        // machine takes for that.
        if let Some(second) = self.second.as_mut().filter(|_| self.later.is_none()) {
            second.at_latest_ms.get_or_insert(now_ms + second.patience_ms);
        }
        let ready = |second: &DeferredStart| {
            second.at_latest_ms.is_some_and(|at_latest_ms| {
                at_latest_ms <= now_ms || second.groups.iter().all(|group| self.show.is_at_work(group))
            })
        };
        let Some(second) = self.second.take_if(|second| ready(second)) else { return };
        let (clock, specs) = (second.workers)(now_ms);
        self.show.start(clock);
        self.start_all(specs);
    }

    /// Starts the workers that come through `later`, one group of them after the other, or notes
    /// the errors that come instead.
    pub fn start_later(&mut self, later: Receiver<Result<Vec<WorkerSpec>, String>>) {
        self.later = Some(later);
    }

    pub(super) fn start_deferred_workers(&mut self) {
        match self.later.as_ref().map(Receiver::try_recv) {
            Some(Ok(Ok(specs))) => self.start_all(specs),
            Some(Ok(Err(reason))) => {
                self.note(NoticeKind::Crash, Severity::Bad, "past", reason);
                // Those who learn from it won't come: they are not waited for.
                if let Some(second) = &mut self.second {
                    second.patience_ms = 0;
                }
            }
            Some(Err(TryRecvError::Disconnected)) => self.later = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
    }

    /// Shows the bill of the hours before the show when it comes through `past`, or notes why it
    /// does not.
    pub fn expect_past(&mut self, past: Receiver<Result<PastBill, String>>) {
        self.past = Some(past);
        self.show.expect_past();
    }

    pub(super) fn take_past(&mut self) {
        match self.past.as_ref().map(Receiver::try_recv) {
            Some(Ok(Ok(past))) => self.show.set_past(Some(past)),
            Some(Ok(Err(reason))) => {
                self.show.set_past(None);
                self.note(NoticeKind::Note, Severity::Warning, "past", reason);
            }
            Some(Err(TryRecvError::Disconnected)) => self.past = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
    }

    fn start_all(&mut self, specs: Vec<WorkerSpec>) {
        for spec in specs {
            let name = spec.name.clone();
            let started = self.supervisor.as_mut().map_or(Ok(()), |supervisor| supervisor.start(spec));
            if let Err(error) = started {
                let text = format!("could not be started: {error}");
                self.note(NoticeKind::Crash, Severity::Bad, &name, text);
            }
        }
    }
}
