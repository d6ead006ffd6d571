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
//!    answers' partitions ended then (the [`CommitMetadata`]).
//! 3. The worker that gets the partition rebuilds the state up to the committed offset, reads the
//!    answers from the metadata to the end, and so knows which of the next questions were answered
//!    in the life before.
//! 4. Those are processed again, for the state, and their answers are left out.
//!
//! A crash at any point leaves either the question unanswered past the commit (it is answered now)
//! or the answer on its topic past the metadata (it is found and left out).
//!
//! A worker that lives on without its partitions is no different: before it lets go of them, it
//! takes back the answers that are not acknowledged ([`Producer::withdraw`](client::Producer)).
//!
//! # Simplifications
//! - A process that stood still (a stopped container, a laptop's lid) wakes up without knowing that
//!   its partitions have moved. It proves its membership with a commit, which the coordinator
//!   refuses to others, before it answers anything after a silence of half the session timeout.
//!   What it had already handed to librdkafka before standing still is sent when it wakes, and can
//!   answer a question a second time. Kafka closes that last gap with transactions (KIP-447).
//! - The broadcast inputs are not part of the bookkeeping: after a crash a question may be answered
//!   with other values of the tables than in the life before.
//! - Rebuilding reads the log again instead of restoring a changelog or a snapshot: simple, and
//!   bounded by retention or by the processor's horizon.

mod answering;
mod ownership;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use client::{Admin, GroupConsumer, GroupOptions, Inbox, Polled, ProducerOptions, Settings, TopicPartition};
use events::{Event, Topic};

use super::arrival::Arrival;
use super::broadcast::BroadcastTable;
use super::clock::wall_ms;
use super::commit_metadata::{CommitMetadata, PartitionId};
use super::merge::Next;
use super::offsets::{co_partitioned, commits, find_ends, tell_losses};
use super::outbox::Outbox;
use super::progress::{ReadCounts, statistics};
use super::rebuild::Rebuilt;
use super::task::{Gap, Task};
use super::{AnswerError, Control, DesiredState, StreamError, WorkerStats};
use processor::Processor;

/// How often offsets are committed, and the statistics brought up to date.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long a poll waits: how soon a command is seen when nothing comes in.
const POLL: Duration = Duration::from_millis(50);
/// The same while a task is being rebuilt or waits for its other inputs.
const BUSY_POLL: Duration = Duration::from_millis(5);
/// How long the answers may take to be acknowledged at a regular commit; there will be another.
const FLUSH: Duration = Duration::from_millis(500);
/// The same when a partition is to be handed over, or the lane ends.
const LAST_FLUSH: Duration = Duration::from_millis(1_200);
/// How soon an unanswered question is retried.
const RETRY: Duration = Duration::from_millis(100);
/// How long a question about offsets may take.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a late record waits for the other inputs of its task, if the end of those can't be
/// found out or reached.
const MERGE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one task may work in one pass before the others and the group have their turn.
const STRETCH: Duration = Duration::from_millis(10);

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
    /// compacted topics that are read as tables.
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
) -> Result<WorkerStats, StreamError> {
    let mut lane = StreamLane::start(config, factory, control)?;
    let ended = lane.run();
    let stats = lane.stats_now();
    control.report(stats.clone());
    statistics(&stats);
    // Whatever happened, what is acknowledged is committed if it can be, and the group is left at
    // once.
    let handed_over = lane.hand_over();
    ended.and(handed_over).map(|()| stats)
}

struct StreamLane<'a> {
    config: &'a StreamConfig,
    factory: &'a dyn Fn() -> Box<dyn Processor>,
    control: &'a Control,
    admin: Admin,
    consumer: GroupConsumer,
    outbox: Outbox,
    broadcast: BroadcastTable,
    tasks: BTreeMap<i32, Slot>,
    /// Where the records of the assigned partitions arrive.
    inboxes: HashMap<PartitionId, Inbox>,
    /// What was passed over of them since the last commit.
    gaps: BTreeMap<PartitionId, Gap>,
    /// To one record, while they are being sent.
    answers: Vec<Event>,
    /// Tasks whose partitions were taken away a moment ago, and may come back with the next
    /// assignment.
    parked: BTreeMap<i32, Task>,
    rebuilt: (Sender<News>, Receiver<News>),
    /// Counts the assignments, so that news of a rebuild for an earlier one are recognised.
    assignment: u64,
    paused: bool,
    committed: HashMap<TopicPartition, i64>,
    stats: WorkerStats,
    reads: ReadCounts,
    /// When this thread last got an answer from the group.
    awake: Instant,
}

enum Slot {
    /// A thread is bringing the state back. Records that come meanwhile wait in their inboxes.
    Rebuilding {
        pending: Box<Pending>,
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
    asked: Option<Instant>,
}

/// What is known of a task before its state is.
struct Pending {
    positions: Vec<(Topic, i64)>,
    metadata: CommitMetadata,
    /// How much of the broadcast inputs it has been given.
    broadcast_seen: u64,
}

struct News {
    assignment: u64,
    partition: i32,
    result: Result<Option<Rebuilt>, client::ReadError>,
}

impl<'a> StreamLane<'a> {
    #[expect(clippy::disallowed_methods, reason = "the edge: the runner reads the clock for its timers")]
    fn start(
        config: &'a StreamConfig,
        factory: &'a dyn Fn() -> Box<dyn Processor>,
        control: &'a Control,
    ) -> Result<Self, StreamError> {
        let admin = Admin::connect(&config.settings, METADATA_TIMEOUT)?;
        let inputs: Vec<Topic> =
            factory().inputs().iter().copied().filter(|topic| !config.broadcast.contains(topic)).collect();
        co_partitioned(&admin, &inputs)?;
        let mut outputs = config.outputs.clone();
        if !outputs.contains(&Topic::DeadLetters) {
            outputs.push(Topic::DeadLetters);
        }
        let linger_ms = config.member.gather.as_millis() as u32;
        let options = ProducerOptions { linger_ms, ..ProducerOptions::answers() };
        let outbox = Outbox::new(&config.settings, &options, &admin, &outputs, &config.group)?;
        let broadcast = BroadcastTable::read(&config.settings, &admin, &config.broadcast, control)?;
        let names: Vec<&str> = inputs.iter().map(|topic| topic.name()).collect();
        let consumer = GroupConsumer::join(&config.settings, &config.group, &names, &config.member)?;
        Ok(Self {
            config,
            factory,
            control,
            admin,
            consumer,
            outbox,
            broadcast,
            tasks: BTreeMap::new(),
            inboxes: HashMap::new(),
            gaps: BTreeMap::new(),
            answers: Vec::new(),
            parked: BTreeMap::new(),
            rebuilt: channel(),
            assignment: 0,
            paused: false,
            committed: HashMap::new(),
            stats: WorkerStats::default(),
            reads: ReadCounts::default(),
            awake: Instant::now(),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the edge: the runner reads the clock for its timers")]
    fn run(&mut self) -> Result<(), StreamError> {
        let mut committed_at = Instant::now();
        let mut told_at = Instant::now();
        let mut patience = POLL;
        loop {
            match self.control.desired_state() {
                DesiredState::Stop => return Ok(()),
                DesiredState::Run => self.pause_or_resume(false),
                DesiredState::Pause => self.pause_or_resume(true),
            }
            self.start_rebuilt()?;
            if told_at.elapsed() >= BUSY_POLL {
                told_at = Instant::now();
                self.update_broadcast()?;
            }
            let polled = self.consumer.poll(patience)?;
            let began = Instant::now();
            let silence = began.duration_since(std::mem::replace(&mut self.awake, began));
            match polled {
                Polled::Assigned(partitions) => self.assigned(&partitions)?,
                Polled::Revoked { partitions, lost } => self.revoked(&partitions, lost)?,
                Polled::Nothing => {}
            }
            let stood_still = silence >= self.config.member.session_timeout / 2;
            if stood_still {
                // No answer was due meanwhile.
                self.wait_again();
            }
            patience = POLL;
            if !self.paused && (!stood_still || self.still_a_member()?) {
                for partition in self.tasks.keys().copied().collect::<Vec<_>>() {
                    patience = patience.min(self.work(partition)?);
                }
            }
            if committed_at.elapsed() >= COMMIT_EVERY {
                committed_at = Instant::now();
                self.commit(FLUSH, false)?;
                tell_losses(&self.admin, std::mem::take(&mut self.gaps));
                self.control.report(self.stats_now());
                self.reads.tell();
            }
        }
    }

    /// Processes what is certain in its order, and sends the answers, for no longer than a stretch.
    /// Returns how soon it wants to go on if nothing arrives.
    #[expect(clippy::disallowed_methods, reason = "the edge: the runner reads the clock for its timers")]
    fn work(&mut self, partition: i32) -> Result<Duration, StreamError> {
        let (task, waiting) = match self.tasks.get_mut(&partition) {
            Some(Slot::Running { task, waiting }) => (task, waiting),
            Some(Slot::Rebuilding { .. }) => return Ok(BUSY_POLL),
            Some(Slot::Stopped) | None => return Ok(POLL),
        };
        let began = Instant::now();
        let mut last = began;
        while last.duration_since(began) < STRETCH {
            let now_ms = wall_ms();
            let gaps = task.feed(|topic| -> Result<_, client::GroupError> {
                let Some(inbox) = self.inboxes.get(&(topic, partition)) else { return Ok(None) };
                Ok(self.consumer.next(*inbox)?.map(|read| Arrival::of(topic, &read, now_ms)))
            })?;
            self.gaps.extend(gaps.into_iter().map(|gap| ((gap.topic, partition), gap)));
            match task.next(now_ms) {
                Next::Take(arrival) => {
                    *waiting = None;
                    self.reads.took(arrival.topic);
                    let (answers, outbox) = (&mut self.answers, &mut self.outbox);
                    match answering::answer(task, arrival, answers, outbox, self.control, &mut self.stats) {
                        Err(stuck @ AnswerError::Unanswerable { .. }) => {
                            self.stop(partition, &stuck);
                            return Ok(POLL);
                        }
                        other => other?,
                    }
                    let ended = Instant::now();
                    self.stats.processing.record(ended.duration_since(last));
                    last = ended;
                }
                Next::Wait(sent_ms) => {
                    let waiting = waiting.get_or_insert(Waiting { since: last, asked: None });
                    let unknown = task.unknown_ends(sent_ms);
                    let may_ask = waiting.asked.is_none_or(|asked| asked.elapsed() >= RETRY);
                    if !unknown.is_empty() && may_ask {
                        waiting.asked = Some(Instant::now());
                        find_ends(&self.admin, task, &unknown);
                    } else if waiting.since.elapsed() > MERGE_TIMEOUT {
                        task.give_up_waiting(now_ms);
                    } else {
                        return Ok(BUSY_POLL);
                    }
                }
                Next::Empty => {
                    *waiting = None;
                    return Ok(POLL);
                }
            }
        }
        Ok(Duration::ZERO)
    }

    /// After a silence in which the group may have given this member up: a commit succeeds only for
    /// members.
    fn still_a_member(&mut self) -> Result<bool, StreamError> {
        loop {
            match self.commit(FLUSH, true) {
                Ok(()) => return Ok(true),
                Err(StreamError::Group(error @ client::GroupError::Fenced { .. })) => {
                    tracing::warn!("{error}; what others may have taken over is dropped here");
                    self.drop_tasks()?;
                    return Ok(false);
                }
                Err(error) if error.is_outage() => {
                    if self.control.wait_while(DesiredState::Run, RETRY) == DesiredState::Stop {
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
    fn commit(&mut self, timeout: Duration, now: bool) -> Result<(), StreamError> {
        if !self.outbox.flush(timeout)? {
            let what = format!("committing for the group {}", self.config.group);
            let servers = self.config.settings.servers().to_owned();
            let error =
                client::ClusterError::Unreachable { what, servers, seconds: timeout.as_secs().max(1) };
            return if now { Err(error.into()) } else { Ok(()) };
        }
        self.stop_refused();
        let outbox = &self.outbox;
        let mut all = Vec::new();
        for (partition, slot) in &mut self.tasks {
            let Slot::Running { task, .. } = slot else { continue };
            let positions: Vec<_> = task.positions().collect();
            let moved = positions.iter().any(|(topic, offset)| {
                self.committed.get(&TopicPartition::new(topic.name(), *partition)) != Some(offset)
            });
            if moved || now {
                let metadata = task.commit_metadata(|place| outbox.end(place));
                all.extend(commits(*partition, &positions, &metadata));
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

    /// A lane that pauses leaves what arrives where it is. Fetching stops by itself when there is
    /// enough of it.
    fn pause_or_resume(&mut self, pause: bool) {
        if std::mem::replace(&mut self.paused, pause) != pause {
            self.wait_again();
        }
    }

    /// Nothing was taken in for a while: that says nothing about inputs that are waited for.
    fn wait_again(&mut self) {
        for slot in self.tasks.values_mut() {
            if let Slot::Running { waiting, .. } = slot {
                *waiting = None;
            }
        }
    }

    fn update_broadcast(&mut self) -> Result<(), StreamError> {
        if self.broadcast.update()? {
            for slot in self.tasks.values_mut() {
                if let Slot::Running { task, .. } = slot {
                    self.broadcast.pass_on(task);
                }
            }
        }
        Ok(())
    }

    /// Asks again while the cluster is away. `None` when the lane is to end.
    fn wait_for<T, E: Into<StreamError>>(
        &self,
        ask: impl Fn(&Self) -> Result<T, E>,
    ) -> Result<Option<T>, StreamError> {
        loop {
            match ask(self).map_err(Into::into) {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if error.is_outage() => {
                    tracing::debug!("{error}");
                    if self.control.wait_while(DesiredState::Run, RETRY) == DesiredState::Stop {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn hand_over(&mut self) -> Result<(), StreamError> {
        let committed = self.commit(LAST_FLUSH, true);
        self.drop_tasks()?;
        match committed {
            // Answers that are sent but not committed are found by the next owner.
            Err(error) if error.is_outage() => {
                tracing::warn!("{error}; what was not committed is read again next time");
                Ok(())
            }
            Err(StreamError::Group(client::GroupError::Fenced { .. })) => Ok(()),
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
