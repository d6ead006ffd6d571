//! The stream lane's traffic worker, and the lorries that everybody who learns from traffic must match.

use std::sync::Arc;

use events::{Event, Timestamp, Topic, TruckLocation};
use hashbrown::HashMap;
use streets::{LinkId, Map};

use super::EtaConfig;
use super::engine::IDLE_MS;
use super::matcher::{Fix, Matcher, Track, Traversal};
use super::traffic::{TrafficModel, traversal_event};
use crate::Processor;

/// Learns how fast each link is from what drivers and lorries drove, and says so (`traffic`) when it is news: when a speed
/// has changed by 5 %, or a minute after it was last said. What lorries drove it sees itself and passes on.
///
/// It wants all traversals of the city in one instance: a link's neighbours and its class teach about it too.
#[derive(Debug)]
pub struct TrafficProcessor {
    map: Arc<Map>,
    lorries: Lorries,
    traffic: TrafficModel,
    touched: Vec<LinkId>,
    unknown_links: u64,
    traversals: u64,
}

impl TrafficProcessor {
    /// One that has seen nothing.
    pub fn new(config: &EtaConfig) -> Self {
        Self {
            map: config.map.clone(),
            lorries: Lorries::new(config),
            traffic: TrafficModel::new(config.map.clone()),
            touched: Vec::new(),
            unknown_links: 0,
            traversals: 0,
        }
    }

    fn announce(&mut self, at: Timestamp, answers: &mut Vec<Event>) {
        for link in self.touched.drain(..) {
            answers.extend(self.traffic.announce(link, at).map(Event::from));
        }
    }
}

impl Processor for TrafficProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::TruckGpsCoordinates, Topic::RoadTraversals]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        match event {
            Event::TruckGpsCoordinates(ping) => {
                self.lorries.ping(ping, &mut self.traffic, &mut self.touched);
                for one in &self.lorries.driven {
                    let event = traversal_event(&self.map, one.link, &ping.truck_id, one.entered, one.left);
                    answers.push(event.into());
                }
                self.announce(ping.ts, answers);
            }
            Event::RoadTraversals(one) => {
                // Its own lorries' traversals come back on the topic and have been learnt from.
                if self.lorries.knows(&one.vehicle_id) {
                    return;
                }
                let Some(link) = self.map.link_of_key(&one.link_id) else {
                    self.unknown_links += 1;
                    return;
                };
                self.traversals += 1;
                self.traffic.observe(link, &one.vehicle_id, one.seconds, one.ts, &mut self.touched);
                self.announce(one.ts, answers);
            }
            _ => {}
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut counts = self.lorries.counts();
        counts.push(("unknown links", self.unknown_links));
        counts.push(("links driven", self.traversals));
        counts
    }
}

/// Lorries under way.
#[derive(Debug)]
pub(super) struct Lorries {
    matcher: Matcher,
    under_way: HashMap<String, Lorry>,
    /// What the lorry of the last ping has driven.
    pub(super) driven: Vec<Traversal>,
    pings: u64,
    off_map: u64,
}

#[derive(Debug)]
struct Lorry {
    track: Track,
    newest: Timestamp,
    /// How many pings of others have been read when its last one was.
    heard: u64,
}

/// A lorry that is on one link for longer than this and four times what is believed is delivering something, in seconds.
const DELIVERY_S: f64 = 60.0;
/// Lorries that have been silent for so many pings of other lorries are looked at for whether they are idle.
const SWEEP_EVERY_PINGS: u64 = 10_000;

impl Lorries {
    pub(super) fn new(config: &EtaConfig) -> Self {
        Self {
            matcher: Matcher::new(config.map.clone(), config.lateness_ms),
            under_way: HashMap::new(),
            driven: Vec::new(),
            pings: 0,
            off_map: 0,
        }
    }

    /// Takes one ping, learns from what the lorry is now known to have driven (it is in `driven`), and appends the links
    /// whose belief that touched.
    pub(super) fn ping(
        &mut self,
        ping: &TruckLocation,
        traffic: &mut TrafficModel,
        touched: &mut Vec<LinkId>,
    ) {
        self.pings += 1;
        self.driven.clear();
        if !self.under_way.contains_key(ping.truck_id.as_str()) {
            let lorry = Lorry { track: Track::default(), newest: ping.ts, heard: self.pings };
            self.under_way.insert(ping.truck_id.clone(), lorry);
        }
        let lorry = self.under_way.get_mut(ping.truck_id.as_str()).expect("there now, if it was not before");
        lorry.newest = lorry.newest.max(ping.ts);
        lorry.heard = self.pings;
        let fix = Fix {
            ts: ping.ts,
            lat: ping.lat,
            lon: ping.lon,
            speed_mps: ping.speed_mps,
            heading_deg: ping.heading_deg,
        };
        let outcome = self.matcher.observe(&mut lorry.track, &fix, &mut self.driven);
        self.off_map += u64::from(outcome == super::matcher::Outcome::OffMap);
        self.driven.retain(|one| {
            let seconds = one.left.since_seconds(one.entered);
            seconds <= DELIVERY_S.max(4.0 * traffic.seconds(one.link, one.entered))
        });
        for one in &self.driven {
            let seconds = one.left.since_seconds(one.entered);
            traffic.observe(one.link, &ping.truck_id, seconds, one.left, touched);
        }
        if self.pings.is_multiple_of(SWEEP_EVERY_PINGS) {
            let (now, pings) = (ping.ts, self.pings);
            self.under_way.retain(|_, lorry| {
                pings - lorry.heard < SWEEP_EVERY_PINGS || now.since_ms(lorry.newest).abs() <= IDLE_MS
            });
        }
    }

    fn knows(&self, vehicle: &str) -> bool {
        self.under_way.contains_key(vehicle)
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        vec![("lorry pings", self.pings), ("lorry pings off the map", self.off_map)]
    }
}
