//! The stream lane's traffic worker.

use std::sync::Arc;

use events::{Event, Topic};
use streets::{LinkId, Map};

use super::EtaConfig;
use super::traffic::TrafficModel;
use processor::Processor;

/// Learns the speed of each link from the traversals of drivers and lorries, and publishes it
/// (`traffic`) when it has changed by 5 %, or a minute after it was last published.
///
/// It needs all traversals of the city in one instance: the model of a link learns from its
/// neighbours and its class, too.
#[derive(Debug)]
pub struct TrafficProcessor {
    map: Arc<Map>,
    traffic: TrafficModel,
    touched: Vec<LinkId>,
    unknown_links: u64,
    traversals: u64,
}

impl TrafficProcessor {
    /// One that has seen nothing.
    pub fn new(config: &EtaConfig) -> Self {
        Self {
            map: config.roads.map().clone(),
            traffic: TrafficModel::new(config.roads.clone()),
            touched: Vec::new(),
            unknown_links: 0,
            traversals: 0,
        }
    }
}

impl Processor for TrafficProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::RoadTraversals]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let Event::RoadTraversals(one) = event else { return };
        let Some(link) = self.map.link_of_key(&one.link_id) else {
            self.unknown_links += 1;
            return;
        };
        self.traversals += 1;
        self.traffic.observe(link, &one.vehicle_id, one.seconds, one.ts, &mut self.touched);
        for link in self.touched.drain(..) {
            answers.extend(self.traffic.publish_update(link, one.ts).map(Event::from));
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("unknown links", self.unknown_links), ("links driven", self.traversals)]
    }
}
