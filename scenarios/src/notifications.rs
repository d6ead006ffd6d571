//! Texts to people: one worker that serves riders and card holders.

use std::time::Duration;

use consumers::notifications::NotificationsProcessor;
use events::{Business as Id, Event, HOUR_MS, Topic};

use crate::business::{Freshness, Worker};
use crate::priority::Priority;

/// The worker.
pub static NOTIFICATIONS: Worker = Worker {
    name: "notifications",
    help: "Texts to riders and card holders",
    serves: &[Id::RideShare, Id::Payments],
    inputs: &[Topic::EtaUpdates, Topic::Trips, Topic::FraudDecisions, Topic::CardSwipes],
    outputs: &[Topic::Notifications],
    broadcast: &[],
    horizon_ms: Some(HOUR_MS),
    gather: Duration::from_millis(10),
    priority: Some(Priority::Moments),
    needs: &[],
    // The questions of texts are answers of other workers, where they are counted.
    freshness: Some(Freshness {
        questions: &[],
        answers: Topic::Notifications,
        is_answer: |_| true,
        asked_at: Event::ts,
    }),
    processors: |_, _| Ok(Box::new(|| Box::new(NotificationsProcessor::new()))),
};
