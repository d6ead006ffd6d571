//! What a topic is to a business, and how much of it is kept.

/// Whose a topic or an event is: the trades of which the show tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Business {
    /// Cars, lorries and trips.
    RideShare,
    /// Cards presented at terminals.
    Payments,
    /// Shoppers and their pages.
    Shop,
    /// Trades in pairs of currencies, and what follows from them.
    Markets,
}

/// What the records of a topic are to a business. The order is the one in which topics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// What its world says: questions that are to be answered, and what helps to answer them.
    Input,
    /// What the stream lane gives: one answer to each question that is owed one.
    Answer,
    /// A table: of each key the last record holds. Compacted.
    Table,
    /// What one worker publishes for another under a new key (Kafka Streams: a repartition topic).
    Intermediate,
    /// What the batch lane gives, with the run that gave it.
    BatchAnswer,
    /// What the lanes say of themselves.
    System,
    /// What only a simulator knows. The bill alone reads it.
    Truth,
}

impl Role {
    /// Whether simulators say it, and not lanes: from these records alone everything else can be
    /// worked out again.
    pub fn is_simulated(self) -> bool {
        match self {
            Self::Input | Self::Truth => true,
            Self::Answer | Self::Table | Self::Intermediate | Self::BatchAnswer | Self::System => false,
        }
    }
}

const MINUTE_MS: i64 = 60_000;
const MIB: i64 = 1 << 20;

/// How much of a topic a cluster keeps: no record for longer than `ms`, and of each partition no
/// more than `bytes`, however long the show goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Milliseconds of wall-clock time since the record was sent.
    pub ms: i64,
    /// Bytes of a partition.
    pub bytes: i64,
}

impl Retention {
    /// What is plentiful: minutes, which are hours of simulated time.
    pub const MINUTES: Self = Self { ms: 10 * MINUTE_MS, bytes: 128 * MIB };
    /// A table. It is compacted and not deleted, so this is only what it may take of the disk.
    pub const TABLE: Self = Self { ms: 15 * MINUTE_MS, bytes: 64 * MIB };
    /// Everything else.
    pub const DAY: Self = Self { ms: 24 * 60 * MINUTE_MS, bytes: 128 * MIB };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Timestamp, Topic};

    const FRAUD_BATCH: &[u8] = br#"{"ts":"2026-03-03T11:00:00.000Z","swipe_id":"s1","card_id":"c1",
        "decision":"approve","probability":0.1,"reasons":[],
        "batch_id":"some run","valid_from":"2026-03-03T12:00:00.000Z"}"#;

    #[test]
    fn a_batch_answer_names_its_run_and_no_other_event_does() {
        let mut answer = Event::parse(Topic::FraudBatch, FRAUD_BATCH).unwrap();
        let run = answer.batched_mut().unwrap();
        assert_eq!(run.batch_id, "some run");
        "batch-fraud-2026-03-03T11".clone_into(run.batch_id);
        *run.valid_from = Timestamp::from_ms(0);
        let json = String::from_utf8(answer.to_json()).unwrap();
        let changed = r#""batch_id":"batch-fraud-2026-03-03T11","valid_from":"1970-01-01T00:00:00.000Z""#;
        assert!(json.contains(changed), "{json}");
        let mut streamed = Event::parse(Topic::FraudDecisions, FRAUD_BATCH).unwrap();
        assert_eq!(streamed.batched_mut(), None);
    }

    /// The batch twin doesn't: all of a run's answers are out at once.
    #[test]
    fn a_decision_tells_how_long_it_took_and_its_batch_twin_does_not() {
        let mut decision = Event::parse(Topic::FraudDecisions, FRAUD_BATCH).unwrap();
        *decision.took_us_mut().unwrap() = Some(41);
        let json = String::from_utf8(decision.to_json()).unwrap();
        assert!(json.contains(r#""scored_in_us":41"#), "{json}");
        let mut twin = Event::parse(Topic::FraudBatch, FRAUD_BATCH).unwrap();
        assert_eq!(twin.took_us_mut(), None);
    }

    #[test]
    fn what_is_on_a_shared_topic_tells_whose_it_is() {
        let text = |kind: &str| {
            let value = format!(
                r#"{{"ts":"2026-03-03T11:00:00.000Z","recipient":"r","channel":"sms","kind":"{kind}","text":"t"}}"#
            );
            Event::parse(Topic::Notifications, value.as_bytes()).unwrap().business()
        };
        assert_eq!(Topic::Notifications.business(), None);
        assert_eq!(text("trip_receipt"), Some(Business::RideShare));
        assert_eq!(text("swipe_declined"), Some(Business::Payments));
    }

    /// A consumer reads what a world says, and the bill alone reads what is true: a change that
    /// adds a topic to the table says whose it is.
    #[test]
    fn every_topic_of_a_lane_belongs_to_a_business_or_says_each_time_to_which() {
        for &topic in Topic::ALL {
            let shared = matches!(topic, Topic::Notifications | Topic::SimulationTruth);
            let of_no_business = topic.role() == Role::System;
            assert_eq!(topic.business().is_none(), shared || of_no_business, "{topic}");
            assert_eq!(Topic::named(topic.name()), Some(topic));
            assert!(topic.retention().ms > 0 && topic.retention().bytes > 0, "{topic}");
        }
    }
}
