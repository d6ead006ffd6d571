//! Swipes that wait for their label, frozen as they were scored.
//!
//! A chargeback comes days after its swipe; a swipe without one within the label delay
//! counts as genuine. Until then its bins wait here, and the model learns from these bins: features
//! that were computed again later would contain what was unknown at the time of the swipe
//! (*leakage*). After that they are kept a while longer, for chargebacks that come too late.
//!
//! # Simplifications
//! - A swipe is known by the [`fingerprint`] of its id.
//! - Queues that start from one [snapshot](LabelSnapshot) each hold what was waiting in it, until
//!   they meet the card; then the swipe is that queue's to learn from.
//! - When [`capacity`](LabelQueue::new) swipes wait, the oldest are dropped unlearnt, and counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use events::{Chargeback, Timestamp};

use super::features::Bins;
use super::lru_slab::SlotId;
use super::packed_bins::PackedBins;
use processor::bounded::{FifoMap, fingerprint};
use processor::event_time::{DeduplicationWindow, SharedWindow};

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

/// A scored swipe in the queue: nine words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    at_ms: i64,
    /// When its label is due.
    due_ms: i64,
    card: SlotId,
    terminal: SlotId,
    logit: f32,
    bins: PackedBins,
    declined: bool,
    /// Whether a chargeback has come.
    fraud: bool,
    /// In a snapshot: whether the model has learnt from it.
    learnt: bool,
}

impl Waiting {
    fn new(scored: &Scored, due_ms: i64) -> Self {
        let Scored { at_ms, card, terminal, ref bins, logit, declined } = *scored;
        let bins = bins.into();
        Self { at_ms, due_ms, card, terminal, logit, bins, declined, fraud: false, learnt: false }
    }

    fn scored(&self) -> Scored {
        let Self { at_ms, card, terminal, ref bins, logit, declined, .. } = *self;
        Scored { at_ms, card, terminal, bins: bins.into(), logit, declined }
    }
}

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

/// What has become of a swipe of the snapshot. The swipe itself stays there: there are hundreds of
/// thousands, and it is several times as large.
#[derive(Clone, Copy, Debug)]
struct Inherited {
    /// Its place in the snapshot.
    place: u32,
    /// Whether a chargeback has come.
    fraud: bool,
    /// Whether the model has learnt from it.
    learnt: bool,
}

/// What a queue held, frozen, for several queues to start from.
#[derive(Debug)]
pub(super) struct LabelSnapshot {
    /// By card, each with the fingerprint of its id.
    waiting: Vec<(u64, Waiting)>,
    /// The places of all of them, by id.
    by_id: Vec<u32>,
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
    queue: FifoMap<u64, Waiting>,
    matured: usize,
    seen: DeduplicationWindow,
    snapshot: Option<Arc<LabelSnapshot>>,
    /// Swipes of the snapshot whose card was met since, by the instant at which something is to be
    /// done about them, and their id. The instant is that at which the label is due, and after that
    /// the one from which on no chargeback counts.
    inherited: BTreeMap<(i64, u64), Inherited>,
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
            queue: FifoMap::new(capacity),
            matured: 0,
            seen: DeduplicationWindow::new(remember),
            snapshot: None,
            inherited: BTreeMap::new(),
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
        let matured = self.matured;
        let mut waiting: Vec<(u64, Waiting)> = (0..)
            .zip(self.queue.into_entries())
            .map(|(at, (id, waiting))| (id, Waiting { learnt: at < matured, ..waiting }))
            .collect();
        let last = u32::try_from(waiting.len());
        let last = last.unwrap_or_else(|_| panic!("{} swipes wait: a place has 32 bits", waiting.len()));
        waiting.sort_by_key(|(_, waiting)| waiting.card.number());
        let mut by_id: Vec<u32> = (0..last).collect();
        by_id.sort_by_key(|&place| waiting[place as usize].0);
        LabelSnapshot { waiting, by_id, seen: self.seen.into_shared(), early: self.early }
    }

    /// A queue with the limits of this one that starts from a snapshot.
    pub(super) fn starting_from(&self, snapshot: &Arc<LabelSnapshot>) -> Self {
        let mut queue = self.empty();
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
        let number = |(_, waiting): &(u64, Waiting)| waiting.card.number();
        let from = snapshot.waiting.partition_point(|entry| number(entry) < card.number());
        let of_slot = (from..).zip(&snapshot.waiting[from..]);
        let of_slot = of_slot.take_while(|(_, entry)| number(entry) == card.number());
        for (place, &(id, Waiting { due_ms, fraud, learnt, .. })) in
            of_slot.filter(|(_, (_, waiting))| waiting.card == card)
        {
            let at = if learnt { due_ms.saturating_add(self.keep_ms) } else { due_ms };
            self.inherited.insert((at, id), Inherited { place: place as u32, fraud, learnt });
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
        if self.queue.is_full() {
            self.pop();
        }
        let due_ms = now_ms.saturating_add(self.delay_ms);
        assert!(
            self.queue.newest().is_none_or(|last| last.due_ms <= due_ms),
            "a label due at {due_ms} ms comes behind one due later: the watermark went back"
        );
        self.queue.push(id, Waiting::new(scored, due_ms));
    }

    /// The swipe that was pushed last.
    pub(super) fn latest(&self) -> Option<Scored> {
        self.queue.newest().map(Waiting::scored)
    }

    /// Marks the swipe of a chargeback that has become known.
    pub(super) fn charge(&mut self, swipe_id: &str) -> ChargebackOutcome {
        let id = fingerprint(swipe_id);
        let past = self.snapshot.as_ref().and_then(|snapshot| snapshot.waiting_as(id));
        if let Some(past) = past {
            let due = [past.due_ms, past.due_ms.saturating_add(self.keep_ms)];
            let at = due.into_iter().find(|&at| self.inherited.contains_key(&(at, id)));
            if let Some(Inherited { fraud, learnt, .. }) = at.and_then(|at| self.inherited.get_mut(&(at, id)))
            {
                return charge(past.scored(), fraud, *learnt);
            }
        }
        let learnt = self.queue.place(&id).is_some_and(|place| place < self.matured);
        let Some(waiting) = self.queue.get_mut(&id) else {
            // Remembered under a key of its own, so that a repeated one counts once.
            return match self.first_seen(&format!("chargeback of {swipe_id}")) {
                Some(_) => ChargebackOutcome::Unknown,
                None => ChargebackOutcome::Repeated,
            };
        };
        charge(waiting.scored(), &mut waiting.fraud, learnt)
    }

    /// The next swipe whose label is due before `now_ms`, and whether it was fraud. At the very
    /// instant a chargeback may still come first.
    pub(super) fn next_mature(&mut self, now_ms: i64) -> Option<(Scored, bool)> {
        while self.inherited.first_key_value().is_some_and(|((at, _), _)| *at < now_ms) {
            let Some(((at, id), inherited)) = self.inherited.pop_first() else { break };
            let Some(snapshot) = self.snapshot.as_ref().filter(|_| !inherited.learnt) else { continue };
            let until = at.saturating_add(self.keep_ms);
            let scored = snapshot.waiting[inherited.place as usize].1.scored();
            self.inherited.insert((until, id), Inherited { learnt: true, ..inherited });
            return Some((scored, inherited.fraud));
        }
        let keep_ms = self.keep_ms;
        let expired = |waiting: &Waiting| waiting.due_ms.saturating_add(keep_ms) < now_ms;
        while self.matured > 0 && self.queue.oldest().is_some_and(expired) {
            self.pop();
        }
        let waiting = self.queue.at(self.matured).filter(|waiting| waiting.due_ms < now_ms)?;
        let matured = (waiting.scored(), waiting.fraud);
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
        if self.queue.pop_oldest().is_none() {
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
    /// The swipe that waits under the fingerprint of its id.
    fn waiting_as(&self, id: u64) -> Option<&Waiting> {
        let id_at = |place: u32| self.waiting[place as usize].0;
        let at = self.by_id.partition_point(|&place| id_at(place) < id);
        let place = self.by_id.get(at).copied().filter(|&place| id_at(place) == id)?;
        self.waiting.get(place as usize).map(|(_, waiting)| waiting)
    }
}

/// Marks a swipe as fraud; `learnt` says whether the model has already learnt from it.
fn charge(scored: Scored, fraud: &mut bool, learnt: bool) -> ChargebackOutcome {
    match std::mem::replace(fraud, true) {
        true => ChargebackOutcome::Repeated,
        false if learnt => ChargebackOutcome::Late(scored),
        false => ChargebackOutcome::InTime(scored),
    }
}
