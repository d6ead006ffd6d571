//! What stays of a batch.

use std::collections::HashMap;
use std::ops::Range;

use protocol::records::codec::Levels;
use protocol::records::{BatchHeader, Offset, RecordError, TimestampType, assemble, opened, raw_records};

use super::key_map::KeyMap;
use super::survivors::Survivors;

/// Who judges.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    pub(super) newest: &'a KeyMap,
    pub(super) survivors: &'a mut Survivors,
    /// What lies from here on and before `map_end` is in `newest`.
    pub(super) first_dirty: Offset,
    pub(super) map_end: Offset,
    /// Offset of the last record of each producer that the broker remembers.
    pub(super) producers: &'a HashMap<i64, Offset>,
    /// The batch that ends here stays, be it empty: it says where the segment ends.
    pub(super) end: Offset,
    pub(super) now_ms: i64,
    pub(super) delete_retention_ms: i64,
    /// How hard what is written again is compressed.
    pub(super) levels: Levels,
}

impl Filter<'_> {
    /// Takes up the next batch: where its records stand among those that were noted, and whether it
    /// must be read. It need not be where its header tells that nothing of it stays.
    pub(super) fn next(&mut self, header: &BatchHeader) -> (Range<u64>, bool) {
        if !has_places(header, self.first_dirty) || header.base_offset >= self.map_end {
            return (0..0, true);
        }
        let places = self.survivors.advance(header.records_count.max(0) as u64, self.newest);
        let all_go = !places.is_empty()
            && header.base_offset >= self.first_dirty
            && header.last_offset() < self.map_end
            && !self.survivors.has_any(places.clone());
        (places, !all_go)
    }

    /// Judges a batch that has passed `check_batch`. What is left of it is appended to `output`,
    /// and has the header that this answers with.
    pub(super) fn batch(
        &self,
        batch: &[u8],
        header: &BatchHeader,
        places: Range<u64>,
        output: &mut Vec<u8>,
    ) -> Result<Option<BatchHeader>, RecordError> {
        // Markers of transactions are no records of a key. No transaction is known here yet.
        if header.attributes.is_control() {
            output.extend_from_slice(batch);
            return Ok(Some(*header));
        }
        let opened = opened(batch, header)?;
        let horizon = header.delete_horizon_ms();
        let tombstones_stay = horizon.is_none_or(|horizon| self.now_ms < horizon);
        let mut kept = Vec::new();
        let all_noted = header.base_offset >= self.first_dirty && header.last_offset() < self.map_end;
        let mut records = raw_records(&opened, header.records_count);
        for place in (places.start..).take(header.records_count.max(0) as usize) {
            if all_noted && !self.survivors.has(place) {
                records.pass_over()?;
                continue;
            }
            let Some(record) = records.next() else { break };
            let record = record?;
            let offset = header.base_offset + i64::from(record.offset_delta);
            let is_noted = offset >= self.first_dirty && place < places.end;
            let hash = match record.key {
                _ if offset >= self.map_end => None,
                // Records without keys are of a time in which the topic was not compacted.
                None => continue,
                Some(_) if !(record.has_value || tombstones_stay) => continue,
                Some(_) if is_noted && !self.survivors.has(place) => continue,
                Some(key) => (!is_noted).then(|| self.newest.hash(key)),
            };
            kept.push((hash, record));
        }
        // Of what is clean there is nothing but its key to go by.
        self.newest.touch(kept.iter().filter_map(|(hash, _)| *hash));
        kept.retain(|(hash, _)| hash.is_none_or(|hash| !self.newest.contains(hash)));
        let count = kept.len() as i32;
        let tombstones = kept.iter().any(|(_, record)| !record.has_value);
        // Their time begins when all that they make old goes.
        let begins_horizon = tombstones && horizon.is_none() && header.next_offset() <= self.map_end;
        if count == header.records_count && !begins_horizon && (count > 0 || self.must_stay(header)) {
            output.extend_from_slice(batch);
            return Ok(Some(*header));
        }
        if count == 0 {
            return self.emptied(header, output);
        }
        let mut changed = BatchHeader { records_count: count, ..*header };
        if header.attributes.timestamp_type() == TimestampType::CreateTime {
            let times =
                kept.iter().map(|(_, record)| header.base_timestamp.wrapping_add(record.timestamp_delta));
            changed.max_timestamp = times.max().unwrap_or(header.max_timestamp);
        }
        let mut records = Vec::with_capacity(kept.iter().map(|(_, record)| record.bytes.len()).sum());
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
        assemble(&changed, &records, self.levels, output).map(Some)
    }

    /// What is left of a batch of which no record stays.
    pub(super) fn emptied(
        &self,
        header: &BatchHeader,
        output: &mut Vec<u8>,
    ) -> Result<Option<BatchHeader>, RecordError> {
        let changed = BatchHeader { records_count: 0, ..*header };
        self.must_stay(header).then(|| assemble(&changed, &[], self.levels, output)).transpose()
    }

    /// A batch stays, be it empty, for its sequence numbers, if they are its producer's last ones
    /// (KAFKA-8335), and for its offset, if it is the last (KAFKA-17076).
    fn must_stay(&self, header: &BatchHeader) -> bool {
        let is_last_of_producer = header.is_idempotent()
            && self.producers.get(&header.producer_id).is_some_and(|last| *last == header.last_offset());
        is_last_of_producer || header.next_offset() == self.end
    }
}

/// Whether a batch's records have places.
pub(super) fn has_places(header: &BatchHeader, first_dirty: Offset) -> bool {
    header.last_offset() >= first_dirty && !header.attributes.is_control()
}
