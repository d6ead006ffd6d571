//! Commands to the cluster and not to a worker: each takes as long as the cluster takes to answer,
//! so each is an errand of a thread of its own, with a client of its own. What came of it is said in
//! words when the thread is back.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use dashboard::{Action, Target};

use super::ShowController;
use crate::records::redrive;

/// What an errand came to: a sentence, or why it could not be done.
pub(super) type Outcome = Receiver<Result<String, String>>;

impl ShowController {
    /// Sends a thread on its way if a command is for the cluster; none when it is for a worker.
    pub(super) fn errand(&self, action: Action, target: &Target) -> Option<Result<Outcome, String>> {
        let topic = target.name().to_owned();
        let settings = self.admin.settings().clone();
        match action {
            Action::Redrive { only } => Some(start(move || redrive(&settings, &topic, only))),
            Action::Pause
            | Action::Resume
            | Action::Restart
            | Action::Kill
            | Action::ScaleUp
            | Action::ScaleDown
            | Action::Burst
            | Action::Rewind
            | Action::Dial(_) => None,
        }
    }
}

fn start(errand: impl FnOnce() -> Result<String, String> + Send + 'static) -> Result<Outcome, String> {
    let (report, outcome) = channel();
    // The controller may be gone by then.
    let run = move || drop(report.send(errand()));
    let started = thread::Builder::new().name("errand".into()).spawn(run);
    started.map(|_| outcome).map_err(|error| format!("no thread for it: {error}"))
}
