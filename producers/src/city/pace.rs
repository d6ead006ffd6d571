//! The hidden truth: how long each link takes, when.
//!
//! The seconds for a link are its free-flow seconds times a slowdown that is the product of
//! - its **character**, which never changes: some streets are full of potholes, lorries and people
//!   looking for a place to park;
//! - the **hour**: rush hours, strongest on the main roads, towards the centre in the morning and
//!   out of it in the evening;
//! - a slow random **drift** of its street, its part of town, and the whole city, which nothing
//!   predicts.
//!
//! Incidents come on top, see [`incidents`](super::incidents).
//!
//! # Simplifications
//! - No weather and no holidays: all weekdays are alike.

use std::collections::HashMap;

use streets::{LinkId, Map, RoadClass};

use super::config::CityConfig;
use super::demand::Demand;
use super::noise::{Purpose, drift, hash, normal};

/// Standard deviations (of logarithms) and the times over which a drift decorrelates.
const STREET_CHARACTER: f64 = 0.22;
const LINK_CHARACTER: f64 = 0.10;
const STREET_DRIFT: (f64, f64) = (0.45, 45.0 * 60.0);
const AREA_DRIFT: (f64, f64) = (0.42, 60.0 * 60.0);
const CITY_DRIFT: (f64, f64) = (0.20, 120.0 * 60.0);

/// The seconds of an ordinary empty street relative to those at its limit.
const ORDINARY: f64 = 0.95;

/// Parts of town are squares of this many degrees, about 1.5 km.
const AREA_DEG: f64 = 0.014;

#[derive(Debug)]
pub(super) struct Pace {
    seed: u64,
    utc_offset_s: f64,
    links: Vec<LinkPace>,
    /// For each minute of a day, how strong the morning, the middle of the day and the evening are.
    curve: Vec<[f32; 3]>,
}

#[derive(Debug)]
struct LinkPace {
    /// Seconds on an empty road, character included.
    calm_s: f32,
    /// How much the rush hours matter here.
    rush: f32,
    /// 1 for a link towards the centre, −1 for one out of it.
    inbound: f32,
    street: u32,
    area: u32,
}

impl Pace {
    pub(super) fn new(config: &CityConfig, map: &Map, demand: &Demand) -> Pace {
        let mut streets = HashMap::new();
        let mut areas = HashMap::new();
        let links = map.link_ids().map(|id| {
            let link = map.link(id);
            let middle = map.place_at(id, link.length_m / 2.0);
            // A street is its name, and its OpenStreetMap way where it has none.
            let next = streets.len() as u32;
            let named = (map.name(id), if map.name(id).is_none() { map.osm_way_id(id) } else { 0 });
            let street = *streets.entry(named).or_insert(next);
            let next = areas.len() as u32;
            let square = ((middle.lat / AREA_DEG) as i32, (middle.lon / AREA_DEG) as i32);
            let area = *areas.entry(square).or_insert(next);

            let (lat, lon) = demand.centre();
            let to_centre = streets::bearing_deg(middle.lat, middle.lon, lat, lon);
            let character = ORDINARY
                * (STREET_CHARACTER
                    * normal(hash(config.seed, Purpose::StreetCharacter, u64::from(street), 0))
                    + LINK_CHARACTER * normal(hash(config.seed, Purpose::LinkCharacter, u64::from(id.0), 0)))
                .exp();
            let rush = match link.class {
                RoadClass::Motorway | RoadClass::Trunk => 0.6,
                RoadClass::Primary | RoadClass::Secondary => 0.7,
                RoadClass::Tertiary => 0.5,
                _ => 0.2,
            };
            let rush = rush
                * (0.3 * normal(hash(config.seed, Purpose::StreetCharacter, u64::from(street), 1))).exp();
            LinkPace {
                calm_s: (link.length_m / map.free_flow_mps(id) * character) as f32,
                rush: rush as f32,
                inbound: (to_centre - middle.heading_deg).to_radians().cos() as f32,
                street,
                area,
            }
        });
        Pace {
            seed: config.seed,
            utc_offset_s: config.utc_offset_h * 3600.0,
            links: links.collect(),
            curve: curve(),
        }
    }

    /// Which street the link is a part of.
    pub(super) fn street(&self, link: LinkId) -> u64 {
        u64::from(self.links[link.index()].street)
    }

    /// The usual seconds for the link at any hour, as drivers know it.
    pub(super) fn usual_s(&self, link: LinkId) -> f64 {
        f64::from(self.links[link.index()].calm_s * (1.0 + 0.3 * self.links[link.index()].rush))
    }

    /// Seconds for the link when it is entered at `t` (seconds since 1970)
    /// and nothing has happened.
    pub(super) fn expected_s(&self, link: LinkId, t: f64) -> f64 {
        let link = &self.links[link.index()];
        let drifts = self.drift(Purpose::StreetDrift, link.street, STREET_DRIFT, t)
            + self.drift(Purpose::AreaDrift, link.area, AREA_DRIFT, t)
            + self.drift(Purpose::CityDrift, 0, CITY_DRIFT, t);
        f64::from(link.calm_s) * (self.rush_hour(link, t) * drifts.exp()).max(0.7)
    }

    fn drift(&self, purpose: Purpose, id: u32, (deviation, period_s): (f64, f64), t: f64) -> f64 {
        deviation * drift(self.seed, purpose, u64::from(id), t, period_s)
    }

    fn rush_hour(&self, link: &LinkPace, t: f64) -> f64 {
        let local = t + self.utc_offset_s;
        let minute = (local.rem_euclid(86_400.0) / 60.0) as usize;
        let [morning, midday, evening] = self.curve[minute.min(1439)];
        // 1970-01-01 was a Thursday.
        let weekend = ((local / 86_400.0).floor() as i64 + 3).rem_euclid(7) >= 5;
        let busy = morning * (1.0 + 0.6 * link.inbound) + midday + evening * (1.0 - 0.6 * link.inbound);
        1.0 + f64::from(link.rush * busy) * if weekend { 0.5 } else { 1.0 }
    }
}

/// Bells around 8:00, 13:30 and 18:30.
fn curve() -> Vec<[f32; 3]> {
    let bell = |hour: f64, middle: f64, width: f64| (-((hour - middle) / width).powi(2) / 2.0).exp();
    (0..1440)
        .map(|minute| {
            let hour = f64::from(minute) / 60.0;
            [1.3 * bell(hour, 8.0, 0.8), 0.6 * bell(hour, 13.5, 1.6), 1.4 * bell(hour, 18.5, 1.2)]
                .map(|part| part as f32)
        })
        .collect()
}
