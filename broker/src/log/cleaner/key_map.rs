//! Which record of a key is the newest: the memory of a cleaner.
//!
//! Keys can be long, so not they are kept but 128 bits of a hash of each, with the *place* of its
//! newest record (how many records were read before it): 20 bytes, whatever the key. Two keys with
//! the same hash would be taken for one, and the older of the two would be lost. Between a billion
//! keys that happens once in 10^20 times, and because the hash has a secret key (`SipHash`), no one
//! can choose keys for which it does.
//!
//! The table is one row of slots, and all of it is in the order of the hashes: a key belongs where
//! its hash, as a fraction, lies in the row (its *home*), and stands there or as little behind it
//! as those before it need. A search ends at the first larger hash.
//!
//! ```text
//! homes    0    1    2    3    4    5    6    7  │ spare
//! before   .02  .15  .17  .40   -   .70  .72   - │  -      .16 comes: its home is 1
//! after    .02  .15  .16  .17  .40  .70  .72   - │  -      .17 and .40 have moved by one
//! ```
//!
//! Because it is in order, it grows in its place, in one walk, and therefore by little at a time:
//! by an eighth, when 17 of 20 homes are taken. So a key takes 27 bytes at most, however many there
//! are (but for the first thousand), up to the limit (`log.cleaner.dedupe.buffer.size`). Kafka
//! takes all of that at its start.

use std::hint::black_box;

use siphasher::sip128::SipHasher13;

/// What is kept of a key.
pub(super) type KeyHash = [u64; 2];

/// A key and where its newest record is. Packed, for `u64` would take four bytes more.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: [[u8; 8]; 2],
    /// The place plus one; 0 when the slot is empty.
    noted: [u8; 4],
}

impl Slot {
    /// No hash is larger, so that a search ends here.
    const EMPTY: Self = Self { hash: [[0xff; 8]; 2], noted: [0; 4] };

    fn of(hash: KeyHash) -> Self {
        Self { hash: hash.map(u64::to_ne_bytes), noted: [0; 4] }
    }

    fn word(&self, number: usize) -> u64 {
        u64::from_ne_bytes(self.hash[number])
    }

    fn noted(&self) -> u32 {
        u32::from_ne_bytes(self.noted)
    }
}

/// So many of twenty homes may be taken.
const TWENTIETHS_TAKEN: usize = 17;
/// A table grows by one home for so many.
const GROWTH: usize = 8;
/// A table begins with so many homes.
const FIRST_HOMES: usize = 1 << 10;
/// So many searches wait for memory at once.
const AT_ONCE: usize = 64;
/// A search seldom goes further.
const REACH: usize = 5;

/// The newest record of each key.
#[derive(Debug)]
pub(super) struct KeyMap {
    hasher: SipHasher13,
    /// In order, with gaps. The last is always empty.
    slots: Vec<Slot>,
    /// How many of the slots the hashes are spread over. There are more for those that are behind.
    homes: usize,
    taken: usize,
    max_slots: usize,
}

impl KeyMap {
    /// One that takes at most `max_bytes` (but has room for one key). `hash_key` is a secret.
    pub(super) fn new(max_bytes: usize, hash_key: [u64; 2]) -> Self {
        let max_slots = (max_bytes / size_of::<Slot>()).max(2);
        let homes = FIRST_HOMES.min(max_slots - 1);
        // What is not used of it is only promised by the system.
        let mut slots = Vec::with_capacity(max_slots);
        slots.resize(homes + 1, Slot::EMPTY);
        let hasher = SipHasher13::new_with_keys(hash_key[0], hash_key[1]);
        Self { hasher, slots, homes, taken: 0, max_slots }
    }

    /// What this map keeps of a key.
    pub(super) fn hash(&self, key: &[u8]) -> KeyHash {
        let hash = self.hasher.hash(key);
        [hash.h1, hash.h2]
    }

    /// Notes the places of records, each behind the one before. Ends at the first for which there
    /// is no room: its key is new and the table full, or four billion places went before. Answers
    /// how many were noted until then.
    ///
    /// A large table is not in the processor's cache: give some hundred at once.
    pub(super) fn note(&mut self, records: &[(KeyHash, u64)]) -> Option<usize> {
        for (chunk, some) in records.chunks(AT_ONCE).enumerate() {
            self.touch(some.iter().map(|(hash, _)| *hash));
            if let Some(full) = some.iter().position(|(hash, place)| !self.put(*hash, *place)) {
                return Some(chunk * AT_ONCE + full);
            }
        }
        None
    }

    /// Brings the slots of these hashes into the processor's cache. A search decides by what comes
    /// from memory, and the next one can't begin before; reads that decide nothing wait together.
    pub(super) fn touch(&self, hashes: impl Iterator<Item = KeyHash>) {
        let last = self.slots.len() - 1;
        // Where a search begins, and 64 and 128 bytes further: the next two lines.
        let seen = hashes.fold(0, |seen, hash| {
            let home = self.home(hash[0]);
            seen ^ self.slots[home].hash[0][0]
                ^ self.slots[last.min(home + 3)].hash[0][4]
                ^ self.slots[last.min(home + 6)].hash[1][0]
        });
        black_box(seen);
    }

    /// Whether a record of this key was noted.
    pub(super) fn contains(&self, hash: KeyHash) -> bool {
        self.is_at(hash, self.find(hash))
    }

    /// The newest places of all keys, in no order that means anything.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().filter_map(|slot| slot.noted().checked_sub(1)).map(u64::from)
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Bytes that they take.
    pub(super) fn byte_len(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    /// `false`, and nothing is noted, when there is no room for it.
    fn put(&mut self, hash: KeyHash, place: u64) -> bool {
        let Ok(noted) = u32::try_from(place + 1) else { return false };
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
            self.slots[at] = Slot::of(hash);
            self.taken += 1;
        }
        self.slots[at].noted = noted.to_ne_bytes();
        true
    }

    /// The upper half of the product is evenly spread over the homes, however many they are.
    fn home(&self, first_word: u64) -> usize {
        ((u128::from(first_word) * self.homes as u128) >> 64) as usize
    }

    /// The slot of this hash, or the one where it belongs.
    fn find(&self, hash: KeyHash) -> usize {
        let mut at = self.home(hash[0]);
        // The first few that are smaller are counted, without a branch for each: the processor
        // can't foresee where a search ends, and to go wrong costs more than to count.
        if let Some(near) = self.slots[at..].first_chunk::<REACH>() {
            // `black_box` keeps the compiler from counting in vectors, which is slower.
            at += near.iter().map(|slot| black_box(usize::from(slot.word(0) < hash[0]))).sum::<usize>();
        }
        while self.slots[at].word(0) < hash[0] {
            at += 1;
        }
        while self.slots[at].word(0) == hash[0] && self.slots[at].word(1) < hash[1] {
            at += 1;
        }
        at
    }

    fn is_at(&self, hash: KeyHash, at: usize) -> bool {
        let slot = &self.slots[at];
        slot.noted() > 0 && slot.word(0) == hash[0] && slot.word(1) == hash[1]
    }

    /// Moves what stands here and behind, up to the next gap, by one. `false` when there is none.
    fn make_room(&mut self, at: usize) -> bool {
        let gap = self.slots[at..].iter().position(|slot| slot.noted() == 0);
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
        // All of it to the end …
        let (old, len) = (self.slots.len(), self.slots.len() + more);
        self.slots.resize(len, Slot::EMPTY);
        self.slots.copy_within(..old, more);
        // … and from there each to its home, or behind the one before it. No home has moved further
        // than all has, so nothing is written before it is read, and the last slot stays empty.
        let mut next = 0;
        for from in more..len {
            let slot = self.slots[from];
            if slot.noted() > 0 {
                let at = self.home(slot.word(0)).max(next);
                assert!(at <= from, "slot {from} would move back to {at}");
                self.slots[next..at].fill(Slot::EMPTY);
                self.slots[at] = slot;
                next = at + 1;
            }
        }
        self.slots[next..].fill(Slot::EMPTY);
        more > 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_knows_what_a_plain_map_knows(keys in prop::collection::vec(0u16..3_000, 0..6_000)) {
            let (mut map, mut plain) = (KeyMap::new(1 << 20, [1, 2]), HashMap::new());
            let mut records = Vec::new();
            for (place, key) in (0..).zip(&keys) {
                records.push((map.hash(&key.to_be_bytes()), place));
                plain.insert(*key, place);
            }
            prop_assert_eq!(map.note(&records), None);
            prop_assert_eq!(map.len(), plain.len());
            prop_assert_eq!(map.places().collect::<BTreeSet<_>>(), plain.values().copied().collect());
            for key in 0..3_000u16 {
                prop_assert_eq!(map.contains(map.hash(&key.to_be_bytes())), plain.contains_key(&key));
            }
        }
    }

    #[test]
    fn a_full_map_takes_known_keys_and_no_new_ones() {
        for max_bytes in [0, 100, 24_000, 1_000_000] {
            let mut map = KeyMap::new(max_bytes, [3, 4]);
            let records: Vec<_> =
                (0..100_000u64).map(|number| (map.hash(&number.to_be_bytes()), number)).collect();
            let full = map.note(&records).unwrap();
            assert_eq!(map.len(), full);
            assert_eq!(map.note(&[(records[0].0, 200_000)]), None, "a known key has its place");
            assert!(map.places().any(|place| place == 200_000) && map.places().all(|place| place != 0));
            assert!(!map.contains(records[full].0));
            assert!(map.byte_len() <= max_bytes.max(40), "{} bytes", map.byte_len());
            let beyond =
                map.note(&[(records[0].0, u64::from(u32::MAX) - 1), (records[0].0, u64::from(u32::MAX))]);
            assert_eq!(beyond, Some(1), "places have 32 bits");
            if max_bytes > 1_000 {
                assert!(map.byte_len() as f64 / map.len() as f64 <= 27.0, "{} keys", map.len());
            }
        }
    }

    /// However many there are: a table that grows has no more room than that.
    #[test]
    fn a_key_takes_27_bytes_at_most() {
        let mut map = KeyMap::new(64 << 20, [5, 6]);
        let first = map.slots.as_ptr();
        for number in 0..200_000u64 {
            let hash = map.hash(&number.to_be_bytes());
            assert!(map.put(hash, number));
            let each = map.byte_len() as f64 / map.len() as f64;
            assert!(number < 1_000 || each <= 27.0, "{each} bytes for each of {} keys", map.len());
        }
        assert_eq!(map.slots.as_ptr(), first, "it grows in its place");
    }

    /// Hashes that crowd at either end, and such as look like an empty slot.
    #[test]
    fn the_ends_of_the_row_are_as_good_as_its_middle() {
        let mut map = KeyMap::new(1 << 20, [7, 8]);
        let words = [0, 1, u64::MAX - 1, u64::MAX];
        let many = (0..3_000).map(|n| [u64::MAX - n, n]).chain((0..3_000).map(|n| [n, n]));
        let mut hashes: Vec<KeyHash> =
            words.iter().flat_map(|&a| words.map(|b| [a, b])).chain(many).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for (place, hash) in (0..).zip(&hashes) {
            assert!(!map.contains(*hash));
            assert!(map.put(*hash, place));
        }
        assert!(hashes.iter().all(|hash| map.contains(*hash)));
        assert!(map.places().eq(0..hashes.len() as u64), "they stand in the order of their hashes");
    }
}
