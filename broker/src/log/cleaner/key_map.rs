//! Which record of a key is the newest: the memory of a cleaner.
//!
//! Keys can be long, so not they are kept but 128 bits of a hash of each, with the *place* of its
//! newest record (how many records were read before it): 20 bytes, whatever the key. Two keys with
//! the same hash would be taken for one, and the older of the two would be lost. Between a billion
//! keys that happens once in 10^20 times, and because the hash has a secret key (`SipHash`), no one
//! can choose keys for which it does.
//!
//! They stand in rows (`key_row.rs`), up to 256 of them, over which the hash spreads them. A
//! million keys take 24 MB, more than a processor's cache holds, and to wait for memory at each
//! record would take longer than all else that is done with it. So records first wait in the order
//! in which they come, as many for each row as are worth it. Then the row is read once from its
//! start to its end, and is in the cache for all that waited. Records of a key wait for the same
//! row, so that the last one is still the newest.
//!
//! A row grows by little at a time. So a key takes 27 bytes at most, however many there are (but
//! for the first ten thousand), up to the limit (`log.cleaner.dedupe.buffer.size`), of which an
//! eighth is for what waits. Kafka takes all of that at its start.

use std::hint::black_box;

use siphasher::sip128::SipHasher13;

use super::key_row::{KeyHash, KeyRow, Slot, share};

/// There is a row for so many bytes of the limit …
const ROW_BYTES: usize = 512 << 10;
/// … but there are no more than these.
const MAX_ROWS: usize = 256;
/// One slot of so many is for what waits.
const WAITING_SHARE: usize = 8;

/// The newest record of each key.
#[derive(Debug)]
pub(super) struct KeyMap {
    hasher: SipHasher13,
    rows: Vec<(KeyRow, Vec<Slot>)>,
    /// So many records wait for a row.
    max_waiting: usize,
    /// The first place for which there was no room.
    full_at: Option<u64>,
}

impl KeyMap {
    /// One that takes at most `max_bytes` (but has room for one key). `hash_key` is a secret.
    pub(super) fn new(max_bytes: usize, hash_key: [u64; 2]) -> Self {
        let rows = (max_bytes / ROW_BYTES).clamp(1, MAX_ROWS);
        let slots = max_bytes / size_of::<Slot>() / rows;
        let max_waiting = slots / WAITING_SHARE;
        let row = || (KeyRow::new(slots - max_waiting), Vec::new());
        let hasher = SipHasher13::new_with_keys(hash_key[0], hash_key[1]);
        Self { hasher, rows: std::iter::repeat_with(row).take(rows).collect(), max_waiting, full_at: None }
    }

    /// What this map keeps of a key.
    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> KeyHash {
        let hash = self.hasher.hash(key);
        (hash.h1, hash.h2)
    }

    /// Notes the place of a record, behind all that were noted before. It counts after
    /// [`KeyMap::settle`].
    #[inline]
    pub(super) fn note(&mut self, hash: KeyHash, place: u64) {
        let Some(slot) = Slot::new(hash, place) else {
            self.full_at.get_or_insert(place);
            return;
        };
        let row = self.row(hash);
        let waiting = &mut self.rows[row].1;
        waiting.push(slot);
        if waiting.len() >= self.max_waiting {
            self.settle_row(row);
        }
    }

    /// Whether it has come to light that there is no room for all records so far.
    pub(super) fn is_full(&self) -> bool {
        self.full_at.is_some()
    }

    /// Notes all that still waits. Answers with the first place for which there was no room: its
    /// key was new and its row full, or it was the four billionth. Of what came behind it some is
    /// noted and some is not.
    pub(super) fn settle(&mut self) -> Option<u64> {
        for row in 0..self.rows.len() {
            self.settle_row(row);
            self.rows[row].1 = Vec::new();
        }
        self.full_at
    }

    fn settle_row(&mut self, row: usize) {
        let (row, waiting) = &mut self.rows[row];
        row.touch();
        for slot in waiting.drain(..) {
            let place = slot.place();
            if self.full_at.is_some() && place >= self.full_at {
                break;
            }
            if !row.put(&slot) {
                self.full_at = place;
                break;
            }
        }
    }

    /// Brings the slots of these hashes into the processor's cache. A search decides by what comes
    /// from memory, and the next one can't begin before; reads that decide nothing wait together.
    pub(super) fn touch(&self, hashes: impl Iterator<Item = KeyHash>) {
        black_box(hashes.fold(0, |seen, hash| seen ^ self.rows[self.row(hash)].0.touch_at(hash)));
    }

    /// Whether a record of this key was noted.
    pub(super) fn contains(&self, hash: KeyHash) -> bool {
        self.rows[self.row(hash)].0.contains(hash)
    }

    /// The newest places of all keys, in no order that means anything.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().flat_map(|(row, _)| row.places())
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|(row, _)| row.len()).sum()
    }

    /// Bytes that they take.
    pub(super) fn byte_len(&self) -> usize {
        self.rows.iter().map(|(row, _)| row.byte_len()).sum()
    }

    /// A row is in the order of the first word, so the second one says which it is.
    fn row(&self, hash: KeyHash) -> usize {
        share(hash.1, self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// With one row and with some, and few or many that wait.
        #[test]
        fn it_knows_what_a_plain_map_knows(
            keys in prop::collection::vec(0u16..3_000, 0..6_000),
            megabytes in 1usize..8,
        ) {
            let (mut map, mut plain) = (KeyMap::new(megabytes << 20, [1, 2]), HashMap::new());
            for (place, key) in (0..).zip(&keys) {
                map.note(map.hash(&key.to_be_bytes()), place);
                plain.insert(*key, place);
            }
            prop_assert_eq!(map.settle(), None);
            prop_assert_eq!(map.len(), plain.len());
            prop_assert_eq!(map.places().collect::<BTreeSet<_>>(), plain.values().copied().collect());
            for key in 0..3_000u16 {
                prop_assert_eq!(map.contains(map.hash(&key.to_be_bytes())), plain.contains_key(&key));
            }
        }
    }

    #[test]
    fn a_full_map_takes_known_keys_and_no_new_ones() {
        for max_bytes in [0, 100, 24_000, ROW_BYTES] {
            let mut map = KeyMap::new(max_bytes, [3, 4]);
            for number in 0..100_000u64 {
                map.note(map.hash(&number.to_be_bytes()), number);
            }
            let full = map.settle().unwrap();
            assert_eq!(map.len() as u64, full);
            assert!(map.places().all(|place| place < full));
            assert!(!map.contains(map.hash(&full.to_be_bytes())));
            let bytes = map.byte_len() + map.max_waiting * size_of::<Slot>();
            assert!(bytes <= max_bytes.max(40), "{bytes} bytes");
            if max_bytes > 1_000 {
                assert!(bytes as f64 / map.len() as f64 <= 27.0, "{bytes} bytes for {} keys", map.len());
            }
            let mut known = KeyMap::new(max_bytes, [3, 4]);
            for place in 0..2 * full {
                known.note(known.hash(&(place % full).to_be_bytes()), place);
            }
            assert_eq!(known.settle(), None, "a known key has its place");
            assert!(known.places().all(|place| place >= full));
        }
    }

    /// Whatever waits for which row: the answer is where in the order of all records the first row
    /// was full, and all before it is noted.
    #[test]
    fn the_first_record_without_room_is_found_among_all_rows() {
        let mut map = KeyMap::new(3 * ROW_BYTES, [1, 2]);
        let mut rows: Vec<_> = map.rows.iter().map(|(row, _)| row.clone()).collect();
        let (mut newest, mut dice) = (HashMap::new(), 1u64);
        let mut full = None;
        for place in 0..200_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let hash = map.hash(&((dice >> 24) % 90_000).to_be_bytes());
            if !rows[map.row(hash)].put(&Slot::new(hash, place).unwrap()) {
                full.get_or_insert(place);
            }
            newest.insert(hash, place);
            map.note(hash, place);
        }
        assert!(full.is_some_and(|full| full > 50_000));
        assert_eq!(map.settle(), full);
        let noted: BTreeSet<_> = map.places().collect();
        assert!(
            newest
                .iter()
                .all(|(hash, place)| Some(*place) >= full || map.contains(*hash) && noted.contains(place))
        );
    }

    #[test]
    fn places_have_32_bits() {
        let mut map = KeyMap::new(24_000, [3, 4]);
        let beyond = u64::from(u32::MAX);
        for place in [beyond - 1, beyond, beyond + 1] {
            map.note((1, 2), place);
            assert_eq!(map.is_full(), place >= beyond);
        }
        assert_eq!((map.settle(), map.len()), (Some(beyond), 1));
    }

    /// However many there are: a row that grows has no more room than that.
    #[test]
    fn a_key_takes_27_bytes_at_most() {
        let mut map = KeyMap::new(64 << 20, [5, 6]);
        for number in 0..400_000u64 {
            map.note(map.hash(&number.to_be_bytes()), number);
            if number % 1_000 == 999 {
                assert_eq!(map.settle(), None);
                let each = map.byte_len() as f64 / map.len() as f64;
                assert!(number < 10_000 || each <= 27.0, "{each} bytes for each of {} keys", map.len());
            }
        }
    }
}
