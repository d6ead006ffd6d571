//! The tills as their topics tell it: swipes, the decisions that answered them, and how long that took.

use std::collections::{HashMap, VecDeque};

use dashboard::{Decision, Payments, Verdict};
use events::Event;

use super::percentiles::Percentiles;

/// How many decisions a person can scroll back.
const RECENT: usize = 200;
/// A swipe that is not answered for so long, in milliseconds of the wall, never will be as far as this view goes.
const PENDING_MS: i64 = 600_000;

/// What is known of the tills.
#[derive(Debug, Default)]
pub(crate) struct PaymentsView {
    /// Amount and time of sending of swipes that wait for their answer, by swipe.
    pending: HashMap<String, (i64, i64)>,
    /// The same swipes in the order of sending, to forget them.
    order: VecDeque<(i64, String)>,
    recent: VecDeque<Decision>,
    approved: u64,
    declined: u64,
    stood_in: u64,
    approved_cents: i64,
    declined_cents: i64,
    latency: Percentiles,
    seen: bool,
}

impl PaymentsView {
    pub(crate) fn observe(&mut self, event: &Event, wall_ms: i64, deadline_ms: i64) {
        match event {
            Event::CardSwipes(swipe) => {
                self.seen = true;
                self.pending.insert(swipe.swipe_id.clone(), (swipe.amount_cents, wall_ms));
                self.order.push_back((wall_ms, swipe.swipe_id.clone()));
                while self.order.front().is_some_and(|(sent, _)| wall_ms - sent > PENDING_MS) {
                    let (_, swipe_id) = self.order.pop_front().expect("there is a front");
                    self.pending.remove(&swipe_id);
                }
            }
            Event::FraudDecisions(answer) => {
                let Some((amount_cents, sent_ms)) = self.pending.remove(&answer.swipe_id) else { return };
                let latency_ms = (wall_ms - sent_ms).max(0);
                self.latency.push(latency_ms as f64);
                let verdict = match answer.decision {
                    _ if latency_ms > deadline_ms => Verdict::StoodIn,
                    events::Decision::Approve => Verdict::Approved,
                    events::Decision::Decline => Verdict::Declined,
                };
                match verdict {
                    Verdict::Approved => self.approved += 1,
                    Verdict::Declined => self.declined += 1,
                    Verdict::StoodIn => self.stood_in += 1,
                }
                match verdict {
                    Verdict::Declined => self.declined_cents += amount_cents,
                    Verdict::Approved | Verdict::StoodIn => self.approved_cents += amount_cents,
                }
                self.recent.push_front(Decision {
                    at_ms: answer.ts.ms(),
                    card_id: answer.card_id.clone(),
                    amount_cents,
                    verdict,
                    probability: Some(answer.probability),
                    reasons: answer.reasons.clone(),
                    latency_ms: Some(latency_ms as f64),
                    fraud: None,
                });
                self.recent.truncate(RECENT);
            }
            _ => {}
        }
    }

    /// Swipes that have been sent and not been decided on, and what they amount to, in cents.
    pub(crate) fn unscored(&self) -> (u64, i64) {
        (self.pending.len() as u64, self.pending.values().map(|(amount_cents, _)| amount_cents).sum())
    }

    /// Everything as it is now; none before the first swipe.
    pub(crate) fn shown(&self, deadline_ms: i64) -> Option<Payments> {
        self.seen.then(|| Payments {
            recent: self.recent.iter().cloned().collect(),
            approved: Some(self.approved),
            declined: Some(self.declined),
            stood_in: Some(self.stood_in),
            approved_cents: Some(self.approved_cents),
            declined_cents: Some(self.declined_cents),
            deadline_ms: Some(deadline_ms as f64),
            latency_p50_ms: self.latency.at(0.5),
            latency_p99_ms: self.latency.at(0.99),
        })
    }
}
