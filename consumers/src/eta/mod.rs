//! Ride-share: from pings to the instant at which the rider will arrive.
//!
//! ```text
//! driver_locations ─┐
//! trips ────────────┼─▶ EtaProcessor ─┬─▶ eta_updates
//! truck_gps_coord. ─┤    matcher      └─▶ road_traversals ─▶ TrafficProcessor ─▶ traffic
//!        traffic ───┘
//! ```
//!
//! Three questions, each answered by plain code that knows no broker and no clock:
//! - *Which street is the car on?* the `matcher`, a hidden Markov model over the streets near each
//!   ping;
//! - *How long does each street take now?* `traffic`, a chain of ratios learnt from what vehicles
//!   drove;
//! - *How long will the rest take?* the `trip`: the fastest way to the rider and on to the
//!   destination, each link at the pace expected when the car gets there, the driver's own habit,
//!   the time at the kerb, a correction and a band that finished trips have taught.
//!
//! The `engine` puts them together, and four processors offer it: [`EtaProcessor`] and
//! [`TrafficProcessor`] are the stream lane's two workers; [`EtaReplay`] is both in one, for a file
//! of events; [`BatchEta`] is the batch lane: the same engine, whose forecasts are made with what
//! it knew at the end of the last finished period ([`MultiPeriodEta`]: at several at once).
//!
//! # Which pings are answered
//! The first ping of a trip and every ping that advances its driver's time get exactly one answer,
//! at once. A ping gets none when its trip is unknown (no event has given its destination yet),
//! over, or was silent for ten minutes, and when its time is minutes ahead of the fleet's watermark
//! and no other source has confirmed it. All of these are counted.
//!
//! # Simplifications
//! - A car that is off the map counts as on the nearest street. Without any route by road (a
//!   destination on an island) the straight line times 1.4 is used, at the mean speed that has been
//!   learnt.
//! - Where pick-ups are not announced, one is inferred once the car has been near the rider's pin
//!   and is leaving it.
//! - The expected route is the fastest one; the correction must learn that drivers have favourites.
//! - Only the processor that matches a car notices a jam while the car is still in it: the topic
//!   has finished traversals alone.

mod batch;
mod decaying_ratio;
mod distances;
mod engine;
mod learn;
mod lorries;
mod mart;
mod matcher;
mod replay;
mod roads;
mod route;
mod stream;
mod traffic;
mod traffic_worker;
mod trip;
mod vehicles;

use std::sync::Arc;

use streets::Map;

pub use batch::{BatchEta, MultiPeriodEta};
pub use mart::MART;
pub use replay::EtaReplay;
pub use roads::Roads;
pub use stream::EtaProcessor;
pub use traffic_worker::TrafficProcessor;

/// The settings of all ride-share processors.
#[derive(Clone, Debug)]
pub struct EtaConfig {
    /// The streets. Processors of one configuration, or of a copy of it, share what is searched on
    /// them.
    pub roads: Arc<Roads>,
    /// The allowed lateness, in milliseconds of event time: a ping that is older than its driver's
    /// newest by more than this teaches nothing. The links that a vehicle drove are final only when
    /// they are so old, since until then a ping may still change them.
    pub lateness_ms: i64,
    /// Length of the batch lane's period in milliseconds; at least one.
    pub period_ms: i64,
    /// Whether [`EtaReplay`] (and the stream of [`MultiPeriodEta`]) also publishes the links driven
    /// (`road_traversals`).
    pub tell_traversals: bool,
}

impl EtaConfig {
    /// The defaults of the contract: pings may be 30 s late, the period is an hour.
    pub fn new(map: Arc<Map>) -> Self {
        Self {
            roads: Arc::new(Roads::new(map)),
            lateness_ms: 30_000,
            period_ms: events::HOUR_MS,
            tell_traversals: false,
        }
    }
}

#[cfg(test)]
mod tests;
