//! One group of consumers that share topics: the classic protocol, as a state machine.
//!
//! The broker does not know what is shared, or how. It gathers the members (*join*), lets one of
//! them, the leader, decide who gets what, and hands the decision round (*sync*). Each such round
//! is a *generation*; a member of an older one is refused, and that keeps two consumers
//! from working on one partition.
//!
//! # States
//!
//! **Empty**: no members. There may be committed offsets.
//! - `JoinGroup`: remember the member, wait for the initial delay if one is set →
//!   `PreparingRebalance`.
//! - `SyncGroup`, Heartbeat, `LeaveGroup`: `UNKNOWN_MEMBER_ID`. `OffsetCommit` without a
//!   generation: taken.
//! - The last committed offset expires, or the group is deleted → Dead.
//!
//! **`PreparingRebalance`**: waiting until every member has joined again.
//! - `JoinGroup`: park it. Every live member has one parked, and no member is expected with a fresh
//!   member id → `CompletingRebalance`. The slowest member's rebalance timeout runs out: go on
//!   without those who did not come (static members keep their place until their session ends).
//! - `SyncGroup`, Heartbeat: `REBALANCE_IN_PROGRESS`, which is how members learn of it.
//! - `LeaveGroup`, a session ends: remove the member. It was the last one → Empty.
//! - `OffsetCommit` with the current generation: taken, so that members can save their work before
//!   they give partitions up.
//!
//! **`CompletingRebalance`**: everyone has joined, the leader is thinking.
//! - `SyncGroup`: park it. It is the leader's: answer all that are parked → Stable.
//! - `JoinGroup` with a change, a new member, `LeaveGroup`, a session ends, a member does not sync
//!   within its rebalance timeout: answer parked syncs with `REBALANCE_IN_PROGRESS` →
//!   `PreparingRebalance`.
//! - `JoinGroup` as before: the answer got lost, give it again.
//! - `OffsetCommit`: `REBALANCE_IN_PROGRESS`.
//!
//! **Stable**: everyone has (or can ask for) an assignment.
//! - `SyncGroup`: answer with the assignment. Heartbeat, `OffsetCommit`: fine.
//! - `JoinGroup` by the leader or with a change, a new member, `LeaveGroup`, a session ends →
//!   `PreparingRebalance`. A follower's `JoinGroup` as before: the answer got lost, give it again.
//!   A static member that comes back under a new member id takes its old place; nothing else moves.
//!
//! **Dead**: gone. Kept as a word for clients; a dead group is not in memory.
//!
//! Source: Kafka's `ClassicGroup` and `GroupMetadataManager`, KIP-62 (two timeouts), KIP-345
//! (static members), KIP-394 (member ids first), KIP-814 (leader may skip its assignment).
//!
//! # Simplifications
//!
//! - Kafka keeps members and generation in the offsets topic, so a group survives a broker's
//!   restart in its generation. Here members find themselves unknown, and join again.
//! - With an initial delay, Kafka extends it while members keep coming; here it is a fixed time.

mod admin;
mod commit;
mod heartbeat;
mod invariants;
mod join;
mod leave;
mod rebalance;
mod subscription;
mod sync;
mod timeouts;

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Effect, Generation, GroupConfig, GroupError, GroupState, JoinedMember, Token};

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) state: GroupState,
    pub(super) generation: Generation,
    /// Set by the first member; `consumer` for consumers.
    pub(super) protocol_type: String,
    /// Elected for this generation; empty without one.
    pub(super) protocol_name: String,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// `group.instance.id` to member id.
    static_members: BTreeMap<String, String>,
    /// Member ids that were given out and not used yet, and until when (ms).
    pending: BTreeMap<String, i64>,
    /// In `PreparingRebalance`: when the wait for members ends (ms).
    join_deadline_ms: i64,
    /// In `PreparingRebalance` after Empty: not before this time (ms).
    initial_delay_until_ms: Option<i64>,
    /// After a join round: when members that have not synced are out (ms).
    sync_deadline_ms: Option<i64>,
    /// Since when the group has had no members (ms); `None` while it has.
    pub(super) empty_since_ms: Option<i64>,
}

/// One member.
#[derive(Clone, Debug)]
struct Member {
    group_instance_id: Option<String>,
    client_id: String,
    client_host: String,
    session_timeout_ms: i32,
    rebalance_timeout_ms: i32,
    protocols: Vec<(String, Bytes)>,
    assignment: Bytes,
    /// Its parked `JoinGroup`.
    joining: Option<Token>,
    /// Its parked `SyncGroup`.
    syncing: Option<Token>,
    /// It was in the last join round and has not asked for its assignment yet.
    must_sync: bool,
    /// Has never completed a join.
    is_new: bool,
    /// When its session ends (ms), unless it is waiting for us.
    session_deadline_ms: i64,
}

impl Group {
    /// A group without members. `now_ms` counts from 1970.
    pub(super) fn new(now_ms: i64) -> Self {
        Self {
            state: GroupState::Empty,
            generation: Generation(0),
            protocol_type: String::new(),
            protocol_name: String::new(),
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending: BTreeMap::new(),
            join_deadline_ms: 0,
            initial_delay_until_ms: None,
            sync_deadline_ms: None,
            empty_since_ms: Some(now_ms),
        }
    }

    /// Whether it could be deleted: it has no members, and none are expected.
    pub(super) fn is_vacant(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty()
    }

    /// Whether this is a member. With an instance id the member id must be the one that now
    /// holds it.
    fn check_member(&self, member_id: &str, group_instance_id: Option<&str>) -> Result<(), GroupError> {
        if let Some(instance) = group_instance_id {
            match self.static_members.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(holder) if holder != member_id => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(GroupError::UnknownMemberId) }
    }

    fn check_generation(&self, generation: Generation) -> Result<(), GroupError> {
        if generation == self.generation { Ok(()) } else { Err(GroupError::IllegalGeneration) }
    }

    fn member_mut(&mut self, member_id: &str) -> &mut Member {
        self.members.get_mut(member_id).expect("the caller has checked that this is a member")
    }

    /// The member gave a sign of life.
    fn renew_session(&mut self, now_ms: i64, member_id: &str) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.session_deadline_ms = now_ms.saturating_add(i64::from(member.session_timeout_ms));
        }
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// All members with their subscription under the elected protocol, in order of their ids.
    fn joined_members(&self) -> Vec<JoinedMember> {
        let joined = self.members.iter().map(|(member_id, member)| JoinedMember {
            member_id: member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            metadata: member.metadata(&self.protocol_name),
        });
        joined.collect()
    }
}

impl Member {
    /// Its subscription under `protocol`.
    fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| name == protocol)
            .map(|(_, bytes)| bytes.clone())
            .unwrap_or_default()
    }

    fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }
}
