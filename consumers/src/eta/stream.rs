//! The stream lane's ETA worker.

use std::sync::Arc;

use events::{DriverLocation, EtaUpdate, Event, Topic};
use streets::Map;

use super::EtaConfig;
use super::engine::{Answer, Engine};
use super::lorries::Lorries;
use super::traffic::traversal_event;
use processor::Processor;

/// Answers each ping of a trip with an `eta_updates`, and publishes the links that drivers and
/// lorries have driven (`road_traversals`).
///
/// It reads speeds from `traffic`. To restore its state after a crash it needs the last quarter of
/// an hour of its inputs, for trips under way; from older inputs it learns.
#[derive(Debug)]
pub struct EtaProcessor {
    map: Arc<Map>,
    engine: Engine,
    lorries: Lorries,
}

impl EtaProcessor {
    /// A worker that has seen nothing.
    pub fn new(config: &EtaConfig) -> Self {
        Self {
            map: config.roads.map().clone(),
            engine: Engine::new(&config.roads, config.lateness_ms),
            lorries: Lorries::new(config),
        }
    }
}

impl Processor for EtaProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips, Topic::Traffic]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        match event {
            Event::DriverLocations(ping) => {
                let answer = self.engine.ping(ping);
                answers.extend(answer.and_then(|answer| update(ping, &answer)).map(Event::from));
                for one in &self.engine.driven {
                    // The road's speed comes with `traffic`; the driver's own factor can be learnt
                    // only here.
                    let seconds = one.left.since_seconds(one.entered);
                    self.engine.traffic.observe_vehicle(one.link, &ping.driver_id, seconds, one.left);
                    answers.push(
                        traversal_event(&self.map, one.link, &ping.driver_id, one.entered, one.left).into(),
                    );
                }
            }
            Event::TruckGpsCoordinates(ping) => {
                self.lorries.ping(ping, &self.engine.traffic);
                answers.extend(self.lorries.driven.iter().map(|one| {
                    traversal_event(&self.map, one.link, &ping.truck_id, one.entered, one.left).into()
                }));
            }
            Event::Trips(trip) => self.engine.trip(trip),
            Event::Traffic(traffic) => {
                let known = self.engine.traffic.apply_update(traffic);
                self.engine.counters.unknown_links += u64::from(!known);
            }
            _ => {}
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counts = self.engine.counts();
        counts.extend(self.lorries.counts());
        counts
    }
}

/// The answer to a ping in the shape of its topic; none for a ping without a trip, which has no
/// answer.
pub(super) fn update(ping: &DriverLocation, answer: &Answer) -> Option<EtaUpdate> {
    Some(EtaUpdate {
        ts: ping.ts,
        trip_id: ping.trip_id.clone()?,
        driver_id: ping.driver_id.clone(),
        eta: answer.eta,
        p10: answer.p10,
        p90: answer.p90,
        remaining_m: (answer.metres * 10.0).round() / 10.0,
    })
}
