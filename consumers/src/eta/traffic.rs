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
use hashbrown::HashMap;
use streets::{LinkId, Map, RoadClass};

use super::decaying_ratio::{DecayConfig, DecayingRatio};
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
/// Parts of town are squares of about this size.
const AREA_M: f64 = 1000.0;
/// A continuation turns by less than this.
const STRAIGHT_DEG: f64 = 45.0;
/// A speed is published when it has changed by this share …
const PUBLISH_CHANGE: f64 = 0.05;
/// … or when it was last published so long ago, but …
const PUBLISH_AFTER_MS: i64 = 60_000;
/// … not more often than this.
const PUBLISH_SPACING_MS: i64 = 5_000;
/// The estimated speed is never lower than this: a closed road would have no ETA.
const SLOWEST_MPS: f64 = 0.2;
const NONE: u32 = u32::MAX;

/// The estimates of all links of a map. Its state is bounded by the number of links and of
/// vehicles.
#[derive(Clone, Debug)]
pub(crate) struct TrafficModel {
    map: Arc<Map>,
    links: Vec<LinkState>,
    /// The link straight ahead of each link, and straight behind. They never change, so all copies
    /// share them.
    straight: Arc<[[u32; 2]]>,
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
}

/// A copy of a model computes its own costs.
impl Clone for CostCache {
    fn clone(&self) -> Self {
        Self(Mutex::default())
    }
}

const CLASSES: usize = streets::RoadClass::ALL.len();

#[derive(Clone, Copy, Debug)]
struct LinkState {
    /// Seconds at the map's free-flow speed.
    free_s: f32,
    class: u8,
    area: u32,
    street: u32,
    usual: DecayingRatio,
    live: DecayingRatio,
    published_mps: f32,
    published_ms: i64,
}

impl TrafficModel {
    /// A model that has seen nothing: every link at its free-flow speed.
    pub(crate) fn new(map: Arc<Map>) -> Self {
        let (mut areas, mut streets) = (Rows::default(), Rows::default());
        let links: Vec<LinkState> = map
            .link_ids()
            .map(|id| {
                let link = map.link(id);
                LinkState {
                    free_s: (link.length_m / map.free_flow_mps(id)) as f32,
                    class: link.class as u8,
                    area: areas.row(area_of(&map, id)),
                    street: streets.row(street_of(&map, id)),
                    usual: DecayingRatio::default(),
                    live: DecayingRatio::default(),
                    published_mps: 0.0,
                    published_ms: i64::MIN / 2,
                }
            })
            .collect();
        let straight =
            map.link_ids().map(|id| [straight_ahead(&map, id), straight_behind(&map, id)]).collect();
        Self {
            map,
            links,
            straight,
            overall: DecayingRatio::default(),
            classes: [DecayingRatio::default(); CLASSES],
            hours: [[DecayingRatio::default(); 24]; CLASSES],
            city: DecayingRatio::default(),
            areas: vec![DecayingRatio::default(); areas.0.len()],
            streets: vec![DecayingRatio::default(); streets.0.len()],
            vehicles: Vehicles::default(),
            costs: CostCache(Mutex::default()),
        }
    }

    /// The seconds that an average driver is expected to need for `link` after entering it at
    /// `entering`.
    pub(crate) fn seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let state = &self.links[link.index()];
        self.usual_seconds(link, entering)
            * self.city.ratio(entering, &CITY)
            * self.areas[state.area as usize].ratio(entering, &AREA)
            * self.streets[state.street as usize].ratio(entering, &STREET)
            * state.live.ratio(entering, &LIVE)
    }

    /// The same without what was learnt in the last hour.
    pub(crate) fn usual_seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let state = &self.links[link.index()];
        f64::from(state.free_s)
            * self.class_ratio(usize::from(state.class), entering)
            * state.usual.ratio(entering, &USUAL)
    }

    /// The costs of all links for a driver who enters them at about `at`, for a route search.
    pub(crate) fn costs(&self, at: Timestamp) -> LinkCosts<'_> {
        let mut cached = self.costs.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.at.is_none_or(|before| at.since_ms(before).abs() >= COSTS_EVERY_MS) {
            cached.at = Some(at);
            cached.version = cached.version.wrapping_add(1).max(1);
            cached.links.resize(self.links.len(), Cell::new((0, 0.0)));
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
                let next = self.straight[neighbour.index()][direction];
                if next == NONE || next == link.0 {
                    break;
                }
                neighbour = LinkId(next);
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
        let Some(link) = self.map.link_of_key(&update.link_id) else {
            return false;
        };
        let at = update.ts;
        let seconds = self.map.link(link).length_m / update.speed_mps.max(SLOWEST_MPS);
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
        let length_m = self.map.link(link).length_m;
        let speed_mps = (length_m / self.seconds(link, at)).max(SLOWEST_MPS);
        let state = &mut self.links[link.index()];
        let silent_ms = at.ms().saturating_sub(state.published_ms);
        let change = (speed_mps / f64::from(state.published_mps) - 1.0).abs();
        if silent_ms < PUBLISH_SPACING_MS || (change < PUBLISH_CHANGE && silent_ms < PUBLISH_AFTER_MS) {
            return None;
        }
        state.published_mps = speed_mps as f32;
        state.published_ms = at.ms();
        Some(Traffic {
            ts: at,
            link_id: self.map.link_key(link),
            speed_mps: rounded(speed_mps),
            free_flow_mps: rounded(length_m / f64::from(state.free_s)),
            samples: rounded(state.live.weight(at, &LIVE)),
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

    fn weight_of(&self, link: LinkId) -> f64 {
        let length_m = self.map.link(link).length_m;
        length_m / (length_m + HALF_WEIGHT_M)
    }

    /// Updates every ratio but `live`, each relative to what those before it expect, and returns
    /// the ratio that remains.
    fn learn_around(&mut self, link: LinkId, seconds: f64, weight: f64, at: Timestamp) -> f64 {
        let state = &mut self.links[link.index()];
        let class = usize::from(state.class);
        let mut ratio = seconds / (prior(RoadClass::ALL[class]) * f64::from(state.free_s));
        for (estimate, config) in [
            (&mut self.overall, &OVERALL),
            (&mut self.classes[class], &CLASS),
            (&mut self.hours[class][at.hour() as usize], &HOUR),
            (&mut state.usual, &USUAL),
            (&mut self.city, &CITY),
            (&mut self.areas[state.area as usize], &AREA),
            (&mut self.streets[state.street as usize], &STREET),
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

impl streets::Costs for LinkCosts<'_> {
    fn link(&self, link: LinkId) -> f64 {
        let cell = &self.cached.links[link.index()];
        let (version, price) = cell.get();
        if version == self.cached.version {
            return f64::from(price);
        }
        let (model, at) = (self.model, self.at);
        let state = &model.links[link.index()];
        let price = f64::from(state.free_s)
            * self.cached.classes[usize::from(state.class)]
            * state.usual.ratio(at, &USUAL)
            * model.areas[state.area as usize].ratio(at, &AREA)
            * model.streets[state.street as usize].ratio(at, &STREET)
            * state.live.ratio(at, &LIVE);
        cell.set((self.cached.version, price as f32));
        f64::from(price as f32)
    }

    fn turn(&self, from: LinkId, into: LinkId) -> f64 {
        if self.model.map.are_twins(from, into) { U_TURN_S } else { 0.0 }
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

/// Numbers things in the order in which they are first met.
#[derive(Debug)]
struct Rows<K>(HashMap<K, u32>);

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: std::hash::Hash + Eq> Rows<K> {
    fn row(&mut self, key: K) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(key).or_insert(next)
    }
}

/// A street is what has one name; without a name, one way of the source, and
/// without that, the link and its twin.
fn street_of(map: &Map, link: LinkId) -> (String, i64, u32) {
    match (map.name(link), map.osm_way_id(link)) {
        (Some(name), _) => (name.to_owned(), 0, 0),
        (None, 0) => (String::new(), 0, map.twin(link).map_or(link.0, |twin| twin.0.min(link.0)) + 1),
        (None, way) => (String::new(), way, 0),
    }
}

/// The square of the map that the middle of a link is in.
fn area_of(map: &Map, link: LinkId) -> (i32, i32) {
    let middle = map.place_at(link, map.link(link).length_m / 2.0);
    let per_degree = 111_195.0;
    // One latitude for the whole map, so that the squares of a column have one width.
    let north = f64::midpoint(map.bounds().south, map.bounds().north);
    let per_degree_east = per_degree * north.to_radians().cos().max(0.01);
    ((middle.lat * per_degree / AREA_M) as i32, (middle.lon * per_degree_east / AREA_M) as i32)
}

fn straight_ahead(map: &Map, link: LinkId) -> u32 {
    let next = map.leaving(map.link(link).to).iter().copied();
    straightest(next.filter(|&next| next != link).map(|next| (map.turn_deg(link, next).abs(), next)))
}

fn straight_behind(map: &Map, link: LinkId) -> u32 {
    let before = map.arriving(map.link(link).from).iter().copied();
    straightest(
        before.filter(|&before| before != link).map(|before| (map.turn_deg(before, link).abs(), before)),
    )
}

fn straightest(turns: impl Iterator<Item = (f64, LinkId)>) -> u32 {
    let straight = turns.filter(|&(turn, _)| turn < STRAIGHT_DEG);
    straight.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map_or(NONE, |(_, link)| link.0)
}

/// Two decimals are more than the accuracy of a speed.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
