//! Clocks that leap, cars off the map, trips that fall silent, ids without end:
//! counted, and never an ETA in the past.

use events::Topic;
use proptest::prelude::*;

use super::*;

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
        "no other car speaks, and the trip is not idle"
    );
}

#[test]
fn a_clock_that_leaps_stops_no_other_car() {
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
        let (mut replay, mut frozen) = (EtaReplay::new(&config), BatchEta::new(&config));
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
