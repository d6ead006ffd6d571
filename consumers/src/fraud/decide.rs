//! From a probability to a decision: what costs less.
//!
//! Approving a swipe that is fraud loses its amount. Declining one that is honest loses the margin
//! on the sale and a part of a customer. With probability `p` of fraud, declining is cheaper when
//!
//! ```text
//! p · amount  >  (1 − p) · (fixed + margin · amount)
//! ```
//!
//! (cost-sensitive classification: Elkan 2001), so large amounts are declined at a few per cent and
//! tiny ones hardly ever. The rule is only as good as `p` is calibrated. Two more rules complete
//! it: a card with two alarms is blocked for a while, and a small random share of what should be
//! declined is approved (*exploration*), because a declined swipe never gets a label.
//!
//! # Simplifications
//! - A block is by card alone: the holder is not asked whether the last swipe was theirs.

use events::{DAY_MS, HOUR_MS};
use processor::bounded::fingerprint;

use super::card::{Block, Card};

/// What a wrong decision costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// The cost of declining an honest customer, in cents.
    pub fixed_cents: f64,
    /// The cost in addition to that, as a share of the amount.
    pub margin: f64,
}

impl Default for Costs {
    /// 5.00 and 2 %.
    fn default() -> Self {
        Self { fixed_cents: 500.0, margin: 0.02 }
    }
}

impl Costs {
    /// What declining an honest swipe of this amount costs, in cents.
    pub fn of_declining(self, amount_cents: i64) -> f64 {
        self.fixed_cents + self.margin * amount_cents.max(0) as f64
    }

    /// Whether declining costs less than approving does, on average.
    fn favour_declining(self, probability: f64, amount_cents: i64) -> bool {
        let amount = amount_cents.max(0) as f64;
        probability * amount > (1.0 - probability) * self.of_declining(amount_cents)
    }
}

/// When a card is declined everywhere, and for how long. In the batch lane one alarm is
/// [enough](super::BlockedCards), because nothing is declined between its runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockPolicy {
    /// A swipe at least this probable is an alarm, whatever its amount.
    pub alarm_probability: f64,
    /// Two alarms within this time confirm each other, in milliseconds of event time.
    pub within_ms: i64,
    /// How long the card is blocked, in milliseconds of event time. Zero: never.
    pub for_ms: i64,
}

impl Default for BlockPolicy {
    /// Two swipes at one half or more within an hour block the card for a day.
    fn default() -> Self {
        Self { alarm_probability: 0.5, within_ms: HOUR_MS, for_ms: DAY_MS }
    }
}

/// Which swipes are approved although they should be declined, to get their label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exploration {
    /// The share, 0 to 1. A hash of the swipe's id selects them: the same in every run.
    pub share: f64,
    /// The largest amount that is risked, in cents.
    pub at_most_cents: i64,
    /// Another seed selects other swipes.
    pub seed: u64,
}

impl Default for Exploration {
    /// One in a hundred, of 100.00 at most.
    fn default() -> Self {
        Self { share: 0.01, at_most_cents: 10_000, seed: 0 }
    }
}

impl Exploration {
    fn selects(self, swipe_id: &str, amount_cents: i64) -> bool {
        let hash = fingerprint(&(self.seed, swipe_id));
        amount_cents <= self.at_most_cents && (hash >> 11) as f64 / ((1_u64 << 53) as f64) < self.share
    }
}

/// A decision, and which rule made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Approved,
    /// By cost.
    Declined,
    /// By cost it should be declined; approved to learn its label.
    Explored,
    /// The card has been blocked since then.
    Blocked {
        since_ms: i64,
    },
}

impl Ruling {
    pub(super) fn declines(self) -> bool {
        matches!(self, Self::Declined | Self::Blocked { .. })
    }
}

/// The input of a decision.
pub(super) struct DecisionInput<'a> {
    pub(super) swipe_id: &'a str,
    pub(super) at_ms: i64,
    pub(super) amount_cents: i64,
    pub(super) probability: f64,
    /// Whether the model has learnt from enough frauds to decline anything.
    pub(super) informed: bool,
}

/// Decides about a swipe, and blocks its card, from the next swipe on, if this is its second alarm.
pub(super) fn rule(
    input: &DecisionInput,
    costs: Costs,
    block: BlockPolicy,
    explore: Exploration,
    card: &mut Card,
) -> Ruling {
    let &DecisionInput { swipe_id, at_ms, amount_cents, probability, informed } = input;
    if let Some(&Block { since_ms, until_ms }) = card.blocked.as_deref()
        && (since_ms..until_ms).contains(&at_ms)
    {
        return Ruling::Blocked { since_ms };
    }
    if informed && probability >= block.alarm_probability {
        if card.alarm_ms.is_some_and(|last| (at_ms - last).abs() <= block.within_ms) && block.for_ms > 0 {
            card.blocked =
                Some(Box::new(Block { since_ms: at_ms, until_ms: at_ms.saturating_add(block.for_ms) }));
        }
        card.alarm_ms = Some(at_ms);
    }
    if !informed || !costs.favour_declining(probability, amount_cents) {
        Ruling::Approved
    } else if explore.selects(swipe_id, amount_cents) {
        Ruling::Explored
    } else {
        Ruling::Declined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(at_ms: i64, amount_cents: i64, probability: f64) -> DecisionInput<'static> {
        DecisionInput { swipe_id: "s", at_ms, amount_cents, probability, informed: true }
    }

    fn rule_plainly(input: &DecisionInput, card: &mut Card) -> Ruling {
        rule(
            input,
            Costs::default(),
            BlockPolicy::default(),
            Exploration { share: 0.0, ..Default::default() },
            card,
        )
    }

    #[test]
    fn the_larger_the_amount_the_less_it_takes() {
        let least =
            |amount| (0..=1000).find(|&p| Costs::default().favour_declining(f64::from(p) / 1000.0, amount));
        assert_eq!(least(0), None, "nothing can be lost on a card check");
        assert_eq!(least(-5_000), None, "nor on a refund");
        assert_eq!(least(100), Some(834), "502 cents against 100");
        assert_eq!(least(10_000), Some(66), "700 against 10,000");
        assert_eq!(least(100_000_000), Some(20), "in the end the margin decides");
    }

    #[test]
    fn two_alarms_within_an_hour_block_the_card_for_a_day() {
        let mut card = Card::default();
        assert_eq!(rule_plainly(&case(0, 100, 0.6), &mut card), Ruling::Approved);
        assert_eq!(rule_plainly(&case(2 * HOUR_MS, 100, 0.6), &mut card), Ruling::Approved, "too far apart");
        assert_eq!(
            rule_plainly(&case(2 * HOUR_MS + 1, 100, 0.6), &mut card),
            Ruling::Approved,
            "it blocks from now on"
        );
        let since_ms = 2 * HOUR_MS + 1;
        assert_eq!(rule_plainly(&case(since_ms + 5, 0, 0.001), &mut card), Ruling::Blocked { since_ms });
        assert_eq!(rule_plainly(&case(since_ms + DAY_MS, 100, 0.001), &mut card), Ruling::Approved);
    }

    #[test]
    fn who_has_seen_no_fraud_declines_nothing() {
        let uninformed = DecisionInput { informed: false, ..case(0, 1_000_000, 0.9) };
        let mut card = Card::default();
        assert_eq!(rule_plainly(&uninformed, &mut card), Ruling::Approved);
        assert_eq!(rule_plainly(&case(1, 1_000_000, 0.9), &mut card), Ruling::Declined);
    }

    #[test]
    fn a_hundredth_is_let_through_and_never_a_large_amount() {
        let explore = Exploration::default();
        let ids: Vec<String> = (0..20_000).map(|number| format!("swipe-{number}")).collect();
        let through = ids.iter().filter(|id| explore.selects(id, 5_000)).count();
        assert!((140..260).contains(&through), "{through} of 20,000");
        assert!(!ids.iter().any(|id| explore.selects(id, 10_001)));
    }
}
