//! The batch header: reading it, checking it, and the two fields a broker writes.

use thiserror::Error;

use super::{LeaderEpoch, Offset};

/// Bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;
/// Bytes before the part that `batch_length` counts: the base offset and the length itself.
pub const LENGTH_PREFIX_LEN: usize = 12;

const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;
const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
/// Bits 0 to 6: those that the format gives a meaning.
const KNOWN_BITS: i16 = 0x7f;

/// What is wrong with a batch.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BatchError {
    /// Fewer bytes than the header, or than the header announces.
    #[error("a record batch needs {needed} bytes and {available} are there")]
    Truncated {
        /// Bytes the batch should have.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
    /// `batch_length` is too small to hold the rest of a header.
    #[error("a record batch announces {length} bytes, fewer than its own header has")]
    Length {
        /// `batch_length` as read.
        length: i32,
    },
    /// Not version 2.
    #[error("record batch version {magic} is not supported, only version 2 is")]
    Magic {
        /// `magic` as read.
        magic: i8,
    },
    /// The checksum does not match the bytes.
    #[error("the record batch's checksum is {computed:#010x}, its header says {stored:#010x}")]
    Crc {
        /// `crc` as read.
        stored: u32,
        /// CRC-32C of the bytes.
        computed: u32,
    },
    /// Number of records and offsets disagree, or there are none.
    #[error("the record batch counts {count} records over {offsets} offsets")]
    Count {
        /// `records_count` as read.
        count: i32,
        /// `last_offset_delta` plus one.
        offsets: i64,
    },
    /// Compression 5, 6 or 7.
    #[error("compression type {id} does not exist")]
    Compression {
        /// The three bits as read.
        id: i16,
    },
    /// A producer id without a sequence.
    #[error("the record batch has producer id {producer_id} and sequence {sequence}")]
    Sequence {
        /// `producer_id` as read.
        producer_id: i64,
        /// `base_sequence` as read.
        sequence: i32,
    },
    /// A client chose its own offset; only brokers give those.
    #[error("a record batch begins at offset 0 until a broker places it, this one at {base_offset}")]
    BaseOffset {
        /// `base_offset` as read.
        base_offset: Offset,
    },
    /// A client sent a control batch; only brokers write those.
    #[error("control batches are written by brokers, not by clients")]
    Control,
    /// A produce request must carry exactly one batch for each partition.
    #[error("a partition's records must be exactly one batch, {extra} bytes follow it")]
    NotOneBatch {
        /// Bytes after the first batch.
        extra: usize,
    },
    /// A produce request carried no batch at all.
    #[error("a partition's records must be exactly one batch, there is none")]
    Empty,
}

/// How the records behind the header are compressed: see [`codec`](super::codec). The numbers are
/// those in the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Compression {
    /// As they are.
    None = 0,
    /// gzip.
    Gzip = 1,
    /// Snappy, raw or in xerial's framing.
    Snappy = 2,
    /// LZ4 frames.
    Lz4 = 3,
    /// Zstandard (from Produce v7 and Fetch v10).
    Zstd = 4,
}

impl Compression {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];
}

/// Whose clock stamped the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    #[default]
    CreateTime,
    /// The broker's, on append.
    LogAppendTime,
}

/// The batch's flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    /// Fails for a compression number that does not exist.
    pub fn compression(self) -> Result<Compression, BatchError> {
        match self.0 & 0x07 {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            id => Err(BatchError::Compression { id }),
        }
    }

    /// Whose clock stamped the records.
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & TIMESTAMP_TYPE_BIT == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// The same with this type of timestamps, and without the bits that mean nothing.
    #[must_use]
    pub fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        let others = self.0 & KNOWN_BITS & !TIMESTAMP_TYPE_BIT;
        match timestamp_type {
            TimestampType::CreateTime => Self(others),
            TimestampType::LogAppendTime => Self(others | TIMESTAMP_TYPE_BIT),
        }
    }

    /// Part of a transaction.
    pub fn is_transactional(self) -> bool {
        self.0 & (1 << 4) != 0
    }

    /// Holds a marker (of a commit, an abort, a leader's reign) instead of records.
    pub fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }
}

/// The attribute bit of a batch that holds a marker instead of records.
pub const CONTROL: i16 = 1 << 5;

/// The 61 bytes before the records, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Bytes after the length field: the whole batch has twelve more ([`BatchHeader::total_len`]).
    pub batch_length: i32,
    /// Leader that appended it; -1 as producers send it.
    pub partition_leader_epoch: LeaderEpoch,
    /// CRC-32C from the attributes to the end.
    pub crc: u32,
    /// Flags.
    pub attributes: Attributes,
    /// Offset of the last record, relative to the first.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, ms since 1970.
    pub base_timestamp: i64,
    /// Largest timestamp, ms since 1970.
    pub max_timestamp: i64,
    /// -1 when the producer is not idempotent.
    pub producer_id: i64,
    /// -1 when the producer is not idempotent.
    pub producer_epoch: i16,
    /// Sequence number of the first record; -1 when the producer is not idempotent.
    pub base_sequence: i32,
    /// Number of records.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which may hold less than the batch. Checks only
    /// what is needed to know the batch's length: that there are 61 bytes, that the version is 2
    /// and that the announced length can be true.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(BatchError::Truncated { needed: HEADER_LEN, available: bytes.len() });
        };
        let magic = header[16] as i8;
        if magic != 2 {
            return Err(BatchError::Magic { magic });
        }
        let batch_length = i32::from_be_bytes(field(header, 8));
        if batch_length < (HEADER_LEN - LENGTH_PREFIX_LEN) as i32 {
            return Err(BatchError::Length { length: batch_length });
        }
        Ok(Self {
            base_offset: Offset(i64::from_be_bytes(field(header, 0))),
            batch_length,
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(field(header, 12))),
            crc: u32::from_be_bytes(field(header, CRC_AT)),
            attributes: Attributes(i16::from_be_bytes(field(header, ATTRIBUTES_AT))),
            last_offset_delta: i32::from_be_bytes(field(header, 23)),
            base_timestamp: i64::from_be_bytes(field(header, 27)),
            max_timestamp: i64::from_be_bytes(field(header, MAX_TIMESTAMP_AT)),
            producer_id: i64::from_be_bytes(field(header, 43)),
            producer_epoch: i16::from_be_bytes(field(header, 51)),
            base_sequence: i32::from_be_bytes(field(header, 53)),
            records_count: i32::from_be_bytes(field(header, 57)),
        })
    }

    /// Bytes of the whole batch, header included.
    pub fn total_len(&self) -> usize {
        self.batch_length as usize + LENGTH_PREFIX_LEN
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// Offset of the record that will follow this batch.
    pub fn next_offset(&self) -> Offset {
        self.last_offset() + 1
    }

    /// Written by an idempotent (or transactional) producer.
    pub fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    /// Sequence number of the last record. Sequences run to 2^31 - 1 and start again at 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        ((i64::from(self.base_sequence) + i64::from(self.last_offset_delta)) & 0x7fff_ffff) as i32
    }
}

/// Checks the batch at the start of `bytes` (more may follow): its length, its checksum, its
/// version, its compression number, and that it has as many records as offsets. Compacted batches,
/// which have fewer records than offsets, pass: a log may hold them.
pub fn check_batch(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
    let header = BatchHeader::parse(bytes)?;
    let Some(batch) = bytes.get(..header.total_len()) else {
        return Err(BatchError::Truncated { needed: header.total_len(), available: bytes.len() });
    };
    let computed = checksum(&batch[ATTRIBUTES_AT..]);
    if computed != header.crc {
        return Err(BatchError::Crc { stored: header.crc, computed });
    }
    let offsets = i64::from(header.last_offset_delta) + 1;
    if offsets < 1 || i64::from(header.records_count) > offsets || header.records_count < 0 {
        return Err(BatchError::Count { count: header.records_count, offsets });
    }
    header.attributes.compression()?;
    Ok(header)
}

/// Checks what a producer sent for one partition: exactly one batch (Kafka's rule from Produce
/// v3), whole, not placed yet, with a number for each record, no control batch, and a sequence if
/// it has a producer id. The records are left to [`walk`](fn@super::walk).
pub fn check_produced(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
    if bytes.is_empty() {
        return Err(BatchError::Empty);
    }
    let header = check_batch(bytes)?;
    if bytes.len() != header.total_len() {
        return Err(BatchError::NotOneBatch { extra: bytes.len() - header.total_len() });
    }
    if header.base_offset != Offset::ZERO {
        return Err(BatchError::BaseOffset { base_offset: header.base_offset });
    }
    let offsets = i64::from(header.last_offset_delta) + 1;
    if i64::from(header.records_count) != offsets {
        return Err(BatchError::Count { count: header.records_count, offsets });
    }
    if header.attributes.is_control() {
        return Err(BatchError::Control);
    }
    if header.is_idempotent() && header.base_sequence < 0 {
        let BatchHeader { producer_id, base_sequence: sequence, .. } = header;
        return Err(BatchError::Sequence { producer_id, sequence });
    }
    Ok(header)
}

/// CRC-32C, as batches and Kafka's snapshot files use it.
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// The first sixteen bytes of a batch as the broker stores them. They stand outside the checksum,
/// so that a broker can place a batch without touching the rest: write these, then bytes 16 to the
/// end as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerFields {
    /// Offset given to the first record.
    pub base_offset: Offset,
    /// Leader that appends it.
    pub partition_leader_epoch: LeaderEpoch,
}

impl BrokerFields {
    /// Bytes that [`BrokerFields::encode`] replaces.
    pub const LEN: usize = 16;

    /// The sixteen bytes, for a batch with this `batch_length`.
    pub fn encode(&self, batch_length: i32) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.base_offset.0.to_be_bytes());
        bytes[8..12].copy_from_slice(&batch_length.to_be_bytes());
        bytes[12..].copy_from_slice(&self.partition_leader_epoch.0.to_be_bytes());
        bytes
    }
}

/// A copy of a whole batch with the attributes and the largest timestamp of `header`: these fields
/// are the broker's to correct. They are under the checksum, so it is computed again.
pub fn with_header(batch: &[u8], header: &BatchHeader) -> Vec<u8> {
    let mut copy = batch.to_vec();
    copy[ATTRIBUTES_AT..ATTRIBUTES_AT + 2].copy_from_slice(&header.attributes.0.to_be_bytes());
    copy[MAX_TIMESTAMP_AT..MAX_TIMESTAMP_AT + 8].copy_from_slice(&header.max_timestamp.to_be_bytes());
    let crc = checksum(&copy[ATTRIBUTES_AT..]);
    copy[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
    copy
}

/// `N` bytes at a fixed place; callers have checked that there are [`HEADER_LEN`].
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("every header field lies within the 61 bytes checked before")
}
