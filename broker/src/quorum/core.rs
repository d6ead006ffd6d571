//! The states of a voter, and how it gets from one to another.

use protocol::Uuid;
use protocol::records::{LeaderEpoch, Offset};

use super::follower::Following;
use super::leader::Leader;
use super::log_view::MetadataLogView;
use super::messages::{BeginRequest, EndRequest, LeaderAndEpoch, ReplicaKey, Request, VoteRequest};
use super::plants::{Plant, Plants};
use super::state_file::ElectionState;
use super::votes::Ballot;

/// Between two voters that would stand at once, so that they don't split the votes.
const STAGGER_MS: i64 = 20;

/// Who a voter is.
#[derive(Clone, Debug)]
pub struct VoterConfig {
    /// Its node id.
    pub id: i32,
    /// The node ids of all voters, its own among them.
    pub voters: Vec<i32>,
    /// How long it waits.
    pub timeouts: Timeouts,
    /// For timeouts that differ, and the name of an empty disk: no two lives may have the same.
    pub seed: u64,
}

/// How long a voter waits, in ms. Kafka's names and, in brackets, its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// `controller.quorum.election.timeout.ms` (1,000): without a leader, at least this long before
    /// standing, and up to twice of it.
    pub election_ms: i64,
    /// `controller.quorum.fetch.timeout.ms` (2,000): without a word of the leader, before standing.
    pub fetch_ms: i64,
}

/// What a voter is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Knows no leader, and waits.
    Unattached,
    /// Asks whether it would be elected.
    Prospective,
    /// Stands.
    Candidate,
    /// Writes.
    Leader,
    /// Fetches.
    Follower,
    /// Led in this epoch and doesn't any more.
    Resigned,
}

/// What must be done, synced and in this order, before an answer or a request goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// To be written to the state file.
    pub remember: Option<ElectionState>,
    /// Where the log is to be cut.
    pub truncate: Option<Offset>,
    /// A `LeaderChange` record of this epoch is to be appended.
    pub append_leader_change: Option<LeaderEpoch>,
}

#[derive(Debug)]
pub(super) enum State {
    Unattached,
    Prospective(Ballot),
    Candidate(Ballot),
    Leader(Leader),
    Follower(Following),
    /// Whom it proposed, and who has not yet heard of it.
    Resigned {
        successors: Vec<i32>,
        untold: Vec<i32>,
    },
}

/// One voter. See the module's page for what its owner must do.
#[derive(Debug)]
pub struct Quorum {
    pub(super) id: i32,
    /// In order.
    pub(super) voters: Vec<i32>,
    pub(super) timeouts: Timeouts,
    dice: u64,
    /// As it is on disk once the changes are done.
    pub(super) durable: ElectionState,
    pub(super) state: State,
    /// When it stands, unless it leads.
    pub(super) stands_at_ms: i64,
    pub(super) high_watermark: Offset,
    pub(super) changes: Changes,
    stopping: bool,
    pub(super) plants: Plants,
}

impl Quorum {
    /// A voter that starts, with what its state file says. A single voter leads at once.
    ///
    /// # Panics
    ///
    /// If the voter isn't among the voters.
    pub fn open(
        config: VoterConfig,
        state: Option<ElectionState>,
        now_ms: i64,
        log: &dyn MetadataLogView,
    ) -> Self {
        let VoterConfig { id, mut voters, timeouts, seed } = config;
        voters.sort_unstable();
        voters.dedup();
        assert!(voters.contains(&id), "voter {id} is not among {voters:?}");
        // No voter has records of an epoch that it has not noted before: an older file was put
        // here.
        let state = state.filter(|state| log.last_epoch().is_none_or(|last| last <= state.epoch));
        let is_empty = state.is_none();
        let mut quorum = Self {
            id,
            voters,
            timeouts,
            dice: seed,
            // Where there is a log all the same, its epochs are taken.
            durable: state.unwrap_or(ElectionState {
                epoch: log.last_epoch().unwrap_or(LeaderEpoch(0)),
                leader: None,
                voted: None,
                directory: Uuid::ZERO,
                newcomer: true,
                founders: Vec::new(),
            }),
            state: State::Unattached,
            stands_at_ms: now_ms,
            high_watermark: Offset::ZERO,
            changes: Changes::default(),
            stopping: false,
            plants: Plants::default(),
        };
        if is_empty {
            let drawn = u128::from(quorum.draw()) << 64 | u128::from(quorum.draw());
            quorum.durable.directory = Uuid(drawn.to_be_bytes());
            quorum.remember();
        }
        match quorum.durable.leader {
            // Its reign ended with its life: what it knew of the others is gone.
            Some(leader) if leader == id => {
                let untold = quorum.peers().collect();
                quorum.state = State::Resigned { successors: Vec::new(), untold };
                quorum.stand_soon(now_ms, None);
            }
            Some(leader) => {
                quorum.state = State::Follower(Following::new(leader));
                quorum.stands_at_ms = now_ms + quorum.timeouts.fetch_ms;
            }
            None => quorum.stand_soon(now_ms, None),
        }
        if quorum.voters.len() == 1 {
            quorum.become_prospective(now_ms, log);
        }
        quorum
    }

    /// Plants a bug.
    #[cfg(feature = "plants")]
    pub fn plant(&mut self, plant: Plant) {
        self.plants.plant(plant);
    }

    /// Time has come: stands, or resigns, if that is due.
    pub fn tick(&mut self, now_ms: i64, log: &dyn MetadataLogView) {
        if self.deadline_ms().is_none_or(|deadline_ms| now_ms < deadline_ms) {
            return;
        }
        if let State::Leader(leader) = &self.state {
            let successors = leader.successors();
            self.resign(now_ms, successors);
        } else {
            self.become_prospective(now_ms, log);
        }
    }

    /// A peer's process is gone: its connection has ended, and a new one is refused. Safe if it
    /// isn't true.
    pub fn peer_gone(&mut self, now_ms: i64, peer: i32) {
        if matches!(&self.state, State::Follower(following) if following.leader == peer) {
            self.state = State::Unattached;
            self.stand_soon(now_ms, Some(peer));
        }
    }

    /// This voter is about to stop: it leads no more, and doesn't stand again. Its End requests say
    /// who should.
    pub fn stop(&mut self, now_ms: i64) {
        self.stopping = true;
        if let State::Leader(leader) = &self.state {
            let successors = leader.successors();
            self.resign(now_ms, successors);
        }
    }

    /// What must be done before anything goes out.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// What is to be sent to a peer now, if anything.
    pub fn request_for(&self, now_ms: i64, peer: i32, log: &dyn MetadataLogView) -> Option<Request> {
        let vote = |ballot: &Ballot, pre_vote| {
            let request = || VoteRequest {
                candidate: self.key(),
                epoch: self.durable.epoch,
                last_epoch: log.last_epoch(),
                log_end: log.end(),
                pre_vote,
                newcomer: self.is_newcomer(),
                founders: self.durable.founders.clone(),
            };
            (!ballot.has_answer_of(peer)).then(|| Request::Vote(request()))
        };
        let (id, epoch, founders) = (self.id, self.durable.epoch, &self.durable.founders);
        match &self.state {
            State::Prospective(ballot) => vote(ballot, true),
            State::Candidate(ballot) => vote(ballot, false),
            State::Leader(leader) => {
                let silence_ms = self.timeouts.fetch_ms / 2;
                let request = || BeginRequest { leader: id, epoch, founders: founders.clone() };
                leader.must_tell(peer, founders, now_ms, silence_ms).then(|| Request::Begin(request()))
            }
            State::Resigned { successors, untold } => untold
                .contains(&peer)
                .then(|| Request::End(EndRequest { leader: id, epoch, successors: successors.clone() })),
            State::Unattached | State::Follower(_) => None,
        }
    }

    /// What it is at the moment.
    pub fn role(&self) -> Role {
        match self.state {
            State::Unattached => Role::Unattached,
            State::Prospective(_) => Role::Prospective,
            State::Candidate(_) => Role::Candidate,
            State::Leader(_) => Role::Leader,
            State::Follower(_) => Role::Follower,
            State::Resigned { .. } => Role::Resigned,
        }
    }

    /// Who leads, if this voter leads or follows.
    pub fn leader(&self) -> Option<i32> {
        match &self.state {
            State::Leader(_) => Some(self.id),
            State::Follower(following) => Some(following.leader),
            _ => None,
        }
    }

    /// The highest epoch it has heard of.
    pub fn epoch(&self) -> LeaderEpoch {
        self.durable.epoch
    }

    /// Both, as every answer says them.
    pub fn leader_and_epoch(&self) -> LeaderAndEpoch {
        LeaderAndEpoch { leader: self.leader(), epoch: self.epoch() }
    }

    /// Up to where the log is known to be committed. Never falls in a life.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// When [`Quorum::tick`] has something to do, in the clock that events came with. None: never.
    pub fn deadline_ms(&self) -> Option<i64> {
        match &self.state {
            State::Leader(_) if self.plants.has(Plant::NeverResigns) => None,
            State::Leader(leader) => {
                let heard_ms = leader.heard_majority_ms(self.majority())?;
                Some(heard_ms + self.timeouts.fetch_ms * 3 / 2)
            }
            _ => (!self.stopping).then_some(self.stands_at_ms),
        }
    }

    /// Whether it may have forgotten something, and counts for nothing yet.
    pub fn is_newcomer(&self) -> bool {
        self.durable.newcomer && !self.plants.has(Plant::NewcomerVotes)
    }

    /// What a newcomer must have of the log before it counts, if a leader has told it.
    pub fn newcomer_waits_for(&self) -> Option<Offset> {
        match &self.state {
            State::Follower(following) if self.is_newcomer() => following.waits_for,
            _ => None,
        }
    }

    /// This voter and its disk.
    pub fn key(&self) -> ReplicaKey {
        ReplicaKey { id: self.id, directory: self.durable.directory }
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = i32> + '_ {
        self.voters.iter().copied().filter(|&peer| peer != self.id)
    }

    pub(super) fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// How many votes elect.
    pub(super) fn needed(&self) -> usize {
        if self.is_newcomer() { self.voters.len() } else { self.majority() }
    }

    pub(super) fn remember(&mut self) {
        self.changes.remember = Some(self.durable.clone());
    }

    /// A higher epoch is heard of, with its leader if that is known.
    pub(super) fn adopt(&mut self, now_ms: i64, epoch: LeaderEpoch, leader: Option<i32>) {
        assert!(epoch > self.durable.epoch, "epochs rise: {epoch} after {}", self.durable.epoch);
        self.durable.epoch = epoch;
        self.durable.voted = None;
        self.durable.leader = None;
        self.remember();
        match leader {
            Some(leader) => self.follow(now_ms, leader),
            None => self.detach(now_ms),
        }
    }

    /// Follows a leader of this epoch, of whom others may only have told.
    pub(super) fn follow(&mut self, now_ms: i64, leader: i32) {
        if self.durable.leader != Some(leader) {
            self.durable.leader = Some(leader);
            self.remember();
        }
        self.state = State::Follower(Following::new(leader));
        self.wait_for_election(now_ms);
    }

    /// Knows no leader; gives others the time to stand.
    pub(super) fn detach(&mut self, now_ms: i64) {
        self.state = State::Unattached;
        self.wait_for_election(now_ms);
    }

    /// No newcomer any more.
    pub(super) fn count(&mut self, now_ms: i64) {
        self.durable.newcomer = false;
        self.remember();
        // What newcomers have granted it is worth nothing now.
        if matches!(self.state, State::Prospective(_) | State::Candidate(_)) {
            self.state = State::Unattached;
            self.stand_soon(now_ms, None);
        }
    }

    fn resign(&mut self, now_ms: i64, successors: Vec<i32>) {
        self.state = State::Resigned { successors, untold: self.peers().collect() };
        self.wait_for_election(now_ms);
    }

    fn become_prospective(&mut self, now_ms: i64, log: &dyn MetadataLogView) {
        let ballot = Ballot::new(self.key());
        let is_won = ballot.is_won(self.needed());
        self.state = State::Prospective(ballot);
        self.wait_for_election(now_ms);
        if is_won {
            self.become_candidate(now_ms, log);
        }
    }

    pub(super) fn become_candidate(&mut self, now_ms: i64, log: &dyn MetadataLogView) {
        // The last epoch of all can only come from bytes that lie. There is none to stand for.
        let Some(epoch) = self.durable.epoch.0.checked_add(1) else { return };
        self.adopt(now_ms, LeaderEpoch(epoch), None);
        self.durable.voted = Some(self.key());
        self.remember();
        let ballot = Ballot::new(self.key());
        let is_won = ballot.is_won(self.needed());
        self.state = State::Candidate(ballot);
        if is_won {
            self.become_leader(now_ms, log);
        }
    }

    pub(super) fn become_leader(&mut self, now_ms: i64, log: &dyn MetadataLogView) {
        let State::Candidate(ballot) = &self.state else { unreachable!("only a candidate is elected") };
        if self.is_newcomer() {
            self.durable.founders = ballot.granted();
            self.durable.newcomer = false;
        }
        self.durable.leader = Some(self.id);
        self.remember();
        self.changes.append_leader_change = Some(self.durable.epoch);
        self.state = State::Leader(Leader::new(self.peers(), log.end(), now_ms));
    }

    /// Stands after an election timeout: one to two times the setting.
    fn wait_for_election(&mut self, now_ms: i64) {
        self.stands_at_ms = now_ms + self.timeouts.election_ms + self.draw_up_to(self.timeouts.election_ms);
    }

    /// Stands once those before it in the order of voters had their turn.
    pub(super) fn stand_soon(&mut self, now_ms: i64, without: Option<i32>) {
        let before = self.voters.iter().filter(|&&voter| voter < self.id && Some(voter) != without).count();
        self.stands_at_ms = now_ms + before as i64 * STAGGER_MS;
    }

    /// Stands as the one at `place` of a list.
    pub(super) fn stand_at_place(&mut self, now_ms: i64, place: usize) {
        self.stands_at_ms = now_ms + place as i64 * STAGGER_MS;
    }

    /// Not elected: tries again soon, but not at the same time as the other who wasn't.
    pub(super) fn stand_again(&mut self, now_ms: i64) {
        let pause_ms = STAGGER_MS + self.draw_up_to(self.timeouts.election_ms / 2);
        self.stands_at_ms = self.stands_at_ms.min(now_ms + pause_ms);
    }

    fn draw_up_to(&mut self, most: i64) -> i64 {
        (self.draw() % (most.max(0) as u64 + 1)) as i64
    }

    /// splitmix64 (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
