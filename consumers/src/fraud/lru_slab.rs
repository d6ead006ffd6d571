//! A bounded set of things known by an id: cards, terminals. Ids are strings on the wire and small
//! numbers inside.
//!
//! It evicts the *least recently used*, as any LRU cache does, but not one by one: when it is full,
//! a quarter goes at once, so that no list need be kept in the order of use. It does two things
//! that neither a crate such as `lru` nor [`processor::bounded`] does: an entry keeps its slot for
//! as long as it lives, so that others can refer to it by a number of eight bytes; and slabs that
//! start from one snapshot share it, and copy an entry only when they use it (*copy on write*). The
//! snapshot is on the disk: in time each entry of it is used by one of them.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::HashTable;
use processor::bounded::FixedHasher;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::slab_snapshot::{SlabSnapshot, SnapshotEntry};
use super::spill::SpillFile;

/// The place of an entry. It stays valid until the entry is evicted; then it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId {
    index: u32,
    generation: u32,
}

impl SlotId {
    /// A number for this slot, the same for as long as the entry lives.
    pub(super) fn number(self) -> u32 {
        self.index
    }

    /// The two numbers that it consists of.
    pub(super) fn to_numbers(self) -> [u32; 2] {
        [self.index, self.generation]
    }

    /// Of what [`to_numbers`](Self::to_numbers) gave.
    pub(super) fn of_numbers([index, generation]: [u32; 2]) -> Self {
        Self { index, generation }
    }
}

#[derive(Clone, Debug)]
struct Entry<T> {
    id: Box<str>,
    generation: u32,
    /// The number of the access that used it last: the least recently used has the smallest.
    last_access: u64,
    value: T,
}

#[derive(Clone, Debug)]
enum Slot<T> {
    Occupied(Box<Entry<T>>),
    /// Free; the next entry is of this generation.
    Free(u32),
    /// As it is in the snapshot.
    Shared,
}

/// Whether an entry was there when it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Known,
    /// It was copied from the snapshot just now.
    Copied,
    New,
}

/// At most `capacity` entries. When one more comes, the least recently used quarter is evicted.
///
/// A slab can [start from a snapshot](Self::starting_from): entries that are shared with other
/// slabs until they are used. Only then are they copied, so that ten detectors with one snapshot
/// take little more room than one. Slots of the snapshot stay valid.
#[derive(Clone, Debug)]
pub(super) struct LruSlab<T> {
    capacity: usize,
    snapshot: Option<Arc<SlabSnapshot>>,
    /// The slots of all entries, by the id in each.
    index: HashTable<u32>,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    accesses: u64,
    evicted: u64,
}

impl<T: Default + Serialize + DeserializeOwned> LruSlab<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        Self {
            capacity,
            snapshot: None,
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            accesses: 0,
            evicted: 0,
        }
    }

    /// A slab that begins with what is in `snapshot`.
    pub(super) fn starting_from(snapshot: &Arc<SlabSnapshot>, capacity: usize) -> Self {
        let mut slots: Vec<Slot<T>> = (0..snapshot.slots()).map(|_| Slot::Shared).collect();
        for &(index, generation) in &snapshot.free {
            slots[index as usize] = Slot::Free(generation);
        }
        Self {
            snapshot: Some(Arc::clone(snapshot)),
            slots,
            free: snapshot.free.iter().map(|&(index, _)| index).collect(),
            accesses: snapshot.accesses,
            ..Self::new(capacity)
        }
    }

    /// What is known, for others to start from.
    ///
    /// # Panics
    /// When this slab itself began from a snapshot.
    pub(super) fn into_snapshot(self, spill: &Arc<SpillFile>) -> SlabSnapshot {
        assert!(self.snapshot.is_none(), "a slab that started from a snapshot is not frozen again");
        let Self { index, slots, free, accesses, .. } = self;
        let generation = |index: u32| match slots[index as usize] {
            Slot::Free(generation) => (index, generation),
            Slot::Occupied(_) | Slot::Shared => panic!("slot {index} is on the list of free ones"),
        };
        let free = free.into_iter().map(generation).collect();
        let entries = slots.into_iter().map(|slot| match slot {
            Slot::Occupied(entry) => {
                let Entry { id, generation, value, .. } = *entry;
                Some(SnapshotEntry { id, generation, value })
            }
            Slot::Free(_) | Slot::Shared => None,
        });
        SlabSnapshot::new(spill, entries, (index, free, accesses))
    }

    /// All that is known, and an empty slab in its place.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.capacity);
        std::mem::replace(self, empty)
    }

    /// The slot of this id; its entry is new if it was not known.
    pub(super) fn get_or_insert(&mut self, id: &str) -> (SlotId, Lookup) {
        self.accesses += 1;
        if let Some(index) = self.find(id)
            && let Slot::Occupied(entry) = &mut self.slots[index as usize]
        {
            entry.last_access = self.accesses;
            return (SlotId { index, generation: entry.generation }, Lookup::Known);
        }
        if self.index.len() >= self.capacity {
            self.evict_quarter();
        }
        let shared = self.snapshot.as_ref().and_then(|snapshot| snapshot.find(hash(id), id));
        if let Some((index, entry)) =
            shared.filter(|&(index, _)| matches!(self.slots[index as usize], Slot::Shared))
        {
            let generation = entry.generation;
            self.copy(index, entry);
            return (SlotId { index, generation }, Lookup::Copied);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free(0));
            (self.slots.len() - 1) as u32
        });
        let Slot::Free(generation) = self.slots[index as usize] else {
            panic!("slot {index} is on the list of free ones, and is not free")
        };
        let entry = Entry { id: id.into(), generation, last_access: self.accesses, value: T::default() };
        self.occupy(index, entry);
        (SlotId { index, generation }, Lookup::New)
    }

    /// The entry in this slot, unless it was evicted.
    pub(super) fn get_mut(&mut self, slot: SlotId) -> Option<&mut T> {
        if matches!(self.slots.get(slot.index as usize)?, Slot::Shared) {
            let entry = self.snapshot.as_ref()?.entry(slot.index)?;
            self.copy(slot.index, entry);
        }
        match &mut self.slots[slot.index as usize] {
            Slot::Occupied(entry) if entry.generation == slot.generation => Some(&mut entry.value),
            _ => None,
        }
    }

    /// Takes over the snapshot's entry of this slot.
    fn copy(&mut self, index: u32, SnapshotEntry { id, generation, value }: SnapshotEntry<T>) {
        self.occupy(index, Entry { id, generation, last_access: self.accesses, value });
    }

    /// The slot of the entry with this id.
    fn find(&self, id: &str) -> Option<u32> {
        self.index.find(hash(id), |&index| id_in(&self.slots, index) == id).copied()
    }

    fn occupy(&mut self, index: u32, entry: Entry<T>) {
        let hashed = hash(&entry.id);
        self.slots[index as usize] = Slot::Occupied(Box::new(entry));
        let slots = &self.slots;
        self.index.insert_unique(hashed, index, |&index| hash(id_in(slots, index)));
    }

    /// Everything that is known now.
    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Occupied(entry) => Some(&entry.value),
            Slot::Free(_) | Slot::Shared => None,
        })
    }

    /// How many were evicted for want of room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn evict_quarter(&mut self) {
        let mut known: Vec<(u64, u32)> = self
            .slots
            .iter()
            .zip(0..)
            .filter_map(|(slot, index)| match slot {
                Slot::Occupied(entry) => Some((entry.last_access, index)),
                Slot::Free(_) | Slot::Shared => None,
            })
            .collect();
        known.sort_unstable();
        known.truncate(self.capacity.div_ceil(4));
        for (_, index) in known {
            let slot = &mut self.slots[index as usize];
            let Slot::Occupied(entry) = slot else { unreachable!("only occupied slots were listed") };
            if let Ok(found) = self.index.find_entry(hash(&entry.id), |&known| known == index) {
                found.remove();
            }
            *slot = Slot::Free(entry.generation + 1);
            self.free.push(index);
            self.evicted += 1;
        }
    }
}

fn hash(id: &str) -> u64 {
    FixedHasher::default().hash_one(id)
}

/// The id of the entry in this slot; nothing is in the index whose slot has none.
fn id_in<T>(slots: &[Slot<T>], index: u32) -> &str {
    match &slots[index as usize] {
        Slot::Occupied(entry) => &entry.id,
        Slot::Free(_) | Slot::Shared => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_are_evicted_and_their_slots_find_nothing() {
        let mut slab: LruSlab<u32> = LruSlab::new(4);
        let slots: Vec<SlotId> = ["a", "b", "c", "d"].map(|id| slab.get_or_insert(id).0).into();
        *slab.get_mut(slots[0]).unwrap() = 7;
        slab.get_or_insert("a");
        let (e, _) = slab.get_or_insert("e");
        assert_eq!(slab.find("b"), None, "b was the least recently used");
        assert_eq!(slab.get_mut(slots[1]), None, "an old slot does not find its new entry");
        assert_eq!(e.number(), slots[1].number(), "room is used again");
        assert_eq!(slab.get_mut(slots[0]), Some(&mut 7));
        assert_eq!((slab.evicted(), slab.index.len(), slab.slots.len()), (1, 4, 4));
    }

    #[test]
    fn a_snapshot_is_shared_until_an_entry_is_used() {
        let mut before: LruSlab<u32> = LruSlab::new(4);
        let (a, b) = (before.get_or_insert("a").0, before.get_or_insert("b").0);
        *before.get_mut(a).unwrap() = 7;
        let snapshot = Arc::new(before.into_snapshot(&Arc::default()));
        let start = || LruSlab::<u32>::starting_from(&snapshot, 4);
        let (mut one, mut other) = (start(), start());
        assert_eq!(one.get_or_insert("a"), (a, Lookup::Copied));
        assert_eq!(one.get_or_insert("a"), (a, Lookup::Known));
        *one.get_mut(a).unwrap() += 1;
        assert_eq!((one.get_mut(a), other.get_mut(a)), (Some(&mut 8), Some(&mut 7)), "each has its own");
        let (c, lookup) = one.get_or_insert("c");
        assert_eq!(lookup, Lookup::New);
        assert!(c != a && c != b, "slots of the snapshot are not given away");
        for id in ["d", "e", "f", "g"] {
            one.get_or_insert(id);
        }
        assert_eq!(one.get_mut(a), None, "a was evicted, and does not come back as it was");
        assert_eq!(one.get_or_insert("a").1, Lookup::New);
    }

    #[test]
    fn what_is_put_aside_is_what_was_known_and_none_of_it_is_in_memory() {
        let mut before: LruSlab<Vec<u32>> = LruSlab::new(3_000);
        for number in 0..3_500_u32 {
            let slot = before.get_or_insert(&format!("id {number}")).0;
            *before.get_mut(slot).unwrap() = vec![number; number as usize % 5];
        }
        let mut known = before.clone();
        let spill = Arc::default();
        let snapshot = Arc::new(before.into_snapshot(&spill));
        assert!(snapshot.is_on_disk());
        let mut after = LruSlab::<Vec<u32>>::starting_from(&snapshot, 3_000);
        // The newest first: an id that was forgotten takes the room of none that is looked for.
        for number in (0..3_500_u32).rev() {
            let id = format!("id {number}");
            let was_known = known.find(&id).is_some();
            let slot = known.get_or_insert(&id).0;
            let (found, lookup) = after.get_or_insert(&id);
            assert_eq!(lookup, if was_known { Lookup::Copied } else { Lookup::New }, "{id}");
            if was_known {
                assert_eq!((found, after.get_mut(found)), (slot, known.get_mut(slot)), "{id}");
            }
        }
    }
}
