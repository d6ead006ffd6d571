//! The stream lane: a processor as a worker process, one member of a group.
//!
//! # Tasks
//! The inputs of a consumer are co-partitioned: same key, same number of partitions, so that
//! partition *n* of all of them belongs together. For each *n* there is a [`Task`] with a processor
//! of its own. What a task answers depends on its partition alone, so the answers are
//! the same however many workers share the partitions, and a partition that moves takes exactly its
//! state along. (Kafka Streams works the same way.)
//!
//! # One answer to each question
//! Without transactions, in four steps:
//! 1. An answer carries the place of the record it answers (`source`), and goes to the partition of
//!    the same number.
//! 2. Offsets are committed only after all answers so far are acknowledged, together with where the
//!    answers' partitions ended then (the [`Bookmark`]).
//! 3. Whoever gets the partition rebuilds the state up to the committed offset, reads the answers
//!    from the bookmark to the end, and so knows which of the next questions were answered in the
//!    life before.
//! 4. Those are processed again, for the state, and their answers are left out.
//!
//! A crash at any point leaves either the question unanswered past the commit (it is answered now)
//! or the answer on its topic past the bookmark (it is found and left out).
//!
//! # Simplifications
//! - A process that stood still (a stopped container, a laptop's lid) wakes up without knowing that
//!   its partitions have moved. It proves its membership with a commit, which the coordinator
//!   refuses to strangers, before it answers anything after a silence of half the session timeout.
//!   What it had already handed to librdkafka before standing still is sent when it wakes, and can
//!   answer a question a second time. Kafka closes that last gap with transactions (KIP-447).
//! - The broadcast inputs are not part of the bookkeeping: after a crash a question may be answered
//!   with other beliefs than in the life before.
//! - Rebuilding reads the log again instead of restoring a changelog or a snapshot: simple, and
//!   bounded by retention or by the processor's horizon.

mod answering;
mod offsets;
mod ownership;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use client::{Admin, GroupConsumer, GroupOptions, Polled, ProducerOptions, Settings, TopicPartition};
use events::{Event, Topic};

use super::arrival::Arrival;
use super::bookmark::Bookmark;
use super::clock::wall_ms;
use super::merge::Next;
use super::outbox::Outbox;
use super::rebuild::Rebuilt;
use super::task::Task;
use super::told::Told;
use super::{Control, LaneError, Wish, WorkerStats};
use crate::Processor;
pub(crate) use offsets::co_partitioned;
use offsets::{commits, find_ends};

/// How often offsets are committed, and the statistics brought up to date.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long a poll waits: how soon a wish is heard when nothing comes in.
const POLL: Duration = Duration::from_millis(50);
/// The same while a task is being rebuilt or waits for its other inputs.
const POLL_SOON: Duration = Duration::from_millis(5);
/// How long the answers may take to be acknowledged at a regular commit; there will be another.
const FLUSH: Duration = Duration::from_millis(500);
/// The same when a partition is to be handed over, or the lane ends.
const LAST_FLUSH: Duration = Duration::from_millis(1_200);
/// How soon a question is asked again that nobody answered.
const RETRY: Duration = Duration::from_millis(100);
/// How long a question about offsets may take.
const ASK: Duration = Duration::from_secs(5);
/// How long a late record waits for the other inputs of its task, if the end of those can't be
/// found out.
const HOLD: Duration = Duration::from_secs(2);

/// What a worker of the stream lane is to do.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// Where the cluster is.
    pub settings: Settings,
    /// The group whose members share the work.
    pub group: String,
    /// The topics that the processor answers on. Dead letters are added by the lane.
    pub outputs: Vec<Topic>,
    /// Those of the processor's inputs that every task gets whole, latest value of each key first:
    /// compacted topics of beliefs.
    pub broadcast: Vec<Topic>,
    /// How much event time the processor's state reaches back, in milliseconds; none for all that
    /// the log keeps.
    pub horizon_ms: Option<i64>,
    /// How the member behaves in its group. As long as it lets the broker gather records, its
    /// answers may wait for company too.
    pub member: GroupOptions,
}

impl StreamConfig {
    /// A worker without broadcast inputs whose state reaches back as far as the log.
    pub fn new(settings: Settings, group: impl Into<String>, outputs: &[Topic]) -> Self {
        Self {
            settings,
            group: group.into(),
            outputs: outputs.to_vec(),
            broadcast: Vec::new(),
            horizon_ms: None,
            member: GroupOptions::default(),
        }
    }
}

/// Runs a worker of the stream lane until `control` asks it to stop. `factory` makes the processor
/// of each task.
///
/// The topics must be there. Everything else that may be missing (the broker for a while,
/// partitions to work on) is waited for. The statistics so far are in `control` while it runs; the
/// last ones are returned.
pub fn run_stream(
    config: &StreamConfig,
    factory: &dyn Fn() -> Box<dyn Processor>,
    control: &Control,
) -> Result<WorkerStats, LaneError> {
    let mut lane = Lane::start(config, factory, control)?;
    let ended = lane.run();
    let stats = lane.stats_now();
    control.report(stats.clone());
    // Whatever happened, what is acknowledged is committed if it can be, and the group is left at
    // once.
    let handed_over = lane.hand_over();
    ended.and(handed_over).map(|()| stats)
}

struct Lane<'a> {
    config: &'a StreamConfig,
    factory: &'a dyn Fn() -> Box<dyn Processor>,
    control: &'a Control,
    inputs: Vec<Topic>,
    admin: Admin,
    consumer: GroupConsumer,
    outbox: Outbox,
    told: Told,
    tasks: BTreeMap<i32, Slot>,
    /// Tasks whose partitions were taken away a moment ago, and may come back with the next
    /// assignment.
    parked: BTreeMap<i32, Task>,
    rebuilt: (Sender<News>, Receiver<News>),
    /// Counts the assignments, so that news of a rebuild for an earlier one are recognised.
    assignment: u64,
    paused: bool,
    committed: HashMap<TopicPartition, i64>,
    stats: WorkerStats,
    /// When the group was last heard of by this thread.
    awake: Instant,
}

enum Slot {
    /// A thread is bringing the state back. Records that come in meanwhile wait.
    Rebuilding {
        pending: Box<Pending>,
        early: Vec<Arrival>,
        cancelled: Arc<AtomicBool>,
    },
    Running {
        task: Box<Task>,
        waiting: Option<Waiting>,
    },
    /// A question here has neither an answer nor a dead letter, and can't be given one: nothing
    /// more is read, and nothing committed.
    Stopped,
}

/// A late record waits for the other inputs of its task.
#[derive(Clone, Copy)]
struct Waiting {
    since: Instant,
    /// When the ends of those were last asked for.
    asked: Instant,
}

/// What a poll brought, free of the client's memory.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and nearly always it is the large one"
)]
enum Happened {
    Arrived(i32, Arrival),
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>, bool),
    Nothing,
}

/// What is known of a task before its state is.
struct Pending {
    positions: Vec<(Topic, i64)>,
    bookmark: Bookmark,
    /// How much of the broadcast inputs it has been told.
    told: u64,
}

struct News {
    assignment: u64,
    partition: i32,
    result: Result<Option<Rebuilt>, client::Error>,
}

impl<'a> Lane<'a> {
    #[expect(clippy::disallowed_methods, reason = "the rim: the runner reads the clock for its timers")]
    fn start(
        config: &'a StreamConfig,
        factory: &'a dyn Fn() -> Box<dyn Processor>,
        control: &'a Control,
    ) -> Result<Self, LaneError> {
        let admin = Admin::connect(&config.settings, ASK)?;
        let inputs: Vec<Topic> =
            factory().inputs().iter().copied().filter(|topic| !config.broadcast.contains(topic)).collect();
        co_partitioned(&admin, &inputs)?;
        let mut outputs = config.outputs.clone();
        if !outputs.contains(&Topic::DeadLetters) {
            outputs.push(Topic::DeadLetters);
        }
        let linger_ms = config.member.gather.as_millis() as u32;
        let options = ProducerOptions { linger_ms, ..ProducerOptions::answers() };
        let outbox = Outbox::new(&config.settings, &options, &admin, &outputs)?;
        let told = Told::read(&config.settings, &admin, &config.broadcast, control)?;
        let names: Vec<&str> = inputs.iter().map(|topic| topic.name()).collect();
        let consumer = GroupConsumer::join(&config.settings, &config.group, &names, &config.member)?;
        Ok(Self {
            config,
            factory,
            control,
            inputs,
            admin,
            consumer,
            outbox,
            told,
            tasks: BTreeMap::new(),
            parked: BTreeMap::new(),
            rebuilt: channel(),
            assignment: 0,
            paused: false,
            committed: HashMap::new(),
            stats: WorkerStats::default(),
            awake: Instant::now(),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the rim: the runner reads the clock for its timers")]
    fn run(&mut self) -> Result<(), LaneError> {
        let mut answers = Vec::new();
        let mut committed_at = Instant::now();
        let mut told_at = Instant::now();
        loop {
            match self.control.wish() {
                Wish::Stop => return Ok(()),
                wish => self.pause_or_resume(wish == Wish::Pause)?,
            }
            self.start_rebuilt()?;
            if told_at.elapsed() >= POLL_SOON {
                told_at = Instant::now();
                self.pass_on_told()?;
            }
            let busy = self
                .tasks
                .values()
                .any(|slot| matches!(slot, Slot::Rebuilding { .. } | Slot::Running { waiting: Some(_), .. }));
            let happened = self.poll(if busy { POLL_SOON } else { POLL })?;
            let began = Instant::now();
            let silence = began.duration_since(std::mem::replace(&mut self.awake, began));
            match happened {
                Happened::Arrived(partition, arrival) => {
                    if silence < self.config.member.session_timeout / 2 || self.still_a_member()? {
                        self.take_in(partition, arrival);
                        self.work(partition, &mut answers, began)?;
                    }
                }
                Happened::Assigned(partitions) => self.assigned(&partitions)?,
                Happened::Revoked(partitions, lost) => self.revoked(&partitions, lost)?,
                Happened::Nothing => {}
            }
            if busy {
                for partition in self.tasks.keys().copied().collect::<Vec<_>>() {
                    self.work(partition, &mut answers, Instant::now())?;
                }
            }
            if committed_at.elapsed() >= COMMIT_EVERY {
                committed_at = Instant::now();
                self.commit(FLUSH, false)?;
                self.control.report(self.stats_now());
            }
        }
    }

    fn poll(&self, timeout: Duration) -> Result<Happened, LaneError> {
        Ok(match self.consumer.poll(timeout)? {
            Polled::Record(record) => match Topic::named(record.topic()) {
                Some(topic) => {
                    Happened::Arrived(record.partition(), Arrival::read(topic, &record, wall_ms()))
                }
                None => Happened::Nothing,
            },
            Polled::Assigned(partitions) => Happened::Assigned(partitions),
            Polled::Revoked { partitions, lost } => Happened::Revoked(partitions, lost),
            Polled::Nothing => Happened::Nothing,
        })
    }

    fn take_in(&mut self, partition: i32, arrival: Arrival) {
        match self.tasks.get_mut(&partition) {
            Some(Slot::Running { task, .. }) => task.push(arrival),
            Some(Slot::Rebuilding { early, .. }) => early.push(arrival),
            Some(Slot::Stopped) | None => {}
        }
    }

    /// Processes what is certain in its order, and sends the answers.
    #[expect(clippy::disallowed_methods, reason = "the rim: the runner reads the clock for its timers")]
    fn work(&mut self, partition: i32, answers: &mut Vec<Event>, began: Instant) -> Result<(), LaneError> {
        let Some(Slot::Running { task, waiting }) = self.tasks.get_mut(&partition) else { return Ok(()) };
        let mut began = began;
        loop {
            match task.next(wall_ms()) {
                Next::Take(arrival) => {
                    *waiting = None;
                    let stats = &mut self.stats;
                    match answering::answer(task, arrival, answers, &mut self.outbox, self.control, stats) {
                        Err(stuck @ LaneError::Unanswerable { .. }) => return self.stop(partition, &stuck),
                        other => other?,
                    }
                    let ended = Instant::now();
                    self.stats.processing.record(ended.duration_since(began));
                    began = ended;
                }
                Next::AskForEnds => {
                    let since = waiting.map_or(began, |waiting| waiting.since);
                    if waiting.is_some_and(|waiting| began.duration_since(waiting.asked) < POLL_SOON) {
                        return Ok(());
                    }
                    *waiting = Some(Waiting { since, asked: began });
                    find_ends(&self.admin, task);
                    if since.elapsed() > HOLD {
                        task.give_up_waiting(wall_ms());
                    }
                }
                Next::Empty => {
                    *waiting = None;
                    return Ok(());
                }
            }
        }
    }

    /// After a silence in which the group may have given this member up: a commit succeeds only for
    /// members.
    fn still_a_member(&mut self) -> Result<bool, LaneError> {
        loop {
            match self.commit(FLUSH, true) {
                Ok(()) => return Ok(true),
                Err(LaneError::Client(error @ client::Error::Fenced { .. })) => {
                    tracing::warn!("{error}; what others may have taken over is dropped here");
                    self.drop_tasks();
                    return Ok(false);
                }
                Err(LaneError::Client(error)) if error.is_outage() => {
                    if self.control.wait_while(Wish::Run, RETRY) == Wish::Stop {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Commits how far every task has come, once all answers until then are acknowledged. When they
    /// are not in time, nothing is committed: that is an error only if the commit was needed
    /// now.
    fn commit(&mut self, timeout: Duration, now: bool) -> Result<(), LaneError> {
        if !self.outbox.flush(timeout)? {
            let what = format!("committing for the group {}", self.config.group);
            let servers = self.config.settings.servers().to_owned();
            let error = client::Error::Unreachable { what, servers, seconds: timeout.as_secs().max(1) };
            return if now { Err(error.into()) } else { Ok(()) };
        }
        self.stop_refused()?;
        let outbox = &self.outbox;
        let mut all = Vec::new();
        for (partition, slot) in &mut self.tasks {
            let Slot::Running { task, .. } = slot else { continue };
            let positions: Vec<_> = task.positions().collect();
            let moved = positions.iter().any(|(topic, offset)| {
                self.committed.get(&TopicPartition::new(topic.name(), *partition)) != Some(offset)
            });
            if moved || now {
                let bookmark = task.bookmark(|place| outbox.end(place));
                all.extend(commits(*partition, &positions, &bookmark));
            }
        }
        if now {
            self.consumer.commit(&all)?;
        } else {
            self.consumer.commit_async(&all)?;
        }
        self.committed.extend(all.into_iter().map(|commit| (commit.at, commit.offset)));
        Ok(())
    }

    fn pause_or_resume(&mut self, pause: bool) -> Result<(), LaneError> {
        if pause == self.paused {
            return Ok(());
        }
        self.paused = pause;
        let at: Vec<_> = self
            .tasks
            .iter()
            .filter(|(_, slot)| pause || matches!(slot, Slot::Running { .. }))
            .flat_map(|(partition, _)| {
                self.inputs.iter().map(|topic| TopicPartition::new(topic.name(), *partition))
            })
            .collect();
        let done = if pause { self.consumer.pause(&at) } else { self.consumer.resume(&at) };
        Ok(done?)
    }

    fn pass_on_told(&mut self) -> Result<(), LaneError> {
        if self.told.update()? {
            for slot in self.tasks.values_mut() {
                if let Slot::Running { task, .. } = slot {
                    self.told.pass_on(task);
                }
            }
        }
        Ok(())
    }

    /// Asks again while the cluster is away. `None` when the lane is to end.
    fn wait_for<T>(&self, ask: impl Fn(&Self) -> Result<T, client::Error>) -> Result<Option<T>, LaneError> {
        loop {
            match ask(self) {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if error.is_outage() => {
                    tracing::debug!("{error}");
                    if self.control.wait_while(Wish::Run, RETRY) == Wish::Stop {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn hand_over(&mut self) -> Result<(), LaneError> {
        let committed = self.commit(LAST_FLUSH, true);
        self.drop_tasks();
        match committed {
            // Answers that are out but not committed are found by whoever comes next.
            Err(LaneError::Client(error)) if error.is_outage() => {
                tracing::warn!("{error}; what was not committed is read again next time");
                Ok(())
            }
            Err(LaneError::Client(client::Error::Fenced { .. })) => Ok(()),
            other => other,
        }
    }

    fn stats_now(&self) -> WorkerStats {
        let mut stats = self.stats.clone();
        for slot in self.tasks.values() {
            if let Slot::Running { task, .. } = slot {
                for (name, count) in task.counters() {
                    *stats.counters.entry(name).or_default() += count;
                }
            }
        }
        stats
    }
}
