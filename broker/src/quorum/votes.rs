//! Who gets a vote, and when votes are enough.

use std::collections::{BTreeMap, BTreeSet};

use protocol::Uuid;
use protocol::records::{LeaderEpoch, Offset};

use super::messages::{ReplicaKey, VoteRequest};
use super::plants::{Plant, Plants};
use super::state_file::ElectionState;

/// What a voter knows when it is asked for its vote.
pub(super) struct Voter<'a> {
    pub(super) state: &'a ElectionState,
    /// Epoch of the last record in its log, and where that ends.
    pub(super) log: (Option<LeaderEpoch>, Offset),
    /// Whether it leads, or has heard from its leader within the fetch timeout.
    pub(super) has_leader: bool,
    pub(super) plants: &'a Plants,
}

impl Voter<'_> {
    /// Whether the candidate gets the vote. The request's epoch is the voter's: it adopts a higher
    /// one before.
    pub(super) fn grants(&self, request: &VoteRequest) -> bool {
        let Self { state, log, has_leader, plants } = self;
        let is_current = request.epoch == state.epoch;
        // Who remembers doesn't help one that doesn't, and the other way round: see Newcomers.
        let newcomer = state.newcomer && !plants.has(Plant::NewcomerVotes);
        let is_alike = request.newcomer == newcomer;
        let has_all = (request.last_epoch, request.log_end) >= *log || plants.has(Plant::GrantsToShorterLog);
        let is_free = if request.pre_vote {
            !has_leader
        } else {
            let unbound = state.voted.is_none() && state.leader.is_none();
            unbound || state.voted == Some(request.candidate) || plants.has(Plant::VotesTwice)
        };
        is_current && is_alike && has_all && is_free
    }
}

/// The votes, or the pre-votes, that one voter got.
#[derive(Debug)]
pub(super) struct Ballot {
    granted: BTreeMap<i32, Uuid>,
    refused: BTreeSet<i32>,
}

impl Ballot {
    /// Begins with the candidate's own vote.
    pub(super) fn new(own: ReplicaKey) -> Self {
        Self { granted: [(own.id, own.directory)].into(), refused: BTreeSet::new() }
    }

    /// Notes an answer. A grant stays one whatever comes later.
    pub(super) fn note(&mut self, voter: ReplicaKey, granted: bool) {
        if granted {
            self.refused.remove(&voter.id);
            self.granted.insert(voter.id, voter.directory);
        } else if !self.granted.contains_key(&voter.id) {
            self.refused.insert(voter.id);
        }
    }

    /// Whether the voter has answered.
    pub(super) fn has_answer_of(&self, id: i32) -> bool {
        self.granted.contains_key(&id) || self.refused.contains(&id)
    }

    /// Whether as many as needed are for it.
    pub(super) fn is_won(&self, needed: usize) -> bool {
        self.granted.len() >= needed
    }

    /// Whether so many are against it that it can't be won.
    pub(super) fn is_lost(&self, voters: usize, needed: usize) -> bool {
        voters - self.refused.len().min(voters) < needed
    }

    /// Who was for it.
    pub(super) fn granted(&self) -> Vec<ReplicaKey> {
        self.granted.iter().map(|(&id, &directory)| ReplicaKey { id, directory }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: i32) -> ReplicaKey {
        ReplicaKey { id, directory: Uuid([id as u8; 16]) }
    }

    fn state() -> ElectionState {
        ElectionState {
            epoch: LeaderEpoch(5),
            leader: None,
            voted: None,
            directory: key(1).directory,
            newcomer: false,
            founders: Vec::new(),
        }
    }

    fn request() -> VoteRequest {
        VoteRequest {
            candidate: key(2),
            epoch: LeaderEpoch(5),
            last_epoch: Some(LeaderEpoch(4)),
            log_end: Offset(10),
            pre_vote: false,
            newcomer: false,
            founders: Vec::new(),
        }
    }

    fn granted(state: &ElectionState, request: &VoteRequest, has_leader: bool) -> bool {
        let log = (Some(LeaderEpoch(4)), Offset(10));
        Voter { state, log, has_leader, plants: &Plants::default() }.grants(request)
    }

    #[test]
    fn a_vote_is_given_once_an_epoch() {
        assert!(granted(&state(), &request(), false));
        assert!(granted(&ElectionState { voted: Some(key(2)), ..state() }, &request(), false), "again");
        assert!(!granted(&ElectionState { voted: Some(key(3)), ..state() }, &request(), false));
        let wiped = ReplicaKey { id: 2, directory: Uuid([9; 16]) };
        assert!(!granted(&ElectionState { voted: Some(wiped), ..state() }, &request(), false));
        assert!(!granted(&ElectionState { leader: Some(3), ..state() }, &request(), false));
        assert!(!granted(&state(), &VoteRequest { epoch: LeaderEpoch(4), ..request() }, false));
    }

    /// A later epoch counts more than a longer log: what is longer was never committed.
    #[test]
    fn a_log_that_is_behind_gets_no_vote() {
        for (last_epoch, log_end, expected) in
            [(4, 10, true), (4, 11, true), (4, 9, false), (5, 1, true), (3, 99, false)]
        {
            let last_epoch = Some(LeaderEpoch(last_epoch));
            let asked = VoteRequest { last_epoch, log_end: Offset(log_end), ..request() };
            assert_eq!(granted(&state(), &asked, false), expected, "{asked:?}");
            assert_eq!(granted(&state(), &VoteRequest { pre_vote: true, ..asked }, false), expected);
        }
        let empty = VoteRequest { last_epoch: None, log_end: Offset(0), ..request() };
        assert!(!granted(&state(), &empty, false));
    }

    #[test]
    fn a_pre_vote_binds_no_one_and_is_refused_while_there_is_a_leader() {
        let asked = VoteRequest { pre_vote: true, ..request() };
        let bound = ElectionState { voted: Some(key(3)), leader: Some(3), ..state() };
        assert!(granted(&bound, &asked, false));
        assert!(!granted(&bound, &asked, true));
    }

    #[test]
    fn newcomers_vote_among_themselves() {
        let newcomer = ElectionState { newcomer: true, ..state() };
        let asked = VoteRequest { newcomer: true, ..request() };
        assert!(granted(&newcomer, &asked, false));
        assert!(!granted(&newcomer, &request(), false));
        assert!(!granted(&state(), &asked, false));
    }

    #[test]
    fn a_ballot_is_won_by_a_majority_and_lost_when_none_is_left() {
        let mut ballot = Ballot::new(key(1));
        assert!(ballot.is_won(1) && !ballot.is_won(2) && !ballot.is_lost(3, 2));
        ballot.note(key(2), false);
        ballot.note(key(2), false);
        assert!(ballot.has_answer_of(2) && !ballot.is_lost(3, 2) && ballot.is_lost(3, 3));
        ballot.note(key(3), true);
        ballot.note(key(3), false);
        assert!(ballot.is_won(2), "{ballot:?}");
        assert_eq!(ballot.granted(), [key(1), key(3)]);
    }
}
