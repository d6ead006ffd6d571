//! Decisions that wait for their label, which comes days later.
//!
//! A chargeback names a swipe that went by hours of a show ago; a decline that no chargeback
//! follows within the label delay was of an honest customer. Of each decision that may be asked
//! about so much is kept as a row of the screen needs.
//!
//! # Simplifications
//! - Unsuspected swipes (see [`SUSPECTED`]) are not kept: they are nine of ten, and hardly ever
//!   fraud.
//! - Of the latest decisions at least [`KEPT`] are kept, and at most twice as many, 10 MB; a
//!   chargeback of an older one is not shown.
//! - The label delay is the usual seven days.

use std::collections::VecDeque;

use dashboard::{Decision, Verdict};
use events::DAY_MS;
use processor::bounded::{RecentMap, fingerprint};

/// The least probability of fraud at which a decision is kept though it was an approval: a few
/// times the average.
const SUSPECTED: f64 = 0.002;
/// Decisions that are kept, at least: as many as fill a hash table.
const KEPT: usize = (1 << 17) / 8 * 7;
/// The most declined swipes that wait for the end of their label delay.
const DECLINED: usize = 20_000;
/// After so long without a chargeback a swipe counts as genuine, in milliseconds of event time.
pub(crate) const LABEL_DELAY_MS: i64 = 7 * DAY_MS;

/// A decision whose label is not known yet: as much of it as a row of the screen needs.
#[derive(Debug, Clone, Copy)]
struct PendingDecision {
    at_ms: i64,
    amount_cents: i64,
    probability: Option<f32>,
    verdict: Verdict,
}

/// Decisions that wait for their label.
#[derive(Debug)]
pub(crate) struct PendingLabels {
    /// By the fingerprint of the swipe's id.
    kept: RecentMap<PendingDecision>,
    /// The declined ones in the order of decision: when, which swipe, whose card.
    declined: VecDeque<(i64, String, String)>,
}

impl Default for PendingLabels {
    fn default() -> Self {
        Self { kept: RecentMap::new(KEPT), declined: VecDeque::new() }
    }
}

impl PendingLabels {
    /// Keeps a decision until its truth comes out.
    pub(crate) fn keep(&mut self, swipe_id: &str, decision: &Decision) {
        let &Decision { at_ms, amount_cents, probability, verdict, .. } = decision;
        if verdict == Verdict::Approved && probability.is_some_and(|probability| probability < SUSPECTED) {
            return;
        }
        let probability = probability.map(|probability| probability as f32);
        self.kept
            .insert(fingerprint(swipe_id), PendingDecision { at_ms, amount_cents, probability, verdict });
        if verdict == Verdict::Declined {
            if self.declined.len() >= DECLINED {
                self.declined.pop_front();
            }
            self.declined.push_back((at_ms, swipe_id.to_owned(), decision.card_id.clone()));
        }
    }

    /// A chargeback has come for this swipe: what had been decided, unless that is forgotten or was
    /// charged back before.
    pub(crate) fn charged(&mut self, swipe_id: &str) -> Option<Decision> {
        self.kept.remove(fingerprint(swipe_id)).map(PendingDecision::decision)
    }

    /// Declined swipes that turned out genuine by `now_ms` of event time, each once.
    pub(crate) fn turned_out_honest(&mut self, now_ms: i64) -> Vec<(String, Decision)> {
        let mut honest = Vec::new();
        while self.declined.front().is_some_and(|(at_ms, ..)| now_ms - at_ms > LABEL_DELAY_MS) {
            let Some((_, swipe_id, card_id)) = self.declined.pop_front() else { break };
            // One that was charged back is no longer kept.
            if let Some(decision) = self.charged(&swipe_id) {
                let reasons = vec!["no chargeback within 7 days".to_owned()];
                honest.push((swipe_id, Decision { card_id, fraud: Some(false), reasons, ..decision }));
            }
        }
        honest
    }
}

impl PendingDecision {
    fn decision(self) -> Decision {
        let Self { at_ms, amount_cents, probability, verdict } = self;
        Decision {
            at_ms,
            amount_cents,
            probability: probability.map(f64::from),
            verdict,
            ..Decision::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved(probability: f64) -> Decision {
        Decision { amount_cents: 5_000, probability: Some(probability), ..Decision::default() }
    }

    #[test]
    fn what_is_kept_is_bounded_and_unsuspected_swipes_are_not() {
        let mut pending = PendingLabels::default();
        pending.keep("unsuspected", &approved(0.000_1));
        assert_eq!(pending.charged("unsuspected"), None);
        for number in 0..3 * KEPT {
            pending.keep(&number.to_string(), &approved(0.01));
        }
        assert!((KEPT..=2 * KEPT).contains(&pending.kept.len()), "{}", pending.kept.len());
        assert_eq!(pending.charged("0"), None, "long forgotten");
        let last = (3 * KEPT - 1).to_string();
        assert_eq!(pending.charged(&last).map(|decision| decision.amount_cents), Some(5_000));
        assert_eq!(pending.charged(&last), None, "told twice");
        let declined = Decision { verdict: Verdict::Declined, ..approved(0.9) };
        for number in 0..2 * DECLINED {
            pending.keep(&number.to_string(), &declined);
        }
        assert_eq!(pending.declined.len(), DECLINED);
    }
}
