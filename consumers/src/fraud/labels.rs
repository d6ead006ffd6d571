//! Swipes that wait for their label, frozen as they were scored.
//!
//! A chargeback comes days after its swipe; a swipe that none came for within the label delay
//! counts as genuine. Until then its bins wait here, and what is learnt is learnt from them:
//! features that were computed again later would know what nobody knew then. After that they are
//! kept a while longer, for chargebacks that come too late.
//!
//! # Simplifications
//! - A swipe is known by a 64-bit hash of its id: see [`DeduplicationWindow`].
//! - What waits in the [past](Ledger::since) of several ledgers waits in each until its card is
//!   met; then it is that ledger's to learn from.
//! - When [`capacity`](Ledger::new) swipes wait, the oldest are dropped unlearnt, and counted.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use events::{Chargeback, Timestamp};

use super::features::Bins;
use super::roster::{Map, Slot, hash};
use crate::event_time::{DeduplicationWindow, SharedWindow};

/// A swipe as it was scored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) id: u64,
    pub(super) at_ms: i64,
    pub(super) card: Slot,
    pub(super) terminal: Slot,
    pub(super) bins: Bins,
    pub(super) logit: f32,
    /// Refused, so that in a world that listens no label can come.
    pub(super) declined: bool,
    pub(super) fraud: bool,
    /// When its label is due.
    due_ms: i64,
}

/// What a chargeback means for what is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Charged {
    /// Its swipe is still waiting.
    InTime(Scored),
    /// Its swipe was learnt as genuine already.
    Late(Scored),
    /// It was known.
    Twice,
    /// Its swipe was never seen, or is long forgotten.
    Unknown,
}

/// A chargeback that arrived before its time: the earliest is the greatest, as the heap wants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    ts: std::cmp::Reverse<Timestamp>,
    order: std::cmp::Reverse<u64>,
    swipe_id: String,
    card_id: String,
    terminal_id: String,
}

/// What was waiting when the past ended.
#[derive(Debug)]
pub(super) struct PastLedger {
    /// By card; whether each was learnt from.
    waiting: Vec<(Scored, bool)>,
    remembered: SharedWindow,
    held: BinaryHeap<Held>,
}

#[derive(Clone, Debug)]
pub(super) struct Ledger {
    capacity: usize,
    /// How many ids are remembered.
    remember: usize,
    delay_ms: i64,
    keep_ms: i64,
    /// In the order of arrival, which is the order in which labels are due. The first `matured`
    /// have been learnt from.
    queue: VecDeque<Scored>,
    matured: usize,
    /// How many have left the queue: the number of its first.
    left: u64,
    numbers: Map<u64, u64>,
    remembered: DeduplicationWindow,
    past: Option<Arc<PastLedger>>,
    /// Swipes of the past whose card was met since, by when something is to be done about them, and
    /// their id; whether they were learnt from.
    inherited: BTreeMap<(i64, u64), (Scored, bool)>,
    /// The instant under which each of them stands.
    inherited_at: Map<u64, i64>,
    held: BinaryHeap<Held>,
    arrived: u64,
    dropped: u64,
}

impl Ledger {
    /// `delay_ms` after a swipe its label is due; for `keep_ms` more a late one is still listened
    /// to. The latest `remember` ids are remembered, and at most twice as many.
    pub(super) fn new(capacity: usize, remember: usize, delay_ms: i64, keep_ms: i64) -> Self {
        Self {
            capacity: capacity.max(1),
            remember,
            delay_ms,
            keep_ms,
            queue: VecDeque::new(),
            matured: 0,
            left: 0,
            numbers: Map::default(),
            remembered: DeduplicationWindow::new(remember),
            past: None,
            inherited: BTreeMap::new(),
            inherited_at: Map::default(),
            held: BinaryHeap::new(),
            arrived: 0,
            dropped: 0,
        }
    }

    /// An empty one of the same kind.
    pub(super) fn empty(&self) -> Self {
        Self::new(self.capacity, self.remember, self.delay_ms, self.keep_ms)
    }

    /// What is left of this ledger for those that come after.
    pub(super) fn into_past(self) -> PastLedger {
        let matured = self.matured;
        let mut waiting: Vec<(Scored, bool)> =
            self.queue.into_iter().enumerate().map(|(at, scored)| (scored, at < matured)).collect();
        waiting.sort_by_key(|(scored, _)| scored.card.number());
        PastLedger { waiting, remembered: self.remembered.into_shared(), held: self.held }
    }

    /// A ledger like this one that begins with a past.
    pub(super) fn since(&self, past: &Arc<PastLedger>) -> Self {
        let mut ledger = self.empty();
        ledger.remembered = past.remembered.window();
        ledger.held.clone_from(&past.held);
        ledger.arrived = past.held.len() as u64;
        ledger.past = Some(Arc::clone(past));
        ledger
    }

    /// A card of the past was met: what waits of its swipes is to be learnt from here.
    pub(super) fn inherit(&mut self, card: Slot) {
        let Some(past) = &self.past else { return };
        let from = past.waiting.partition_point(|(scored, _)| scored.card.number() < card.number());
        let of_seat =
            past.waiting[from..].iter().take_while(|(scored, _)| scored.card.number() == card.number());
        for &(scored, learnt) in of_seat.filter(|(scored, _)| scored.card == card) {
            let at = if learnt { scored.due_ms.saturating_add(self.keep_ms) } else { scored.due_ms };
            self.inherited.insert((at, scored.id), (scored, learnt));
            self.inherited_at.insert(scored.id, at);
        }
    }

    /// The number that stands for this id, when it is met for the first time among the latest ones.
    pub(super) fn first_time(&mut self, id: &str) -> Option<u64> {
        self.remembered.first_seen(id)
    }

    /// How many ids are remembered now, those of the past apart.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.remembered.remembered()
    }

    /// Keeps a swipe that was scored at `now_ms` until its label comes.
    #[expect(clippy::too_many_arguments, reason = "they are the fields of what is kept")]
    pub(super) fn keep(
        &mut self,
        now_ms: i64,
        id: u64,
        at_ms: i64,
        card: Slot,
        terminal: Slot,
        bins: Bins,
        logit: f32,
        declined: bool,
    ) {
        while self.queue.len() >= self.capacity {
            self.leave();
        }
        let due_ms = now_ms.saturating_add(self.delay_ms);
        self.numbers.insert(id, self.left + self.queue.len() as u64);
        self.queue.push_back(Scored {
            id,
            at_ms,
            card,
            terminal,
            bins,
            logit,
            declined,
            fraud: false,
            due_ms,
        });
    }

    /// The swipe that was kept last.
    pub(super) fn latest(&self) -> Option<&Scored> {
        self.queue.back()
    }

    /// A chargeback for this swipe has become known.
    pub(super) fn charge(&mut self, swipe_id: &str) -> Charged {
        let id = hash(swipe_id);
        if let Some(at) = self.inherited_at.get(&id)
            && let Some((scored, learnt)) = self.inherited.get_mut(&(*at, id))
        {
            return match std::mem::replace(&mut scored.fraud, true) {
                true => Charged::Twice,
                false if *learnt => Charged::Late(*scored),
                false => Charged::InTime(*scored),
            };
        }
        let Some(at) = self.numbers.get(&id).map(|number| (number - self.left) as usize) else {
            // Remembered as an id of its own, so that one that is told twice counts once.
            return match self.first_time(&format!("chargeback of {swipe_id}")) {
                Some(_) => Charged::Unknown,
                None => Charged::Twice,
            };
        };
        let scored = &mut self.queue[at];
        if std::mem::replace(&mut scored.fraud, true) {
            Charged::Twice
        } else if at < self.matured {
            Charged::Late(*scored)
        } else {
            Charged::InTime(*scored)
        }
    }

    /// The next swipe whose label is due before `now_ms`. At the very instant a chargeback may
    /// still come first.
    pub(super) fn next_mature(&mut self, now_ms: i64) -> Option<Scored> {
        while self.inherited.first_key_value().is_some_and(|((at, _), _)| *at < now_ms) {
            let Some(((at, id), (scored, learnt))) = self.inherited.pop_first() else { break };
            if learnt {
                self.inherited_at.remove(&id);
                continue;
            }
            let until = at.saturating_add(self.keep_ms);
            self.inherited.insert((until, id), (scored, true));
            self.inherited_at.insert(id, until);
            return Some(scored);
        }
        while self.matured > 0 && self.queue[0].due_ms.saturating_add(self.keep_ms) < now_ms {
            self.leave();
        }
        let scored = *self.queue.get(self.matured).filter(|scored| scored.due_ms < now_ms)?;
        self.matured += 1;
        Some(scored)
    }

    fn leave(&mut self) {
        let Some(gone) = self.queue.pop_front() else { return };
        self.left += 1;
        self.numbers.remove(&gone.id);
        if self.matured == 0 {
            self.dropped += 1;
        } else {
            self.matured -= 1;
        }
    }

    /// Holds a chargeback that claims to be of later than now: what is not known yet must not be
    /// used yet. False: no room.
    pub(super) fn hold(&mut self, chargeback: &Chargeback) -> bool {
        if self.held.len() >= self.capacity {
            return false;
        }
        self.arrived += 1;
        self.held.push(Held {
            ts: std::cmp::Reverse(chargeback.ts),
            order: std::cmp::Reverse(self.arrived),
            swipe_id: chargeback.swipe_id.clone(),
            card_id: chargeback.card_id.clone(),
            terminal_id: chargeback.terminal_id.clone(),
        });
        true
    }

    /// The next held chargeback whose time has come.
    pub(super) fn release(&mut self, now_ms: i64) -> Option<Chargeback> {
        self.held.peek().filter(|held| held.ts.0.ms() <= now_ms)?;
        let Held { ts, swipe_id, card_id, terminal_id, .. } = self.held.pop()?;
        Some(Chargeback { ts: ts.0, swipe_id, card_id, terminal_id })
    }

    /// How many were dropped before their label came, for want of room.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
