//! A row of keys in the order of their hashes, each with the place of its newest record.
//!
//! A key belongs where its hash, as a fraction, lies in the row (its *home*), and stands there or
//! as little behind it as those before it need. A search ends at the first larger hash.
//!
//! ```text
//! homes    0    1    2    3    4    5    6    7  │ spare
//! before   .02  .15  .17  .40   -   .70  .72   - │  -      .16 comes: its home is 1
//! after    .02  .15  .16  .17  .40  .70  .72   - │  -      .17 and .40 have moved by one
//! ```
//!
//! Because it is in order, a row is made larger in one walk, and therefore by little at a time: by
//! an eighth, when 17 of 20 homes are taken.

use std::hint::black_box;

/// What is kept of a key. No array, for a pair stays in registers.
pub(super) type KeyHash = (u64, u64);

/// A key and where its newest record is. Packed, for `u64` would take four bytes more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    first: [u8; 8],
    second: [u8; 8],
    /// The place plus one; 0 when the slot is empty.
    noted: [u8; 4],
}

impl Slot {
    /// No hash is larger, so that a search ends here.
    const EMPTY: Self = Self { first: [0xff; 8], second: [0xff; 8], noted: [0; 4] };

    /// None for a place that is four billion or more.
    pub(super) fn new(hash: KeyHash, place: u64) -> Option<Self> {
        let noted = u32::try_from(place + 1).ok()?;
        Some(Self { first: hash.0.to_ne_bytes(), second: hash.1.to_ne_bytes(), noted: noted.to_ne_bytes() })
    }

    fn hash(&self) -> KeyHash {
        (self.first_word(), u64::from_ne_bytes(self.second))
    }

    fn first_word(&self) -> u64 {
        u64::from_ne_bytes(self.first)
    }

    /// None when the slot is empty.
    pub(super) fn place(&self) -> Option<u64> {
        u32::from_ne_bytes(self.noted).checked_sub(1).map(u64::from)
    }
}

/// So many of twenty homes may be taken.
const TWENTIETHS_TAKEN: usize = 17;
/// A row grows by one home for so many.
const GROWTH: usize = 8;
/// A row begins with so many homes.
const FIRST_HOMES: usize = 1 << 4;
/// A search seldom goes further.
const REACH: usize = 5;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct KeyRow {
    /// In order, with gaps. The last is always empty.
    slots: Vec<Slot>,
    /// How many of the slots the hashes are spread over. There are more for those that are behind.
    homes: usize,
    taken: usize,
    max_slots: usize,
}

impl KeyRow {
    /// One with at most so many slots (but with room for one key).
    pub(super) fn new(max_slots: usize) -> Self {
        let max_slots = max_slots.max(2);
        let homes = FIRST_HOMES.min(max_slots - 1);
        Self { slots: vec![Slot::EMPTY; homes + 1], homes, taken: 0, max_slots }
    }

    /// Notes a record. `false` when there is no room: its key is new and the row full.
    pub(super) fn put(&mut self, new: &Slot) -> bool {
        let hash = new.hash();
        let mut at = self.find(hash);
        if !self.is_at(hash, at) {
            if self.taken >= (self.homes * TWENTIETHS_TAKEN / 20).max(1) {
                if !self.grow() {
                    return false;
                }
                at = self.find(hash);
            }
            if !self.make_room(at) {
                return false;
            }
            self.taken += 1;
        }
        self.slots[at] = *new;
        true
    }

    /// Whether a record of this key was noted.
    pub(super) fn contains(&self, hash: KeyHash) -> bool {
        self.is_at(hash, self.find(hash))
    }

    /// All that is taken, in the order of the hashes.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().filter_map(Slot::place)
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Bytes that they take.
    pub(super) fn byte_len(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    /// Brings all of the row into the processor's cache: what is read in order, the processor
    /// fetches ahead by itself.
    pub(super) fn touch(&self) {
        // One byte of each 64, as much as a cache takes up at once.
        black_box(self.slots.iter().step_by(3).fold(0, |seen, slot| seen ^ slot.noted[0]));
    }

    /// Brings the slots where a search for this hash begins into the processor's cache. Answers
    /// with something that stands there, so that the compiler reads it.
    pub(super) fn touch_at(&self, hash: KeyHash) -> u8 {
        let (home, last) = (self.home(hash.0), self.slots.len() - 1);
        // Where a search begins, and 64 and 128 bytes further: the next two lines.
        self.slots[home].first[0]
            ^ self.slots[last.min(home + 3)].first[4]
            ^ self.slots[last.min(home + 6)].second[0]
    }

    fn home(&self, first_word: u64) -> usize {
        share(first_word, self.homes)
    }

    /// The slot of this hash, or the one where it belongs.
    fn find(&self, hash: KeyHash) -> usize {
        let mut at = self.home(hash.0);
        // The first few that are smaller are counted, without a branch for each: the processor
        // can't foresee where a search ends, and to go wrong costs more than to count.
        if let Some(near) = self.slots[at..].first_chunk::<REACH>() {
            at += near.iter().map(|slot| usize::from(slot.first_word() < hash.0)).sum::<usize>();
        }
        while self.slots[at].first_word() < hash.0 {
            at += 1;
        }
        while self.slots[at].first_word() == hash.0 && self.slots[at].hash() < hash {
            at += 1;
        }
        at
    }

    fn is_at(&self, hash: KeyHash, at: usize) -> bool {
        let slot = &self.slots[at];
        slot.hash() == hash && slot.place().is_some()
    }

    /// Moves what stands here and behind, up to the next gap, by one. `false` when there is none.
    fn make_room(&mut self, at: usize) -> bool {
        let gap = self.slots[at..].iter().position(|slot| slot.place().is_none());
        let gap = at + gap.expect("the last slot is empty");
        if gap + 1 == self.slots.len() {
            if self.slots.len() == self.max_slots {
                return false;
            }
            self.slots.push(Slot::EMPTY);
        }
        self.slots.copy_within(at..gap, at + 1);
        true
    }

    /// Makes more homes. `false` when there is no room for any.
    fn grow(&mut self) -> bool {
        let more = self.homes.div_ceil(GROWTH).min(self.max_slots - self.slots.len());
        self.homes += more;
        let mut slots = vec![Slot::EMPTY; self.slots.len() + more];
        // Each to its home, or behind the one before it. A gap is written over by what comes next:
        // to foresee which slot is one costs the processor more than to copy it. None goes further
        // than `more` behind where it was, so that the last slot stays empty.
        let mut next = 0;
        for slot in &self.slots {
            let is_taken = slot.place().is_some();
            let at = if is_taken { self.home(slot.first_word()).max(next) } else { next };
            slots[at] = *slot;
            next = at + usize::from(is_taken);
        }
        self.slots = slots;
        more > 0
    }
}

/// Which of `count` equal shares of all words a word lies in: the upper half of the product.
pub(super) fn share(word: u64, count: usize) -> usize {
    ((u128::from(word) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that crowd at either end, and such as look like an empty slot.
    #[test]
    fn the_ends_of_the_row_are_as_good_as_its_middle() {
        let mut row = KeyRow::new(50_000);
        let words = [0, 1, u64::MAX - 1, u64::MAX];
        let many = (0..3_000).map(|n| (u64::MAX - n, n)).chain((0..3_000).map(|n| (n, n)));
        let mut hashes: Vec<KeyHash> =
            words.iter().flat_map(|&a| words.map(|b| (a, b))).chain(many).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for (place, hash) in (0..).zip(&hashes) {
            assert!(!row.contains(*hash));
            assert!(row.put(&Slot::new(*hash, place).unwrap()));
        }
        assert!(hashes.iter().all(|hash| row.contains(*hash)));
        assert!(row.places().eq(0..hashes.len() as u64), "they stand in the order of their hashes");
    }
}
