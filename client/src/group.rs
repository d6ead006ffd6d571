//! Reading as a member of a group.
//!
//! # Why the `range` assignor
//! A task that joins topics needs partition *n* of all of them in one place. Of the assignors that
//! librdkafka has, only `range` keeps them together: every member computes the same split for each
//! topic. `cooperative-sticky` moves fewer partitions, but balances over all partitions of all
//! topics at once, and would give a driver's positions to one member and the driver's trips to
//! another. The price of `range` is that all members stop for the length of a rebalance. Heartbeats
//! every 300 ms keep that short (a member learns of a rebalance with its next heartbeat), and a
//! member that gets a partition back can go on with what it had.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::context::{Change, Membership, leave};
use crate::error::{is_outage, is_unreadable};
use crate::inbox::{Bell, Queue};
use crate::survey::{Start, Survey};
use crate::{ClusterError, Commit, GroupError, Read, Record, Settings, TopicPartition};

/// After how long a partition in which nothing moves is looked at.
const STILL: Duration = Duration::from_secs(5);

/// How long a cluster that was away is given to say that it is back.
const ASKED: Duration = Duration::from_millis(500);

/// How much news of the membership is taken in at a time; there is rarely more than an
/// acknowledged commit and a rebalance.
const AT_ONCE: u32 = 4;

/// How a member of a group behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOptions {
    /// After how long a silence the group gives a member up. Kafka's brokers take no less than 6 s
    /// unless told to.
    pub session_timeout: Duration,
    /// How often a member says that it lives, and learns whether the group is changing.
    pub heartbeat: Duration,
    /// How long the broker may gather records before it hands them over, at most to 64 KiB; zero
    /// hands over each at once. Many small answers cost broker and member more than the records
    /// in them.
    pub gather: Duration,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self {
            session_timeout: Duration::from_secs(6),
            heartbeat: Duration::from_millis(300),
            gather: Duration::ZERO,
        }
    }
}

/// What happened while polling.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled {
    /// These partitions are this member's from now on (all that it has; none is possible). Nothing
    /// is read until [`GroupConsumer::assign`] says from where.
    Assigned(Vec<TopicPartition>),
    /// These partitions are to be given up. The group waits until [`GroupConsumer::release`].
    Revoked {
        /// Which.
        partitions: Vec<TopicPartition>,
        /// Others may have them already: it is too late to commit.
        lost: bool,
    },
    /// The membership is as it was: something has come that [`GroupConsumer::next`] may find, or
    /// the time is over.
    Nothing,
}

/// Where the records of one partition arrive, until it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inbox(usize);

/// A member of a group. Dropping it leaves the group at once, and commits nothing.
pub struct GroupConsumer {
    /// By the number of the [`Inbox`]; none is one that was given up.
    queues: Vec<Option<Queue<Membership>>>,
    inner: Arc<BaseConsumer<Membership>>,
    bell: Arc<Bell>,
    /// There is news of the membership.
    news: Arc<AtomicBool>,
    survey: Survey,
    settings: Settings,
    group: String,
}

impl GroupConsumer {
    /// Joins `group` to share the partitions of `topics`.
    pub fn join(
        settings: &Settings,
        group: &str,
        topics: &[&str],
        options: &GroupOptions,
    ) -> Result<Self, ClusterError> {
        let session = options.session_timeout.as_millis().to_string();
        let heartbeat = options.heartbeat.as_millis().to_string();
        // Without gathering a fetch is answered with the first record, and waits for that as long
        // as Kafka's default.
        let (wait, bytes) = match options.gather.as_millis() {
            0 => ("500".to_owned(), "1"),
            gather => (gather.to_string(), "65536"),
        };
        let config = settings.config(&[
            ("group.id", group),
            ("partition.assignment.strategy", "range"),
            ("session.timeout.ms", &session),
            ("heartbeat.interval.ms", &heartbeat),
            // What is committed, and when, is up to the caller, who knows
            // that the answers are out.
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            // A topic made after we joined is found this soon.
            ("topic.metadata.refresh.interval.ms", "5000"),
            // A bounded stock of records for each partition: enough to never wait for the network,
            // also not when a fetch for the others waits as long as it may, and little enough to
            // forget in memory.
            ("queued.min.messages", "20000"),
            // What is fetched together is freed together: an answer is kept whole until the last
            // record in it is taken, also by the slowest of its partitions.
            ("queued.max.messages.kbytes", "512"),
            ("max.partition.fetch.bytes", "65536"),
            ("fetch.queue.backoff.ms", "20"),
            ("fetch.error.backoff.ms", "100"),
            ("fetch.wait.max.ms", &wait),
            ("fetch.min.bytes", bytes),
        ]);
        let wrong = |what: &str, error: &KafkaError| {
            ClusterError::of(format!("{what} the group {group}"), settings, Duration::ZERO, error)
        };
        let mut inner: BaseConsumer<Membership> = config
            .create_with_context(Membership::default())
            .map_err(|error| wrong("starting a consumer of", &error))?;
        let bell = Arc::new(Bell::default());
        let news = Arc::new(AtomicBool::new(false));
        let (comes, rings) = (Arc::clone(&news), Arc::clone(&bell));
        inner.set_nonempty_callback(move || {
            comes.store(true, Ordering::SeqCst);
            rings.ring();
        });
        inner.subscribe(topics).map_err(|error| wrong("joining", &error))?;
        Ok(Self {
            queues: Vec::new(),
            inner: Arc::new(inner),
            bell,
            news,
            survey: Survey::new(settings, STILL),
            settings: settings.clone(),
            group: group.to_owned(),
        })
    }

    /// Waits until something arrives, be it a change of the membership or a record in an inbox that
    /// was empty; at most `timeout`. Must be called again within five minutes, or the group takes
    /// the member for hung.
    pub fn poll(&self, timeout: Duration) -> Result<Polled, GroupError> {
        if let Some(change) = self.change() {
            return Ok(change);
        }
        self.survey.look_now_and_then(&self.inner);
        self.bell.wait(timeout);
        // One at least, which tells the group that this member is not hung.
        let many = if self.news.swap(false, Ordering::SeqCst) { AT_ONCE } else { 1 };
        for _ in 0..many {
            self.serve()?;
            if let Some(change) = self.change() {
                return Ok(change);
            }
        }
        Ok(Polled::Nothing)
    }

    /// Takes in one piece of news, if there is one.
    fn serve(&self) -> Result<(), GroupError> {
        let polled = self.inner.poll(Duration::ZERO);
        if let Some(error) = self.inner.context().take_commit_error() {
            // The next commit covers what this one would have; being put out of the group shows as
            // a revocation.
            tracing::debug!("a commit of the group {} failed: {error}", self.group);
        }
        match polled {
            Some(Ok(message)) => {
                panic!("{:?} came to no inbox, though every partition has one", Record(message))
            }
            Some(Err(error)) => self.problem(&error),
            None => Ok(()),
        }
    }

    /// The next record in `inbox`, if one is there, or offsets that cannot be read.
    pub fn next(&self, inbox: Inbox) -> Result<Option<Read<'_>>, GroupError> {
        let Some(Some(queue)) = self.queues.get(inbox.0) else { return Ok(None) };
        loop {
            if let Some(unreadable) = self.survey.found(|at| *at == queue.at) {
                return Ok(Some(Read::Unreadable(unreadable)));
            }
            match queue.take() {
                None => return Ok(None),
                Some(Ok(message)) => {
                    self.inner.context().reachability.mark_reachable();
                    return Ok(Some(Read::Record(Record(message))));
                }
                Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_unreadable) => {
                    let reported = self.inner.context().reachability.take_unreadable_at();
                    let here = |at: &TopicPartition| *at == queue.at;
                    if !self.survey.look_into(&self.inner, here, &error, reported) {
                        return Err(self.wrong("reading with", &error));
                    }
                }
                Some(Err(error)) => self.problem(&error)?,
            }
        }
    }

    /// Begins to read `from` the given offsets: the answer to [`Polled::Assigned`]. Returns an
    /// inbox for each, in their order.
    pub fn assign(&mut self, from: &[(TopicPartition, i64)]) -> Result<Vec<Inbox>, GroupError> {
        let mut list = TopicPartitionList::with_capacity(from.len());
        for (at, offset) in from {
            list.add_partition_offset(&at.topic, at.partition, Offset::Offset(*offset))
                .map_err(|error| self.wrong("assigning partitions to", &error))?;
        }
        let mut inboxes = Vec::with_capacity(from.len());
        for (at, _) in from {
            let queue = Queue::split(&self.inner, at, &self.bell);
            assert!(queue.is_some(), "librdkafka was given {at} and has no queue for it");
            inboxes.push(Inbox(self.queues.len()));
            self.queues.push(queue);
        }
        self.survey.begin(from.iter().map(|(at, offset)| (at.clone(), Start::At(*offset))));
        match self.inner.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.inner.incremental_assign(&list),
            _ => self.inner.assign(&list),
        }
        .map_err(|error| self.wrong("assigning partitions to", &error))?;
        // What was in a queue before it was split rang no bell.
        self.bell.ring();
        Ok(inboxes)
    }

    /// Gives `partitions` and what is in their inboxes up: the answer to [`Polled::Revoked`], when
    /// all is done and committed.
    pub fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), GroupError> {
        for queue in &mut self.queues {
            queue.take_if(|queue| partitions.contains(&queue.at));
        }
        if self.queues.iter().all(Option::is_none) {
            self.queues.clear();
        }
        self.survey.begin(std::iter::empty());
        match self.inner.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.inner.incremental_unassign(&list(partitions)),
            _ => self.inner.unassign(),
        }
        .map_err(|error| self.wrong("releasing partitions of", &error))
    }

    /// Commits and waits for the broker's word. [`GroupError::Fenced`] when this consumer is no
    /// longer a member. Fails within half a second while the cluster is known to be away.
    pub fn commit(&self, commits: &[Commit]) -> Result<(), GroupError> {
        // Nothing tells that the cluster is back to who is sent no records: so it is asked.
        if let Some(first) = commits.first()
            && self.inner.context().reachability.is_lost()
        {
            self.inner
                .fetch_metadata(Some(&first.at.topic), ASKED)
                .map_err(|error| self.wrong("committing for", &error))?;
            self.inner.context().reachability.mark_reachable();
        }
        self.commit_in(commits, CommitMode::Sync)
    }

    /// Commits without waiting. Should it fail, a later commit makes good for it.
    pub fn commit_async(&self, commits: &[Commit]) -> Result<(), GroupError> {
        self.commit_in(commits, CommitMode::Async)
    }

    /// What the group last committed for each of `partitions`.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<Option<Commit>>, ClusterError> {
        let read = self.inner.committed_offsets(list(partitions), timeout).map_err(|error| {
            ClusterError::of(
                format!("reading the offsets of the group {}", self.group),
                &self.settings,
                timeout,
                &error,
            )
        })?;
        commits(&read, partitions, &self.group, &self.settings, timeout)
    }

    /// Leaves the group at once, so that others get its partitions without
    /// waiting for the session timeout.
    pub fn close(self) {}

    fn change(&self) -> Option<Polled> {
        Some(match self.inner.context().next_change()? {
            Change::Assign(list) => Polled::Assigned(partitions(&list)),
            Change::Revoke(list) => {
                Polled::Revoked { partitions: partitions(&list), lost: self.inner.assignment_lost() }
            }
        })
    }

    /// An error if nothing can be done about it.
    fn problem(&self, error: &KafkaError) -> Result<(), GroupError> {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(self.wrong("reading with", error))
            }
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                // It may be made yet; librdkafka looks again. Who needs it to be
                // there asks `Admin` before.
                tracing::debug!("the group {} waits for a topic: {error}", self.group);
                Ok(())
            }
            Some(code) if is_outage(code) => Ok(()),
            // Put out of the group, or asked to join again: the binding goes on by itself, and
            // tells with a rebalance.
            Some(
                Code::PollExceeded
                | Code::UnknownMemberId
                | Code::IllegalGeneration
                | Code::RebalanceInProgress
                | Code::PartitionEOF
                | Code::AutoOffsetReset,
            )
            | None => Ok(()),
            Some(_) => Err(self.wrong("reading with", error)),
        }
    }

    fn commit_in(&self, commits: &[Commit], mode: CommitMode) -> Result<(), GroupError> {
        if commits.is_empty() {
            return Ok(());
        }
        let list = commit_list(commits).map_err(|error| self.wrong("committing for", &error))?;
        self.inner.commit(&list, mode).map_err(|error| self.wrong("committing for", &error))
    }

    fn wrong(&self, what: &str, error: &KafkaError) -> GroupError {
        use RDKafkaErrorCode as Code;
        let put_out = [
            Code::IllegalGeneration,
            Code::UnknownMemberId,
            Code::FencedInstanceId,
            Code::AssignmentLost,
            Code::RebalanceInProgress,
        ];
        if error.rdkafka_error_code().is_some_and(|code| put_out.contains(&code)) {
            return GroupError::Fenced { group: self.group.clone(), reason: error.to_string() };
        }
        ClusterError::of(format!("{what} the group {}", self.group), &self.settings, Duration::ZERO, error)
            .into()
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.queues.clear();
        // A rebalance that is not answered would hold the client's own shutdown up forever.
        self.inner.context().close();
        if let Err(error) = self.inner.unassign() {
            tracing::debug!("giving up the partitions while closing: {error}");
        }
        leave(&self.inner);
    }
}

pub(crate) fn list(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition(&at.topic, at.partition);
    }
    list
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let mut all: Vec<_> = list
        .elements()
        .iter()
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect();
    all.sort();
    all
}

pub(crate) fn commit_list(commits: &[Commit]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(commits.len());
    for commit in commits {
        let mut element = list.add_partition(&commit.at.topic, commit.at.partition);
        element.set_offset(Offset::Offset(commit.offset))?;
        if !commit.metadata.is_empty() {
            element.set_metadata(&commit.metadata);
        }
    }
    Ok(list)
}

/// The commits in `read`, in the order of `partitions`.
pub(crate) fn commits(
    read: &TopicPartitionList,
    partitions: &[TopicPartition],
    group: &str,
    settings: &Settings,
    waited: Duration,
) -> Result<Vec<Option<Commit>>, ClusterError> {
    partitions
        .iter()
        .map(|at| {
            let Some(element) = read.find_partition(&at.topic, at.partition) else { return Ok(None) };
            element.error().map_err(|error| {
                ClusterError::of(
                    format!("reading the offset of {at} in the group {group}"),
                    settings,
                    waited,
                    &error,
                )
            })?;
            Ok(match element.offset() {
                Offset::Offset(offset) => {
                    Some(Commit { at: at.clone(), offset, metadata: element.metadata().to_owned() })
                }
                _ => None,
            })
        })
        .collect()
}
