//! A processor small enough to check by eye, for tests: it numbers the swipes of each card.

use std::collections::HashMap;

use events::{CardSwipe, Decision, Event, FraudDecision, Timestamp, Topic};

use crate::Processor;

/// Answers each swipe with how many swipes its card has had: the answer shows the state it came from.
#[derive(Default)]
pub(crate) struct Toy {
    seen: HashMap<String, u32>,
}

impl Processor for Toy {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let Event::CardSwipes(swipe) = event else { return };
        let seen = self.seen.entry(swipe.card_id.clone()).or_default();
        *seen += 1;
        answers.push(Event::FraudDecisions(FraudDecision {
            ts: swipe.ts,
            swipe_id: swipe.swipe_id.clone(),
            card_id: swipe.card_id.clone(),
            decision: Decision::Approve,
            probability: 0.0,
            reasons: vec![format!("swipe {seen} of this card")],
            scored_in_us: None,
        }));
    }
}

/// A swipe at the beginning of time.
pub(crate) fn swipe(id: &str, card: &str, amount_cents: i64) -> Event {
    Event::CardSwipes(CardSwipe {
        ts: Timestamp::from_ms(0),
        swipe_id: id.to_owned(),
        card_id: card.to_owned(),
        terminal_id: "t1".to_owned(),
        amount_cents,
        currency: None,
        category: None,
        lat: None,
        lon: None,
    })
}
