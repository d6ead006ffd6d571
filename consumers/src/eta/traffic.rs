//! How long each link takes now, and how long it will take when the car gets there.
//!
//! A city has tens of thousands of links, and even a large fleet drives most of them less than once
//! in ten minutes. So the estimate of one link is a chain of ratios, from what is known best to
//! what is most recent, each a [`DecayingRatio`]: the factor by which reality differs from what the
//! ratios before it expect:
//!
//! ```text
//! seconds = length / free-flow speed      the map
//!         × prior                         town streets take half as long again, anywhere
//!         × overall × class × class-hour  learnt from all: streets like this, at this hour
//!         × usual                         learnt over days: this link
//!         × city × area × street          learnt within an hour: the weather, this avenue
//!         × live                          learnt within minutes: this link, and those next to it
//! ```
//!
//! Without recent observations the last ratios have decayed to 1, and without any observation
//! `usual` is 1, so the chain decays to its prior. For a time in the future the same formulas say
//! what will remain by then.
//!
//! The model learns from *traversals*, not from pings: at one ping a second a hundred pings would
//! repeat one traffic light. A traversal is first divided by its driver's own ratio (a lorry is
//! slower than a taxi on the same street), then clipped to a few times the expected time, so that
//! one car that stopped for coffee changes little. A ratio moves towards the *mean* (the score
//! of a gamma regression with a logarithmic link), because it is means that add up along a route.
//! Short links count less: on them a traffic light is most of the time.
//!
//! # Simplifications
//! - Traffic lights and turns have no delay of their own: it is part of the link that leads to
//!   them. With one traversal a link and minute or less the two can hardly be separated, and a
//!   route needs their sum.
//! - The hour of the day is UTC and all days are alike.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events::{RoadTraversal, Timestamp, Traffic};
use streets::{LinkId, Map, RoadClass};

use super::decaying_ratio::{DecayConfig, DecayingRatio};
use super::roads::Roads;
use super::vehicles::Vehicles;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;
/// All roads together: a few traversals are enough to learn that traffic is slower than the limit.
const OVERALL: DecayConfig = DecayConfig { half_life_s: DAY_S, prior: 3.0, max_weight: 5000.0 };
const CLASS: DecayConfig = DecayConfig { half_life_s: 3.0 * DAY_S, prior: 20.0, max_weight: 5000.0 };
const HOUR: DecayConfig = DecayConfig { half_life_s: 7.0 * DAY_S, prior: 40.0, max_weight: 2000.0 };
const USUAL: DecayConfig = DecayConfig { half_life_s: 3.0 * DAY_S, prior: 3.0, max_weight: 60.0 };
const CITY: DecayConfig = DecayConfig { half_life_s: 3600.0, prior: 30.0, max_weight: 200.0 };
const AREA: DecayConfig = DecayConfig { half_life_s: 1800.0, prior: 4.0, max_weight: 20.0 };
const STREET: DecayConfig = DecayConfig { half_life_s: 1200.0, prior: 3.0, max_weight: 10.0 };
const LIVE: DecayConfig = DecayConfig { half_life_s: 480.0, prior: 1.5, max_weight: 4.0 };

/// The prior of a street in a town, beside its speed limit: signals, turns and other cars cost
/// about half of the time again in every city that was measured; much less on roads without
/// crossings.
const PRIOR: f64 = 1.5;
const PRIOR_WITHOUT_CROSSINGS: f64 = 1.15;
/// The costs for route searches are recomputed so often, in event time: a search needs those of
/// thousands of links, and the best route changes within minutes.
const COSTS_EVERY_MS: i64 = 60_000;

/// An observation further than this factor from the expected time is clipped to it.
const CLIP: f64 = 4.0;
/// A link of this length counts half as much as a very long one.
const HALF_WEIGHT_M: f64 = 60.0;
/// The weights of an observation on the links straight ahead and straight behind: a queue does not
/// end at a corner.
const NEIGHBOUR_WEIGHTS: [f64; 2] = [0.5, 0.25];
/// A speed is published when it has changed by this share …
const PUBLISH_CHANGE: f64 = 0.05;
/// … or when it was last published so long ago, but …
const PUBLISH_AFTER_MS: i64 = 60_000;
/// … not more often than this.
const PUBLISH_SPACING_MS: i64 = 5_000;
/// The estimated speed is never lower than this: a closed road would have no ETA.
const SLOWEST_MPS: f64 = 0.2;

/// The estimates of all links of a map. Its state is bounded by the number of links and of
/// vehicles.
#[derive(Clone, Debug)]
pub(crate) struct TrafficModel {
    roads: Arc<Roads>,
    links: Vec<LinkState>,
    /// What was last published of each link; empty until something is.
    published: Vec<Published>,
    overall: DecayingRatio,
    classes: [DecayingRatio; CLASSES],
    hours: [[DecayingRatio; 24]; CLASSES],
    city: DecayingRatio,
    areas: Vec<DecayingRatio>,
    streets: Vec<DecayingRatio>,
    vehicles: Vehicles,
    costs: CostCache,
}

/// The cost of each link in a route search, computed when it is first needed.
#[derive(Debug)]
struct CostCache(Mutex<CachedCosts>);

#[derive(Debug, Default)]
struct CachedCosts {
    at: Option<Timestamp>,
    /// The version of the costs; a link's cost of another version is outdated.
    version: u32,
    links: Vec<Cell<(u32, f32)>>,
    classes: [f64; CLASSES],
    /// The ratios of the parts of town and of the streets at `at`, with the version too. Unlike the
    /// cost of a link, which stands until all are computed again, they follow what is learnt.
    areas: Vec<Cell<(u32, f64)>>,
    streets: Vec<Cell<(u32, f64)>>,
}

impl CachedCosts {
    /// The ratio in this cell, computed if it is of another version.
    fn ratio(&self, cell: &Cell<(u32, f64)>, compute: impl FnOnce() -> f64) -> f64 {
        let (version, ratio) = cell.get();
        if version == self.version {
            return ratio;
        }
        let ratio = compute();
        cell.set((self.version, ratio));
        ratio
    }
}

impl CostCache {
    /// Something was learnt of an area and a street.
    fn forget(&mut self, area: usize, street: usize) {
        let cached = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for cell in [cached.areas.get_mut(area), cached.streets.get_mut(street)].into_iter().flatten() {
            *cell.get_mut() = (0, 0.0);
        }
    }
}

/// A copy of a model computes its own costs.
impl Clone for CostCache {
    fn clone(&self) -> Self {
        Self(Mutex::default())
    }
}

const CLASSES: usize = streets::RoadClass::ALL.len();

#[derive(Clone, Copy, Debug, Default)]
struct LinkState {
    usual: DecayingRatio,
    live: DecayingRatio,
}

#[derive(Clone, Copy, Debug)]
struct Published {
    mps: f32,
    at_ms: i64,
}

impl TrafficModel {
    /// A model that has seen nothing: every link at its free-flow speed.
    pub(crate) fn new(roads: Arc<Roads>) -> Self {
        let (areas, streets) = roads.areas_and_streets();
        Self {
            links: vec![LinkState::default(); roads.map().link_count()],
            published: Vec::new(),
            overall: DecayingRatio::default(),
            classes: [DecayingRatio::default(); CLASSES],
            hours: [[DecayingRatio::default(); 24]; CLASSES],
            city: DecayingRatio::default(),
            areas: vec![DecayingRatio::default(); areas],
            streets: vec![DecayingRatio::default(); streets],
            vehicles: Vehicles::default(),
            costs: CostCache(Mutex::default()),
            roads,
        }
    }

    /// The seconds that an average driver is expected to need for `link` after entering it at
    /// `entering`.
    pub(crate) fn seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let facts = self.roads.facts(link);
        self.usual_seconds(link, entering)
            * self.city.ratio(entering, &CITY)
            * self.areas[facts.area as usize].ratio(entering, &AREA)
            * self.streets[facts.street as usize].ratio(entering, &STREET)
            * self.links[link.index()].live.ratio(entering, &LIVE)
    }

    /// The same without what was learnt in the last hour.
    pub(crate) fn usual_seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let facts = self.roads.facts(link);
        f64::from(facts.free_s)
            * self.class_ratio(usize::from(facts.class), entering)
            * self.links[link.index()].usual.ratio(entering, &USUAL)
    }

    /// The costs of all links for a driver who enters them at about `at`, for a route search.
    pub(crate) fn costs(&self, at: Timestamp) -> LinkCosts<'_> {
        let mut cached = self.costs.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.at.is_none_or(|before| at.since_ms(before).abs() >= COSTS_EVERY_MS) {
            cached.at = Some(at);
            cached.version = cached.version.wrapping_add(1).max(1);
            cached.links.resize(self.links.len(), Cell::new((0, 0.0)));
            cached.areas.resize(self.areas.len(), Cell::new((0, 0.0)));
            cached.streets.resize(self.streets.len(), Cell::new((0, 0.0)));
            cached.classes =
                std::array::from_fn(|class| self.class_ratio(class, at) * self.city.ratio(at, &CITY));
        }
        let at = cached.at.unwrap_or(at);
        LinkCosts { model: self, at, cached }
    }

    /// The factor by which this driver is slower than others.
    pub(crate) fn vehicle_ratio(&self, vehicle: &str, at: Timestamp) -> f64 {
        self.vehicles.ratio(vehicle, at)
    }

    /// Learns from one traversal, and appends the links whose estimate changed to `touched`.
    pub(crate) fn observe(
        &mut self,
        link: LinkId,
        vehicle: &str,
        seconds: f64,
        at: Timestamp,
        touched: &mut Vec<LinkId>,
    ) {
        if !(seconds.is_finite() && seconds > 0.0) {
            return;
        }
        let expected_s = self.seconds(link, at);
        let weight = self.weight_of(link);
        let driver = self.vehicle_ratio(vehicle, at);
        self.learn_vehicle(link, vehicle, seconds / expected_s, at);
        let seconds = (seconds / driver).clamp(expected_s / CLIP, expected_s * CLIP);
        let ratio = self.learn_around(link, seconds, weight, at);
        self.links[link.index()].live.observe(ratio, weight, at, &LIVE);
        touched.push(link);
        for direction in 0..2 {
            let mut neighbour = link;
            for share in NEIGHBOUR_WEIGHTS {
                let Some(next) = self.roads.straight(neighbour, direction).filter(|&next| next != link)
                else {
                    break;
                };
                neighbour = next;
                self.links[neighbour.index()].live.observe(ratio, weight * share, at, &LIVE);
                touched.push(neighbour);
            }
        }
    }

    /// Learns from one traversal the driver's own ratio, and nothing about the road.
    pub(crate) fn observe_vehicle(&mut self, link: LinkId, vehicle: &str, seconds: f64, at: Timestamp) {
        if seconds.is_finite() && seconds > 0.0 {
            self.learn_vehicle(link, vehicle, seconds / self.seconds(link, at), at);
        }
    }

    /// The link took `ratio` times as long as expected.
    fn learn_vehicle(&mut self, link: LinkId, vehicle: &str, ratio: f64, at: Timestamp) {
        self.vehicles.learn(vehicle, ratio.clamp(1.0 / CLIP, CLIP), self.weight_of(link), at);
    }

    /// Learns that a vehicle has been on a link for so long and is still there: a lower bound (the
    /// observation is *censored*). Without it a jam would be known only when it has dissolved.
    /// While the time is no longer than expected, nothing is learnt.
    pub(crate) fn observe_waiting(
        &mut self,
        link: LinkId,
        vehicle: &str,
        seconds: f64,
        at: Timestamp,
    ) -> bool {
        let expected_s = self.seconds(link, at);
        let seconds = (seconds / self.vehicle_ratio(vehicle, at)).min(expected_s * CLIP);
        if !seconds.is_finite() || seconds <= expected_s * 1.5 {
            return false;
        }
        let weight = self.weight_of(link) * 0.3;
        let live = &mut self.links[link.index()].live;
        let ratio = seconds / (expected_s / live.ratio(at, &LIVE));
        live.observe(ratio, weight, at, &LIVE);
        true
    }

    /// Takes over another model's estimate of a link, as it was published.
    pub(crate) fn apply_update(&mut self, update: &Traffic) -> bool {
        let Some(link) = self.roads.map().link_of_key(&update.link_id) else {
            return false;
        };
        let at = update.ts;
        let seconds = self.map().link(link).length_m / update.speed_mps.max(SLOWEST_MPS);
        let expected_s = self.seconds(link, at);
        // An update rests on several traversals and repeats some of them, so it counts as about
        // half of one.
        let weight = 0.5 * self.weight_of(link) * update.samples.min(1.0);
        self.learn_around(link, seconds.clamp(expected_s / CLIP, expected_s * CLIP), weight, at);

        let base_s = self.seconds(link, at) / self.links[link.index()].live.ratio(at, &LIVE);
        let samples = update.samples.min(LIVE.max_weight);
        // The published speed was shrunk to the prior once. Undo that, or it would be shrunk twice.
        let ratio = if samples > 0.0 {
            ((seconds / base_s) * (samples + LIVE.prior) - LIVE.prior) / samples
        } else {
            1.0
        };
        self.links[link.index()].live = DecayingRatio::of(ratio.max(0.1), samples, at);
        true
    }

    /// The update to publish about a link at `at`, if there is one.
    pub(crate) fn publish_update(&mut self, link: LinkId, at: Timestamp) -> Option<Traffic> {
        let length_m = self.map().link(link).length_m;
        let speed_mps = (length_m / self.seconds(link, at)).max(SLOWEST_MPS);
        self.published.resize(self.links.len(), Published { mps: 0.0, at_ms: i64::MIN / 2 });
        let published = &mut self.published[link.index()];
        let silent_ms = at.ms().saturating_sub(published.at_ms);
        let change = (speed_mps / f64::from(published.mps) - 1.0).abs();
        if silent_ms < PUBLISH_SPACING_MS || (change < PUBLISH_CHANGE && silent_ms < PUBLISH_AFTER_MS) {
            return None;
        }
        *published = Published { mps: speed_mps as f32, at_ms: at.ms() };
        Some(Traffic {
            ts: at,
            link_id: self.map().link_key(link),
            speed_mps: rounded(speed_mps),
            free_flow_mps: rounded(length_m / f64::from(self.roads.facts(link).free_s)),
            samples: rounded(self.links[link.index()].live.weight(at, &LIVE)),
        })
    }

    /// The mean speed on the roads of this map in m/s, where nothing better is known.
    pub(crate) fn usual_mps(&self, at: Timestamp) -> f64 {
        RoadClass::Unknown.default_mps() / (PRIOR * self.overall.ratio(at, &OVERALL))
    }

    fn class_ratio(&self, class: usize, at: Timestamp) -> f64 {
        prior(RoadClass::ALL[class])
            * self.overall.ratio(at, &OVERALL)
            * self.classes[class].ratio(at, &CLASS)
            * self.hours[class][at.hour() as usize].ratio(at, &HOUR)
    }

    fn map(&self) -> &Map {
        self.roads.map()
    }

    fn weight_of(&self, link: LinkId) -> f64 {
        let length_m = self.map().link(link).length_m;
        length_m / (length_m + HALF_WEIGHT_M)
    }

    /// Updates every ratio but `live`, each relative to what those before it expect, and returns
    /// the ratio that remains.
    fn learn_around(&mut self, link: LinkId, seconds: f64, weight: f64, at: Timestamp) -> f64 {
        let facts = *self.roads.facts(link);
        let (class, area, street) = (usize::from(facts.class), facts.area as usize, facts.street as usize);
        self.costs.forget(area, street);
        let mut ratio = seconds / (prior(RoadClass::ALL[class]) * f64::from(facts.free_s));
        for (estimate, config) in [
            (&mut self.overall, &OVERALL),
            (&mut self.classes[class], &CLASS),
            (&mut self.hours[class][at.hour() as usize], &HOUR),
            (&mut self.links[link.index()].usual, &USUAL),
            (&mut self.city, &CITY),
            (&mut self.areas[area], &AREA),
            (&mut self.streets[street], &STREET),
        ] {
            let expected = estimate.ratio(at, config);
            estimate.observe(ratio, weight, at, config);
            ratio /= expected;
        }
        ratio
    }
}

/// The costs of all links at one instant, in seconds, with U-turns where nothing else is possible.
pub(crate) struct LinkCosts<'a> {
    model: &'a TrafficModel,
    at: Timestamp,
    cached: MutexGuard<'a, CachedCosts>,
}

/// A U-turn costs the search for a place to turn.
const U_TURN_S: f64 = 30.0;

impl LinkCosts<'_> {
    /// The cost of a link that was not asked for since the costs were last forgotten.
    #[cold]
    fn compute(&self, link: LinkId) -> f32 {
        let (model, at, cached) = (self.model, self.at, &*self.cached);
        let (facts, state) = (model.roads.facts(link), &model.links[link.index()]);
        let (area, street) = (facts.area as usize, facts.street as usize);
        let seconds = f64::from(facts.free_s)
            * cached.classes[usize::from(facts.class)]
            * state.usual.ratio(at, &USUAL)
            * cached.ratio(&cached.areas[area], || model.areas[area].ratio(at, &AREA))
            * cached.ratio(&cached.streets[street], || model.streets[street].ratio(at, &STREET))
            * state.live.ratio(at, &LIVE);
        cached.links[link.index()].set((cached.version, seconds as f32));
        seconds as f32
    }
}

impl streets::Costs for LinkCosts<'_> {
    #[inline]
    fn link(&self, link: LinkId) -> f64 {
        let (version, seconds) = self.cached.links[link.index()].get();
        f64::from(if version == self.cached.version { seconds } else { self.compute(link) })
    }

    fn turn(&self, from: LinkId, into: LinkId) -> f64 {
        if self.model.map().are_twins(from, into) { U_TURN_S } else { 0.0 }
    }
}

fn prior(class: RoadClass) -> f64 {
    match class {
        RoadClass::Motorway | RoadClass::Trunk => PRIOR_WITHOUT_CROSSINGS,
        _ => PRIOR,
    }
}

/// A traversal as it is published.
pub(crate) fn traversal_event(
    map: &Map,
    link: LinkId,
    vehicle: &str,
    entered: Timestamp,
    left: Timestamp,
) -> RoadTraversal {
    RoadTraversal {
        ts: left,
        link_id: map.link_key(link),
        vehicle_id: vehicle.to_owned(),
        seconds: left.since_seconds(entered),
        metres: map.link(link).length_m,
    }
}

/// Two decimals are more than the accuracy of a speed.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use streets::Costs as _;

    use super::*;
    use crate::eta::tests::{at, map};

    /// The ratios of a street and a part of town are computed once for the links of a search, and
    /// again after something was learnt of them: a copy, which computes all itself, says the same.
    #[test]
    fn the_cost_of_a_link_follows_what_was_learnt_of_its_street() {
        let roads = Arc::new(Roads::new(map()));
        let mut model = TrafficModel::new(roads.clone());
        let street = |link: LinkId| roads.facts(link).street;
        let avenue = |&link: &LinkId| roads.map().name(link) == Some("Avenida Francisco de Aguirre");
        let one = roads.map().link_ids().find(avenue).expect("it is in the program's map");
        let of_one_street: Vec<LinkId> =
            roads.map().link_ids().filter(|&link| street(link) == street(one)).collect();
        assert!(of_one_street.len() >= 4, "{} links", of_one_street.len());
        // Without the class and the city, whose ratios stand for a minute as costs do.
        let cost = |model: &TrafficModel, link: LinkId| {
            let costs = model.costs(at(0.0));
            costs.link(link) / costs.cached.classes[usize::from(roads.facts(link).class)]
        };
        let mut told = Vec::new();
        for (second, links) in of_one_street.chunks_exact(2).enumerate() {
            // Another link each time: what was asked for once stands for a minute.
            let (asked, learnt) = (links[0], links[1]);
            let (known, fresh) = (cost(&model, asked), cost(&model.clone(), asked));
            assert!((known / fresh - 1.0).abs() < 1e-6, "{known} s instead of {fresh} s");
            told.push(known / f64::from(roads.facts(asked).free_s));
            model.observe(learnt, "v1", 300.0, at(second as f64), &mut Vec::new());
        }
        assert!(told[1] > 1.1 * told[0], "the street is slower after the first was driven: {told:?}");
    }
}
