//! Cutting off the end: what a replica does with records that its leader does not have.
//!
//! A leader that dies may have written records of which no other broker knows. The next leader
//! writes others under the same offsets. When the first one is back, it follows, and must give up
//! its own: below the point where the two logs part they are the same, to the byte. Where that is,
//! the epochs tell (`epochs.rs`): the leader says where the follower's last epoch ended for it, and
//! the follower cuts there ([`Log::divergence`]; KIP-101, KIP-279).
//!
//! ```text
//! epoch         1  1  1  2  2                       1  1  1  2  2  3  3
//! leader   0 …  a  b  c  d  e   dies   next leader  a  b  c  d  x  y      x is of epoch 3
//! follower 0 …  a  b  c  d                          and e is cut off the first one's log
//! ```
//!
//! Nothing below the high watermark is ever cut: who leads has all of it.
//!
//! # Simplifications
//!
//! A cut waits until no flush and no cleaning is under way: both speak of offsets that it may take.

use std::ops::Range;
use std::sync::Arc;

use protocol::records::{LeaderEpoch, Offset};

use super::segment::LogSegment;
use super::{Log, StorageError};

impl Log {
    /// Whether nothing works on the files, so that they can be cut.
    pub fn can_be_cut(&self) -> bool {
        !self.cleaning && Arc::strong_count(&self.flushes) == 1
    }

    /// Where this log must be cut, when the leader says that up to our latest epoch its newest is
    /// `epoch`, and ends at `end`. It may take several answers: an epoch that the leader does not
    /// have either is cut first.
    pub fn divergence(&self, epoch: LeaderEpoch, end: Offset) -> Offset {
        let (own_end, end) = (self.log_end_offset(), end.max(Offset::ZERO));
        match self.end_of_epoch(epoch) {
            Some((own, ends)) if own == epoch => ends.min(end),
            Some((_, ends)) => ends.min(own_end),
            None => end.min(own_end),
        }
    }

    /// Removes every batch that reaches `offset` or beyond, from the disk too, and forgets the
    /// epochs that began there, also when no batch goes (KAFKA-10706). Answers the offsets that are
    /// gone.
    ///
    /// Have the `LogDir` write a checkpoint before anything is appended: the last one may trust
    /// what will stand there. After a failure nothing more is taken until the log is opened again.
    pub fn truncate_to(&mut self, offset: Offset) -> Result<Range<Offset>, StorageError> {
        if offset < self.segments[0].base_offset {
            return self.start_over_at(offset);
        }
        self.cutting(|log| {
            while log.active().base_offset > offset {
                log.active().remove(&*log.storage)?;
                log.segments.pop();
            }
            log.sync_names()?;
            if log.log_end_offset() > offset {
                let storage = Arc::clone(&log.storage);
                log.active_mut().truncate_to(offset, &*storage)?;
            }
            log.epochs.truncate_end(log.log_end_offset());
            Ok(())
        })
    }

    /// Removes everything, and goes on at `offset`: the leader's log begins behind the end of this
    /// one. As for [`Log::truncate_to`] a checkpoint is due.
    pub fn start_over_at(&mut self, offset: Offset) -> Result<Range<Offset>, StorageError> {
        let offset = offset.max(Offset::ZERO);
        self.cutting(|log| {
            while log.segments.len() > 1 {
                log.active().remove(&*log.storage)?;
                log.segments.pop();
            }
            log.active().remove(&*log.storage)?;
            let first = LogSegment::create(&*log.storage, &log.dir, offset, &log.config)?;
            log.segments = vec![first];
            log.sync_names()?;
            log.epochs.truncate_end(Offset::ZERO);
            log.log_start_offset = offset;
            Ok(())
        })
    }

    /// The newest goes first, so that a crash leaves a prefix; the epochs go last, so that all that
    /// is left of the old records has its own.
    fn cutting(
        &mut self,
        cut: impl FnOnce(&mut Self) -> Result<(), StorageError>,
    ) -> Result<Range<Offset>, StorageError> {
        assert!(self.can_be_cut(), "a flush or a cleaning speaks of what would be cut");
        self.check_writable()?;
        let before = self.log_end_offset();
        let done = cut(self).and_then(|()| self.sync_epochs());
        self.broken |= done.is_err();
        let end = self.log_end_offset();
        self.recovery_point = self.recovery_point.min(end);
        self.flushed_offset = self.flushed_offset.min(end);
        self.first_dirty = self.first_dirty.min(end);
        self.log_start_offset = self.log_start_offset.min(end);
        done.map(|()| end..before.max(end))
    }

    fn sync_epochs(&mut self) -> Result<(), StorageError> {
        self.epochs.save(&*self.storage)?;
        if let Some((path, file)) = self.epochs.take_unsynced() {
            file.sync().map_err(StorageError::of("sync", path))?;
            self.sync_names()?;
        }
        Ok(())
    }

    fn sync_names(&self) -> Result<(), StorageError> {
        self.storage.sync_dir(&self.dir).map_err(StorageError::of("sync", &self.dir))
    }
}
