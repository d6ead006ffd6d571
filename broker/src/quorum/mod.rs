//! The vote on who leads the metadata log: Raft, turned to pull.
//!
//! What a cluster is (its topics, who leads their partitions, which brokers live) stands in one log
//! with a copy on every voter. One of them leads it and writes; the others fetch, with the same
//! Fetch request that copies any partition: epochs, divergence, truncation and high watermark are
//! the ones that data has. What this log needs of its own is who leads it, for there is no
//! controller above to say so. The voters elect among themselves.
//!
//! # The idea (Raft, KIP-595, KIP-996)
//!
//! - Time is cut into numbered *epochs*. A voter has one vote an epoch, so at most one candidate
//!   gets a majority: **at most one leader an epoch**.
//! - A voter refuses a candidate whose log is behind its own. What a majority has written is
//!   *committed*. Two majorities share a voter, so **a leader's log has everything committed**.
//! - The *high watermark* is where the committed part ends. It moves over records of the leader's
//!   own epoch only: an older record on a majority can still be replaced by a leader that never saw
//!   it (Raft's figure 8). So every reign begins with a record of its own, the `LeaderChange`.
//! - Raft's leader pushes; this one is asked. A fetch says "my log ends here", which tells the
//!   leader how far the follower is, and what it missed is the answer. A follower whose end isn't
//!   in the leader's log is told where the two part, cuts its log there, and asks again.
//! - A follower that hears nothing of its leader for a *fetch timeout* wants to stand. It asks
//!   first whether it would be elected (the *pre-vote*), which changes no epoch. Who hears from a
//!   leader says no, so a voter that was cut off comes back without deposing anyone.
//! - A leader that no majority fetches from *resigns*: someone else may lead already, and clients
//!   that still reach this one must not wait for it.
//!
//! ```text
//!                        hears of a leader
//!            +--------------------------------------------+
//!            |                                            v
//!   +--> Unattached --timeout--> Prospective          Follower --timeout, its leader is gone--+
//!   |        ^                    |  ^  ^                                                     |
//!   |        |   majority would   |  |  +-----------------------------------------------------+
//!   |  higher epoch               v  |timeout
//!   |        |                   Candidate --majority--> Leader --no majority, or stop--> Resigned
//!   |        +----------------------+----------------------+                                 |
//!   +-----------------------------------------timeout----------------------------------------+
//! ```
//!
//! # Newcomers
//!
//! Majorities share a voter *that remembers*. A voter whose disk was wiped has forgotten what it
//! acknowledged and for whom it voted, and would let the others commit or elect twice. It looks
//! like one that never lived. So a voter without `quorum-state` is a *newcomer*, draws a *directory
//! id* for its disk (KIP-853), and is in no majority: its votes and what it fetched don't count.
//! There are two ways out:
//!
//! - **Everyone is new.** A newcomer votes for a newcomer, and is elected by *all* voters only.
//!   Then nothing was ever acknowledged. The elected notes the directory ids of all, the
//!   *founders*, and tells them. A newcomer that reads its own among them knows that its disk
//!   wasn't wiped since.
//! - **A leader takes it in.** At a newcomer's first fetch the leader appends a record. When that
//!   is committed *without* the newcomer, and the newcomer has everything up to it, it counts
//!   again. Waiting for what was there already isn't enough: a candidate that its former life voted
//!   for might still win. With the new record on a majority no candidate from before can.
//!
//! # The contract
//!
//! Nothing here waits, writes, sends or reads a clock. Around it stands a shell, which
//!
//! 1. hands over one event at a time, with the time of a clock that doesn't go back;
//! 2. then does what [`Quorum::take_changes`] says, in the order of its fields, each synced: the
//!    state file, the truncation, the `LeaderChange` record (after which [`Quorum::appended`] is
//!    called and its changes are done too);
//! 3. and only then lets answers and requests out;
//! 4. sends [`Quorum::request_for`] to each peer, again after some 100 ms while it is the same, and
//!    at once after a change; keeps one fetch to the leader under way ([`Quorum::fetch_request`]);
//! 5. has a follower's log synced before its fetch goes out, and reports of a leader's log only
//!    what is synced;
//! 6. calls [`Quorum::tick`] when [`Quorum::deadline_ms`] has come.
//!
//! # Simplifications
//! - The voters are given and don't change: no `AddRaftVoter` (KIP-853). A directory of a single
//!   voter can't grow into one of three.
//! - No snapshots: the log is kept whole.
//! - Two newcomers of three voters wait for ever: with a majority's memory gone, only a person can
//!   say what is lost.

mod core;
mod follower;
mod leader;
mod log_view;
mod messages;
mod plants;
mod replication;
mod state_file;
#[cfg(test)]
mod tests;
mod votes;
mod voting;

pub use core::{Changes, Quorum, Role, Timeouts, VoterConfig};
pub use follower::Diverged;
pub use log_view::MetadataLogView;
pub use messages::{
    BeginRequest, EndRequest, FetchAnswer, LeaderAndEpoch, ReplicaFetch, ReplicaKey, Request, Verdict,
    VoteAnswer, VoteRequest,
};
#[cfg(feature = "plants")]
pub use plants::Plant;
pub use state_file::{ElectionState, InvalidState, MAX_STATE_LEN, STATE_FILE, decode_state, encode_state};
