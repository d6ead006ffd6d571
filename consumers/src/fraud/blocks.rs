//! Which cards the batch lane has blocked: all that a run can stop, for the till had approved the
//! swipe itself.
//!
//! A run that is alarmed by one of a card's swipes blocks the card from the moment its answers can
//! be seen, for as long as the stream blocks a card whose pattern is confirmed. Another rule, to
//! block whatever a run would have declined until a later run finds nothing wrong, stops a little
//! more fraud and refuses several times as many honest customers: with a period of a day it costs
//! more than it saves. The lane is given the better one.

use std::ops::Range;

use events::{Batched, FraudDecision, Timestamp};

use super::decide::BlockPolicy;
use super::roster::{Map, hash};

/// What runs have said of cards so far.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    policy: BlockPolicy,
    /// From when until when, in milliseconds; by the hash of the card's id.
    cards: Map<u64, Vec<Range<i64>>>,
}

/// Blocks that ended so long before the newest one are forgotten, in milliseconds of event time:
/// nobody judges so late.
const KEPT_MS: i64 = 30 * events::DAY_MS;

impl Blocks {
    /// Blocks by this policy.
    pub fn by(policy: BlockPolicy) -> Self {
        Self { policy, cards: Map::default() }
    }

    /// A run has scored a swipe.
    pub fn run_said(&mut self, batched: &Batched<FraudDecision>) {
        let alarm = batched.answer.probability >= self.policy.alarm_probability;
        if !alarm || self.policy.for_ms <= 0 {
            return;
        }
        let from = batched.valid_from.ms();
        let until = from.saturating_add(self.policy.for_ms);
        let blocks = self.cards.entry(hash(&batched.answer.card_id)).or_default();
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
        self.is_blocked_by_hash(hash(card_id), at.ms())
    }

    /// The same by the [hash] of the card's id.
    pub(super) fn is_blocked_by_hash(&self, card: u64, at_ms: i64) -> bool {
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
        let mut blocks = Blocks::default();
        for (hour, probability) in [(1, 0.4), (3, 0.1), (3, 0.5), (3, 0.1), (5, 0.9), (6, 0.2), (40, 0.8)] {
            blocks.run_said(&answer(hour, probability));
        }
        let blocked = |hour: &i64| blocks.is_blocked("c", Timestamp::from_ms(hour * HOUR_MS));
        assert_eq!((0..80).filter(blocked).collect::<Vec<_>>(), (3..29).chain(40..64).collect::<Vec<_>>());
        assert!(!blocks.is_blocked("another", Timestamp::from_ms(4 * HOUR_MS)));
        (2..200).for_each(|day| blocks.run_said(&answer(day * 48, 0.9)));
        assert!(blocks.cards[&hash("c")].len() <= 17, "{:?}", blocks.cards[&hash("c")]);
    }
}
