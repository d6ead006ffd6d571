//! What must hold, whatever happens.

mod committed_stays;
mod epochs_rise;
mod eventually_well;
mod high_watermark_is_written;
mod leader_has_majority;
mod nothing_committed_is_cut;
mod one_leader;
mod one_vote;

use broker::quorum::{Quorum, ReplicaKey};

use crate::log::Entry;
use crate::node::Node;

/// What an invariant is told of.
pub(crate) enum Event<'a> {
    /// A voter has dealt with an event, and what it decided is on its disk.
    Seen { node: usize, process: u64, quorum: &'a Quorum, log: &'a [Entry], disk_epoch: i32, now_ms: i64 },
    /// A voter has looked at its clock.
    Ticked { node: usize, now_ms: i64 },
    /// Records have reached a disk for good.
    Synced { node: usize, entries: &'a [Entry] },
    /// A log is about to be cut; these records go.
    Cut { node: usize, at: i64, high_watermark: i64, entries: &'a [Entry] },
    /// A vote is given, and no pre-vote.
    Voted { voter: ReplicaKey, candidate: ReplicaKey, epoch: i32 },
    /// A fetch has arrived.
    Fetched { leader: usize, peer: usize, now_ms: i64 },
    /// A disk was emptied.
    Wiped { node: usize },
    /// After a time without trouble.
    End { nodes: &'a [Node] },
}

pub(crate) trait Invariant {
    fn name(&self) -> &'static str;
    fn see(&mut self, event: &Event<'_>) -> Result<(), String>;
}

/// Those that hold for so many voters. When a majority has lost its logs, what was committed can't
/// stay, but who still has it must not cut it.
pub(crate) fn all(voters: usize, amnesia: bool) -> Vec<Box<dyn Invariant>> {
    let mut all: Vec<Box<dyn Invariant>> = vec![
        Box::new(one_leader::OneLeader::default()),
        Box::new(one_vote::OneVote::default()),
        Box::new(epochs_rise::EpochsRise::new(voters)),
        Box::new(leader_has_majority::LeaderHasMajority::new(voters)),
        Box::new(nothing_committed_is_cut::NothingCommittedIsCut),
    ];
    if !amnesia && voters > 1 {
        all.push(Box::new(committed_stays::CommittedStays::default()));
        all.push(Box::new(high_watermark_is_written::HighWatermarkIsWritten::new(voters)));
    }
    if !amnesia {
        all.push(Box::new(eventually_well::EventuallyWell));
    }
    all
}
