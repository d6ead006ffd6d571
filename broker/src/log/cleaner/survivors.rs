//! Which records of the dirty part are the newest of their keys, as a bit for each.
//!
//! When all keys are noted, the places in the map are just those of the records that stay. Marked
//! in a row of bits they answer for a record without its key: the second reading hashes nothing and
//! looks nothing up. And of a batch without a mark no more than the header need be read.
//!
//! The bits reach over some millions of records, and move on as the reading does.

use std::ops::Range;

use super::key_map::KeyMap;

/// So many records are marked at once, in a megabyte.
const MAX_SPAN: u64 = 8 << 20;

/// Marks of what stays.
#[derive(Debug)]
pub(super) struct Survivors {
    /// The place of the next record.
    next: u64,
    /// What the bits stand for.
    marked: Range<u64>,
    bits: Vec<u64>,
    max_span: u64,
}

impl Survivors {
    /// Those of all records, from place 0 on.
    pub(super) fn new() -> Self {
        Self { next: 0, marked: 0..0, bits: Vec::new(), max_span: MAX_SPAN }
    }

    /// Goes on to the next so many records: their places.
    pub(super) fn advance(&mut self, count: u64, newest: &KeyMap) -> Range<u64> {
        let places = self.next..self.next + count;
        self.next = places.end;
        if places.end > self.marked.end {
            self.mark(places.start..places.start + count.max(self.max_span), newest);
        }
        places
    }

    fn mark(&mut self, places: Range<u64>, newest: &KeyMap) {
        self.bits.clear();
        for place in newest.places().filter(|place| places.contains(place)) {
            let at = (place - places.start) as usize;
            if at / 64 >= self.bits.len() {
                self.bits.resize(at / 64 + 1, 0);
            }
            self.bits[at / 64] |= 1 << (at % 64);
        }
        self.marked = places;
    }

    /// Whether the record at this place stays.
    pub(super) fn has(&self, place: u64) -> bool {
        let at = (place - self.marked.start) as usize;
        self.bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Whether any of these does.
    pub(super) fn has_any(&self, places: Range<u64>) -> bool {
        let (mut at, end) = (places.start - self.marked.start, places.end - self.marked.start);
        while at < end {
            let word = self.bits.get((at / 64) as usize).copied().unwrap_or_default() >> (at % 64);
            let width = (64 - at % 64).min(end - at);
            if word << (64 - width) != 0 {
                return true;
            }
            at += width;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the batches are, also such as are larger than what is marked at once.
        #[test]
        fn they_are_the_places_in_the_map(
            newest in btree_set(0u64..600, 0..60),
            counts in vec(prop_oneof![8 => 0u64..12, 1 => 0u64..200], 0..60),
        ) {
            let mut map = KeyMap::new(1 << 20, [1, 2]);
            for &place in &newest {
                map.note(map.hash(&place.to_be_bytes()), place);
            }
            prop_assert_eq!(map.settle(), None);
            let mut survivors = Survivors { max_span: 100, ..Survivors::new() };
            let (mut found, mut end) = (BTreeSet::new(), 0);
            for count in counts {
                let places = survivors.advance(count, &map);
                prop_assert_eq!(&places, &(end..end + count));
                end = places.end;
                let stay: Vec<_> = places.clone().filter(|place| survivors.has(*place)).collect();
                prop_assert_eq!(survivors.has_any(places), !stay.is_empty());
                found.extend(stay);
            }
            prop_assert_eq!(found, newest.range(..end).copied().collect());
        }
    }
}
