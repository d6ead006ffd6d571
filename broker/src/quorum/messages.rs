//! What voters say to each other: the parts of Kafka's requests that decide something.
//!
//! What Kafka's schemas don't have (`newcomer`, `founders`, the voter's directory in a vote's
//! answer, `newcomer_waits_for`) travels in tagged fields.

use protocol::Uuid;
use protocol::records::{LeaderEpoch, Offset};

/// A voter and its disk. Kafka's `ReplicaKey` (KIP-853).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplicaKey {
    /// Node id.
    pub id: i32,
    /// Drawn when its disk was empty: who comes back with another has forgotten everything.
    pub directory: Uuid,
}

/// Who leads, as far as the sender knows. Every answer carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderAndEpoch {
    /// None: the sender doesn't know, or knows that there is none.
    pub leader: Option<i32>,
    /// The highest epoch the sender has heard of.
    pub epoch: LeaderEpoch,
}

/// Vote: "I stand: are you for me?", or before it, "would you be?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteRequest {
    /// Who stands.
    pub candidate: ReplicaKey,
    /// For which epoch; of a pre-vote the epoch that the sender is in.
    pub epoch: LeaderEpoch,
    /// Epoch of the last record in its log; none if the log is empty.
    pub last_epoch: Option<LeaderEpoch>,
    /// Where its log ends.
    pub log_end: Offset,
    /// Only asked, not meant (KIP-996).
    pub pre_vote: bool,
    /// Whether the sender is a newcomer.
    pub newcomer: bool,
    /// Who elected the quorum's first leader, if the sender knows.
    pub founders: Vec<ReplicaKey>,
}

/// The answer to a [`VoteRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteAnswer {
    /// Who answers.
    pub voter: ReplicaKey,
    /// Whether it is for the candidate.
    pub granted: bool,
    /// Whom it follows itself.
    pub current: LeaderAndEpoch,
}

/// `BeginQuorumEpoch`: "I was elected: fetch from me".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeginRequest {
    /// Who leads.
    pub leader: i32,
    /// Since which epoch.
    pub epoch: LeaderEpoch,
    /// Who elected the quorum's first leader, if the sender knows.
    pub founders: Vec<ReplicaKey>,
}

/// `EndQuorumEpoch`: "I lead no more: elect another".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndRequest {
    /// Who led.
    pub leader: i32,
    /// In which epoch.
    pub epoch: LeaderEpoch,
    /// Who should stand, the one with the longest log first.
    pub successors: Vec<i32>,
}

/// What is to be sent to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A vote is asked for.
    Vote(VoteRequest),
    /// A reign has begun.
    Begin(BeginRequest),
    /// A reign has ended.
    End(EndRequest),
}

/// What a Fetch of the metadata log says of the one who fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaFetch {
    /// Who fetches.
    pub replica: ReplicaKey,
    /// In which epoch it is.
    pub epoch: LeaderEpoch,
    /// Where its log ends: all before it is on its disk.
    pub offset: Offset,
    /// Epoch of its last record; none if the log is empty.
    pub last_epoch: Option<LeaderEpoch>,
    /// Whether it is a newcomer.
    pub newcomer: bool,
}

/// What a Fetch of the metadata log is answered, beside the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchAnswer {
    /// Whom the answering voter follows, or that it leads.
    pub current: LeaderAndEpoch,
    /// What to do.
    pub verdict: Verdict,
    /// Where the committed part of the log ends, as far as the answering voter knows.
    pub high_watermark: Offset,
    /// To a newcomer: how much must be committed, and on its disk, before it counts.
    pub newcomer_waits_for: Option<Offset>,
}

/// What the leader says to a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its log is ours up to where it ends. The records behind that, if there are, come along.
    Records,
    /// Its last records aren't in the leader's log: of `epoch` the leader has what is before `end`.
    Diverging {
        /// The leader's last epoch that isn't after the follower's.
        epoch: LeaderEpoch,
        /// Where it ends in the leader's log.
        end: Offset,
    },
    /// The one that was asked doesn't lead, or not in that epoch.
    NotLeader,
}
