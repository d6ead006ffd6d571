//! This broker's vote on who leads the metadata log: the election's core (`quorum/`) with its file
//! and its log.
//!
//! What the core decides is done here, each step synced before the next, and only then does
//! anything come of it. A broker that is the only voter elects itself when it starts: its state
//! file is written, and its reign begins with a `LeaderChange` record.
//!
//! # Simplifications
//! - There is one voter, so nothing is sent to others, and no time passes for an election.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::metadata_log::{LEADER_CHANGE_KEY, LeaderChangeMessage, LeaderChangeVoter};
use protocol::records::{BatchBuilder, CONTROL, LeaderEpoch, Offset, check_batch};

use crate::log::{AppendError, Log, Storage, StorageError, read_file, replace_file};
use crate::quorum::{
    Changes, MAX_STATE_LEN, MetadataLogView, Quorum, STATE_FILE, Timeouts, VoterConfig, decode_state,
    encode_state,
};

/// Kafka's defaults. A voter that is alone never waits.
const TIMEOUTS: Timeouts = Timeouts { election_ms: 1_000, fetch_ms: 2_000 };

/// Control records carry no time, as the others.
const NO_TIME_MS: i64 = 0;

impl MetadataLogView for Log {
    fn end(&self) -> Offset {
        self.log_end_offset()
    }

    fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.latest_epoch()
    }

    fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        Self::end_of_epoch(self, epoch)
    }
}

/// The only voter.
#[derive(Debug)]
pub(super) struct Voter {
    storage: Arc<dyn Storage>,
    state_file: PathBuf,
    id: i32,
    quorum: Quorum,
    /// When it was opened. For one that waits for nothing, time stands still.
    now_ms: i64,
    /// Under which it writes.
    epoch: LeaderEpoch,
}

impl Voter {
    /// Opens the vote of a broker whose metadata log is in `dir`, and has it elected. `seed` must
    /// not repeat from run to run.
    pub(super) fn open(
        storage: &Arc<dyn Storage>,
        dir: &Path,
        id: i32,
        log: &mut Log,
        seed: u64,
        now_ms: i64,
    ) -> Result<Self, StorageError> {
        let state_file = dir.join(STATE_FILE);
        // None at the first start, and at the first after a version that knew of no elections.
        let state = read_file(&**storage, &state_file, MAX_STATE_LEN)?
            .map(|bytes| decode_state(&bytes))
            .transpose()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            .map_err(StorageError::of("read", &state_file))?;
        let config = VoterConfig { id, voters: vec![id], timeouts: TIMEOUTS, seed };
        let quorum = Quorum::open(config, state, now_ms, log);
        let epoch = quorum.epoch();
        let mut voter = Self { storage: Arc::clone(storage), state_file, id, quorum, now_ms, epoch };
        match (voter.settle(log), log.latest_epoch()) {
            (Ok(()), _) => {}
            // The room that is set aside is for changes that make more. It goes on under the last
            // epoch: no one else could have led meanwhile.
            (Err(error), Some(last)) if error.lacks_room() => {
                tracing::warn!("the broker goes on in the last leader epoch, {last}: {error}");
                voter.epoch = last;
            }
            (Err(error), _) => return Err(error),
        }
        Ok(voter)
    }

    /// Does what the core has decided, and what follows from that.
    fn settle(&mut self, log: &mut Log) -> Result<(), StorageError> {
        loop {
            let changes = self.quorum.take_changes();
            if changes == Changes::default() {
                return Ok(());
            }
            if let Some(state) = &changes.remember {
                replace_file(&*self.storage, &self.state_file, &encode_state(state))?;
            }
            assert_eq!(changes.truncate, None, "the only voter has nothing that another lacks");
            if let Some(epoch) = changes.append_leader_change {
                assert_eq!(epoch, self.epoch, "a reign begins in its own epoch");
                self.append_leader_change(log)?;
            }
        }
    }

    fn append_leader_change(&mut self, log: &mut Log) -> Result<(), StorageError> {
        let voters = || vec![LeaderChangeVoter { voter_id: self.id }];
        let message = LeaderChangeMessage {
            version: 0,
            leader_id: self.id,
            voters: voters(),
            granting_voters: voters(),
        };
        let mut batch = BatchBuilder::new().attributes(CONTROL);
        batch.push(NO_TIME_MS, Some(&LEADER_CHANGE_KEY), Some(&message.to_bytes()));
        self.append(log, &batch.finish())
    }

    /// Appends one batch in the epoch of its reign, and waits until it lasts.
    pub(super) fn append(&mut self, log: &mut Log, batch: &[u8]) -> Result<(), StorageError> {
        let header = check_batch(batch).expect("a batch that was just built is right");
        match log.append(batch, &header, self.epoch, NO_TIME_MS) {
            Ok(_) => {
                self.quorum.appended(self.now_ms, log.log_end_offset());
                Ok(())
            }
            Err(AppendError::Storage(error)) => Err(error),
            Err(AppendError::TooLargeForSegment { size, .. }) => {
                unreachable!("{size} bytes fit in a segment of 1 GB")
            }
        }
    }

    /// The epoch of its reign.
    pub(super) fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }
}
