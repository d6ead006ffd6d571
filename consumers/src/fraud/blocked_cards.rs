//! Cards that the batch lane has blocked. A run can stop nothing else: the terminals have already
//! approved the swipes that it scores.
//!
//! When one of a card's swipes raises an alarm, the run blocks the card from the moment its answers
//! can be seen, for as long as the stream blocks a card. Another rule was measured: to block every
//! card of which the run would have declined a swipe, until a later run finds nothing wrong. It
//! stops a little more fraud and declines several times as many honest customers; with a period of
//! a day it costs more than it saves. The lane gets the better rule.
//!
//! # Simplifications
//! - A block that ended 30 days before the newest one is forgotten: a swipe from before it counts
//!   as not blocked.

use std::ops::Range;

use events::{Batched, FraudDecision, Timestamp};

use super::decide::BlockPolicy;
use processor::bounded::{FixedHashMap, fingerprint};

/// The blocks that runs have set so far.
#[derive(Clone, Debug, Default)]
pub struct BlockedCards {
    policy: BlockPolicy,
    /// From when until when, in milliseconds; by the fingerprint of the card's id.
    cards: FixedHashMap<u64, Vec<Range<i64>>>,
}

/// Blocks that ended so long before the newest one are forgotten, in milliseconds of event time:
/// all swipes of that time have been judged.
const KEPT_MS: i64 = 30 * events::DAY_MS;

impl BlockedCards {
    /// No card is blocked yet; runs block by this policy.
    pub fn with_policy(policy: BlockPolicy) -> Self {
        Self { policy, cards: FixedHashMap::default() }
    }

    /// Takes a run's answer to one swipe.
    pub fn observe_run(&mut self, batched: &Batched<FraudDecision>) {
        let alarm = batched.answer.probability >= self.policy.alarm_probability;
        if !alarm || self.policy.for_ms <= 0 {
            return;
        }
        let from = batched.valid_from.ms();
        let until = from.saturating_add(self.policy.for_ms);
        let blocks = self.cards.entry(fingerprint(&batched.answer.card_id)).or_default();
        match blocks.last_mut() {
            Some(last) if (last.start..=last.end).contains(&from) => last.end = last.end.max(until),
            _ => {
                blocks.retain(|block| block.end >= from.saturating_sub(KEPT_MS));
                blocks.push(from..until);
            }
        }
    }

    /// Whether the card was blocked at `at`.
    pub fn is_blocked(&self, card_id: &str, at: Timestamp) -> bool {
        self.is_blocked_by_fingerprint(fingerprint(card_id), at.ms())
    }

    /// The same by the [`fingerprint`] of the card's id.
    pub(super) fn is_blocked_by_fingerprint(&self, card: u64, at_ms: i64) -> bool {
        self.cards.get(&card).is_some_and(|blocks| blocks.iter().any(|block| block.contains(&at_ms)))
    }
}

#[cfg(test)]
mod tests {
    use events::{Decision, HOUR_MS};

    use super::*;

    fn answer(hour: i64, probability: f64) -> Batched<FraudDecision> {
        let answer = FraudDecision {
            ts: Timestamp::from_ms(0),
            swipe_id: "s".into(),
            card_id: "c".into(),
            decision: Decision::Approve,
            probability,
            reasons: Vec::new(),
            scored_in_us: None,
        };
        Batched { answer, batch_id: "b".into(), valid_from: Timestamp::from_ms(hour * HOUR_MS) }
    }

    #[test]
    fn one_alarm_blocks_for_a_day_and_room_is_bounded() {
        let mut blocks = BlockedCards::default();
        for (hour, probability) in [(1, 0.4), (3, 0.1), (3, 0.5), (3, 0.1), (5, 0.9), (6, 0.2), (40, 0.8)] {
            blocks.observe_run(&answer(hour, probability));
        }
        let blocked = |hour: &i64| blocks.is_blocked("c", Timestamp::from_ms(hour * HOUR_MS));
        assert_eq!((0..80).filter(blocked).collect::<Vec<_>>(), (3..29).chain(40..64).collect::<Vec<_>>());
        assert!(!blocks.is_blocked("another", Timestamp::from_ms(4 * HOUR_MS)));
        (2..200).for_each(|day| blocks.observe_run(&answer(day * 48, 0.9)));
        assert!(blocks.cards[&fingerprint("c")].len() <= 17, "{:?}", blocks.cards[&fingerprint("c")]);
    }
}
