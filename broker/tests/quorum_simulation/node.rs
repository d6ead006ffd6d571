//! One voter: its disk, and the shell round its core.

use broker::quorum::{
    Changes, ElectionState, Plant, Quorum, ReplicaFetch, Request, Timeouts, VoterConfig, decode_state,
    encode_state,
};

use protocol::records::LeaderEpoch;

use crate::dice::Dice;
use crate::log::{Entry, Log};

pub(crate) const TIMEOUTS: Timeouts = Timeouts { election_ms: 500, fetch_ms: 1_500 };

/// What survives the process.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) state: Option<Vec<u8>>,
    pub(crate) log: Log,
}

impl Disk {
    pub(crate) fn election_state(&self) -> Option<ElectionState> {
        let bytes = self.state.as_ref()?;
        Some(decode_state(bytes).expect("what was written is read"))
    }
}

pub(crate) struct Node {
    pub(crate) index: usize,
    pub(crate) disk: Disk,
    /// The epoch in its state file.
    pub(crate) disk_epoch: LeaderEpoch,
    pub(crate) quorum: Option<Quorum>,
    /// Role, epoch, high watermark and log's length when it was last looked at.
    pub(crate) seen: (u8, i32, i64, usize),
    /// Which process it is, over all nodes.
    pub(crate) process: u64,
    pub(crate) starts_at_ms: i64,
    pub(crate) died_at_ms: i64,
    /// SIGSTOP, or a disk that takes its time.
    pub(crate) paused_until_ms: i64,
    /// An orderly stop ends then.
    pub(crate) ends_at_ms: Option<i64>,
    /// Its disk was wiped, and it doesn't count again yet.
    pub(crate) wiped: bool,
    /// How far its clock is from the others'.
    pub(crate) skew_ms: i64,
    /// The fetch under way, and when it is given up.
    pub(crate) fetching: Option<(ReplicaFetch, i64)>,
    pub(crate) fetches_at_ms: i64,
    pub(crate) syncs_at_ms: i64,
    /// To each node, the last request and when it left.
    pub(crate) sent: Vec<Option<(Request, i64)>>,
}

impl Node {
    pub(crate) fn new(index: usize, voters: usize, dice: &mut Dice) -> Self {
        Self {
            index,
            disk: Disk::default(),
            disk_epoch: LeaderEpoch(0),
            seen: (0, 0, 0, 0),
            quorum: None,
            process: 0,
            starts_at_ms: dice.between(0, 200),
            died_at_ms: 0,
            paused_until_ms: 0,
            ends_at_ms: None,
            wiped: false,
            skew_ms: dice.between(-5_000, 5_000),
            fetching: None,
            fetches_at_ms: 0,
            syncs_at_ms: 0,
            sent: vec![None; voters],
        }
    }

    pub(crate) fn start(&mut self, now_ms: i64, process: u64, seed: u64, plant: Option<Plant>) {
        let voters: Vec<i32> = (0..self.sent.len() as i32).collect();
        let config = VoterConfig { id: self.index as i32, voters, timeouts: TIMEOUTS, seed };
        let state = self.disk.election_state();
        let mut quorum = Quorum::open(config, state, now_ms + self.skew_ms, &self.disk.log);
        if let Some(plant) = plant {
            quorum.plant(plant);
        }
        self.quorum = Some(quorum);
        self.process = process;
        self.seen = (u8::MAX, 0, 0, 0);
        self.paused_until_ms = 0;
        self.ends_at_ms = None;
        self.fetching = None;
        self.fetches_at_ms = now_ms;
        self.sent.fill(None);
    }

    /// The process is killed; of what wasn't synced a part is left, and returned.
    pub(crate) fn kill(&mut self, restarts_at_ms: i64, dice: &mut Dice) -> Vec<Entry> {
        self.quorum = None;
        self.starts_at_ms = restarts_at_ms;
        let (synced, end) = (self.disk.log.synced as i64, self.disk.log.entries.len() as i64);
        self.disk.log.truncate(dice.between(synced, end) as usize);
        self.disk.log.sync().to_vec()
    }

    /// Does one of the changes. What a `LeaderChange` record must be is `entry`.
    pub(crate) fn apply(&mut self, changes: &Changes, part: Part, entry: Entry) {
        match part {
            Part::State => {
                if let Some(state) = &changes.remember {
                    self.disk.state = Some(encode_state(state));
                    self.disk_epoch = state.epoch;
                }
            }
            Part::Truncation => {
                if let Some(at) = changes.truncate {
                    self.disk.log.truncate(at.0 as usize);
                }
            }
            Part::LeaderChange => {
                if changes.append_leader_change.is_some() {
                    self.disk.log.entries.push(entry);
                }
            }
        }
    }
}

/// The changes, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    State,
    Truncation,
    LeaderChange,
}
