//! Offsets: which a partition holds, and the record at one.

use std::error::Error;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;

use super::Admin;
use crate::broker_connection::BrokerConnection;
use crate::group::list;
use crate::stored::{StoredRecord, find};
use crate::survey::leaders_of;
use crate::{ClusterError, Settings, TopicPartition};

/// Which offsets a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offsets {
    /// The first offset that can be read: the log start offset.
    pub earliest: i64,
    /// The offset that the next record will get: the log end offset, as far as consumers may read.
    pub latest: i64,
}

impl Offsets {
    /// How many records a group that reads on at `committed` has before it. What retention has
    /// deleted is no lag: it can't be read.
    pub fn lag(self, committed: i64) -> i64 {
        (self.latest - committed.max(self.earliest)).max(0)
    }

    /// The offset from which reading can begin that is nearest to `offset`.
    pub fn nearest(self, offset: i64) -> i64 {
        offset.clamp(self.earliest, self.latest.max(self.earliest))
    }
}

impl Admin {
    /// Which offsets each of `partitions` holds, in their order: two requests to each broker,
    /// however many partitions. None where the partition is not there (any more).
    pub fn offsets(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<Offsets>>, ClusterError> {
        let earliest = self.offsets_for(partitions, Offset::Beginning)?;
        let latest = self.offsets_for(partitions, Offset::End)?;
        let both = earliest.into_iter().zip(latest);
        Ok(both.map(|(earliest, latest)| Some(Offsets { earliest: earliest?, latest: latest? })).collect())
    }

    /// The end of each of `partitions`, in their order; none where the partition is not there.
    pub fn ends(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<i64>>, ClusterError> {
        self.offsets_for(partitions, Offset::End)
    }

    /// The first offset of each of `partitions`, in their order, whose record was sent at `at_ms`
    /// of wall-clock time or later; none where all records are older, or the partition is not
    /// there.
    pub fn offsets_since(
        &self,
        partitions: &[TopicPartition],
        at_ms: i64,
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        // Kafka has a meaning of its own for each time before 1970.
        self.offsets_for(partitions, Offset::Offset(at_ms.max(0)))
    }

    /// The record at `offset` of `at` as it lies in the log, with all of its headers; none where
    /// there is none (any more). Asked for in Kafka's own bytes, see
    /// [`StoredRecord`].
    pub fn record(&self, at: &TopicPartition, offset: i64) -> Result<Option<StoredRecord>, ClusterError> {
        let what = || format!("reading {at}@{offset} whole");
        let refused = |reason: String| ClusterError::Refused {
            what: what(),
            servers: self.settings.servers().to_owned(),
            reason,
        };
        let leaders = leaders_of(&self.outside, &at.topic).map_err(|error| self.wrong(&what(), &error))?;
        let leader = leaders.get(&at.partition).ok_or_else(|| refused("it has no leader".to_owned()))?;
        stored_record(&self.settings, leader, at, offset)
            .map_err(|error| refused(format!("{leader}: {error}")))
    }

    /// One `ListOffsets` request to each broker. A time is asked for in the place of the offset;
    /// Kafka gives the beginning and the end numbers of their own (-2 and -1).
    fn offsets_for(
        &self,
        partitions: &[TopicPartition],
        time: Offset,
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let what = "reading the offsets of partitions";
        let mut asked = list(partitions);
        asked.set_all_offsets(time).map_err(|error| self.wrong(what, &error))?;
        let answer =
            self.outside.offsets_for_times(asked, self.timeout).map_err(|error| self.wrong(what, &error))?;
        Ok(partitions
            .iter()
            .map(|at| {
                let element = answer.find_partition(&at.topic, at.partition)?;
                element.error().ok()?;
                known(element.offset())
            })
            .collect())
    }
}

/// Asks the leader of `at` for the record at `offset`; none where the log holds none there.
fn stored_record(
    settings: &Settings,
    leader: &str,
    at: &TopicPartition,
    offset: i64,
) -> Result<Option<StoredRecord>, Box<dyn Error + Send + Sync>> {
    let Some(stored) = BrokerConnection::connect(leader, settings)?.batch(at, offset)? else {
        return Ok(None);
    };
    match stored.fault {
        Some(fault) => Err(fault.into()),
        None => find(&stored.bytes, offset),
    }
}

/// An offset that is a number.
pub(super) fn known(offset: Offset) -> Option<i64> {
    match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_deleted_is_no_lag() {
        let offsets = Offsets { earliest: 100, latest: 130 };
        for (committed, lag) in [(10, 30), (100, 30), (110, 20), (130, 0), (200, 0)] {
            assert_eq!(offsets.lag(committed), lag, "committed {committed}");
        }
        assert_eq!(Offsets { earliest: 100, latest: 100 }.lag(10), 0, "all of it was deleted");
        for (offset, nearest) in [(i64::MIN, 100), (110, 110), (i64::MAX, 130)] {
            assert_eq!(offsets.nearest(offset), nearest, "{offset}");
        }
        assert_eq!(Offsets { earliest: 7, latest: 3 }.nearest(5), 7, "what makes no sense is no panic");
    }
}
