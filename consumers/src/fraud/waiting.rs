//! The swipes that wait, in the order in which they were scored: the latest in memory, and those
//! before them in a file, for most wait for days and are never asked for.
//!
//! ```text
//!   oldest                                                          newest
//!   | segment | segment | segment | segment | in memory, found by a table |
//!        ^ the model has learnt up to here
//! ```
//!
//! A segment keeps its swipes in their order and, beside them, the fingerprints of their ids in
//! *theirs*: a swipe whose chargeback has come is looked up by halves in each. Only one swipe in
//! hundreds is.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use processor::bounded::FifoMap;

use super::AHEAD_MS;
use super::features::Bins;
use super::lru_slab::SlotId;
use super::packed_bins::{self, PackedBins};
use super::spill::{ReadAhead, SpillFile, Spilled};

/// The swipes of a segment. Tests have many segments.
const SEGMENT: usize = if cfg!(test) { 16 } else { 16_384 };

/// A swipe as it was scored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) at_ms: i64,
    pub(super) card: SlotId,
    pub(super) terminal: SlotId,
    pub(super) bins: Bins,
    pub(super) logit: f32,
    /// Whether it was declined: where the terminals obey, no chargeback can come for it.
    pub(super) declined: bool,
}

/// A scored swipe that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// The stream's time when it was scored: its label is due so much later for all.
    pub(super) scored_ms: i64,
    /// How much earlier the swipe was than the latest that it could be then.
    late_ms: u32,
    pub(super) card: SlotId,
    terminal: SlotId,
    logit: f32,
    pub(super) bins: PackedBins,
}

/// The flags of a swipe that waits. In a snapshot the last says whether the model has learnt.
pub(super) const DECLINED: usize = 0;
pub(super) const FRAUD: usize = 1;
pub(super) const LEARNT: usize = 2;

/// The bytes of a swipe in a file, with the fingerprint of its id.
pub(super) const BYTES: usize = 40 + packed_bins::BYTES;

impl Waiting {
    pub(super) fn new(scored: &Scored, scored_ms: i64) -> Self {
        let Scored { at_ms, card, terminal, ref bins, logit, declined } = *scored;
        let late_ms = scored_ms.saturating_add(AHEAD_MS).saturating_sub(at_ms);
        let late_ms = late_ms.clamp(0, u32::MAX.into()) as u32;
        let mut bins = PackedBins::from(bins);
        if declined {
            bins.set_flag(DECLINED);
        }
        Self { scored_ms, late_ms, card, terminal, logit, bins }
    }

    pub(super) fn scored(&self) -> Scored {
        let Self { scored_ms, late_ms, card, terminal, ref bins, logit } = *self;
        let at_ms = scored_ms.saturating_add(AHEAD_MS).saturating_sub(late_ms.into());
        Scored { at_ms, card, terminal, bins: bins.into(), logit, declined: bins.flag(DECLINED) }
    }

    pub(super) fn to_bytes(self, id: u64) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let (head, bins) = bytes.split_at_mut(40);
        let (long, short) = head.split_at_mut(16);
        long[..8].copy_from_slice(&id.to_ne_bytes());
        long[8..].copy_from_slice(&self.scored_ms.to_ne_bytes());
        let ([card, card_generation], [terminal, terminal_generation]) =
            (self.card.to_numbers(), self.terminal.to_numbers());
        let numbers =
            [self.late_ms, card, card_generation, terminal, terminal_generation, self.logit.to_bits()];
        for (bytes, number) in short.chunks_exact_mut(4).zip(numbers) {
            bytes.copy_from_slice(&number.to_ne_bytes());
        }
        bins.copy_from_slice(self.bins.as_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; BYTES]) -> (u64, Self) {
        let long = |from: usize| [0, 1, 2, 3, 4, 5, 6, 7].map(|byte| bytes[from + byte]);
        let number = |of: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| bytes[16 + 4 * of + byte]));
        let waiting = Self {
            scored_ms: i64::from_ne_bytes(long(8)),
            late_ms: number(0),
            card: SlotId::of_numbers([number(1), number(2)]),
            terminal: SlotId::of_numbers([number(3), number(4)]),
            logit: f32::from_bits(number(5)),
            bins: PackedBins::of_bytes(std::array::from_fn(|byte| bytes[40 + byte])),
        };
        (u64::from_ne_bytes(long(0)), waiting)
    }
}

/// Where each swipe of a list stands, by the fingerprint of its id; of one id the latest place.
#[derive(Debug)]
pub(super) struct PlacesById(Spilled<{ Self::BYTES }>);

impl PlacesById {
    /// The bytes of a place.
    pub(super) const BYTES: usize = 12;

    pub(super) fn new(spill: &Arc<SpillFile>, ids: impl Iterator<Item = u64>) -> Self {
        let mut places: Vec<(u64, u32)> = ids.zip(0..).collect();
        places.sort_unstable();
        let record = |(id, place): (u64, u32)| {
            let mut bytes = [0; Self::BYTES];
            bytes[..8].copy_from_slice(&id.to_be_bytes());
            bytes[8..].copy_from_slice(&place.to_be_bytes());
            bytes
        };
        Self(Spilled::new(spill, places.into_iter().map(record)))
    }

    pub(super) fn place(&self, id: u64) -> Option<usize> {
        let id = id.to_be_bytes();
        let behind = self.0.partition_point(|record| record[..8] <= id[..]);
        let record = self.0.at(behind.checked_sub(1)?);
        (record[..8] == id[..])
            .then(|| u32::from_be_bytes([record[8], record[9], record[10], record[11]]) as usize)
    }
}

#[derive(Debug)]
struct Segment {
    swipes: Spilled<BYTES>,
    by_id: PlacesById,
}

/// Who reads on in the order of the swipes, each behind what it read before.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Oldest,
    At,
}

/// Swipes that wait, which leave in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct WaitingList {
    spill: Arc<SpillFile>,
    /// The oldest, [`SEGMENT`] in each.
    segments: VecDeque<Arc<Segment>>,
    /// How many of the first segment's have left.
    left: usize,
    /// How many segments have left: what is [marked](Self::mark_fraud) is known by a number that
    /// lasts.
    segments_left: usize,
    /// The fraud among those in segments.
    fraud: BTreeSet<usize>,
    latest: FifoMap<u64, Waiting>,
    newest: Option<Waiting>,
    /// For each [`Reader`] the segment that it reads, by a number that lasts.
    readers: [(usize, ReadAhead<BYTES>); 2],
}

impl WaitingList {
    pub(super) fn new(spill: Arc<SpillFile>) -> Self {
        Self {
            spill,
            segments: VecDeque::new(),
            left: 0,
            segments_left: 0,
            fraud: BTreeSet::new(),
            latest: FifoMap::new(SEGMENT),
            newest: None,
            readers: Default::default(),
        }
    }

    pub(super) fn spill(&self) -> &Arc<SpillFile> {
        &self.spill
    }

    pub(super) fn len(&self) -> usize {
        self.spilled() + self.latest.len()
    }

    /// How many wait in segments.
    fn spilled(&self) -> usize {
        self.segments.len() * SEGMENT - self.left
    }

    /// Adds the newest. `id` is the fingerprint of its id.
    pub(super) fn push(&mut self, id: u64, waiting: Waiting) {
        self.newest = Some(waiting);
        self.latest.push(id, waiting);
        if self.latest.len() < SEGMENT {
            return;
        }
        let full = std::mem::replace(&mut self.latest, FifoMap::new(SEGMENT));
        let full: Vec<(u64, Waiting)> = full.into_entries().collect();
        let swipes = full.iter().map(|(id, waiting)| waiting.to_bytes(*id));
        let swipes = Spilled::new(&self.spill, swipes);
        let by_id = PlacesById::new(&self.spill, full.iter().map(|(id, _)| *id));
        self.segments.push_back(Arc::new(Segment { swipes, by_id }));
    }

    /// Removes the oldest; whether there was one.
    pub(super) fn pop_oldest(&mut self) -> bool {
        if self.segments.is_empty() {
            return self.latest.pop_oldest().is_some();
        }
        self.left += 1;
        if self.left == SEGMENT {
            self.segments.pop_front();
            self.left = 0;
            self.segments_left += 1;
            self.fraud = self.fraud.split_off(&(self.segments_left * SEGMENT));
        }
        true
    }

    pub(super) fn newest(&self) -> Option<&Waiting> {
        self.newest.as_ref().filter(|_| self.len() > 0)
    }

    pub(super) fn oldest(&mut self) -> Option<Waiting> {
        self.read(0, Reader::Oldest)
    }

    /// The swipe at a place in the order of arrival; the oldest stands at 0.
    pub(super) fn at(&mut self, place: usize) -> Option<Waiting> {
        self.read(place, Reader::At)
    }

    fn read(&mut self, place: usize, reader: Reader) -> Option<Waiting> {
        match place.checked_sub(self.spilled()) {
            Some(place) => self.latest.at(place).copied(),
            None => Some(self.read_spilled(place, reader).1),
        }
    }

    /// A swipe in a segment, and the fingerprint of its id.
    fn read_spilled(&mut self, place: usize, reader: Reader) -> (u64, Waiting) {
        let (segment, at) = ((self.left + place) / SEGMENT, (self.left + place) % SEGMENT);
        let (reads, ahead) = &mut self.readers[reader as usize];
        let number = self.segments_left + segment;
        if std::mem::replace(reads, number) != number {
            ahead.forget();
        }
        let (id, mut waiting) = Waiting::from_bytes(&ahead.at(&self.segments[segment].swipes, at));
        if self.fraud.contains(&self.number(place)) {
            waiting.bins.set_flag(FRAUD);
        }
        (id, waiting)
    }

    /// The place of the swipe with this fingerprint of its id; of several the latest.
    pub(super) fn place(&self, id: u64) -> Option<usize> {
        let spilled = self.spilled();
        if let Some(place) = self.latest.place(&id) {
            return Some(spilled + place);
        }
        let with_numbers = self.segments.iter().enumerate().rev();
        let mut found = with_numbers
            .filter_map(|(segment, held)| held.by_id.place(id).map(|place| segment * SEGMENT + place));
        found.next()?.checked_sub(self.left)
    }

    /// Marks the swipe at a place as fraud.
    pub(super) fn mark_fraud(&mut self, place: usize, id: u64) {
        if place < self.spilled() {
            self.fraud.insert(self.number(place));
        } else if let Some(waiting) = self.latest.get_mut(&id) {
            waiting.bins.set_flag(FRAUD);
        }
    }

    /// A number of the swipe at a place in a segment that stays the same.
    fn number(&self, place: usize) -> usize {
        self.segments_left * SEGMENT + self.left + place
    }

    /// All of them, the oldest first, each with the fingerprint of its id.
    pub(super) fn into_entries(mut self) -> impl Iterator<Item = (u64, Waiting)> {
        let latest = std::mem::replace(&mut self.latest, FifoMap::new(1)).into_entries();
        (0..self.spilled()).map(move |place| self.read_spilled(place, Reader::At)).chain(latest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::features::FEATURES;
    use super::super::lru_slab::LruSlab;
    use super::*;

    fn waiting(slot: SlotId, number: usize) -> Waiting {
        let scored = Scored {
            at_ms: number as i64 - 7,
            card: slot,
            terminal: slot,
            bins: [1; FEATURES],
            logit: number as f32 / 3.0,
            declined: number.is_multiple_of(3),
        };
        Waiting::new(&scored, number as i64)
    }

    fn told(waiting: Waiting) -> String {
        format!("{:?} {}", waiting.scored(), waiting.bins.flag(FRAUD))
    }

    proptest! {
        /// Against a queue that is in memory as a whole.
        #[test]
        fn what_lies_in_a_file_is_found_as_if_it_were_in_memory(
            steps in prop::collection::vec((0_u64..90, 0_usize..6, 0_usize..200), 0..120),
            cloned_at in 0_usize..120,
        ) {
            let slot = LruSlab::<u32>::new(3).get_or_insert("slot").0;
            let (mut list, mut naive) = (WaitingList::new(Arc::default()), FifoMap::new(1_000));
            let mut earlier = None;
            for (number, (id, step, place)) in steps.into_iter().enumerate() {
                if number == cloned_at {
                    earlier = Some((list.clone(), naive.clone()));
                }
                if step == 0 {
                    prop_assert_eq!(list.pop_oldest(), naive.pop_oldest().is_some());
                } else {
                    list.push(id, waiting(slot, number));
                    naive.push(id, waiting(slot, number));
                }
                if step == 1 && let Some(place) = naive.place(&id) {
                    list.mark_fraud(place, id);
                    naive.get_mut(&id).unwrap().bins.set_flag(FRAUD);
                }
                prop_assert_eq!(list.len(), naive.len());
                prop_assert_eq!(list.at(place).map(told), naive.at(place).copied().map(told));
                prop_assert_eq!(list.oldest().map(told), naive.oldest().copied().map(told));
                let at_ms = |newest: Option<&Waiting>| newest.map(|newest| newest.scored().at_ms);
                prop_assert_eq!(at_ms(list.newest()), at_ms(naive.newest()));
                for id in [id, place as u64 % 90] {
                    prop_assert_eq!(list.place(id), naive.place(&id), "{}", id);
                }
            }
            let whole = (list, naive);
            for (list, naive) in [whole].into_iter().chain(earlier) {
                let told = |(id, waiting)| (id, told(waiting));
                prop_assert_eq!(
                    list.into_entries().map(told).collect::<Vec<_>>(),
                    naive.into_entries().map(told).collect::<Vec<_>>()
                );
            }
        }
    }
}
