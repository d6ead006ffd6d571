//! Timestamps in, answers out.

mod answers;
mod batch;
mod foreign;
mod hostile;

use std::sync::OnceLock;

use events::{DriverLocation, EtaUpdate, Event, Place, Timestamp, Trip, TripKind};
use streets::{LinkId, Map, Router, Spot};

use super::*;
use processor::Processor;

const START: &str = "2026-03-03T11:00:00Z";

pub(super) fn map() -> Arc<Map> {
    static MAP: OnceLock<Arc<Map>> = OnceLock::new();
    MAP.get_or_init(|| Arc::new(Map::la_serena())).clone()
}

pub(super) fn at(second: f64) -> Timestamp {
    START.parse::<Timestamp>().unwrap().plus_seconds(second)
}

fn ping(second: f64, driver: &str, trip: Option<&str>, place: Place) -> DriverLocation {
    DriverLocation {
        ts: at(second),
        driver_id: driver.to_owned(),
        trip_id: trip.map(str::to_owned),
        lat: place.lat,
        lon: place.lon,
        speed_mps: None,
        heading_deg: None,
    }
}

fn step(second: f64, trip: &str, driver: &str, kind: TripKind, origin: Place, destination: Place) -> Event {
    Trip {
        ts: at(second),
        trip_id: trip.to_owned(),
        driver_id: driver.to_owned(),
        rider_id: Some("r1".to_owned()),
        kind,
        origin,
        destination,
    }
    .into()
}

/// A drive of some kilometres through the city at 9 m/s: where the car is each second.
fn drive(from: u32, to: u32) -> Vec<Place> {
    let map = map();
    let spot = |link| Spot { link: LinkId(link), offset_m: map.link(LinkId(link)).length_m / 2.0 };
    let costs = streets::FreeFlow { map: &map, u_turn_s: 60.0 };
    let route = Router::new().route(&map, spot(from), spot(to), &costs).expect("there is a way");
    let mut places = Vec::new();
    let (mut row, mut offset_m) = (0, route.start_m);
    while row < route.links.len() {
        let place = map.place_at(route.links[row], offset_m);
        places.push(Place { lat: place.lat, lon: place.lon });
        offset_m += 9.0;
        while row < route.links.len() && offset_m > map.link(route.links[row]).length_m {
            offset_m -= map.link(route.links[row]).length_m;
            row += 1;
        }
    }
    places
}

/// A whole trip: `wait_s` at the kerb, the drive, drop-off 20 s after its end.
fn trip_events(id: &str, driver: &str, start: f64, places: &[Place]) -> Vec<Event> {
    let (origin, destination) = (places[0], places[places.len() - 1]);
    let mut events = vec![step(start, id, driver, TripKind::Requested, origin, destination)];
    for second in 0..30 {
        events.push(ping(start + f64::from(second), driver, Some(id), origin).into());
    }
    events.push(step(start + 30.0, id, driver, TripKind::PickedUp, origin, destination));
    for (second, place) in places.iter().enumerate() {
        events.push(ping(start + 30.0 + second as f64, driver, Some(id), *place).into());
    }
    let arrived = start + 30.0 + places.len() as f64;
    for second in 0..20 {
        events.push(ping(arrived + f64::from(second), driver, Some(id), destination).into());
    }
    events.push(step(arrived + 20.0, id, driver, TripKind::DroppedOff, origin, destination));
    events
}

/// The same way driven `count` times, by another driver each, so many seconds after one another.
fn trips_in_a_row(count: u32, apart_s: f64, places: &[Place]) -> Vec<Event> {
    let trip = |n| trip_events(&format!("t{n}"), &format!("d{n}"), f64::from(n) * apart_s, places);
    (0..count).flat_map(trip).collect()
}

fn answers(processor: &mut dyn Processor, events: &[Event]) -> Vec<Event> {
    let mut answers = Vec::new();
    for event in events {
        processor.process(event, &mut answers);
    }
    processor.finish(&mut answers);
    answers
}

fn updates(answers: &[Event]) -> Vec<&EtaUpdate> {
    answers
        .iter()
        .filter_map(|answer| if let Event::EtaUpdates(update) = answer { Some(update) } else { None })
        .collect()
}

fn count(processor: &dyn Processor, name: &str) -> u64 {
    processor
        .counters()
        .into_iter()
        .find(|(other, _)| *other == name)
        .unwrap_or_else(|| panic!("no {name}"))
        .1
}
