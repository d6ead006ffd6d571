//! The entries of a slab, put aside on the disk for several slabs to start from: each reads an
//! entry when it first needs it.

use std::sync::Arc;

use hashbrown::HashTable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::spill::{SpillFile, Spilled};

/// The slots whose entries are written together.
const TOGETHER: usize = 1_024;

/// An entry that was put aside.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SnapshotEntry<T> {
    pub(super) id: Box<str>,
    pub(super) generation: u32,
    pub(super) value: T,
}

/// The entries by their slots, and where each is found by its id.
#[derive(Debug)]
pub(super) struct SlabSnapshot {
    index: HashTable<u32>,
    written: Vec<Spilled<1>>,
    /// Where the entry of each slot ends among those that it was written with.
    ends: Box<[u32]>,
    /// The slots without an entry, each with the generation of the next.
    pub(super) free: Vec<(u32, u32)>,
    /// The accesses that there were.
    pub(super) accesses: u64,
}

impl SlabSnapshot {
    /// Puts aside what `slots` give: the entry of each, or none where one is free. `index` finds a
    /// slot by the hash of its id.
    pub(super) fn new<T: Serialize>(
        spill: &Arc<SpillFile>,
        slots: impl ExactSizeIterator<Item = Option<SnapshotEntry<T>>>,
        (index, free, accesses): (HashTable<u32>, Vec<(u32, u32)>, u64),
    ) -> Self {
        let mut ends = Vec::with_capacity(slots.len());
        let (mut written, mut bytes) = (Vec::new(), Vec::new());
        for slot in slots {
            if ends.len() % TOGETHER == 0 && !ends.is_empty() {
                written.push(Spilled::of_bytes(spill, std::mem::take(&mut bytes)));
            }
            if let Some(entry) = slot {
                bytes =
                    postcard::to_extend(&entry, bytes).expect("what is known of an id has a form in bytes");
            }
            ends.push(u32::try_from(bytes.len()).expect("a thousand entries take less than 4 GiB"));
        }
        written.push(Spilled::of_bytes(spill, bytes));
        Self { index, written, ends: ends.into(), free, accesses }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.ends.len()
    }

    /// The slot of this id, and its entry. `hash` is that of the id.
    pub(super) fn find<T: DeserializeOwned>(&self, hash: u64, id: &str) -> Option<(u32, SnapshotEntry<T>)> {
        let mut found = None;
        let index = self.index.find(hash, |&index| {
            found = self.entry(index).filter(|entry| *entry.id == *id);
            found.is_some()
        })?;
        Some((*index, found?))
    }

    /// The entry of this slot, if it has one.
    pub(super) fn entry<T: DeserializeOwned>(&self, index: u32) -> Option<SnapshotEntry<T>> {
        let index = index as usize;
        let from = if index.is_multiple_of(TOGETHER) { 0 } else { self.ends[index - 1] as usize };
        let to = self.ends[index] as usize;
        if from == to {
            return None;
        }
        let bytes = self.written[index / TOGETHER].range(from, to - from);
        Some(postcard::from_bytes(&bytes).expect("all bytes that were put aside"))
    }

    /// Whether all of it could be written.
    #[cfg(test)]
    pub(super) fn is_on_disk(&self) -> bool {
        self.written.iter().all(Spilled::is_on_disk)
    }
}
