//! What a leader knows of the others: how far each is, and whether they still come.

use std::collections::BTreeMap;

use protocol::Uuid;
use protocol::records::Offset;

use super::messages::{ReplicaFetch, ReplicaKey};

/// One reign.
#[derive(Debug)]
pub(super) struct Leader {
    /// Where its first record, the `LeaderChange`, stands.
    epoch_start: Offset,
    /// How far its own log is synced.
    own_end: Offset,
    peers: BTreeMap<i32, Peer>,
}

/// Another voter, as one reign knows it.
#[derive(Debug)]
struct Peer {
    /// Its disk. Nothing that is known of one disk holds for the next.
    directory: Option<Uuid>,
    /// Not a newcomer: it has said so, and a disk doesn't become new again.
    counts: bool,
    /// All before this is on its disk, as it is in the leader's log.
    end: Offset,
    /// When it last fetched as one that counts.
    heard_ms: i64,
    /// Where the leader's log ended when this disk first fetched.
    came_at: Offset,
}

impl Leader {
    /// Begins a reign over a log that ends at `epoch_start`. Every peer has a timeout to come.
    pub(super) fn new(peers: impl Iterator<Item = i32>, epoch_start: Offset, now_ms: i64) -> Self {
        let peer = || Peer {
            directory: None,
            counts: false,
            end: Offset::ZERO,
            heard_ms: now_ms,
            came_at: Offset::ZERO,
        };
        Self { epoch_start, own_end: Offset::ZERO, peers: peers.map(|id| (id, peer())).collect() }
    }

    /// Its own log is synced up to `end`.
    pub(super) fn synced(&mut self, end: Offset) {
        self.own_end = self.own_end.max(end);
    }

    /// A peer has fetched. Returns whether a record must be appended because a newcomer has come,
    /// to a log that ends at `log_end`.
    pub(super) fn hear(
        &mut self,
        now_ms: i64,
        fetch: &ReplicaFetch,
        log_end: Offset,
        keeps_former_life: bool,
    ) -> bool {
        let Some(peer) = self.peers.get_mut(&fetch.replica.id) else { return false };
        let is_another_disk = peer.directory != Some(fetch.replica.directory);
        if peer.directory.is_none() || is_another_disk && !keeps_former_life {
            peer.counts = false;
            peer.end = Offset::ZERO;
            peer.came_at = log_end;
        }
        peer.directory = Some(fetch.replica.directory);
        peer.counts |= !fetch.newcomer;
        if peer.counts {
            peer.heard_ms = peer.heard_ms.max(now_ms);
        }
        is_another_disk && fetch.newcomer
    }

    /// The fetching peer has the leader's log up to where its own ends.
    pub(super) fn matched(&mut self, fetch: &ReplicaFetch) {
        if let Some(peer) = self.peers.get_mut(&fetch.replica.id) {
            peer.end = peer.end.max(fetch.offset);
        }
    }

    /// What a newcomer must have before it counts: the record that was appended when it came.
    pub(super) fn waits_for(&self, newcomer: ReplicaKey) -> Option<Offset> {
        let peer = self.peers.get(&newcomer.id)?;
        (peer.directory == Some(newcomer.directory)).then_some(peer.came_at + 1)
    }

    /// Up to where a majority has the log, if that reaches a record of this reign. `slack`: how
    /// much less is believed to be enough.
    pub(super) fn committed(&self, majority: usize, newcomers_count: bool, slack: i64) -> Option<Offset> {
        let counted = self.peers.values().filter(|peer| peer.counts || newcomers_count);
        let mut ends: Vec<Offset> = counted.map(|peer| peer.end).chain([self.own_end]).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let end = *ends.get(majority - 1)?;
        (end + slack > self.epoch_start).then_some(end)
    }

    /// Since when fewer than a majority have come, by the last time that one of it came. None if
    /// the leader is a majority alone.
    pub(super) fn heard_majority_ms(&self, majority: usize) -> Option<i64> {
        let mut heard: Vec<i64> = self.peers.values().map(|peer| peer.heard_ms).collect();
        heard.sort_unstable_by(|a, b| b.cmp(a));
        heard.get(majority.checked_sub(2)?).copied()
    }

    /// Whether a peer must be told of this reign: it doesn't fetch, or doesn't know yet that it is
    /// a founder.
    pub(super) fn must_tell(&self, id: i32, founders: &[ReplicaKey], now_ms: i64, silence_ms: i64) -> bool {
        self.peers.get(&id).is_some_and(|peer| match peer.directory {
            None => true,
            Some(directory) if !peer.counts => founders.contains(&ReplicaKey { id, directory }),
            Some(_) => now_ms - peer.heard_ms > silence_ms,
        })
    }

    /// Who should lead next: the one with the most of the log first.
    pub(super) fn successors(&self) -> Vec<i32> {
        let mut counted: Vec<_> = self.peers.iter().filter(|(_, peer)| peer.counts).collect();
        counted.sort_by_key(|(_, peer)| std::cmp::Reverse(peer.end));
        counted.into_iter().map(|(&id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::records::LeaderEpoch;

    use super::*;

    fn fetch(id: i32, directory: u8, offset: i64, newcomer: bool) -> ReplicaFetch {
        ReplicaFetch {
            replica: ReplicaKey { id, directory: Uuid([directory; 16]) },
            epoch: LeaderEpoch(3),
            offset: Offset(offset),
            last_epoch: Some(LeaderEpoch(2)),
            newcomer,
        }
    }

    fn hear(leader: &mut Leader, now_ms: i64, fetch: &ReplicaFetch) -> bool {
        let arrived = leader.hear(now_ms, fetch, Offset(20), false);
        leader.matched(fetch);
        arrived
    }

    fn committed(leader: &Leader) -> Option<i64> {
        leader.committed(2, false, 0).map(|end| end.0)
    }

    /// Raft, figure 8: what an earlier leader wrote is committed with the first record of this one.
    #[test]
    fn older_records_are_committed_with_the_first_of_the_reign() {
        let mut leader = Leader::new([2, 3].into_iter(), Offset(10), 0);
        leader.synced(Offset(11));
        assert_eq!(committed(&leader), None);
        hear(&mut leader, 1, &fetch(2, 2, 10, false));
        assert_eq!(committed(&leader), None, "a majority has all but the leader's own record");
        hear(&mut leader, 2, &fetch(2, 2, 11, false));
        assert_eq!(committed(&leader), Some(11));
        hear(&mut leader, 3, &fetch(2, 2, 4, false));
        assert_eq!(committed(&leader), Some(11), "a late fetch takes nothing back");
    }

    #[test]
    fn a_single_voter_is_its_own_majority() {
        let mut leader = Leader::new(std::iter::empty(), Offset(0), 0);
        assert_eq!((leader.committed(1, false, 0), leader.heard_majority_ms(1)), (None, None));
        leader.synced(Offset(1));
        assert_eq!(leader.committed(1, false, 0), Some(Offset(1)));
    }

    #[test]
    fn a_newcomer_counts_neither_for_records_nor_as_heard() {
        let mut leader = Leader::new([2, 3].into_iter(), Offset(10), 0);
        leader.synced(Offset(12));
        assert!(hear(&mut leader, 100, &fetch(2, 2, 12, true)), "a record must be appended");
        assert!(!hear(&mut leader, 100, &fetch(2, 2, 12, true)), "one is enough");
        assert_eq!(leader.waits_for(fetch(2, 2, 0, true).replica), Some(Offset(21)));
        assert_eq!((committed(&leader), leader.heard_majority_ms(2)), (None, Some(0)));
        hear(&mut leader, 200, &fetch(2, 2, 12, false));
        assert_eq!((committed(&leader), leader.heard_majority_ms(2)), (Some(12), Some(200)));
    }

    #[test]
    fn another_disk_is_another_voter() {
        let mut leader = Leader::new([2, 3].into_iter(), Offset(10), 0);
        leader.synced(Offset(12));
        hear(&mut leader, 1, &fetch(2, 2, 12, false));
        assert!(hear(&mut leader, 2, &fetch(2, 9, 0, true)), "the second disk is new");
        assert_eq!(committed(&leader), None);
        assert_eq!(leader.waits_for(fetch(2, 2, 0, true).replica), None);
        assert!(!hear(&mut leader, 3, &fetch(7, 7, 99, false)), "an observer is let be");
    }

    #[test]
    fn the_longest_log_stands_first() {
        let mut leader = Leader::new([2, 3, 4].into_iter(), Offset(10), 0);
        hear(&mut leader, 1, &fetch(2, 2, 8, false));
        hear(&mut leader, 1, &fetch(3, 3, 9, false));
        hear(&mut leader, 1, &fetch(4, 4, 10, true));
        assert_eq!(leader.successors(), [3, 2]);
    }

    #[test]
    fn who_does_not_come_is_told() {
        let mut leader = Leader::new([2, 3].into_iter(), Offset(10), 0);
        assert!(leader.must_tell(2, &[], 0, 500));
        hear(&mut leader, 0, &fetch(2, 2, 8, false));
        assert!(!leader.must_tell(2, &[], 500, 500) && leader.must_tell(2, &[], 501, 500));
        let founder = fetch(3, 3, 0, true);
        hear(&mut leader, 0, &founder);
        assert!(!leader.must_tell(3, &[], 0, 500) && leader.must_tell(3, &[founder.replica], 0, 500));
    }
}
