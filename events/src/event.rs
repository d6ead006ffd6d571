//! Every event there is, as one type, and the topic each is said on.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::check::Broken;
use crate::shared::BatchedMut;
use crate::topic::{Business, Retention, Role};
use crate::{
    BatchRun, Batched, Candle, CardSwipe, Chargeback, Click, DeadLetter, DriverLocation, EtaUpdate,
    FraudDecision, Notification, Recommendations, RoadTraversal, Signal, SimulationTruth, Timestamp, Trade,
    Traffic, Trip, TruckLocation,
};

/// Two lines a topic. The first says what it is:
/// `Variant(Type) "topic_name": business, role, kept retention`; the second how a value is read:
/// `value => key, time, check`. Everything that must be said once a topic is made from it.
///
/// A business is one of [`Business`], `none`, or `(of each …)` where one topic serves several and
/// the value tells. A batch answer says in parentheses where it names its run. A topic whose
/// records must all be in one order says `partitions 1`. An answer that tells how long its
/// processor took says `took` and where.
macro_rules! topics {
    ($(
        $(#[$doc:meta])*
        $variant:ident($type:ty) $name:literal:
            $business:tt, $role:ident $(($batched:expr))?, kept $kept:ident $(, partitions $partitions:literal)?
            $(, took $took:expr)?;
            $value:ident => $key:expr, $ts:expr, $check:expr;
    )*) => {
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

            /// Which business all its records belong to; none where the records of several are on
            /// it, or of none (see [`Event::business`]).
            pub fn business(self) -> Option<Business> {
                match self { $( Topic::$variant => topics!(@business $business), )* }
            }

            /// What its records are to a business.
            pub fn role(self) -> Role {
                match self { $( Topic::$variant => Role::$role, )* }
            }

            /// How much of it a cluster keeps.
            pub fn retention(self) -> Retention {
                match self { $( Topic::$variant => Retention::$kept, )* }
            }

            /// How many partitions it must have; none where any number does, as long as it is that
            /// of the questions and answers around it.
            pub fn fixed_partitions(self) -> Option<i32> {
                match self { $( Topic::$variant => topics!(@optional $($partitions)?), )* }
            }
        }

        // A batch answer names its run, and nothing else does.
        $( const _: () = assert!(
            matches!(Role::$role, Role::BatchAnswer) == topics!(@given $($batched)?),
            concat!($name, " is a batch answer that names no run, or names one and is none")
        ); )*

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

            /// Which business it belongs to; none for what the lanes say of themselves.
            pub fn business(&self) -> Option<Business> {
                match self { $( Event::$variant($value) => topics!(@business_of $value $business), )* }
            }

            /// The run that gave it, and the instant from which it could be
            /// seen, if it is a batch answer.
            pub fn batched_mut(&mut self) -> Option<BatchedMut<'_>> {
                match self { $( Event::$variant($value) => topics!(@batched $value $($batched)?), )* }
            }

            /// How long its processor took for it, in microseconds of wall-clock time, if it is an
            /// answer that tells: for the lane that runs the processor to fill in.
            pub fn took_us_mut(&mut self) -> Option<&mut Option<u64>> {
                match self { $( Event::$variant($value) => topics!(@took $value $($took)?), )* }
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

    (@business none) => { None };
    (@business (of each $($of:tt)*)) => { None };
    (@business $business:ident) => { Some(Business::$business) };

    (@business_of $value:ident (of each $of:expr)) => { Some($of) };
    (@business_of $value:ident $business:tt) => {{ let _ = $value; topics!(@business $business) }};

    (@batched $value:ident) => {{ let _ = $value; None }};
    (@batched $value:ident $batched:expr) => { Some($batched.run_mut()) };

    (@took $value:ident) => {{ let _ = $value; None }};
    (@took $value:ident $took:expr) => { Some(&mut $took) };

    (@optional) => { None };
    (@optional $some:expr) => { Some($some) };

    (@given) => { false };
    (@given $some:expr) => { true };
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
    DriverLocations(DriverLocation) "driver_locations": RideShare, Input, kept MINUTES;
        e => &e.driver_id, Some(e.ts), e.check();
    /// Positions of lorries.
    TruckGpsCoordinates(TruckLocation) "truck_gps_coordinates": RideShare, Input, kept DAY;
        e => &e.truck_id, Some(e.ts), e.check();
    /// The lives of trips.
    Trips(Trip) "trips": RideShare, Input, kept DAY;
        e => &e.driver_id, Some(e.ts), e.check();
    /// Links driven from end to end. The estimate of a road must rest on all cars that drove
    /// it, whichever partition their pings were in.
    RoadTraversals(RoadTraversal) "road_traversals": RideShare, Intermediate, kept MINUTES, partitions 1;
        e => &e.link_id, Some(e.ts), e.check();
    /// Estimated speed of each link.
    Traffic(Traffic) "traffic": RideShare, Table, kept TABLE;
        e => &e.link_id, Some(e.ts), e.check();
    /// When trips will end.
    EtaUpdates(EtaUpdate) "eta_updates": RideShare, Answer, kept MINUTES;
        e => &e.trip_id, Some(e.ts), e.check();
    /// Cards presented at terminals.
    CardSwipes(CardSwipe) "card_swipes": Payments, Input, kept DAY;
        e => &e.card_id, Some(e.ts), e.check();
    /// What the terminals were told.
    FraudDecisions(FraudDecision) "fraud_decisions": Payments, Answer, kept DAY, took e.scored_in_us;
        e => &e.card_id, Some(e.ts), e.check();
    /// Swipes that turned out to be fraud.
    Chargebacks(Chargeback) "chargebacks": Payments, Input, kept DAY;
        e => &e.card_id, Some(e.ts), e.check();
    /// What shoppers did.
    Clicks(Click) "clicks": Shop, Input, kept DAY;
        e => &e.session_id, Some(e.ts), e.check();
    /// Pages for shoppers.
    Recommendations(Recommendations) "recommendations": Shop, Answer, kept DAY;
        e => &e.session_id, Some(e.ts), e.check();
    /// Trades in pairs of currencies.
    Trades(Trade) "trades": Markets, Input, kept DAY;
        e => &e.pair, Some(e.ts), e.check();
    /// Trades of a pair by the minute: of each minute the last revision holds.
    Candles(Candle) "candles": Markets, Answer, kept DAY;
        e => &e.pair, Some(e.ts), e.check();
    /// What to do when a candle is closed.
    Signals(Signal) "signals": Markets, Answer, kept DAY;
        e => &e.pair, Some(e.ts), e.check();
    /// Texts to people: to riders about trips, to card holders about swipes.
    Notifications(Notification) "notifications": (of each e.kind.business()), Answer, kept DAY;
        e => &e.recipient, Some(e.ts), e.check();
    /// The batch lane's `eta_updates`.
    EtaBatch(Batched<EtaUpdate>) "eta_batch": RideShare, BatchAnswer(e), kept MINUTES;
        e => &e.answer.trip_id, Some(e.answer.ts), e.answer.check();
    /// The batch lane's `fraud_decisions`.
    FraudBatch(Batched<FraudDecision>) "fraud_batch": Payments, BatchAnswer(e), kept DAY;
        e => &e.answer.card_id, Some(e.answer.ts), e.answer.check();
    /// The batch lane's `recommendations`: the answer itself is old.
    RecommendationsBatch(RecommendationsBatch) "recommendations_batch": Shop, BatchAnswer(e.0), kept DAY;
        e => &e.0.answer.session_id, Some(e.0.answer.ts), e.0.answer.check();
    /// The batch lane's `recommendations`: only the model is old.
    RecommendationsStale(RecommendationsStale) "recommendations_stale": Shop, BatchAnswer(e.0), kept MINUTES;
        e => &e.0.answer.session_id, Some(e.0.answer.ts), e.0.answer.check();
    /// The batch lane's `candles`.
    CandlesBatch(Batched<Candle>) "candles_batch": Markets, BatchAnswer(e), kept DAY;
        e => &e.answer.pair, Some(e.answer.ts), e.answer.check();
    /// The batch lane's `signals`.
    SignalsBatch(Batched<Signal>) "signals_batch": Markets, BatchAnswer(e), kept DAY;
        e => &e.answer.pair, Some(e.answer.ts), e.answer.check();
    /// Runs of the batch lane.
    BatchRuns(BatchRun) "batch_runs": none, System, kept DAY;
        e => &e.job, Some(e.ts), Ok::<(), Broken>(());
    /// What really happened, for the bill alone.
    SimulationTruth(SimulationTruth) "simulation_truth": (of each e.business()), Truth, kept MINUTES;
        e => e.id(), Some(e.ts()), Ok::<(), Broken>(());
    /// Records that could not be read.
    DeadLetters(DeadLetter) "dead_letters": none, System, kept DAY;
        e => &e.topic, { let _ = e; None }, Ok::<(), Broken>(());
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
