//! Payments: money approved to fraudsters, and honest customers who were declined.

use std::collections::{HashMap, VecDeque};

use consumers::fraud::{BlockedCards, Costs};
use events::{Decision, Event, SimulationTruth, Timestamp};

use super::PATIENCE_MS;
use super::resample::Resampled;

/// How one lane did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentLane {
    /// Swipes judged.
    pub swipes: u64,
    /// Frauds among them.
    pub frauds: u64,
    /// What the fraudsters tried to take, in cents.
    pub fraud_cents: i64,
    /// What they were given, in cents.
    pub lost_cents: i64,
    /// Frauds that were declined.
    pub frauds_stopped: u64,
    /// Honest swipes that were declined.
    pub honest_declined: u64,
    /// What these cost, in cents.
    pub decline_cost_cents: i64,
    /// Swipes that the terminal approved by itself, because no verdict came in time.
    pub stood_in: u64,
}

impl PaymentLane {
    /// What the lane cost, in cents: money lost and customers annoyed.
    pub fn cost_cents(&self) -> i64 {
        self.lost_cents + self.decline_cost_cents
    }

    fn add(&mut self, one: &Self) {
        self.swipes += one.swipes;
        self.frauds += one.frauds;
        self.fraud_cents += one.fraud_cents;
        self.lost_cents += one.lost_cents;
        self.frauds_stopped += one.frauds_stopped;
        self.honest_declined += one.honest_declined;
        self.decline_cost_cents += one.decline_cost_cents;
        self.stood_in += one.stood_in;
    }

    fn judge(&mut self, swipe: &Swipe, declined: bool, costs: Costs) {
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
                self.decline_cost_cents += costs.of_declining(swipe.amount_cents) as i64;
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
pub struct PaymentsBill {
    /// The stream lane.
    pub stream: PaymentLane,
    /// The batch lane: everything is approved at the till, and cards are blocked for a while once a
    /// run has found them out.
    pub batch: PaymentLane,
    /// Swipe by swipe, drawn card by card: what the stream lost and what its declines cost, and the
    /// same of the batch lane, in cents.
    pub spread: Resampled<4>,
    /// What a declined honest customer costs: what both lanes' processors decide by.
    pub costs: Costs,
    judged_from: Timestamp,
    deadline_ms: i64,
    waiting: VecDeque<Swipe>,
    verdicts: HashMap<String, Verdict>,
    blocks: BlockedCards,
}

impl PaymentsBill {
    pub(super) fn new(deadline_ms: i64, judged_from: Timestamp) -> Self {
        Self {
            stream: PaymentLane::default(),
            batch: PaymentLane::default(),
            spread: Resampled::default(),
            costs: Costs::default(),
            judged_from,
            deadline_ms,
            waiting: VecDeque::new(),
            verdicts: HashMap::new(),
            blocks: BlockedCards::default(),
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
            Event::FraudBatch(batched) => self.blocks.observe_run(batched),
            _ => {}
        }
    }

    pub(super) fn settle(&mut self, until: Timestamp) {
        while self.waiting.front().is_some_and(|swipe| swipe.seen <= until) {
            let swipe = self.waiting.pop_front().expect("there is a front");
            let verdict = self.verdicts.remove(&swipe.swipe_id);
            let in_time = verdict.filter(|verdict| verdict.wall_ms - swipe.wall_ms <= self.deadline_ms);
            if swipe.ts < self.judged_from {
                continue;
            }
            let (mut stream, mut batch) = (PaymentLane::default(), PaymentLane::default());
            stream.stood_in = u64::from(in_time.is_none());
            let declined = in_time.is_some_and(|verdict| verdict.decision == Decision::Decline);
            stream.judge(&swipe, declined, self.costs);
            batch.judge(&swipe, self.blocks.is_blocked(&swipe.card_id, swipe.ts), self.costs);
            self.stream.add(&stream);
            self.batch.add(&batch);
            let cents = |lane: &PaymentLane| [lane.lost_cents as f64, lane.decline_cost_cents as f64];
            let ([lost, declines], [late_lost, late_declines]) = (cents(&stream), cents(&batch));
            self.spread.add(&swipe.card_id, [lost, declines, late_lost, late_declines]);
        }
        // A verdict without a swipe: the swipe was sent before we looked, or its verdict came after
        // it was judged.
        self.verdicts.retain(|_, verdict| until.since_ms(verdict.seen) < PATIENCE_MS);
    }
}
