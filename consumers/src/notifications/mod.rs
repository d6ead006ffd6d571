//! Texts to people: the last step of the chain, where a late answer becomes a rider who waits on
//! the wrong corner.
//!
//! This is a *stream-stream join*: the `rides` part joins `eta_updates` with `trips` (who is the
//! rider?), the `payments` part joins `fraud_decisions` with `card_swipes` (how much was it?). Each
//! side of a join waits for the other, but not for ever: a fixed number of unmatched events is
//! kept, and the oldest is evicted first ([`FifoMap`](processor::bounded::FifoMap)). So the state
//! is bounded whatever times the events carry.
//!
//! There is one text per trip and kind, and one per swipe: when a record is read twice, its text
//! has already been sent.
//!
//! # Simplifications
//! - A trip and a swipe are known by the [`fingerprint`](processor::bounded::fingerprint) of
//!   their id: two of a million are alike once in 40 million times.
//! - A text is an event on a topic; there is no carrier behind it. Instants are written in UTC,
//!   which is all that is known.
//! - The recipient of a ride's texts is the rider's id, of a payment's the card's id: there is no
//!   address book.

mod payments;
mod rides;

use events::{Channel, Event, Notification, NotificationKind, Timestamp, Topic};

use payments::Payments;
use processor::Processor;
use rides::Rides;

/// Joins answers with their events, and writes a text for each match.
///
/// | when | to | kind |
/// |---|---|---|
/// | a trip's ETA first falls below five minutes | its rider | `five_minutes_away` |
/// | a trip ends | its rider | `trip_receipt` |
/// | a swipe is approved | the card | `swipe_receipt` |
/// | a swipe is declined | the card | `swipe_declined` |
#[derive(Debug, Default)]
pub struct NotificationsProcessor {
    rides: Rides,
    payments: Payments,
}

impl NotificationsProcessor {
    /// A processor that has sent nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Processor for NotificationsProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::EtaUpdates, Topic::Trips, Topic::FraudDecisions, Topic::CardSwipes]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let notification = match event {
            Event::EtaUpdates(update) => self.rides.update(update),
            Event::Trips(trip) => self.rides.trip(trip),
            Event::FraudDecisions(decision) => self.payments.decision(decision),
            Event::CardSwipes(swipe) => self.payments.swipe(swipe),
            _ => None,
        };
        answers.extend(notification.map(Event::from));
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("trips without a rider", self.rides.without_rider),
            ("swipes given up without a decision", self.payments.given_up),
        ]
    }
}

fn sms(ts: Timestamp, recipient: &str, kind: NotificationKind, text: String) -> Notification {
    Notification { ts, recipient: recipient.to_owned(), channel: Channel::Sms, kind, text }
}

#[cfg(test)]
mod tests;
