//! Making what was appended survive a power loss.

use std::path::PathBuf;
use std::sync::Arc;

use protocol::records::Offset;

use super::{Log, NamedFile, Storage, StorageError};

/// A sync to be done without holding the log: `run` it on a thread that may block, then hand it to
/// [`Log::finish_flush`].
#[derive(Debug)]
pub struct PendingFlush {
    storage: Arc<dyn Storage>,
    files: Vec<NamedFile>,
    /// Whose names must last too.
    dir: PathBuf,
    /// End of the log when the flush began.
    end: Offset,
    result: Option<Result<(), StorageError>>,
    /// So long as it is held, the log is not cut.
    #[expect(dead_code, reason = "that it is there is what counts")]
    under_way: Arc<()>,
}

impl PendingFlush {
    /// Syncs. May take as long as the disk does.
    pub fn run(&mut self) {
        let sync = |(path, file): &NamedFile| file.sync().map_err(StorageError::of("sync", path));
        let synced = self.files.iter().try_for_each(sync);
        self.result =
            Some(synced.and_then(|()| {
                self.storage.sync_dir(&self.dir).map_err(StorageError::of("sync", &self.dir))
            }));
    }

    /// The end of the log when the flush began: what it covers lies before.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// Whether it was run and all is on the disk.
    pub fn is_synced(&self) -> bool {
        matches!(self.result, Some(Ok(())))
    }
}

impl Log {
    /// Writes what the index files lack and says what is to be synced. `None` when nothing is.
    pub fn begin_flush(&mut self) -> Result<Option<PendingFlush>, StorageError> {
        let end = self.log_end_offset();
        if self.broken || end == self.recovery_point {
            return Ok(None);
        }
        self.epochs.save(&*self.storage)?;
        let mut files = Vec::from_iter(self.epochs.take_unsynced());
        for segment in &mut self.segments {
            if segment.next_offset > self.recovery_point {
                files.append(&mut segment.save_indexes(&*self.storage)?);
            }
        }
        self.unflushed_since_ms = None;
        let (storage, dir) = (Arc::clone(&self.storage), self.dir.clone());
        let under_way = Arc::clone(&self.flushes);
        Ok(Some(PendingFlush { storage, files, dir, end, result: None, under_way }))
    }

    /// Notes what a flush achieved. Only now may the recovery point move.
    pub fn finish_flush(&mut self, flush: PendingFlush) -> Result<(), StorageError> {
        assert!(
            flush.end <= self.log_end_offset(),
            "a flush up to {} covers more than the log has",
            flush.end
        );
        match flush.result {
            None => Ok(()),
            Some(Ok(())) => {
                self.recovery_point = self.recovery_point.max(flush.end);
                self.flushed_offset = self.flushed_offset.max(flush.end);
                assert!(
                    self.recovery_point <= self.flushed_offset,
                    "recovery trusts up to {}, and only what lies before {} is synced",
                    self.recovery_point,
                    self.flushed_offset
                );
                Ok(())
            }
            Some(Err(error)) => {
                self.broken = true;
                Err(error)
            }
        }
    }

    /// Flushes here and now.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        if let Some(mut flush) = self.begin_flush()? {
            flush.run();
            self.finish_flush(flush)?;
        }
        Ok(())
    }

    /// When `flush.ms` asks for the next flush, ms since 1970.
    pub fn next_flush_ms(&self) -> Option<i64> {
        Some(self.unflushed_since_ms?.saturating_add(self.config.flush_ms?))
    }

    /// Cuts off what a failed write may have left behind the last whole batch. With a
    /// [`Log::flush`] after it, the files are as a clean start expects them.
    pub fn trim(&mut self) -> Result<(), StorageError> {
        self.active().trim()
    }

    /// `flush.messages`: syncs the records alone; indexes can be made again.
    pub(crate) fn sync_records(&mut self) -> Result<(), StorageError> {
        for segment in self.segments.iter().filter(|segment| segment.next_offset > self.flushed_offset) {
            if let Err(source) = segment.file.sync() {
                self.broken = true;
                return Err(StorageError { operation: "sync", path: self.dir.clone(), source });
            }
        }
        self.flushed_offset = self.log_end_offset();
        self.unflushed_since_ms = None;
        Ok(())
    }
}
