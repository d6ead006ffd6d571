//! The threads that ask the cluster and read its topics, and hand what they saw to the thread that
//! keeps the [`Show`](super::Show).

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use client::{
    Admin, PartitionLayout, Read, Settings, Since, TopicLayout, TopicPartition, Unreadable, Watcher,
};
use events::{Event, Role, Topic};
use events::{SOURCE_HEADER, run_of};

use super::cluster::{group_state, is_watched, shares_partitions};
use super::{ClusterPoll, GroupPoll, LogPoll, MemberPoll};
use crate::clock::wall_ms;
use crate::ledger::Headers;
use crate::priority::{Priority, lower_priority};
use bill::{SEND_TIME_HEADER, SimulatedSendTime};

/// How often the cluster is polled.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// How long it may take to answer before it counts as silent.
const POLL_PATIENCE: Duration = Duration::from_secs(2);
/// Records are handed over in batches: when so many are there, or so long after the first.
const BATCH: usize = 2_000;
const BATCH_WAIT: Duration = Duration::from_millis(40);
/// A batch whose header claims more records than this is invalid.
const MOST_UNREAD: i64 = 100_000;

/// What was seen.
pub enum Seen {
    /// Questions are read from these offsets on: topic, partition, offset. Comes before the first
    /// record of each.
    Begin(Vec<(Topic, i32, i64)>),
    /// The cluster answered, at this wall-clock time.
    Poll(i64, ClusterPoll),
    /// It did not, and why.
    Silence(i64, String),
    /// Records of our topics.
    Records(Vec<SeenRecord>),
}

/// A record of one of our topics.
#[derive(Debug, Clone)]
pub struct SeenRecord {
    /// Where it stands: topic, partition, offset.
    pub place: (Topic, i32, i64),
    /// What it says; none when it breaks its contract, which is its consumers' to report, as a dead
    /// letter.
    pub event: Option<Event>,
    /// The record that it answers, and in which round, from its headers.
    pub headers: Headers,
    /// The run of the batch lane that published it, from its header.
    pub run: Option<Box<str>>,
    /// When its simulator sent it, with its sequence number, if one did.
    pub send_time: Option<SimulatedSendTime>,
    /// Wall-clock time at which it was sent, in milliseconds.
    pub sent_ms: i64,
}

/// Two threads that look, until it is dropped.
pub struct Watch {
    seen: Receiver<Seen>,
    stop: Arc<Stop>,
    threads: Vec<JoinHandle<()>>,
}

struct Stop {
    stopped: AtomicBool,
    /// How often the cluster is asked, in milliseconds.
    poll_every_ms: AtomicU64,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            stopped: AtomicBool::new(false),
            poll_every_ms: AtomicU64::new(POLL_EVERY.as_millis() as u64),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        }
    }
}

impl Stop {
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Waits so long, or until it is time to stop.
    fn wait(&self, time: Duration) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.wake.wait_timeout_while(lock, time, |()| !self.stopped()));
    }

    fn stop(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }
}

impl Watch {
    /// Begins to look at the cluster: at its topics from their beginning, or from now on.
    pub fn start(settings: &Settings, since: Since) -> Result<Self> {
        // Bounded, so that a screen that stands still holds the reading up instead of filling the
        // memory.
        let (report, seen) = sync_channel(64);
        let stop = Arc::new(Stop::default());
        let admin = Admin::unconnected(settings, POLL_PATIENCE)?;
        let watcher = Arc::new(Watcher::new(settings)?);
        let poller = Poller {
            admin,
            watcher: Arc::clone(&watcher),
            since,
            watched: HashSet::new(),
            report: report.clone(),
            stop: Arc::clone(&stop),
        };
        let reading = Arc::clone(&stop);
        let threads = vec![
            thread::Builder::new().name("watch: ask".into()).spawn(move || poller.run())?,
            thread::Builder::new()
                .name("watch: read".into())
                .spawn(move || read(&watcher, &report, &reading))?,
        ];
        Ok(Self { seen, stop, threads })
    }

    /// Asks the cluster every so many milliseconds from its next answer on. Its topics are read as
    /// they grow all the same.
    pub fn poll_every(&self, ms: u64) {
        self.stop.poll_every_ms.store(ms, Ordering::Relaxed);
    }

    /// What is seen next, if anything within `timeout`.
    pub fn next(&self, timeout: Duration) -> Option<Seen> {
        self.seen.recv_timeout(timeout).ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.stop();
        // A thread that waits for room in the channel finds it closed.
        let (_, closed) = sync_channel(0);
        self.seen = closed;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Poller {
    admin: Admin,
    watcher: Arc<Watcher>,
    since: Since,
    watched: HashSet<TopicPartition>,
    report: SyncSender<Seen>,
    stop: Arc<Stop>,
}

impl Poller {
    fn run(mut self) {
        while !self.stop.stopped() {
            let seen = match self.poll() {
                Ok(poll) => Seen::Poll(wall_ms(), poll),
                Err(error) => Seen::Silence(wall_ms(), error.to_string()),
            };
            if self.report.send(seen).is_err() {
                return;
            }
            self.stop.wait(Duration::from_millis(self.stop.poll_every_ms.load(Ordering::Relaxed)));
        }
    }

    fn poll(&mut self) -> Result<ClusterPoll, client::ClusterError> {
        let (brokers, mut topics) = self.admin.overview()?;
        topics.retain(|topic| is_watched(&topic.name));
        let (partitions, layouts): (Vec<TopicPartition>, Vec<PartitionLayout>) = topics
            .into_iter()
            .flat_map(|TopicLayout { name, partitions }| {
                let place = move |of: PartitionLayout| (TopicPartition::new(&*name, of.partition), of);
                partitions.into_iter().map(place)
            })
            .unzip();
        self.watch_new(&partitions)?;
        let mut groups = Vec::new();
        for group in self.admin.groups()? {
            if !shares_partitions(&group.protocol_type) {
                continue;
            }
            let committed = self.admin.committed_offsets(&group.id, &partitions)?;
            groups.push(GroupPoll {
                state: group_state(&group.state),
                members: group
                    .members
                    .into_iter()
                    .map(|member| MemberPoll {
                        member_id: member.id,
                        client_id: member.client_id,
                        host: member.host,
                        assigned: member.partitions.into_iter().map(|at| (at.topic, at.partition)).collect(),
                    })
                    .collect(),
                committed: partitions
                    .iter()
                    .zip(committed)
                    .filter_map(|(at, offset)| Some((at.topic.clone(), at.partition, offset?)))
                    .collect(),
                id: group.id,
            });
        }
        // Read after the committed offsets: the questions before those were answered before these
        // ends.
        let offsets = self.admin.offsets(&partitions)?;
        let logs = partitions
            .into_iter()
            .zip(offsets)
            .zip(layouts)
            .filter_map(|((at, offsets), layout)| {
                let offsets = offsets?;
                Some(LogPoll {
                    topic: at.topic,
                    partition: at.partition,
                    start: offsets.earliest,
                    end: offsets.latest,
                    leader: layout.leader,
                    replicas: layout.replicas,
                    in_sync: layout.in_sync,
                })
            })
            .collect();
        Ok(ClusterPoll { brokers, logs, groups })
    }

    /// Topics of ours that have appeared since the last look are read too.
    ///
    /// Who begins in the middle begins at one cut of questions and answers: answers are read from
    /// where they ended at one moment, and questions from where they ended a moment later. The
    /// answer to a question that is read can't have come before.
    fn watch_new(&mut self, partitions: &[TopicPartition]) -> Result<(), client::ClusterError> {
        let topic =
            |at: &TopicPartition| Topic::named(&at.topic).filter(|of| of.role() != Role::Intermediate);
        let new = partitions.iter().filter(|at| !self.watched.contains(at));
        let new: Vec<(Topic, TopicPartition)> = new.filter_map(|at| Some((topic(at)?, at.clone()))).collect();
        if new.is_empty() {
            return Ok(());
        }
        let (questions, others): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|(topic, _)| topic.role() == Role::Input);
        let (others, questions) = (self.starts(others)?, self.starts(questions)?);
        let begin = |(topic, at, since): &(Topic, TopicPartition, Since)| match since {
            Since::Offset(offset) => Some((*topic, at.partition, *offset)),
            Since::Beginning | Since::Now => None,
        };
        // There is no receiver any more when the show is over.
        let _ = self.report.send(Seen::Begin(questions.iter().filter_map(begin).collect()));
        for (_, at, since) in others.into_iter().chain(questions) {
            self.watcher.add(std::slice::from_ref(&at), since)?;
            self.watched.insert(at);
        }
        // A topic that is made while one watches is read from its beginning.
        self.since = Since::Beginning;
        Ok(())
    }

    /// Where each of these partitions is read from.
    fn starts(
        &self,
        partitions: Vec<(Topic, TopicPartition)>,
    ) -> Result<Vec<(Topic, TopicPartition, Since)>, client::ClusterError> {
        let at: Vec<_> = partitions.iter().map(|(_, at)| at.clone()).collect();
        let ends = match self.since {
            Since::Now => self.admin.ends(&at)?,
            Since::Beginning | Since::Offset(_) => vec![None; at.len()],
        };
        let start = |((topic, at), end): ((Topic, TopicPartition), Option<i64>)| {
            // The last record of each key of a table holds, and the runs of the jobs are few.
            let is_read_whole = topic.role() == Role::Table || topic == Topic::BatchRuns;
            let since = match end {
                _ if is_read_whole => Since::Beginning,
                Some(end) => Since::Offset(end),
                None => self.since,
            };
            (topic, at, since)
        };
        Ok(partitions.into_iter().zip(ends).map(start).collect())
    }
}

/// Unreadable offsets: each is seen, and says nothing. No header is believed that claims
/// more of them than there can be.
fn unread(lost: &Unreadable) -> impl Iterator<Item = SeenRecord> {
    let (topic, partition) = (Topic::named(&lost.at.topic), lost.at.partition);
    let first = lost.first.max(lost.last.saturating_sub(MOST_UNREAD));
    let sent_ms = wall_ms();
    topic.into_iter().flat_map(move |topic| {
        (first..=lost.last).map(move |offset| SeenRecord {
            place: (topic, partition, offset),
            event: None,
            headers: Headers::default(),
            run: None,
            send_time: None,
            sent_ms,
        })
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge: how long a batch waits is measured in wall-clock time"
)]
fn read(watcher: &Watcher, report: &SyncSender<Seen>, stop: &Stop) {
    // The observer must not delay the workers.
    lower_priority(Priority::Moments);
    let mut batch = Vec::with_capacity(BATCH);
    let mut since = Instant::now();
    while !stop.stopped() {
        let left = if batch.is_empty() { POLL_EVERY } else { BATCH_WAIT.saturating_sub(since.elapsed()) };
        match watcher.next(left) {
            Ok(Some(Read::Unreadable(lost))) => {
                if batch.is_empty() {
                    since = Instant::now();
                }
                batch.extend(unread(&lost));
            }
            Ok(Some(Read::Record(record))) => {
                let Some(topic) = Topic::named(record.topic()) else { continue };
                if batch.is_empty() {
                    since = Instant::now();
                }
                let headers = Headers::read(|name| record.header(name));
                // Of an answer of the batch lane the same header names its run.
                let of_a_run = headers.source.is_none().then(|| record.header(SOURCE_HEADER)).flatten();
                let send_time = record.header(SEND_TIME_HEADER).and_then(SimulatedSendTime::parse);
                batch.push(SeenRecord {
                    place: (topic, record.partition(), record.offset()),
                    event: Event::parse(topic, record.value().unwrap_or_default()).ok(),
                    headers,
                    run: of_a_run.and_then(run_of).map(Into::into),
                    send_time,
                    sent_ms: record.timestamp_ms().unwrap_or_else(wall_ms),
                });
            }
            Ok(None) => {}
            Err(error) => {
                if report.send(Seen::Silence(wall_ms(), error.to_string())).is_err() {
                    return;
                }
                stop.wait(POLL_EVERY);
            }
        }
        if batch.len() >= BATCH || (!batch.is_empty() && since.elapsed() >= BATCH_WAIT) {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if report.send(Seen::Records(full)).is_err() {
                return;
            }
        }
    }
}
