//! The two passes of a cleaning over the segments: noting what is the newest of each key, and
//! writing what stays.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use protocol::records::{BatchHeader, RecordError, opened, raw_records};

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
/// So many keys are looked up at once, of batches that may be small.
const NOTED_AT_ONCE: usize = 256;

impl Cleaning {
    /// Reads the dirty part and notes the newest record of each key, as far as there is room.
    pub(super) fn note_keys(&mut self) -> Result<(), StorageError> {
        let from = self.first_dirty;
        let mut newest = std::mem::replace(&mut self.newest, KeyMap::new(0, [0; 2]));
        let (mut seen, mut noted, mut offsets) = (0, Vec::new(), Vec::new());
        let mut full_at = None;
        for source in self.sources.iter().filter(|source| source.next_offset > from) {
            self.for_each_batch(source, |header, batch| {
                let Some(batch) = batch else {
                    return Ok(full_at.is_some() || !has_places(header, from));
                };
                for (place, record) in
                    (seen..).zip(raw_records(&opened(batch, header)?, header.records_count))
                {
                    let record = record?;
                    let offset = header.base_offset + i64::from(record.offset_delta);
                    if let Some(key) = record.key.filter(|_| offset >= from) {
                        noted.push((newest.hash(key), place));
                        offsets.push(offset);
                    }
                }
                seen += header.records_count.max(0) as u64;
                if noted.len() >= NOTED_AT_ONCE {
                    full_at = newest.note(&noted).map(|full| offsets[full]);
                    noted.clear();
                    offsets.clear();
                }
                Ok(true)
            })?;
            if full_at.is_some() {
                break;
            }
        }
        full_at = full_at.or_else(|| newest.note(&noted).map(|full| offsets[full]));
        self.newest = newest;
        self.map_end = full_at.or(self.sources.last().map(|source| source.next_offset)).unwrap_or(from);
        let cleaned = self.sources.partition_point(|source| source.base_offset < self.map_end);
        self.groups = group(&self.sources[..cleaned], &self.config);
        Ok(())
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

    fn damage(&self, source: &Source, position: u64, error: &RecordError) -> StorageError {
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
        loop {
            self.check()?;
            let mut step = walk.next_header().map_err(read)?;
            if let Step::Batch { position, header } = step {
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
