//! Groups: their members, what they have committed, and resetting it.

use std::sync::{Arc, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};

use super::Admin;
use super::offsets::known;
use crate::context::ReaderContext;
use crate::group::{commit_list, commits, list};
use crate::{ClusterError, Commit, ResetError, TopicPartition, assignment};

/// The most groups whose offsets are watched at once; each takes a client of its own.
const WATCHED_GROUPS: usize = 64;

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

impl Admin {
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

    /// Deletes a group that has no members, with all that it has committed.
    pub fn delete_group(&self, group: &str) -> Result<(), ClusterError> {
        let what = format!("deleting the group {group}");
        let results = self.arrange(&what, |client, options| client.delete_groups(&[group], options))?;
        for result in results {
            result.map_err(|(_, code)| self.refused(what.clone(), code))?;
        }
        Ok(())
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
