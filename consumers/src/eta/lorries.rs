//! Which streets the lorries are on: the matcher for vehicles without trips.

use events::{Timestamp, TruckLocation};
use hashbrown::HashMap;

use super::EtaConfig;
use super::engine::IDLE_MS;
use super::matcher::{Fix, Matcher, Track, Traversal};
use super::traffic::TrafficModel;

/// Lorries under way.
#[derive(Debug)]
pub(super) struct Lorries {
    matcher: Matcher,
    under_way: HashMap<String, Lorry>,
    /// The links that the lorry of the last ping has driven.
    pub(super) driven: Vec<Traversal>,
    pings: u64,
    off_map: u64,
}

#[derive(Debug)]
struct Lorry {
    track: Track,
    newest: Timestamp,
    /// The number of the lorry pings read before its last one.
    last_ping: u64,
}

/// A lorry that is on one link for longer than this, in seconds, and than four times the expected
/// time is making a delivery.
const DELIVERY_S: f64 = 60.0;
/// Lorries without a ping among so many pings of others are removed if they are idle.
const SWEEP_EVERY_PINGS: u64 = 10_000;

impl Lorries {
    pub(super) fn new(config: &EtaConfig) -> Self {
        Self {
            matcher: Matcher::new(config.roads.clone(), config.lateness_ms),
            under_way: HashMap::new(),
            driven: Vec::new(),
            pings: 0,
            off_map: 0,
        }
    }

    /// Takes one ping; the links that the lorry is now known to have driven are in `driven`. By
    /// `traffic`, a slow road is told from a delivery.
    pub(super) fn ping(&mut self, ping: &TruckLocation, traffic: &TrafficModel) {
        self.pings += 1;
        self.driven.clear();
        if !self.under_way.contains_key(ping.truck_id.as_str()) {
            let lorry = Lorry { track: Track::default(), newest: ping.ts, last_ping: self.pings };
            self.under_way.insert(ping.truck_id.clone(), lorry);
        }
        let lorry = self.under_way.get_mut(ping.truck_id.as_str()).expect("there now, if it was not before");
        lorry.newest = lorry.newest.max(ping.ts);
        lorry.last_ping = self.pings;
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
        if self.pings.is_multiple_of(SWEEP_EVERY_PINGS) {
            let (now, pings) = (ping.ts, self.pings);
            self.under_way.retain(|_, lorry| {
                pings - lorry.last_ping < SWEEP_EVERY_PINGS || now.since_ms(lorry.newest).abs() <= IDLE_MS
            });
        }
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        vec![("lorry pings", self.pings), ("lorry pings off the map", self.off_map)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eta::tests::{at, map};

    #[test]
    fn lorries_that_are_gone_are_forgotten() {
        let config = EtaConfig::new(map());
        let (mut lorries, traffic) = (Lorries::new(&config), TrafficModel::new(config.roads.clone()));
        let (mut pings, mut most) = (0_u32, 0);
        // Every ten seconds another lorry, which sends three pings and no more; one in a hundred
        // has a wrong clock.
        for number in 0..15_000_u32 {
            for _ in 0..3 {
                pings += 1;
                let ts = if number % 100 == 7 { Timestamp::MAX } else { at(f64::from(pings) * 3.0) };
                lorries.ping(
                    &TruckLocation {
                        ts,
                        truck_id: format!("l{number}"),
                        lat: -29.91,
                        lon: -71.25,
                        speed_mps: None,
                        heading_deg: None,
                    },
                    &traffic,
                );
                most = most.max(lorries.under_way.len());
            }
        }
        // A lorry that sends nothing during 10,000 pings of others is dropped at the next 10,000th:
        // 20,000 pings of three each.
        assert!(most <= 6_700, "{most} of 15,000 lorries were remembered at once");
        assert!(lorries.counts().contains(&("lorry pings", 45_000)));
    }
}
