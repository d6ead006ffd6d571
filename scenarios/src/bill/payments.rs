//! Payments: money approved to fraudsters, and honest customers who were declined.

use std::collections::{HashMap, VecDeque};

use events::{Decision, Event, SimulationTruth, Timestamp};

use super::PATIENCE_MS;

/// How one lane did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PaymentLane {
    /// Swipes judged.
    pub(crate) swipes: u64,
    /// Frauds among them.
    pub(crate) frauds: u64,
    /// What the fraudsters tried to take, in cents.
    pub(crate) fraud_cents: i64,
    /// What they were given, in cents.
    pub(crate) lost_cents: i64,
    /// Frauds that were declined.
    pub(crate) frauds_stopped: u64,
    /// Honest swipes that were declined.
    pub(crate) honest_declined: u64,
    /// What these cost, in cents.
    pub(crate) decline_cost_cents: i64,
    /// Swipes that the terminal approved by itself, because no verdict came in time.
    pub(crate) stood_in: u64,
}

impl PaymentLane {
    /// What the lane cost, in cents: money lost and customers annoyed.
    pub(crate) fn cost_cents(&self) -> i64 {
        self.lost_cents + self.decline_cost_cents
    }

    fn judge(&mut self, swipe: &Swipe, declined: bool) {
        self.swipes += 1;
        if swipe.fraud {
            self.frauds += 1;
            self.fraud_cents += swipe.amount_cents;
        }
        match (swipe.fraud, declined) {
            (true, true) => self.frauds_stopped += 1,
            (true, false) => self.lost_cents += swipe.amount_cents,
            (false, true) => {
                self.honest_declined += 1;
                // The cost rule of the processor, with its parameters: 5.00 and 2 % of the amount.
                self.decline_cost_cents += 500 + swipe.amount_cents.max(0) / 50;
            }
            (false, false) => {}
        }
    }
}

#[derive(Debug)]
struct Swipe {
    ts: Timestamp,
    seen: Timestamp,
    wall_ms: i64,
    swipe_id: String,
    card_id: String,
    amount_cents: i64,
    fraud: bool,
}

/// A verdict and when the broker had it.
#[derive(Debug, Clone, Copy)]
struct Verdict {
    decision: Decision,
    wall_ms: i64,
    seen: Timestamp,
}

/// The payments part of the bill.
#[derive(Debug)]
pub(crate) struct PaymentsBill {
    /// The stream lane.
    pub(crate) stream: PaymentLane,
    /// The batch lane: everything is approved at the till, and cards are blocked once a run has found them out.
    pub(crate) batch: PaymentLane,
    deadline_ms: i64,
    waiting: VecDeque<Swipe>,
    verdicts: HashMap<String, Verdict>,
    blocked_from: HashMap<String, Timestamp>,
}

impl PaymentsBill {
    pub(super) fn new(deadline_ms: i64) -> Self {
        Self {
            stream: PaymentLane::default(),
            batch: PaymentLane::default(),
            deadline_ms,
            waiting: VecDeque::new(),
            verdicts: HashMap::new(),
            blocked_from: HashMap::new(),
        }
    }

    pub(super) fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64) {
        match event {
            Event::SimulationTruth(SimulationTruth::Swipe { ts, id, card_id, amount_cents, pattern }) => {
                self.waiting.push_back(Swipe {
                    ts: *ts,
                    seen,
                    wall_ms,
                    swipe_id: id.clone(),
                    card_id: card_id.clone(),
                    amount_cents: *amount_cents,
                    fraud: pattern.is_some(),
                });
            }
            Event::FraudDecisions(answer) => {
                let verdict = Verdict { decision: answer.decision, wall_ms, seen };
                self.verdicts.insert(answer.swipe_id.clone(), verdict);
            }
            Event::FraudBatch(batched) if batched.answer.decision == Decision::Decline => {
                let from =
                    self.blocked_from.entry(batched.answer.card_id.clone()).or_insert(batched.valid_from);
                *from = (*from).min(batched.valid_from);
            }
            _ => {}
        }
    }

    pub(super) fn settle(&mut self, until: Timestamp) {
        while self.waiting.front().is_some_and(|swipe| swipe.seen <= until) {
            let swipe = self.waiting.pop_front().expect("there is a front");
            let verdict = self.verdicts.remove(&swipe.swipe_id);
            let in_time = verdict.filter(|verdict| verdict.wall_ms - swipe.wall_ms <= self.deadline_ms);
            self.stream.stood_in += u64::from(in_time.is_none());
            self.stream.judge(&swipe, in_time.is_some_and(|verdict| verdict.decision == Decision::Decline));
            let blocked = self.blocked_from.get(&swipe.card_id).is_some_and(|&from| from <= swipe.ts);
            self.batch.judge(&swipe, blocked);
        }
        // A verdict without a swipe: the swipe was sent before we looked, or its verdict came after it was judged.
        self.verdicts.retain(|_, verdict| until.since_ms(verdict.seen) < PATIENCE_MS);
    }
}
