//! Groups, committed offsets and producer ids.

mod error;
mod group;
mod group_coordinator;
mod messages;
mod offset_record;
mod offset_store;
mod producer_ids;

pub use error::GroupError;
pub use group_coordinator::{Answers, GroupConfig, GroupCoordinator};
pub use messages::{
    CommitRequest, Effect, Generation, GroupDescription, GroupListing, GroupState, HeartbeatRequest,
    JoinRequest, Joined, JoinedMember, LeaveRequest, LeavingMember, MemberDescription, SyncRequest, Synced,
    Token,
};
pub use offset_store::{CommittedOffset, OFFSETS_TOPIC, OffsetStore};
pub use producer_ids::ProducerIds;
