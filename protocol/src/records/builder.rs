//! Building a batch: for internal topics, and for tests.

use bytes::{BufMut, Bytes, BytesMut};

use super::batch::{Compression, HEADER_LEN, LENGTH_PREFIX_LEN};
use super::record::Header;
use super::{Offset, codec, varint};

/// What an idempotent producer puts on each batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerStamp {
    /// From `InitProducerId`.
    pub producer_id: i64,
    /// From `InitProducerId`.
    pub producer_epoch: i16,
    /// Number of the first record for this partition.
    pub base_sequence: i32,
}

/// Collects records into one batch.
///
/// ```
/// use protocol::records::{BatchBuilder, check_produced, records};
///
/// let mut batch = BatchBuilder::new();
/// batch.push(1_000, Some(b"card-1"), Some(b"12.50"));
/// batch.push(1_004, Some(b"card-2"), None);
/// let bytes = batch.finish();
/// assert_eq!(check_produced(&bytes)?.max_timestamp, 1_004);
/// let records: Vec<_> = records(&bytes)?.collect::<Result<_, _>>()?;
/// assert_eq!(records[0].key, Some(b"card-1".as_slice()));
/// assert_eq!(records[1].value, None);
/// # Ok::<(), protocol::records::RecordError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    base_offset: Offset,
    attributes: i16,
    compression: Compression,
    stamp: ProducerStamp,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    records: BytesMut,
    scratch: Vec<u8>,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch at offset 0 without a producer id, as a plain producer sends it.
    pub fn new() -> Self {
        Self {
            base_offset: Offset::ZERO,
            attributes: 0,
            compression: Compression::None,
            stamp: ProducerStamp { producer_id: -1, producer_epoch: -1, base_sequence: -1 },
            base_timestamp: 0,
            max_timestamp: -1,
            count: 0,
            records: BytesMut::new(),
            scratch: Vec::new(),
        }
    }

    /// As an idempotent producer sends it.
    #[must_use]
    pub fn producer(mut self, stamp: ProducerStamp) -> Self {
        self.stamp = stamp;
        self
    }

    /// With its records compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// With these attribute bits beside those of the compression. Bits that claim one which was not
    /// asked for make a batch that only a test wants.
    #[must_use]
    pub fn attributes(mut self, attributes: i16) -> Self {
        self.attributes = attributes;
        self
    }

    /// Starting at this offset (brokers write over it).
    #[must_use]
    pub fn base_offset(mut self, base_offset: Offset) -> Self {
        self.base_offset = base_offset;
        self
    }

    /// Adds a record. `timestamp_ms` counts from 1970; a value of `None` is a tombstone.
    pub fn push(&mut self, timestamp_ms: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.push_with_headers(timestamp_ms, key, value, &[]);
    }

    /// As [`push`](Self::push), with headers.
    pub fn push_with_headers(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp_ms;
            self.max_timestamp = timestamp_ms;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
        self.scratch.clear();
        self.scratch.put_u8(0);
        varint::put(&mut self.scratch, timestamp_ms - self.base_timestamp);
        varint::put(&mut self.scratch, i64::from(self.count));
        put_nullable(&mut self.scratch, key);
        put_nullable(&mut self.scratch, value);
        varint::put(&mut self.scratch, headers.len() as i64);
        for header in headers {
            put_nullable(&mut self.scratch, Some(header.key));
            put_nullable(&mut self.scratch, header.value);
        }
        varint::put(&mut self.records, self.scratch.len() as i64);
        self.records.put_slice(&self.scratch);
        self.count += 1;
    }

    /// Records so far.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes the batch has so far, before its records are compressed.
    pub fn byte_len(&self) -> usize {
        HEADER_LEN + self.records.len()
    }

    /// The batch, checksum and all.
    pub fn finish(self) -> Bytes {
        let records = match self.compression {
            Compression::None => self.records,
            compression => BytesMut::from(codec::compress(compression, &self.records).as_slice()),
        };
        let len = HEADER_LEN + records.len();
        let length = i32::try_from(len - LENGTH_PREFIX_LEN).expect("a batch is below 2 GiB");
        let mut batch = BytesMut::with_capacity(len);
        batch.put_i64(self.base_offset.0);
        batch.put_i32(length);
        batch.put_i32(-1);
        batch.put_i8(2);
        batch.put_u32(0);
        batch.put_i16(self.attributes | self.compression as i16);
        batch.put_i32(self.count - 1);
        batch.put_i64(self.base_timestamp);
        batch.put_i64(self.max_timestamp);
        batch.put_i64(self.stamp.producer_id);
        batch.put_i16(self.stamp.producer_epoch);
        batch.put_i32(self.stamp.base_sequence);
        batch.put_i32(self.count);
        batch.put_slice(&records);
        let crc = super::batch::checksum(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(batch.len() - LENGTH_PREFIX_LEN, length as usize, "a batch is as long as it says");
        batch.freeze()
    }
}

/// Bytes behind their length; -1 is the length of none.
fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::put(out, -1),
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.put_slice(bytes);
        }
    }
}
