//! Record batches: what producers send, what the log keeps, what consumers get back.
//!
//! A batch travels as it was packed. The producer packs records into it (and compresses them, if it
//! likes), the broker stores those bytes as they came, and the consumer unpacks them. The broker
//! looks inside once, when the batch comes in ([`walk`](fn@walk)): what it takes, every consumer
//! must be able to read. All that it writes are two header fields that the checksum leaves out,
//! where the batch landed (`base_offset`) and under which leader (`partition_leader_epoch`), and
//! the largest timestamp if the producer had it wrong.
//!
//! # The format, byte by byte (batch version 2, "magic 2", big-endian)
//!
//! ```text
//!  byte  size  field
//!     0     8  base_offset             offset of the first record; the broker writes it
//!     8     4  batch_length            bytes that follow this field
//!    12     4  partition_leader_epoch  the broker writes it
//!    16     1  magic                   2
//!    17     4  crc                     CRC-32C of everything from byte 21 to the end
//!    21     2  attributes              bits 0-2 compression: none, gzip, snappy, lz4, zstd
//!                                      bit 3 timestamp type (0 create time, 1 log append time)
//!                                      bit 4 transactional, bit 5 control batch,
//!                                      bit 6 delete horizon
//!    23     4  last_offset_delta       offset of the last record minus base_offset
//!    27     8  base_timestamp          ms since 1970 of the first record
//!    35     8  max_timestamp           largest timestamp in the batch, ms since 1970
//!    43     8  producer_id             -1: not idempotent
//!    51     2  producer_epoch          -1: not idempotent
//!    53     4  base_sequence           -1: not idempotent
//!    57     4  records_count
//!    61     …  records                 compressed as one block when attributes say so
//! ```
//!
//! A record, once decompressed, is all variable-length integers (zig-zag, seven bits a byte):
//!
//! ```text
//! length, attributes (1 byte, unused), timestamp_delta, offset_delta,
//! key_length (-1: null), key, value_length (-1: null), value,
//! header count, then for each header: key_length, key, value_length (-1: null), value
//! ```
//!
//! Source: KIP-98 and
//! [Kafka's message format](https://kafka.apache.org/documentation/#messageformat).
//!
//! # Simplifications
//!
//! Message formats 0 and 1 (before Kafka 0.11) are refused, as Kafka 4 does.

mod batch;
mod builder;
pub mod codec;
mod ids;
mod raw;
mod record;
#[cfg(test)]
mod tests;
mod varint;
mod walk;

pub use batch::{
    Attributes, BatchError, BatchHeader, BrokerFields, CONTROL, Compression, HEADER_LEN, LENGTH_PREFIX_LEN,
    TimestampType, check_batch, check_produced, checksum, with_header,
};
pub use builder::{BatchBuilder, ProducerStamp};
pub use ids::{LeaderEpoch, Offset};
pub use raw::{RawRecord, RawRecords, assemble, opened, raw_records};
pub use record::{Header, Record, RecordError, Records, opened_records, records};
pub use walk::{MAX_RECORDS_BYTES, RecordSummary, walk, walk_within};
