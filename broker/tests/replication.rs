//! Two replicas of a partition, whatever happens to them: when the follower has caught up, its log
//! is the leader's, to the byte.
//!
//! The leader changes, with and without records that the other has not seen; both are killed and
//! lose their power, which takes what was not synced; records are deleted. The follower asks as
//! brokers do.

use std::path::PathBuf;
use std::sync::Arc;

use broker::log::{LogConfig, MemoryStorage, RecoveryHints, ReplicationError};
use broker::replica::{Partition, Role};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use protocol::records::{
    BatchBuilder, BrokerFields, Compression, LeaderEpoch, Offset, ProducerStamp, check_batch,
};

#[derive(Clone, Debug)]
enum Step {
    /// The leader takes a batch: its codec, its timestamps, the length of its values, its producer.
    Append(Compression, Vec<i64>, usize, i64),
    /// The follower asks so many times, for so many bytes.
    Fetch {
        times: usize,
        max_bytes: usize,
    },
    /// The other one leads.
    Elect,
    /// The leader deletes records.
    Delete(Index),
    Flush(usize),
    /// One is killed, and then this one leads.
    Kill(usize, usize),
    /// One loses its power, and so much of each file that was not synced.
    PowerLoss(usize, usize, Vec<Index>),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..2usize;
    prop_oneof![
        8 => (select(&Compression::ALL), vec(0..1_000i64, 1..4), 0..200usize, -1..3i64)
            .prop_map(|(codec, timestamps, size, producer)| Step::Append(codec, timestamps, size, producer)),
        6 => (1..4usize, 0..1_500usize).prop_map(|(times, max_bytes)| Step::Fetch { times, max_bytes }),
        2 => Just(Step::Elect),
        1 => any::<Index>().prop_map(Step::Delete),
        2 => which.clone().prop_map(Step::Flush),
        1 => (which.clone(), which.clone()).prop_map(|(who, leader)| Step::Kill(who, leader)),
        1 => (which.clone(), which, vec(any::<Index>(), 1..8))
            .prop_map(|(who, leader, losses)| Step::PowerLoss(who, leader, losses)),
    ]
}

/// A replica, its disk, and what the disk has of checkpoints.
struct Replica {
    storage: MemoryStorage,
    partition: Partition,
    hints: RecoveryHints,
}

impl Replica {
    fn open(storage: MemoryStorage, role: Role, epoch: i32, hints: RecoveryHints) -> Self {
        let config = LogConfig {
            segment_bytes: 2_000,
            index_interval_bytes: 150,
            retention_ms: None,
            timestamp_after_max_ms: i64::MAX,
            ..LogConfig::default()
        };
        let (arc, dir) = (Arc::new(storage.clone()), PathBuf::from("t-0"));
        let opened = Partition::open_as(role, arc, dir, config, LeaderEpoch(epoch), hints);
        Self { storage, partition: opened.expect("memory works").0, hints }
    }

    /// Who comes back leads nothing before it is elected.
    fn reopen(&mut self, storage: MemoryStorage, epoch: i32) {
        *self = Self::open(storage, Role::Follower, epoch, self.hints);
    }

    fn checkpoint(&mut self) {
        let checkpoint = self.partition.checkpoint();
        self.hints = RecoveryHints {
            clean_shutdown: false,
            recovery_point: checkpoint.recovery_point,
            log_start_offset: checkpoint.log_start_offset,
            first_dirty: checkpoint.first_dirty,
        };
    }

    /// All batches from `from` on, as they stand in the files.
    fn bytes(&self, mut from: Offset) -> Vec<u8> {
        let mut bytes = Vec::new();
        while from < self.partition.log_end_offset() {
            let at = bytes.len();
            self.partition.read(from, 0).expect("in range").read_to(&mut bytes).expect("memory works");
            from = check_batch(&bytes[at..]).expect("a whole batch").next_offset();
        }
        bytes
    }
}

/// One fetch of the follower. `false` when it has all that the leader has.
fn fetch(leader: &mut Replica, follower: &mut Replica, max_bytes: usize) -> bool {
    let (end, start) = (follower.partition.log_end_offset(), leader.partition.log_start_offset());
    if let Some(latest) = follower.partition.latest_epoch() {
        let (epoch, ends) = leader.partition.end_of_epoch(latest).expect("who leads has the latest epoch");
        if epoch < latest || ends < end {
            let gone = follower.partition.truncate_to_divergence(epoch, ends).expect("memory works");
            assert!(gone.is_some(), "nothing else works on the files");
            follower.checkpoint();
            return true;
        }
    }
    // Behind the leader's log, or before it: what was deleted here has never been there.
    if end < start || end > leader.partition.log_end_offset() {
        assert!(end < start || follower.partition.is_empty(), "its epochs tell where they part");
        follower.partition.start_over_at(start).expect("memory works");
        follower.checkpoint();
        return true;
    }
    let mut records = Vec::new();
    let region = leader.partition.read(end, max_bytes).expect("in range");
    region.read_to(&mut records).expect("memory works");
    match follower.partition.append_replicated(&records, 0) {
        // The leader's log begins inside a batch.
        Err(ReplicationError::OutOfPlace { base_offset, end }) if follower.partition.is_empty() => {
            assert!(end > base_offset, "{base_offset} is before {end}");
            follower.partition.start_over_at(base_offset).expect("memory works");
            follower.checkpoint();
            follower.partition.append_replicated(&records, 0).expect("they begin at its end");
        }
        taken => taken.expect("they follow"),
    }
    !records.is_empty()
}

struct World {
    replicas: [Replica; 2],
    leader: usize,
    epoch: i32,
}

impl World {
    fn leads(&self, which: usize) -> Role {
        if which == self.leader { Role::Leader } else { Role::Follower }
    }

    /// The leader and the follower.
    fn pair(&mut self) -> (&mut Replica, &mut Replica) {
        let [first, second] = &mut self.replicas;
        if self.leader == 0 { (first, second) } else { (second, first) }
    }

    fn elect(&mut self, leader: usize) {
        self.epoch += 1;
        self.leader = leader;
        for which in 0..2 {
            let role = self.leads(which);
            self.replicas[which].partition.begin_epoch(role, LeaderEpoch(self.epoch));
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(codec, timestamps, size, producer_id) => {
                let (leader, _) = self.pair();
                let mut batch = BatchBuilder::new().compression(codec);
                if producer_id >= 0 {
                    let known = leader.partition.producers().find(|known| known.producer_id == producer_id);
                    let base_sequence = known.map_or(0, |known| known.last_sequence + 1);
                    batch = batch.producer(ProducerStamp { producer_id, producer_epoch: 0, base_sequence });
                }
                for timestamp in timestamps {
                    batch.push(timestamp, None, Some(&vec![7; size]));
                }
                leader.partition.append(&batch.finish(), 0).expect("it is in sequence");
            }
            Step::Fetch { times, max_bytes } => {
                let (leader, follower) = self.pair();
                for _ in 0..times {
                    fetch(leader, follower, max_bytes);
                }
            }
            Step::Elect => self.elect(1 - self.leader),
            Step::Delete(before) => {
                let (leader, _) = self.pair();
                let (start, end) = (leader.partition.log_start_offset(), leader.partition.log_end_offset());
                let before = start + before.index((end - start) as usize + 1) as i64;
                leader.partition.delete_records(Some(before)).expect("in range");
                leader.checkpoint();
            }
            Step::Flush(which) => {
                self.replicas[which].partition.flush().expect("memory works");
                self.replicas[which].checkpoint();
            }
            Step::Kill(who, leader) => {
                let left = self.replicas[who].storage.kill();
                self.replicas[who].reopen(left, self.epoch);
                self.elect(leader);
            }
            Step::PowerLoss(who, leader, losses) => {
                let mut losses = losses.iter().cycle();
                let left = self.replicas[who]
                    .storage
                    .crash(|_, unsynced| losses.next().expect("a cycle").index(unsynced + 1));
                self.replicas[who].reopen(left, self.epoch);
                self.elect(leader);
            }
        }
    }

    /// The follower catches up; then the two are alike.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let (leader, follower) = self.pair();
        let mut asked = 0;
        while fetch(leader, follower, 700) {
            asked += 1;
            prop_assert!(
                asked < 1_000,
                "{:?} cuts or starts over for ever beside {:?}",
                follower.partition.checkpoint(),
                leader.partition.checkpoint()
            );
        }
        let (mine, theirs) = (&follower.partition, &leader.partition);
        prop_assert_eq!(mine.log_end_offset(), theirs.log_end_offset());
        let start = mine.log_start_offset().max(theirs.log_start_offset());
        prop_assert!(follower.bytes(start) == leader.bytes(start), "the logs differ from {} on", start);
        for epoch in 0..=self.epoch {
            let (leader, follower) = self.pair();
            let ends = |replica: &Replica| {
                let end = replica.partition.end_of_epoch(LeaderEpoch(epoch));
                end.filter(|(_, end)| *end > start && *end < replica.partition.log_end_offset())
            };
            prop_assert_eq!(ends(follower), ends(leader), "epoch {} ends elsewhere", epoch);
        }
        let (leader, follower) = self.pair();
        for known in follower.partition.producers() {
            // Who starts knows those whose records it has, or had at its last flush.
            let theirs = leader.partition.producers().find(|other| other.producer_id == known.producer_id);
            if let Some(theirs) = theirs {
                prop_assert_eq!(theirs.last_sequence, known.last_sequence);
            }
        }
        // And each can be found by its time, and is there after a start.
        for timestamp in (0..1_000).step_by(90) {
            let found = |replica: &Replica| {
                let found = replica.partition.timestamp_search(timestamp).run().expect("memory works");
                found.map(|found| found.offset).filter(|offset| *offset >= start)
            };
            if leader.partition.log_start_offset() == follower.partition.log_start_offset() {
                prop_assert_eq!(found(follower), found(leader));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_follower_that_has_caught_up_is_the_leader_to_the_byte(
        lives in vec(vec(step(), 1..25), 1..4),
    ) {
        let open = |role| Replica::open(MemoryStorage::new(), role, 0, RecoveryHints::default());
        let mut world =
            World { replicas: [open(Role::Leader), open(Role::Follower)], leader: 0, epoch: 0 };
        for life in lives {
            for step in life {
                world.take(step);
            }
            world.check()?;
        }
    }

    #[test]
    fn no_bytes_from_a_leader_make_it_panic(
        sizes in vec(0..200usize, 1..6),
        edits in vec((any::<Index>(), any::<u8>()), 0..4),
        cut in any::<Index>(),
        base in -3..8i64,
        epoch in -2..4i32,
    ) {
        let mut records = Vec::new();
        for (offset, size) in (base..).zip(sizes) {
            let mut batch = BatchBuilder::new();
            batch.push(5, None, Some(&vec![7; size]));
            let mut bytes = batch.finish().to_vec();
            let header = check_batch(&bytes).expect("just built");
            let fields =
                BrokerFields { base_offset: Offset(offset), partition_leader_epoch: LeaderEpoch(epoch) };
            bytes[..BrokerFields::LEN].copy_from_slice(&fields.encode(header.batch_length));
            records.extend(bytes);
        }
        for (place, bits) in edits {
            let place = place.index(records.len());
            records[place] ^= bits;
        }
        records.truncate(cut.index(records.len() + 1));
        let mut follower = Replica::open(MemoryStorage::new(), Role::Follower, 2, RecoveryHints::default());
        let before = follower.partition.log_end_offset();
        let taken = follower.partition.append_replicated(&records, 0).is_ok();
        prop_assert_eq!(taken && !records.is_empty(), follower.partition.log_end_offset() > before);
        // What was taken can be read.
        follower.bytes(follower.partition.log_start_offset());
    }
}

#[test]
fn what_does_not_follow_is_refused_and_changes_nothing() {
    let batch = |offset: i64, epoch: i32| {
        let mut batch = BatchBuilder::new();
        batch.push(5, None, Some(b"x"));
        let mut bytes = batch.finish().to_vec();
        let header = check_batch(&bytes).expect("just built");
        let fields = BrokerFields { base_offset: Offset(offset), partition_leader_epoch: LeaderEpoch(epoch) };
        bytes[..BrokerFields::LEN].copy_from_slice(&fields.encode(header.batch_length));
        bytes
    };
    let mut follower = Replica::open(MemoryStorage::new(), Role::Follower, 3, RecoveryHints::default());
    // A gap is none of ours: the leader's log was compacted.
    follower.partition.append_replicated(&[batch(4, 1), batch(9, 2)].concat(), 0).expect("they follow");
    assert_eq!(follower.partition.log_end_offset(), Offset(10));
    let mut refused = |records: &[u8]| follower.partition.append_replicated(records, 0).expect_err("refused");
    for offset in [9, i64::MIN, i64::MAX, i64::from(i32::MAX) + 11] {
        assert!(matches!(refused(&batch(offset, 2)), ReplicationError::OutOfPlace { .. }), "{offset}");
    }
    assert!(matches!(refused(&batch(10, 1)), ReplicationError::OutOfOrder { .. }));
    assert!(matches!(refused(&batch(10, 4)), ReplicationError::OutOfOrder { .. }));
    assert!(matches!(refused(&batch(10, 2)[..30]), ReplicationError::Damaged { .. }));
    // Up to the first that is wrong they are taken.
    let records = [batch(10, 2), batch(11, 3), batch(12, 4)].concat();
    follower.partition.append_replicated(&records, 0).expect("the first two follow");
    assert_eq!(follower.partition.log_end_offset(), Offset(12));
}

/// Neither the snapshot nor the log knows its last batch, and its next one is taken all the same.
#[test]
fn a_producer_whose_records_were_deleted_goes_on_after_a_kill() {
    let mut replica = Replica::open(MemoryStorage::new(), Role::Leader, 0, RecoveryHints::default());
    let append = |replica: &mut Replica, base_sequence: i32| {
        let stamp = ProducerStamp { producer_id: 7, producer_epoch: 0, base_sequence };
        let mut batch = BatchBuilder::new().producer(stamp);
        batch.push(5, None, Some(&[7; 900]));
        replica.partition.append(&batch.finish(), 0).map(|appended| appended.base_offset)
    };
    append(&mut replica, 0).expect("its first");
    replica.partition.flush().expect("memory works");
    for sequence in 1..5 {
        append(&mut replica, sequence).expect("in sequence");
    }
    replica.partition.delete_records(Some(Offset(5))).expect("in range");
    replica.checkpoint();
    let left = replica.storage.kill();
    replica.reopen(left, 0);
    replica.partition.begin_epoch(Role::Leader, LeaderEpoch(1));
    assert_eq!(append(&mut replica, 5).expect("in sequence"), Offset(5));
}

#[test]
fn a_cut_waits_for_a_flush() {
    let mut replica = Replica::open(MemoryStorage::new(), Role::Leader, 0, RecoveryHints::default());
    let mut batch = BatchBuilder::new();
    batch.push(5, None, Some(b"x"));
    replica.partition.append(&batch.finish(), 0).expect("there is room");
    let mut flush = replica.partition.begin_flush().expect("memory works").expect("something to sync");
    replica.partition.begin_epoch(Role::Follower, LeaderEpoch(1));
    let cut = |partition: &mut Partition| {
        partition.truncate_to_divergence(LeaderEpoch(0), Offset(0)).expect("memory works")
    };
    assert_eq!(cut(&mut replica.partition), None);
    flush.run();
    replica.partition.finish_flush(flush).expect("memory works");
    assert_eq!(cut(&mut replica.partition), Some(Offset(0)..Offset(1)));
}

#[test]
fn a_flush_that_is_given_up_holds_no_cut_up_and_no_offset_is_negative() {
    let mut replica = Replica::open(MemoryStorage::new(), Role::Leader, 0, RecoveryHints::default());
    let mut batch = BatchBuilder::new();
    batch.push(5, None, Some(b"x"));
    replica.partition.append(&batch.finish(), 0).expect("there is room");
    drop(replica.partition.begin_flush().expect("memory works"));
    replica.partition.begin_epoch(Role::Follower, LeaderEpoch(1));
    let cut = replica.partition.truncate_to_divergence(LeaderEpoch(0), Offset(-5)).expect("memory works");
    assert_eq!(cut, Some(Offset(0)..Offset(1)));
    assert_eq!(
        replica.partition.start_over_at(Offset(-5)).expect("memory works"),
        Some(Offset(0)..Offset(0))
    );
}
