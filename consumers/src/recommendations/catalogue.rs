//! Names of items, each once: everywhere else an item is a number of four bytes.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashMap;

/// An item: the slot of its data in the low 24 bits, the slot's generation in the high 8.
///
/// A slot that is given to another item gets the next generation, so whoever still holds the old
/// number can tell that the item it meant is gone. (After 256 changes of one slot a number comes
/// again; what it costs is one odd item.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ItemId(u32);

const SLOT_BITS: u32 = 24;

impl ItemId {
    /// No item: nobody knows it, whatever is in the catalogue.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);

    /// Where the item's data stands in arrays.
    pub(super) fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }

    /// The number itself.
    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn new(slot: usize, generation: u8) -> Self {
        Self(slot as u32 | u32::from(generation) << SLOT_BITS)
    }
}

/// All items known now.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    capacity: usize,
    ids: HashMap<Arc<str>, ItemId>,
    /// By slot.
    names: Vec<Arc<str>>,
    /// By slot; apart from the names, since it is looked at for every item that is about to be
    /// proposed.
    generations: Vec<u8>,
    /// By slot: a hash of the name, by which an item is recognised that was forgotten and met
    /// again.
    tags: Vec<u32>,
    /// By slot: whether the item was met since the hand last came by.
    met: Vec<bool>,
    /// Where the search for a slot to give away goes on.
    hand: usize,
}

/// What [`Catalogue::meet`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    pub(super) item: ItemId,
    /// Whether the slot belonged to another item until now, whose data must be cleared away.
    pub(super) recycled: bool,
}

impl Catalogue {
    pub(super) fn new(capacity: usize) -> Self {
        // The last slot there could be is that of no item.
        let capacity = capacity.clamp(1, (1 << SLOT_BITS) - 1);
        Self {
            capacity,
            ids: HashMap::new(),
            names: Vec::new(),
            generations: Vec::new(),
            tags: Vec::new(),
            met: Vec::new(),
            hand: 0,
        }
    }

    /// The number of an item, given to it now if it has none. When every slot is taken, one whose
    /// item was not met for a full turn of the hand is given away ("second chance", the oldest
    /// of page replacement algorithms).
    pub(super) fn meet(&mut self, name: &str) -> Meeting {
        if let Some(&item) = self.ids.get(name) {
            self.met[item.slot()] = true;
            return Meeting { item, recycled: false };
        }
        let tag = tag(name);
        let name: Arc<str> = name.into();
        let recycled = self.names.len() >= self.capacity;
        let item = if recycled {
            while std::mem::take(&mut self.met[self.hand]) {
                self.hand = (self.hand + 1) % self.capacity;
            }
            let slot = self.hand;
            self.hand = (self.hand + 1) % self.capacity;
            self.generations[slot] = self.generations[slot].wrapping_add(1);
            let gone = std::mem::replace(&mut self.names[slot], Arc::clone(&name));
            self.ids.remove(&gone);
            self.tags[slot] = tag;
            ItemId::new(slot, self.generations[slot])
        } else {
            self.names.push(Arc::clone(&name));
            self.generations.push(0);
            self.tags.push(tag);
            self.met.push(false);
            ItemId::new(self.names.len() - 1, 0)
        };
        self.ids.insert(name, item);
        Meeting { item, recycled }
    }

    /// The number of an item that is known; asking for it does not count as meeting it.
    pub(super) fn find(&self, name: &str) -> Option<ItemId> {
        self.ids.get(name).copied()
    }

    /// Whether the number still means the item it was given to.
    pub(super) fn knows(&self, item: ItemId) -> bool {
        self.generations
            .get(item.slot())
            .is_some_and(|&generation| ItemId::new(item.slot(), generation) == item)
    }

    /// The item's name; that of the slot's present item if the one meant is gone.
    pub(super) fn name(&self, item: ItemId) -> &str {
        &self.names[item.slot()]
    }

    /// A hash of the name of the slot's present item, the same whenever the item is met.
    pub(super) fn tag(&self, item: ItemId) -> u32 {
        self.tags[item.slot()]
    }

    /// The order among items that are equally good: by name, since numbers depend on who came
    /// first.
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
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_catalogue_gives_away_the_slot_of_an_item_nobody_met() {
        let mut catalogue = Catalogue::new(2);
        let kettle = catalogue.meet("kettle").item;
        let teapot = catalogue.meet("teapot").item;
        assert_eq!(catalogue.meet("kettle"), Meeting { item: kettle, recycled: false });

        let cup = catalogue.meet("cup");
        assert!(cup.recycled);
        assert_eq!(cup.item.slot(), teapot.slot(), "the kettle was met again, the teapot was not");
        assert!(catalogue.knows(kettle) && catalogue.knows(cup.item) && !catalogue.knows(teapot));
        assert_eq!(catalogue.find("teapot"), None);
        assert_eq!((catalogue.name(cup.item), catalogue.len()), ("cup", 2));
    }
}
