//! The offset index: from an offset to a place in the segment's file.
//!
//! It is sparse, one entry for about four kilobytes of log, so a lookup finds a batch at or before
//! the wanted one and the reader walks on from there. The entries are kept in memory; the file is
//! only there to spare the next start a walk through the whole segment.
//!
//! # The `.index` file (big-endian, Kafka's)
//!
//! ```text
//!  byte  size  field
//!     0     4  offset of a batch's last record, relative to the segment's base offset
//!     4     4  where in the segment's file that batch begins
//! ```
//! and so on, eight bytes an entry, both columns rising.
//!
//! # Simplifications
//!
//! Kafka maps the file into memory, allocated in advance; here it has the length of what is in it.

/// Bytes of one entry on disk.
const ENTRY_LEN: usize = 8;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetEntry {
    /// Last offset of the batch, relative to the segment's base.
    pub(super) relative_offset: u32,
    /// Where the batch begins.
    pub(super) position: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OffsetIndex {
    entries: Vec<OffsetEntry>,
}

impl OffsetIndex {
    /// Adds an entry; `false` (and nothing is added) if it does not come after the last one.
    pub(super) fn push(&mut self, entry: OffsetEntry) -> bool {
        let follows = self.entries.last().is_none_or(|last| {
            last.relative_offset < entry.relative_offset && last.position < entry.position
        });
        if follows {
            self.entries.push(entry);
        }
        follows
    }

    /// Where to start looking for `relative_offset`: the last entry not after it,
    /// or the segment's beginning.
    pub(super) fn lookup(&self, relative_offset: u32) -> u32 {
        let after = self.entries.partition_point(|entry| entry.relative_offset <= relative_offset);
        after.checked_sub(1).map_or(0, |index| self.entries[index].position)
    }

    /// The last known batch boundary at or before `position`.
    pub(super) fn boundary_before(&self, position: u64) -> u64 {
        let after = self.entries.partition_point(|entry| u64::from(entry.position) <= position);
        after.checked_sub(1).map_or(0, |index| u64::from(self.entries[index].position))
    }

    /// The newest entry.
    pub(super) fn last(&self) -> Option<OffsetEntry> {
        self.entries.last().copied()
    }

    /// Drops entries that reach `relative_offset` or beyond.
    pub(super) fn truncate(&mut self, relative_offset: u32) {
        let keep = self.entries.partition_point(|entry| entry.relative_offset < relative_offset);
        self.entries.truncate(keep);
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes they take on disk.
    pub(super) fn byte_len(&self) -> usize {
        self.entries.len() * ENTRY_LEN
    }

    /// Entries from the `from`th on, as they stand on disk.
    pub(super) fn encode(&self, from: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.byte_len());
        for entry in self.entries.get(from..).unwrap_or_default() {
            bytes.extend_from_slice(&entry.relative_offset.to_be_bytes());
            bytes.extend_from_slice(&entry.position.to_be_bytes());
        }
        bytes
    }

    /// Reads a file; `None` when it can't be the index of a segment of `segment_len` bytes.
    pub(super) fn decode(bytes: &[u8], segment_len: u64) -> Option<Self> {
        let (chunks, []) = bytes.as_chunks::<ENTRY_LEN>() else { return None };
        let mut index = Self { entries: Vec::with_capacity(chunks.len()) };
        for &[a, b, c, d, e, f, g, h] in chunks {
            let entry = OffsetEntry {
                relative_offset: u32::from_be_bytes([a, b, c, d]),
                position: u32::from_be_bytes([e, f, g, h]),
            };
            if u64::from(entry.position) >= segment_len || !index.push(entry) {
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
