//! Groups, committed offsets and producer ids.

mod config;
mod error;
mod group;
mod group_coordinator;
mod messages;
mod offset_record;
mod offset_store;
mod producer_ids;

pub use config::GroupConfig;
pub use error::GroupError;
pub use group_coordinator::{Answers, GroupCoordinator};
pub use messages::{
    CommitRequest, Effect, Generation, GroupDescription, GroupListing, GroupState, HeartbeatRequest,
    JoinRequest, Joined, JoinedMember, LeaveRequest, LeavingMember, MemberDescription, SyncRequest, Synced,
    Token,
};
pub use offset_record::CommittedOffset;
pub use offset_store::{OFFSETS_TOPIC, OffsetStore};
pub use producer_ids::ProducerIds;
