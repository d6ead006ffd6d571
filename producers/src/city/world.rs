//! What all vehicles share and none of them changes.
//!
//! # Simplifications
//! - Tunnels are where the seed puts them, not where the map has them.

use std::sync::Arc;

use rand::RngExt;
use streets::{Costs, LinkId, Map, RoadClass};

use super::config::CityConfig;
use super::demand::Demand;
use super::incidents::Incidents;
use super::junctions::Junctions;
use super::noise::{Purpose, hash, rng, unit};
use super::pace::Pace;

#[derive(Debug)]
pub(super) struct World {
    pub(super) config: CityConfig,
    pub(super) map: Arc<Map>,
    pub(super) demand: Demand,
    pub(super) pace: Pace,
    pub(super) incidents: Incidents,
    pub(super) junctions: Junctions,
    /// The name of each link outside the program, written once.
    pub(super) keys: Vec<String>,
    /// Links on which no position is received.
    pub(super) in_tunnel: Vec<bool>,
}

impl World {
    pub(super) fn new(config: CityConfig) -> World {
        let map = Arc::clone(&config.map);
        let demand = Demand::new(&config, &map);
        World {
            pace: Pace::new(&config, &map, &demand),
            incidents: Incidents::new(&config, &map, &demand),
            junctions: Junctions::new(config.seed, &map),
            keys: map.link_ids().map(|link| map.link_key(link)).collect(),
            in_tunnel: tunnels(&config, &map),
            demand,
            map,
            config,
        }
    }

    pub(super) fn start_s(&self) -> f64 {
        super::seconds(self.config.start)
    }

    /// Seconds that the link takes when it is entered at `t`, without what depends on the vehicle.
    pub(super) fn expected_s(&self, link: LinkId, t: f64) -> f64 {
        self.expected_as_of(link, t, t)
    }

    /// The same without incidents that begin after `known`.
    pub(super) fn expected_as_of(&self, link: LinkId, t: f64, known: f64) -> f64 {
        self.pace.expected_s(link, t) * self.incidents.factor_as_of(link, t, known)
    }

    /// The costs by which this driver chooses a route.
    pub(super) fn driver_costs(&self, driver: u64) -> DriverCosts<'_> {
        DriverCosts { world: self, driver }
    }
}

/// A driver's idea of the streets: their usual pace, with an error, and a preference for some of
/// them. It makes routes that are sensible and not always the shortest.
#[derive(Clone, Copy, Debug)]
pub(super) struct DriverCosts<'a> {
    world: &'a World,
    driver: u64,
}

impl Costs for DriverCosts<'_> {
    fn link(&self, link: LinkId) -> f64 {
        let preference = unit(hash(
            self.world.config.seed,
            Purpose::RoutePreference,
            self.driver,
            self.world.pace.street(link),
        ));
        self.world.pace.usual_s(link) * (0.85 + 0.45 * preference)
    }

    fn turn(&self, from: LinkId, into: LinkId) -> f64 {
        // Beyond the wait itself, drivers avoid U-turns.
        let back = if self.world.map.twin(from) == Some(into) { 45.0 } else { 0.0 };
        self.world.junctions.expected_s(from, into) + back
    }
}

/// Marks some stretches of the main roads, each of a few hundred metres
/// straight on, in both directions.
fn tunnels(config: &CityConfig, map: &Map) -> Vec<bool> {
    let mut within = vec![false; map.link_count()];
    let main: Vec<LinkId> = map
        .link_ids()
        .filter(|&link| {
            matches!(map.link(link).class, RoadClass::Trunk | RoadClass::Primary | RoadClass::Secondary)
        })
        .collect();
    if main.is_empty() {
        return within;
    }
    let mut rng = rng(config.seed, Purpose::Tunnels, 0);
    for _ in 0..config.tunnels {
        let mut link = main[rng.random_range(0..main.len())];
        let mut left_m: f64 = rng.random_range(200.0..600.0);
        while left_m > 0.0 {
            within[link.index()] = true;
            if let Some(twin) = map.twin(link) {
                within[twin.index()] = true;
            }
            left_m -= map.link(link).length_m.max(10.0);
            let ahead = map.leaving(map.link(link).to).iter().copied();
            let straight =
                ahead.min_by(|a, b| map.turn_deg(link, *a).abs().total_cmp(&map.turn_deg(link, *b).abs()));
            match straight {
                Some(next) if map.turn_deg(link, next).abs() < 45.0 => link = next,
                _ => break,
            }
        }
    }
    within
}
