//! The time index: from a timestamp to an offset.
//!
//! Producers' clocks are not in step, so timestamps in a log go up and down. An entry therefore
//! says "up to this offset no record is later than this": the running maximum, which only rises.
//! A lookup finds the last entry not later than the wanted time; the first record that is late
//! enough stands behind it.
//!
//! # The `.timeindex` file (big-endian, Kafka's)
//!
//! ```text
//!  byte  size  field
//!     0     8  largest timestamp so far, ms since 1970
//!     8     4  last offset of the batch that has it, relative to the segment's base offset
//! ```
//! and so on, twelve bytes an entry, timestamps rising. A closed segment's last entry is its
//! largest timestamp.

/// Bytes of one entry on disk.
const ENTRY_LEN: usize = 12;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeEntry {
    /// ms since 1970.
    pub(super) timestamp_ms: i64,
    /// Last offset of the batch that has it, relative to the segment's base.
    pub(super) relative_offset: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TimeIndex {
    entries: Vec<TimeEntry>,
}

impl TimeIndex {
    /// Adds an entry unless it says nothing new.
    pub(super) fn push(&mut self, entry: TimeEntry) -> bool {
        let follows = self.entries.last().is_none_or(|last| {
            last.timestamp_ms < entry.timestamp_ms && last.relative_offset < entry.relative_offset
        });
        if follows {
            self.entries.push(entry);
        }
        follows
    }

    /// From which relative offset on to look for a record at `timestamp_ms` or later.
    pub(super) fn lookup(&self, timestamp_ms: i64) -> u32 {
        let after = self.entries.partition_point(|entry| entry.timestamp_ms <= timestamp_ms);
        after.checked_sub(1).map_or(0, |index| self.entries[index].relative_offset)
    }

    /// The newest entry.
    pub(super) fn last(&self) -> Option<TimeEntry> {
        self.entries.last().copied()
    }

    /// Drops entries for `relative_offset` or beyond.
    pub(super) fn truncate(&mut self, relative_offset: u32) {
        let keep = self.entries.partition_point(|entry| entry.relative_offset < relative_offset);
        self.entries.truncate(keep);
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Entries from the `from`th on, as they stand on disk.
    pub(super) fn encode(&self, from: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in self.entries.get(from..).unwrap_or_default() {
            bytes.extend_from_slice(&entry.timestamp_ms.to_be_bytes());
            bytes.extend_from_slice(&entry.relative_offset.to_be_bytes());
        }
        bytes
    }

    /// Reads a file; `None` when it can't be a time index.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (chunks, []) = bytes.as_chunks::<ENTRY_LEN>() else { return None };
        let mut index = Self { entries: Vec::with_capacity(chunks.len()) };
        for &[a, b, c, d, e, f, g, h, i, j, k, l] in chunks {
            let entry = TimeEntry {
                timestamp_ms: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
                relative_offset: u32::from_be_bytes([i, j, k, l]),
            };
            if !index.push(entry) {
                return None;
            }
        }
        Some(index)
    }

    /// Where entry `count` stands on disk.
    pub(super) fn file_position(count: usize) -> u64 {
        (count * ENTRY_LEN) as u64
    }

    /// Gives back memory that further entries would have used.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }
}
