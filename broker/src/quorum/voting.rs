//! The events of an election: votes asked for and answered, reigns begun and ended, and what is
//! told of them.

use super::core::{Quorum, State};
use super::log_view::MetadataLogView;
use super::messages::{BeginRequest, EndRequest, LeaderAndEpoch, ReplicaKey, VoteAnswer, VoteRequest};
use super::plants::Plant;
use super::votes::Voter;

impl Quorum {
    /// A vote, or a pre-vote, is asked for.
    pub fn vote(&mut self, now_ms: i64, request: &VoteRequest, log: &dyn MetadataLogView) -> VoteAnswer {
        self.look_for_itself(now_ms, &request.founders);
        let candidate = request.candidate;
        let is_peer = candidate.id != self.id && self.voters.contains(&candidate.id);
        if is_peer && request.epoch > self.durable.epoch {
            self.adopt(now_ms, request.epoch, None);
        }
        let voter = Voter {
            state: &self.durable,
            log: (log.last_epoch(), log.end()),
            has_leader: self.has_leader(now_ms),
            plants: &self.plants,
        };
        let granted = is_peer && voter.grants(request);
        if granted && !request.pre_vote {
            self.give_vote(now_ms, candidate);
        }
        VoteAnswer { voter: self.key(), granted, current: self.leader_and_epoch() }
    }

    /// A peer has answered a vote that this voter asked for.
    pub fn vote_answered(
        &mut self,
        now_ms: i64,
        request: &VoteRequest,
        answer: &VoteAnswer,
        log: &dyn MetadataLogView,
    ) {
        self.told(now_ms, answer.current);
        let is_current = request.candidate == self.key()
            && request.epoch == self.durable.epoch
            && request.newcomer == self.is_newcomer()
            && self.voters.contains(&answer.voter.id);
        let (voters, needed) = (self.voters.len(), self.needed());
        let ballot = match &mut self.state {
            State::Prospective(ballot) if is_current && request.pre_vote => ballot,
            State::Candidate(ballot) if is_current && !request.pre_vote => ballot,
            _ => return,
        };
        let was_lost = ballot.is_lost(voters, needed);
        ballot.note(answer.voter, answer.granted);
        if ballot.is_won(needed) {
            if request.pre_vote {
                self.become_candidate(now_ms, log);
            } else {
                self.become_leader(now_ms, log);
            }
        } else if ballot.is_lost(voters, needed) && !was_lost {
            self.stand_again(now_ms);
        }
    }

    /// A leader says that its reign has begun.
    pub fn begin(&mut self, now_ms: i64, request: &BeginRequest) -> LeaderAndEpoch {
        self.look_for_itself(now_ms, &request.founders);
        let (leader, epoch) = (request.leader, request.epoch);
        self.told(now_ms, LeaderAndEpoch { leader: Some(leader), epoch });
        if epoch == self.durable.epoch {
            self.heard(now_ms, leader);
        }
        self.leader_and_epoch()
    }

    /// A leader says that its reign has ended, and who should stand.
    pub fn end(&mut self, now_ms: i64, request: &EndRequest) -> LeaderAndEpoch {
        let EndRequest { leader, epoch, successors } = request;
        let is_peer = *leader != self.id && self.voters.contains(leader);
        if is_peer && *epoch > self.durable.epoch {
            self.adopt(now_ms, *epoch, None);
        }
        let leads_here = self.leader() == Some(*leader) || matches!(self.state, State::Unattached);
        if is_peer && *epoch == self.durable.epoch && leads_here {
            self.state = State::Unattached;
            match successors.iter().position(|&successor| successor == self.id) {
                Some(place) => self.stand_at_place(now_ms, place),
                None => self.stand_soon(now_ms, Some(*leader)),
            }
        }
        self.leader_and_epoch()
    }

    /// A peer knows that this voter's reign has ended.
    pub fn end_answered(&mut self, now_ms: i64, peer: i32, answer: LeaderAndEpoch) {
        if let State::Resigned { untold, .. } = &mut self.state {
            untold.retain(|&untold| untold != peer);
        }
        self.told(now_ms, answer);
    }

    /// Someone, in whatever answer, names a leader and an epoch.
    pub fn told(&mut self, now_ms: i64, current: LeaderAndEpoch) {
        let leader = current.leader.filter(|leader| *leader != self.id && self.voters.contains(leader));
        if current.epoch > self.durable.epoch {
            self.adopt(now_ms, current.epoch, leader);
        } else if current.epoch == self.durable.epoch
            && let Some(leader) = leader
            && matches!(self.state, State::Unattached | State::Prospective(_) | State::Candidate(_))
            && self.durable.leader.is_none_or(|known| known == leader)
        {
            self.follow(now_ms, leader);
        }
    }

    /// The leader itself was heard.
    pub(super) fn heard(&mut self, now_ms: i64, leader: i32) {
        if let State::Follower(following) = &mut self.state
            && following.leader == leader
        {
            following.heard_ms = Some(now_ms);
            self.stands_at_ms = now_ms + self.timeouts.fetch_ms;
        }
    }

    /// Whether it leads, or follows one it has lately heard.
    fn has_leader(&self, now_ms: i64) -> bool {
        match &self.state {
            State::Leader(_) => true,
            State::Follower(following) => {
                following.heard_ms.is_some_and(|heard_ms| now_ms - heard_ms < self.timeouts.fetch_ms)
            }
            _ => false,
        }
    }

    fn give_vote(&mut self, now_ms: i64, candidate: ReplicaKey) {
        self.durable.voted = Some(candidate);
        if !self.plants.has(Plant::ForgetsItsVote) {
            self.remember();
        }
        self.detach(now_ms);
    }

    /// A newcomer that is among the founders has forgotten nothing.
    fn look_for_itself(&mut self, now_ms: i64, founders: &[ReplicaKey]) {
        if self.durable.newcomer && founders.contains(&self.key()) {
            self.durable.founders = founders.to_vec();
            self.count(now_ms);
        }
    }
}
