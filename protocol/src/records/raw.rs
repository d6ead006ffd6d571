//! Taking records out of a batch and leaving the others as they are: what compaction does.
//!
//! A record in a batch says how far its offset and its timestamp lie from the batch's first. So
//! when some records of a batch go, the bytes of the others need no change, and a batch is made
//! again by putting them behind one another ([`assemble`]). Offsets keep their gaps: the batch
//! keeps its first and its last offset, and with them its producer's sequence numbers.
//!
//! # Tombstones (KIP-534)
//!
//! A record without a value says that its key is gone. A reader must have the time to see it, so it
//! stays for `delete.retention.ms` from the first compaction that finds it. When that is over is
//! written into the batch: bit 6 of the attributes is set, and where otherwise the first timestamp
//! stands there is the *delete horizon*. The records' timestamps count from it then, so they are
//! written again ([`RawRecord::write_with_base`]).
//!
//! Source: KIP-534 and
//! [Kafka's message format](https://kafka.apache.org/documentation/#messageformat).

use std::borrow::Cow;
use std::io::ErrorKind;

use super::batch::{Attributes, BatchHeader, BrokerFields, Compression, HEADER_LEN, LENGTH_PREFIX_LEN};
use super::record::RecordError;
use super::walk::MAX_RECORDS_BYTES;
use super::{codec, varint};

/// A record as its bytes stand in a batch that is not compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// All of it, its length first.
    pub bytes: &'a [u8],
    /// Offset, relative to the batch's first.
    pub offset_delta: i32,
    /// Timestamp in ms, relative to the batch's base timestamp.
    pub timestamp_delta: i64,
    /// Decides the partition, and what compaction keeps.
    pub key: Option<&'a [u8]>,
    /// A record that has none is a tombstone.
    pub has_value: bool,
    attributes: u8,
    /// What stands behind the timestamp.
    rest: &'a [u8],
}

impl RawRecord<'_> {
    /// Appends the record to `output`, with its timestamp counted from `to` instead of `from`, both
    /// in ms since 1970.
    pub fn write_with_base(&self, from: i64, to: i64, output: &mut Vec<u8>) {
        let delta = from.wrapping_add(self.timestamp_delta).wrapping_sub(to);
        let length = 1 + varint::len(delta) + self.rest.len();
        varint::put(output, length as i64);
        output.push(self.attributes);
        varint::put(output, delta);
        output.extend_from_slice(self.rest);
    }
}

/// The records behind the header of a batch, opened if they are compressed: at most
/// [`MAX_RECORDS_BYTES`] come of them. `batch` is all of it, and has passed
/// [`check_batch`](super::check_batch).
pub fn opened<'a>(batch: &'a [u8], header: &BatchHeader) -> Result<Cow<'a, [u8]>, RecordError> {
    let end = header.total_len().min(batch.len());
    let records = &batch[HEADER_LEN..end];
    match header.attributes.compression()? {
        Compression::None => Ok(Cow::Borrowed(records)),
        compression => match codec::decompress(compression, records, MAX_RECORDS_BYTES) {
            Ok(opened) => Ok(Cow::Owned(opened)),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                Err(RecordError::TooLarge { max: MAX_RECORDS_BYTES })
            }
            Err(error) => Err(RecordError::Decompress { compression, reason: error.to_string() }),
        },
    }
}

/// Iterates over `count` records that stand behind one another in `opened` (see [`opened`]). Ends
/// after the first error.
pub fn raw_records(opened: &[u8], count: i32) -> RawRecords<'_> {
    RawRecords { input: opened, count, index: 0 }
}

/// See [`raw_records`].
#[derive(Clone, Debug)]
pub struct RawRecords<'a> {
    input: &'a [u8],
    count: i32,
    index: i32,
}

impl RawRecords<'_> {
    /// Moves past the next record, of which only the length is looked at.
    #[inline]
    pub fn pass_over(&mut self) -> Result<(), RecordError> {
        let index = self.index;
        if index >= self.count {
            return Ok(());
        }
        self.index = self.count;
        split(&mut self.input).ok_or(RecordError::Malformed { index })?;
        self.index = index + 1;
        Ok(())
    }
}

impl<'a> Iterator for RawRecords<'a> {
    type Item = Result<RawRecord<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.count {
            return None;
        }
        let index = self.index;
        let record = read(&mut self.input);
        self.index = if record.is_some() { index + 1 } else { self.count };
        Some(record.ok_or(RecordError::Malformed { index }))
    }
}

/// The next record, what follows its length.
#[inline]
fn split<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::read_i32(input)?).ok()?;
    let (body, after) = input.split_at_checked(length)?;
    *input = after;
    Some(body)
}

/// Headers are not looked at: they go where their record goes.
#[inline]
fn read<'a>(input: &mut &'a [u8]) -> Option<RawRecord<'a>> {
    let start = *input;
    let body = split(input)?;
    let bytes = &start[..start.len() - input.len()];
    let (&attributes, mut body) = body.split_first()?;
    let timestamp_delta = varint::read_i64(&mut body)?;
    let rest = body;
    let offset_delta = varint::read_i32(&mut body)?;
    let key = match varint::read_i32(&mut body)? {
        -1 => None,
        length => {
            let (key, after) = body.split_at_checked(usize::try_from(length).ok()?)?;
            body = after;
            Some(key)
        }
    };
    let has_value = match varint::read_i32(&mut body)? {
        -1 => false,
        // The number of headers follows.
        length => (body.len() > usize::try_from(length).ok()?).then_some(true)?,
    };
    Some(RawRecord { bytes, offset_delta, timestamp_delta, key, has_value, attributes, rest })
}

/// Appends to `output` a batch with the header of another one and these records (not compressed
/// yet; see [`RawRecord::bytes`]), compressed as the other one was. Without records there is
/// nothing to compress. `levels` say how hard. `header` says how many they are, and which first and
/// largest timestamp they have; length and checksum are computed. Answers with the header that the
/// batch has.
pub fn assemble(
    header: &BatchHeader,
    records: &[u8],
    levels: codec::Levels,
    output: &mut Vec<u8>,
) -> Result<BatchHeader, RecordError> {
    let compressed;
    let (attributes, records) = match header.attributes.compression()? {
        Compression::None => (header.attributes, records),
        _ if header.records_count == 0 => (header.attributes.with_compression(Compression::None), records),
        compression => {
            compressed = codec::compress_at(levels, compression, records);
            (header.attributes, compressed.as_slice())
        }
    };
    let length = HEADER_LEN - LENGTH_PREFIX_LEN + records.len();
    let batch_length = i32::try_from(length).map_err(|_| RecordError::TooLarge { max: MAX_RECORDS_BYTES })?;
    let BatchHeader { base_offset, partition_leader_epoch, .. } = *header;
    let start = output.len();
    output.extend_from_slice(&BrokerFields { base_offset, partition_leader_epoch }.encode(batch_length));
    output.push(2);
    output.extend_from_slice(&[0; 4]);
    let checked = output.len();
    output.extend_from_slice(&attributes.0.to_be_bytes());
    output.extend_from_slice(&header.last_offset_delta.to_be_bytes());
    output.extend_from_slice(&header.base_timestamp.to_be_bytes());
    output.extend_from_slice(&header.max_timestamp.to_be_bytes());
    output.extend_from_slice(&header.producer_id.to_be_bytes());
    output.extend_from_slice(&header.producer_epoch.to_be_bytes());
    output.extend_from_slice(&header.base_sequence.to_be_bytes());
    output.extend_from_slice(&header.records_count.to_be_bytes());
    output.extend_from_slice(records);
    let crc = super::checksum(&output[checked..]);
    output[checked - 4..checked].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(output.len() - start, LENGTH_PREFIX_LEN + length, "a batch is as long as it says");
    Ok(BatchHeader { batch_length, crc, attributes, ..*header })
}

impl BatchHeader {
    /// When the batch's tombstones may go, ms since 1970; none while no compaction has met them.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }
}

impl Attributes {
    /// The base timestamp is when the batch's tombstones may go (KIP-534).
    fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON_BIT != 0
    }

    /// The same, with another compression.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self(self.0 & !COMPRESSION_BITS | compression as i16)
    }

    /// The same, with a delete horizon.
    #[must_use]
    pub fn with_delete_horizon(self) -> Self {
        Self(self.0 | DELETE_HORIZON_BIT)
    }
}

const COMPRESSION_BITS: i16 = 0x07;
const DELETE_HORIZON_BIT: i16 = 1 << 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, Header, Offset, check_batch, opened_records};

    fn batch(compression: Compression) -> Vec<u8> {
        let mut batch = BatchBuilder::new().compression(compression).base_offset(Offset(70));
        batch.push(1_000, Some(b"a"), Some(b"1"));
        batch.push_with_headers(
            900,
            Some(b"b"),
            None,
            &[Header { key: b"h", value: None }, Header { key: b"i", value: Some(b"j") }],
        );
        batch.push(1_300, None, Some(&[7; 300]));
        batch.push(2_000, Some(b""), Some(b""));
        batch.finish().to_vec()
    }

    /// Every codec; what is left has the offsets, the timestamps and the headers that it had.
    #[test]
    fn what_is_kept_is_as_it_was() {
        for compression in Compression::ALL {
            let bytes = batch(compression);
            let header = check_batch(&bytes).unwrap();
            let plain = opened(&bytes, &header).unwrap();
            let all: Vec<_> = opened_records(header, &plain).map(Result::unwrap).collect();
            let raw: Vec<_> = raw_records(&plain, header.records_count).map(Result::unwrap).collect();
            assert_eq!(raw.iter().map(|record| record.bytes).collect::<Vec<_>>().concat(), *plain);
            let mut others = raw_records(&plain, header.records_count);
            for pair in raw.chunks(2) {
                assert_eq!((others.next(), others.pass_over()), (Some(Ok(pair[0])), Ok(())));
            }
            assert_eq!((others.next(), others.pass_over()), (None, Ok(())));
            assert_eq!(
                raw.iter().map(|record| record.key).collect::<Vec<_>>(),
                all.iter().map(|r| r.key).collect::<Vec<_>>()
            );
            assert_eq!(
                raw.iter().map(|record| record.has_value).collect::<Vec<_>>(),
                [true, false, true, true]
            );

            // Two go, and the timestamps of the others count from another time.
            let (kept, horizon) = ([1usize, 3], 5_000_000_000);
            let mut records = Vec::new();
            for index in kept {
                raw[index].write_with_base(header.base_timestamp, horizon, &mut records);
            }
            let attributes = header.attributes.with_delete_horizon();
            let changed = BatchHeader { records_count: 2, base_timestamp: horizon, attributes, ..header };
            let mut output = b"what stood before".to_vec();
            let before = output.len();
            let again = assemble(&changed, &records, codec::Levels::default(), &mut output).unwrap();
            assert_eq!(check_batch(&output[before..]), Ok(again));
            assert_eq!((again.base_offset, again.last_offset()), (header.base_offset, header.last_offset()));
            assert_eq!(again.delete_horizon_ms(), Some(horizon));
            let plain = opened(&output[before..], &again).unwrap();
            let left: Vec<_> = opened_records(again, &plain).map(Result::unwrap).collect();
            assert_eq!(left, kept.map(|index| all[index].clone()), "{compression:?}");
        }
    }

    #[test]
    fn a_batch_without_records_is_a_header() {
        for compression in Compression::ALL {
            let header = check_batch(&batch(compression)).unwrap();
            let mut output = Vec::new();
            let again = assemble(
                &BatchHeader { records_count: 0, ..header },
                &[],
                codec::Levels::default(),
                &mut output,
            )
            .unwrap();
            assert_eq!((output.len(), check_batch(&output)), (HEADER_LEN, Ok(again)));
            assert_eq!((again.records_count, again.next_offset()), (0, header.next_offset()));
        }
    }

    #[test]
    fn whatever_the_bytes_are_it_ends() {
        let bytes = batch(Compression::None);
        for end in HEADER_LEN..bytes.len() {
            let cut = &bytes[HEADER_LEN..end];
            assert!(raw_records(cut, 4).any(|record| record.is_err()), "cut to {end}");
            let mut records = raw_records(cut, 4);
            assert!((0..4).any(|_| records.pass_over().is_err()), "cut to {end}");
            assert_eq!(records.next(), None);
        }
        assert_eq!(raw_records(&[0xff; 40], i32::MAX).count(), 1);
        // A record whose value would reach into its end, and one of no bytes.
        assert!(raw_records(&[12, 0, 0, 0, 1, 100, 0], 1).next().unwrap().is_err());
        assert!(raw_records(&[0], 1).next().unwrap().is_err());
    }
}
