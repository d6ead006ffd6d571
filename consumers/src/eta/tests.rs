//! Timestamps in, answers out.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use std::fmt::Write;
use std::sync::OnceLock;

use events::{DriverLocation, EtaUpdate, Event, Place, Timestamp, Trip, TripKind};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use streets::{LinkId, Map, Router, Spot};

use super::*;
use crate::Processor;

const START: &str = "2026-03-03T11:00:00Z";

fn map() -> Arc<Map> {
    static MAP: OnceLock<Arc<Map>> = OnceLock::new();
    MAP.get_or_init(|| Arc::new(Map::la_serena())).clone()
}

fn at(second: f64) -> Timestamp {
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

/// Shows the trip's answers once a minute.
fn check(answers: &[Event], expect: &Expect) {
    let mut shown = String::new();
    for update in updates(answers).iter().filter(|update| update.ts.ms() % 60_000 == 0) {
        let clock = |at: Timestamp| at.to_string()[14..19].to_owned();
        writeln!(
            shown,
            "{}: {:5.0} m, arrives {} ({} to {})",
            clock(update.ts),
            update.remaining_m,
            clock(update.eta),
            clock(update.p10),
            clock(update.p90),
        )
        .unwrap();
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_trip_is_followed_to_its_end() {
    let places = drive(100, 20_000);
    let events = trip_events("t1", "d1", 0.0, &places);
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let answers = answers(&mut replay, &events);
    check(
        &answers,
        &expect![[r#"
        00:00: 12666 m, arrives 12:39 (07:23 to 23:11)
        01:00: 12357 m, arrives 13:17 (08:10 to 23:31)
        02:00: 11817 m, arrives 17:30 (11:06 to 30:18)
        03:00: 11277 m, arrives 20:39 (13:23 to 35:11)
        04:00: 10737 m, arrives 21:42 (14:25 to 36:16)
        05:00: 10197 m, arrives 25:10 (16:54 to 41:42)
        06:00:  9657 m, arrives 26:22 (18:01 to 43:04)
        07:00:  9117 m, arrives 28:06 (19:28 to 45:24)
        08:00:  8577 m, arrives 28:27 (20:04 to 45:14)
        09:00:  8037 m, arrives 28:54 (20:44 to 45:14)
        10:00:  7497 m, arrives 29:00 (21:12 to 44:36)
        11:00:  6957 m, arrives 28:21 (21:12 to 42:37)
        12:00:  6417 m, arrives 27:23 (21:02 to 40:06)
        13:00:  5877 m, arrives 26:27 (20:52 to 37:37)
        14:00:  5337 m, arrives 26:07 (21:04 to 36:12)
        15:00:  4797 m, arrives 26:20 (21:36 to 35:49)
        16:00:  4257 m, arrives 27:08 (22:29 to 36:27)
        17:00:  3717 m, arrives 26:05 (22:15 to 33:45)
        18:00:  3177 m, arrives 25:28 (22:16 to 31:50)
        19:00:  2637 m, arrives 25:15 (22:33 to 30:40)
        20:00:  2097 m, arrives 24:56 (22:45 to 29:17)
        21:00:  1557 m, arrives 24:42 (23:01 to 28:04)
        22:00:  1017 m, arrives 24:28 (23:17 to 26:51)
        23:00:   477 m, arrives 24:06 (23:28 to 25:24)
        24:00:     0 m, arrives 24:00 (24:00 to 24:24)
    "#]],
    );
}

#[test]
fn what_one_trip_has_taught_the_next_one_knows() {
    let places = drive(100, 20_000);
    let mut events = Vec::new();
    for trip in 0..8 {
        events.extend(trip_events(
            &format!("t{trip}"),
            &format!("d{trip}"),
            f64::from(trip) * 1500.0,
            &places,
        ));
    }
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let answers = answers(&mut replay, &events);
    let error_s = |trip: &str| {
        let first = *updates(&answers).iter().find(|update| update.trip_id == trip).unwrap();
        let end = events.iter().find(|event| {
            matches!(event, Event::Trips(step) if step.trip_id == trip && step.kind == TripKind::DroppedOff)
        });
        first.eta.since_seconds(end.unwrap().ts().unwrap())
    };
    let (first, last) = (error_s("t0").abs(), error_s("t7").abs());
    assert!(last < 0.2 * first, "{first:.0} s wrong at first, {last:.0} s in the end");
}

#[test]
fn every_advancing_ping_gets_one_answer_and_no_other_does() {
    let places = drive(100, 20_000);
    let (origin, destination) = (places[0], places[places.len() - 1]);
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let mut ask = |event: Event| {
        let mut answers = Vec::new();
        replay.process(&event, &mut answers);
        answers.len()
    };
    let of_trip = |second: f64, place: usize| Event::from(ping(second, "d1", Some("t1"), places[place]));
    assert_eq!(ask(of_trip(0.0, 0)), 0, "its trip is unknown");
    assert_eq!(
        ask(step(0.0, "t1", "d1", TripKind::Requested, origin, destination)),
        0,
        "trips get no answer"
    );
    assert_eq!(ask(ping(10.0, "d1", None, places[10]).into()), 0, "without a trip there is no question");
    assert_eq!(ask(of_trip(9.0, 9)), 1, "the first ping of a trip, though older than the driver's newest");
    assert_eq!(ask(of_trip(11.0, 11)), 1);
    assert_eq!(ask(of_trip(11.0, 11)), 0, "a duplicate");
    assert_eq!(ask(of_trip(8.0, 8)), 0, "out of order");
    assert_eq!(ask(of_trip(12.0, 12)), 1);
    assert_eq!(ask(step(60.0, "t1", "d1", TripKind::DroppedOff, origin, destination)), 0);
    assert_eq!(ask(of_trip(59.0, 59)), 1, "sent before the end, read after it");
    assert_eq!(ask(of_trip(61.0, 61)), 0, "the trip is over");
    assert_eq!(count(&replay, "pings of unknown trips"), 1);
    assert_eq!(count(&replay, "duplicate pings"), 1);
    assert_eq!(count(&replay, "pings out of order"), 2);
    assert_eq!(count(&replay, "pings after their trip"), 1);
}

#[test]
fn a_trip_that_is_silent_for_ten_minutes_is_closed() {
    let places = drive(100, 20_000);
    let (origin, destination) = (places[0], places[places.len() - 1]);
    let events = [
        step(0.0, "t1", "d1", TripKind::Requested, origin, destination),
        ping(1.0, "d1", Some("t1"), origin).into(),
        step(600.0, "t2", "d2", TripKind::Requested, origin, destination),
        ping(601.0, "d1", Some("t1"), origin).into(),
        // Somebody else, so that it is known what time it is.
        ping(800.0, "d3", None, origin).into(),
        ping(1000.0, "d3", None, origin).into(),
        ping(1202.0, "d2", Some("t2"), origin).into(),
        ping(1203.0, "d1", Some("t1"), origin).into(),
        ping(1204.0, "d1", Some("t1"), origin).into(),
    ];
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let answers = answers(&mut replay, &events);
    let answered: Vec<f64> =
        updates(&answers).iter().map(|update| update.ts.since_seconds(at(0.0))).collect();
    assert_eq!(answered, [1.0, 601.0]);
    assert_eq!(count(&replay, "trips closed idle"), 2);
}

#[test]
fn a_clock_that_leaps_stops_nobody() {
    let places = drive(100, 20_000);
    let (origin, destination) = (places[0], places[places.len() - 1]);
    let mut events = vec![step(0.0, "t1", "d1", TripKind::Requested, origin, destination)];
    for second in 0..20 {
        events.push(ping(f64::from(second), "d1", Some("t1"), places[second as usize]).into());
        events.push(ping(f64::from(second), "d2", None, places[second as usize]).into());
    }
    let mut wrong = ping(0.0, "d1", Some("t1"), origin);
    wrong.ts = Timestamp::MAX;
    events.insert(21, wrong.clone().into());
    wrong.driver_id = "d3".to_owned();
    wrong.trip_id = None;
    events.insert(31, wrong.into());
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let answers = answers(&mut replay, &events);
    assert_eq!(updates(&answers).len(), 20, "all but the ping from the year 9999");
    assert_eq!(count(&replay, "clocks that leapt"), 2);
}

#[test]
fn off_the_map_and_out_of_reach_there_is_still_an_answer() {
    let (sea, far) = (Place { lat: -29.9, lon: -71.6 }, Place { lat: 89.0, lon: 179.9 });
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let events = [
        step(0.0, "t1", "d1", TripKind::Requested, sea, far),
        ping(1.0, "d1", Some("t1"), sea).into(),
        ping(2.0, "d1", Some("t1"), drive(100, 20_000)[0]).into(),
    ];
    let answers = answers(&mut replay, &events);
    assert_eq!(updates(&answers).len(), 2);
    assert!(updates(&answers).iter().all(|update| update.remaining_m > 1_000_000.0));
    assert_eq!(count(&replay, "pings off the map"), 1);
    assert_eq!(count(&replay, "destinations without a way"), 1);
}

#[test]
fn the_batch_lane_answers_the_same_pings_with_what_the_last_period_knew() {
    let places = drive(100, 20_000);
    let mut events = Vec::new();
    for trip in 0..6 {
        // The last trip begins after the hour.
        events.extend(trip_events(
            &format!("t{trip}"),
            &format!("d{trip}"),
            f64::from(trip) * 900.0,
            &places,
        ));
    }
    let config = EtaConfig::new(map());
    let stream = answers(&mut EtaReplay::new(&config), &events);
    let batch = answers(&mut FrozenHour::new(&config), &events);
    let asked: Vec<_> = updates(&stream).iter().map(|update| (update.trip_id.clone(), update.ts)).collect();
    let mut seen = Vec::new();
    for answer in &batch {
        let Event::EtaBatch(batched) = answer else { panic!("{answer:?} is not of the batch lane") };
        let update = &batched.answer;
        assert!(update.eta >= update.ts && update.p10 <= update.eta && update.eta <= update.p90);
        assert!(batched.valid_from <= update.ts);
        seen.push((update.trip_id.clone(), update.ts));
    }
    assert_eq!(asked, seen);

    let quotes = |trip: &str| -> Vec<(String, String, Timestamp)> {
        let mut quotes: Vec<_> = batch
            .iter()
            .filter_map(|answer| match answer {
                Event::EtaBatch(one) if one.answer.trip_id == trip => {
                    Some((one.batch_id.clone(), one.valid_from.to_string(), one.answer.eta))
                }
                _ => None,
            })
            .collect();
        quotes.dedup();
        quotes
    };
    // The empty model knows nothing of the first hour: each trip gets the same quote, to the second.
    let quoted_s = |trip: usize| {
        let (id, valid_from, eta) = quotes(&format!("t{trip}")).swap_remove(0);
        (id, valid_from, eta.since_seconds(at(trip as f64 * 900.0)))
    };
    let (id, valid_from, first_s) = quoted_s(0);
    assert_eq!((id.as_str(), valid_from.as_str()), ("eta-2026-03-03T10", "2026-03-03T11:00:00.000Z"));
    assert!((quoted_s(3).2 - first_s).abs() < 0.001);
    let (id, valid_from, later_s) = quoted_s(4);
    assert_eq!((id.as_str(), valid_from.as_str()), ("eta-2026-03-03T11", "2026-03-03T12:00:00.000Z"));
    let actual_s = 50.0 + places.len() as f64;
    assert!((later_s - actual_s).abs() < 0.5 * (first_s - actual_s).abs(), "{first_s} {later_s} {actual_s}");
}

#[test]
fn two_workers_over_topics_know_what_one_knows() {
    let places = drive(100, 20_000);
    let mut events = Vec::new();
    for trip in 0..6 {
        events.extend(trip_events(
            &format!("t{trip}"),
            &format!("d{trip}"),
            f64::from(trip) * 1500.0,
            &places,
        ));
    }
    let config = EtaConfig::new(map());
    let (mut eta, mut traffic) = (EtaProcessor::new(&config), TrafficProcessor::new(&config));
    let (mut said, mut announced) = (Vec::new(), 0);
    for event in &events {
        let mut answers = Vec::new();
        eta.process(event, &mut answers);
        for answer in answers {
            let mut beliefs = Vec::new();
            traffic.process(&answer, &mut beliefs);
            announced += beliefs.len();
            for belief in beliefs {
                eta.process(&belief, &mut said);
            }
            said.push(answer);
        }
    }
    assert!(announced > 100);
    let replayed = answers(&mut EtaReplay::new(&config), &events);
    let last = |answers: &[Event]| {
        updates(answers).iter().find(|update| update.trip_id == "t5").unwrap().eta.since_seconds(at(7500.0))
    };
    let (two, one) = (last(&said), last(&replayed));
    assert!((two / one - 1.0).abs() < 0.15, "{two} s by two workers, {one} s by one");
}

#[test]
fn the_same_events_give_the_same_bytes() {
    let mut events = Vec::new();
    for trip in 0..3_u32 {
        let places = drive(100 + 37 * trip, 20_000 - 411 * trip);
        events.extend(trip_events(&format!("t{trip}"), &format!("d{trip}"), f64::from(trip) * 20.0, &places));
    }
    events.sort_by_key(Event::ts);
    let bytes = |processor: &mut dyn Processor| {
        let mut bytes = Vec::new();
        for answer in answers(processor, &events) {
            answer.write_json(&mut bytes);
        }
        bytes
    };
    let mut config = EtaConfig::new(map());
    config.period_ms = 300_000;
    config.tell_traversals = true;
    assert!(bytes(&mut EtaReplay::new(&config)) == bytes(&mut EtaReplay::new(&config)));
    assert!(bytes(&mut FrozenHour::new(&config)) == bytes(&mut FrozenHour::new(&config)));
}

/// Any event of the ride-share business, sane or not.
fn any_event() -> impl Strategy<Value = Event> {
    let second = prop_oneof![8 => 0_i64..2000, 1 => -100_000_i64..100_000, 1 => any::<i64>()];
    let place = prop_oneof![
        8 => (-29.95..-29.88_f64, -71.30..-71.22_f64),
        1 => (-90.0..=90.0_f64, -180.0..=180.0_f64),
    ];
    let speed = prop::option::of(0.0..60.0_f64);
    (second, 0_u8..4, prop::option::of(0_u8..4), place.clone(), place, speed, 0_u8..12).prop_map(
        |(second, vehicle, trip, (lat, lon), (to_lat, to_lon), speed_mps, kind)| {
            let ts = Timestamp::from_ms(at(0.0).ms().saturating_add(second.saturating_mul(1000)));
            let vehicle = format!("v{vehicle}");
            let heading_deg = speed_mps.map(|speed| speed * 6.0);
            match kind {
                0..=7 => {
                    let trip_id = trip.map(|trip| format!("t{trip}"));
                    DriverLocation { ts, driver_id: vehicle, trip_id, lat, lon, speed_mps, heading_deg }
                        .into()
                }
                8 => events::TruckLocation { ts, truck_id: vehicle, lat, lon, speed_mps, heading_deg }.into(),
                _ => Trip {
                    ts,
                    trip_id: format!("t{}", trip.unwrap_or(0)),
                    driver_id: vehicle,
                    rider_id: None,
                    kind: match (kind, second % 3) {
                        (9, _) => TripKind::Requested,
                        (10, _) => TripKind::PickedUp,
                        (_, 0) => TripKind::Cancelled,
                        _ => TripKind::DroppedOff,
                    },
                    origin: Place { lat, lon },
                    destination: Place { lat: to_lat, lon: to_lon },
                }
                .into(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_no_eta_is_in_the_past(events in prop::collection::vec(any_event(), 0..150)) {
        let config = EtaConfig::new(map());
        let (mut replay, mut frozen) = (EtaReplay::new(&config), FrozenHour::new(&config));
        let mut traffic = TrafficProcessor::new(&config);
        for event in &events {
            let (mut said, mut batch) = (Vec::new(), Vec::new());
            replay.process(event, &mut said);
            frozen.process(event, &mut batch);
            traffic.process(event, &mut Vec::new());
            prop_assert!(said.len() <= 1);
            prop_assert_eq!(said.len(), batch.len());
            for answer in said.iter().chain(&batch) {
                let update = match answer {
                    Event::EtaUpdates(update) => update,
                    Event::EtaBatch(batched) => &batched.answer,
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(Some(update.ts), event.ts());
                prop_assert!(update.ts <= update.p10 && update.p10 <= update.eta && update.eta <= update.p90);
                prop_assert!(update.remaining_m >= 0.0 && update.remaining_m.is_finite());
            }
        }
    }
}
