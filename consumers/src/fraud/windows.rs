//! Exact sliding windows over one card's swipes: how many and how much in the last hour, day, week
//! and month.
//!
//! One ring holds the swipes of the longest window in the order of event time, and each window is a
//! cursor into it, with its running sum in integer cents. A swipe enters at the back and is passed
//! by each cursor once, so the work per swipe is constant on average, and nothing is ever
//! approximated by a decay or a bucket:
//!
//! ```text
//!   oldest                                                newest = now
//!   | s s   s  s s     s  s    s   s s s    s  s  s s s s |
//!   ^30 d              ^7 d         ^1 d          ^1 h
//! ```
//!
//! # Simplifications
//! - At most [`CAPACITY`] swipes are kept: a card that swipes more often than that in 30 days has
//!   its longest windows cut short at the oldest end.

use std::collections::VecDeque;

use events::{DAY_MS, HOUR_MS};
use serde::{Deserialize, Serialize};

/// The lengths of the windows, in milliseconds, the shortest first. A swipe is inside for exactly
/// this long.
pub(super) const SPANS_MS: [i64; 4] = [HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS];
const LONGEST: usize = SPANS_MS.len() - 1;

/// The most swipes that are kept for one card: 12 bytes each, 6 KiB in all.
pub(super) const CAPACITY: usize = 512;

/// A swipe, in twelve bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(Rust, packed(4))]
struct Entry {
    cents: i64,
    /// How many milliseconds after [`Windows::base_ms`] it was: 30 days have less than 32 bits.
    after_ms: u32,
}

/// One card's swipes of the last 30 days.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Windows {
    /// In the order of event time; equal instants in the order of arrival.
    ring: VecDeque<Entry>,
    /// What the swipes of the ring are counted from; none of them is older.
    base_ms: i64,
    /// For each window, the index of its oldest swipe (the ring's length when it is empty).
    cursors: [u16; SPANS_MS.len()],
    sums: [i64; SPANS_MS.len()],
}

impl Windows {
    /// Inserts a swipe in event-time order. Returns false for one that is older than the longest
    /// window, seen from the newest swipe: it is in no window.
    pub(super) fn insert(&mut self, at_ms: i64, cents: i64) -> bool {
        match self.newest_ms() {
            Some(newest) if at_ms < newest => return self.insert_late(newest, at_ms, cents),
            _ => {}
        }
        // What the longest window leaves behind goes first, so that the rest has a base in common.
        let gone = at_ms.saturating_sub(SPANS_MS[LONGEST]);
        let gone = (0..self.ring.len()).take_while(|&place| self.at_ms(place) <= gone).count();
        self.drop_oldest(gone);
        self.make_room();
        self.count_from_oldest(at_ms);
        self.reserve();
        let entry = self.entry(at_ms, cents);
        self.ring.push_back(entry);
        for (window, span) in SPANS_MS.into_iter().enumerate() {
            self.sums[window] += cents;
            while self.at_ms(usize::from(self.cursors[window])) <= at_ms.saturating_sub(span) {
                self.sums[window] -= self.ring[usize::from(self.cursors[window])].cents;
                self.cursors[window] += 1;
            }
        }
        self.assert_consistent();
        true
    }

    /// When the swipe at this place was.
    fn at_ms(&self, place: usize) -> i64 {
        self.base_ms.saturating_add(i64::from(self.ring[place].after_ms))
    }

    fn entry(&self, at_ms: i64, cents: i64) -> Entry {
        let after = u32::try_from(at_ms.abs_diff(self.base_ms));
        let after_ms = after.unwrap_or_else(|_| panic!("{at_ms} ms lies far from {} ms", self.base_ms));
        Entry { cents, after_ms }
    }

    /// Makes the oldest swipe the base, or one at `at_ms` if there is none or it is older.
    fn count_from_oldest(&mut self, at_ms: i64) {
        let oldest = if self.ring.is_empty() { at_ms } else { self.at_ms(0).min(at_ms) };
        if self.ring.is_empty() {
            self.base_ms = oldest;
        }
        let is_near = |base: i64| at_ms >= base && u32::try_from(at_ms.abs_diff(base)).is_ok();
        if is_near(self.base_ms) {
            return;
        }
        let base = self.base_ms;
        for entry in &mut self.ring {
            let at_ms = base.saturating_add(i64::from(entry.after_ms));
            // All of them are of the same 30 days.
            entry.after_ms = at_ms.abs_diff(oldest) as u32;
        }
        self.base_ms = oldest;
    }

    /// Makes room for one more: for a quarter more, where a ring by itself would double.
    fn reserve(&mut self) {
        if self.ring.len() == self.ring.capacity() {
            self.ring.reserve_exact((self.ring.len() / 4).max(2).min(CAPACITY - self.ring.len()));
        }
    }

    /// Drops the oldest when the ring is full: one more entry would double the ring's memory.
    fn make_room(&mut self) -> bool {
        let full = self.ring.len() >= CAPACITY;
        if full {
            self.drop_oldest(1);
        }
        full
    }

    fn insert_late(&mut self, newest: i64, at_ms: i64, cents: i64) -> bool {
        let base_ms = self.base_ms;
        let of = |entry: &Entry| base_ms.saturating_add(i64::from(entry.after_ms));
        let place = self.ring.partition_point(|entry| of(entry) <= at_ms);
        let full = self.ring.len() >= CAPACITY;
        if at_ms <= newest.saturating_sub(SPANS_MS[LONGEST]) || (full && place == 0) {
            return false;
        }
        let place = place - usize::from(self.make_room());
        self.count_from_oldest(at_ms);
        self.reserve();
        let entry = self.entry(at_ms, cents);
        self.ring.insert(place, entry);
        for (window, span) in SPANS_MS.into_iter().enumerate() {
            if at_ms > newest.saturating_sub(span) {
                self.sums[window] += cents;
            } else {
                self.cursors[window] += 1;
            }
        }
        self.assert_consistent();
        true
    }

    /// A shorter window never begins before a longer one, and each holds the newest swipe.
    fn assert_consistent(&self) {
        assert!(
            self.cursors.is_sorted_by(|shorter, longer| shorter >= longer)
                && usize::from(self.cursors[0]) < self.ring.len()
                && self.ring.len() <= CAPACITY,
            "windows that begin at {:?} of {} swipes, of {CAPACITY} at most",
            self.cursors,
            self.ring.len()
        );
    }

    fn drop_oldest(&mut self, count: usize) {
        for _ in 0..count {
            let Some(gone) = self.ring.pop_front() else { return };
            for (cursor, sum) in self.cursors.iter_mut().zip(&mut self.sums) {
                if *cursor == 0 {
                    *sum -= gone.cents;
                } else {
                    *cursor -= 1;
                }
            }
        }
    }

    /// How many swipes are in each window, seen from the newest.
    pub(super) fn counts(&self) -> [u32; SPANS_MS.len()] {
        self.cursors.map(|cursor| self.ring.len() as u32 - u32::from(cursor))
    }

    /// The cents in each window, refunds taken off.
    pub(super) fn sums(&self) -> [i64; SPANS_MS.len()] {
        self.sums
    }

    /// Event time of the newest swipe.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        self.ring.len().checked_sub(1).map(|last| self.at_ms(last))
    }

    /// What the ring has reserved, in bytes.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.ring.capacity() * size_of::<Entry>()
    }

    /// The largest amount of the last 30 days.
    pub(super) fn largest_cents(&self) -> Option<i64> {
        self.ring.iter().map(|entry| entry.cents).max()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, from the definition: all swipes, counted again each time.
    fn recount(swipes: &[(i64, i64)]) -> ([u32; 4], [i64; 4]) {
        let now = swipes.iter().map(|swipe| swipe.0).max().unwrap();
        let inside = |span: i64| swipes.iter().filter(move |swipe| swipe.0 > now - span);
        (
            SPANS_MS.map(|span| inside(span).count() as u32),
            SPANS_MS.map(|span| inside(span).map(|swipe| swipe.1).sum()),
        )
    }

    proptest! {
        #[test]
        fn windows_are_exact_in_any_order(
            gaps in prop::collection::vec((-3 * DAY_MS..5 * DAY_MS, -5_000_i64..500_000), 1..200),
        ) {
            let (mut windows, mut swipes, mut at) = (Windows::default(), Vec::new(), 0);
            for (gap, cents) in gaps {
                at += gap / if gap % 3 == 0 { 1 } else { 500 };
                windows.insert(at, cents);
                swipes.push((at, cents));
                prop_assert_eq!((windows.counts(), windows.sums()), recount(&swipes));
            }
        }

        #[test]
        fn memory_is_bounded_and_what_is_kept_is_exact(
            gaps in prop::collection::vec((0..HOUR_MS / 4, 0_i64..10_000), CAPACITY..CAPACITY + 200),
        ) {
            let (mut windows, mut swipes, mut at) = (Windows::default(), Vec::new(), 0);
            for (gap, cents) in gaps {
                at += gap;
                windows.insert(at, cents);
                swipes.push((at, cents));
            }
            let newest = &swipes[swipes.len() - CAPACITY..];
            prop_assert!(windows.heap_bytes() <= 6 * 1_024, "{} bytes reserved", windows.heap_bytes());
            prop_assert_eq!((windows.counts(), windows.sums()), recount(newest));
        }
    }

    #[test]
    fn a_full_ring_takes_late_swipes_in_exactly_too() {
        let (mut windows, mut kept) = (Windows::default(), Vec::new());
        for number in 0..3_000_i64 {
            // Every third is late, by up to two hours.
            let at = number * 60_000 - if number % 3 == 0 { number * 7_919 % (2 * HOUR_MS) } else { 0 };
            let oldest = kept.iter().map(|swipe: &(i64, i64)| swipe.0).min();
            let full = kept.len() == CAPACITY;
            if windows.insert(at, number) {
                if full {
                    let oldest = kept.iter().position(|swipe| Some(swipe.0) == oldest).unwrap();
                    kept.remove(oldest);
                }
                kept.push((at, number));
            }
            assert_eq!((windows.counts(), windows.sums()), recount(&kept), "swipe {number}");
        }
        assert!(windows.heap_bytes() <= 6 * 1_024, "{} bytes reserved", windows.heap_bytes());
    }

    #[test]
    fn a_swipe_is_inside_for_exactly_the_span() {
        let mut windows = Windows::default();
        windows.insert(0, 100);
        windows.insert(HOUR_MS - 1, 10);
        assert_eq!(windows.counts()[0], 2);
        windows.insert(HOUR_MS, 1);
        assert_eq!((windows.counts()[0], windows.sums()[0]), (2, 11), "the first has left the hour");
    }
}
