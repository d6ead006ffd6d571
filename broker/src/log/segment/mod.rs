//! One file of a log, with its two indexes: opening it, writing to it, keeping its indexes.

mod lookup;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::records::{BatchHeader, Offset};

use super::offset_index::{OffsetEntry, OffsetIndex};
use super::time_index::{TimeEntry, TimeIndex};
use super::walk::{Step, Walk};
use super::{LogConfig, NamedFile, Storage, StorageError, StorageFile};

/// So many of a segment's newest batches are known exactly. Consumers that keep up read there, and
/// find their place without touching the file.
const RECENT_BATCHES: usize = 256;

/// One file of a log.
#[derive(Debug)]
pub(super) struct LogSegment {
    pub(super) base_offset: Offset,
    /// Offset after the last record.
    pub(super) next_offset: Offset,
    /// Bytes of whole batches. The file may have more after a failed write.
    pub(super) size: u64,
    /// Largest timestamp and the last offset of the first batch that has it.
    pub(super) max_timestamp: Option<(i64, Offset)>,
    /// `max_timestamp` of the first batch: from it the segment's age counts.
    pub(super) first_timestamp_ms: Option<i64>,
    pub(super) file: Arc<dyn StorageFile>,
    path: PathBuf,
    offsets: OffsetIndex,
    times: TimeIndex,
    /// Index entries that are in the files already.
    saved: (usize, usize),
    bytes_since_entry: u64,
    index_interval_bytes: u64,
    recent: VecDeque<OffsetEntry>,
}

/// How a segment is opened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trust {
    /// All of it.
    Whole,
    /// What lies before this offset.
    Before(Offset),
}

/// What opening found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opened {
    pub(super) scanned_bytes: u64,
    pub(super) truncated_bytes: u64,
    pub(super) rebuilt_indexes: usize,
}

/// The file's name, as in Kafka: the base offset in twenty digits.
pub(super) fn file_path(dir: &Path, base_offset: Offset, extension: &str) -> PathBuf {
    dir.join(format!("{:020}.{extension}", base_offset.0))
}

/// The same path with one more extension.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// The base offset in a segment's file name; `None` when it is none.
pub(super) fn base_offset_of(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(".log")?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(Offset)).flatten()
}

impl LogSegment {
    /// Starts an empty segment, or whatever is in the file unread: see [`LogSegment::open`].
    pub(super) fn create(
        storage: &dyn Storage,
        dir: &Path,
        base_offset: Offset,
        config: &LogConfig,
    ) -> Result<Self, StorageError> {
        let path = file_path(dir, base_offset, "log");
        let file = storage.open(&path).map_err(StorageError::of("create", &path))?;
        Ok(Self::empty(path, file, base_offset, config))
    }

    /// Starts an empty segment that does not count yet: its file has one more extension, so that it
    /// can stand beside the one which it will replace.
    pub(super) fn create_beside(
        storage: &dyn Storage,
        dir: &Path,
        base_offset: Offset,
        extension: &str,
        config: &LogConfig,
    ) -> Result<Self, StorageError> {
        let path = file_path(dir, base_offset, "log");
        let beside = beside(&path, extension);
        let file = storage.open(&beside).map_err(StorageError::of("create", &beside))?;
        file.set_len(0).map_err(StorageError::of("truncate", &beside))?;
        Ok(Self::empty(path, file, base_offset, config))
    }

    fn empty(path: PathBuf, file: Arc<dyn StorageFile>, base_offset: Offset, config: &LogConfig) -> Self {
        Self {
            base_offset,
            next_offset: base_offset,
            size: 0,
            max_timestamp: None,
            first_timestamp_ms: None,
            file,
            path,
            offsets: OffsetIndex::default(),
            times: TimeIndex::default(),
            saved: (0, 0),
            bytes_since_entry: 0,
            index_interval_bytes: u64::from(config.index_interval_bytes),
            recent: VecDeque::new(),
        }
    }

    /// Opens what is there. Where the segment is trusted only headers behind the last index entry
    /// are read; where it is not, every batch is checked, and the file is cut at the first that is
    /// not whole and right. `limit` is the next segment's base offset: no record may reach it.
    /// `seen` is told of every batch read, so that leader epochs can be collected.
    pub(super) fn open(
        storage: &dyn Storage,
        dir: &Path,
        base_offset: Offset,
        limit: Option<Offset>,
        trust: Trust,
        config: &LogConfig,
        mut seen: impl FnMut(&BatchHeader),
    ) -> Result<(Self, Opened), StorageError> {
        let mut segment = Self::create(storage, dir, base_offset, config)?;
        let file_len = segment.file.len().map_err(StorageError::of("measure", &segment.path))?;
        let mut opened = Opened::default();
        let error = |operation| StorageError::of(operation, segment.path.clone());
        let (read_error, cut_error) = (error("read"), error("truncate"));

        // Positions are 32 bits wide in the index; what lies beyond can't be ours.
        let len = file_len.min(u64::from(u32::MAX));
        let indexed = segment.load_indexes(storage, len)?;
        opened.rebuilt_indexes += usize::from(!indexed && len > 0);
        if let Trust::Before(offset) = trust {
            let relative = (offset - base_offset).clamp(0, i64::from(u32::MAX)) as u32;
            segment.offsets.truncate(relative);
            segment.times.truncate(relative);
            segment.saved = (segment.offsets.len(), segment.times.len());
        }
        let rebuilt = segment.read_back(limit, len, trust, &mut opened, &mut seen).map_err(read_error)?;
        opened.rebuilt_indexes += usize::from(rebuilt && indexed);
        if segment.size < file_len {
            opened.truncated_bytes += file_len - segment.size;
            segment.file.set_len(segment.size).map_err(cut_error)?;
        }
        Ok((segment, opened))
    }

    /// Learns from the file what follows the last index entry. `true` when the indexes were wrong,
    /// and are made again.
    fn read_back(
        &mut self,
        limit: Option<Offset>,
        len: u64,
        trust: Trust,
        opened: &mut Opened,
        seen: &mut impl FnMut(&BatchHeader),
    ) -> io::Result<bool> {
        let resumed = self.resume(limit, len, trust, opened, seen)?;
        // A time index may be well-formed and still speak of records that are not there.
        let plausible = self.max_timestamp.is_none_or(|(_, offset)| offset < self.next_offset);
        if resumed && plausible {
            return Ok(false);
        }
        // An index that points to no batch, or damage behind it: believe only checksums.
        self.forget_indexes();
        self.scan(limit, 0, len, opened, seen)?;
        Ok(true)
    }

    /// Continues from the last index entry: over trusted batches by their headers, then by
    /// checksum. `false` when something trusted turns out to be wrong.
    fn resume(
        &mut self,
        limit: Option<Offset>,
        len: u64,
        trust: Trust,
        opened: &mut Opened,
        seen: &mut impl FnMut(&BatchHeader),
    ) -> io::Result<bool> {
        if let Some(entry) = self.times.last() {
            self.max_timestamp =
                Some((entry.timestamp_ms, self.base_offset + i64::from(entry.relative_offset)));
        }
        let file = Arc::clone(&self.file);
        let start = self.offsets.last().map_or(0, |entry| u64::from(entry.position));
        if start > 0 {
            let Step::Batch { header, .. } = Walk::headers(&*file, 0, len).next_header()? else {
                return Ok(false);
            };
            self.first_timestamp_ms = Some(header.max_timestamp);
        }
        self.size = start;
        let trusted_until = match trust {
            Trust::Whole => None,
            Trust::Before(offset) => Some(offset),
        };
        let mut walk = Walk::headers(&*file, start, len);
        // The entry's batch is in the index already; it must be the one that the entry speaks of.
        if let Some(entry) = self.offsets.last() {
            let expected = self.base_offset + i64::from(entry.relative_offset);
            match walk.next_header()? {
                Step::Batch { header, .. } if header.last_offset() == expected => {
                    seen(&header);
                    self.size += header.total_len() as u64;
                    self.bytes_since_entry = header.total_len() as u64;
                    self.next_offset = header.next_offset();
                }
                _ => return Ok(false),
            }
        }
        loop {
            if trusted_until.is_some_and(|offset| self.next_offset >= offset) {
                break;
            }
            match walk.next_header()? {
                Step::Batch { header, position } if self.fits(&header, limit) => {
                    self.note(&header, position);
                    seen(&header);
                }
                Step::End => return Ok(true),
                // Gaps are no damage, and before a recovery point the end may be torn.
                _ if trusted_until.is_some() => break,
                _ => return Ok(false),
            }
        }
        self.scan(limit, self.size, len, opened, seen)?;
        Ok(true)
    }

    /// Checks every batch from `position` on and stops at the first that is wrong.
    fn scan(
        &mut self,
        limit: Option<Offset>,
        position: u64,
        len: u64,
        opened: &mut Opened,
        seen: &mut impl FnMut(&BatchHeader),
    ) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        let mut walk = Walk::checked(&*file, position, len);
        while let Step::Batch { position, header } = walk.next_checked()? {
            if !self.fits(&header, limit) {
                break;
            }
            self.note(&header, position);
            seen(&header);
            opened.scanned_bytes += header.total_len() as u64;
        }
        Ok(())
    }

    /// Whether a batch found on disk can follow what was read so far.
    fn fits(&self, header: &BatchHeader, limit: Option<Offset>) -> bool {
        header.last_offset_delta >= 0
            && header.base_offset >= self.next_offset
            && header.last_offset() - self.base_offset <= i64::from(i32::MAX)
            && limit.is_none_or(|limit| header.last_offset() < limit)
    }

    /// Reads both index files. `false` when one is missing or broken: the segment is then walked
    /// from its beginning.
    fn load_indexes(&mut self, storage: &dyn Storage, len: u64) -> Result<bool, StorageError> {
        let read = |extension| {
            let path = self.path.with_extension(extension);
            super::read_file(storage, &path, u64::from(u32::MAX))
        };
        let (Some(offsets), Some(times)) = (read("index")?, read("timeindex")?) else { return Ok(false) };
        let (Some(offsets), Some(times)) = (OffsetIndex::decode(&offsets, len), TimeIndex::decode(&times))
        else {
            return Ok(false);
        };
        self.saved = (offsets.len(), times.len());
        (self.offsets, self.times) = (offsets, times);
        Ok(true)
    }

    fn forget_indexes(&mut self) {
        self.offsets = OffsetIndex::default();
        self.times = TimeIndex::default();
        self.saved = (0, 0);
        self.forget_place();
    }

    /// Where it ends, and what is known from its batches.
    fn forget_place(&mut self) {
        self.recent.clear();
        self.next_offset = self.base_offset;
        self.size = 0;
        self.max_timestamp = None;
        self.first_timestamp_ms = None;
        self.bytes_since_entry = 0;
    }

    /// Writes a batch that [`LogSegment::has_room`] for, in one write. On failure the file is cut
    /// back to what it was.
    pub(super) fn append(&mut self, slices: [&[u8]; 2], header: &BatchHeader) -> Result<(), StorageError> {
        self.write(slices)?;
        self.note(header, self.size);
        Ok(())
    }

    /// The same for several batches, one behind the other.
    pub(super) fn append_run<'a>(
        &mut self,
        batches: &[u8],
        headers: impl Iterator<Item = &'a BatchHeader>,
    ) -> Result<(), StorageError> {
        self.write([batches, &[]])?;
        let end = self.size + batches.len() as u64;
        headers.for_each(|header| self.note(header, self.size));
        assert_eq!(self.size, end, "what was written is what was noted");
        Ok(())
    }

    fn write(&self, slices: [&[u8]; 2]) -> Result<(), StorageError> {
        self.file.write_at(slices, self.size).map_err(|error| {
            // If cutting fails too, the rubbish lies behind `size`: it is never read, the next
            // append writes over it, and recovery would find it.
            let _ = self.file.set_len(self.size);
            StorageError::of("write", &self.path)(error)
        })
    }

    /// Writes batches that have been noted already, the first of which stands at `position`.
    pub(super) fn write_noted(&self, batches: &[u8], position: u64) -> Result<(), StorageError> {
        assert_eq!(position + batches.len() as u64, self.size, "what is written is what was noted");
        self.file.write_at([batches, &[]], position).map_err(StorageError::of("write", &self.path))
    }

    /// Where the segment stands, or will.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `len` more bytes with these offsets keep positions and offsets within what an index
    /// entry can hold, and the file within `max_len`. An empty segment has room for anything.
    pub(super) fn has_room(&self, len: usize, last_offset: Offset, max_len: u64) -> bool {
        self.size == 0
            || (self.size + len as u64 <= max_len && last_offset - self.base_offset <= i64::from(i32::MAX))
    }

    /// Bytes of the offset index.
    pub(super) fn index_len(&self) -> usize {
        self.offsets.byte_len()
    }

    /// Takes a batch that stands at `position`, the end so far, into account.
    pub(super) fn note(&mut self, header: &BatchHeader, position: u64) {
        assert_eq!(position, self.size, "a batch stands where the one before it ends");
        assert!(
            header.base_offset >= self.next_offset,
            "offset {} comes again behind {}",
            header.base_offset,
            self.next_offset
        );
        let relative = header.last_offset() - self.base_offset;
        assert!(
            (0..=i64::from(i32::MAX)).contains(&relative),
            "offset {} is too far from the segment's {}",
            header.last_offset(),
            self.base_offset
        );
        let last = OffsetEntry { relative_offset: relative as u32, position: position as u32 };
        self.first_timestamp_ms.get_or_insert(header.max_timestamp);
        // A batch that compaction has emptied has no time, whatever its header says.
        let is_latest = self.max_timestamp.is_none_or(|(largest, _)| header.max_timestamp > largest);
        if header.records_count > 0 && is_latest {
            self.max_timestamp = Some((header.max_timestamp, header.last_offset()));
        }
        // The first batch needs no entry: a lookup that finds none starts at the beginning.
        if self.bytes_since_entry > self.index_interval_bytes {
            self.offsets.push(last);
            self.push_time();
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.total_len() as u64;
        if self.recent.len() == RECENT_BATCHES {
            self.recent.pop_front();
        }
        self.recent.push_back(last);
        self.size = position + header.total_len() as u64;
        self.next_offset = header.next_offset();
    }

    fn push_time(&mut self) {
        if let Some((timestamp_ms, offset)) = self.max_timestamp {
            self.times.push(TimeEntry { timestamp_ms, relative_offset: (offset - self.base_offset) as u32 });
        }
    }

    /// The segment will not grow any more.
    pub(super) fn seal(&mut self) {
        self.push_time();
        self.offsets.shrink();
        self.times.shrink();
        self.recent = VecDeque::new();
    }

    /// Appends to the index files what they lack, and names the files that a sync must cover.
    pub(super) fn save_indexes(&mut self, storage: &dyn Storage) -> Result<Vec<NamedFile>, StorageError> {
        self.save_indexes_as(storage, |path| path)
    }

    /// The same into files whose names have one more extension.
    pub(super) fn save_indexes_beside(
        &mut self,
        storage: &dyn Storage,
        extension: &str,
    ) -> Result<Vec<NamedFile>, StorageError> {
        self.save_indexes_as(storage, |path| beside(&path, extension))
    }

    fn save_indexes_as(
        &mut self,
        storage: &dyn Storage,
        name: impl Fn(PathBuf) -> PathBuf,
    ) -> Result<Vec<NamedFile>, StorageError> {
        assert!(
            self.saved.0 <= self.offsets.len() && self.saved.1 <= self.times.len(),
            "the index files have {:?} entries, more than the indexes: an index only grows",
            self.saved
        );
        let parts = [
            ("index", OffsetIndex::file_position(self.saved.0), self.offsets.encode(self.saved.0)),
            ("timeindex", TimeIndex::file_position(self.saved.1), self.times.encode(self.saved.1)),
        ];
        let mut files = Vec::with_capacity(parts.len() + 1);
        for (extension, position, bytes) in parts {
            let path = name(self.path.with_extension(extension));
            let file = storage.open(&path).map_err(StorageError::of("open", &path))?;
            // The file may be longer: a crash left entries that recovery did not believe.
            file.set_len(position).map_err(StorageError::of("truncate", &path))?;
            file.write_at([&bytes, &[]], position).map_err(StorageError::of("write", &path))?;
            files.push((path, file));
        }
        self.saved = (self.offsets.len(), self.times.len());
        files.push((self.path.clone(), Arc::clone(&self.file)));
        Ok(files)
    }

    /// Cuts off the batches that reach `offset` or beyond, here and in the files, and syncs that.
    pub(super) fn truncate_to(&mut self, offset: Offset, storage: &dyn Storage) -> Result<(), StorageError> {
        assert!(offset >= self.base_offset, "offset {offset} is in a segment before {}", self.base_offset);
        let len = self.size;
        let relative = (offset - self.base_offset).min(i64::from(u32::MAX)) as u32;
        self.offsets.truncate(relative);
        self.times.truncate(relative);
        let kept = (self.offsets.len().min(self.saved.0), self.times.len().min(self.saved.1));
        self.forget_place();
        self.saved = kept;
        let (limit, trust) = (Some(offset), Trust::Before(offset));
        self.read_back(limit, len, trust, &mut Opened::default(), &mut |_| {})
            .map_err(StorageError::of("read", &self.path))?;
        self.trim()?;
        self.file.sync().map_err(StorageError::of("sync", &self.path))?;
        // A start must not find entries for what is written next at these positions.
        for (path, file) in self.save_indexes(storage)? {
            file.sync().map_err(StorageError::of("sync", &path))?;
        }
        Ok(())
    }

    /// Cuts off what a failed write may have left behind the last whole batch.
    pub(super) fn trim(&self) -> Result<(), StorageError> {
        self.file.set_len(self.size).map_err(StorageError::of("truncate", &self.path))
    }

    /// Removes its files. A reader that holds the open file can still read it.
    pub(super) fn remove(&self, storage: &dyn Storage) -> Result<(), StorageError> {
        for extension in ["index", "timeindex", "log"] {
            let path = self.path.with_extension(extension);
            storage.remove(&path).map_err(StorageError::of("remove", &path))?;
        }
        Ok(())
    }
}
