//! Files of cars as others record them: without pick-ups, without speeds, at odd times, on maps
//! with holes.

use super::*;

/// A trip of which only its request and its end are told, in a file of taxis as cities publish
/// them: a position each 15 s, of a car that carries its rider from the first one on. `pin_m`
/// metres beside it is where the rider is said to be.
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
fn an_unannounced_pick_up_is_inferred() {
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
    // Three trips tell of their pick-ups; the driver of the fourth goes past its rider, to turn
    // round further on.
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

/// Normal numbers, the same in every run: the sum of twelve even ones.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Pings of a trip that have nothing but a position, 5 to 30 s apart, off by 10 m a side and alike
/// for half a minute; where the drive is between `silent.0` and `silent.1` s old there are none.
fn bare_pings(driver: &str, trip: &str, places: &[Place], silent: (f64, f64)) -> Vec<Event> {
    let mut noise = Noise(5);
    let (mut second, mut error_m) = (0.0, [0.0, 0.0]);
    let mut events = Vec::new();
    while (second as usize) < places.len() {
        let step_s = 5.0 + 25.0 * noise.uniform();
        let kept = (-step_s / 30.0_f64).exp();
        error_m = error_m.map(|metres| metres * kept + 10.0 * (1.0 - kept * kept).sqrt() * noise.normal());
        if !(silent.0..silent.1).contains(&second) {
            let mut place = places[second as usize];
            place.lat += error_m[0] / 111_195.0;
            place.lon += error_m[1] / (111_195.0 * place.lat.to_radians().cos());
            events.push(ping(second, driver, Some(trip), place).into());
        }
        second += step_s;
    }
    events
}

#[test]
fn positions_alone_at_odd_times_and_a_long_silence_are_enough() {
    let places = drive(100, 20_000);
    // Any text is an id, and the car is first and last seen in the middle of a street.
    let (driver, trip) = ("Zoë \u{1f697}\n\"taxi\" 7", "");
    let places = &places[3..places.len() - 3];
    let mut events = vec![step(0.0, trip, driver, TripKind::PickedUp, places[0], places[places.len() - 1])];
    let pings = bare_pings(driver, trip, places, (400.0, 600.0));
    let asked = pings.len();
    events.extend(pings);
    let mut config = EtaConfig::new(map());
    config.tell_traversals = true;
    let mut replay = EtaReplay::new(&config);
    let answers = answers(&mut replay, &events);
    let updates = updates(&answers);
    assert_eq!(updates.len(), asked);
    for update in &updates {
        // A position is used when it is at most twelve seconds newer than the last that was, and
        // 270 m are driven in thirty.
        let left_m = (places.len() as f64 - update.ts.since_seconds(at(0.0))) * 9.0;
        let off_m = (update.remaining_m - left_m).abs();
        assert!(
            off_m < 300.0 + 0.05 * left_m,
            "{} m at {}, and {left_m} m are left",
            update.remaining_m,
            update.ts
        );
        assert!(update.p10 >= update.ts && update.p90 >= update.eta);
    }
    // In the silence nothing was learnt; before and after it, nearly all.
    let driven_m: f64 = answers
        .iter()
        .filter_map(|answer| if let Event::RoadTraversals(one) = answer { Some(one.metres) } else { None })
        .sum();
    let seen_m = (places.len() as f64 - 200.0) * 9.0;
    assert!((0.85..1.0).contains(&(driven_m / seen_m)), "{driven_m} m of {seen_m} m");
}
