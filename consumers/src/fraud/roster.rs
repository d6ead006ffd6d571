//! A bounded set of things known by an id: cards, terminals. Ids are strings on the wire and small numbers inside.

use std::hash::{BuildHasherDefault, DefaultHasher};

use hashbrown::HashMap;

/// A map whose hashes are the same in every run. Nothing here depends on the order of a map, and if something ever did by
/// mistake, it would still be deterministic.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Where a thing stands. It stays valid until the thing is forgotten; then it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    index: u32,
    generation: u32,
}

impl Slot {
    /// A number for this slot, the same for as long as the thing is known.
    pub(super) fn number(self) -> u32 {
        self.index
    }
}

#[derive(Clone, Debug)]
struct Member<T> {
    id: Box<str>,
    generation: u32,
    /// The number of the last visit: the least is the longest unseen.
    visit: u64,
    value: T,
}

/// At most `capacity` things. When one more comes, the quarter that was not seen for the longest is forgotten.
#[derive(Clone, Debug)]
pub(super) struct Roster<T> {
    capacity: usize,
    slots: Map<Box<str>, u32>,
    members: Vec<Member<T>>,
    free: Vec<u32>,
    visits: u64,
    forgotten: u64,
}

impl<T: Default> Roster<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        Self {
            capacity,
            slots: Map::default(),
            members: Vec::new(),
            free: Vec::new(),
            visits: 0,
            forgotten: 0,
        }
    }

    /// The thing of this id, new if it was not known.
    pub(super) fn visit(&mut self, id: &str) -> Slot {
        self.visits += 1;
        if let Some(&index) = self.slots.get(id) {
            let member = &mut self.members[index as usize];
            member.visit = self.visits;
            return Slot { index, generation: member.generation };
        }
        if self.slots.len() >= self.capacity {
            self.forget_a_quarter();
        }
        let member = Member { id: id.into(), generation: 0, visit: self.visits, value: T::default() };
        let index = if let Some(index) = self.free.pop() {
            let generation = self.members[index as usize].generation;
            self.members[index as usize] = Member { generation, ..member };
            index
        } else {
            self.members.push(member);
            (self.members.len() - 1) as u32
        };
        self.slots.insert(id.into(), index);
        Slot { index, generation: self.members[index as usize].generation }
    }

    /// The thing in this slot, unless it was forgotten.
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let member = self.members.get_mut(slot.index as usize)?;
        (member.generation == slot.generation).then_some(&mut member.value)
    }

    /// How many were forgotten for want of room.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn forget_a_quarter(&mut self) {
        let mut known: Vec<(u64, u32)> =
            self.slots.values().map(|&index| (self.members[index as usize].visit, index)).collect();
        known.sort_unstable();
        known.truncate(self.capacity.div_ceil(4));
        for (_, index) in known {
            let member = &mut self.members[index as usize];
            self.slots.remove(&*member.id);
            member.generation += 1;
            member.value = T::default();
            member.id = Box::default();
            self.free.push(index);
            self.forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unseen_are_forgotten_and_their_slots_find_nothing() {
        let mut roster: Roster<u32> = Roster::new(4);
        let slots: Vec<Slot> = ["a", "b", "c", "d"].map(|id| roster.visit(id)).into();
        *roster.get_mut(slots[0]).unwrap() = 7;
        roster.visit("a");
        let e = roster.visit("e");
        assert!(!roster.slots.contains_key("b"), "b was not seen for the longest");
        assert_eq!(roster.get_mut(slots[1]), None, "an old slot does not find who lives there now");
        assert_eq!(e.number(), slots[1].number(), "room is used again");
        assert_eq!(roster.get_mut(slots[0]), Some(&mut 7));
        assert_eq!((roster.forgotten(), roster.slots.len(), roster.members.len()), (1, 4, 4));
    }
}
