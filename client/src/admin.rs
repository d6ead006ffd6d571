//! Looking at a cluster from outside, and arranging its topics and offsets.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::context::{ReaderContext, leave};
use crate::group::{commit_list, commits, list};
use crate::stored::{StoredRecord, stored_record};
use crate::survey::leaders_of;
use crate::{ClusterError, Commit, NoSuchTopic, ReadError, ResetError, Settings, TopicPartition, assignment};

/// The most groups whose offsets are watched at once; each takes a client of its own.
const WATCHED_GROUPS: usize = 64;

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// Settings in Kafka's words, such as `cleanup.policy=compact` or `retention.ms=60000`.
    pub configs: Vec<(String, String)>,
}

/// A topic there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
}

/// Which offsets a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// The first offset that can be read: the log start offset.
    pub earliest: i64,
    /// The offset that the next record will get: the log end offset, as far as consumers may read.
    pub latest: i64,
}

impl Offsets {
    /// How many records a group that reads on at `committed` has before it. What retention has
    /// deleted is no lag: it can't be read.
    pub fn lag(self, committed: i64) -> i64 {
        (self.latest - committed.max(self.earliest)).max(0)
    }
}

/// A group of consumers, as its coordinator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    pub state: String,
    /// `consumer` for groups that share partitions.
    pub protocol_type: String,
    /// The assignor they agreed on; empty while there is none.
    pub protocol: String,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id that the coordinator gave it.
    pub id: String,
    /// The name it calls itself.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What it owns.
    pub partitions: Vec<TopicPartition>,
}

/// Sees and arranges a cluster. Every call takes at most the timeout that was given to
/// [`Admin::connect`].
pub struct Admin {
    settings: Settings,
    timeout: Duration,
    outside: BaseConsumer<ReaderContext>,
    /// Made when first needed.
    topics: Mutex<Option<AdminClient<ReaderContext>>>,
    /// Offsets belong to a group, and librdkafka knows one group a client.
    groups: Mutex<BTreeMap<String, Arc<BaseConsumer<ReaderContext>>>>,
}

impl Drop for Admin {
    fn drop(&mut self) {
        let groups = self.groups.get_mut().unwrap_or_else(PoisonError::into_inner);
        for consumer in groups.values() {
            leave(consumer);
        }
    }
}

impl Admin {
    /// Finds the cluster of `settings`, or says that it is not there.
    pub fn connect(settings: &Settings, timeout: Duration) -> Result<Self, ClusterError> {
        let admin = Self::unconnected(settings, timeout)?;
        admin.topics()?;
        Ok(admin)
    }

    /// As [`connect`](Self::connect), but leaves it to the first call to find out whether the
    /// cluster is there.
    pub fn unconnected(settings: &Settings, timeout: Duration) -> Result<Self, ClusterError> {
        let outside = settings
            .config(&[])
            .create_with_context(ReaderContext::default())
            .map_err(|error| ClusterError::of("starting a client", settings, timeout, &error))?;
        Ok(Self {
            settings: settings.clone(),
            timeout,
            outside,
            topics: Mutex::new(None),
            groups: Mutex::new(BTreeMap::new()),
        })
    }

    /// Makes the topics that are not there yet; those that are stay as they are. Returns the names
    /// of the new ones.
    pub fn create(&self, topics: &[NewTopic]) -> Result<Vec<String>, ClusterError> {
        let wanted: Vec<_> = topics
            .iter()
            .map(|topic| {
                // -1: as many replicas as the cluster keeps by default.
                let new =
                    rdkafka::admin::NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(-1));
                topic.configs.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        let results =
            self.arrange("creating topics", |client, options| client.create_topics(&wanted, options))?;
        let mut created = Vec::new();
        for result in results {
            match result {
                Ok(name) => created.push(name),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => return Err(self.refused(format!("creating the topic {name}"), code)),
            }
        }
        Ok(created)
    }

    /// Deletes topics, with everything in them. One that is not there is no error.
    pub fn delete(&self, topics: &[&str]) -> Result<(), ClusterError> {
        let results =
            self.arrange("deleting topics", |client, options| client.delete_topics(topics, options))?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => return Err(self.refused(format!("deleting the topic {name}"), code)),
            }
        }
        Ok(())
    }

    /// The settings of a topic, in Kafka's words, sorted by name.
    pub fn configs(&self, topic: &str) -> Result<Vec<(String, String)>, ClusterError> {
        let what = format!("reading the settings of {topic}");
        let asked = [ResourceSpecifier::Topic(topic)];
        let results = self.arrange(&what, |client, options| client.describe_configs(&asked, options))?;
        let mut all = Vec::new();
        for result in results {
            let resource = result.map_err(|code| self.refused(what.clone(), code))?;
            all.extend(
                resource.entries.into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())),
            );
        }
        all.sort();
        Ok(all)
    }

    /// Every topic, sorted by name.
    pub fn topics(&self) -> Result<Vec<TopicInfo>, ClusterError> {
        let metadata = self
            .outside
            .fetch_metadata(None, self.timeout)
            .map_err(|error| self.wrong("listing the topics", &error))?;
        self.outside.context().reachability.mark_reachable();
        let mut all: Vec<_> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| TopicInfo {
                name: topic.name().to_owned(),
                partitions: topic.partitions().len() as i32,
            })
            .collect();
        all.sort();
        Ok(all)
    }

    /// What there is, in one request: how many brokers, and of each topic the broker that leads
    /// each partition, by partition; none where no group does. Sorted by name.
    #[expect(clippy::type_complexity, reason = "the answer to one question, in the order of the question")]
    pub fn overview(&self) -> Result<(usize, Vec<(String, Vec<Option<i32>>)>), ClusterError> {
        let metadata = self
            .outside
            .fetch_metadata(None, self.timeout)
            .map_err(|error| self.wrong("listing the topics", &error))?;
        self.outside.context().reachability.mark_reachable();
        let mut topics: Vec<(String, Vec<Option<i32>>)> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| {
                let mut leaders = vec![None; topic.partitions().len()];
                for partition in topic.partitions() {
                    let place = usize::try_from(partition.id()).ok().and_then(|id| leaders.get_mut(id));
                    if let Some(leader) = place {
                        *leader = Some(partition.leader()).filter(|leader| *leader >= 0);
                    }
                }
                (topic.name().to_owned(), leaders)
            })
            .collect();
        topics.sort();
        Ok((metadata.brokers().len(), topics))
    }

    /// How many partitions `topic` has.
    pub fn partitions(&self, topic: &str) -> Result<i32, ReadError> {
        // Asked for by name, a topic that isn't there might be made by the asking: so all of them.
        let known = self.topics()?.into_iter().find(|info| info.name == topic);
        let missing = || NoSuchTopic { topic: topic.to_owned(), servers: self.settings.servers().to_owned() };
        Ok(known.ok_or_else(missing)?.partitions)
    }

    /// Every broker, as `(id, host:port)`.
    pub fn brokers(&self) -> Result<Vec<(i32, String)>, ClusterError> {
        let metadata = self
            .outside
            .fetch_metadata(None, self.timeout)
            .map_err(|error| self.wrong("listing the brokers", &error))?;
        let address =
            |broker: &rdkafka::metadata::MetadataBroker| format!("{}:{}", broker.host(), broker.port());
        Ok(metadata.brokers().iter().map(|broker| (broker.id(), address(broker))).collect())
    }

    /// The id that the cluster gave itself, if it has one.
    pub fn cluster_id(&self) -> Option<String> {
        self.outside.client().fetch_cluster_id(self.timeout)
    }

    /// Which offsets each of `partitions` holds, in their order: two requests to each broker,
    /// however many partitions. None where the partition is not there (any more).
    pub fn offsets(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<Offsets>>, ClusterError> {
        let earliest = self.offsets_for(partitions, Offset::Beginning)?;
        let latest = self.offsets_for(partitions, Offset::End)?;
        let both = earliest.into_iter().zip(latest);
        Ok(both.map(|(earliest, latest)| Some(Offsets { earliest: earliest?, latest: latest? })).collect())
    }

    /// The end of each of `partitions`, in their order; none where the partition is not there.
    pub fn ends(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<i64>>, ClusterError> {
        self.offsets_for(partitions, Offset::End)
    }

    /// The first offset of each of `partitions`, in their order, whose record was sent at `at_ms`
    /// of wall-clock time or later; none where all records are older, or the partition is not
    /// there.
    pub fn offsets_since(
        &self,
        partitions: &[TopicPartition],
        at_ms: i64,
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        // Kafka has a meaning of its own for each time before 1970.
        self.offsets_for(partitions, Offset::Offset(at_ms.max(0)))
    }

    /// The record at `offset` of `at` as it lies in the log, with all of its headers; none where
    /// there is none (any more). Asked for in Kafka's own bytes, over plain TCP: see
    /// [`StoredRecord`].
    pub fn record(&self, at: &TopicPartition, offset: i64) -> Result<Option<StoredRecord>, ClusterError> {
        let what = || format!("reading {at}@{offset} whole");
        let refused = |reason: String| ClusterError::Refused {
            what: what(),
            servers: self.settings.servers().to_owned(),
            reason,
        };
        let leaders = leaders_of(&self.outside, &at.topic).map_err(|error| self.wrong(&what(), &error))?;
        let leader = leaders.get(&at.partition).ok_or_else(|| refused("it has no leader".to_owned()))?;
        stored_record(leader, at, offset).map_err(|error| refused(format!("{leader}: {error}")))
    }

    /// Where the cluster is, and how it is spoken to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every group there is, sorted by id.
    pub fn groups(&self) -> Result<Vec<Group>, ClusterError> {
        let groups = self
            .outside
            .fetch_group_list(None, self.timeout)
            .map_err(|error| self.wrong("listing the groups", &error))?;
        let mut all: Vec<_> = groups.groups().iter().map(group).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// The next offset that `group` will read of each of `partitions`, in their order; none where
    /// it never committed. Does not join the group.
    pub fn committed_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        let read = self.read_committed(group, partitions)?;
        partitions
            .iter()
            .map(|at| match read.find_partition(&at.topic, at.partition) {
                Some(element) => {
                    element
                        .error()
                        .map_err(|error| self.wrong(&format!("reading the offsets of {group}"), &error))?;
                    Ok(known(element.offset()))
                }
                None => Ok(None),
            })
            .collect()
    }

    /// As [`committed_offsets`](Self::committed_offsets), with the metadata. For groups of our own,
    /// whose metadata is text.
    pub fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<Commit>>, ClusterError> {
        let read = self.read_committed(group, partitions)?;
        commits(&read, partitions, group, &self.settings, self.timeout)
    }

    /// Commits for a group that has no members, as a job does that reads by itself.
    pub fn commit(&self, group: &str, commits: &[Commit]) -> Result<(), ClusterError> {
        let what = format!("committing for the group {group}");
        let list = commit_list(commits).map_err(|error| self.wrong(&what, &error))?;
        self.member_of(group)?.commit(&list, CommitMode::Sync).map_err(|error| self.wrong(&what, &error))
    }

    /// Moves the offsets of a group that has no members at the moment.
    pub fn reset(&self, group: &str, to: &[(TopicPartition, i64)]) -> Result<(), ResetError> {
        if let Some(found) = self.groups()?.into_iter().find(|found| found.id == group)
            && !found.members.is_empty()
        {
            return Err(ResetError::GroupInUse {
                group: group.to_owned(),
                state: found.state,
                members: found.members.len(),
            });
        }
        let commits: Vec<_> = to
            .iter()
            .map(|(at, offset)| Commit { at: at.clone(), offset: *offset, metadata: String::new() })
            .collect();
        Ok(self.commit(group, &commits)?)
    }

    fn read_committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<TopicPartitionList, ClusterError> {
        self.member_of(group)?
            .committed_offsets(list(partitions), self.timeout)
            .map_err(|error| self.wrong(&format!("reading the offsets of the group {group}"), &error))
    }

    /// A client that names the group without joining it.
    fn member_of(&self, group: &str) -> Result<Arc<BaseConsumer<ReaderContext>>, ClusterError> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = groups.get(group) {
            return Ok(Arc::clone(found));
        }
        let config = self.settings.config(&[("group.id", group), ("enable.auto.commit", "false")]);
        let made: BaseConsumer<ReaderContext> = config
            .create_with_context(ReaderContext::default())
            .map_err(|error| self.wrong(&format!("looking at the group {group}"), &error))?;
        if groups.len() >= WATCHED_GROUPS {
            groups.pop_first();
        }
        let made = Arc::new(made);
        groups.insert(group.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// One `ListOffsets` request to each broker. A time is asked for in the place of the offset;
    /// Kafka gives the beginning and the end numbers of their own (-2 and -1).
    fn offsets_for(
        &self,
        partitions: &[TopicPartition],
        time: Offset,
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let what = "reading the offsets of partitions";
        let mut asked = list(partitions);
        asked.set_all_offsets(time).map_err(|error| self.wrong(what, &error))?;
        let answer =
            self.outside.offsets_for_times(asked, self.timeout).map_err(|error| self.wrong(what, &error))?;
        Ok(partitions
            .iter()
            .map(|at| {
                let element = answer.find_partition(&at.topic, at.partition)?;
                element.error().ok()?;
                known(element.offset())
            })
            .collect())
    }

    /// Runs one of librdkafka's topic operations to its end.
    fn arrange<T, F: Future<Output = KafkaResult<T>>>(
        &self,
        what: &str,
        operation: impl FnOnce(&AdminClient<ReaderContext>, &AdminOptions) -> F,
    ) -> Result<T, ClusterError> {
        let mut client = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match &mut *client {
            Some(client) => client,
            none => none.insert(
                self.settings
                    .config(&[])
                    .create_with_context(ReaderContext::default())
                    .map_err(|error| self.wrong("starting a client", &error))?,
            ),
        };
        let options =
            AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout));
        block_on(operation(client, &options)).map_err(|error| self.wrong(what, &error))
    }

    fn wrong(&self, what: &str, error: &KafkaError) -> ClusterError {
        ClusterError::of(what, &self.settings, self.timeout, error)
    }

    fn refused(&self, what: String, code: RDKafkaErrorCode) -> ClusterError {
        ClusterError::of_code(what, &self.settings, self.timeout, code)
    }
}

fn group(info: &rdkafka::groups::GroupInfo) -> Group {
    let member = |member: &rdkafka::groups::GroupMemberInfo| Member {
        id: member.id().to_owned(),
        client_id: member.client_id().to_owned(),
        host: member.client_host().trim_start_matches('/').to_owned(),
        partitions: member.assignment().map(assignment::decode).unwrap_or_default(),
    };
    let mut members: Vec<_> = info.members().iter().map(member).collect();
    members.sort_by(|a, b| a.id.cmp(&b.id));
    Group {
        id: info.name().to_owned(),
        state: info.state().to_owned(),
        protocol_type: info.protocol_type().to_owned(),
        protocol: info.protocol().to_owned(),
        members,
    }
}

fn known(offset: Offset) -> Option<i64> {
    match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

/// Waits for a future that another thread completes: all that is needed of an async runtime here.
/// librdkafka ends every operation at its own timeout, so this ends too.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_read_any_more_is_no_lag() {
        let offsets = Offsets { earliest: 100, latest: 130 };
        for (committed, lag) in [(10, 30), (100, 30), (110, 20), (130, 0), (200, 0)] {
            assert_eq!(offsets.lag(committed), lag, "committed {committed}");
        }
        assert_eq!(Offsets { earliest: 100, latest: 100 }.lag(10), 0, "all of it was deleted");
    }
}
