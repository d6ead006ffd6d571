//! A synthetic city.

use super::Lcg;
use dashboard::{
    Arrival, BatchEta, City, CityMap, Incident, LinkSpeed, StreamEta, Street, StreetClass, Trip, Vehicle,
    VehicleKind,
};

const SIDE: usize = 26;
const ORIGIN: (f64, f64) = (-71.36, -30.0);
const BLOCK: (f64, f64) = (0.0052, 0.0046);

/// A synthetic city on a bay: a bent grid, avenues every fifth street, a road along the coast, a
/// river with three bridges.
pub fn city_map() -> CityMap {
    let mut dice = Lcg(7);
    let mut corner = vec![[(0.0, 0.0); SIDE + 1]; SIDE + 1];
    for (row, line) in corner.iter_mut().enumerate() {
        for (column, place) in line.iter_mut().enumerate() {
            let (x, y) = (column as f64, row as f64);
            let bend = (y / 9.0).sin() * 1.6 + dice.between(-0.14, 0.14);
            let rise = (x / 8.0).sin() * 1.1 + dice.between(-0.14, 0.14);
            *place = (ORIGIN.0 + (x + bend) * BLOCK.0, ORIGIN.1 + (y + rise) * BLOCK.1);
        }
    }
    // The bay cuts the north-west off, a river runs from the east to the sea.
    let land = |row: usize, column: usize| {
        let (x, y) = (column as f64, row as f64);
        (x - 2.0).powi(2) / 60.0 + (y - 21.0).powi(2) / 110.0 > 1.0
    };
    let wet = |row: usize, column: usize| {
        let river = 9.0 + (column as f64 / 4.0).sin() * 1.2;
        (row as f64 - river).abs() < 0.7 && ![8, 15, 22].contains(&column)
    };
    let mut streets = Vec::new();
    for row in 0..=SIDE {
        for column in 0..=SIDE {
            let class = |avenue: bool, important: bool| match (avenue, important) {
                (true, _) => StreetClass::Arterial,
                (false, true) => StreetClass::Collector,
                _ => StreetClass::Local,
            };
            let mut link = |to: (usize, usize), class| {
                if land(row, column) && land(to.0, to.1) && !wet(row, column) && !wet(to.0, to.1) {
                    streets.push(Street { class, line: vec![corner[row][column], corner[to.0][to.1]] });
                }
            };
            if column < SIDE {
                link((row, column + 1), class(row % 5 == 1, row % 5 == 3));
            }
            if row < SIDE {
                link((row + 1, column), class(column % 7 == 1, column % 7 == 4));
            }
        }
    }
    // The road along the bay.
    let coast: Vec<(f64, f64)> = (0..=40)
        .map(|at| {
            let angle = f64::from(at) / 40.0 * 2.6 - 1.35;
            let (x, y) = (2.6 + angle.cos() * 8.4, 21.0 + angle.sin() * 11.2);
            (ORIGIN.0 + x * BLOCK.0, ORIGIN.1 + y * BLOCK.1)
        })
        .collect();
    streets.extend(coast.windows(2).map(|pair| Street { class: StreetClass::Arterial, line: pair.to_vec() }));
    CityMap {
        name: "sample bay".into(),
        attribution: "made-up streets".into(),
        bounds: [
            (ORIGIN.0 - 0.004, ORIGIN.1 - 0.004),
            (ORIGIN.0 + 27.5 * BLOCK.0, ORIGIN.1 + 27.0 * BLOCK.1),
        ],
        streets,
    }
}

pub(super) fn city(step: u64) -> City {
    let map = city_map();
    let mut dice = Lcg(23);
    let jammed = |at: (f64, f64), middle: (f64, f64), reach: f64| {
        ((at.0 - middle.0) / BLOCK.0).hypot((at.1 - middle.1) / BLOCK.1) < reach
    };
    let crash = (ORIGIN.0 + 15.8 * BLOCK.0, ORIGIN.1 + 12.2 * BLOCK.1);
    let works = (ORIGIN.0 + 20.0 * BLOCK.0, ORIGIN.1 + 19.4 * BLOCK.1);
    let mut speeds = Vec::new();
    for (link, street) in map.streets.iter().enumerate() {
        let known = street.class != StreetClass::Local || dice.roll() < 0.4;
        let at = street.line[0];
        let of_free_flow = if jammed(at, crash, 2.6) {
            dice.between(0.12, 0.38)
        } else if jammed(at, crash, 5.0) || jammed(at, works, 2.4) {
            dice.between(0.42, 0.68)
        } else {
            dice.between(0.74, 1.05)
        };
        if known {
            speeds.push(LinkSpeed { link: link as u32, of_free_flow });
        }
    }
    let mut vehicles: Vec<Vehicle> = Vec::new();
    for at in 0..150 {
        let street = &map.streets[dice.below(map.streets.len())];
        let (from, to) = (street.line[0], street.line[1]);
        let part = (dice.roll() + step as f64 * 0.02).fract();
        let heading = ((to.0 - from.0) / BLOCK.0).atan2((to.1 - from.1) / BLOCK.1).to_degrees();
        vehicles.push(Vehicle {
            id: format!("driver-{at}"),
            kind: if at % 18 == 5 { VehicleKind::Lorry } else { VehicleKind::Car },
            at: (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part),
            heading_deg: Some(heading),
            trip_id: (at % 5 < 2).then(|| format!("trip-{at}")),
        });
    }
    let corner = |column: f64, row: f64| {
        let (bend, rise) = ((row / 9.0).sin() * 1.6, (column / 8.0).sin() * 1.1);
        (ORIGIN.0 + (column + bend) * BLOCK.0, ORIGIN.1 + (row + rise) * BLOCK.1)
    };
    let mut route: Vec<(f64, f64)> = (0..=6).map(|at| corner(8.0, 3.0 + f64::from(at))).collect();
    route.extend((9..=15).map(|at| corner(f64::from(at), 9.0)));
    route.extend((10..=16).map(|at| corner(15.0, f64::from(at))));
    route.extend((16..=22).map(|at| corner(f64::from(at), 16.0)));
    let trip = |id: &str, driver: &str, seconds: f64| Trip {
        trip_id: id.into(),
        driver_id: driver.into(),
        at: route.first().copied(),
        destination: route.last().copied(),
        route: route.clone(),
        arrived: false,
        stream: Some(StreamEta { remaining_s: seconds, p10_s: seconds - 62.0, p90_s: seconds + 98.0 }),
        batch: Some(BatchEta { remaining_s: seconds + 215.0, age_s: 41.0 * 60.0 }),
        truth_s: None,
    };
    let ended = |id: &str, seconds: f64| Trip {
        at: route.last().copied(),
        route: Vec::new(),
        arrived: true,
        truth_s: Some(seconds + 21.0),
        ..trip(id, "driver-7", seconds)
    };
    let arrival = |id: &str, truth_s, stream_s, batch_s| Arrival {
        trip_id: id.into(),
        truth_s,
        stream_s: Some(stream_s),
        batch_s: Some(batch_s),
    };
    City {
        speeds,
        vehicles,
        incidents: vec![
            Incident { at: crash, what: "crash on Avenida del Mar".into(), remaining_s: Some(11.0 * 60.0) },
            Incident { at: works, what: "closed lane on Calle Larga".into(), remaining_s: Some(8.0 * 60.0) },
        ],
        trips: vec![
            trip("trip-88", "driver-12", 370.0),
            trip("trip-91", "driver-3", 512.0),
            ended("trip-70", 298.0),
        ],
        arrivals: vec![
            arrival("trip-61", 298.0, 310.0, 585.0),
            arrival("trip-64", 412.0, 385.0, 401.0),
            arrival("trip-59", 640.0, 702.0, 334.0),
            arrival("trip-57", 181.0, 176.0, 420.0),
            arrival("trip-52", 505.0, 498.0, 610.0),
        ],
        trips_under_way: Some(61),
    }
}
