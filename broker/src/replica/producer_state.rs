//! What idempotent producers have written: the reason why a retry is stored once.
//!
//! A producer that gets no answer must send its batch again, and can't know whether the first one
//! arrived. So it numbers its records for each partition (KIP-98), and the broker remembers the
//! last five batches of every producer: a batch it has seen is answered as before and not stored,
//! one that leaves a gap is refused. Five, because a client may have five requests on their way.
//!
//! The state is made from the log, so it needs no log of its own. A snapshot spares the next start
//! the walk through all of it; what came after the snapshot is read from the batches' headers.
//!
//! # The `.snapshot` file (big-endian, Kafka's; the name is the offset up to which it holds)
//!
//! ```text
//!  byte  size  field
//!     0     2  version, 1
//!     2     4  CRC-32C of everything from byte 6
//!     6     4  number of entries, then for each:
//!           8  producer id
//!           2  producer epoch
//!           4  last sequence of a batch
//!           8  last offset of that batch
//!           4  its number of offsets minus one
//!           8  its largest timestamp, ms since 1970
//!           4  coordinator epoch, -1
//!           8  first offset of an open transaction, -1
//! ```
//! Kafka keeps one entry for each producer. Here there is one for each remembered batch, oldest
//! first: Kafka's reader lets a later entry win, and gets what it would have written itself.
//!
//! # Simplifications
//!
//! No transactions yet: nothing is ever open.

use std::collections::{BTreeMap, HashMap, VecDeque};

use protocol::records::{BatchHeader, Offset};
use thiserror::Error;

/// Batches remembered for each producer (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
const RETAINED_BATCHES: usize = 5;
/// `producer.id.expiration.ms`: a producer silent for so long is forgotten.
const EXPIRATION_MS: i64 = 24 * 3_600_000;

const VERSION: i16 = 1;
const PREFIX_LEN: usize = 6;
const ENTRY_LEN: usize = 46;

/// Why an idempotent producer's batch is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SequenceError {
    /// There is a gap, or the batch is older than the five that are remembered
    /// (`OUT_OF_ORDER_SEQUENCE_NUMBER`).
    #[error("producer {producer_id} sent sequence {sequence}, {expected} was expected")]
    OutOfOrder {
        /// Whose.
        producer_id: i64,
        /// First sequence of the batch.
        sequence: i32,
        /// What should have come.
        expected: i32,
    },
    /// A newer incarnation of the producer has written (`INVALID_PRODUCER_EPOCH`).
    #[error("producer {producer_id} has epoch {epoch}, {current} has already written")]
    Fenced {
        /// Whose.
        producer_id: i64,
        /// The batch's.
        epoch: i16,
        /// The newest known.
        current: i16,
    },
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SequenceCheck {
    /// Append it.
    New,
    /// It is stored already, with these offsets.
    Duplicate { base_offset: Offset, last_offset: Offset, timestamp_ms: i64 },
}

/// A producer and the last batch that it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerDescription {
    /// Who.
    pub producer_id: i64,
    /// Its newest epoch.
    pub epoch: i16,
    /// Sequence of its last record, -1 if no batch is remembered.
    pub last_sequence: i32,
    /// Largest timestamp of its last batch, ms since 1970, -1 if no batch is remembered.
    pub last_timestamp_ms: i64,
}

/// All producers of one partition.
#[derive(Debug, Default)]
pub(super) struct ProducerState {
    /// In order of their ids, so that a snapshot is always the same.
    producers: BTreeMap<i64, Producer>,
}

#[derive(Debug)]
struct Producer {
    epoch: i16,
    /// When it last wrote, by the broker's clock, ms since 1970. Not known of one that was read
    /// from disk until the first look at the clock.
    last_append_ms: Option<i64>,
    /// Oldest first, one to five.
    batches: VecDeque<BatchMetadata>,
}

#[derive(Clone, Copy, Debug)]
struct BatchMetadata {
    last_sequence: i32,
    last_offset: Offset,
    offset_delta: i32,
    timestamp_ms: i64,
}

impl BatchMetadata {
    fn of(header: &BatchHeader) -> Self {
        Self {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp_ms: header.max_timestamp,
        }
    }

    fn first_sequence(&self) -> i32 {
        ((i64::from(self.last_sequence) - i64::from(self.offset_delta)) & 0x7fff_ffff) as i32
    }
}

impl ProducerState {
    /// Judges a batch before it is appended. `log_start` tells which
    /// remembered batches still exist.
    pub(super) fn check(&self, header: &BatchHeader) -> Result<SequenceCheck, SequenceError> {
        if !header.is_idempotent() {
            return Ok(SequenceCheck::New);
        }
        // Unknown, or forgotten with its records: any sequence may begin here.
        let Some(producer) = self.producers.get(&header.producer_id) else { return Ok(SequenceCheck::New) };
        let producer_id = header.producer_id;
        if header.producer_epoch < producer.epoch {
            return Err(SequenceError::Fenced {
                producer_id,
                epoch: header.producer_epoch,
                current: producer.epoch,
            });
        }
        let sequence = header.base_sequence;
        if header.producer_epoch > producer.epoch {
            return if sequence == 0 {
                Ok(SequenceCheck::New)
            } else {
                Err(SequenceError::OutOfOrder { producer_id, sequence, expected: 0 })
            };
        }
        let seen = producer.batches.iter().find(|batch| {
            batch.first_sequence() == sequence && batch.last_sequence == header.last_sequence()
        });
        if let Some(batch) = seen {
            return Ok(SequenceCheck::Duplicate {
                base_offset: batch.last_offset + -i64::from(batch.offset_delta),
                last_offset: batch.last_offset,
                timestamp_ms: batch.timestamp_ms,
            });
        }
        let last = producer.batches.back().map_or(-1, |batch| batch.last_sequence);
        // After 2^31 - 1 comes 0.
        let expected = if last == i32::MAX { 0 } else { last + 1 };
        if sequence == expected {
            Ok(SequenceCheck::New)
        } else {
            Err(SequenceError::OutOfOrder { producer_id, sequence, expected })
        }
    }

    /// Notes a batch that stands in the log, and when it came if it has just come. Whatever it says
    /// is history, and not judged.
    pub(super) fn note(&mut self, header: &BatchHeader, last_append_ms: Option<i64>) {
        if !header.is_idempotent() || header.attributes.is_control() {
            return;
        }
        self.add_batch(header.producer_id, header.producer_epoch, last_append_ms, BatchMetadata::of(header));
    }

    fn add_batch(&mut self, producer_id: i64, epoch: i16, last_append_ms: Option<i64>, batch: BatchMetadata) {
        let producer = self.producers.entry(producer_id).or_insert_with(|| Producer {
            epoch,
            last_append_ms,
            batches: VecDeque::with_capacity(RETAINED_BATCHES),
        });
        producer.last_append_ms = last_append_ms;
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == RETAINED_BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(batch);
        assert!(
            producer.batches.len() <= RETAINED_BATCHES,
            "{} batches of producer {producer_id} are remembered",
            producer.batches.len()
        );
    }

    /// Each producer, by its id.
    pub(super) fn describe(&self) -> impl ExactSizeIterator<Item = ProducerDescription> {
        self.producers.iter().map(|(&producer_id, producer)| {
            let last = producer.batches.back();
            ProducerDescription {
                producer_id,
                epoch: producer.epoch,
                last_sequence: last.map_or(-1, |batch| batch.last_sequence),
                last_timestamp_ms: last.map_or(-1, |batch| batch.timestamp_ms),
            }
        })
    }

    /// Where the last record of each stands.
    pub(super) fn last_offsets(&self) -> HashMap<i64, Offset> {
        let last = |producer: &Producer| producer.batches.back().map(|batch| batch.last_offset);
        self.producers.iter().filter_map(|(id, producer)| Some((*id, last(producer)?))).collect()
    }

    /// Forgets producers that have been silent for a day.
    ///
    /// Kafka goes by the timestamps of their records, and forgets a producer that writes old ones
    /// (a replay, say) while it writes: its next retry would then be stored twice. So here it
    /// is the broker's clock that counts.
    pub(super) fn expire(&mut self, now_ms: i64) {
        self.producers.retain(|_, producer| {
            let last_append_ms = *producer.last_append_ms.get_or_insert(now_ms);
            now_ms.saturating_sub(last_append_ms) <= EXPIRATION_MS
        });
    }

    /// When [`ProducerState::expire`] next has something to do, ms since 1970; 0 when it has now.
    pub(super) fn next_expiry_ms(&self) -> Option<i64> {
        let due = |producer: &Producer| {
            producer
                .last_append_ms
                .map_or(0, |last_append_ms| last_append_ms.saturating_add(EXPIRATION_MS + 1))
        };
        self.producers.values().map(due).min()
    }

    /// The `.snapshot` file's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let count: usize = self.producers.values().map(|producer| producer.batches.len()).sum();
        let mut body = Vec::with_capacity(4 + count * ENTRY_LEN);
        body.extend_from_slice(&(count as u32).to_be_bytes());
        for (producer_id, producer) in &self.producers {
            for batch in &producer.batches {
                body.extend_from_slice(&producer_id.to_be_bytes());
                body.extend_from_slice(&producer.epoch.to_be_bytes());
                body.extend_from_slice(&batch.last_sequence.to_be_bytes());
                body.extend_from_slice(&batch.last_offset.0.to_be_bytes());
                body.extend_from_slice(&batch.offset_delta.to_be_bytes());
                body.extend_from_slice(&batch.timestamp_ms.to_be_bytes());
                body.extend_from_slice(&(-1i32).to_be_bytes());
                body.extend_from_slice(&(-1i64).to_be_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(PREFIX_LEN + body.len());
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&protocol::records::checksum(&body).to_be_bytes());
        bytes.append(&mut body);
        bytes
    }

    /// Reads a `.snapshot`; `None` when it is none, or torn.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<2>()?;
        let (crc, body) = rest.split_first_chunk::<4>()?;
        if i16::from_be_bytes(*version) != VERSION
            || u32::from_be_bytes(*crc) != protocol::records::checksum(body)
        {
            return None;
        }
        let (count, entries) = body.split_first_chunk::<4>()?;
        let (entries, []) = entries.as_chunks::<ENTRY_LEN>() else { return None };
        if entries.len() != u32::from_be_bytes(*count) as usize {
            return None;
        }
        let mut state = Self::default();
        for entry in entries {
            let mut rest = entry.as_slice();
            let producer_id = i64::from_be_bytes(take(&mut rest)?);
            let epoch = i16::from_be_bytes(take(&mut rest)?);
            let batch = BatchMetadata {
                last_sequence: i32::from_be_bytes(take(&mut rest)?),
                last_offset: Offset(i64::from_be_bytes(take(&mut rest)?)),
                offset_delta: i32::from_be_bytes(take(&mut rest)?),
                timestamp_ms: i64::from_be_bytes(take(&mut rest)?),
            };
            state.add_batch(producer_id, epoch, None, batch);
        }
        Some(state)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use protocol::records::{BatchBuilder, ProducerStamp, check_batch};

    use super::*;

    /// The header of a batch of `count` records as it stands in the log at `base_offset`.
    fn batch(producer_epoch: i16, base_sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
        let stamp = ProducerStamp { producer_id: 9, producer_epoch, base_sequence };
        let mut batch = BatchBuilder::new().producer(stamp).base_offset(Offset(base_offset));
        for index in 0..count {
            batch.push(1_000 + i64::from(index), None, Some(b"x"));
        }
        check_batch(&batch.finish()).unwrap()
    }

    #[test]
    fn a_retry_among_the_last_five_is_a_duplicate_and_an_older_one_is_out_of_order() {
        let mut state = ProducerState::default();
        for number in 0..6 {
            let header = batch(0, number * 10, 10, i64::from(number) * 10);
            assert_eq!(state.check(&header), Ok(SequenceCheck::New));
            state.note(&header, None);
        }
        let duplicate = SequenceCheck::Duplicate {
            base_offset: Offset(10),
            last_offset: Offset(19),
            timestamp_ms: 1_009,
        };
        assert_eq!(state.check(&batch(0, 10, 10, 0)), Ok(duplicate));
        let refused = SequenceError::OutOfOrder { producer_id: 9, sequence: 0, expected: 60 };
        assert_eq!(state.check(&batch(0, 0, 10, 0)), Err(refused));
    }

    #[test]
    fn a_gap_is_refused_and_a_new_epoch_starts_at_zero() {
        let mut state = ProducerState::default();
        state.note(&batch(0, 0, 3, 0), None);
        let gap = SequenceError::OutOfOrder { producer_id: 9, sequence: 4, expected: 3 };
        assert_eq!(state.check(&batch(0, 4, 1, 0)), Err(gap));
        let late = SequenceError::OutOfOrder { producer_id: 9, sequence: 3, expected: 0 };
        assert_eq!(state.check(&batch(1, 3, 1, 0)), Err(late));
        state.note(&batch(1, 0, 1, 3), None);
        let fenced = SequenceError::Fenced { producer_id: 9, epoch: 0, current: 1 };
        assert_eq!(state.check(&batch(0, 3, 1, 0)), Err(fenced));
    }

    #[test]
    fn sequences_start_again_at_zero_after_the_largest() {
        let mut state = ProducerState::default();
        state.note(&batch(0, i32::MAX - 1, 2, 0), None);
        assert_eq!(state.check(&batch(0, 0, 1, 2)), Ok(SequenceCheck::New));
        // One batch across the border.
        let across = batch(0, i32::MAX, 3, 2);
        assert_eq!(across.last_sequence(), 1);
        let mut state = ProducerState::default();
        state.note(&across, None);
        assert!(matches!(state.check(&across), Ok(SequenceCheck::Duplicate { .. })));
        assert_eq!(state.check(&batch(0, 2, 1, 5)), Ok(SequenceCheck::New));
    }

    #[test]
    fn a_snapshot_comes_back_whole_or_not_at_all() {
        let mut state = ProducerState::default();
        for number in 0..7 {
            state.note(&batch(2, number, 1, i64::from(number)), None);
        }
        let bytes = state.encode();
        let read = ProducerState::decode(&bytes).unwrap();
        assert_eq!(read.encode(), bytes);
        assert!(matches!(read.check(&batch(2, 2, 1, 0)), Ok(SequenceCheck::Duplicate { .. })));
        for end in 0..bytes.len() {
            assert!(ProducerState::decode(&bytes[..end]).is_none(), "cut to {end} bytes");
        }
        let mut flipped = bytes;
        flipped[20] ^= 1;
        assert!(ProducerState::decode(&flipped).is_none());
    }

    #[test]
    fn silent_producers_are_forgotten_after_a_day() {
        let mut state = ProducerState::default();
        // Its records are from 1970, but it wrote them just now.
        let now = 1_790_000_000_000;
        state.note(&batch(0, 0, 1, 0), Some(now));
        let due = state.next_expiry_ms().unwrap();
        assert_eq!(due, now + EXPIRATION_MS + 1);
        state.expire(due - 1);
        assert!(!state.producers.is_empty());
        state.expire(due);
        assert!(state.producers.is_empty());
        // One that was read from disk has a day from the first look at the clock.
        state.note(&batch(0, 0, 1, 0), None);
        assert_eq!(state.next_expiry_ms(), Some(0));
        state.expire(now);
        assert_eq!(state.next_expiry_ms(), Some(due));
    }
}
