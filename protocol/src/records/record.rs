//! The records of an uncompressed batch.

use thiserror::Error;

use super::batch::{BatchError, BatchHeader, Compression, HEADER_LEN, TimestampType};
use super::{Offset, varint};

/// Why a batch's records can't be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// The batch itself is broken.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// [`records`] reads what is not compressed.
    #[error("the records are compressed with {compression:?}")]
    Compressed {
        /// With what.
        compression: Compression,
    },
    /// What stands behind the header is no such compressed form.
    #[error("the records can't be decompressed with {compression:?}: {reason}")]
    Decompress {
        /// As the header says.
        compression: Compression,
        /// What the decompressor said.
        reason: String,
    },
    /// They become too many bytes.
    #[error("the records come to more than {max} bytes once decompressed: send smaller batches")]
    TooLarge {
        /// What is allowed.
        max: usize,
    },
    /// A record's length, in an uncompressed batch, is a number that does not end.
    #[error("the length of record {index} of the batch has more than ten bytes")]
    EndlessLength {
        /// Position in the batch, from 0.
        index: i32,
    },
    /// There is more behind the last record.
    #[error("more follows the {count} records that the batch counts")]
    More {
        /// `records_count` as read.
        count: i32,
    },
    /// A length or a number in a record makes no sense.
    #[error("record {index} of the batch is malformed")]
    Malformed {
        /// Position in the batch, from 0.
        index: i32,
    },
}

/// One record, borrowed from its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it stands in the partition.
    pub offset: Offset,
    /// ms since 1970.
    pub timestamp_ms: i64,
    /// Decides the partition, and what compaction keeps.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// In the order they were sent.
    pub headers: Vec<Header<'a>>,
}

/// A record's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// UTF-8 by convention.
    pub key: &'a [u8],
    /// Anything.
    pub value: Option<&'a [u8]>,
}

/// Iterates over the records of one batch (one that passed
/// [`check_batch`](super::check_batch), though nothing worse than an error comes of one that did
/// not). Ends after the first error.
pub fn records(batch: &[u8]) -> Result<Records<'_>, RecordError> {
    let header = BatchHeader::parse(batch)?;
    let compression = header.attributes.compression()?;
    if compression != Compression::None {
        return Err(RecordError::Compressed { compression });
    }
    let end = header.total_len().min(batch.len());
    Ok(Records { header, input: &batch[HEADER_LEN..end], index: 0 })
}

/// As [`records`], of a batch whose records have been decompressed into `opened`.
pub fn opened_records(header: BatchHeader, opened: &[u8]) -> Records<'_> {
    Records { header, input: opened, index: 0 }
}

/// See [`records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    input: &'a [u8],
    index: i32,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.header.records_count {
            return None;
        }
        let index = self.index;
        let record = read_record(&mut self.input, &self.header);
        self.index = if record.is_some() { index + 1 } else { self.header.records_count };
        Some(record.ok_or(RecordError::Malformed { index }))
    }
}

fn read_record<'a>(input: &mut &'a [u8], batch: &BatchHeader) -> Option<Record<'a>> {
    let length = varint::read_i32(input)?;
    let mut body = take(input, length)?;
    let _attributes = take(&mut body, 1)?;
    let timestamp_delta = varint::read_i64(&mut body)?;
    let offset_delta = varint::read_i32(&mut body)?;
    let key = take_nullable(&mut body)?;
    let value = take_nullable(&mut body)?;
    let count = varint::read_i32(&mut body)?;
    // A header takes two bytes at least: a larger count is a lie, and must not size an allocation.
    if count < 0 || count as usize > body.len() / 2 {
        return None;
    }
    let mut headers = Vec::with_capacity(count as usize);
    for _ in 0..count {
        headers.push(Header { key: take_nullable(&mut body)??, value: take_nullable(&mut body)? });
    }
    let timestamp_ms = match batch.attributes.timestamp_type() {
        TimestampType::CreateTime => batch.base_timestamp.wrapping_add(timestamp_delta),
        TimestampType::LogAppendTime => batch.max_timestamp,
    };
    let offset = batch.base_offset + i64::from(offset_delta);
    body.is_empty().then_some(Record { offset, timestamp_ms, key, value, headers })
}

fn take<'a>(input: &mut &'a [u8], length: i32) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(usize::try_from(length).ok()?)?;
    *input = rest;
    Some(taken)
}

/// The outer `None` is a malformed length, the inner one a null.
#[expect(clippy::option_option, reason = "private, and both kinds of nothing are spelled out above")]
fn take_nullable<'a>(input: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match varint::read_i32(input)? {
        -1 => Some(None),
        length => take(input, length).map(Some),
    }
}
