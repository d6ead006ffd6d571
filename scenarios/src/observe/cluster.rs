//! Topics, partitions, groups and lag, worked out from what any client may ask of any Kafka.
//!
//! A poll is a list of facts of one moment: where each log starts and ends, and what each group has
//! committed. Everything else follows from comparing polls. Records a second are the growth of log
//! ends; lag in records is log end minus committed offset; and lag in *seconds* is how long ago the
//! log's end was where the group's committed offset is now. That needs no look into any record, so
//! it works for every topic.
//!
//! # Simplifications
//! - Lag in seconds is known as far back as the polls go, [`KEEP_MS`](course::KEEP_MS); beyond that
//!   only a minimum is known.
//! - A rebalance that begins and ends between two polls is seen by its result: the owners have
//!   changed.

mod course;
mod members;
mod reads;

use std::collections::{BTreeMap, HashMap};

use bill::Lane;
use client::Offsets;
use dashboard::snapshot::{
    Group, GroupPartition, GroupState, Member, Notice, NoticeKind, Severity, Topic, Trend,
};
use events::Role;

use crate::businesses::lane_of_group;

use course::{Course, Growth, History};
pub use members::MemberNames;
use members::Membership;
use reads::Reads;

/// The facts of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClusterPoll {
    /// The brokers: their ids, and where clients are told to reach them.
    pub brokers: Vec<(i32, String)>,
    /// Every partition of every topic.
    pub logs: Vec<LogPoll>,
    /// Every consumer group.
    pub groups: Vec<GroupPoll>,
}

/// Whether a topic is watched: those whose names begin with `__` are Kafka's own.
pub fn is_watched(topic: &str) -> bool {
    !topic.starts_with("__")
}

/// Whether the groups of a protocol share partitions: those of other kinds (Connect's workers, say)
/// own none.
pub fn shares_partitions(protocol_type: &str) -> bool {
    matches!(protocol_type, "consumer" | "")
}

/// A group's state by Kafka's name for it.
pub fn group_state(name: &str) -> GroupState {
    match name {
        "Empty" => GroupState::Empty,
        "PreparingRebalance" => GroupState::PreparingRebalance,
        "CompletingRebalance" => GroupState::CompletingRebalance,
        "Stable" => GroupState::Stable,
        "Dead" => GroupState::Dead,
        _ => GroupState::Unknown,
    }
}

/// One partition of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPoll {
    /// The topic's name.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// The first offset that is kept.
    pub start: i64,
    /// One past the last offset.
    pub end: i64,
    /// The broker that leads it; none while there is no leader.
    pub leader: Option<i32>,
    /// Who keeps a replica, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Whose replica is in sync.
    pub in_sync: Vec<i32>,
}

/// One group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupPoll {
    /// Its name.
    pub id: String,
    /// Its state, from its coordinator.
    pub state: GroupState,
    /// Its members.
    pub members: Vec<MemberPoll>,
    /// Topic, partition, committed offset.
    pub committed: Vec<(String, i32, i64)>,
}

/// One member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPoll {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// The name it gave itself.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// The partitions that it owns, each with its topic.
    pub assigned: Vec<(String, i32)>,
}

#[derive(Debug, Default)]
struct LogView {
    start: i64,
    ends: Growth,
    /// The last known leader, and since when there is none.
    leader: Option<i32>,
    leaderless_since: Option<i64>,
}

#[derive(Debug, Default)]
struct TopicView {
    total: Growth,
    history: History,
}

#[derive(Debug, Default)]
struct GroupView {
    poll: GroupPoll,
    committed: Growth,
    /// The same of each topic.
    of_topics: HashMap<String, Growth>,
    lag: Course,
    /// The same of each partition.
    partitions: HashMap<(String, i32), Course>,
    lag_history: History,
    membership: Membership,
}

/// Everything worked out so far.
#[derive(Debug, Default)]
pub struct ClusterView {
    now_ms: i64,
    /// The brokers as they were found last; none before the first poll.
    pub brokers: Option<Vec<(i32, String)>>,
    /// Every partition as it was found last.
    pub last_logs: Vec<LogPoll>,
    logs: BTreeMap<(String, i32), LogView>,
    topics: BTreeMap<String, TopicView>,
    groups: BTreeMap<String, GroupView>,
    reads: Reads,
}

impl ClusterView {
    /// A worker of ours, of this group, has read so many records of a topic since it was started.
    pub fn read(&mut self, now_ms: i64, worker: &str, group: &str, topic: &str, records: u64) {
        self.reads.take(now_ms, worker, group, topic, records);
    }

    /// Records of a topic that groups commit a second whose members do not say what they read.
    fn committed_per_second(&self, topic: &str) -> Option<f64> {
        let silent = self.groups.iter().filter(|(id, _)| !self.reads.says(id, topic));
        let rates =
            silent.filter_map(|(_, view)| view.of_topics.get(topic)?.per_second_of_steps(self.now_ms));
        rates.reduce(|all, rate| all + rate)
    }

    /// Takes a poll made at `now_ms` of wall-clock time. Returns what happened since the last one.
    pub fn take(&mut self, now_ms: i64, poll: ClusterPoll) -> Vec<Notice> {
        self.now_ms = now_ms;
        let at_first = self.brokers.replace(poll.brokers).is_none();
        let mut notices = Vec::new();
        let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
        // From whom the lead went to whom: how many partitions, one of them, and how long there
        // was no leader.
        let mut elections: BTreeMap<(i32, i32), (u32, String, Option<i64>)> = BTreeMap::new();
        for log in &poll.logs {
            *totals.entry(&log.topic).or_default() += log.end;
            let view = self.logs.entry((log.topic.clone(), log.partition)).or_default();
            view.start = log.start;
            view.ends.push(now_ms, log.end);
            match (view.leader, log.leader) {
                (_, None) => {
                    view.leaderless_since.get_or_insert(now_ms);
                }
                (before, Some(leader)) => {
                    let since = view.leaderless_since.take();
                    if let Some(before) = before.filter(|before| *before != leader) {
                        let at = format!("{} {}", log.topic, log.partition);
                        let (count, ..) = elections.entry((before, leader)).or_insert((0, at, since));
                        *count += 1;
                    }
                    view.leader = Some(leader);
                }
            }
        }
        for ((before, leader), (count, at, since)) in elections {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            notices.push(Notice {
                at_ms: now_ms,
                kind: NoticeKind::Election,
                severity: Severity::Warning,
                subject: format!("broker {leader}"),
                text: format!("leads {at}{more}, which broker {before} led"),
                duration_ms: since.map(|since| (now_ms - since) as f64),
            });
        }
        self.logs.retain(|_, view| view.ends.pushed_at() == Some(now_ms));
        self.topics.retain(|name, _| totals.contains_key(name.as_str()));
        for (name, total) in totals {
            let topic = self.topics.entry(name.to_owned()).or_default();
            topic.total.push(now_ms, total);
            if let Some(rate) = topic.total.per_second() {
                topic.history.push(now_ms, rate);
            }
        }
        self.groups.retain(|id, _| poll.groups.iter().any(|group| group.id == *id));
        for group in poll.groups {
            let view = self.groups.entry(group.id.clone()).or_default();
            notices.extend(view.take(now_ms, group, &self.logs, at_first));
        }
        self.last_logs = poll.logs;
        notices
    }

    /// The topics: the user's own first, by name, then ours by what they are to a business.
    pub fn topics(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = self
            .topics
            .iter()
            .filter(|(name, _)| is_watched(name))
            .map(|(name, view)| Topic {
                name: name.clone(),
                ours: events::Topic::named(name).is_some(),
                in_per_second: view.total.per_second(),
                out_per_second: self.reads.per_second(name, self.now_ms),
                committed_per_second: self.committed_per_second(name),
                history_per_second: view.history.to_vec(),
                total_records: view.total.last().map(|total| total.max(0) as u64),
                partitions: Some(self.logs.keys().filter(|(topic, _)| topic == name).count() as u32),
                ..Topic::default()
            })
            .collect();
        topics.sort_by_key(|topic| display_order(&topic.name));
        topics
    }

    /// Whether a topic of this name has ever had a record.
    pub fn has_records(&self, name: &str) -> bool {
        self.topics.get(name).and_then(|topic| topic.total.last()).is_some_and(|total| total > 0)
    }

    /// Whether the group is at work: its members own partitions and have committed an offset in
    /// each. A member that owns a partition may still be learning what it must know before it can
    /// answer.
    pub fn is_at_work(&self, group: &str) -> bool {
        self.groups.get(group).is_some_and(|view| {
            let has_committed = |log: &(String, i32)| {
                view.poll.committed.iter().any(|(topic, partition, _)| *topic == log.0 && *partition == log.1)
            };
            let owners = &view.membership.owners;
            !owners.is_empty() && owners.keys().all(has_committed)
        })
    }

    /// How old the oldest record is that the group has not committed, and whether it is at least
    /// that.
    pub fn lag_of(&self, group: &str) -> Option<Age> {
        let view = self.groups.get(group)?;
        let ages = view.poll.committed.iter().filter_map(|(topic, partition, offset)| {
            let log = self.logs.get(&(topic.clone(), *partition))?;
            log.age(*offset, self.now_ms)
        });
        ages.reduce(Age::older)
    }

    /// The groups by name; `ours` says which have our workers as members.
    pub fn groups(&self, ours: impl Fn(&str) -> bool) -> Vec<Group> {
        let mut groups: Vec<Group> =
            self.groups.iter().map(|(id, view)| view.shown(ours(id), self.now_ms, &self.logs)).collect();
        // The stream lane before the jobs of the batch lane, which are asleep most of the time.
        groups.sort_by_key(|group| (!group.ours, lane_of_group(&group.id) == Some(Lane::Batch)));
        groups
    }
}

type Logs = BTreeMap<(String, i32), LogView>;

/// How old a record is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Age {
    /// In milliseconds of wall-clock time.
    pub ms: f64,
    /// Whether it is at least that: the record was there before anyone looked.
    pub is_minimum: bool,
}

impl Age {
    /// The greater of two. A minimum, which falls short by an unknown amount, makes the other one a
    /// minimum too.
    pub(super) fn older(self, other: Self) -> Self {
        Self { ms: self.ms.max(other.ms), is_minimum: self.is_minimum || other.is_minimum }
    }
}

impl LogView {
    /// How old the record at `committed` is, or the first that is left behind it; 0 at the log's
    /// end.
    fn age(&self, committed: i64, now_ms: i64) -> Option<Age> {
        let end = self.ends.last()?;
        if (Offsets { earliest: self.start, latest: end }).lag(committed) == 0 {
            return Some(Age { ms: 0.0, is_minimum: false });
        }
        let position = committed.max(self.start);
        if let Some(since) = self.ends.when(position) {
            return Some(Age { ms: (now_ms as f64 - since).max(0.0), is_minimum: false });
        }
        let looked = self.ends.passed_before(position)?;
        Some(Age { ms: (now_ms - looked).max(0) as f64, is_minimum: true })
    }
}

impl GroupView {
    fn take(&mut self, now_ms: i64, poll: GroupPoll, logs: &Logs, at_first: bool) -> Option<Notice> {
        let mut lag = 0;
        let mut committed_sum = 0;
        self.partitions.retain(|(topic, partition), _| {
            poll.committed.iter().any(|(known, number, _)| known == topic && number == partition)
        });
        for (topic, partition, offset) in &poll.committed {
            committed_sum += offset;
            let at = (topic.clone(), *partition);
            let Some((log, end)) = logs.get(&at).and_then(|log| Some((log, log.ends.last()?))) else {
                continue;
            };
            let its = Offsets { earliest: log.start, latest: end }.lag(*offset);
            lag += its;
            self.partitions.entry(at).or_default().push(now_ms, its, *offset);
        }
        let mut of_topics: HashMap<&str, i64> = HashMap::new();
        for (topic, _, offset) in &poll.committed {
            *of_topics.entry(topic).or_default() += offset;
        }
        self.of_topics.retain(|topic, _| of_topics.contains_key(topic.as_str()));
        for (topic, offsets) in of_topics {
            self.of_topics.entry(topic.to_owned()).or_default().push(now_ms, offsets);
        }
        self.committed.push(now_ms, committed_sum);
        self.lag.push(now_ms, lag, committed_sum);
        self.lag_history.push(now_ms, lag as f64);

        let is_behind =
            |log: &_| self.partitions.get(log).and_then(Course::lag).is_some_and(|records| records > 0);
        let notice = self.membership.take(now_ms, &poll, at_first, is_behind);
        self.poll = poll;
        notice
    }

    fn shown(&self, ours: bool, now_ms: i64, logs: &Logs) -> Group {
        let Membership { names, owners, generation, .. } = &self.membership;
        let names: HashMap<&str, String> = self
            .poll
            .members
            .iter()
            .map(|member| {
                // Our workers' client ids are their own: a second one is the same worker, started
                // again before its session has timed out.
                let name = if ours {
                    member.client_id.clone()
                } else {
                    names.of(&member.client_id, &member.member_id)
                };
                (&*member.member_id, name)
            })
            .collect();
        let committed: BTreeMap<(String, i32), i64> =
            self.poll.committed.iter().map(|(topic, p, offset)| ((topic.clone(), *p), *offset)).collect();
        let mut places: Vec<&(String, i32)> = committed.keys().chain(owners.keys()).collect();
        places.sort_unstable();
        places.dedup();
        let trend = self.trend();
        let partitions: Vec<GroupPartition> = places
            .into_iter()
            .map(|place| {
                let log = logs.get(place);
                let end = log.and_then(|log| log.ends.last());
                let committed = committed.get(place).copied();
                let lag = committed
                    .zip(log)
                    .zip(end)
                    .map(|((offset, log), latest)| Offsets { earliest: log.start, latest }.lag(offset));
                let age = committed.zip(log).and_then(|(offset, log)| log.age(offset, now_ms));
                let owned = owners.contains_key(place);
                let course = self.partitions.get(place);
                GroupPartition {
                    topic: place.0.clone(),
                    partition: place.1,
                    log_start: log.map(|log| log.start),
                    log_end: end,
                    committed,
                    lag_records: lag.map(|lag| lag as u64),
                    lag_ms: age.map(|age| age.ms),
                    lag_is_minimum: age.is_some_and(|age| age.is_minimum),
                    owner: owners.get(place).map(|member| names.get(&**member).unwrap_or(member).clone()),
                    trend: if owned {
                        course.map_or(Trend::Unknown, Course::trend)
                    } else {
                        Trend::NoMembers
                    },
                }
            })
            .collect();
        Group {
            id: self.poll.id.clone(),
            state: self.poll.state,
            ours,
            generation: (*generation > 0).then_some(*generation),
            members: self
                .poll
                .members
                .iter()
                .map(|member| Member {
                    member_id: member.member_id.clone(),
                    client_id: member.client_id.clone(),
                    name: names[&*member.member_id].clone(),
                    host: member.host.clone(),
                    partitions: Some(member.assigned.len() as u32),
                })
                .collect(),
            lag_records: self.lag.lag().map(|lag| lag as u64),
            lag_is_minimum: partitions.iter().any(|partition| partition.lag_is_minimum),
            lag_ms: worst(partitions.iter().map(|partition| partition.lag_ms)),
            partitions,
            committed_per_second: self.committed.per_second(),
            lag_history_records: self.lag_history.to_vec(),
            trend,
            waiting: None,
        }
    }

    /// Where the lag is going.
    fn trend(&self) -> Trend {
        if self.poll.members.is_empty() && self.lag.lag().is_some() {
            Trend::NoMembers
        } else {
            self.lag.trend()
        }
    }
}

/// The largest of some values, unknown when any is: a partition without a date may be the oldest
/// of all.
fn worst(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten()
}

/// Where a topic stands on the screen: those that are none of ours first, then ours by role.
fn display_order(name: &str) -> Option<(Role, events::Topic)> {
    events::Topic::named(name).map(|topic| (topic.role(), topic))
}

#[cfg(test)]
mod tests;
