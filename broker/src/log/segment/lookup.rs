//! Finding things in a segment: by offset, by size, where a time begins. The indexes say where to
//! begin, and batch headers say where to go from there.

use std::sync::Arc;

use protocol::records::{BatchHeader, Offset};

use super::LogSegment;
use crate::log::StorageError;
use crate::log::timestamp_search::TimestampRange;
use crate::log::walk::{Step, Walk, damaged};

impl LogSegment {
    /// Where the first batch whose last offset is `offset` or later begins; the segment's end when
    /// there is none.
    pub(in crate::log) fn position_of(&self, offset: Offset) -> Result<u64, StorageError> {
        if offset >= self.next_offset {
            return Ok(self.size);
        }
        if offset <= self.base_offset {
            return Ok(0);
        }
        let relative = (offset - self.base_offset) as u32;
        if let Some(position) = self.recent_position(relative) {
            return Ok(position);
        }
        let mut walk = Walk::headers(&*self.file, u64::from(self.offsets.lookup(relative)), self.size);
        loop {
            match walk.next_header().map_err(StorageError::of("read", &self.path))? {
                Step::Batch { header, position } if header.last_offset() >= offset => return Ok(position),
                Step::Batch { .. } => {}
                Step::End => return Ok(self.size),
                Step::Broken { position, error } => {
                    return Err(StorageError::of("read", &self.path)(damaged(position, error)));
                }
            }
        }
    }

    /// The same from memory alone, if the batch is among the newest.
    fn recent_position(&self, relative: u32) -> Option<u64> {
        let index = self.recent.partition_point(|batch| batch.relative_offset < relative);
        let oldest_is_first = self.recent.front().is_some_and(|batch| batch.position == 0);
        let known = index > 0 || oldest_is_first;
        known.then(|| self.recent.get(index)).flatten().map(|batch| u64::from(batch.position))
    }

    /// A place at or before the batch that holds `offset`, without reading.
    pub(in crate::log) fn position_at_or_before(&self, offset: Offset) -> u64 {
        if offset >= self.next_offset {
            return self.size;
        }
        let relative = (offset - self.base_offset).clamp(0, i64::from(u32::MAX)) as u32;
        self.recent_position(relative).unwrap_or_else(|| u64::from(self.offsets.lookup(relative)))
    }

    /// How many bytes from `start` on to hand out for `max_bytes`: whole batches, at least one.
    pub(in crate::log) fn whole_batches(&self, start: u64, max_bytes: usize) -> Result<usize, StorageError> {
        assert!(start <= self.size, "byte {start} lies behind the {} of whole batches", self.size);
        let available = self.size - start;
        if available <= max_bytes as u64 {
            return Ok(available as usize);
        }
        let wanted_end = start + max_bytes as u64;
        let boundary = self.offsets.boundary_before(wanted_end);
        if boundary > start {
            return Ok((boundary - start) as usize);
        }
        // Less than an index interval was asked for, or one batch is larger than all that.
        let mut walk = Walk::headers(&*self.file, start, self.size);
        let mut end = start;
        loop {
            match walk.next_header().map_err(StorageError::of("read", &self.path))? {
                Step::Batch { header, position } => {
                    let next = position + header.total_len() as u64;
                    if next > wanted_end && end > start {
                        return Ok((end - start) as usize);
                    }
                    end = next;
                    if end >= wanted_end {
                        return Ok((end - start) as usize);
                    }
                }
                Step::End => return Ok((end - start) as usize),
                Step::Broken { position, error } => {
                    return Err(StorageError::of("read", &self.path)(damaged(position, error)));
                }
            }
        }
    }

    /// Headers of all batches from the one that holds `offset` on. Damage ends it: what lies behind
    /// can't be told apart.
    pub(in crate::log) fn for_each_header(
        &self,
        offset: Offset,
        mut visit: impl FnMut(&BatchHeader),
    ) -> Result<(), StorageError> {
        // Damage before the wanted batch hides where it begins, so the walk starts at the front.
        let position = self.position_of(offset).unwrap_or_default();
        let mut walk = Walk::headers(&*self.file, position, self.size);
        while let Step::Batch { header, .. } =
            walk.next_header().map_err(StorageError::of("read", &self.path))?
        {
            if header.last_offset() >= offset {
                visit(&header);
            }
        }
        Ok(())
    }

    /// Where to look for the first record at `from` or later whose timestamp is `timestamp_ms` or
    /// later.
    pub(in crate::log) fn timestamp_range(&self, timestamp_ms: i64, from: Offset) -> TimestampRange {
        let indexed = self.base_offset + i64::from(self.times.lookup(timestamp_ms));
        TimestampRange {
            file: Arc::clone(&self.file),
            path: self.path.clone(),
            start: self.position_at_or_before(indexed.max(from)),
            end: self.size,
        }
    }
}
