//! What a batch must be for the log to take it. Kafka calls this `LogValidator`.
//!
//! A log keeps what it takes, for every consumer that comes: one batch that can't be read holds up
//! its partition for all of them, and only retention can take it out again. So each batch is
//! read once on its way in, all of it, as a consumer will read it: checksum, header, and then every
//! record, behind whichever compression. The records are stepped over, not kept.
//!
//! Compaction goes by keys, so a topic that is compacted takes no record without one.
//!
//! Two things in the header are the broker's to say. The largest timestamp is what the records
//! have, whatever the producer wrote there: offsets are found by it. And in a topic whose
//! timestamps are the broker's (`message.timestamp.type=LogAppendTime`) it is the time of
//! this append.
//!
//! A topic may also say how its batches are compressed (`compression.type`): what comes otherwise
//! is compressed again.
//!
//! # Simplifications
//!
//! Stricter than Kafka, which stores some batches that break its own clients: offsets that don't
//! count up in an uncompressed batch, lengths of records that are wrong inside a compressed one,
//! lengths of -2, bytes behind the compressed records. docs/compatibility.md has the list.

use std::borrow::Cow;
use std::ops::ControlFlow;

use protocol::records::{
    BatchHeader, Compression, RecordError, RecordSummary, TimestampType, assemble, check_produced, opened,
    walk_within, with_header,
};

use super::error::{ProduceError, RefusedRecord};
use crate::log::LogConfig;

/// Not more than so many records of a batch are named when it is refused.
const MAX_REFUSED: usize = 100;

/// Producers without a clock send this; it is no timestamp, and passes.
const NO_TIMESTAMP: i64 = -1;

/// Compressing so many bytes takes a millisecond or more.
const COMPRESSED_INLINE: usize = 16 << 10;
/// To compress a batch takes as long as for so many bytes more, however small it is.
const COMPRESSED_AT_LEAST: usize = 1 << 10;

/// A batch that may be appended.
#[derive(Debug)]
pub struct Validated<'a> {
    pub(super) header: BatchHeader,
    /// As they came, unless something in the header had to be corrected.
    pub(super) bytes: Cow<'a, [u8]>,
}

/// How much work validating may be: a kilobyte can have a hundred megabytes of records in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationBudget {
    /// Bytes of records that may still come of what is compressed.
    unpacked: usize,
    /// Bytes of records that may still be compressed.
    compressed: usize,
    is_bounded: bool,
    is_exceeded: bool,
}

impl ValidationBudget {
    /// As much as a batch may be.
    pub const UNBOUNDED: Self =
        Self { unpacked: usize::MAX, compressed: usize::MAX, is_bounded: false, is_exceeded: false };

    /// What others can wait for, for all batches of a request together.
    pub fn inline() -> Self {
        Self { unpacked: 1 << 20, compressed: COMPRESSED_INLINE, is_bounded: true, is_exceeded: false }
    }

    /// Whether there is any limit to it.
    pub fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// Whether a batch was more than was left: nothing is known of it then.
    pub fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    /// Takes off what compressing so many bytes of records costs, if it is left.
    fn spend_compressing(&mut self, len: usize) -> Result<(), ProduceError> {
        match self.compressed.checked_sub(len.saturating_add(COMPRESSED_AT_LEAST)) {
            Some(left) => self.compressed = left,
            None => return Err(self.exceed()),
        }
        Ok(())
    }

    fn exceed(&mut self) -> ProduceError {
        self.is_exceeded = true;
        ProduceError::OverBudget
    }
}

/// Reads a batch as its producer sent it. `now_ms` counts from 1970. Needs the log's settings and
/// not the log: other requests go on with that.
pub fn validate<'a>(
    records: &'a [u8],
    config: &LogConfig,
    budget: &mut ValidationBudget,
    now_ms: i64,
) -> Result<Validated<'a>, ProduceError> {
    let max = config.max_message_bytes;
    if records.len() > max as usize {
        return Err(ProduceError::TooLarge { size: records.len(), max });
    }
    let header = check_produced(records).map_err(RecordError::from)?;
    let unpacked_before = budget.unpacked;
    let largest =
        read_records(records, &header, budget, &Times::of(config, &header, now_ms), config.cleanup.compact)?;
    let max_timestamp = match config.timestamp_type {
        TimestampType::CreateTime => largest,
        TimestampType::LogAppendTime => now_ms,
    };
    let compression = header.attributes.compression().map_err(RecordError::from)?;
    let wanted = config.compression.unwrap_or(compression);
    let is_right =
        (header.attributes.timestamp_type(), header.max_timestamp) == (config.timestamp_type, max_timestamp);
    if is_right && wanted == compression {
        return Ok(Validated { header, bytes: Cow::Borrowed(records) });
    }
    let attributes = header.attributes.with_timestamp_type(config.timestamp_type).with_compression(wanted);
    let corrected = BatchHeader { attributes, max_timestamp, ..header };
    if wanted == compression {
        let bytes = Cow::Owned(with_header(records, &corrected));
        return Ok(Validated { header: corrected, bytes });
    }
    let plain_len = match compression {
        Compression::None => records.len(),
        _ => unpacked_before - budget.unpacked,
    };
    budget.spend_compressing(plain_len)?;
    let plain = opened(records, &header)?;
    let mut bytes = Vec::new();
    let header = assemble(&corrected, &plain, config.compression_levels, &mut bytes)?;
    if bytes.len() > max as usize {
        return Err(ProduceError::TooLarge { size: bytes.len(), max });
    }
    Ok(Validated { header, bytes: Cow::Owned(bytes) })
}

/// Walks through all records; answers with the largest of their own timestamps. A topic that is
/// compacted `needs_keys`.
fn read_records(
    records: &[u8],
    header: &BatchHeader,
    budget: &mut ValidationBudget,
    times: &Times,
    needs_keys: bool,
) -> Result<i64, ProduceError> {
    let (mut largest, mut untimely, mut without_key) = (NO_TIMESTAMP, Refused::default(), Refused::default());
    // A producer may say that a broker has stamped them: none has.
    let attributes = header.attributes.with_timestamp_type(TimestampType::CreateTime);
    let unstamped = BatchHeader { attributes, ..*header };
    let walked = walk_within(records, &unstamped, &mut budget.unpacked, |record| {
        if record.offset_delta != record.index {
            return ControlFlow::Break(record);
        }
        if needs_keys && !record.has_key {
            without_key.add(record.index, || "a compacted topic takes no record without a key".to_owned());
        }
        if !times.take(record.timestamp_ms) {
            untimely.add(record.index, || times.complaint(record));
        }
        largest = largest.max(record.timestamp_ms);
        ControlFlow::Continue(())
    });
    let misplaced = walked.map_err(|error| match error {
        RecordError::TooLarge { .. } if budget.is_bounded => budget.exceed(),
        error => error.into(),
    })?;
    if let Some(RecordSummary { index, offset_delta, .. }) = misplaced {
        return Err(ProduceError::OffsetDelta { index, offset_delta });
    }
    if without_key.count > 0 {
        return Err(ProduceError::NoKeys { refused: without_key.named, count: without_key.count });
    }
    if untimely.count > 0 {
        return Err(ProduceError::Timestamps { refused: untimely.named, count: untimely.count });
    }
    Ok(largest)
}

/// Records for which a batch is refused.
#[derive(Default)]
struct Refused {
    count: usize,
    /// The first of them.
    named: Vec<RefusedRecord>,
}

impl Refused {
    fn add(&mut self, index: i32, message: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < MAX_REFUSED {
            self.named.push(RefusedRecord { index, message: message() });
        }
    }
}

/// Which timestamps a topic takes.
enum Times {
    /// Those from here to there, ms since 1970.
    Within { earliest_ms: i64, latest_ms: i64 },
    /// The broker's own replace them.
    Any,
    /// None: only brokers stamp with the time of the append.
    Stamped,
}

impl Times {
    fn of(config: &LogConfig, header: &BatchHeader, now_ms: i64) -> Self {
        match (config.timestamp_type, header.attributes.timestamp_type()) {
            (TimestampType::CreateTime, _) => Self::Within {
                earliest_ms: now_ms.saturating_sub(config.timestamp_before_max_ms),
                latest_ms: now_ms.saturating_add(config.timestamp_after_max_ms),
            },
            (TimestampType::LogAppendTime, TimestampType::CreateTime) => Self::Any,
            (TimestampType::LogAppendTime, TimestampType::LogAppendTime) => Self::Stamped,
        }
    }

    fn take(&self, timestamp_ms: i64) -> bool {
        match *self {
            Self::Within { earliest_ms, latest_ms } => {
                (earliest_ms..=latest_ms).contains(&timestamp_ms) || timestamp_ms == NO_TIMESTAMP
            }
            Self::Any => true,
            Self::Stamped => false,
        }
    }

    fn complaint(&self, record: RecordSummary) -> String {
        match self {
            Self::Within { earliest_ms, latest_ms } => format!(
                "timestamp {} is not within {earliest_ms} and {latest_ms} (message.timestamp.before.max.ms, \
                 message.timestamp.after.max.ms)",
                record.timestamp_ms
            ),
            Self::Any | Self::Stamped => {
                "producers must not set the timestamp type to LogAppendTime: brokers do".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::records::BatchBuilder;

    use super::*;

    #[test]
    fn what_is_compressed_inline_is_bounded_over_a_request() {
        let config = LogConfig { compression: Some(Compression::Gzip), ..LogConfig::default() };
        let mut batch = BatchBuilder::new();
        batch.push(1_000, None, Some(b"x"));
        let bytes = batch.finish();
        let taken = |budget: ValidationBudget| {
            let mut budget = budget;
            let one = || validate(&bytes, &config, &mut budget, 1_000);
            std::iter::repeat_with(one).take(100).take_while(Result::is_ok).count()
        };
        assert_eq!(taken(ValidationBudget::inline()), 14);
        assert_eq!(taken(ValidationBudget::UNBOUNDED), 100);
        // What needs no compressing goes on.
        let config = LogConfig::default();
        let mut budget = ValidationBudget { compressed: 0, ..ValidationBudget::inline() };
        assert!(validate(&bytes, &config, &mut budget, 1_000).is_ok());
    }
}
