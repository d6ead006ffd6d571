//! A bounded set of things known by an id: cards, terminals. Ids are strings on the wire and small
//! numbers inside.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use hashbrown::HashMap;

/// A map whose hashes are the same in every run. Nothing here depends on the order of a map, and if
/// something ever did by mistake, it would still be deterministic.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// The number that stands for an id, the same in every run.
pub(super) fn hash(id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

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

/// Where a thing sits, or could.
#[derive(Clone, Debug)]
enum Seat<T> {
    Taken(Box<Member<T>>),
    /// Nobody's; who comes next is of this generation.
    Free(u32),
    /// It is as it was in the past.
    Past,
}

/// Whether a thing was known when it was visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    Again,
    /// For the first time since the past.
    SincePast,
    Never,
}

/// At most `capacity` things. When one more comes, the quarter that was not seen for the longest is
/// forgotten.
///
/// A roster can begin with a [past](Self::since): things that are shared with other rosters until
/// they are visited. Only then are they copied, so that ten detectors with one past take little
/// more room than one. Slots of the past stay valid.
#[derive(Clone, Debug)]
pub(super) struct Roster<T> {
    capacity: usize,
    past: Option<Arc<Roster<T>>>,
    slots: Map<Box<str>, u32>,
    seats: Vec<Seat<T>>,
    free: Vec<u32>,
    visits: u64,
    forgotten: u64,
}

impl<T: Default + Clone> Roster<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        Self {
            capacity,
            past: None,
            slots: Map::default(),
            seats: Vec::new(),
            free: Vec::new(),
            visits: 0,
            forgotten: 0,
        }
    }

    /// A roster that begins as `past` was.
    pub(super) fn since(past: &Arc<Self>) -> Self {
        let seat = |seat: &Seat<T>| match seat {
            Seat::Free(generation) => Seat::Free(*generation),
            Seat::Taken(_) | Seat::Past => Seat::Past,
        };
        Self {
            past: Some(Arc::clone(past)),
            seats: past.seats.iter().map(seat).collect(),
            free: past.free.clone(),
            visits: past.visits,
            ..Self::new(past.capacity)
        }
    }

    /// Whether it began with nothing.
    pub(super) fn is_first(&self) -> bool {
        self.past.is_none()
    }

    /// All that is known, and an empty roster in its place.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(self.capacity);
        std::mem::replace(self, empty)
    }

    /// The thing of this id, new if it was not known.
    pub(super) fn visit(&mut self, id: &str) -> (Slot, Met) {
        self.visits += 1;
        if let Some(&index) = self.slots.get(id)
            && let Seat::Taken(member) = &mut self.seats[index as usize]
        {
            member.visit = self.visits;
            return (Slot { index, generation: member.generation }, Met::Again);
        }
        if self.slots.len() >= self.capacity {
            self.forget_a_quarter();
        }
        let in_past = self.past.as_ref().and_then(|past| past.slots.get(id).copied());
        if let Some(index) = in_past.filter(|&index| matches!(self.seats[index as usize], Seat::Past)) {
            let generation = self.copy(index).expect("what has an id in the past sits there");
            return (Slot { index, generation }, Met::SincePast);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.seats.push(Seat::Free(0));
            (self.seats.len() - 1) as u32
        });
        let Seat::Free(generation) = self.seats[index as usize] else { unreachable!("it is free") };
        let member = Member { id: id.into(), generation, visit: self.visits, value: T::default() };
        self.seats[index as usize] = Seat::Taken(Box::new(member));
        self.slots.insert(id.into(), index);
        (Slot { index, generation }, Met::Never)
    }

    /// The thing in this slot, unless it was forgotten.
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        if matches!(self.seats.get(slot.index as usize)?, Seat::Past) {
            self.copy(slot.index);
        }
        match &mut self.seats[slot.index as usize] {
            Seat::Taken(member) if member.generation == slot.generation => Some(&mut member.value),
            _ => None,
        }
    }

    /// Makes what sits here in the past this roster's own, and gives its generation.
    fn copy(&mut self, index: u32) -> Option<u32> {
        let past = self.past.as_ref()?;
        let Seat::Taken(member) = &past.seats[index as usize] else { return None };
        let member = Member { visit: self.visits, ..(**member).clone() };
        let generation = member.generation;
        self.slots.insert(member.id.clone(), index);
        self.seats[index as usize] = Seat::Taken(Box::new(member));
        Some(generation)
    }

    /// Everything that is known now.
    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.seats.iter().filter_map(|seat| match seat {
            Seat::Taken(member) => Some(&member.value),
            Seat::Free(_) | Seat::Past => None,
        })
    }

    /// How many were forgotten for want of room.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn forget_a_quarter(&mut self) {
        let mut known: Vec<(u64, u32)> = self
            .seats
            .iter()
            .zip(0..)
            .filter_map(|(seat, index)| match seat {
                Seat::Taken(member) => Some((member.visit, index)),
                Seat::Free(_) | Seat::Past => None,
            })
            .collect();
        known.sort_unstable();
        known.truncate(self.capacity.div_ceil(4));
        for (_, index) in known {
            let seat = &mut self.seats[index as usize];
            let Seat::Taken(member) = seat else { unreachable!("only what is taken was listed") };
            self.slots.remove(&*member.id);
            *seat = Seat::Free(member.generation + 1);
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
        let slots: Vec<Slot> = ["a", "b", "c", "d"].map(|id| roster.visit(id).0).into();
        *roster.get_mut(slots[0]).unwrap() = 7;
        roster.visit("a");
        let (e, _) = roster.visit("e");
        assert!(!roster.slots.contains_key("b"), "b was not seen for the longest");
        assert_eq!(roster.get_mut(slots[1]), None, "an old slot does not find who lives there now");
        assert_eq!(e.number(), slots[1].number(), "room is used again");
        assert_eq!(roster.get_mut(slots[0]), Some(&mut 7));
        assert_eq!((roster.forgotten(), roster.slots.len(), roster.seats.len()), (1, 4, 4));
    }

    #[test]
    fn a_past_is_shared_until_it_is_visited() {
        let mut past: Roster<u32> = Roster::new(4);
        let (a, b) = (past.visit("a").0, past.visit("b").0);
        *past.get_mut(a).unwrap() = 7;
        let past = Arc::new(past);
        let (mut one, mut other) = (Roster::since(&past), Roster::since(&past));
        assert_eq!(one.visit("a"), (a, Met::SincePast));
        assert_eq!(one.visit("a"), (a, Met::Again));
        *one.get_mut(a).unwrap() += 1;
        assert_eq!((one.get_mut(a), other.get_mut(a)), (Some(&mut 8), Some(&mut 7)), "each has its own");
        assert_eq!(one.visit("c").1, Met::Never);
        assert!(one.visit("c").0 != a && one.visit("c").0 != b, "seats of the past are not given away");
        for stranger in ["d", "e", "f", "g"] {
            one.visit(stranger);
        }
        assert_eq!(one.get_mut(a), None, "a was forgotten, and does not come back as it was");
        assert_eq!(one.visit("a").1, Met::Never);
    }
}
