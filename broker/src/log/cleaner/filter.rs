//! What stays of a batch.

use std::collections::HashMap;

use protocol::records::{
    BatchHeader, Offset, RawRecord, RecordError, TimestampType, assemble, opened, raw_records,
};

use super::offset_map::{KeyHash, OffsetMap};

/// Who judges.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    pub(super) newest: &'a OffsetMap,
    /// What lies before this offset is in `newest`.
    pub(super) map_end: Offset,
    /// Offset of the last record of each producer that the broker remembers.
    pub(super) producers: &'a HashMap<i64, Offset>,
    /// The batch that ends here stays, be it empty: it says where the segment ends.
    pub(super) end: Offset,
    pub(super) now_ms: i64,
    pub(super) delete_retention_ms: i64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filtered {
    /// Nothing goes: its bytes stay as they are.
    Whole,
    /// Nothing stays.
    Nothing,
    /// It was made again with fewer records, or with none, and has this header.
    Part(BatchHeader),
}

impl Filter<'_> {
    /// Judges a batch that has passed `check_batch`. What is made again is appended to `output`.
    pub(super) fn batch(
        &self,
        batch: &[u8],
        header: &BatchHeader,
        output: &mut Vec<u8>,
    ) -> Result<Filtered, RecordError> {
        // Markers of transactions are no records of a key. No transaction is known here yet.
        if header.attributes.is_control() {
            return Ok(Filtered::Whole);
        }
        let opened = opened(batch, header)?;
        let horizon = header.delete_horizon_ms();
        let tombstones_stay = horizon.is_none_or(|horizon| self.now_ms < horizon);
        let mut kept = Vec::new();
        for record in raw_records(&opened, header.records_count) {
            let record = record?;
            kept.push((record.key.map(|key| self.newest.hash(key)), record));
        }
        kept.retain(|(hash, record)| self.keeps(*hash, record, header, tombstones_stay));
        let count = kept.len() as i32;
        let tombstones = kept.iter().any(|(_, record)| !record.has_value);
        let time =
            |(_, record): &(_, RawRecord<'_>)| header.base_timestamp.wrapping_add(record.timestamp_delta);
        let largest = kept.iter().map(time).max().unwrap_or(header.max_timestamp);
        // Their time begins when all that they make old goes.
        let begins_horizon = tombstones && horizon.is_none() && header.next_offset() <= self.map_end;
        if count == header.records_count && !begins_horizon && count > 0 {
            return Ok(Filtered::Whole);
        }
        if count == 0 {
            return self.empty(header, output);
        }
        let mut changed = BatchHeader { records_count: count, ..*header };
        if header.attributes.timestamp_type() == TimestampType::CreateTime {
            changed.max_timestamp = largest;
        }
        let mut records = Vec::with_capacity(opened.len());
        if begins_horizon {
            let horizon = self.now_ms.saturating_add(self.delete_retention_ms);
            changed.attributes = header.attributes.with_delete_horizon();
            changed.base_timestamp = horizon;
            for (_, record) in kept {
                record.write_with_base(header.base_timestamp, horizon, &mut records);
            }
        } else {
            for (_, record) in kept {
                records.extend_from_slice(record.bytes);
            }
        }
        Ok(Filtered::Part(assemble(&changed, &records, output)?))
    }

    /// A batch of which no record is left stays for its sequence numbers, if they are its
    /// producer's last ones (KAFKA-8335), and for its offset, if it is the last (KAFKA-17076).
    fn empty(&self, header: &BatchHeader, output: &mut Vec<u8>) -> Result<Filtered, RecordError> {
        let is_last_of_producer = header.is_idempotent()
            && self.producers.get(&header.producer_id).is_some_and(|last| *last == header.last_offset());
        if !is_last_of_producer && header.next_offset() != self.end {
            return Ok(Filtered::Nothing);
        }
        if header.records_count == 0 {
            return Ok(Filtered::Whole);
        }
        let changed = BatchHeader { records_count: 0, ..*header };
        Ok(Filtered::Part(assemble(&changed, &[], output)?))
    }

    fn keeps(
        &self,
        hash: Option<KeyHash>,
        record: &RawRecord<'_>,
        header: &BatchHeader,
        tombstones_stay: bool,
    ) -> bool {
        let offset = header.base_offset + i64::from(record.offset_delta);
        if offset >= self.map_end {
            return true;
        }
        // Records without keys are of a time in which the topic was not compacted.
        let Some(hash) = hash else { return false };
        let is_newest = self.newest.get(hash).is_none_or(|newest| offset >= newest);
        is_newest && (record.has_value || tombstones_stay)
    }
}
