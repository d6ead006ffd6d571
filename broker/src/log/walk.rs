//! Walking through a segment's file from batch to batch.

use std::io::{self, ErrorKind};

use protocol::records::{BatchError, BatchHeader, HEADER_LEN, check_batch};

use super::StorageFile;

/// How far one read reaches while headers are walked. One index interval and a little.
const HEADER_CHUNK: usize = 8 << 10;
/// How far one read reaches while whole batches are checked: little enough to stay in a cache of
/// the processor until it is looked at.
const SCAN_CHUNK: usize = 256 << 10;
/// A batch that is larger is not read for the header that follows it.
const PASSED_OVER: usize = 4 << 10;

/// Goes over a range of a file that should hold whole batches, one by one.
pub(super) struct Walk<'a> {
    file: &'a dyn StorageFile,
    /// Where the next batch begins.
    position: u64,
    end: u64,
    /// Begins with bytes read ahead, `buffered` of them, from `buffer_at` on.
    buffer: Vec<u8>,
    buffered: usize,
    buffer_at: u64,
    chunk: usize,
    /// How far the next read reaches, up to a chunk. Where large batches are passed over it is no
    /// further than the header.
    ahead: usize,
    /// The same, as it was before the last header.
    ahead_before: usize,
}

/// One step of a walk.
pub(super) enum Step {
    /// A batch begins here.
    Batch {
        /// Where.
        position: u64,
        /// Its header.
        header: BatchHeader,
    },
    /// The range is used up, to the byte.
    End,
    /// No whole, right batch begins at this place.
    Broken {
        /// Where.
        position: u64,
        /// What is wrong there.
        error: BatchError,
    },
}

impl<'a> Walk<'a> {
    /// From `position` to `end`, for [`Walk::next_header`].
    pub(super) fn headers(file: &'a dyn StorageFile, position: u64, end: u64) -> Self {
        Self::new(file, position, end, HEADER_CHUNK)
    }

    /// From `position` to `end`, for walks that check most batches.
    pub(super) fn checked(file: &'a dyn StorageFile, position: u64, end: u64) -> Self {
        Self::new(file, position, end, SCAN_CHUNK)
    }

    fn new(file: &'a dyn StorageFile, position: u64, end: u64, chunk: usize) -> Self {
        assert!(position <= end, "a walk from byte {position} never comes to its end {end}");
        let (buffer, buffer_at) = (Vec::new(), position);
        let (ahead, ahead_before) = (chunk, chunk);
        Self { file, position, end, buffer, buffered: 0, buffer_at, chunk, ahead, ahead_before }
    }

    /// Reads the next header and skips what belongs to it.
    pub(super) fn next_header(&mut self) -> io::Result<Step> {
        let step = self.step(BatchHeader::parse, HEADER_LEN)?;
        if let Step::Batch { header, .. } = &step {
            self.ahead_before = self.ahead;
            self.ahead = if header.total_len() > PASSED_OVER { 0 } else { self.further(header.total_len()) };
        }
        Ok(step)
    }

    /// Reads the next batch and checks all of it.
    pub(super) fn next_checked(&mut self) -> io::Result<Step> {
        match self.next_header()? {
            Step::Batch { header, .. } => self.check_last(&header),
            other => Ok(other),
        }
    }

    /// Reads the batch whose header [`Walk::next_header`] has just found, and checks all of it.
    pub(super) fn check_last(&mut self, header: &BatchHeader) -> io::Result<Step> {
        self.position -= header.total_len() as u64;
        self.ahead = self.further(header.total_len());
        self.step(check_batch, header.total_len())
    }

    /// The bytes of the batch that has just been checked; `header` is its own.
    pub(super) fn last_batch(&self, header: &BatchHeader) -> &[u8] {
        let end = (self.position - self.buffer_at) as usize;
        &self.buffer[end - header.total_len()..end]
    }

    /// Where batches are read, more and more is read ahead.
    fn further(&self, read: usize) -> usize {
        (2 * self.ahead_before + read).min(self.chunk)
    }

    fn step(
        &mut self,
        check: impl FnOnce(&[u8]) -> Result<BatchHeader, BatchError>,
        needed: usize,
    ) -> io::Result<Step> {
        let position = self.position;
        let available = (self.end - position) as usize;
        if available == 0 {
            return Ok(Step::End);
        }
        let bytes = self.bytes_at(position, needed.min(available))?;
        let header = match check(bytes) {
            Ok(header) => header,
            Err(error) => return Ok(Step::Broken { position, error }),
        };
        if header.total_len() > available {
            let error = BatchError::Truncated { needed: header.total_len(), available };
            return Ok(Step::Broken { position, error });
        }
        self.position += header.total_len() as u64;
        Ok(Step::Batch { position, header })
    }

    /// `needed` bytes from `position` on, read ahead by a chunk.
    fn bytes_at(&mut self, position: u64, needed: usize) -> io::Result<&[u8]> {
        let covered = self.buffer_at + self.buffered as u64;
        if position < self.buffer_at || position + needed as u64 > covered {
            let len = needed.max(self.ahead).min((self.end - position) as usize);
            if self.buffer.len() < len {
                self.buffer.resize(len, 0);
            }
            (self.buffer_at, self.buffered) = (position, 0);
            if self.file.read_at(&mut self.buffer[..len], position)? < len {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.buffered = len;
        }
        let start = (position - self.buffer_at) as usize;
        Ok(&self.buffer[start..start + needed])
    }
}

/// The error for a batch that should have been whole: what lay on the disk has changed.
pub(super) fn damaged(position: u64, error: BatchError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("damaged at byte {position}: {error}"))
}
