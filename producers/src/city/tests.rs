//! The city measured: is it as real cities are, and is it always the same?

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use events::{DriverLocation, Event, SimulationTruth, Topic, Trip, TripKind};
use streets::{Map, distance_m};

use super::*;

static MAP: LazyLock<Arc<Map>> = LazyLock::new(|| Arc::new(Map::la_serena()));

/// A quiet network and everything else as it comes.
fn config(seed: u64) -> CityConfig {
    CityConfig { seed, map: Arc::clone(&MAP), delivery: Delivery::PERFECT, ..CityConfig::default() }
}

/// What the city says in its first seconds.
fn first(config: CityConfig, seconds: i64) -> Vec<Emission> {
    let end = config.start.plus_ms(seconds * 1000);
    City::new(config).take_while(|emission| emission.at < end).collect()
}

fn pings(emissions: &[Emission]) -> impl Iterator<Item = &DriverLocation> {
    emissions.iter().filter_map(|emission| match &emission.event {
        Event::DriverLocations(ping) => Some(ping),
        _ => None,
    })
}

fn trips(emissions: &[Emission]) -> impl Iterator<Item = &Trip> {
    emissions.iter().filter_map(|emission| match &emission.event {
        Event::Trips(trip) => Some(trip),
        _ => None,
    })
}

fn json(emissions: &[Emission]) -> Vec<u8> {
    let mut json = Vec::new();
    for emission in emissions {
        emission.event.write_json(&mut json);
        json.push(b'\n');
    }
    json
}

#[test]
fn the_same_seed_says_the_same_to_the_byte() {
    let delivery = Delivery::default();
    let run = |seed| json(&first(CityConfig { delivery, ..config(seed) }, 60));
    let (one, again, other) = (run(7), run(7), run(8));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn every_event_keeps_its_contract_and_comes_in_the_order_of_sending() {
    let delivery = Delivery { reordered: 0.05, late: 0.02, duplicated: 0.02 };
    let said = first(CityConfig { delivery, drivers: 60, ..config(3) }, 200);
    assert!(said.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let mut topics = HashSet::new();
    for emission in &said {
        topics.insert(emission.event.topic());
        let read = Event::parse(emission.event.topic(), &emission.event.to_json());
        assert_eq!(read.as_ref(), Ok(&emission.event));
        assert!(emission.event.ts().is_some_and(|ts| ts <= emission.at));
    }
    let wanted = [Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips, Topic::SimulationTruth];
    assert_eq!(topics, HashSet::from(wanted));
    // The knobs of the network do what they say.
    let held = said.iter().filter(|emission| emission.event.ts().is_some_and(|ts| emission.at > ts));
    let held = held.filter(|emission| emission.event.topic() == Topic::DriverLocations).count() as f64;
    let share = held / pings(&said).count() as f64;
    assert!((0.06..0.11).contains(&share), "{share}");
    let mut once = HashSet::new();
    let twice = pings(&said).filter(|ping| !once.insert((ping.ts, ping.driver_id.clone()))).count();
    assert!(twice > 0, "nothing was delivered twice");
}

#[test]
fn another_receiver_leaves_the_streets_as_they_are() {
    let lives = |config| {
        json(
            &first(config, 120)
                .into_iter()
                .filter(|one| {
                    one.event.topic() != Topic::DriverLocations
                        && one.event.topic() != Topic::TruckGpsCoordinates
                })
                .collect::<Vec<_>>(),
        )
    };
    let usual = lives(config(7));
    let blind = Gps { median_m: 40.0, ..Gps::default() };
    assert!(
        usual == lives(CityConfig { gps: blind, tunnels: 40, delivery: Delivery::default(), ..config(7) })
    );
    // And one driver more is one driver more.
    let drivers = |drivers| {
        let said = first(CityConfig { drivers, ..config(7) }, 60);
        pings(&said).filter(|ping| ping.driver_id == "d005").cloned().collect::<Vec<_>>()
    };
    assert_eq!(drivers(10), drivers(11));
}

#[test]
fn everyone_reports_every_second_and_tunnels_are_silent() {
    let quiet = CityConfig { drivers: 30, lorries: 3, tunnels: 0, ..config(5) };
    let said = first(quiet.clone(), 100);
    let mut of_driver: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for ping in pings(&said) {
        of_driver.entry(&ping.driver_id).or_default().push(ping.ts.ms());
    }
    assert_eq!(of_driver.len(), 30);
    for times in of_driver.values() {
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 1000));
        assert_eq!(times.len(), 100);
    }
    let lorries = said.iter().filter(|one| one.event.topic() == Topic::TruckGpsCoordinates).count();
    assert_eq!(lorries, 3 * 100 / 5);
    let dark = first(CityConfig { tunnels: 500, ..quiet }, 100);
    let received = pings(&dark).count();
    assert!(received < 2990 && received > 500, "{received}");
}

/// What the tests know of one trip, from outside and from the truth.
struct Watched {
    quarters: [Timestamp; 4],
    end: Timestamp,
    oracle_s: [f64; 4],
    foresight_s: [f64; 4],
    links: Vec<(streets::LinkId, f64)>,
}

/// All trips of some hours, with the links that were driven and the seconds each took.
fn watched(said: &[Emission]) -> Vec<Watched> {
    let mut links: HashMap<&str, Vec<(Timestamp, streets::LinkId, f64)>> = HashMap::new();
    let mut trips = Vec::new();
    for emission in said {
        match &emission.event {
            Event::SimulationTruth(SimulationTruth::Link { ts, id, link_id, entered }) => {
                let link = MAP.link_of_key(link_id).expect("a link of the map");
                links.entry(id).or_default().push((*ts, link, ts.since_seconds(*entered)));
            }
            Event::SimulationTruth(SimulationTruth::Trip {
                ts,
                driver_id,
                quarters,
                oracle_s,
                foresight_s,
                ..
            }) => {
                let driven = &links[driver_id.as_str()];
                let from = driven.partition_point(|link| link.0 <= quarters[0]);
                let links = driven[from..].iter().map(|link| (link.1, link.2)).collect();
                trips.push(Watched {
                    quarters: *quarters,
                    end: *ts,
                    oracle_s: oracle_s.expect("asked for"),
                    foresight_s: foresight_s.expect("asked for"),
                    links,
                });
            }
            _ => {}
        }
    }
    trips
}

/// The mean absolute error of the best line through (x, y), as a share of the mean y.
fn miss_of_best_line(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mx, my) = (mean(&|p| p.0), mean(&|p| p.1));
    let slope = mean(&|p| (p.0 - mx) * (p.1 - my)) / mean(&|p| (p.0 - mx).powi(2));
    mean(&|p| (my + slope * (p.0 - mx) - p.1).abs()) / my
}

#[test]
fn trips_take_as_long_and_vary_as_much_as_in_real_cities() {
    // A whole day of few drivers: hours differ. Pings are most of the work and say nothing here.
    let said = {
        let config = CityConfig { drivers: 8, lorries: 0, ..config(11) };
        let end = config.start.plus_ms(events::DAY_MS);
        let all = City::new(config).take_while(|emission| emission.at < end);
        all.filter(|emission| emission.event.topic() != Topic::DriverLocations).collect::<Vec<_>>()
    };
    let trips = watched(&said);
    assert!(trips.len() > 300, "{} trips", trips.len());
    let free_s = |trip: &Watched| -> f64 {
        trip.links.iter().map(|&(link, _)| MAP.link(link).length_m / MAP.free_flow_mps(link)).sum()
    };
    let whole: Vec<(f64, f64)> =
        trips.iter().map(|trip| (free_s(trip), trip.end.since_seconds(trip.quarters[0]))).collect();
    let mut ratios: Vec<f64> = whole.iter().map(|(free, took)| took / free).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    assert!((1.5..2.0).contains(&median), "trips take {median} times the free-flow time");
    let mut took: Vec<f64> = whole.iter().map(|trip| trip.1).collect();
    took.sort_by(f64::total_cmp);
    let minutes = took[took.len() / 2] / 60.0;
    assert!((8.0..15.0).contains(&minutes), "the median trip takes {minutes} min");
    // The best line through free-flow times is a static model, well calibrated, and it knows the
    // very route.
    let miss = miss_of_best_line(&whole);
    assert!((0.18..0.32).contains(&miss), "a static model misses by {miss}");
    // Who foresees incidents too is right more often, and never expects to
    // arrive much sooner for it.
    let error = |said: &dyn Fn(&Watched) -> [f64; 4]| -> f64 {
        let of = |trip: &Watched| {
            let left = trip.quarters.map(|at| trip.end.since_seconds(at));
            said(trip).iter().zip(left).map(|(said, left)| (said - left).abs()).sum::<f64>()
        };
        trips.iter().map(of).sum()
    };
    let (oracle, foresight) = (error(&|trip| trip.oracle_s), error(&|trip| trip.foresight_s));
    assert!((0.7 * oracle..oracle).contains(&foresight), "{foresight} s with foresight, {oracle} s without");
    // The oracle is far better, not perfect, and not biased.
    for quarter in 0..4 {
        let rest = |trip: &Watched| trip.end.since_seconds(trip.quarters[quarter]);
        let sum: f64 = trips.iter().map(rest).sum();
        let error: f64 = trips.iter().map(|trip| (trip.oracle_s[quarter] - rest(trip)).abs()).sum();
        let bias: f64 = trips.iter().map(|trip| trip.oracle_s[quarter] - rest(trip)).sum();
        assert!(
            (0.03..0.6 * miss).contains(&(error / sum)),
            "quarter {quarter}: the oracle misses by {}",
            error / sum
        );
        assert!((bias / sum).abs() < 0.03, "quarter {quarter}: the oracle is biased by {}", bias / sum);
    }
}

#[test]
fn positions_err_as_receivers_do() {
    let gps = Gps::default();
    let (lat, lon) = (-29.9, -71.25);
    let mut errors = Vec::new();
    for vehicle in 0..40 {
        let mut receiver = receiver::Receiver::new(7, vehicle, gps, 1.0);
        for _ in 0..2000 {
            let fix = receiver.measure(streets::Position { lat, lon, heading_deg: 0.0 }, 10.0);
            errors.push(distance_m(lat, lon, fix.lat, fix.lon));
        }
    }
    errors.sort_by(f64::total_cmp);
    let quantile = |share: f64| errors[(errors.len() as f64 * share) as usize];
    let (median, most, worst) = (quantile(0.5), quantile(0.95), quantile(0.99));
    assert!((3.5..4.5).contains(&median), "median {median}");
    assert!((15.0..22.0).contains(&most), "95 % within {most}");
    assert!((35.0..60.0).contains(&worst), "1 % beyond {worst}");
}

#[test]
fn a_trip_is_told_in_order_and_its_pings_carry_it() {
    let said = first(CityConfig { drivers: 40, lorries: 0, ..config(2) }, 1500);
    let mut steps: BTreeMap<&str, Vec<TripKind>> = BTreeMap::new();
    for trip in trips(&said) {
        steps.entry(&trip.trip_id).or_default().push(trip.kind);
    }
    let whole = [TripKind::Requested, TripKind::PickedUp, TripKind::DroppedOff];
    let cancelled = [TripKind::Requested, TripKind::Cancelled];
    for (id, steps) in &steps {
        assert!(whole.starts_with(steps) || cancelled.starts_with(steps), "{id}: {steps:?}");
    }
    assert!(steps.values().filter(|steps| **steps == whole).count() > 20);
    assert!(steps.values().any(|steps| **steps == cancelled));

    // A ping carries the trip that its driver is on, by the events before it.
    let mut on: HashMap<&str, &str> = HashMap::new();
    let (mut busy, mut all) = (0, 0);
    for emission in &said {
        match &emission.event {
            Event::Trips(trip) if matches!(trip.kind, TripKind::Requested | TripKind::PickedUp) => {
                on.insert(&trip.driver_id, &trip.trip_id);
            }
            Event::Trips(trip) => {
                on.remove(trip.driver_id.as_str());
            }
            Event::DriverLocations(ping) => {
                assert_eq!(ping.trip_id.as_deref(), on.get(ping.driver_id.as_str()).copied());
                all += 1;
                busy += i32::from(ping.trip_id.is_some());
            }
            Event::SimulationTruth(SimulationTruth::Trip { ts, quarters, metres, .. }) => {
                assert!(quarters.windows(2).all(|pair| pair[0] <= pair[1]) && quarters[3] <= *ts);
                assert!(*metres > 0.0);
            }
            _ => {}
        }
    }
    let share = f64::from(busy) / f64::from(all);
    assert!((0.6..0.95).contains(&share), "{share} of the drivers are on a trip in the morning");
}

#[test]
fn a_vehicle_goes_where_the_streets_go() {
    let said = first(CityConfig { drivers: 20, lorries: 5, ..config(9) }, 900);
    let mut last: HashMap<&str, (Timestamp, streets::LinkId)> = HashMap::new();
    let mut count = 0;
    for emission in &said {
        let Event::SimulationTruth(SimulationTruth::Link { ts, id, link_id, entered }) = &emission.event
        else {
            continue;
        };
        let link = MAP.link_of_key(link_id).expect("a link of the map");
        assert!(entered <= ts && ts <= &emission.at);
        if let Some((left, before)) = last.insert(id, (*ts, link)) {
            assert_eq!(left, *entered, "{id} was nowhere for a while");
            assert_eq!(MAP.link(before).to, MAP.link(link).from, "{id} jumped");
        }
        count += 1;
    }
    assert!(count > 1000, "{count}");
    // With a perfect receiver every position is on a street, and no step is longer than a car can
    // drive in a second.
    let exact = Gps { median_m: 0.0, speed_mps: 0.0, ..Gps::default() };
    let said = first(CityConfig { drivers: 20, gps: exact, tunnels: 0, ..config(9) }, 300);
    let mut before: HashMap<&str, &DriverLocation> = HashMap::new();
    for ping in pings(&said) {
        assert!(!MAP.near(ping.lat, ping.lon, 0.3, 1).is_empty(), "{ping:?}");
        if let Some(before) = before.insert(&ping.driver_id, ping) {
            let metres = distance_m(before.lat, before.lon, ping.lat, ping.lon);
            assert!(metres < 60.0, "{metres} m in a second: {before:?} {ping:?}");
        }
    }
}

#[test]
fn incidents_slow_their_corridor_and_nothing_else() {
    let eventful = CityConfig { incidents_per_hour: 30.0, drivers: 1, ..config(4) };
    let calm = World::new(CityConfig { incidents_per_hour: 0.0, ..eventful.clone() });
    let mut world = World::new(eventful.clone());
    let start = world.start_s();
    world.incidents.plan(start, &world.map, &world.demand);
    let said = first(eventful, 3600);
    let mut seen = 0;
    for emission in &said {
        let Event::SimulationTruth(SimulationTruth::Incident { ts, link_ids, until, slowdown, .. }) =
            &emission.event
        else {
            continue;
        };
        let minutes = until.since_seconds(*ts) / 60.0;
        assert!((10.0..=40.0).contains(&minutes) && *slowdown > 2.0 && !link_ids.is_empty());
        seen += 1;
    }
    assert!((15..60).contains(&seen), "{seen} in an hour and the forty minutes before");
    let middle = start + 1200.0;
    let slowed = MAP.link_ids().filter(|&link| world.incidents.factor(link, middle) > 1.0).count();
    assert!(slowed > 50 && slowed < MAP.link_count() / 10, "{slowed}");
    for link in MAP.link_ids() {
        let ratio = world.expected_s(link, middle) / calm.expected_s(link, middle);
        assert!((ratio - world.incidents.factor(link, middle)).abs() < 1e-9);
    }
    // What is still to come is unknown before it has begun; from then on, the oracle knows all
    // about it.
    let in_an_hour = start + 3600.0;
    let (mut unforeseen, mut known) = (0, 0);
    for link in MAP.link_ids() {
        let factor = world.incidents.factor(link, in_an_hour);
        assert!(world.incidents.factor_as_of(link, in_an_hour, start) <= factor);
        assert!((world.incidents.factor_as_of(link, in_an_hour, in_an_hour) - factor).abs() < 1e-9);
        unforeseen += u32::from(
            factor > 1.0
                && world.expected_as_of(link, in_an_hour, start) < world.expected_s(link, in_an_hour),
        );
        let soon = start + 60.0;
        let under_way = world.incidents.factor(link, start);
        known += u32::from(under_way > 1.1 && world.incidents.factor_as_of(link, soon, start) > 1.0);
    }
    assert!(unforeseen > 20 && known > 20, "{unforeseen} links unforeseen, {known} known");
    let none = first(CityConfig { incidents_per_hour: 0.0, drivers: 5, ..config(4) }, 600);
    assert!(
        none.iter().all(|one| !matches!(one.event, Event::SimulationTruth(SimulationTruth::Incident { .. })))
    );
}

#[test]
fn a_city_without_anybody_ends() {
    assert_eq!(City::new(CityConfig { drivers: 0, lorries: 0, ..config(1) }).next(), None);
}

#[test]
fn a_village_with_a_dead_end_does_not_stop_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let (links, nodes) = (folder.path().join("links.csv"), folder.path().join("nodes.csv"));
    std::fs::write(&nodes, "node,lon,lat\na,10,50\nb,10.01,50\nc,10.02,50\nd,11,51\n").unwrap();
    // A car that drives into the second street cannot come back, and none can reach the third.
    std::fs::write(&links, "from_node,to_node,oneway\na,b,0\nb,c,1\nd,d,0\n").unwrap();
    let map = Arc::new(Map::from_csv(&links, &nodes).unwrap());
    let village = CityConfig { map, drivers: 5, lorries: 2, tunnels: 0, ..config(1) };
    let said = first(village, 1200);
    assert_eq!(pings(&said).count(), 5 * 1200);
}

/// The crash of the opening is on the way of a trip: that one takes longer, and before it nothing
/// is as it would not have been.
#[test]
fn a_staged_crash_delays_a_trip_that_is_under_way() {
    let usual = CityConfig { drivers: 40, incidents_per_hour: 0.0, ..config(7) };
    let moment = usual.start.plus_ms(120_000);
    let run = |staged| first(CityConfig { staged, ..usual.clone() }, 1_800);
    let (without, with) = (run(None), run(Some(moment)));
    let before = |emissions: &[Emission]| -> Vec<u8> {
        let until = emissions.iter().take_while(|emission| emission.at < moment).cloned();
        json(&until.collect::<Vec<_>>())
    };
    assert_eq!(before(&without), before(&with));
    let crash = with.iter().find_map(|emission| match &emission.event {
        Event::SimulationTruth(SimulationTruth::Incident { ts, slowdown, .. }) => Some((*ts, *slowdown)),
        _ => None,
    });
    assert_eq!(crash, Some((moment.plus_ms(4_000), 8.0)), "it is told as any other");
    let ends = |emissions: &[Emission]| -> HashMap<String, Timestamp> {
        let ended = trips(emissions).filter(|trip| trip.kind == TripKind::DroppedOff);
        ended.map(|trip| (trip.trip_id.clone(), trip.ts)).collect()
    };
    let (usual_ends, later_ends) = (ends(&without), ends(&with));
    let delay_s = |(id, end): (&String, &Timestamp)| {
        later_ends.get(id).map_or(f64::INFINITY, |later| later.since_seconds(*end))
    };
    let worst = usual_ends.iter().map(delay_s).fold(0.0, f64::max);
    assert!(worst > 120.0, "the longest delay is {worst} s");
}
