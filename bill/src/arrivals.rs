//! When records arrived, by their place.

use std::collections::HashMap;

use events::{Timestamp, Topic};

use crate::send_time::LogPosition;

/// When records arrived whose answers don't tell by their own time.
///
/// Nearly all come in the order of their partition, so each is put at the end of a list, where it
/// takes 16 bytes; there are hundreds of thousands.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// By offset.
    partitions: HashMap<(Topic, i32), Vec<(i64, Timestamp)>>,
}

impl Arrivals {
    /// The record at this place arrived at this instant.
    pub(super) fn insert(&mut self, (topic, partition, offset): LogPosition, arrived: Timestamp) {
        let known = self.partitions.entry((topic, partition)).or_default();
        if known.len() == known.capacity() {
            // A quarter more: a vector would double.
            known.reserve_exact(known.len() / 4 + 16);
        }
        if known.last().is_none_or(|&(last, _)| last < offset) {
            return known.push((offset, arrived));
        }
        match known.binary_search_by_key(&offset, |&(offset, _)| offset) {
            Ok(place) => known[place].1 = arrived,
            Err(place) => known.insert(place, (offset, arrived)),
        }
    }

    /// When the record at this place arrived, if that was noted.
    pub(super) fn get(&self, (topic, partition, offset): LogPosition) -> Option<Timestamp> {
        let known = self.partitions.get(&(topic, partition))?;
        known.binary_search_by_key(&offset, |&(offset, _)| offset).ok().map(|place| known[place].1)
    }

    /// Forgets those of which `keep` is false.
    pub(super) fn retain(&mut self, keep: impl Fn(Timestamp) -> bool) {
        for known in self.partitions.values_mut() {
            known.retain(|&(_, arrived)| keep(arrived));
            known.shrink_to(known.len() / 4 * 5);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a map, in any order of reading.
        #[test]
        fn what_arrived_is_found_in_whatever_order_it_was_read(
            records in prop::collection::vec((0..2, 0_i64..40, 0_i64..100), 0..120),
            since in 0_i64..100,
        ) {
            let (mut arrivals, mut naive) = (Arrivals::default(), HashMap::new());
            for &(partition, offset, at) in &records {
                arrivals.insert((Topic::Trades, partition, offset), Timestamp::from_ms(at));
                naive.insert((partition, offset), at);
            }
            arrivals.retain(|at| at.ms() >= since);
            naive.retain(|_, at| *at >= since);
            for partition in 0..2 {
                for offset in 0..40 {
                    let found = arrivals.get((Topic::Trades, partition, offset)).map(Timestamp::ms);
                    prop_assert_eq!(found, naive.get(&(partition, offset)).copied());
                }
            }
            let held: usize = arrivals.partitions.values().map(Vec::len).sum();
            prop_assert_eq!((held, size_of::<(i64, Timestamp)>()), (naive.len(), 16));
        }
    }
}
