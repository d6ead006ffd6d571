//! The worker processes of a show: started, watched, told what to do, and never left behind.
//!
//! Every producer, consumer and batch job is a process of its own, as it would be in production:
//! one can be killed, and the others notice only that it is silent. The supervisor holds the
//! writing end of each worker's standard input. A line on it is an order (`pause`, `resume`,
//! `burst`, `stop`), and its end, which comes even when the supervisor was killed, is the order to
//! finish; so no worker outlives the show. A worker reports what it waits for, its warnings and its
//! progress in lines of JSON on its standard output ([`WorkerLine`]). Its standard error is for a
//! person: the last line is kept, and the end of the pipe tells that the worker has ended, without
//! polling.
//!
//! # Simplifications
//! - A crashed worker stays down until it is restarted: by a person at the screen, for whom the
//!   crash is the lesson, or by the controller of a show without one.

mod line;
mod worker;

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub use line::WorkerLine;
pub use worker::{Ended, Order, Worker, WorkerSpec, WorkerState};

/// An event of a worker that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerNews {
    /// It wrote a line on standard output.
    Line {
        /// Which worker.
        worker: String,
        /// The line.
        line: WorkerLine,
    },
    /// It wrote a line on standard error.
    Said {
        /// Which worker.
        worker: String,
        /// The line.
        line: String,
    },
    /// Its process has ended.
    Ended {
        /// Which worker.
        worker: String,
        /// Its process id.
        pid: u32,
        /// How it ended.
        how: Ended,
    },
}

/// All workers of a show.
pub struct Supervisor {
    workers: Vec<Worker>,
    news: mpsc::Receiver<worker::RawNews>,
    report: mpsc::Sender<worker::RawNews>,
}

impl Default for Supervisor {
    /// A supervisor without workers.
    fn default() -> Self {
        let (report, news) = mpsc::channel();
        Self { workers: Vec::new(), news, report }
    }
}

impl Supervisor {
    /// Starts a worker. Its name must be new.
    pub fn start(&mut self, spec: WorkerSpec) -> io::Result<()> {
        assert!(self.worker(&spec.name).is_none(), "the worker {} is started once", spec.name);
        let worker = Worker::start(spec, &self.report)?;
        self.workers.push(worker);
        Ok(())
    }

    /// All workers, in the order in which they were first started.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// The worker of this name.
    pub fn worker(&self, name: &str) -> Option<&Worker> {
        self.workers.iter().find(|worker| worker.spec.name == name)
    }

    fn worker_mut(&mut self, name: &str) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.spec.name == name)
    }

    /// Gives a running worker an order; returns whether there was such a worker.
    pub fn order(&mut self, name: &str, order: Order) -> bool {
        self.worker_mut(name).is_some_and(|worker| worker.order(order))
    }

    /// Kills a running worker with SIGKILL: it ends as by a crash, without cleaning up.
    pub fn kill(&mut self, name: &str) -> bool {
        self.worker_mut(name).is_some_and(Worker::kill)
    }

    /// Starts a worker that has ended again; a running one is stopped first.
    pub fn restart(&mut self, name: &str) -> io::Result<bool> {
        let report = self.report.clone();
        match self.worker_mut(name) {
            Some(worker) => worker.restart(&report).map(|()| true),
            None => Ok(false),
        }
    }

    /// Starts one more instance of the role of `name`, with the same arguments and the next number.
    /// Returns its name.
    pub fn scale_up(&mut self, name: &str) -> io::Result<Option<String>> {
        let Some(first) = self.worker(name) else { return Ok(None) };
        let role = first.spec.role.clone();
        let number = (2..1000)
            .find(|n| self.worker(&format!("{role}-{n}")).is_none())
            .expect("one role has fewer than a thousand instances");
        let spec = WorkerSpec { name: format!("{role}-{number}"), ..first.spec.clone() };
        let started = spec.name.clone();
        self.start(spec)?;
        Ok(Some(started))
    }

    /// Stops the newest instance of `role` if there is more than one, and removes it. Returns its
    /// name.
    pub fn scale_down(&mut self, role: &str) -> Option<String> {
        if self.workers.iter().filter(|worker| worker.spec.role == role).count() < 2 {
            return None;
        }
        let last = self.workers.iter().rposition(|worker| worker.spec.role == role)?;
        let mut worker = self.workers.remove(last);
        worker.order(Order::Stop);
        // Its process ends on its own; a thread waits for it.
        worker.detach();
        assert!(
            self.workers.iter().any(|worker| worker.spec.role == role),
            "the last instance of {role} was stopped by scaling down"
        );
        Some(worker.spec.name.clone())
    }

    /// What has happened since the last call.
    pub fn news(&mut self) -> Vec<WorkerNews> {
        let raw: Vec<_> = self.news.try_iter().collect();
        raw.into_iter().filter_map(|news| self.take(news)).collect()
    }

    fn take(&mut self, news: worker::RawNews) -> Option<WorkerNews> {
        match news {
            worker::RawNews::Line { worker, line } => Some(WorkerNews::Line { worker, line }),
            worker::RawNews::Said { worker, line } => {
                if let Some(known) = self.worker_mut(&worker) {
                    known.last_line = Some(line.clone());
                }
                Some(WorkerNews::Said { worker, line })
            }
            worker::RawNews::Closed { worker, pid } => {
                let how = self.worker_mut(&worker)?.reap(pid)?;
                Some(WorkerNews::Ended { worker, pid, how })
            }
        }
    }

    /// Asks all workers to stop, waits until they have or `patience` is over, and kills the rest.
    /// Returns the names of those that were killed.
    #[expect(clippy::disallowed_methods, reason = "waiting for other processes is the rim")]
    pub fn shutdown(mut self, patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        for worker in &mut self.workers {
            worker.order(Order::Stop);
            worker.close_input();
        }
        while self.workers.iter().any(Worker::is_running) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(news) => drop(self.take(news)),
                Err(_) => break,
            }
        }
        self.workers.iter_mut().filter_map(|worker| worker.kill().then(|| worker.spec.name.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
