//! Places in a list, of which the least is soon found: a bit for each.

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(super) struct PlaceSet {
    words: Vec<u64>,
    /// No word before this one has a place.
    first: usize,
}

impl PlaceSet {
    /// Adds a place.
    pub(super) fn insert(&mut self, place: usize) {
        let word = place / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (place % 64);
        self.first = self.first.min(word);
    }

    /// Removes a place.
    pub(super) fn remove(&mut self, place: usize) {
        if let Some(word) = self.words.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
        }
    }

    /// Whether it has this place.
    pub(super) fn contains(&self, place: usize) -> bool {
        self.words.get(place / 64).is_some_and(|word| (word >> (place % 64)) & 1 == 1)
    }

    /// The least place.
    pub(super) fn first(&mut self) -> Option<usize> {
        let empty = self.words[self.first..].iter().take_while(|word| **word == 0).count();
        self.first += empty;
        self.words.get(self.first).map(|word| self.first * 64 + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a tree.
        #[test]
        fn the_least_place_is_found_whatever_comes_and_goes(
            steps in prop::collection::vec((any::<bool>(), 0_usize..300), 0..200),
        ) {
            let (mut places, mut naive) = (PlaceSet::default(), BTreeSet::new());
            for (is_new, place) in steps {
                if is_new {
                    places.insert(place);
                    naive.insert(place);
                } else {
                    places.remove(place);
                    naive.remove(&place);
                }
                prop_assert_eq!(places.first(), naive.first().copied());
            }
            for place in 0..400 {
                prop_assert_eq!(places.contains(place), naive.contains(&place));
            }
        }
    }
}
