//! Every event there is, as one type, and the topic each is said on.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::check::Broken;
use crate::{
    BatchRun, Batched, CardSwipe, Chargeback, Click, DeadLetter, DriverLocation, EtaUpdate, FraudDecision,
    Notification, Recommendations, RoadTraversal, SimulationTruth, Timestamp, Traffic, Trip, TruckLocation,
};

/// One line a topic: `Variant(Type) "topic_name" key time check`. Everything that must be said once
/// a topic is made from it.
macro_rules! topics {
    ($( $(#[$doc:meta])* $variant:ident($type:ty) $name:literal, $value:ident => $key:expr, $ts:expr, $check:expr; )*) => {
        /// A topic: a name that producers and consumers agree on, without ever meeting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic { $( $(#[$doc])* $variant, )* }

        impl Topic {
            /// Every topic, in the order of the contract.
            pub const ALL: &[Topic] = &[ $( Topic::$variant, )* ];

            /// The name on the cluster.
            pub fn name(self) -> &'static str {
                match self { $( Topic::$variant => $name, )* }
            }

            /// The topic of this name, if it is one of ours.
            pub fn named(name: &str) -> Option<Topic> {
                match name { $( $name => Some(Topic::$variant), )* _ => None }
            }
        }

        /// One event of any topic.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $( $(#[$doc])* $variant($type), )* }

        impl Event {
            /// Reads the value of a record of `topic`, and checks that it
            /// keeps the topic's contract.
            pub fn parse(topic: Topic, value: &[u8]) -> Result<Event, Broken> {
                match topic { $( Topic::$variant => {
                    let $value: $type = read(value)?;
                    $check?;
                    Ok(Event::$variant($value))
                } )* }
            }

            /// The topic it is said on.
            pub fn topic(&self) -> Topic {
                match self { $( Event::$variant(_) => Topic::$variant, )* }
            }

            /// The key that decides the order that matters, and the partition.
            pub fn key(&self) -> &str {
                match self { $( Event::$variant($value) => $key, )* }
            }

            /// Event time; a dead letter has none.
            pub fn ts(&self) -> Option<Timestamp> {
                match self { $( Event::$variant($value) => $ts, )* }
            }

            /// Appends the JSON form of the value to `to`.
            pub fn write_json(&self, to: &mut Vec<u8>) {
                let written = match self { $( Event::$variant(value) => serde_json::to_writer(to, value), )* };
                written.expect("an event has no map with keys that are not strings, and a Vec takes every byte");
            }
        }

        $( impl From<$type> for Event {
            fn from(value: $type) -> Event { Event::$variant(value) }
        } )*
    };
}

/// The batch twin of an answer needs a type of its own for each topic, or `From` could not tell
/// them apart.
macro_rules! batch_twin {
    ($(#[$doc:meta])* $name:ident($answer:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Batched<$answer>);
    };
}

batch_twin! {
    /// `recommendations_batch`: the page that the last run left for this session, or for everybody.
    RecommendationsBatch(Recommendations)
}
batch_twin! {
    /// `recommendations_stale`: the last run's model, the live session.
    RecommendationsStale(Recommendations)
}

topics! {
    /// Positions of drivers.
    DriverLocations(DriverLocation) "driver_locations", e => &e.driver_id, Some(e.ts), e.check();
    /// Positions of lorries.
    TruckGpsCoordinates(TruckLocation) "truck_gps_coordinates", e => &e.truck_id, Some(e.ts), e.check();
    /// The lives of trips.
    Trips(Trip) "trips", e => &e.driver_id, Some(e.ts), e.check();
    /// Links driven from end to end.
    RoadTraversals(RoadTraversal) "road_traversals", e => &e.link_id, Some(e.ts), e.check();
    /// Believed speed of each link (compacted).
    Traffic(Traffic) "traffic", e => &e.link_id, Some(e.ts), e.check();
    /// When trips will end.
    EtaUpdates(EtaUpdate) "eta_updates", e => &e.trip_id, Some(e.ts), e.check();
    /// Cards presented at terminals.
    CardSwipes(CardSwipe) "card_swipes", e => &e.card_id, Some(e.ts), e.check();
    /// What the terminals were told.
    FraudDecisions(FraudDecision) "fraud_decisions", e => &e.card_id, Some(e.ts), e.check();
    /// Swipes that turned out to be fraud.
    Chargebacks(Chargeback) "chargebacks", e => &e.card_id, Some(e.ts), e.check();
    /// What shoppers did.
    Clicks(Click) "clicks", e => &e.session_id, Some(e.ts), e.check();
    /// Pages for shoppers.
    Recommendations(Recommendations) "recommendations", e => &e.session_id, Some(e.ts), e.check();
    /// Texts to people.
    Notifications(Notification) "notifications", e => &e.recipient, Some(e.ts), e.check();
    /// The batch lane's `eta_updates`.
    EtaBatch(Batched<EtaUpdate>) "eta_batch", e => &e.answer.trip_id, Some(e.answer.ts), e.answer.check();
    /// The batch lane's `fraud_decisions`.
    FraudBatch(Batched<FraudDecision>) "fraud_batch", e => &e.answer.card_id, Some(e.answer.ts), e.answer.check();
    /// The batch lane's `recommendations`: the answer itself is old.
    RecommendationsBatch(RecommendationsBatch) "recommendations_batch", e => &e.0.answer.session_id, Some(e.0.answer.ts), e.0.answer.check();
    /// The batch lane's `recommendations`: only the model is old.
    RecommendationsStale(RecommendationsStale) "recommendations_stale", e => &e.0.answer.session_id, Some(e.0.answer.ts), e.0.answer.check();
    /// Runs of the batch lane.
    BatchRuns(BatchRun) "batch_runs", e => &e.job, Some(e.ts), Ok::<(), Broken>(());
    /// What really happened, for the bill alone.
    SimulationTruth(SimulationTruth) "simulation_truth", e => e.id(), Some(e.ts()), Ok::<(), Broken>(());
    /// Records that could not be read.
    DeadLetters(DeadLetter) "dead_letters", e => &e.topic, { let _ = e; None }, Ok::<(), Broken>(());
}

impl Event {
    /// The JSON form of the value.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(256);
        self.write_json(&mut json);
        json
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, Broken> {
    serde_json::from_slice(value).map_err(|error| Broken::new(error.to_string()))
}
