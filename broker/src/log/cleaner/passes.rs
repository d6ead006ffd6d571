//! The two passes of a cleaning over the segments: noting what is the newest of each key, and
//! writing what stays.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io;
use std::ops::Range;

use protocol::records::{BatchHeader, Offset, RecordError, opened, raw_records};

use super::filter::{Filter, has_places};
use super::key_map::KeyMap;
use super::replacement::Replacement;
use super::survivors::Survivors;
use super::{Cleaning, Source};
use crate::log::segment::{LogSegment, file_path};
use crate::log::walk::{Step, Walk, damaged};
use crate::log::{LogConfig, StorageError};

/// So much is written at once.
const WRITE_BYTES: usize = 1 << 20;

impl Cleaning {
    /// Reads the dirty part and notes the newest record of each key, as far as there is room.
    pub(super) fn note_keys(&mut self) -> Result<(), StorageError> {
        let from = self.first_dirty;
        let mut newest = std::mem::replace(&mut self.newest, KeyMap::new(0, [0; 2]));
        let mut seen = 0;
        for source in self.dirty_sources() {
            self.for_each_noted(source, &mut seen, |header, first, batch| {
                let Some(batch) = batch else { return Ok(newest.is_full()) };
                let records = opened(batch, header)?;
                // In two loops, for the processor is ahead with several records in each of them. In
                // one it would wait at every record for the memory of another row.
                let mut keys = Vec::with_capacity(header.records_count.clamp(0, 1 << 14) as usize);
                for (place, record) in (first..).zip(raw_records(&records, header.records_count)) {
                    let record = record?;
                    let offset = header.base_offset + i64::from(record.offset_delta);
                    if let Some(key) = record.key.filter(|_| offset >= from) {
                        keys.push((key, place));
                    }
                }
                for (key, place) in keys {
                    newest.note(newest.hash(key), place);
                }
                Ok(true)
            })?;
            if newest.is_full() {
                break;
            }
        }
        let full_at = newest.settle();
        self.newest = newest;
        self.map_end = match full_at {
            Some(place) => self.offset_at(place)?,
            None => self.sources.last().map_or(from, |source| source.next_offset),
        };
        let cleaned = self.sources.partition_point(|source| source.base_offset < self.map_end);
        self.groups = group(&self.sources[..cleaned], &self.config);
        Ok(())
    }

    /// The offset of the record at this place, which is looked for once more: few cleanings have
    /// more keys than there is room for.
    fn offset_at(&self, place: u64) -> Result<Offset, StorageError> {
        let (mut seen, mut found) = (0, None);
        for source in self.dirty_sources() {
            self.for_each_noted(source, &mut seen, |header, first, batch| {
                let Some(batch) = batch else {
                    return Ok(!(first..first + header.records_count.max(0) as u64).contains(&place));
                };
                let records = opened(batch, header)?;
                let mut records = raw_records(&records, header.records_count);
                let record = records.nth((place - first) as usize).transpose()?;
                found = record.map(|record| header.base_offset + i64::from(record.offset_delta));
                Ok(true)
            })?;
            if found.is_some() {
                break;
            }
        }
        let changed = || io::Error::new(io::ErrorKind::InvalidData, "it changed while it was read");
        found.ok_or_else(|| StorageError::of("clean", &self.dir)(changed()))
    }

    fn dirty_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.next_offset > self.first_dirty)
    }

    /// As [`Cleaning::for_each_batch`], for those whose records have places: with the place of the
    /// first. `seen` counts records, from segment to segment.
    fn for_each_noted(
        &self,
        source: &Source,
        seen: &mut u64,
        mut visit: impl FnMut(&BatchHeader, u64, Option<&[u8]>) -> Result<bool, RecordError>,
    ) -> Result<(), StorageError> {
        let mut first = *seen;
        self.for_each_batch(source, |header, batch| {
            if batch.is_none() {
                if !has_places(header, self.first_dirty) {
                    return Ok(true);
                }
                first = *seen;
                *seen += header.records_count.max(0) as u64;
            }
            visit(header, first, batch)
        })
    }

    /// Writes what stays of a group, and syncs it.
    pub(super) fn write(
        &mut self,
        group: &Range<usize>,
        mut segment: LogSegment,
    ) -> Result<Replacement, StorageError> {
        let mut survivors = std::mem::replace(&mut self.survivors, Survivors::new());
        let sources = &self.sources[group.clone()];
        let end = sources.last().expect("a group is never empty").next_offset;
        let mut filter = Filter {
            newest: &self.newest,
            survivors: &mut survivors,
            first_dirty: self.first_dirty,
            map_end: self.map_end,
            producers: &self.producers,
            end,
            now_ms: self.now_ms,
            delete_retention_ms: self.config.delete_retention_ms,
            levels: self.config.compression_levels,
        };
        // Begins at `from` in the new file.
        let (mut buffer, mut from) = (Vec::with_capacity(2 * WRITE_BYTES), 0);
        for source in sources {
            let (mut failed, mut places) = (None, 0..0);
            self.for_each_batch(source, |header, batch| {
                let left = match batch {
                    None => {
                        let must_read;
                        (places, must_read) = filter.next(header);
                        if must_read {
                            return Ok(false);
                        }
                        filter.emptied(header, &mut buffer)?
                    }
                    Some(batch) => filter.batch(batch, header, places.clone(), &mut buffer)?,
                };
                let Some(header) = left else { return Ok(true) };
                segment.note(&header, segment.size);
                if buffer.len() >= WRITE_BYTES && failed.is_none() {
                    failed = segment.write_noted(&buffer, from).err();
                    from = segment.size;
                    buffer.clear();
                }
                Ok(true)
            })?;
            failed.map_or(Ok(()), Err)?;
        }
        segment.write_noted(&buffer, from)?;
        segment.seal();
        assert_eq!(segment.next_offset, end, "the last batch stays, so that the log ends where it did");
        self.stats.bytes_before += sources.iter().map(|source| source.size).sum::<u64>();
        self.stats.bytes_after += segment.size;
        self.survivors = survivors;
        Replacement::sync(&*self.storage, segment)
    }

    fn damage(&self, source: &Source, position: u64, error: &dyn Display) -> StorageError {
        let path = file_path(&self.dir, source.base_offset, "log");
        let what = format!("damaged at byte {position}: {error}");
        StorageError::of("clean", path)(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    /// Shows every batch of a segment: its header, and if that is not enough (`false`) all of it,
    /// checked.
    fn for_each_batch(
        &self,
        source: &Source,
        mut visit: impl FnMut(&BatchHeader, Option<&[u8]>) -> Result<bool, RecordError>,
    ) -> Result<(), StorageError> {
        let read = |error| {
            let path = file_path(&self.dir, source.base_offset, "log");
            StorageError::of("read", path)(error)
        };
        let mut walk = Walk::checked(&*source.file, 0, source.size);
        let mut next = source.base_offset;
        loop {
            self.check()?;
            let mut step = walk.next_header().map_err(read)?;
            if let Step::Batch { position, header } = step {
                // No checksum covers them.
                if header.base_offset < next || header.last_offset() >= source.next_offset {
                    return Err(self.damage(source, position, &"its offsets are not of this segment"));
                }
                next = header.next_offset();
                if visit(&header, None).map_err(|error| self.damage(source, position, &error))? {
                    continue;
                }
                step = walk.check_last(&header).map_err(read)?;
            }
            match step {
                Step::Batch { position, header } => {
                    visit(&header, Some(walk.last_batch(&header)))
                        .map_err(|error| self.damage(source, position, &error))?;
                }
                Step::End if next < source.next_offset => {
                    return Err(self.damage(source, source.size, &"its last batch is missing"));
                }
                Step::End => return Ok(()),
                Step::Broken { position, error } => return Err(read(damaged(position, error))),
            }
        }
    }
}

/// Neighbours that fit in one segment together, whatever is left of them, become one.
fn group(sources: &[Source], config: &LogConfig) -> VecDeque<Range<usize>> {
    let mut groups = VecDeque::new();
    let mut start = 0;
    let (mut size, mut index_len) = (0, 0);
    for (place, source) in sources.iter().enumerate() {
        let fits = size + source.size <= u64::from(config.segment_bytes)
            && index_len + source.index_len <= u64::from(config.segment_index_bytes)
            && source.next_offset - sources[start].base_offset <= i64::from(i32::MAX);
        if place > start && !fits {
            groups.push_back(start..place);
            (start, size, index_len) = (place, 0, 0);
        }
        size += source.size;
        index_len += source.index_len;
    }
    if start < sources.len() {
        groups.push_back(start..sources.len());
    }
    groups
}
