//! The city as its topics tell it: who is where, how fast the roads are, and when some trips will end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dashboard::{
    BatchEta, City, CityMap, Incident, LinkSpeed, StreamEta, Street, StreetClass, Trip, Vehicle, VehicleKind,
};
use events::{Event, Place, SimulationTruth, Timestamp, TripKind};
use streets::{Map, RoadClass};

/// A vehicle that is silent for so long, in event time, is off the road.
const SILENT_MS: i64 = 120_000;
/// A speed that is older than this says nothing about now.
const SPEED_MS: i64 = 30 * 60_000;
/// Share of the points of all streets that may lie outside the picture on each side.
const OUTSKIRTS: f64 = 0.02;
/// How many trips a person can choose from.
const TRIPS: usize = 16;

/// What is known of the city.
#[derive(Debug)]
pub(crate) struct CityView {
    map: Arc<Map>,
    now: Option<Timestamp>,
    vehicles: HashMap<String, (Timestamp, Vehicle)>,
    speeds: BTreeMap<u32, (Timestamp, f64)>,
    trips: BTreeMap<String, OpenTrip>,
    incidents: BTreeMap<String, (Timestamp, Incident)>,
}

#[derive(Debug)]
struct OpenTrip {
    requested: Timestamp,
    driver_id: String,
    destination: Place,
    stream: Option<(Timestamp, Timestamp, Timestamp)>,
    batch: Option<(Timestamp, Timestamp)>,
    touched: Timestamp,
}

impl CityView {
    pub(crate) fn new(map: Arc<Map>) -> Self {
        Self {
            map,
            now: None,
            vehicles: HashMap::new(),
            speeds: BTreeMap::new(),
            trips: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    pub(crate) fn observe(&mut self, event: &Event) {
        match event {
            Event::DriverLocations(ping) => {
                self.now = self.now.max(Some(ping.ts));
                self.place(
                    &ping.driver_id,
                    VehicleKind::Car,
                    ping.ts,
                    (ping.lon, ping.lat),
                    ping.heading_deg,
                );
                let (_, vehicle) =
                    self.vehicles.get_mut(&ping.driver_id).expect("it was placed a line above");
                if vehicle.trip_id != ping.trip_id {
                    vehicle.trip_id.clone_from(&ping.trip_id);
                }
                if let Some(trip) = ping.trip_id.as_ref().and_then(|trip| self.trips.get_mut(trip)) {
                    trip.touched = ping.ts;
                }
            }
            Event::TruckGpsCoordinates(ping) => {
                self.now = self.now.max(Some(ping.ts));
                self.place(
                    &ping.truck_id,
                    VehicleKind::Lorry,
                    ping.ts,
                    (ping.lon, ping.lat),
                    ping.heading_deg,
                );
            }
            Event::Traffic(traffic) => {
                if let Some(link) = self.map.link_of_key(&traffic.link_id) {
                    let of_free_flow = traffic.speed_mps / traffic.free_flow_mps;
                    if of_free_flow.is_finite() {
                        self.speeds.insert(link.0, (traffic.ts, of_free_flow));
                    }
                }
            }
            Event::Trips(trip) => match trip.kind {
                TripKind::Requested => {
                    let open = OpenTrip {
                        requested: trip.ts,
                        driver_id: trip.driver_id.clone(),
                        destination: trip.destination,
                        stream: None,
                        batch: None,
                        touched: trip.ts,
                    };
                    self.trips.insert(trip.trip_id.clone(), open);
                }
                TripKind::PickedUp => {}
                TripKind::DroppedOff | TripKind::Cancelled => {
                    self.trips.remove(&trip.trip_id);
                }
            },
            Event::EtaUpdates(answer) => {
                if let Some(trip) = self.trips.get_mut(&answer.trip_id) {
                    trip.stream = Some((answer.eta, answer.p10, answer.p90));
                }
            }
            Event::EtaBatch(batched) => {
                if let Some(trip) = self.trips.get_mut(&batched.answer.trip_id) {
                    trip.batch = Some((batched.answer.eta, batched.valid_from));
                }
            }
            Event::SimulationTruth(SimulationTruth::Incident { id, link_ids, until, text, .. }) => {
                let link = link_ids.get(link_ids.len() / 2).and_then(|key| self.map.link_of_key(key));
                if let Some(link) = link {
                    let place = self.map.place_at(link, 0.0);
                    let incident =
                        Incident { at: (place.lon, place.lat), what: text.clone(), remaining_s: None };
                    self.incidents.insert(id.clone(), (*until, incident));
                }
            }
            _ => {}
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

    /// Everything as it is now; what has gone quiet is forgotten. None before the first position.
    pub(crate) fn shown(&mut self) -> Option<City> {
        let now = self.now?;
        self.vehicles.retain(|_, (ts, _)| now.since_ms(*ts) < SILENT_MS);
        self.speeds.retain(|_, (ts, _)| now.since_ms(*ts) < SPEED_MS);
        self.trips.retain(|_, trip| now.since_ms(trip.touched) < SILENT_MS * 5);
        self.incidents.retain(|_, (until, _)| *until > now);
        let mut vehicles: Vec<Vehicle> = self.vehicles.values().map(|(_, vehicle)| vehicle.clone()).collect();
        vehicles.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut under_way: Vec<(&String, &OpenTrip)> =
            self.trips.iter().filter(|(_, trip)| trip.stream.is_some()).collect();
        under_way.sort_by_key(|(_, trip)| trip.requested);
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
            trips: under_way.iter().take(TRIPS).map(|(id, trip)| self.trip(id, trip, now)).collect(),
            trips_under_way: Some(self.trips.len() as u64),
            vehicles,
        })
    }

    fn trip(&self, id: &str, trip: &OpenTrip, now: Timestamp) -> Trip {
        let at = self.vehicles.get(&trip.driver_id).map(|(_, vehicle)| vehicle.at);
        Trip {
            trip_id: id.to_owned(),
            driver_id: trip.driver_id.clone(),
            at,
            destination: Some((trip.destination.lon, trip.destination.lat)),
            route: Vec::new(),
            stream: trip.stream.map(|(eta, p10, p90)| StreamEta {
                remaining_s: eta.since_seconds(now),
                p10_s: p10.since_seconds(now),
                p90_s: p90.since_seconds(now),
            }),
            batch: trip.batch.map(|(eta, valid_from)| BatchEta {
                remaining_s: eta.since_seconds(now),
                age_s: now.since_seconds(valid_from),
            }),
            truth_s: None,
        }
    }
}

/// The streets as the dashboard draws them: link numbers are indices there too.
pub(crate) fn city_map(map: &Map) -> CityMap {
    let streets: Vec<Street> = map
        .link_ids()
        .map(|link| Street {
            class: match map.link(link).class {
                RoadClass::Motorway | RoadClass::Trunk | RoadClass::Primary => StreetClass::Arterial,
                RoadClass::Secondary | RoadClass::Tertiary => StreetClass::Collector,
                _ => StreetClass::Local,
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

/// From where to where most of some coordinates lie. A few roads lead far out of every town; a screen has its dots for where
/// the streets are close together, which is where people drive.
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
