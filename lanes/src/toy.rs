//! A processor small enough to check by eye, for tests: it numbers the swipes of each card.

use std::collections::HashMap;

use events::{Batched, CardSwipe, Decision, Event, FraudDecision, HOUR_MS, Timestamp, Topic};

use processor::Processor;
use processor::mart::Mart;

/// Marts to load: those of the businesses that were there first.
pub(crate) static MARTS: [&Mart; 3] =
    [&consumers::fraud::MART, &consumers::eta::MART, &consumers::recommendations::MART];

/// Answers each swipe with how many swipes its card has had: the answer shows the state it came
/// from.
#[derive(Clone, Default)]
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

/// Its batch twin: the answers to an hour's swipes come when the hour is over.
#[derive(Clone, Default)]
pub(crate) struct HourlyToy {
    toy: Toy,
    hour: Option<Timestamp>,
    owed: Vec<Event>,
}

impl Processor for HourlyToy {
    fn inputs(&self) -> &'static [Topic] {
        self.toy.inputs()
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let hour = event.ts().map(|ts| ts.floor(HOUR_MS));
        if hour > self.hour {
            self.finish(answers);
            self.hour = hour;
        }
        self.toy.process(event, &mut self.owed);
    }

    fn fork(&self) -> Option<Box<dyn Processor>> {
        Some(Box::new(self.clone()))
    }

    fn finish(&mut self, answers: &mut Vec<Event>) {
        let Some(hour) = self.hour else { return };
        let valid_from = hour.plus_ms(HOUR_MS);
        answers.extend(self.owed.drain(..).filter_map(|answer| match answer {
            Event::FraudDecisions(answer) => Some(Event::FraudBatch(Batched::as_of(answer, valid_from))),
            _ => None,
        }));
    }
}

/// A swipe at the beginning of time.
pub(crate) fn swipe(id: &str, card: &str, amount_cents: i64) -> Event {
    swipe_at(Timestamp::from_ms(0), id, card, amount_cents)
}

/// A swipe at `ts`.
pub(crate) fn swipe_at(ts: Timestamp, id: &str, card: &str, amount_cents: i64) -> Event {
    Event::CardSwipes(CardSwipe {
        ts,
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
