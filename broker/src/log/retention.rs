//! Forgetting: by age, by size, and on request.
//!
//! Records leave a segment at a time, oldest first. A segment is as old as its *newest* record, by
//! the record's own timestamp, so nothing goes before its time.
//!
//! # Simplifications
//!
//! Kafka rolls by `segment.ms` and `segment.bytes` alone, and its active segment stays whatever
//! `retention.*` says, so that a topic "kept for seven seconds" keeps a week. Here a segment also
//! closes after `retention.ms`, or at half of `retention.bytes`: no client can see that, and a log
//! keeps at most twice the time and one and a half times the bytes that it should.

use protocol::records::Offset;

use super::segment::LogSegment;
use super::{Log, LogConfig, StorageError};

/// What retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeletedSegments {
    /// Segments.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl LogConfig {
    /// `retention.ms`, if old records are deleted at all.
    fn retention_ms(&self) -> Option<i64> {
        self.retention_ms.filter(|_| self.cleanup.delete)
    }

    /// `retention.bytes`, likewise.
    fn retention_bytes(&self) -> Option<u64> {
        self.retention_bytes.filter(|_| self.cleanup.delete)
    }

    /// After how much time a segment closes, in ms. In a compacted log no later than it must be
    /// compacted (KIP-354).
    pub(super) fn effective_segment_ms(&self) -> i64 {
        let lag = if self.cleanup.compact { self.max_compaction_lag_ms } else { i64::MAX };
        self.retention_ms().unwrap_or(i64::MAX).max(1).min(lag).min(self.segment_ms)
    }

    /// At how many bytes a segment closes. The largest batch fits in any case.
    pub(super) fn effective_segment_bytes(&self) -> u64 {
        let largest_batch = u64::from(self.max_message_bytes.min(self.segment_bytes));
        let wanted = u64::from(self.segment_bytes);
        self.retention_bytes().map_or(wanted, |retention| wanted.min(retention / 2).max(largest_batch))
    }
}

impl Log {
    /// Applies retention. `now_ms` counts from 1970.
    pub fn apply_retention(&mut self, now_ms: i64) -> Result<DeletedSegments, StorageError> {
        let mut deleted = DeletedSegments::default();
        if self.cleaning {
            return Ok(deleted);
        }
        // An active segment whose every record has expired makes room for an empty one first.
        if self.active().size > 0 && self.segments.iter().all(|segment| self.expired(segment, now_ms)) {
            self.roll()?;
        }
        while self.segments.len() > 1 && self.oldest_is_deletable(now_ms) {
            self.delete_oldest(&mut deleted)?;
        }
        Ok(deleted)
    }

    /// When [`Log::apply_retention`] next has something to do, ms since 1970; 0 when it has now.
    pub fn next_retention_ms(&self) -> Option<i64> {
        let oldest = &self.segments[0];
        if self.cleaning {
            return None;
        }
        if self.segments.len() > 1 && self.oldest_is_deletable(i64::MIN) {
            return Some(0);
        }
        let (largest, _) = oldest.max_timestamp.filter(|_| oldest.size > 0)?;
        Some(largest.saturating_add(self.config.retention_ms()?).saturating_add(1))
    }

    /// Removes records before `offset`, which must not be past the end. Whole segments go at once;
    /// inside a segment only the log start offset moves.
    pub fn delete_before(&mut self, offset: Offset) -> Result<DeletedSegments, StorageError> {
        assert!(offset <= self.log_end_offset(), "nothing past the end can be deleted: {offset}");
        let mut deleted = DeletedSegments::default();
        self.log_start_offset = self.log_start_offset.max(offset);
        // While it is cleaned, segments go when that is through.
        while !self.cleaning
            && self.segments.len() > 1
            && self.segments[1].base_offset <= self.log_start_offset
        {
            self.delete_oldest(&mut deleted)?;
        }
        Ok(deleted)
    }

    /// Whether the first of several segments is too much. `i64::MIN` asks for all but its age.
    fn oldest_is_deletable(&self, now_ms: i64) -> bool {
        let oldest = &self.segments[0];
        let too_large = self
            .config
            .retention_bytes()
            .is_some_and(|retention| self.size_bytes() - oldest.size >= retention);
        too_large
            || self.segments[1].base_offset <= self.log_start_offset
            || (now_ms > i64::MIN && self.expired(oldest, now_ms))
    }

    /// An empty segment holds nothing that could be too young.
    fn expired(&self, segment: &LogSegment, now_ms: i64) -> bool {
        let Some(retention_ms) = self.config.retention_ms() else { return false };
        segment.max_timestamp.is_none_or(|(largest, _)| now_ms.saturating_sub(largest) > retention_ms)
    }

    fn delete_oldest(&mut self, deleted: &mut DeletedSegments) -> Result<(), StorageError> {
        assert!(self.segments.len() > 1, "the active segment is never removed");
        self.segments[0].remove(&*self.storage)?;
        let gone = self.segments.remove(0);
        deleted.segments += 1;
        deleted.bytes += gone.size;
        self.log_start_offset = self.log_start_offset.max(self.segments[0].base_offset);
        assert!(
            self.log_start_offset <= self.log_end_offset(),
            "retention moved the log's start to {}, behind its end",
            self.log_start_offset
        );
        Ok(())
    }
}
