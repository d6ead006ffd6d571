//! A partition as a follower has it: what the leader writes, with its offsets, and nothing else.
//!
//! A follower asks from its end on, and says of which epoch its last record is. The leader answers
//! with records, or with where the two logs part. Then the follower cuts its log and asks again;
//! nothing else of such an answer counts (KIP-595).
//!
//! ```text
//! follower                          leader
//!   end 7, last epoch 2   ───▶      my epoch 2 ended at 6
//!   cut to 6              ◀───
//!   end 6, last epoch 2   ───▶      6 is mine too: here is 6 and what follows
//! ```

use std::ops::Range;

use protocol::records::{LeaderEpoch, Offset};

use super::partition::{Partition, Role, producers_of};
use super::producer_state::ProducerState;
use crate::log::{ReplicationError, StorageError};

impl Partition {
    /// A leader epoch begins, with this broker in that role. What lay in the log stays until the
    /// leader of the epoch says otherwise.
    pub fn begin_epoch(&mut self, role: Role, epoch: LeaderEpoch) {
        assert!(epoch >= self.leader_epoch, "epoch {epoch} begins after {}", self.leader_epoch);
        if role == Role::Leader {
            self.log.begin_epoch(epoch);
        }
        (self.role, self.leader_epoch) = (role, epoch);
    }

    /// The epoch of the newest records (`lastFetchedEpoch` of a follower's fetch).
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.log.latest_epoch()
    }

    /// Appends what the leader sent, as it is: see [`Log::append_replicated`](crate::log::Log).
    /// `now_ms` counts from 1970.
    pub fn append_replicated(&mut self, records: &[u8], now_ms: i64) -> Result<(), ReplicationError> {
        assert_eq!(self.role, Role::Follower, "who leads takes records from producers alone");
        let Self { log, producers, leader_epoch, .. } = self;
        log.append_replicated(records, *leader_epoch, now_ms, |header| producers.note(header, Some(now_ms)))
    }

    /// Cuts the log where it parts from the leader's, whose newest epoch up to our latest is
    /// `epoch` and ends at `end`. Answers the offsets that are gone; `None` when a flush or a
    /// cleaning is under way, and it is to be tried again. Have the `LogDir` write a checkpoint
    /// before anything is appended.
    pub fn truncate_to_divergence(
        &mut self,
        epoch: LeaderEpoch,
        end: Offset,
    ) -> Result<Option<Range<Offset>>, StorageError> {
        assert_eq!(self.role, Role::Follower, "who leads cuts nothing");
        if !self.log.can_be_cut() {
            return Ok(None);
        }
        let gone = self.log.truncate_to(self.log.divergence(epoch, end))?;
        self.read_producers()?;
        Ok(Some(gone))
    }

    /// Removes everything and goes on at `offset`, where the leader's log begins: behind the end of
    /// this one. `None` and the checkpoint as for [`Partition::truncate_to_divergence`].
    pub fn start_over_at(&mut self, offset: Offset) -> Result<Option<Range<Offset>>, StorageError> {
        assert_eq!(self.role, Role::Follower, "who leads keeps what it has");
        if !self.log.can_be_cut() {
            return Ok(None);
        }
        // Of producers nothing is known: what they wrote meanwhile was never here.
        self.snapshots.truncate(Offset(-1))?;
        let gone = self.log.start_over_at(offset)?;
        self.read_producers()?;
        Ok(Some(gone))
    }

    /// What was known of producers speaks of batches that are gone, and would have them answered as
    /// written.
    fn read_producers(&mut self) -> Result<(), StorageError> {
        let read = producers_of(&self.log, &self.snapshots).inspect_err(|_| self.log.give_up());
        self.producers = ProducerState::default();
        read.map(|producers| self.producers = producers)
    }
}
