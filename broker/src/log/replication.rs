//! Appending as told: batches that have their offsets already, from the leader of the partition.

use std::ops::Range;

use protocol::records::{BatchHeader, LeaderEpoch, Offset, check_batch};

use super::{Log, ReplicationError, StorageError};

impl Log {
    /// Appends the whole batches at the beginning of `records`, as a leader sent them: with its
    /// offsets, epochs and times, gaps included. `current` is its epoch, and no batch may be of a
    /// later one. `now_ms` counts from 1970. `seen` is told of each that was taken.
    ///
    /// Takes them up to the first that is not right: where that is the first of all, it is an
    /// error. An answer may end in a part of a batch, which comes again.
    pub fn append_replicated(
        &mut self,
        records: &[u8],
        current: LeaderEpoch,
        now_ms: i64,
        mut seen: impl FnMut(&BatchHeader),
    ) -> Result<(), ReplicationError> {
        self.check_writable()?;
        let batches = self.check_replicated(records, current)?;
        let mut rest = batches.as_slice();
        while !rest.is_empty() {
            let (run, behind) = rest.split_at(self.run_len(rest)?);
            self.write_run(run, records)?;
            for (header, _) in run {
                seen(header);
            }
            rest = behind;
        }
        if !batches.is_empty() {
            self.sync_if_due(now_ms)?;
        }
        Ok(())
    }

    /// The batches that can be taken, each with where it stands in `records`.
    fn check_replicated(
        &self,
        records: &[u8],
        current: LeaderEpoch,
    ) -> Result<Vec<(BatchHeader, Range<usize>)>, ReplicationError> {
        let mut batches = Vec::new();
        let (mut end, mut at) = (self.log_end_offset(), 0);
        let mut latest = self.latest_epoch().unwrap_or(LeaderEpoch(-1));
        while at < records.len() {
            let checked = check_batch(&records[at..])
                .map_err(|error| ReplicationError::Damaged { end, error })
                .and_then(|header| check_place(&header, end, latest, current).map(|()| header));
            let header = match checked {
                Ok(header) => header,
                Err(error) if batches.is_empty() => return Err(error),
                Err(_) => break,
            };
            (end, latest) = (header.next_offset(), header.partition_leader_epoch);
            batches.push((header, at..at + header.total_len()));
            at += header.total_len();
        }
        Ok(batches)
    }

    /// How many of these go into the active segment with one write, after it was rolled if the
    /// first does not fit.
    fn run_len(&mut self, batches: &[(BatchHeader, Range<usize>)]) -> Result<usize, StorageError> {
        let (first, place) = &batches[0];
        if self.must_roll(first, place.len()) {
            self.roll()?;
        }
        // What an empty segment takes alone, it may have no room for with others.
        if self.active().size == 0 {
            return Ok(1);
        }
        let fits = |(header, other): &(BatchHeader, Range<usize>)| {
            !self.must_roll(header, other.end - place.start)
                && header.partition_leader_epoch == first.partition_leader_epoch
        };
        Ok(1 + batches[1..].iter().take_while(|batch| fits(batch)).count())
    }

    /// Writes batches of one epoch that stand one behind the other.
    fn write_run(&mut self, run: &[(BatchHeader, Range<usize>)], records: &[u8]) -> Result<(), StorageError> {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        self.epochs.assign(first.0.partition_leader_epoch, first.0.base_offset);
        self.epochs.save(&*self.storage)?;
        let headers = run.iter().map(|(header, _)| header);
        self.active_mut().append_run(&records[first.1.start..last.1.end], headers)?;
        assert_eq!(self.log_end_offset(), last.0.next_offset(), "the log ends behind what it took last");
        Ok(())
    }
}

fn check_place(
    header: &BatchHeader,
    end: Offset,
    latest: LeaderEpoch,
    current: LeaderEpoch,
) -> Result<(), ReplicationError> {
    // No leader has a wider gap: each of its segments ends with its last batch, and spans no more.
    let behind = header.base_offset.0.saturating_sub(end.0);
    let reach = behind.saturating_add(i64::from(header.last_offset_delta));
    if behind < 0 || header.last_offset_delta < 0 || reach > i64::from(i32::MAX) {
        return Err(ReplicationError::OutOfPlace { base_offset: header.base_offset, end });
    }
    let epoch = header.partition_leader_epoch;
    if epoch < latest || epoch > current {
        return Err(ReplicationError::OutOfOrder { epoch, latest, current });
    }
    Ok(())
}
