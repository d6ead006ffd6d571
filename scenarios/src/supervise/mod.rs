//! The worker processes of a show: started, watched, told what to do, and never left behind.
//!
//! Every producer, consumer and batch job is a process of its own, as it would be in production:
//! one can be killed without the others noticing more than its silence. The supervisor holds the
//! writing end of each worker's standard input. A line on it is an order (`pause`, `resume`,
//! `burst`, `stop`), and its end, which comes even when the supervisor was killed, is the order to
//! finish; so no worker outlives the show. What it waits for, what it warns of and how far it is,
//! it tells in lines of JSON on its standard output ([`WorkerLine`]). What it writes on standard
//! error is for a person; its last line is kept, and its end says that the worker has ended: nobody
//! polls.
//!
//! # Simplifications
//! - A crashed worker stays down until someone restarts it. An orchestrator would do so by itself;
//!   here the crash is the lesson.

mod line;
mod worker;

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub use line::WorkerLine;
pub use worker::{Ended, Order, Worker, WorkerSpec, WorkerState};

/// What a worker did that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerNews {
    /// It told something on standard output.
    Told {
        /// Which worker.
        worker: String,
        /// What.
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
    /// A supervisor of nobody yet.
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

    /// Everyone, in the order in which they were first started.
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

    /// Gives a running worker an order; says whether there was such a worker.
    pub fn order(&mut self, name: &str, order: Order) -> bool {
        self.worker_mut(name).is_some_and(|worker| worker.order(order))
    }

    /// Kills a running worker with SIGKILL: no goodbye, as a crash would be.
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

    /// Starts one more instance beside `name`, with the same arguments and a number of its own.
    /// Says its name.
    pub fn scale_up(&mut self, name: &str) -> io::Result<Option<String>> {
        let Some(first) = self.worker(name) else { return Ok(None) };
        let role = first.spec.role.clone();
        let number = (2..1000)
            .find(|n| self.worker(&format!("{role}-{n}")).is_none())
            .expect("nobody starts a thousand of one kind");
        let spec = WorkerSpec { name: format!("{role}-{number}"), ..first.spec.clone() };
        let started = spec.name.clone();
        self.start(spec)?;
        Ok(Some(started))
    }

    /// Stops the newest instance of `role` if there is more than one, and forgets it. Says its
    /// name.
    pub fn scale_down(&mut self, role: &str) -> Option<String> {
        if self.workers.iter().filter(|worker| worker.spec.role == role).count() < 2 {
            return None;
        }
        let last = self.workers.iter().rposition(|worker| worker.spec.role == role)?;
        let mut worker = self.workers.remove(last);
        worker.order(Order::Stop);
        // Its process ends by itself; until then it is waited for by the thread that reads its
        // standard error.
        worker.detach();
        Some(worker.spec.name.clone())
    }

    /// What has happened since the last call.
    pub fn news(&mut self) -> Vec<WorkerNews> {
        let raw: Vec<_> = self.news.try_iter().collect();
        raw.into_iter().filter_map(|news| self.take(news)).collect()
    }

    fn take(&mut self, news: worker::RawNews) -> Option<WorkerNews> {
        match news {
            worker::RawNews::Told { worker, line } => Some(WorkerNews::Told { worker, line }),
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

    /// Asks everyone to stop, waits until they have or `patience` is over, and kills who is left.
    /// Says who had to be killed.
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
