//! The controller of a show: it takes observations, executes commands, and publishes snapshots.
//!
//! The controller is a single thread that owns the [`Show`], the workers and the controls, so
//! nothing needs a lock. It wakes for what the watching threads send, and a few times a second to
//! publish a [`Snapshot`].

mod controls;
mod disk;
mod errands;
mod log_bound;
mod restarts;
mod slow_machine;
mod start;
mod warnings;

use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bill::Lane;
use client::Admin;
use controls::Control;
use dashboard::{
    ControlState, Group, Notice, NoticeKind, PastBill, Severity, Snapshot, Sourced, Trend,
    WorkerState as Shown,
};
use disk::Disk;
pub use disk::free_bytes;
use log_bound::LogBound;
use restarts::Restarts;
use slow_machine::{Look, SlowMachine};
use start::DeferredStart;
use warnings::WarningDeduplicator;

use events::{HOUR_MS, Timestamp};

use crate::clock::wall_ms;
use crate::metrics::ShowMetrics;
use crate::observe::Show;
use crate::observe::watch::{Seen, Watch};
use crate::records::RecordReader;
use crate::supervise::{Ended, Order, Supervisor, Worker, WorkerLine, WorkerNews, WorkerSpec, WorkerState};
use crate::usage::{ProcessorTime, Usage};

/// After so many hours of event time it is told what a lane takes to run.
const LEAST_HOURS: f64 = 1.0 / 12.0;
/// How often a snapshot is made.
pub const SNAPSHOT_EVERY: Duration = Duration::from_millis(200);

/// Owns everything that a show consists of while it runs.
pub struct ShowController {
    /// The observations.
    pub show: Show,
    watch: Watch,
    admin: Admin,
    /// Starts and ends the workers; none if this process did not start them.
    pub supervisor: Option<Supervisor>,
    second: Option<DeferredStart>,
    later: Option<Receiver<Result<Vec<WorkerSpec>, String>>>,
    past: Option<Receiver<Result<PastBill, String>>>,
    controls: Vec<Control>,
    changed: HashMap<String, i64>,
    bursting_until: HashMap<String, i64>,
    last_groups: Vec<Group>,
    last_rates: HashMap<String, f64>,
    meters: HashMap<String, (Lane, Meter)>,
    /// What each lane had used when the dial was last moved, as [`Lane::ALL`] has them.
    cpu_s_at_turn: [Option<f64>; 2],
    warnings: WarningDeduplicator,
    /// Starts crashed workers again; none where that is left to a person.
    restarts: Option<Restarts>,
    /// Where the log is; none if that is on another machine.
    disk: Option<Disk>,
    slow_machine: SlowMachine,
    /// The cars of the show, if it has any.
    drivers: Option<u32>,
    /// How much of the log is kept; none where that is another's business.
    log_bound: Option<LogBound>,
    /// Reads the records that are on the screen; none while there are none.
    records: Option<RecordReader>,
    /// Is told what is shown, if anybody wants to know.
    metrics: Option<ShowMetrics>,
}

impl ShowController {
    /// A controller without commands, and without deferred workers.
    pub fn new(show: Show, watch: Watch, admin: Admin, supervisor: Option<Supervisor>) -> Self {
        Self {
            show,
            watch,
            admin,
            supervisor,
            second: None,
            later: None,
            past: None,
            controls: Vec::new(),
            changed: HashMap::new(),
            bursting_until: HashMap::new(),
            last_groups: Vec::new(),
            last_rates: HashMap::new(),
            meters: HashMap::new(),
            cpu_s_at_turn: [None; 2],
            warnings: WarningDeduplicator::default(),
            restarts: None,
            disk: None,
            log_bound: None,
            slow_machine: SlowMachine::default(),
            drivers: None,
            records: None,
            metrics: None,
        }
    }

    /// Has these metrics told what every snapshot shows.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Option<ShowMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Tells how many cars the show has: fewer of them help a slow machine.
    #[must_use]
    pub fn with_drivers(mut self, drivers: Option<u32>) -> Self {
        self.drivers = drivers;
        self
    }

    /// Takes the observations of `time`, and what the workers did.
    pub fn take_in(&mut self, time: Duration) {
        if let Some(seen) = self.watch.next(time) {
            match seen {
                Seen::Poll(now_ms, poll) => {
                    self.show.poll(now_ms, poll);
                    self.start_if_ready();
                }
                Seen::Begin(questions) => self.show.begin(&questions),
                Seen::Silence(now_ms, reason) => self.show.silence(now_ms, &reason),
                Seen::Records(records) => {
                    for record in &records {
                        self.show.take(record);
                    }
                }
            }
        }
        self.start_deferred_workers();
        self.take_past();
        self.take_raised_bound();
        let news = self.supervisor.as_mut().map(Supervisor::news).unwrap_or_default();
        for news in news {
            self.tell(news);
        }
        self.restart_due_workers();
        self.look_after_disk();
    }

    fn tell(&mut self, news: WorkerNews) {
        let (subject, severity, kind, text) = match news {
            // The last line of a worker is kept.
            WorkerNews::Said { worker, line } => {
                tracing::debug!(worker, line);
                return;
            }
            WorkerNews::Line { worker, line: WorkerLine::Read { topic, records } } => {
                let spec = self.supervisor.as_ref().and_then(|s| s.worker(&worker)).map(|w| &w.spec);
                if let Some(group) = spec.and_then(|spec| spec.group.as_deref()) {
                    self.show.read(wall_ms(), &worker, group, &topic, records);
                }
                return;
            }
            WorkerNews::Line { worker, line } => match self.warnings.news(wall_ms(), &worker, line) {
                Some(text) => (worker, Severity::Warning, NoticeKind::Note, text),
                None => return,
            },
            WorkerNews::Ended { worker, how, .. } => {
                self.changed.insert(worker.clone(), wall_ms());
                self.warnings.forget(&worker);
                self.slow_machine.excuse();
                let words = self.supervisor.as_ref().and_then(|s| s.worker(&worker)?.last_line.clone());
                let text = match (how, words) {
                    (Ended::Exit(0) | Ended::Signal(_), _) | (_, None) => how.to_string(),
                    (Ended::Exit(_), Some(words)) => format!("{how}: {words}"),
                };
                if how == Ended::Exit(0) {
                    (worker, Severity::Info, NoticeKind::Crash, text)
                } else {
                    let next = self.after_crash(&worker);
                    (worker, Severity::Bad, NoticeKind::Crash, text + &next)
                }
            }
        };
        self.note(kind, severity, &subject, text);
    }

    /// Notes what has happened just now.
    fn note(&mut self, kind: NoticeKind, severity: Severity, subject: &str, text: String) {
        let subject = subject.to_owned();
        self.show.note(Notice { at_ms: wall_ms(), kind, severity, subject, text, duration_ms: None });
    }

    /// The blocked workers, each with what it waits for.
    pub fn waiting(&self) -> impl Iterator<Item = (&str, &str)> {
        self.warnings.waiting()
    }

    /// How long the show's clock has run, in wall-clock time, without the preparation.
    pub fn lasted(&self) -> Duration {
        let lasted_ms = self.show.clock().map_or(0, |clock| wall_ms() - clock.started_wall_ms);
        Duration::from_millis(lasted_ms.max(0) as u64)
    }

    /// Everything as it is now, for the screen.
    pub fn snapshot(&mut self) -> Snapshot {
        let now_ms = wall_ms();
        self.show.settle(now_ms);
        let ours: Vec<String> = self.workers().filter_map(|worker| worker.spec.group.clone()).collect();
        let mut snapshot = self.show.snapshot(now_ms, |group| ours.iter().any(|our| our == group));
        if self.supervisor.is_some() {
            snapshot.title.supervised = true;
            let workers = self.workers().map(|worker| self.shown(worker, now_ms)).collect();
            snapshot.workers = Sourced::live(workers);
            let jobs: Vec<&str> = self.groups_of_jobs();
            snapshot.lanes.data.can_turn = !jobs.is_empty();
            let (clock, seen_ms) = (self.show.clock(), self.show.seen_ms(now_ms));
            for group in snapshot.groups.data.iter_mut().filter(|group| jobs.contains(&group.id.as_str())) {
                let due_in_ms = self.show.lanes.due_in_ms(&group.id, seen_ms, clock.as_ref());
                group.trend = Trend::Scheduled { due_in_ms };
                group.partitions.iter_mut().for_each(|partition| partition.trend = group.trend);
            }
            for group in &mut snapshot.groups.data {
                // A killed member stays in the group until its session times out.
                let trend = match self.group_state(&group.id) {
                    Some(WorkerState::Paused) => Trend::Paused,
                    Some(WorkerState::Ended(_)) => Trend::Dead,
                    Some(WorkerState::Running) if group.trend == Trend::NoMembers => Trend::Joining,
                    Some(WorkerState::Running) | None => continue,
                };
                group.trend = trend;
                group.partitions.iter_mut().for_each(|partition| partition.trend = trend);
            }
            for topic in &mut snapshot.topics.data {
                topic.can_burst = self.producer_of(&topic.name).is_some_and(Worker::is_running);
                topic.bursting = self.bursting_until.get(&topic.name).is_some_and(|&until| until > now_ms);
            }
        }
        self.last_rates =
            snapshot.topics.data.iter().map(|t| (t.name.clone(), t.in_per_second.unwrap_or(0.0))).collect();
        self.last_groups.clone_from(&snapshot.groups.data);
        self.read_meters();
        self.show_cost_to_run(&mut snapshot.lanes.data, now_ms);
        snapshot.title.remedy = self.look_at_machine(now_ms);
        self.progress(now_ms);
        snapshot.controls = self
            .controls
            .iter()
            .map(|control| ControlState {
                id: control.id,
                progress: control.progress.clone(),
                note: control.note.clone(),
            })
            .collect();
        snapshot.records = self.records.as_ref().and_then(RecordReader::page);
        if let Some(metrics) = &self.metrics {
            metrics.take(&snapshot, self.show.cluster(), |group| self.show.nothing_waiting(group));
        }
        snapshot
    }

    /// What each lane takes to run, in CPU seconds an hour of event time, since the dial was moved.
    fn show_cost_to_run(&self, lanes: &mut dashboard::Lanes, now_ms: i64) {
        let Some(clock) = self.show.clock() else { return };
        let since = lanes.dial_moved_ms.map_or(clock.start, Timestamp::from_ms);
        let hours = clock.simulated(self.show.seen_ms(now_ms)).since_ms(since) as f64 / HOUR_MS as f64;
        if hours < LEAST_HOURS {
            return;
        }
        let [stream, batch] = [0, 1].map(|at| {
            let before_s = self.cpu_s_at_turn[at].unwrap_or(0.0);
            self.cpu_s(Lane::ALL[at]).map(|used_s| (used_s - before_s).max(0.0) / hours)
        });
        (lanes.stream_cpu_s_per_hour, lanes.batch_cpu_s_per_hour) = (stream, batch);
    }

    /// What to start the show with on this machine, if it is too slow for it; notes when it turns
    /// out to be.
    fn look_at_machine(&mut self, now_ms: i64) -> Option<String> {
        let clock = self.show.clock().filter(|_| self.supervisor.is_some())?;
        let running = |worker: &&Worker| worker.spec.lane == Some(Lane::Stream) && worker.is_running();
        let groups: Vec<&str> =
            self.workers().filter(running).filter_map(|worker| worker.spec.group.as_deref()).collect();
        let ours = self.last_groups.iter().filter(|group| groups.contains(&group.id.as_str()));
        let worst = ours.filter_map(|group| Some((group.lag_ms?, group.id.clone())));
        let worst = worst.max_by(|(one, _), (other, _)| one.total_cmp(other));
        let behind_ms = worst.as_ref().map(|(behind_ms, _)| *behind_ms);
        if self.slow_machine.look(Look { now_ms, behind_ms, processors: ProcessorTime::now() }) {
            let load = slow_machine::load(self.drivers, clock.speed);
            let remedy = slow_machine::remedy(self.drivers, clock.speed);
            let group = worst.map(|(_, group)| group).unwrap_or_default();
            let text = format!("this machine is too slow for {load}: try {remedy}");
            self.note(NoticeKind::Note, Severity::Warning, &group, text);
        }
        self.slow_machine.is_too_slow().then(|| slow_machine::remedy(self.drivers, clock.speed))
    }

    /// Reads how much CPU time each consumer and job has used since its group first joined:
    /// learning from a history before that is a cost of the show, not of the lane.
    fn read_meters(&mut self) {
        let mut meters = std::mem::take(&mut self.meters);
        for worker in self.workers().filter(|worker| worker.is_running()) {
            let (Some(lane), Some(group)) = (worker.spec.lane, &worker.spec.group) else { continue };
            let known = self.last_groups.iter().any(|known| known.id == *group);
            let Ok(usage) = Usage::of(worker.pid) else { continue };
            if let Some((_, meter)) = meters.get_mut(&worker.spec.name) {
                meter.read(worker.pid, usage.cpu_s);
            } else if known {
                meters.insert(worker.spec.name.clone(), (lane, Meter::new(worker.pid, usage.cpu_s)));
            }
        }
        self.meters = meters;
    }

    /// CPU seconds that the consumers of the stream lane, or the jobs of the batch lane, have used;
    /// none before any was measured.
    pub fn cpu_s(&self, lane: Lane) -> Option<f64> {
        let of_lane = self.meters.values().filter(|(of, _)| *of == lane);
        of_lane.map(|(_, meter)| meter.used_s()).reduce(|all, one| all + one)
    }

    /// The worker that can burst a topic, if one of ours can.
    fn producer_of(&self, topic: &str) -> Option<&Worker> {
        self.workers().find(|worker| worker.spec.bursts.iter().any(|louder| louder.name() == topic))
    }

    /// Gives an order to the workers of a lane, or to the producers.
    pub fn order(&mut self, lane: Option<Lane>, order: Order) {
        let of_lane = self.workers().filter(|worker| worker.spec.lane == lane);
        let names: Vec<String> = of_lane.map(|worker| worker.spec.name.clone()).collect();
        if let Some(supervisor) = self.supervisor.as_mut() {
            for name in &names {
                supervisor.order(name, order);
            }
        }
    }

    /// Whether any worker of a lane, or any producer, is alive.
    pub fn any_runs(&self, lane: Option<Lane>) -> bool {
        self.workers().any(|worker| worker.spec.lane == lane && worker.is_running())
    }

    fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.supervisor.iter().flat_map(Supervisor::workers)
    }

    /// The groups of all our workers that are alive.
    pub fn groups_at_work(&self) -> Vec<String> {
        let alive = self.workers().filter(|worker| worker.state == WorkerState::Running);
        alive.filter_map(|worker| worker.spec.group.clone()).collect()
    }

    /// Whether the worker of this name is alive.
    fn runs(&self, worker: &str) -> bool {
        self.supervisor.as_ref().and_then(|s| s.worker(worker)).is_some_and(Worker::is_running)
    }

    /// The jobs of the batch lane that are alive. They read without joining their group, so it has
    /// no members.
    fn groups_of_jobs(&self) -> Vec<&str> {
        let jobs =
            self.workers().filter(|worker| worker.is_running() && worker.spec.lane == Some(Lane::Batch));
        jobs.filter_map(|worker| worker.spec.group.as_deref()).collect()
    }

    /// The state of a group: paused when no running worker reads, ended when none runs.
    fn group_state(&self, group: &str) -> Option<WorkerState> {
        let mut states = self
            .workers()
            .filter(|worker| worker.spec.group.as_deref() == Some(group))
            .map(|worker| worker.state);
        let first = states.next()?;
        states.try_fold(first, |all, state| match (all, state) {
            (WorkerState::Ended(_), state) | (state, WorkerState::Ended(_)) => Some(state),
            (all, state) => (all == state).then_some(all),
        })
    }

    fn shown(&self, worker: &Worker, now_ms: i64) -> dashboard::Worker {
        dashboard::Worker {
            name: worker.spec.name.clone(),
            group: worker.spec.group.clone(),
            pid: worker.is_running().then_some(worker.pid),
            state: match worker.state {
                WorkerState::Running => Shown::Running,
                WorkerState::Paused => Shown::Paused,
                WorkerState::Ended(how) => Shown::Dead { how: how.to_string() },
            },
            restarts: worker.restarts,
            // In whole seconds, so that it is no reason to draw more often.
            since_ms: self
                .changed
                .get(&worker.spec.name)
                .map(|since| (now_ms - since).max(0) as u64 / 1000 * 1000),
        }
    }
}

/// How much CPU time the processes of one worker have used, one after another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Meter {
    pid: u32,
    began_s: f64,
    now_s: f64,
    /// What those before this process used.
    before_s: f64,
}

impl Meter {
    fn new(pid: u32, began_s: f64) -> Self {
        Self { pid, began_s, now_s: began_s, before_s: 0.0 }
    }

    fn read(&mut self, pid: u32, now_s: f64) {
        if pid != self.pid {
            // A new process starts at zero: to restore its state is the cost of a restart.
            *self = Self { pid, began_s: 0.0, now_s, before_s: self.used_s() };
        }
        self.now_s = now_s;
    }

    fn used_s(&self) -> f64 {
        self.before_s + self.now_s - self.began_s
    }
}

/// How long a burst lasts, in milliseconds of wall-clock time.
pub const BURST_MS: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_goes_on_when_its_worker_is_started_again() {
        let mut meter = Meter::new(7, 2.0);
        meter.read(7, 3.5);
        assert!((meter.used_s() - 1.5).abs() < 1e-9);
        meter.read(8, 0.25);
        meter.read(8, 0.5);
        assert!((meter.used_s() - 2.0).abs() < 1e-9, "{meter:?}");
    }
}
