//! Groups, committed offsets and producer ids: who reads what, and how far they have come.
//!
//! The coordinator is a state machine. It takes events, each with the time at which it came, and
//! gives effects. It waits for nothing, reads no clock and knows no connection: a request that has
//! to wait for other members is a [`Token`] in its group until an [`Effect`] names it.
//!
//! ```text
//!  events, each with now_ms                              effects, each with a token
//!
//!  JoinGroup   join(token)  ─┐   ┌─────────────────────┐
//!  SyncGroup   sync(token)  ─┤   │  GroupCoordinator   │   ┌─▶ Join { token, result } ─┐
//!  LeaveGroup  leave        ─┼──▶│  members, parked    │───┤                           ├─▶ server/
//!  a deadline  tick         ─┘   │  tokens, generation │   └─▶ Sync { token, result } ─┘
//!                 ▲              └──────┬───────┬──────┘
//!                 └─ next_deadline_ms ──┘       │ reads it all when it starts,
//!                                               ▼ appends before it answers a commit
//!  Heartbeat, OffsetCommit, OffsetFetch,   OffsetStore: the topic `__consumer_offsets`
//!  ListGroups, … are answered at once
//! ```
//!
//! One call can have many effects: the last `JoinGroup` of a round answers every member's, and the
//! leader's `SyncGroup` answers every other that is parked. In `server/` the purgatory hands each
//! effect to the connection that waits for its token; in tests the caller reads the list.

mod config;
mod deadlines;
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
pub use offset_store::OFFSETS_TOPIC;
pub use producer_ids::ProducerIds;
