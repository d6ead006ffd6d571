//! What is answered, when, and how much better it gets.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::*;

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
            02:00: 11817 m, arrives 18:22 (11:35 to 31:55)
            03:00: 11277 m, arrives 19:29 (12:37 to 33:14)
            04:00: 10737 m, arrives 20:28 (13:35 to 34:16)
            05:00: 10197 m, arrives 24:11 (15:48 to 40:57)
            06:00:  9657 m, arrives 26:11 (17:14 to 44:07)
            07:00:  9117 m, arrives 28:39 (18:57 to 48:03)
            08:00:  8577 m, arrives 30:07 (20:12 to 49:56)
            09:00:  8037 m, arrives 30:56 (21:10 to 50:27)
            10:00:  7497 m, arrives 31:20 (21:53 to 50:13)
            11:00:  6957 m, arrives 31:06 (22:15 to 48:48)
            12:00:  6417 m, arrives 29:45 (22:08 to 45:01)
            13:00:  5877 m, arrives 29:05 (22:15 to 42:46)
            14:00:  5337 m, arrives 28:29 (22:22 to 40:44)
            15:00:  4797 m, arrives 28:45 (22:58 to 40:19)
            16:00:  4257 m, arrives 29:34 (23:46 to 41:11)
            17:00:  3717 m, arrives 29:06 (23:53 to 39:30)
            18:00:  3177 m, arrives 26:49 (22:55 to 34:37)
            19:00:  2637 m, arrives 26:32 (23:17 to 33:03)
            20:00:  2097 m, arrives 25:49 (23:16 to 30:53)
            21:00:  1557 m, arrives 25:20 (23:22 to 29:17)
            22:00:  1017 m, arrives 24:53 (23:28 to 27:43)
            23:00:   477 m, arrives 24:15 (23:30 to 25:45)
            24:00:     0 m, arrives 24:00 (24:00 to 24:24)
        "#]],
    );
}

#[test]
fn what_one_trip_has_taught_the_next_one_knows() {
    let places = drive(100, 20_000);
    let events = trips_in_a_row(8, 1500.0, &places);
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
fn two_workers_over_topics_know_what_one_knows() {
    let places = drive(100, 20_000);
    let events = trips_in_a_row(6, 1500.0, &places);
    let config = EtaConfig::new(map());
    let (mut eta, mut traffic) = (EtaProcessor::new(&config), TrafficProcessor::new(&config));
    let (mut said, mut announced) = (Vec::new(), 0);
    for event in &events {
        let mut answers = Vec::new();
        eta.process(event, &mut answers);
        for answer in answers {
            let mut estimates = Vec::new();
            traffic.process(&answer, &mut estimates);
            announced += estimates.len();
            for estimate in estimates {
                eta.process(&estimate, &mut said);
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

/// How fast a road is, every matcher is told; what kind of driver this is can be known only where
/// their positions are matched.
#[test]
fn a_worker_learns_what_kind_of_drivers_its_own_are() {
    let quick = drive(100, 20_000);
    let slow: Vec<_> = quick.windows(2).flat_map(|two| [two[0], halfway(two[0], two[1])]).collect();
    let trips = |n: u32| {
        let start = f64::from(n) * 8_000.0;
        let quick = trip_events(&format!("quick-{n}"), "quick", start, &quick);
        quick.into_iter().chain(trip_events(&format!("slow-{n}"), "slow", start + 4_000.0, &slow))
    };
    let mut worker = EtaProcessor::new(&EtaConfig::new(map()));
    let said = answers(&mut worker, &(0..8).flat_map(trips).collect::<Vec<_>>());
    let first_quote = |trip: &str| {
        let update = updates(&said).into_iter().find(|update| update.trip_id == trip).unwrap();
        update.eta.since_seconds(update.ts)
    };
    let (quick, slow) = (first_quote("quick-7"), first_quote("slow-7"));
    assert!(slow > 1.2 * quick, "{slow} s for who took twice as long as those whom {quick} s are told");
}

fn halfway(a: Place, b: Place) -> Place {
    Place { lat: f64::midpoint(a.lat, b.lat), lon: f64::midpoint(a.lon, b.lon) }
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
    assert!(bytes(&mut BatchEta::new(&config)) == bytes(&mut BatchEta::new(&config)));
}

#[test]
fn a_ride_that_has_not_begun_is_expected_to_take_what_such_rides_took() {
    // Everybody goes round by somewhere else, which can't be known before they do.
    let mut places = drive(100, 9_000);
    places.extend(drive(9_000, 20_000));
    let mut processor = EtaReplay::new(&EtaConfig::new(map()));
    let mut off = Vec::new();
    for trip in 0..16 {
        let (id, start) = (format!("t{trip}"), f64::from(trip) * 700.0);
        let events = trip_events(&id, &format!("d{trip}"), start, &places);
        let said = answers(&mut processor, &events);
        let first = updates(&said)[0].eta.since_seconds(at(start));
        off.push(first / (50.0 + places.len() as f64));
    }
    assert!(off[0] < 0.85, "it is a detour: {off:.2?}");
    assert!((0.9..1.1).contains(&off[15]), "{off:.2?}");
}
