//! Batches that a client can't read: which they are, and how far they reach.
//!
//! A batch can be rubbish inside and still lie in a log: one that was compressed with nothing, or
//! whose records are no records. Kafka refuses it at the door today, but old logs have them. For
//! librdkafka such a batch is the end of its partition: it says that something could not be read
//! (not where, as far as the binding passes it on), or nothing at all, and fetches it again for
//! ever. So the batch is asked of its broker as it lies there, with one request made by hand:
//!
//! ```text
//! Fetch v10, one partition, from the next offset --> the batch that holds it: its header says
//!                                                    which offsets it has, a look inside
//!                                                    whether they can be read
//! ```
//!
//! # Simplifications
//! - What lies behind the records of an aborted transaction is not found: librdkafka does not hand
//!   them over either, but from outside they look like records that are still to come.
//! - A gzip stream that is cut short is beyond help: librdkafka 2.12 never leaves the loop in which
//!   it inflates one (`rd_gz_decompress`), and the thread that reads from that broker is lost with
//!   it. Kafka 4.3 and our broker refuse such a batch. An older log may have one: its topic must be
//!   copied without it, by another client.

use std::io;
use std::ops::ControlFlow;

use protocol::records::{BatchHeader, walk};

use crate::TopicPartition;
use crate::broker_connection::BrokerConnection;

/// So many batches are passed over in one look at a partition.
const MOST_PASSED: usize = 1_000;
/// As much of a batch is kept to be looked at by a person.
const KEPT_BYTES: usize = 64 * 1024;

/// Offsets of a partition whose records are unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The partition.
    pub at: TopicPartition,
    /// The first of them.
    pub first: i64,
    /// The last of them.
    pub last: i64,
    /// When the first was sent, in milliseconds since the Unix epoch: what the batch claims.
    pub timestamp_ms: i64,
    /// What is wrong.
    pub reason: String,
    /// The batch as it lies in the log, or its first 64 KiB.
    pub bytes: Vec<u8>,
    /// How many bytes it has.
    pub len: usize,
}

/// The batch of a partition that holds an offset, or the first one behind it.
pub(crate) struct Stored {
    pub(crate) base: i64,
    pub(crate) last: i64,
    pub(crate) timestamp_ms: i64,
    /// The end of a transaction, or what compaction left of a batch: nothing for a reader.
    pub(crate) hands_nothing_over: bool,
    /// Why its records can't be read; none when they can.
    pub(crate) fault: Option<String>,
    pub(crate) bytes: bytes::Bytes,
}

impl Stored {
    fn read(bytes: &bytes::Bytes) -> Option<Self> {
        let header = BatchHeader::parse(bytes).ok()?;
        let bytes = bytes.slice(..header.total_len().min(bytes.len()));
        Some(Self {
            base: header.base_offset.0,
            last: header.last_offset().0,
            timestamp_ms: header.base_timestamp,
            hands_nothing_over: header.attributes.is_control() || header.records_count == 0,
            fault: fault(&bytes, &header),
            bytes,
        })
    }

    /// What is lost of it to a reader at `next`; `otherwise` is the reason if none is known.
    pub(crate) fn unreadable(&self, at: TopicPartition, next: i64, otherwise: &str) -> Unreadable {
        Unreadable {
            at,
            first: self.base.max(next),
            last: self.last,
            timestamp_ms: self.timestamp_ms,
            reason: self.fault.clone().unwrap_or_else(|| otherwise.to_owned()),
            bytes: self.bytes[..self.bytes.len().min(KEPT_BYTES)].to_vec(),
            len: self.bytes.len(),
        }
    }
}

fn fault(batch: &[u8], header: &BatchHeader) -> Option<String> {
    walk(batch, header, |_| ControlFlow::<()>::Continue(())).err().map(|error| error.to_string())
}

impl BrokerConnection {
    /// The batch of `at` that holds `offset`, or the first behind it, of those that hand something
    /// over or can't be read. None at the end.
    pub(crate) fn batch(&mut self, at: &TopicPartition, offset: i64) -> io::Result<Option<Stored>> {
        let mut next = offset;
        for _ in 0..MOST_PASSED {
            let batches = self.ask(|connection| connection.batches_at(at, next, 0))?;
            match batches.as_ref().and_then(Stored::read) {
                Some(stored) if stored.hands_nothing_over && stored.fault.is_none() => {
                    next = stored.last.max(next).saturating_add(1);
                }
                other => return Ok(other),
            }
        }
        Ok(None)
    }
}
