//! A voter, as long as it has its disk, votes for one candidate an epoch.

use std::collections::BTreeMap;

use broker::quorum::{ReplicaKey, Role};

use super::{Event, Invariant};

#[derive(Default)]
pub(super) struct OneVote {
    votes: BTreeMap<(ReplicaKey, i32), ReplicaKey>,
}

impl OneVote {
    fn count(&mut self, voter: ReplicaKey, candidate: ReplicaKey, epoch: i32) -> Result<(), String> {
        let first = *self.votes.entry((voter, epoch)).or_insert(candidate);
        if first == candidate {
            return Ok(());
        }
        let (voter, first, candidate) = (voter.id, first.id, candidate.id);
        Err(format!("in epoch {epoch} node {voter} votes for {first} and for {candidate}"))
    }
}

impl Invariant for OneVote {
    fn name(&self) -> &'static str {
        "one vote an epoch"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Voted { voter, candidate, epoch } => self.count(*voter, *candidate, *epoch),
            Event::Seen { quorum, .. } if quorum.role() == Role::Candidate => {
                self.count(quorum.key(), quorum.key(), quorum.epoch().0)
            }
            _ => Ok(()),
        }
    }
}
