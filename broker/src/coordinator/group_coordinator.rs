//! All groups: finds the one that is meant, and joins it with its committed offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::MAX_STRING_LEN;

use super::deadlines::Deadlines;
use super::group::Group;
use super::offset_store::OffsetStore;
use super::{
    CommitRequest, CommittedOffset, Effect, Generation, GroupConfig, GroupDescription, GroupError,
    GroupListing, HeartbeatRequest, JoinRequest, LeaveRequest, SyncRequest, Token,
};
use crate::log::{StorageError, TopicPartition};
use crate::replica::PartitionHandle;

/// How long a group without members and offsets is still listed (Kafka looks every ten minutes).
const VACANT_GROUP_MS: i64 = 600_000;
/// So much later it is tried again to forget what has expired, when the disk refused. ms.
const RETRY_MS: i64 = 1_000;
/// Longest name that fits in an offset record, in bytes.
const MAX_GROUP_ID_LEN: usize = MAX_STRING_LEN;
/// So much of a client's name goes into the member id that it gets, in bytes: the id must be short
/// enough for every version of every answer.
const MAX_NAME_IN_MEMBER_ID: usize = 255;

/// One answer for each item of a request, in order; or one for all of it.
pub type Answers = Result<Vec<Result<(), GroupError>>, GroupError>;

/// The coordinator of all groups: a pure state machine over `(now, request)`. Put it behind one
/// mutex; no call waits for anything but a small write to the page cache.
///
/// `now_ms` counts from 1970 and must not go back: take the wall clock once at start and add a
/// monotonic clock to it.
#[derive(Debug)]
pub struct GroupCoordinator {
    config: GroupConfig,
    groups: BTreeMap<String, Group>,
    offsets: OffsetStore,
    /// Of every group, as of its last change.
    deadlines: Deadlines,
    incarnation: u64,
    ids_given: u64,
}

impl GroupCoordinator {
    /// One that knows no group yet. `incarnation` must differ from run to run (a random number): it
    /// keeps member ids of different runs apart.
    pub fn new(config: GroupConfig, incarnation: u64) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            offsets: OffsetStore::default(),
            deadlines: Deadlines::default(),
            incarnation,
            ids_given: 0,
        }
    }

    /// Reads what groups have committed in the partitions of
    /// [`OFFSETS_TOPIC`](super::OFFSETS_TOPIC), and commits there from now on.
    pub fn load(&mut self, partitions: Vec<Arc<PartitionHandle>>, now_ms: i64) -> Result<(), StorageError> {
        self.offsets.load(partitions)?;
        let group_ids: Vec<String> = self.offsets.groups().keys().cloned().collect();
        for group_id in group_ids {
            self.groups.entry(group_id.clone()).or_insert_with(|| Group::new(now_ms));
            self.note_deadline(&group_id);
        }
        Ok(())
    }

    /// Whether there is a topic to commit to.
    pub fn is_loaded(&self) -> bool {
        self.offsets.is_loaded()
    }

    /// `JoinGroup`. The answer to `token` comes as an [`Effect::Join`], now or out of a later call.
    pub fn join(&mut self, now_ms: i64, token: Token, request: JoinRequest) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Err(error) = self.check_join(&request) {
            effects.push(Effect::Join { token, result: Err(error) });
            return effects;
        }
        let group_id = request.group_id.clone();
        let group = self.groups.entry(group_id.clone()).or_insert_with(|| Group::new(now_ms));
        let mut name = request.group_instance_id.as_ref().unwrap_or(&request.client_id).clone();
        name.truncate(name.floor_char_boundary(MAX_NAME_IN_MEMBER_ID));
        let new_member_id = || {
            self.ids_given += 1;
            format!("{name}-{:016x}-{}", self.incarnation, self.ids_given)
        };
        group.join(now_ms, token, request, &self.config, new_member_id, &mut effects);
        group.assert_consistent();
        self.note_deadline(&group_id);
        effects
    }

    fn check_join(&self, request: &JoinRequest) -> Result<(), GroupError> {
        check_group_id(&request.group_id)?;
        let (min_ms, max_ms) = (self.config.min_session_timeout_ms, self.config.max_session_timeout_ms);
        let session_timeout_ms = request.session_timeout_ms;
        if !(min_ms..=max_ms).contains(&session_timeout_ms) {
            return Err(GroupError::InvalidSessionTimeout { session_timeout_ms, min_ms, max_ms });
        }
        if !request.member_id.is_empty() && !self.groups.contains_key(&request.group_id) {
            return Err(GroupError::UnknownMemberId);
        }
        Ok(())
    }

    /// `SyncGroup`. The answer to `token` comes as an [`Effect::Sync`], now or out of a later call.
    pub fn sync(&mut self, now_ms: i64, token: Token, request: SyncRequest) -> Vec<Effect> {
        let mut effects = Vec::new();
        let group_id = request.group_id.clone();
        match self.group_mut(&group_id) {
            Ok(group) => {
                group.sync(now_ms, token, request, &mut effects);
                group.assert_consistent();
                self.note_deadline(&group_id);
            }
            Err(error) => effects.push(Effect::Sync { token, result: Err(error) }),
        }
        effects
    }

    /// `Heartbeat`.
    pub fn heartbeat(&mut self, now_ms: i64, request: &HeartbeatRequest) -> Result<(), GroupError> {
        let result = self.group_mut(&request.group_id)?.heartbeat(now_ms, request);
        self.note_deadline(&request.group_id);
        result
    }

    /// `LeaveGroup`: one answer for each leaving member, in order, and what it sets free.
    pub fn leave(&mut self, now_ms: i64, request: &LeaveRequest) -> (Answers, Vec<Effect>) {
        let mut effects = Vec::new();
        let result = self.group_mut(&request.group_id).map(|group| {
            let answers =
                request.members.iter().map(|leaving| group.leave(now_ms, leaving, &mut effects)).collect();
            group.assert_consistent();
            answers
        });
        self.note_deadline(&request.group_id);
        (result, effects)
    }

    fn group_mut(&mut self, group_id: &str) -> Result<&mut Group, GroupError> {
        check_group_id(group_id)?;
        self.groups.get_mut(group_id).ok_or(GroupError::UnknownMemberId)
    }

    /// Does what is due: sessions and rebalances that timed out, offsets that expired.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for group_id in self.deadlines.due(now_ms) {
            let group = self.groups.get_mut(&group_id).expect("only groups that are there have a deadline");
            group.tick(now_ms, &mut effects);
            group.assert_consistent();
            if self.expiry_ms(&group_id, &self.groups[&group_id]).is_some_and(|at| at <= now_ms) {
                self.expire(now_ms, &group_id);
            }
            // What is due still, the disk has refused to forget.
            let due_ms = self.deadline_ms(&group_id);
            self.deadlines.set(&group_id, due_ms.map(|at| if at > now_ms { at } else { now_ms + RETRY_MS }));
        }
        effects
    }

    /// When [`GroupCoordinator::tick`] must be called next, ms since 1970. Ask after every call.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.deadlines.first_ms()
    }

    /// After whatever may have changed a group, or its offsets.
    fn note_deadline(&mut self, group_id: &str) {
        self.deadlines.set(group_id, self.deadline_ms(group_id));
    }

    fn deadline_ms(&self, group_id: &str) -> Option<i64> {
        let group = self.groups.get(group_id)?;
        group.next_deadline_ms().into_iter().chain(self.expiry_ms(group_id, group)).min()
    }

    /// When the next thing of an empty group expires (KIP-211): an offset, or the group's name.
    fn expiry_ms(&self, group_id: &str, group: &Group) -> Option<i64> {
        let empty_since = group.empty_since_ms.filter(|_| group.is_vacant())?;
        match self.offsets.groups().get(group_id) {
            None => Some(empty_since.saturating_add(VACANT_GROUP_MS)),
            Some(offsets) => {
                offsets.values().map(|committed| self.offset_expiry_ms(empty_since, committed)).min()
            }
        }
    }

    fn offset_expiry_ms(&self, empty_since_ms: i64, committed: &CommittedOffset) -> i64 {
        empty_since_ms.max(committed.commit_timestamp_ms).saturating_add(self.config.offsets_retention_ms)
    }

    fn expire(&mut self, now_ms: i64, group_id: &str) {
        let Some(empty_since) = self.groups.get(group_id).and_then(|group| group.empty_since_ms) else {
            return;
        };
        assert!(self.groups[group_id].is_vacant(), "only a group without members expires");
        let Some(offsets) = self.offsets.groups().get(group_id) else {
            self.groups.remove(group_id);
            return;
        };
        let expired = |committed: &CommittedOffset| self.offset_expiry_ms(empty_since, committed) <= now_ms;
        let gone: Vec<_> = offsets
            .iter()
            .filter(|(_, committed)| expired(committed))
            .map(|(partition, _)| partition.clone())
            .collect();
        // When the disk refuses, a later tick tries again; no request waits for it.
        if self.offsets.delete(now_ms, group_id, &gone).is_ok()
            && !self.offsets.groups().contains_key(group_id)
        {
            self.groups.remove(group_id);
        }
    }

    /// `OffsetCommit`: one answer for each offset, in order. What is `Ok` survives `kill -9`.
    pub fn commit(&mut self, now_ms: i64, request: CommitRequest) -> Answers {
        let CommitRequest { group_id, generation, member_id, group_instance_id, offsets } = request;
        // A consumer that assigns partitions to itself may have no group at all, not even a name.
        if generation >= Generation(0) {
            check_group_id(&group_id)?;
        }
        match self.groups.get_mut(&group_id) {
            Some(group) => {
                group.check_commit(now_ms, generation, &member_id, group_instance_id.as_deref())?;
            }
            None if generation < Generation(0) && group_id.len() <= MAX_GROUP_ID_LEN => {}
            None => return Err(GroupError::IllegalGeneration),
        }
        let max = self.config.max_metadata_bytes.min(i16::MAX as usize);
        let mut answers = Vec::with_capacity(offsets.len());
        let mut commits = Vec::with_capacity(offsets.len());
        for (partition, committed) in &offsets {
            let size = committed.metadata.len();
            if size > max {
                answers.push(Err(GroupError::OffsetMetadataTooLarge { size, max }));
                continue;
            }
            commits.push((partition, CommittedOffset { commit_timestamp_ms: now_ms, ..committed.clone() }));
            answers.push(Ok(()));
        }
        assert_eq!(answers.len(), offsets.len(), "each offset has its answer, taken or not");
        // A member that commits is alive, whatever becomes of its offsets.
        let committed = self.offsets.commit(now_ms, &group_id, &commits);
        if committed.is_ok() {
            self.groups.entry(group_id.clone()).or_insert_with(|| Group::new(now_ms));
        }
        self.note_deadline(&group_id);
        committed?;
        Ok(answers)
    }

    /// `OffsetFetch` for one partition. Any group may be asked for, member or not.
    pub fn committed(&self, group_id: &str, partition: &TopicPartition) -> Option<&CommittedOffset> {
        self.offsets.get(group_id, partition)
    }

    /// `OffsetFetch` for all partitions, in order.
    pub fn all_committed(&self, group_id: &str) -> Vec<(&TopicPartition, &CommittedOffset)> {
        self.offsets.groups().get(group_id).into_iter().flatten().collect()
    }

    /// `ListGroups`, in order of their ids.
    pub fn list(&self) -> Vec<GroupListing> {
        let listings = self.groups.iter().map(|(group_id, group)| GroupListing {
            group_id: group_id.clone(),
            protocol_type: group.protocol_type.clone(),
            state: group.state,
        });
        listings.collect()
    }

    /// `DescribeGroups`; `None` when there is no such group (older clients see it as `Dead`).
    pub fn describe(&self, group_id: &str) -> Option<GroupDescription> {
        self.groups.get(group_id).map(|group| group.describe(group_id))
    }

    /// `DeleteGroups`, one of them: offsets and all. Only if it has no members.
    pub fn delete_group(&mut self, now_ms: i64, group_id: &str) -> Result<(), GroupError> {
        let group = self.groups.get(group_id).ok_or(GroupError::GroupIdNotFound)?;
        if !group.is_vacant() {
            return Err(GroupError::NonEmptyGroup);
        }
        let partitions: Vec<_> =
            self.offsets.groups().get(group_id).into_iter().flatten().map(|(p, _)| p.clone()).collect();
        self.offsets.delete(now_ms, group_id, &partitions)?;
        self.groups.remove(group_id);
        self.note_deadline(group_id);
        Ok(())
    }

    /// `OffsetDelete`: one answer for each partition, in order.
    pub fn delete_offsets(&mut self, now_ms: i64, group_id: &str, partitions: &[TopicPartition]) -> Answers {
        let group = self.groups.get(group_id).ok_or(GroupError::GroupIdNotFound)?;
        if !group.is_vacant() && group.protocol_type != "consumer" {
            return Err(GroupError::NonEmptyGroup);
        }
        let (kept, gone): (Vec<_>, Vec<_>) =
            partitions.iter().cloned().partition(|partition| group.is_subscribed_to(&partition.topic));
        self.offsets.delete(now_ms, group_id, &gone)?;
        self.note_deadline(group_id);
        let answer = |partition| {
            if kept.contains(partition) { Err(GroupError::GroupSubscribedToTopic) } else { Ok(()) }
        };
        Ok(partitions.iter().map(answer).collect())
    }

    /// A topic was deleted: all groups forget their offsets in it.
    pub fn delete_topic_offsets(&mut self, now_ms: i64, topic: &str) -> Result<(), StorageError> {
        let groups: Vec<String> = self.offsets.groups().keys().cloned().collect();
        for group_id in groups {
            let of_topic = |(partition, _): (&TopicPartition, _)| {
                (*partition.topic == *topic).then(|| partition.clone())
            };
            let partitions: Vec<_> = self.offsets.groups()[&group_id].iter().filter_map(of_topic).collect();
            if partitions.is_empty() {
                continue;
            }
            self.offsets.delete(now_ms, &group_id, &partitions)?;
            self.note_deadline(&group_id);
        }
        Ok(())
    }
}

fn check_group_id(group_id: &str) -> Result<(), GroupError> {
    let fine = !group_id.is_empty() && group_id.len() <= MAX_GROUP_ID_LEN;
    if fine { Ok(()) } else { Err(GroupError::InvalidGroupId) }
}

#[cfg(test)]
mod tests {
    use protocol::records::LeaderEpoch;

    use super::*;
    use crate::coordinator::LeavingMember;
    use crate::log::{LogConfig, MemoryStorage, RecoveryHints};
    use crate::replica::Partition;

    const WEEK_MS: i64 = 7 * 24 * 3_600_000;

    fn open(storage: &MemoryStorage) -> GroupCoordinator {
        let (config, hints) = (LogConfig::default(), RecoveryHints::default());
        let partition =
            Partition::open(Arc::new(storage.clone()), "o-0".into(), config, LeaderEpoch(0), hints)
                .unwrap()
                .0;
        let name = TopicPartition::new("o", 0);
        let mut coordinator = GroupCoordinator::new(GroupConfig::default(), 1);
        coordinator.load(vec![Arc::new(PartitionHandle::new(name, partition))], 0).unwrap();
        coordinator
    }

    fn commit(coordinator: &mut GroupCoordinator, now_ms: i64, group_id: &str, topic: &str) {
        let request = CommitRequest {
            group_id: group_id.into(),
            generation: Generation::NONE,
            member_id: String::new(),
            group_instance_id: None,
            offsets: vec![(TopicPartition::new(topic, 0), CommittedOffset::default())],
        };
        coordinator.commit(now_ms, request).unwrap();
    }

    /// A deadline that is noted for each group must be the one that asking all of them would find.
    #[test]
    fn the_first_deadline_is_that_of_all_groups_after_whatever_was_done() {
        let storage = MemoryStorage::new();
        let mut coordinator = open(&storage);
        let check = |coordinator: &GroupCoordinator, expected_ms| {
            let of_all = coordinator.groups.keys().filter_map(|group_id| coordinator.deadline_ms(group_id));
            assert_eq!(coordinator.next_deadline_ms(), of_all.min());
            assert_eq!(coordinator.next_deadline_ms(), expected_ms);
        };
        check(&coordinator, None);
        for (now_ms, group_id, topic) in [(10, "a", "t"), (20, "b", "t"), (30, "b", "u"), (40, "c", "u")] {
            commit(&mut coordinator, now_ms, group_id, topic);
            check(&coordinator, Some(10 + WEEK_MS));
        }
        let join = JoinRequest {
            group_id: "a".into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 10_000,
            protocol_type: "consumer".into(),
            protocols: vec![("range".into(), bytes::Bytes::new())],
            ..JoinRequest::default()
        };
        let mut effects = coordinator.join(50, Token(1), join);
        let Some(Effect::Join { result: Ok(joined), .. }) = effects.pop() else { panic!("{effects:?}") };
        check(&coordinator, Some(10_050));
        let member = HeartbeatRequest {
            group_id: "a".into(),
            generation: joined.generation,
            member_id: joined.member_id.clone(),
            group_instance_id: None,
        };
        coordinator.heartbeat(60, &member).unwrap();
        check(&coordinator, Some(10_050));
        let sync = SyncRequest {
            group_id: "a".into(),
            generation: joined.generation,
            member_id: joined.member_id.clone(),
            ..SyncRequest::default()
        };
        coordinator.sync(70, Token(2), sync);
        coordinator.heartbeat(80, &member).unwrap();
        check(&coordinator, Some(10_080));
        let leaving = LeavingMember { member_id: joined.member_id, group_instance_id: None };
        coordinator.leave(90, &LeaveRequest { group_id: "a".into(), members: vec![leaving] }).0.unwrap();
        // The others have not committed since.
        check(&coordinator, Some(20 + WEEK_MS));
        coordinator.delete_topic_offsets(100, "t").unwrap();
        check(&coordinator, Some(90 + VACANT_GROUP_MS));
        coordinator.delete_group(110, "a").unwrap();
        check(&coordinator, Some(30 + WEEK_MS));
        coordinator.delete_offsets(120, "b", &[TopicPartition::new("u", 0)]).unwrap();
        check(&coordinator, Some(20 + VACANT_GROUP_MS));
        coordinator.tick(20 + VACANT_GROUP_MS);
        check(&coordinator, Some(40 + WEEK_MS));
        check(&open(&storage), Some(40 + WEEK_MS));
        coordinator.tick(40 + WEEK_MS);
        check(&coordinator, None);
    }

    /// Else the broker would do nothing but try, for as long as the disk is full.
    #[test]
    fn what_a_full_disk_does_not_let_expire_is_tried_again_later() {
        let storage = MemoryStorage::new();
        let mut coordinator = open(&storage);
        commit(&mut coordinator, 10, "a", "t");
        storage.limit_capacity(Some(0));
        let due_ms = 10 + WEEK_MS;
        coordinator.tick(due_ms);
        let again_ms = coordinator.next_deadline_ms().unwrap();
        assert!(again_ms > due_ms, "due again at {again_ms}, and now it is {due_ms}");
        storage.limit_capacity(None);
        coordinator.tick(again_ms);
        assert!(coordinator.list().is_empty() && coordinator.next_deadline_ms().is_none());
    }
}
