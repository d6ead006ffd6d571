//! One record, whole, as it lies in the log.
//!
//! The binding hands a record's headers over as text and panics where a name is none (see the
//! crate's *Simplifications*). What any client may have written is therefore asked for in Kafka's
//! own bytes: the batch that holds the offset, decompressed here, and of it the one record.
//!
//! # Simplifications
//! - A batch that comes to more than 32 MiB is not opened.

use std::error::Error;

use protocol::records::codec::decompress;
use protocol::records::{BatchHeader, Compression, HEADER_LEN, Record, opened_records};

/// The most bytes that the records of a batch may come to.
const MOST_BYTES: usize = 32 << 20;

/// A record as it lies in the log, copied out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its offset in the partition.
    pub offset: i64,
    /// Milliseconds since the Unix epoch: the producer's, or the broker's if the topic is set so.
    pub timestamp_ms: i64,
    /// The key; none is not the same as empty.
    pub key: Option<Vec<u8>>,
    /// The value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values in the order they were sent; any bytes.
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl From<Record<'_>> for StoredRecord {
    fn from(record: Record<'_>) -> Self {
        let header =
            |header: &protocol::records::Header<'_>| (header.key.to_vec(), header.value.map(<[u8]>::to_vec));
        Self {
            offset: record.offset.0,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(header).collect(),
        }
    }
}

/// The record at `offset` in a batch whose records have been seen to be readable.
pub(crate) fn find(batch: &[u8], offset: i64) -> Result<Option<StoredRecord>, Box<dyn Error + Send + Sync>> {
    let header = BatchHeader::parse(batch)?;
    let records = &batch[HEADER_LEN.min(batch.len())..header.total_len().min(batch.len())];
    let opened;
    let records = match header.attributes.compression()? {
        Compression::None => records,
        compression => {
            opened = decompress(compression, records, MOST_BYTES)?;
            &opened
        }
    };
    for record in opened_records(header, records) {
        let record = record?;
        if record.offset.0 == offset {
            return Ok(Some(record.into()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use protocol::records::{BatchBuilder, Header, Offset};

    use super::*;

    fn batch(compression: Compression) -> Vec<u8> {
        let mut batch = BatchBuilder::new().compression(compression).base_offset(Offset(40));
        for number in 0..3_u8 {
            let headers =
                [Header { key: b"\xff name", value: None }, Header { key: b"n", value: Some(&[number]) }];
            batch.push_with_headers(1_000 + i64::from(number), Some(b"key"), Some(&[number; 4]), &headers);
        }
        batch.finish().to_vec()
    }

    #[test]
    fn a_record_is_found_in_any_batch_with_headers_that_are_no_text() {
        for compression in [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd] {
            let batch = batch(compression);
            let found = find(&batch, 41).unwrap().expect("it is there");
            assert_eq!((found.offset, found.timestamp_ms), (41, 1_001));
            assert_eq!(found.value.as_deref(), Some([1; 4].as_slice()));
            assert_eq!(found.headers, [(b"\xff name".to_vec(), None), (b"n".to_vec(), Some(vec![1]))]);
            assert_eq!(find(&batch, 43).unwrap(), None, "behind its last");
        }
    }

    /// Whatever is cut off or changed: an error or nothing, never a panic.
    #[test]
    fn rubbish_is_an_error() {
        let whole = batch(Compression::None);
        for length in 0..whole.len() {
            let _ = find(&whole[..length], 41);
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = find(&changed, 41);
        }
    }
}
