//! Names of items, each once: everywhere else an item is a number of four bytes.
//!
//! A full catalogue evicts by the CLOCK rule ("second chance"). No map of [`processor::bounded`]
//! does, because the item's number is an index into arrays of other modules: its slot must stay
//! while it lives, and be given to another item afterwards.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashMap;
use processor::bounded::fingerprint;

/// An item: the slot of its data in the low 24 bits, the slot's generation in the high 8.
///
/// A slot that is given to another item gets the next generation, so an old number can be told
/// from the number of the slot's present item. (After 256 changes of one slot a number comes again,
/// at the cost of one wrong item.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ItemId(u32);

const SLOT_BITS: u32 = 24;

impl ItemId {
    /// No item: no catalogue contains it.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);

    /// The index of the item's data in arrays.
    pub(super) fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }

    /// The number itself.
    pub(super) fn number(self) -> u32 {
        self.0
    }

    /// The item of this number.
    pub(super) fn of_number(number: u32) -> Self {
        Self(number)
    }

    pub(super) fn new(slot: usize, generation: u8) -> Self {
        Self(slot as u32 | u32::from(generation) << SLOT_BITS)
    }
}

/// All known items.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    capacity: usize,
    ids: HashMap<Arc<str>, ItemId>,
    /// By slot.
    names: Vec<Arc<str>>,
    /// By slot; apart from the names, since it is read for every item that may be proposed.
    generations: Vec<u8>,
    /// By slot: a hash of the name, by which an item is recognised that was evicted and inserted
    /// again.
    tags: Vec<u32>,
    /// By slot: CLOCK's reference bit, whether the item was used since the hand passed.
    referenced: Vec<bool>,
    /// CLOCK's hand: the slot at which the search for one to evict continues.
    hand: usize,
}

/// What [`Catalogue::get_or_insert`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) item: ItemId,
    /// Whether the slot belonged to another item until now, whose data must be cleared.
    pub(super) recycled: bool,
}

impl Catalogue {
    pub(super) fn new(capacity: usize) -> Self {
        // The last slot that a number can hold is that of no item.
        let capacity = capacity.clamp(1, (1 << SLOT_BITS) - 1);
        Self {
            capacity,
            ids: HashMap::new(),
            names: Vec::new(),
            generations: Vec::new(),
            tags: Vec::new(),
            referenced: Vec::new(),
            hand: 0,
        }
    }

    /// The number of an item, which it gets now if it has none. When every slot is taken, an item
    /// is evicted that was not used for a full turn of the hand.
    pub(super) fn get_or_insert(&mut self, name: &str) -> Lookup {
        if let Some(&item) = self.ids.get(name) {
            self.referenced[item.slot()] = true;
            return Lookup { item, recycled: false };
        }
        let tag = tag(name);
        let name: Arc<str> = name.into();
        let recycled = self.names.len() >= self.capacity;
        let item = if recycled {
            while std::mem::take(&mut self.referenced[self.hand]) {
                self.hand = (self.hand + 1) % self.capacity;
            }
            let slot = self.hand;
            self.hand = (self.hand + 1) % self.capacity;
            self.generations[slot] = self.generations[slot].wrapping_add(1);
            let evicted = std::mem::replace(&mut self.names[slot], Arc::clone(&name));
            self.ids.remove(&evicted);
            self.tags[slot] = tag;
            ItemId::new(slot, self.generations[slot])
        } else {
            self.names.push(Arc::clone(&name));
            self.generations.push(0);
            self.tags.push(tag);
            self.referenced.push(false);
            ItemId::new(self.names.len() - 1, 0)
        };
        self.ids.insert(name, item);
        assert_eq!(self.ids.len(), self.names.len(), "each slot has the name of one item");
        Lookup { item, recycled }
    }

    /// The number of a known item; this does not count as a use.
    pub(super) fn find(&self, name: &str) -> Option<ItemId> {
        self.ids.get(name).copied()
    }

    /// Whether the item of this number is known.
    pub(super) fn contains(&self, item: ItemId) -> bool {
        self.generations
            .get(item.slot())
            .is_some_and(|&generation| ItemId::new(item.slot(), generation) == item)
    }

    /// The item's name; that of the slot's present item if the item was evicted.
    pub(super) fn name(&self, item: ItemId) -> &str {
        &self.names[item.slot()]
    }

    /// A hash of the name of the slot's present item, the same whenever the item is inserted.
    pub(super) fn tag(&self, item: ItemId) -> u32 {
        self.tags[item.slot()]
    }

    /// The order among items with equal scores: by name, since numbers depend on the order of
    /// arrival.
    pub(super) fn by_name(&self, a: ItemId, b: ItemId) -> Ordering {
        self.name(a).cmp(self.name(b))
    }

    /// How many items are known.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

/// A hash that is the same in every run.
pub(super) fn tag(name: &str) -> u32 {
    fingerprint(name) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_catalogue_evicts_an_item_that_was_not_used() {
        let mut catalogue = Catalogue::new(2);
        let kettle = catalogue.get_or_insert("kettle").item;
        let teapot = catalogue.get_or_insert("teapot").item;
        assert_eq!(catalogue.get_or_insert("kettle"), Lookup { item: kettle, recycled: false });

        let cup = catalogue.get_or_insert("cup");
        assert!(cup.recycled);
        assert_eq!(cup.item.slot(), teapot.slot(), "the kettle was used again, the teapot was not");
        assert!(catalogue.contains(kettle) && catalogue.contains(cup.item) && !catalogue.contains(teapot));
        assert_eq!(catalogue.find("teapot"), None);
        assert_eq!((catalogue.name(cup.item), catalogue.len()), ("cup", 2));
    }
}
