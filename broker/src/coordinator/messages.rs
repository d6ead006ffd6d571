//! What the coordinator is asked and what it answers, free of any wire version.

use std::fmt;

use bytes::Bytes;

use super::{CommittedOffset, GroupError};
use crate::log::TopicPartition;

/// Names a request that waits for its answer. The coordinator only hands it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Counts a group's rounds of assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub i32);

impl Generation {
    /// What a consumer sends that commits without being a member.
    pub const NONE: Self = Self(-1);
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An answer to a request that was waiting (or came just now).
#[derive(Debug)]
pub enum Effect {
    /// To a `JoinGroup`.
    Join {
        /// Which.
        token: Token,
        /// The answer.
        result: Result<Joined, GroupError>,
    },
    /// To a `SyncGroup`.
    Sync {
        /// Which.
        token: Token,
        /// The answer.
        result: Result<Synced, GroupError>,
    },
}

/// `JoinGroup`.
#[derive(Clone, Debug, Default)]
pub struct JoinRequest {
    /// `group.id`.
    pub group_id: String,
    /// Empty at first.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub group_instance_id: Option<String>,
    /// From the request's header.
    pub client_id: String,
    /// The peer's address, as `/127.0.0.1`.
    pub client_host: String,
    /// After so long without a heartbeat the member is dead. ms.
    pub session_timeout_ms: i32,
    /// So long the others wait for it to rejoin. ms. (The session timeout in v0.)
    pub rebalance_timeout_ms: i32,
    /// `consumer` for consumers.
    pub protocol_type: String,
    /// Assignment strategies it knows, best first, each with its subscription.
    pub protocols: Vec<(String, Bytes)>,
    /// v4 and later: a first join is answered with a member id and must be repeated.
    pub requires_known_member_id: bool,
    /// v9 and later: a static leader that comes back may be told to keep the assignment.
    pub supports_skipping_assignment: bool,
}

/// The good answer to `JoinGroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The round that begins.
    pub generation: Generation,
    /// `consumer` for consumers.
    pub protocol_type: String,
    /// The strategy that was elected.
    pub protocol_name: String,
    /// Who computes the assignment.
    pub leader: String,
    /// The leader must not compute an assignment: the one there is stands (v9 and later).
    pub skip_assignment: bool,
    /// The receiver's id.
    pub member_id: String,
    /// All members for the leader, none for the others.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// Its subscription under the elected strategy.
    pub metadata: Bytes,
}

/// `SyncGroup`.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// `group.id`.
    pub group_id: String,
    /// From the join's answer.
    pub generation: Generation,
    /// From the join's answer.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// v5 and later.
    pub protocol_type: Option<String>,
    /// v5 and later.
    pub protocol_name: Option<String>,
    /// Who gets what, from the leader; empty from the others.
    pub assignments: Vec<(String, Bytes)>,
}

/// The good answer to `SyncGroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// `consumer` for consumers.
    pub protocol_type: String,
    /// The strategy that was elected.
    pub protocol_name: String,
    /// What this member gets; empty when the leader gave it nothing.
    pub assignment: Bytes,
}

/// `Heartbeat`.
#[derive(Clone, Debug, Default)]
pub struct HeartbeatRequest {
    /// `group.id`.
    pub group_id: String,
    /// From the join's answer.
    pub generation: Generation,
    /// From the join's answer.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
}

/// `LeaveGroup`.
#[derive(Clone, Debug, Default)]
pub struct LeaveRequest {
    /// `group.id`.
    pub group_id: String,
    /// One up to v2, any number from v3.
    pub members: Vec<LeavingMember>,
}

/// Who leaves: by member id, or (from v3) by instance id alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeavingMember {
    /// May be empty if there is an instance id.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
}

/// `OffsetCommit`.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// `group.id`.
    pub group_id: String,
    /// [`Generation::NONE`] from a consumer that is not a member.
    pub generation: Generation,
    /// Empty from a consumer that is not a member.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// What to commit; `commit_timestamp_ms` is set by the coordinator.
    pub offsets: Vec<(TopicPartition, CommittedOffset)>,
}

/// A group's state, as Kafka names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// No members; there may be committed offsets.
    Empty,
    /// Waiting for members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// All members have their assignment.
    Stable,
    /// Gone.
    Dead,
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One line of `ListGroups`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// `group.id`.
    pub group_id: String,
    /// Empty until the first member joins.
    pub protocol_type: String,
    /// What it is doing.
    pub state: GroupState,
}

/// `DescribeGroups`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// `group.id`.
    pub group_id: String,
    /// What it is doing.
    pub state: GroupState,
    /// Empty until the first member joins.
    pub protocol_type: String,
    /// The strategy in force; empty unless stable.
    pub protocol_name: String,
    /// In order of their ids.
    pub members: Vec<MemberDescription>,
}

/// A member as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDescription {
    /// Its id.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// `client.id`.
    pub client_id: String,
    /// Its address.
    pub client_host: String,
    /// Its subscription; empty unless stable.
    pub metadata: Bytes,
    /// What it was given; empty unless stable.
    pub assignment: Bytes,
}
