//! Workers that have crashed are started again in a show without a screen, as a supervisor
//! does: after a while, each time after a longer one, and not for ever.

use std::collections::HashMap;

use dashboard::{NoticeKind, Severity};

use super::ShowController;
use crate::clock::wall_ms;
use crate::supervise::Worker;

/// The first wait, in milliseconds of wall-clock time; each one after it is twice as long.
const FIRST_WAIT_MS: i64 = 500;
/// How often in a row a worker is started again.
const MOST: u32 = 6;
/// One that has run for so long does not fail in a row any more, in milliseconds likewise.
const STEADY_MS: i64 = 60_000;

/// When to start which worker again.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    workers: HashMap<String, Attempts>,
}

/// How a worker fared so far.
#[derive(Debug, Default)]
struct Attempts {
    in_a_row: u32,
    started_ms: i64,
    due_ms: Option<i64>,
}

/// What is done about a worker that has crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is started again after so many milliseconds.
    Restart { wait_ms: i64, attempt: u32 },
    /// It stays down.
    GiveUp,
}

impl Restarts {
    /// A worker has crashed.
    fn crashed(&mut self, now_ms: i64, worker: &str) -> Next {
        let attempts = self.workers.entry(worker.to_owned()).or_default();
        if now_ms - attempts.started_ms >= STEADY_MS {
            attempts.in_a_row = 0;
        }
        if attempts.in_a_row == MOST {
            return Next::GiveUp;
        }
        let wait_ms = FIRST_WAIT_MS << attempts.in_a_row;
        attempts.in_a_row += 1;
        attempts.due_ms = Some(now_ms + wait_ms);
        Next::Restart { wait_ms, attempt: attempts.in_a_row }
    }

    /// The workers whose time has come.
    fn due(&mut self, now_ms: i64) -> Vec<String> {
        let due = |attempts: &mut Attempts| {
            let due = attempts.due_ms.take_if(|due_ms| *due_ms <= now_ms).is_some();
            if due {
                attempts.started_ms = now_ms;
            }
            due
        };
        let workers = self.workers.iter_mut();
        workers.filter_map(|(worker, attempts)| due(attempts).then(|| worker.clone())).collect()
    }
}

impl ShowController {
    /// From now on a worker that crashes is started again.
    pub fn restart_crashed_workers(&mut self) {
        self.restarts = Some(Restarts::default());
    }

    /// A worker has crashed: what is done about it, for the sentence that tells of the crash.
    pub(super) fn after_crash(&mut self, worker: &str) -> String {
        let told_to_end =
            self.supervisor.as_ref().and_then(|s| s.worker(worker)).is_none_or(Worker::is_to_end);
        let Some(restarts) = self.restarts.as_mut().filter(|_| !told_to_end) else { return String::new() };
        match restarts.crashed(wall_ms(), worker) {
            Next::Restart { wait_ms, attempt } => format!(
                "; it is started again in {:.1} s ({attempt} of {MOST} times in a row)",
                wait_ms as f64 / 1_000.0
            ),
            Next::GiveUp => format!("; it was started again {MOST} times in a row and stays down"),
        }
    }

    /// Whether a worker that has crashed is yet to be started again.
    pub fn awaits_restart(&self) -> bool {
        let mut all = self.restarts.iter().flat_map(|restarts| restarts.workers.values());
        all.any(|attempts| attempts.due_ms.is_some())
    }

    pub(super) fn restart_due_workers(&mut self) {
        let now_ms = wall_ms();
        let due = self.restarts.as_mut().map(|restarts| restarts.due(now_ms)).unwrap_or_default();
        for worker in due {
            let known = self.supervisor.as_mut().filter(|s| {
                // A person, or the end of the show, may have come before.
                s.worker(&worker).is_some_and(|known| !known.is_running() && !known.is_to_end())
            });
            let Some(supervisor) = known else { continue };
            let (severity, text) = match supervisor.restart(&worker) {
                Ok(_) => (Severity::Info, "was started again".to_owned()),
                Err(error) => (Severity::Bad, format!("could not be started again: {error}")),
            };
            self.changed.insert(worker.clone(), now_ms);
            self.note(NoticeKind::Note, severity, &worker, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crash_in_a_row_waits_longer_until_it_is_enough() {
        let mut restarts = Restarts::default();
        let mut now_ms = 1_000_000;
        for attempt in 1..=MOST {
            let wait_ms = FIRST_WAIT_MS << (attempt - 1);
            assert_eq!(restarts.crashed(now_ms, "eta"), Next::Restart { wait_ms, attempt });
            assert_eq!(restarts.due(now_ms + wait_ms - 1), Vec::<String>::new());
            now_ms += wait_ms;
            assert_eq!(restarts.due(now_ms), ["eta"]);
            assert_eq!(restarts.due(now_ms), Vec::<String>::new(), "once");
        }
        assert_eq!(restarts.crashed(now_ms + 1, "eta"), Next::GiveUp);
        let first = Next::Restart { wait_ms: FIRST_WAIT_MS, attempt: 1 };
        assert_eq!(restarts.crashed(now_ms + 1, "fraud"), first, "another's crashes are its own");
        assert_eq!(restarts.crashed(now_ms + STEADY_MS, "eta"), first, "it had run for a minute");
    }
}
