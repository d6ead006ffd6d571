//! What a group's coordinator answers when it says no.

use thiserror::Error;

use crate::log::StorageError;

/// Each variant has the name of the wire's error code.
#[derive(Debug, Error)]
pub enum GroupError {
    /// The group id is empty where one is needed.
    #[error("the group id is empty")]
    InvalidGroupId,
    /// Not a member (any more): join again.
    #[error("the group does not know this member")]
    UnknownMemberId,
    /// First join without a member id (from v4): join again with this one.
    #[error("join again as {member_id}")]
    MemberIdRequired {
        /// The id to use.
        member_id: String,
    },
    /// Another process has taken over this `group.instance.id`.
    #[error("another member has taken over this group.instance.id")]
    FencedInstanceId,
    /// Of an earlier (or later) generation.
    #[error("this generation is not the group's current one")]
    IllegalGeneration,
    /// Join again.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// No assignment strategy that all members know, or another kind of group.
    #[error("the members have no protocol in common")]
    InconsistentGroupProtocol,
    /// Outside `group.min.session.timeout.ms` to `group.max.session.timeout.ms`.
    #[error("session timeout {session_timeout_ms} ms is outside {min_ms} to {max_ms} ms")]
    InvalidSessionTimeout {
        /// What was asked for.
        session_timeout_ms: i32,
        /// Smallest allowed.
        min_ms: i32,
        /// Largest allowed.
        max_ms: i32,
    },
    /// `group.max.size` reached.
    #[error("the group has as many members as it may have")]
    GroupMaxSizeReached,
    /// No such group.
    #[error("there is no such group")]
    GroupIdNotFound,
    /// The group has members.
    #[error("the group still has members")]
    NonEmptyGroup,
    /// A member is subscribed to the topic whose offset should be deleted.
    #[error("a member of the group is subscribed to this topic")]
    GroupSubscribedToTopic,
    /// `offset.metadata.max.bytes`.
    #[error("the commit's metadata has {size} bytes, {max} are allowed")]
    OffsetMetadataTooLarge {
        /// Bytes it has.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Committed offsets can't be written now: `COORDINATOR_NOT_AVAILABLE`, which clients retry.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
