//! Swipes that wait for their label, frozen as they were scored.
//!
//! A chargeback comes days after its swipe; a swipe without one within the label delay
//! counts as genuine. Until then its bins wait here, and the model learns from these bins: features
//! that were computed again later would contain what was unknown at the time of the swipe
//! (*leakage*). After that they are kept a while longer, for chargebacks that come too late.
//!
//! # Simplifications
//! - A swipe is known by the [`fingerprint`] of its id.
//! - A swipe that comes more than 48 days late counts as 48 days late when its label comes.
//! - Queues that start from one [snapshot](LabelSnapshot) each hold what was waiting in it, until
//!   they meet the card; then the swipe is that queue's to learn from.
//! - When [`capacity`](LabelQueue::new) swipes wait, the oldest are dropped unlearnt, and counted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use events::{Chargeback, Timestamp};

use super::lru_slab::SlotId;
use super::place_set::PlaceSet;
use super::spill::{ReadAhead, SpillFile, Spilled};
use super::waiting::{self, FRAUD, LEARNT, PlacesById, Scored, Waiting, WaitingList};
use processor::bounded::fingerprint;
use processor::event_time::{DeduplicationWindow, SharedWindow};

/// What a chargeback means for what is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChargebackOutcome {
    /// Its swipe is still waiting.
    InTime(Scored),
    /// Its swipe was already learnt as genuine.
    Late(Scored),
    /// It was known.
    Repeated,
    /// Its swipe was never seen, or was forgotten long ago.
    Unknown,
}

/// A chargeback that arrived before its time. The greatest has the earliest time, as the heap needs
/// it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EarlyChargeback {
    ts: Reverse<Timestamp>,
    arrival: Reverse<u64>,
    swipe_id: String,
    card_id: String,
    terminal_id: String,
}

/// What has become of the swipes of the snapshot whose card was met since, by their places there.
/// There are hundreds of thousands, and all of their cards are met in time.
#[derive(Clone, Debug, Default)]
struct Inherited {
    /// Those of which a chargeback still counts.
    open: PlaceSet,
    /// Of these, those from which the model has not learnt.
    unlearnt: PlaceSet,
    /// Those for which a chargeback has come.
    fraud: PlaceSet,
}

/// What a queue held, frozen, for several queues to start from.
#[derive(Debug)]
pub(super) struct LabelSnapshot {
    /// In the order in which labels are due, each with the fingerprint of its id.
    waiting: Spilled<{ waiting::BYTES }>,
    by_id: PlacesById,
    /// The number of each card, and behind it where a swipe of it stands.
    by_card: Spilled<8>,
    spill: Arc<SpillFile>,
    seen: SharedWindow,
    early: BinaryHeap<EarlyChargeback>,
}

#[derive(Clone, Debug)]
pub(super) struct LabelQueue {
    capacity: usize,
    /// How many ids are remembered.
    remember: usize,
    delay_ms: i64,
    keep_ms: i64,
    /// By the fingerprint of the swipe's id, in the order of arrival, which is the order in which
    /// labels are due. The model has learnt from the first `matured`.
    queue: WaitingList,
    matured: usize,
    seen: DeduplicationWindow,
    snapshot: Option<Arc<LabelSnapshot>>,
    inherited: Inherited,
    /// What is read of the snapshot from the first of those that are open, and unlearnt.
    reads: [ReadAhead<{ waiting::BYTES }>; 2],
    early: BinaryHeap<EarlyChargeback>,
    early_arrived: u64,
    dropped: u64,
}

impl LabelQueue {
    /// An empty queue. `delay_ms` after a swipe its label is due; for `keep_ms` more a late
    /// chargeback still counts. The latest `remember` ids are remembered, and at most four times as
    /// many.
    pub(super) fn new(capacity: usize, remember: usize, delay_ms: i64, keep_ms: i64) -> Self {
        assert!(
            delay_ms >= 0 && keep_ms >= 0,
            "a label is due {delay_ms} ms after its swipe and kept for {keep_ms} ms: neither can be negative"
        );
        Self {
            capacity: capacity.max(1),
            remember,
            delay_ms,
            keep_ms,
            queue: WaitingList::new(Arc::default()),
            matured: 0,
            seen: DeduplicationWindow::new(remember),
            snapshot: None,
            inherited: Inherited::default(),
            reads: Default::default(),
            early: BinaryHeap::new(),
            early_arrived: 0,
            dropped: 0,
        }
    }

    /// An empty queue with the same limits.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.capacity, self.remember, self.delay_ms, self.keep_ms)
    }

    /// What this queue holds, for others to start from.
    pub(super) fn into_snapshot(self) -> LabelSnapshot {
        assert!(self.snapshot.is_none(), "a queue that started from a snapshot is not frozen again");
        let (matured, spill) = (self.matured, Arc::clone(self.queue.spill()));
        let mut waiting: Vec<(u64, Waiting)> = (0..)
            .zip(self.queue.into_entries())
            .map(|(at, (id, mut waiting))| {
                if at < matured {
                    waiting.bins.set_flag(LEARNT);
                }
                (id, waiting)
            })
            .collect();
        let last = u32::try_from(waiting.len());
        let last = last.unwrap_or_else(|_| panic!("{} swipes wait: a place has 32 bits", waiting.len()));
        waiting.sort_by_key(|&(id, Waiting { scored_ms, .. })| (scored_ms, id));
        let of_card = |((_, waiting), place): (&(u64, Waiting), u32)| {
            u64::from(waiting.card.number()) << 32 | u64::from(place)
        };
        let mut by_card: Vec<u64> = waiting.iter().zip(0..last).map(of_card).collect();
        by_card.sort_unstable();
        let by_card = by_card.into_iter().map(u64::to_be_bytes);
        LabelSnapshot {
            by_id: PlacesById::new(&spill, waiting.iter().map(|(id, _)| *id)),
            by_card: Spilled::new(&spill, by_card),
            waiting: Spilled::new(&spill, waiting.into_iter().map(|(id, waiting)| waiting.to_bytes(id))),
            seen: self.seen.into_shared(),
            early: self.early,
            spill,
        }
    }

    /// A queue with the limits of this one that starts from a snapshot.
    pub(super) fn starting_from(&self, snapshot: &Arc<LabelSnapshot>) -> Self {
        let mut queue = self.empty();
        queue.queue = WaitingList::new(Arc::clone(&snapshot.spill));
        queue.seen = snapshot.seen.window();
        queue.early.clone_from(&snapshot.early);
        queue.early_arrived = snapshot.early.len() as u64;
        queue.snapshot = Some(Arc::clone(snapshot));
        queue
    }

    /// A card of the snapshot was met for the first time: its waiting swipes are this queue's from
    /// now on.
    pub(super) fn inherit(&mut self, card: SlotId) {
        let Some(snapshot) = &self.snapshot else { return };
        let Inherited { open, unlearnt, fraud } = &mut self.inherited;
        for place in snapshot.of_card(card) {
            let Waiting { bins, .. } = snapshot.at(place);
            open.insert(place);
            if !bins.flag(LEARNT) {
                unlearnt.insert(place);
            }
            if bins.flag(FRAUD) {
                fraud.insert(place);
            }
        }
    }

    /// The fingerprint of this id, if it is not among the latest ones.
    pub(super) fn first_seen(&mut self, id: &str) -> Option<u64> {
        self.seen.first_seen(id)
    }

    /// How many ids are remembered now, those of the snapshot left out.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.seen.remembered()
    }

    /// Keeps a swipe that was scored at `now_ms` until its label comes. `id` is what
    /// [`first_seen`](Self::first_seen) gave.
    pub(super) fn push(&mut self, now_ms: i64, id: u64, scored: &Scored) {
        if self.queue.len() >= self.capacity {
            self.pop();
        }
        assert!(
            self.queue.newest().is_none_or(|last| last.scored_ms <= now_ms),
            "a swipe scored at {now_ms} ms comes behind one scored later: the watermark went back"
        );
        self.queue.push(id, Waiting::new(scored, now_ms));
    }

    /// The swipe that was pushed last.
    pub(super) fn latest(&self) -> Option<Scored> {
        self.queue.newest().map(Waiting::scored)
    }

    /// Marks the swipe of a chargeback that has become known.
    pub(super) fn charge(&mut self, swipe_id: &str) -> ChargebackOutcome {
        let id = fingerprint(swipe_id);
        let Inherited { open, unlearnt, fraud } = &mut self.inherited;
        if let Some(snapshot) = &self.snapshot
            && let Some(place) = snapshot.by_id.place(id).filter(|&place| open.contains(place))
        {
            let (scored, is_fraud) = (snapshot.at(place).scored(), fraud.contains(place));
            fraud.insert(place);
            return charge(scored, is_fraud, !unlearnt.contains(place));
        }
        let place = self.queue.place(id);
        let Some((place, waiting)) = place.and_then(|place| Some((place, self.queue.at(place)?))) else {
            // Remembered under a key of its own, so that a repeated one counts once.
            return match self.first_seen(&format!("chargeback of {swipe_id}")) {
                Some(_) => ChargebackOutcome::Unknown,
                None => ChargebackOutcome::Repeated,
            };
        };
        self.queue.mark_fraud(place, id);
        charge(waiting.scored(), waiting.bins.flag(FRAUD), place < self.matured)
    }

    /// The next swipe whose label is due before `now_ms`, and whether it was fraud. At the very
    /// instant a chargeback may still come first.
    pub(super) fn next_mature(&mut self, now_ms: i64) -> Option<(Scored, bool)> {
        let (delay_ms, keep_ms) = (self.delay_ms, self.keep_ms);
        let due_ms = |Waiting { scored_ms, .. }: Waiting| scored_ms.saturating_add(delay_ms);
        let is_expired = |waiting: Waiting| due_ms(waiting).saturating_add(keep_ms) < now_ms;
        if let Some(snapshot) = &self.snapshot {
            let Inherited { open, unlearnt, fraud } = &mut self.inherited;
            let [opens, learns] = &mut self.reads;
            let at =
                |reads: &mut ReadAhead<_>, place| Waiting::from_bytes(&reads.at(&snapshot.waiting, place)).1;
            if let Some(place) = unlearnt.first().filter(|&place| due_ms(at(learns, place)) < now_ms) {
                unlearnt.remove(place);
                return Some((at(learns, place).scored(), fraud.contains(place)));
            }
            while let Some(place) = open.first().filter(|&place| is_expired(at(opens, place))) {
                open.remove(place);
            }
        }
        while self.matured > 0 && self.queue.oldest().is_some_and(is_expired) {
            self.pop();
        }
        let waiting = self.queue.at(self.matured).filter(|&waiting| due_ms(waiting) < now_ms)?;
        let matured = (waiting.scored(), waiting.bins.flag(FRAUD));
        self.matured += 1;
        assert!(
            self.matured <= self.queue.len(),
            "{} of {} swipes in the queue have been learnt from",
            self.matured,
            self.queue.len()
        );
        Some(matured)
    }

    /// Removes the oldest swipe of the queue.
    fn pop(&mut self) {
        if !self.queue.pop_oldest() {
            return;
        }
        if self.matured == 0 {
            self.dropped += 1;
        } else {
            self.matured -= 1;
        }
    }

    /// Holds a chargeback that claims to be of later than now: what is not known yet must not be
    /// used yet. False when there is no room.
    pub(super) fn hold(&mut self, chargeback: &Chargeback) -> bool {
        if self.early.len() >= self.capacity {
            return false;
        }
        self.early_arrived += 1;
        self.early.push(EarlyChargeback {
            ts: Reverse(chargeback.ts),
            arrival: Reverse(self.early_arrived),
            swipe_id: chargeback.swipe_id.clone(),
            card_id: chargeback.card_id.clone(),
            terminal_id: chargeback.terminal_id.clone(),
        });
        true
    }

    /// The next held chargeback whose time has come.
    pub(super) fn release(&mut self, now_ms: i64) -> Option<Chargeback> {
        self.early.peek().filter(|early| early.ts.0.ms() <= now_ms)?;
        let EarlyChargeback { ts, swipe_id, card_id, terminal_id, .. } = self.early.pop()?;
        Some(Chargeback { ts: ts.0, swipe_id, card_id, terminal_id })
    }

    /// How many were dropped before their label came, for want of room.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl LabelSnapshot {
    fn at(&self, place: usize) -> Waiting {
        Waiting::from_bytes(&self.waiting.at(place)).1
    }

    /// Where the swipes of a card wait.
    fn of_card(&self, card: SlotId) -> impl Iterator<Item = usize> {
        let number = u64::from(card.number()) << 32;
        let from = self.by_card.partition_point(|record| u64::from_be_bytes(record) < number);
        let records = (from..self.by_card.len()).map(|at| u64::from_be_bytes(self.by_card.at(at)));
        let of_slot = records.take_while(move |record| record >> 32 == number >> 32);
        let places = of_slot.map(|record| record as u32 as usize);
        // An entry that had the slot before may have swipes that wait, too.
        places.filter(move |&place| self.at(place).card == card)
    }
}

/// What a chargeback means for a swipe: whether one has come before, and the model has learnt.
fn charge(scored: Scored, is_fraud: bool, learnt: bool) -> ChargebackOutcome {
    match (is_fraud, learnt) {
        (true, _) => ChargebackOutcome::Repeated,
        (false, true) => ChargebackOutcome::Late(scored),
        (false, false) => ChargebackOutcome::InTime(scored),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lru_slab::LruSlab;
    use super::*;

    /// What a queue says of a chargeback.
    fn told(outcome: ChargebackOutcome) -> (&'static str, i64) {
        match outcome {
            ChargebackOutcome::InTime(scored) => ("in time", scored.at_ms),
            ChargebackOutcome::Late(scored) => ("late", scored.at_ms),
            ChargebackOutcome::Repeated => ("repeated", 0),
            ChargebackOutcome::Unknown => ("unknown", 0),
        }
    }

    /// All labels that are due before `now_ms`.
    fn matured(queue: &mut LabelQueue, now_ms: i64) -> Vec<(i64, u32, bool)> {
        let due = std::iter::from_fn(|| queue.next_mature(now_ms));
        let mut due: Vec<_> =
            due.map(|(scored, fraud)| (scored.at_ms, scored.card.number(), fraud)).collect();
        due.sort_unstable();
        due
    }

    proptest! {
        /// Each step a swipe comes, and maybe a chargeback of one of the latest.
        #[test]
        fn a_queue_that_starts_from_a_snapshot_says_what_the_queue_itself_would(
            steps in prop::collection::vec((0_i64..9, 0_usize..5, -30_i64..9, 0_usize..90), 0..120),
            frozen_at in 0_usize..120,
        ) {
            let mut slab: LruSlab<u32> = LruSlab::new(10);
            let cards = ["a", "b", "c", "d", "e"].map(|id| slab.get_or_insert(id).0);
            let mut one = LabelQueue::new(1_000, 1_000, 50, 70);
            let mut other = one.clone();
            let mut now_ms = 0;
            for (number, &(gap_ms, card, ahead_ms, back)) in steps.iter().enumerate() {
                now_ms += gap_ms;
                if number == frozen_at {
                    other = one.starting_from(&Arc::new(one.clone().into_snapshot()));
                    for card in cards {
                        other.inherit(card);
                    }
                }
                let scored = Scored {
                    at_ms: now_ms + ahead_ms,
                    card: cards[card],
                    terminal: cards[0],
                    bins: [0; super::super::features::FEATURES],
                    logit: 0.5,
                    declined: number % 3 == 0,
                };
                let charged = format!("swipe {}", number.saturating_sub(back));
                let mut said = [&mut one, &mut other].map(|queue| {
                    let matured = matured(queue, now_ms);
                    let id = queue.first_seen(&format!("swipe {number}"));
                    queue.push(now_ms, id.expect("a new id"), &scored);
                    (matured, if back < 40 { Some(told(queue.charge(&charged))) } else { None })
                });
                prop_assert_eq!(said[0].clone(), std::mem::take(&mut said[1]), "step {}", number);
            }
        }
    }
}
