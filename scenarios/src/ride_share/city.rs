//! The city as its topics tell it: who is where, how fast the roads are, and when some trips will
//! end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dashboard::{
    City, CityMap, FollowedCase, Incident, LinkSpeed, Snapshot, Street, StreetClass, Vehicle, VehicleKind,
};
use events::{Event, SimulationTruth, Timestamp};
use streets::{Map, RoadClass};

use super::delayed::DelayedTrip;
use super::trips::TripsView;
use crate::clock::SimulatedClock;
use crate::view::{CaseClock, PaneSource, View};

/// A vehicle that is silent for so long, in event time, is off the road.
const SILENT_MS: i64 = 120_000;
/// A speed that is older than this says nothing about now.
const SPEED_MS: i64 = 30 * 60_000;
/// Share of the points of all streets that may lie outside the picture on each side.
const OUTSKIRTS: f64 = 0.02;

/// What is known of the city.
#[derive(Debug)]
pub(super) struct CityView {
    map: Arc<Map>,
    now: Option<Timestamp>,
    vehicles: HashMap<String, (Timestamp, Vehicle)>,
    speeds: BTreeMap<u32, (Timestamp, f64)>,
    /// When streets were last forgotten, in wall-clock time.
    swept_ms: Option<i64>,
    trips: TripsView,
    delayed: DelayedTrip,
    incidents: BTreeMap<String, (Timestamp, Incident)>,
}

impl CityView {
    pub(super) fn new(map: Arc<Map>) -> Self {
        Self {
            map,
            now: None,
            vehicles: HashMap::new(),
            speeds: BTreeMap::new(),
            swept_ms: None,
            trips: TripsView::default(),
            delayed: DelayedTrip::default(),
            incidents: BTreeMap::new(),
        }
    }

    fn place(
        &mut self,
        id: &str,
        kind: VehicleKind,
        ts: Timestamp,
        at: (f64, f64),
        heading_deg: Option<f64>,
    ) {
        if let Some((newest, vehicle)) = self.vehicles.get_mut(id) {
            if ts >= *newest {
                *newest = ts;
                vehicle.at = at;
                vehicle.heading_deg = heading_deg.or(vehicle.heading_deg);
            }
        } else {
            let vehicle = Vehicle { id: id.to_owned(), kind, at, heading_deg, trip_id: None };
            self.vehicles.insert(id.to_owned(), (ts, vehicle));
        }
    }

    /// Everything as it is at the wall-clock time `wall_ms`; what has gone quiet is forgotten. None
    /// before the first position.
    fn shown(&mut self, wall_ms: i64) -> Option<City> {
        let now = self.now?;
        // Thousands of streets: to look through all of them as often as they are drawn is most of
        // what a picture costs.
        if self.swept_ms.is_none_or(|swept| wall_ms.abs_diff(swept) >= 1_000) {
            self.swept_ms = Some(wall_ms);
            self.speeds.retain(|_, (ts, _)| now.since_ms(*ts) < SPEED_MS);
        }
        self.vehicles.retain(|_, (ts, _)| now.since_ms(*ts) < SILENT_MS);
        self.incidents.retain(|_, (until, _)| *until > now);
        let mut vehicles: Vec<Vehicle> = self.vehicles.values().map(|(_, vehicle)| vehicle.clone()).collect();
        vehicles.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.delayed.choose(&self.trips, now, wall_ms);
        let place = |driver: &str| self.vehicles.get(driver).map(|(_, vehicle)| vehicle.at);
        let trips = self.trips.shown(&self.map, (now, wall_ms), self.delayed.trip_id(), place);
        Some(City {
            speeds: self
                .speeds
                .iter()
                .map(|(&link, &(_, of_free_flow))| LinkSpeed { link, of_free_flow })
                .collect(),
            incidents: self
                .incidents
                .values()
                .map(|(until, incident)| Incident {
                    remaining_s: Some(until.since_seconds(now)),
                    ..incident.clone()
                })
                .collect(),
            trips,
            arrivals: self.trips.arrivals(),
            trips_under_way: Some(self.trips.under_way()),
            vehicles,
        })
    }
}

impl View for CityView {
    fn observe(&mut self, event: &Event, wall_ms: i64, _clock: Option<&SimulatedClock>) {
        self.trips.observe(event, wall_ms);
        if let Event::DriverLocations(ping) = event {
            self.now = self.now.max(Some(ping.ts));
            self.place(&ping.driver_id, VehicleKind::Car, ping.ts, (ping.lon, ping.lat), ping.heading_deg);
            let (_, vehicle) = self.vehicles.get_mut(&ping.driver_id).expect("it was placed a line above");
            if vehicle.trip_id != ping.trip_id {
                vehicle.trip_id.clone_from(&ping.trip_id);
            }
        } else if let Event::TruckGpsCoordinates(ping) = event {
            self.now = self.now.max(Some(ping.ts));
            self.place(&ping.truck_id, VehicleKind::Lorry, ping.ts, (ping.lon, ping.lat), ping.heading_deg);
        } else if let Event::Traffic(traffic) = event {
            if let Some(link) = self.map.link_of_key(&traffic.link_id) {
                let of_free_flow = traffic.speed_mps / traffic.free_flow_mps;
                if of_free_flow.is_finite() {
                    self.speeds.insert(link.0, (traffic.ts, of_free_flow));
                }
            }
        } else if let Event::SimulationTruth(SimulationTruth::Incident {
            id, link_ids, until, text, ..
        }) = event
        {
            let link = link_ids.get(link_ids.len() / 2).and_then(|key| self.map.link_of_key(key));
            if let Some(link) = link {
                let place = self.map.place_at(link, 0.0);
                let incident = Incident { at: (place.lon, place.lat), what: text.clone(), remaining_s: None };
                self.incidents.insert(id.clone(), (*until, incident));
            }
        }
    }

    fn case(&self, clock: &CaseClock) -> FollowedCase {
        self.delayed.case(&self.trips, clock)
    }

    fn show(&mut self, pane: &PaneSource<'_>, snapshot: &mut Snapshot) {
        snapshot.city = pane.sourced(self.shown(pane.seen_ms()));
    }
}

/// The streets as the dashboard draws them: link numbers are indices there too.
pub fn city_map(map: &Map) -> CityMap {
    let streets: Vec<Street> = map
        .link_ids()
        .map(|link| Street {
            class: match map.link(link).class {
                RoadClass::Motorway | RoadClass::Trunk | RoadClass::Primary => StreetClass::Arterial,
                RoadClass::Secondary | RoadClass::Tertiary => StreetClass::Collector,
                RoadClass::Unknown
                | RoadClass::Unclassified
                | RoadClass::Residential
                | RoadClass::LivingStreet
                | RoadClass::Service => StreetClass::Local,
            },
            line: map.shape(link).map(|(lat, lon)| (lon, lat)).collect(),
        })
        .collect();
    let points = || streets.iter().flat_map(|street| &street.line);
    let west_east = middle_of(points().map(|&(lon, _)| lon).collect());
    let south_north = middle_of(points().map(|&(_, lat)| lat).collect());
    let bounds = [(west_east.0, south_north.0), (west_east.1, south_north.1)];
    CityMap { name: String::new(), attribution: map.attribution().to_owned(), bounds, streets }
}

/// From where to where most of some coordinates lie. A few roads lead far out of every town; a
/// screen has its dots for where the streets are close together, which is where people drive.
fn middle_of(mut degrees: Vec<f64>) -> (f64, f64) {
    degrees.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let last = degrees.len().saturating_sub(1);
        degrees.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
    };
    (at(OUTSKIRTS), at(1.0 - OUTSKIRTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_is_for_the_town_and_not_for_the_road_out_of_it() {
        let town = (0..1000).map(|at| f64::from(at) / 1000.0);
        let (west, east) = middle_of(town.chain((0..10).map(|at| 1.0 + f64::from(at))).collect());
        assert!(west < 0.05 && (0.95..1.0).contains(&east), "{west} to {east}");
        assert!(middle_of(Vec::new()).0.is_nan(), "no street, no place");
    }
}
