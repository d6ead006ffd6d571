//! Timestamps in, answers out.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use std::fmt::Write;
use std::sync::OnceLock;

use events::{DriverLocation, EtaUpdate, Event, Place, Timestamp, Topic, Trip, TripKind};
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
            00:00: 12627 m, arrives 16:54 (09:56 to 30:49)
            01:00: 12357 m, arrives 17:25 (10:39 to 30:57)
            02:00: 11817 m, arrives 18:02 (11:25 to 31:16)
            03:00: 11277 m, arrives 19:43 (12:50 to 33:30)
            04:00: 10737 m, arrives 20:25 (13:39 to 33:57)
            05:00: 10197 m, arrives 25:21 (17:00 to 42:02)
            06:00:  9657 m, arrives 27:07 (18:28 to 44:25)
            07:00:  9117 m, arrives 29:50 (20:30 to 48:30)
            08:00:  8577 m, arrives 30:24 (21:14 to 48:44)
            09:00:  8037 m, arrives 31:09 (22:05 to 49:17)
            10:00:  7497 m, arrives 31:19 (22:35 to 48:47)
            11:00:  6957 m, arrives 30:45 (22:39 to 46:58)
            12:00:  6417 m, arrives 29:45 (22:27 to 44:21)
            13:00:  5877 m, arrives 28:46 (22:15 to 41:47)
            14:00:  5337 m, arrives 28:26 (22:27 to 40:22)
            15:00:  4797 m, arrives 28:45 (23:03 to 40:09)
            16:00:  4257 m, arrives 29:50 (24:06 to 41:19)
            17:00:  3717 m, arrives 28:03 (23:25 to 37:17)
            18:00:  3177 m, arrives 26:46 (23:04 to 34:12)
            19:00:  2637 m, arrives 26:20 (23:12 to 32:36)
            20:00:  2097 m, arrives 25:42 (23:13 to 30:39)
            21:00:  1557 m, arrives 25:14 (23:20 to 29:02)
            22:00:  1017 m, arrives 24:49 (23:29 to 27:29)
            23:00:   477 m, arrives 24:15 (23:33 to 25:39)
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

/// A trip of which only its request and its end are told, in a file of taxis as cities publish them: a position each 15 s, of
/// a car that carries its rider from the first one on. `pin_m` metres beside it is where the rider is said to be.
fn untold_trip(places: &[Place], pin_m: f64) -> Vec<Event> {
    let (first, destination) = (places[0], places[places.len() - 1]);
    let origin = Place { lat: first.lat + pin_m / 111_195.0, lon: first.lon };
    let mut events = vec![step(0.0, "t1", "d1", TripKind::Requested, origin, destination)];
    for second in (0..places.len()).step_by(15) {
        events.push(ping(second as f64, "d1", Some("t1"), places[second]).into());
    }
    events.push(step(places.len() as f64, "t1", "d1", TripKind::DroppedOff, origin, destination));
    events
}

#[test]
fn a_pick_up_that_nobody_tells_of_is_seen() {
    let places = drive(100, 20_000);
    for pin_m in [0.0, 130.0, 400.0] {
        let mut replay = EtaReplay::new(&EtaConfig::new(map()));
        let answers = answers(&mut replay, &untold_trip(&places, pin_m));
        let updates = updates(&answers);
        for update in updates.iter().skip(updates.len() / 4) {
            let driven_s = update.ts.since_seconds(at(0.0));
            let left_m = (places.len() as f64 - driven_s) * 9.0;
            let off = (update.remaining_m - left_m).abs();
            assert!(off < 0.15 * left_m + 150.0, "pin {pin_m} m: {} m for {left_m} m", update.remaining_m);
        }
    }
}

#[test]
fn a_pick_up_that_is_told_is_waited_for() {
    let places = drive(100, 20_000);
    let origin = places[700];
    let destination = places[0];
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    // Three trips tell of their pick-ups; the driver of the fourth goes past its rider, to turn round further on.
    for trip in 0..3 {
        let id = format!("t{trip}");
        answers(&mut replay, &trip_events(&id, "d1", f64::from(trip) * 1500.0, &places[..600]));
    }
    let mut said = Vec::new();
    replay.process(&step(4500.0, "t3", "d1", TripKind::Requested, origin, destination), &mut said);
    for (second, place) in places.iter().enumerate().take(760) {
        replay.process(&ping(4500.0 + second as f64, "d1", Some("t3"), *place).into(), &mut said);
    }
    let last = updates(&said)[759].remaining_m;
    assert!(last > 6300.0, "the ride alone has 6.3 km, and the rider is behind: {last} m");
}

#[test]
fn a_silence_of_nine_minutes_is_no_broken_clock() {
    let places = drive(100, 20_000);
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let events = [
        step(0.0, "t1", "d1", TripKind::Requested, places[0], places[1000]),
        ping(1.0, "d1", Some("t1"), places[1]).into(),
        ping(541.0, "d1", Some("t1"), places[541]).into(),
        ping(542.0, "d1", Some("t1"), places[542]).into(),
    ];
    assert_eq!(
        updates(&answers(&mut replay, &events)).len(),
        3,
        "nobody else speaks, and the trip is not idle"
    );
}

#[test]
fn what_is_remembered_is_bounded_by_those_who_are_there() {
    let places = drive(100, 20_000);
    let mut replay = EtaReplay::new(&EtaConfig::new(map()));
    let mut most = 0;
    for car in 0..2000_u16 {
        // Every 20 s another car, with a trip that never ends; each is heard for a minute.
        let (start, id) = (f64::from(car) * 20.0, format!("d{car}"));
        let (trip, place) = (format!("t{car}"), places[car as usize % places.len()]);
        let mut said = Vec::new();
        replay.process(&step(start, &trip, &id, TripKind::Requested, place, places[0]), &mut said);
        for second in [0.0, 20.0, 40.0] {
            replay.process(&ping(start + second, &id, Some(&trip), place).into(), &mut said);
        }
        most = most.max(replay.remembered());
    }
    // In twelve and a half minutes there are 38 cars and as many trips.
    assert!((60..=90).contains(&most), "{most} cars and trips are remembered");
    assert!(count(&replay, "trips closed idle") > 1950);
}

/// Two kilometres of a street, and beside its end a yard that no street leads to.
fn street_and_yard() -> Arc<Map> {
    let folder = tempfile::tempdir().unwrap();
    let (links, nodes) = (folder.path().join("links.csv"), folder.path().join("nodes.csv"));
    std::fs::write(&nodes, "node,lon,lat\n0,0,0\n1,0.01,0\n2,0.02,0\n3,0.0195,0.0005\n4,0.0199,0.0005\n")
        .unwrap();
    std::fs::write(&links, "from_node,to_node\n0,1\n1,2\n3,4\n").unwrap();
    Arc::new(Map::from_csv(&links, &nodes).unwrap())
}

#[test]
fn a_yard_without_a_street_is_left_and_reached_by_the_street_beside_it() {
    let (yard, street) = (Place { lat: 0.0006, lon: 0.0197 }, Place { lat: 0.0, lon: 0.001 });
    for (from, to) in [(yard, street), (street, yard)] {
        let mut replay = EtaReplay::new(&EtaConfig::new(street_and_yard()));
        let events = [
            step(0.0, "t1", "d1", TripKind::PickedUp, from, to),
            ping(1.0, "d1", Some("t1"), from).into(),
            ping(16.0, "d1", Some("t1"), from).into(),
        ];
        let answers = answers(&mut replay, &events);
        for update in updates(&answers) {
            assert!((2050.0..2150.0).contains(&update.remaining_m), "{} m", update.remaining_m);
        }
        assert_eq!(count(&replay, "destinations without a way"), 0);
    }
}

#[test]
fn what_is_off_the_earth_is_no_event() {
    let ping = |lat: &str, lon: &str| {
        let value = format!(r#"{{"ts":"2026-03-03T11:00:00Z","driver_id":"d1","lat":{lat},"lon":{lon}}}"#);
        Event::parse(Topic::DriverLocations, value.as_bytes()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(ping("-29.9", "-71.25"), Ok(()));
    for (lat, lon) in
        [("90.1", "0"), ("-91", "0"), ("0", "180.5"), ("0", "-181"), ("null", "0"), ("1e999", "0")]
    {
        assert!(ping(lat, lon).is_err(), "{lat} {lon}");
    }
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
