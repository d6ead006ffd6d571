//! The core alone: what a golden script can't say, and what bytes that lie can't do.

use proptest::prelude::*;
use protocol::Uuid;
use protocol::records::{LeaderEpoch, Offset};

use super::*;

/// A log of so many records, all of one epoch.
struct Flat(i32, i64);

impl MetadataLogView for Flat {
    fn end(&self) -> Offset {
        Offset(self.1)
    }

    fn last_epoch(&self) -> Option<LeaderEpoch> {
        (self.1 > 0).then_some(LeaderEpoch(self.0))
    }

    fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let last = self.last_epoch().filter(|last| epoch <= *last)?;
        Some((epoch, if epoch == last { self.end() } else { Offset(0) }))
    }
}

fn key(id: i32) -> ReplicaKey {
    ReplicaKey { id, directory: Uuid([id as u8; 16]) }
}

fn state(epoch: i32, leader: Option<i32>) -> ElectionState {
    let (epoch, directory) = (LeaderEpoch(epoch), key(1).directory);
    ElectionState { epoch, leader, voted: None, directory, newcomer: false, founders: Vec::new() }
}

/// Voter 1 of three.
fn open(state: Option<ElectionState>) -> Quorum {
    let timeouts = Timeouts { election_ms: 500, fetch_ms: 1_500 };
    let config = VoterConfig { id: 1, voters: vec![3, 1, 2], timeouts, seed: 7 };
    Quorum::open(config, state, 0, &Flat(0, 0))
}

fn vote(candidate: i32, epoch: i32) -> VoteRequest {
    VoteRequest {
        candidate: key(candidate),
        epoch: LeaderEpoch(epoch),
        last_epoch: Some(LeaderEpoch(1)),
        log_end: Offset(1),
        pre_vote: false,
        newcomer: false,
        founders: Vec::new(),
    }
}

#[test]
fn an_empty_disk_gets_a_name_before_anything_else() {
    let mut quorum = open(None);
    let remembered = quorum.take_changes().remember.expect("the disk has a name to keep");
    assert!(remembered.newcomer && remembered.directory != Uuid::ZERO);
    assert_eq!(quorum.key().directory, remembered.directory);
    assert_eq!(STATE_FILE, "quorum-state", "Kafka's name");
    assert!((encode_state(&remembered).len() as u64) < MAX_STATE_LEN);
    assert_eq!(open(Some(remembered.clone())).take_changes(), Changes::default());
}

#[test]
fn a_vote_is_on_disk_before_it_is_known() {
    let mut quorum = open(Some(state(4, None)));
    assert!(quorum.vote(0, &vote(2, 5), &Flat(0, 0)).granted);
    let remembered = quorum.take_changes().remember.expect("a vote to keep");
    assert_eq!((remembered.epoch, remembered.voted), (LeaderEpoch(5), Some(key(2))));
    let mut restarted = open(Some(remembered));
    assert!(!restarted.vote(0, &vote(3, 5), &Flat(0, 0)).granted);
    assert!(restarted.vote(0, &vote(2, 5), &Flat(0, 0)).granted);
}

/// Found by the simulation. A fetch that was sent twice is answered twice: by the second answer the
/// log was cut, had grown to the same length, and would have been cut again, below what was
/// committed meanwhile.
#[test]
fn an_answer_to_what_the_log_was_does_not_cut_what_it_is() {
    let mut quorum = open(Some(state(5, Some(2))));
    let (leader, fetch) = quorum.fetch_request(&Flat(4, 15)).expect("it follows");
    let current = LeaderAndEpoch { leader: Some(leader), epoch: LeaderEpoch(5) };
    let verdict = Verdict::Diverging { epoch: LeaderEpoch(3), end: Offset(13) };
    let answer = FetchAnswer { current, verdict, high_watermark: Offset(0), newcomer_waits_for: None };
    assert_eq!(quorum.fetched(0, &fetch, &answer, &Flat(4, 15)), Ok(false));
    assert!(quorum.take_changes().truncate.is_some());
    assert_eq!(quorum.fetched(0, &fetch, &answer, &Flat(5, 15)), Ok(false));
    assert_eq!(quorum.take_changes().truncate, None);
}

#[test]
fn a_newcomer_that_finds_itself_among_the_founders_counts() {
    let mut quorum = open(None);
    let founders = vec![key(2), quorum.key()];
    quorum.begin(0, &BeginRequest { leader: 2, epoch: LeaderEpoch(1), founders: vec![key(1)] });
    assert!(quorum.is_newcomer(), "that is another disk");
    quorum.begin(0, &BeginRequest { leader: 2, epoch: LeaderEpoch(1), founders: founders.clone() });
    assert!(!quorum.is_newcomer());
    assert_eq!(quorum.take_changes().remember.map(|state| state.founders), Some(founders));
}

#[test]
fn who_stops_does_not_stand_again() {
    let mut quorum = open(Some(state(4, None)));
    quorum.stop(0);
    assert_eq!(quorum.deadline_ms(), None);
    quorum.tick(1_000_000, &Flat(0, 0));
    assert_eq!((quorum.role(), quorum.epoch()), (Role::Unattached, LeaderEpoch(4)));
}

fn ids() -> impl Strategy<Value = i32> {
    prop_oneof![0..5, Just(-1), Just(i32::MAX), Just(i32::MIN)]
}

fn offsets() -> impl Strategy<Value = Offset> {
    prop_oneof![0..5i64, Just(-1), Just(i64::MAX), Just(i64::MIN)].prop_map(Offset)
}

proptest! {
    /// Anyone who reaches the port can say anything.
    #[test]
    fn nothing_that_is_said_does_harm(
        said in proptest::collection::vec((0..7, ids(), ids(), offsets(), any::<bool>(), 0..3_000i64), 0..60)
    ) {
        let mut quorum = open(None);
        let (mut now_ms, mut end) = (0, 0);
        for (what, id, epoch, offset, yes, pause_ms) in said {
            now_ms += pause_ms;
            let log = Flat(quorum.epoch().0, end);
            let before = (quorum.epoch(), quorum.high_watermark());
            let (epoch, last_epoch) = (LeaderEpoch(epoch), yes.then_some(LeaderEpoch(epoch)));
            let current = LeaderAndEpoch { leader: yes.then_some(id), epoch };
            let replica = key(id);
            let fetch = ReplicaFetch { replica, epoch, offset, last_epoch, newcomer: yes };
            match what {
                0 => {
                    let asked = VoteRequest { last_epoch, log_end: offset, pre_vote: yes, ..vote(id, epoch.0) };
                    quorum.vote(now_ms, &asked, &log);
                }
                1 => {
                    if let Some(Request::Vote(asked)) = quorum.request_for(now_ms, 2, &log) {
                        let answer = VoteAnswer { voter: replica, granted: yes, current };
                        quorum.vote_answered(now_ms, &asked, &answer, &log);
                    }
                }
                2 => {
 let _ = quorum.begin(now_ms, &BeginRequest { leader: id, epoch, founders: vec![replica] });
}
                3 => {
 let _ = quorum.end(now_ms, &EndRequest { leader: id, epoch, successors: vec![id, 1] });
}
                4 => {
 let _ = quorum.fetch(now_ms, &fetch, &log);
}
                5 => {
                    if let Some((_, fetch)) = quorum.fetch_request(&log) {
                        let verdict = Verdict::Diverging { epoch, end: offset };
                        let verdict = if yes { Verdict::Records } else { verdict };
                        let (high_watermark, newcomer_waits_for) = (offset, Some(offset));
                        let answer = FetchAnswer { current, verdict, high_watermark, newcomer_waits_for };
                        let _ = quorum.fetched(now_ms, &fetch, &answer, &log);
                    }
                }
                _ => quorum.tick(now_ms, &log),
            }
            let changes = quorum.take_changes();
            if let Some(cut) = changes.truncate {
                prop_assert!(cut >= before.1 && cut < log.end());
                end = cut.0;
            }
            if changes.append_leader_change.is_some() {
                end += 1;
                quorum.appended(now_ms, Offset(end));
            }
            prop_assert!(quorum.epoch() >= before.0 && quorum.high_watermark() >= before.1);
            prop_assert!(quorum.role() != Role::Leader || quorum.high_watermark() <= Offset(end));
        }
    }
}
