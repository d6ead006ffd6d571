//! Which record of a key is the newest: the memory of a cleaner.
//!
//! Keys can be long, so not they are kept but 128 bits of a hash of each, with the offset of its
//! newest record: 24 bytes, whatever the key. Two keys with the same hash would be taken for one,
//! and the older of the two would be lost. Between a billion keys that happens once in 10^20 times,
//! and because the hash has a secret key (`SipHash`), no one can choose keys for which it does.
//!
//! The table is one row of slots with linear probing. It is at most nine tenths full, so a key
//! takes 27 bytes at most there, and it doubles up to the limit (`log.cleaner.dedupe.buffer.size`)
//! as keys come. Kafka takes all of that at its start.

use protocol::records::Offset;
use siphasher::sip128::SipHasher13;

/// What is kept of a key.
pub(super) type KeyHash = [u64; 2];

/// Two words of hash, and the offset plus one: 0 is an empty slot.
type Slot = [u64; 3];

/// So many of ten slots may be taken.
const TENTHS_TAKEN: usize = 9;
/// A table begins with so many slots.
const FIRST_SLOTS: usize = 1 << 10;

/// The newest offset of each key.
#[derive(Debug)]
pub(super) struct OffsetMap {
    hasher: SipHasher13,
    slots: Vec<Slot>,
    taken: usize,
    max_slots: usize,
}

impl OffsetMap {
    /// One that takes at most `max_bytes` (but has room for one key). `hash_key` is a secret.
    pub(super) fn new(max_bytes: usize, hash_key: [u64; 2]) -> Self {
        let max_slots = (max_bytes / size_of::<Slot>()).max(2);
        Self {
            hasher: SipHasher13::new_with_keys(hash_key[0], hash_key[1]),
            slots: vec![Slot::default(); FIRST_SLOTS.min(max_slots)],
            taken: 0,
            max_slots,
        }
    }

    /// What this map keeps of a key.
    pub(super) fn hash(&self, key: &[u8]) -> KeyHash {
        let hash = self.hasher.hash(key);
        [hash.h1, hash.h2]
    }

    /// Notes that `offset` has a record of this key. `false`, and nothing is noted, when the key is
    /// new and there is no room for it.
    ///
    /// A large table is not in the processor's cache, so each key waits for memory; of keys that
    /// follow each other closely many wait at once. Hash some hundred first, then note them.
    pub(super) fn put(&mut self, hash: KeyHash, offset: Offset) -> bool {
        let mut at = self.find(hash);
        if self.slots[at][2] == 0 {
            if !has_room(self.taken, self.slots.len()) {
                if self.slots.len() == self.max_slots {
                    return false;
                }
                self.grow();
                at = self.find(hash);
            }
            self.taken += 1;
        }
        // A damaged batch may count its offsets in any order: the largest is the newest.
        let noted = (offset.0 as u64 + 1).max(self.slots[at][2]);
        self.slots[at] = [hash[0], hash[1], noted];
        true
    }

    /// The newest offset of this key; none when it was not noted.
    pub(super) fn get(&self, hash: KeyHash) -> Option<Offset> {
        let noted = self.slots[self.find(hash)][2];
        (noted > 0).then(|| Offset(noted as i64 - 1))
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// Bytes that they take.
    pub(super) fn byte_len(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    /// The slot of this hash, or the empty one where it belongs.
    fn find(&self, hash: KeyHash) -> usize {
        // The upper half of the product is evenly spread over the slots, however many they are.
        let mut at = ((u128::from(hash[0]) * self.slots.len() as u128) >> 64) as usize;
        loop {
            let slot = &self.slots[at];
            if slot[2] == 0 || (slot[0] == hash[0] && slot[1] == hash[1]) {
                return at;
            }
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
    }

    fn grow(&mut self) {
        let larger = (self.slots.len() * 2).min(self.max_slots);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); larger]);
        for slot in old.into_iter().filter(|slot| slot[2] > 0) {
            let at = self.find([slot[0], slot[1]]);
            self.slots[at] = slot;
        }
    }
}

/// Whether one more may be taken; one slot always stays empty, so that every search ends.
fn has_room(taken: usize, slots: usize) -> bool {
    taken < (slots * TENTHS_TAKEN / 10).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_knows_what_a_plain_map_knows(keys in prop::collection::vec(0u16..3_000, 0..6_000)) {
            let (mut map, mut plain) = (OffsetMap::new(1 << 20, [1, 2]), HashMap::new());
            for (offset, key) in (0..).map(Offset).zip(&keys) {
                let hash = map.hash(&key.to_be_bytes());
                prop_assert!(map.put(hash, offset));
                plain.insert(*key, offset);
            }
            prop_assert_eq!(map.len(), plain.len());
            for key in 0..3_000u16 {
                prop_assert_eq!(map.get(map.hash(&key.to_be_bytes())), plain.get(&key).copied());
            }
        }
    }

    #[test]
    fn a_full_map_takes_known_keys_and_no_new_ones_within_27_bytes_a_key() {
        for max_bytes in [0, 100, 24_000, 1_000_000] {
            let mut map = OffsetMap::new(max_bytes, [3, 4]);
            let hasher = OffsetMap::new(0, [3, 4]);
            let hash = |number: i64| hasher.hash(&number.to_be_bytes());
            let full = (0..1_000_000).find(|&n| !map.put(hash(n), Offset(n))).unwrap();
            assert_eq!(map.len(), full as usize);
            assert!(map.put(hash(0), Offset(full)), "a known key has its place");
            assert_eq!(map.get(hash(0)), Some(Offset(full)));
            assert_eq!(map.get(hash(full)), None);
            assert!(map.byte_len() <= max_bytes.max(48), "{} bytes", map.byte_len());
            if max_bytes > 1_000 {
                assert!(map.byte_len() as f64 / map.len() as f64 <= 27.0, "{} keys", map.len());
            }
        }
    }
}
