//! Everything in one: what runs over a file of events.

use std::sync::Arc;

use events::{Event, Topic};
use streets::{LinkId, Map};

use super::EtaConfig;
use super::engine::{Answer, Engine};
use super::lorries::Lorries;
use super::stream::update;
use super::traffic::traversal_event;
use processor::Processor;

/// Matcher, traffic and ETA in one processor: it starts empty, learns from the pings that it is
/// given, and answers with `eta_updates` alone (and `road_traversals`, when asked to).
#[derive(Debug)]
pub struct EtaReplay {
    standalone: StandaloneEta,
    map: Arc<Map>,
    tell_traversals: bool,
}

impl EtaReplay {
    /// A processor that has seen nothing.
    pub fn new(config: &EtaConfig) -> Self {
        Self {
            standalone: StandaloneEta::new(config),
            map: config.roads.map().clone(),
            tell_traversals: config.tell_traversals,
        }
    }

    /// How many drivers and trips are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.standalone.engine.remembered()
    }
}

impl Processor for EtaReplay {
    fn inputs(&self) -> &'static [Topic] {
        INPUTS
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let answer = self.standalone.process(event);
        if let Event::DriverLocations(ping) = event {
            answers.extend(answer.and_then(|answer| update(ping, &answer)).map(Event::from));
        }
        if self.tell_traversals {
            self.standalone.tell_traversals(&self.map, event, answers);
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.standalone.counts()
    }
}

/// The inputs of the replay and of the batch lane.
pub(super) const INPUTS: &[Topic] = &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips];

/// The engine together with the traffic that it has seen itself, without a `traffic` topic.
#[derive(Debug)]
pub(super) struct StandaloneEta {
    pub(super) engine: Engine,
    lorries: Lorries,
    touched: Vec<LinkId>,
}

impl StandaloneEta {
    pub(super) fn new(config: &EtaConfig) -> Self {
        Self {
            engine: Engine::new(&config.roads, config.lateness_ms),
            lorries: Lorries::new(config),
            touched: Vec::new(),
        }
    }

    pub(super) fn process(&mut self, event: &Event) -> Option<Answer> {
        self.touched.clear();
        match event {
            Event::DriverLocations(ping) => {
                let answer = self.engine.ping(ping);
                for one in &self.engine.driven {
                    let seconds = one.left.since_seconds(one.entered);
                    self.engine.traffic.observe(
                        one.link,
                        &ping.driver_id,
                        seconds,
                        one.left,
                        &mut self.touched,
                    );
                }
                answer
            }
            Event::TruckGpsCoordinates(ping) => {
                self.lorries.ping(ping, &self.engine.traffic);
                for one in &self.lorries.driven {
                    let seconds = one.left.since_seconds(one.entered);
                    self.engine.traffic.observe(
                        one.link,
                        &ping.truck_id,
                        seconds,
                        one.left,
                        &mut self.touched,
                    );
                }
                None
            }
            Event::Trips(trip) => {
                self.engine.trip(trip);
                None
            }
            _ => None,
        }
    }

    /// Appends the traversals of the vehicle of this ping, the last one processed.
    pub(super) fn tell_traversals(&self, map: &Map, event: &Event, answers: &mut Vec<Event>) {
        let (vehicle, driven) = match event {
            Event::DriverLocations(ping) => (&ping.driver_id, &self.engine.driven),
            Event::TruckGpsCoordinates(ping) => (&ping.truck_id, &self.lorries.driven),
            _ => return,
        };
        answers.extend(
            driven.iter().map(|one| traversal_event(map, one.link, vehicle, one.entered, one.left).into()),
        );
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = self.engine.counts();
        counts.extend(self.lorries.counts());
        counts
    }
}
