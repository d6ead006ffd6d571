//! How long each link takes now, and how long it will take when one gets there.
//!
//! A city has tens of thousands of links, and even a large fleet drives most of them less than once
//! in ten minutes. So the belief about one link is a chain of ratios, from what is known best to
//! what is known latest, each a [`Level`] that says by what factor reality differs from what the
//! levels before it expect:
//!
//! ```text
//! seconds = length / free-flow speed      the map
//!         × prior                         town streets take half as long again, anywhere
//!         × overall × class × class-hour  learnt from everybody: streets like this, at this hour
//!         × usual                         learnt over days: this link
//!         × city × area × street          learnt within an hour: the weather, this avenue
//!         × live                          learnt within minutes: this link, and those next to it
//! ```
//!
//! Where nothing was seen lately the last levels have glided back to 1, and where nothing was ever
//! seen `usual` is 1, so the chain decays to its prior by itself. Asked for a time in the future it
//! answers with what will be left by then.
//!
//! What is observed is the *traversal*, not the ping: at one ping a second a hundred pings would
//! repeat one traffic light. A traversal is first divided by the habit of its driver (a lorry is
//! slower than a taxi on the same street), then clipped to a few times what is believed, so that
//! one car that stopped for coffee moves little. A level moves towards the *mean* ratio (the score
//! of a gamma regression with a logarithmic link), because it is means that add up along a route.
//! Short links count less: on them a traffic light is most of the time.
//!
//! # Simplifications
//! - Traffic lights and turns have no delay of their own: it is in the pace of the link that leads
//!   to them. With one traversal a link and minute or less the two can hardly be told apart, and a
//!   route needs their sum.
//! - The hour of the day is UTC and all days are alike.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events::{RoadTraversal, Timestamp, Traffic};
use hashbrown::HashMap;
use streets::{LinkId, Map, RoadClass};

use super::level::{Habit, Level};
use super::vehicles::Vehicles;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;
/// All roads together: a few traversals are enough to see that nobody drives at the limit.
const OVERALL: Habit = Habit { half_life_s: DAY_S, prior: 3.0, most: 5000.0 };
const CLASS: Habit = Habit { half_life_s: 3.0 * DAY_S, prior: 20.0, most: 5000.0 };
const HOUR: Habit = Habit { half_life_s: 7.0 * DAY_S, prior: 40.0, most: 2000.0 };
const USUAL: Habit = Habit { half_life_s: 3.0 * DAY_S, prior: 3.0, most: 60.0 };
const CITY: Habit = Habit { half_life_s: 3600.0, prior: 30.0, most: 200.0 };
const AREA: Habit = Habit { half_life_s: 1800.0, prior: 4.0, most: 20.0 };
const STREET: Habit = Habit { half_life_s: 1200.0, prior: 3.0, most: 10.0 };
const LIVE: Habit = Habit { half_life_s: 480.0, prior: 1.5, most: 4.0 };

/// What a street in a town takes, by its limit, before anybody has driven it: signals, turns and
/// others cost about half of the time again, wherever one looks; much less on roads without
/// crossings.
const PRIOR: f64 = 1.5;
const PRIOR_WITHOUT_CROSSINGS: f64 = 1.15;
/// What routes are searched by is computed anew so often, in event time: a search looks at
/// thousands of links, and which way is best changes in minutes.
const PRICE_EVERY_MS: i64 = 60_000;

/// An observation further than this factor from what is believed counts as if it were just so far.
const CLIP: f64 = 4.0;
/// A link of this length counts half as much as a very long one.
const HALF_WEIGHT_M: f64 = 60.0;
/// What an observation counts on the links straight ahead and straight behind: a queue does not
/// stop at a corner.
const NEIGHBOUR_WEIGHTS: [f64; 2] = [0.5, 0.25];
/// Parts of town are squares of about this size.
const AREA_M: f64 = 1000.0;
/// A continuation turns by less than this.
const STRAIGHT_DEG: f64 = 45.0;
/// A belief is announced when it has changed by this share …
const ANNOUNCE_CHANGE: f64 = 0.05;
/// … or when the last announcement is so old, but …
const ANNOUNCE_AFTER_MS: i64 = 60_000;
/// … not more often than this.
const ANNOUNCE_SPACING_MS: i64 = 5_000;
/// The speed that is believed is never below a crawl: a closed road has no ETA.
const SLOWEST_MPS: f64 = 0.2;
const NONE: u32 = u32::MAX;

/// What is believed about every link of a map. Its state is bounded by the number of links and of
/// vehicles.
#[derive(Clone, Debug)]
pub(crate) struct TrafficModel {
    map: Arc<Map>,
    links: Vec<Belief>,
    /// The link straight ahead of each link, and straight behind: what never changes is shared by
    /// all copies.
    straight: Arc<[[u32; 2]]>,
    overall: Level,
    classes: [Level; CLASSES],
    hours: [[Level; 24]; CLASSES],
    city: Level,
    areas: Vec<Level>,
    streets: Vec<Level>,
    vehicles: Vehicles,
    prices: Prices,
}

/// What each link costs who searches a way, computed when it is first asked for.
#[derive(Debug)]
struct Prices(Mutex<Priced>);

#[derive(Debug, Default)]
struct Priced {
    at: Option<Timestamp>,
    /// The number of the present prices; a link's price of another number is outdated.
    number: u32,
    links: Vec<Cell<(u32, f32)>>,
    classes: [f64; CLASSES],
}

/// A copy of a model makes its own prices.
impl Clone for Prices {
    fn clone(&self) -> Self {
        Self(Mutex::default())
    }
}

const CLASSES: usize = streets::RoadClass::ALL.len();

#[derive(Clone, Copy, Debug)]
struct Belief {
    /// Seconds at the map's free-flow speed.
    free_s: f32,
    class: u8,
    area: u32,
    street: u32,
    usual: Level,
    live: Level,
    announced_mps: f32,
    announced_ms: i64,
}

impl TrafficModel {
    /// A model that has seen nothing: every link at its free-flow speed.
    pub(crate) fn new(map: Arc<Map>) -> Self {
        let (mut areas, mut streets) = (Rows::default(), Rows::default());
        let links: Vec<Belief> = map
            .link_ids()
            .map(|id| {
                let link = map.link(id);
                Belief {
                    free_s: (link.length_m / map.free_flow_mps(id)) as f32,
                    class: link.class as u8,
                    area: areas.row(area_of(&map, id)),
                    street: streets.row(street_of(&map, id)),
                    usual: Level::default(),
                    live: Level::default(),
                    announced_mps: 0.0,
                    announced_ms: i64::MIN / 2,
                }
            })
            .collect();
        let straight =
            map.link_ids().map(|id| [straight_ahead(&map, id), straight_behind(&map, id)]).collect();
        Self {
            map,
            links,
            straight,
            overall: Level::default(),
            classes: [Level::default(); CLASSES],
            hours: [[Level::default(); 24]; CLASSES],
            city: Level::default(),
            areas: vec![Level::default(); areas.0.len()],
            streets: vec![Level::default(); streets.0.len()],
            vehicles: Vehicles::default(),
            prices: Prices(Mutex::default()),
        }
    }

    /// The seconds that an average driver is expected to need for `link` if they come onto it at
    /// `entering`.
    pub(crate) fn seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let belief = &self.links[link.index()];
        self.usual_seconds(link, entering)
            * self.city.ratio(entering, &CITY)
            * self.areas[belief.area as usize].ratio(entering, &AREA)
            * self.streets[belief.street as usize].ratio(entering, &STREET)
            * belief.live.ratio(entering, &LIVE)
    }

    /// The same for somebody who knows nothing of the last hour.
    pub(crate) fn usual_seconds(&self, link: LinkId, entering: Timestamp) -> f64 {
        let belief = &self.links[link.index()];
        f64::from(belief.free_s)
            * self.class_ratio(usize::from(belief.class), entering)
            * belief.usual.ratio(entering, &USUAL)
    }

    /// The costs of all links for a driver who comes onto them at about `at`: what a route is
    /// searched by.
    pub(crate) fn costs(&self, at: Timestamp) -> LinkCosts<'_> {
        let mut priced = self.prices.0.lock().unwrap_or_else(PoisonError::into_inner);
        if priced.at.is_none_or(|before| at.since_ms(before).abs() >= PRICE_EVERY_MS) {
            priced.at = Some(at);
            priced.number = priced.number.wrapping_add(1).max(1);
            priced.links.resize(self.links.len(), Cell::new((0, 0.0)));
            priced.classes =
                std::array::from_fn(|class| self.class_ratio(class, at) * self.city.ratio(at, &CITY));
        }
        let at = priced.at.unwrap_or(at);
        LinkCosts { model: self, at, priced }
    }

    /// By what factor this driver is slower than others.
    pub(crate) fn vehicle_ratio(&self, vehicle: &str, at: Timestamp) -> f64 {
        self.vehicles.ratio(vehicle, at)
    }

    /// Learns from one traversal, and appends the links whose belief it touched to `touched`.
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
        let believed_s = self.seconds(link, at);
        let weight = self.weight_of(link);
        let driver = self.vehicle_ratio(vehicle, at);
        self.learn_vehicle(link, vehicle, seconds / believed_s, at);
        let seconds = (seconds / driver).clamp(believed_s / CLIP, believed_s * CLIP);
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

    /// Learns from one traversal what kind of driver this is, and nothing of the road.
    pub(crate) fn observe_vehicle(&mut self, link: LinkId, vehicle: &str, seconds: f64, at: Timestamp) {
        if seconds.is_finite() && seconds > 0.0 {
            self.learn_vehicle(link, vehicle, seconds / self.seconds(link, at), at);
        }
    }

    /// It took `ratio` times as long as was believed.
    fn learn_vehicle(&mut self, link: LinkId, vehicle: &str, ratio: f64, at: Timestamp) {
        self.vehicles.learn(vehicle, ratio.clamp(1.0 / CLIP, CLIP), self.weight_of(link), at);
    }

    /// Learns that a vehicle has been on a link for so long and is still there: a lower bound,
    /// without which a jam would be known only once it has dissolved. It says nothing while the
    /// time is no longer than expected.
    pub(crate) fn observe_waiting(
        &mut self,
        link: LinkId,
        vehicle: &str,
        seconds: f64,
        at: Timestamp,
    ) -> bool {
        let believed_s = self.seconds(link, at);
        let seconds = (seconds / self.vehicle_ratio(vehicle, at)).min(believed_s * CLIP);
        if !seconds.is_finite() || seconds <= believed_s * 1.5 {
            return false;
        }
        let weight = self.weight_of(link) * 0.3;
        let live = &mut self.links[link.index()].live;
        let ratio = seconds / (believed_s / live.ratio(at, &LIVE));
        live.observe(ratio, weight, at, &LIVE);
        true
    }

    /// Takes over what another model believes about a link, as it was announced.
    pub(crate) fn believe(&mut self, announced: &Traffic) -> bool {
        let Some(link) = self.map.link_of_key(&announced.link_id) else {
            return false;
        };
        let at = announced.ts;
        let seconds = self.map.link(link).length_m / announced.speed_mps.max(SLOWEST_MPS);
        let believed_s = self.seconds(link, at);
        // An announcement rests on several traversals and repeats some of them, so it counts as
        // about half of one.
        let weight = 0.5 * self.weight_of(link) * announced.samples.min(1.0);
        self.learn_around(link, seconds.clamp(believed_s / CLIP, believed_s * CLIP), weight, at);

        let base_s = self.seconds(link, at) / self.links[link.index()].live.ratio(at, &LIVE);
        let samples = announced.samples.min(LIVE.most);
        // The announced speed was drawn to the prior once: draw it away again, or it would be drawn
        // twice.
        let ratio = if samples > 0.0 {
            ((seconds / base_s) * (samples + LIVE.prior) - LIVE.prior) / samples
        } else {
            1.0
        };
        self.links[link.index()].live = Level::of(ratio.max(0.1), samples, at);
        true
    }

    /// What is to be announced about a link at `at`, if it is news.
    pub(crate) fn announce(&mut self, link: LinkId, at: Timestamp) -> Option<Traffic> {
        let length_m = self.map.link(link).length_m;
        let speed_mps = (length_m / self.seconds(link, at)).max(SLOWEST_MPS);
        let belief = &mut self.links[link.index()];
        let silent_ms = at.ms().saturating_sub(belief.announced_ms);
        let change = (speed_mps / f64::from(belief.announced_mps) - 1.0).abs();
        if silent_ms < ANNOUNCE_SPACING_MS || (change < ANNOUNCE_CHANGE && silent_ms < ANNOUNCE_AFTER_MS) {
            return None;
        }
        belief.announced_mps = speed_mps as f32;
        belief.announced_ms = at.ms();
        Some(Traffic {
            ts: at,
            link_id: self.map.link_key(link),
            speed_mps: rounded(speed_mps),
            free_flow_mps: rounded(length_m / f64::from(belief.free_s)),
            samples: rounded(belief.live.weight(at, &LIVE)),
        })
    }

    /// The mean speed that is expected on the roads of this map for want of anything better, in
    /// m/s.
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

    /// Teaches every level but `live`, each against what those before it expect, and gives the
    /// ratio that is left.
    fn learn_around(&mut self, link: LinkId, seconds: f64, weight: f64, at: Timestamp) -> f64 {
        let belief = &mut self.links[link.index()];
        let class = usize::from(belief.class);
        let mut ratio = seconds / (prior(RoadClass::ALL[class]) * f64::from(belief.free_s));
        for (level, habit) in [
            (&mut self.overall, &OVERALL),
            (&mut self.classes[class], &CLASS),
            (&mut self.hours[class][at.hour() as usize], &HOUR),
            (&mut belief.usual, &USUAL),
            (&mut self.city, &CITY),
            (&mut self.areas[belief.area as usize], &AREA),
            (&mut self.streets[belief.street as usize], &STREET),
        ] {
            let expected = level.ratio(at, habit);
            level.observe(ratio, weight, at, habit);
            ratio /= expected;
        }
        ratio
    }
}

/// The costs of all links at one instant, in seconds, with U-turns where the street allows nothing
/// better.
pub(crate) struct LinkCosts<'a> {
    model: &'a TrafficModel,
    at: Timestamp,
    priced: MutexGuard<'a, Priced>,
}

/// Turning round costs what finding a place for it takes.
const U_TURN_S: f64 = 30.0;

impl streets::Costs for LinkCosts<'_> {
    fn link(&self, link: LinkId) -> f64 {
        let cell = &self.priced.links[link.index()];
        let (number, price) = cell.get();
        if number == self.priced.number {
            return f64::from(price);
        }
        let (model, at) = (self.model, self.at);
        let belief = &model.links[link.index()];
        let price = f64::from(belief.free_s)
            * self.priced.classes[usize::from(belief.class)]
            * belief.usual.ratio(at, &USUAL)
            * model.areas[belief.area as usize].ratio(at, &AREA)
            * model.streets[belief.street as usize].ratio(at, &STREET)
            * belief.live.ratio(at, &LIVE);
        cell.set((self.priced.number, price as f32));
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

/// Two decimals are more than anybody knows about a speed.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
