//! Paths through a small map drawn by hand, and through a real city with a noisy receiver.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use std::fmt::Write;

use expect_test::{Expect, expect};
use streets::{FreeFlow, Map, Router};

use super::*;

/// A crossroads of two streets, 200 m each way, with a one-way street beside the eastern arm:
///
/// ```text
///              n
///              │
///      w ───── c ═════ e ───── f      ═ two parallel ways: 2 (two-way) and
///              │                        4 (one-way, eastwards, 30 m to the north)
///              s
/// ```
/// Rows of the links file: 0 w–c, 1 n–c, 2 c–e, 3 c–s, 4 c→e, 5 e–f.
fn crossroads() -> Arc<Map> {
    let (lon, lat) = (200.0 / 111_195.0, 200.0 / 111_195.0);
    let nodes =
        format!("node,lon,lat\n0,{},0\n1,0,0\n2,{lon},0\n3,0,{lat}\n4,0,-{lat}\n5,{},0\n", -lon, 2.0 * lon);
    let bow = 30.0 / 111_195.0;
    let links = format!(
        "from_node,to_node,oneway,highway,name,maxspeed_kmh,lanes,osm_way_id,length_m,geometry_lon_lat\n\
         0,1,0,residential,West,,,0,200,\"{west},0 0,0\"\n\
         3,1,0,residential,North,,,0,200,\"0,{lat} 0,0\"\n\
         1,2,0,residential,East,,,0,200,\"0,0 {lon},0\"\n\
         1,4,0,residential,South,,,0,200,\"0,0 0,-{lat}\"\n\
         1,2,1,residential,Bow,,,0,215,\"0,0 {third},{bow} {two_thirds},{bow} {lon},0\"\n\
         2,5,0,residential,Far,,,0,200,\"{lon},0 {far},0\"\n",
        west = -lon,
        third = lon / 4.0,
        far = 2.0 * lon,
        two_thirds = lon * 3.0 / 4.0,
    );
    let folder = tempfile::tempdir().unwrap();
    let (links_file, nodes_file) = (folder.path().join("links.csv"), folder.path().join("nodes.csv"));
    std::fs::write(&links_file, links).unwrap();
    std::fs::write(&nodes_file, nodes).unwrap();
    Arc::new(Map::from_csv(&links_file, &nodes_file).unwrap())
}

/// A position so many metres east and north of the crossing.
fn fix(second: f64, east_m: f64, north_m: f64) -> Fix {
    Fix {
        ts: Timestamp::from_ms(1_772_535_600_000).plus_seconds(second),
        lat: north_m / 111_195.0,
        lon: east_m / 111_195.0,
        speed_mps: None,
        heading_deg: None,
    }
}

/// Matches the positions in this order and shows what became of each, what was driven, and where
/// the car is in the end.
fn check(fixes: &[Fix], expect: &Expect) {
    let map = crossroads();
    let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 0);
    let (mut track, mut driven) = (Track::default(), Vec::new());
    let mut shown = String::new();
    let at = |ts: Timestamp| (ts.ms() - 1_772_535_600_000) as f64 / 1000.0;
    for fix in fixes {
        let outcome = matcher.observe(&mut track, fix, &mut driven);
        let place = track.position().map_or_else(
            || "nowhere".to_owned(),
            |(spot, _)| format!("{} + {:.0} m", map.link_key(spot.link), spot.offset_m),
        );
        writeln!(shown, "{} s {outcome:?}: {place}", at(fix.ts)).unwrap();
    }
    matcher.finish(&mut track, &mut driven);
    for one in driven {
        writeln!(
            shown,
            "drove {} from {:.1} to {:.1}",
            map.link_key(one.link),
            at(one.entered),
            at(one.left)
        )
        .unwrap();
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_car_crosses_and_turns_into_the_street_it_is_heading_for() {
    let way = [
        (390.0, 3.0),
        (300.0, -7.0),
        (210.0, 2.0),
        (150.0, 4.0),
        (90.0, -6.0),
        (40.0, 5.0),
        (3.0, -9.0),
        (5.0, -60.0),
        (-4.0, -110.0),
    ];
    let fixes: Vec<Fix> =
        (0..).zip(way).map(|(at, (east, north))| fix(f64::from(at) * 15.0, east, north)).collect();
    check(
        &fixes,
        &expect![[r#"
            0 s Matched: 5f + 190 m
            15 s Matched: 5r + 100 m
            30 s Matched: 5r + 190 m
            45 s Matched: 2r + 50 m
            60 s Matched: 2r + 110 m
            75 s Matched: 2r + 160 m
            90 s Matched: 3f + 9 m
            105 s Matched: 3f + 60 m
            120 s Matched: 3f + 110 m
            drove 2r from 32.5 to 87.2
        "#]],
    );
}

#[test]
fn the_heading_tells_the_direction_at_once() {
    let mut fixes = [fix(0.0, 100.0, 2.0), fix(5.0, 60.0, -3.0)];
    for fix in &mut fixes {
        (fix.speed_mps, fix.heading_deg) = (Some(8.0), Some(268.0));
    }
    check(
        &fixes,
        &expect![[r#"
                0 s Matched: 2r + 100 m
                5 s Matched: 2r + 140 m
        "#]],
    );
}

#[test]
fn a_car_that_stands_may_seem_to_roll_back() {
    let way = [-150.0, -100.0, -60.0, -72.0, -58.0, -71.0, -63.0, -20.0, 60.0];
    let fixes: Vec<Fix> = (0..).zip(way).map(|(at, east)| fix(f64::from(at) * 15.0, east, 3.0)).collect();
    check(
        &fixes,
        &expect![[r#"
            0 s Matched: 0f + 50 m
            15 s Matched: 0f + 100 m
            30 s Matched: 0f + 140 m
            45 s Matched: 0f + 140 m
            60 s Matched: 0f + 142 m
            75 s Matched: 0f + 142 m
            90 s Matched: 0f + 142 m
            105 s Matched: 0f + 180 m
            120 s Matched: 2f + 60 m
        "#]],
    );
}

#[test]
fn the_error_of_a_car_that_stands_does_not_drive() {
    let mut way = vec![(-150.0, 3.0), (-90.0, 2.0), (-30.0, 2.0)];
    // At the corner its error wanders round into the street to the north, and back.
    way.extend([
        (-12.0, 0.0),
        (0.0, 10.0),
        (3.0, 25.0),
        (1.0, 40.0),
        (-2.0, 30.0),
        (4.0, 12.0),
        (-10.0, 2.0),
    ]);
    way.extend([(40.0, 2.0), (100.0, -3.0), (190.0, 0.0), (250.0, 2.0)]);
    let mut fixes: Vec<Fix> =
        (0..).zip(way).map(|(at, (east, north))| fix(f64::from(at) * 5.0, east, north)).collect();
    for (at, fix) in fixes.iter_mut().enumerate() {
        fix.speed_mps = Some(if (3..10).contains(&at) { 0.2 } else { 12.0 });
    }
    check(
        &fixes,
        &expect![[r#"
        0 s Matched: 0f + 50 m
        5 s Matched: 0f + 110 m
        10 s Matched: 0f + 170 m
        15 s Matched: 0f + 188 m
        20 s Matched: 0f + 188 m
        25 s Matched: 0f + 188 m
        30 s Matched: 0f + 188 m
        35 s Matched: 0f + 188 m
        40 s Matched: 0f + 188 m
        45 s Matched: 0f + 188 m
        50 s Matched: 2f + 40 m
        55 s Matched: 2f + 100 m
        60 s Matched: 2f + 190 m
        65 s Matched: 5f + 50 m
        drove 2f from 46.2 to 60.8
    "#]],
    );
}

#[test]
fn one_position_that_fits_nothing_is_passed_over() {
    let mut fixes: Vec<Fix> =
        (0_i16..12).map(|at| fix(f64::from(at) * 5.0, -190.0 + 40.0 * f64::from(at), 2.0)).collect();
    fixes[3] = fix(15.0, 20.0, 150.0);
    fixes[5] = fix(25.0, 500.0, 900.0);
    for fix in &mut fixes {
        fix.speed_mps = Some(8.0);
    }
    check(
        &fixes,
        &expect![[r#"
            0 s Matched: 0f + 10 m
            5 s Matched: 0f + 50 m
            10 s Matched: 0f + 90 m
            15 s Misfit: 0f + 90 m
            20 s Matched: 0f + 170 m
            25 s OffMap: 0f + 170 m
            30 s Matched: 2f + 50 m
            35 s Matched: 2f + 90 m
            40 s Matched: 2f + 130 m
            45 s Matched: 2f + 170 m
            50 s Matched: 5f + 10 m
            55 s Matched: 5f + 50 m
            drove 2f from 23.8 to 48.8
        "#]],
    );
}

/// A car that drives eastwards at 10 m/s, seen each second by a receiver that for 15 s believes to
/// be 120 m north of where it is, at first on the street to the north.
fn misled(measured: bool) -> Vec<Fix> {
    (0_i16..58)
        .map(|second| {
            let east_m = -180.0 + 10.0 * f64::from(second);
            let north_m = if (18..33).contains(&second) { 120.0 } else { 2.0 };
            let mut fix = fix(f64::from(second), east_m, north_m);
            (fix.speed_mps, fix.heading_deg) = (measured.then_some(10.0), measured.then_some(90.0));
            fix
        })
        .collect()
}

#[test]
fn a_receiver_that_a_wall_misleads_does_not_drive_round_the_block() {
    let map = crossroads();
    for measured in [true, false] {
        let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 0);
        let (mut track, mut driven) = (Track::default(), Vec::new());
        for fix in misled(measured) {
            matcher.observe(&mut track, &fix, &mut driven);
        }
        matcher.finish(&mut track, &mut driven);
        let links: Vec<_> = driven.iter().map(|one| map.link_key(one.link)).collect();
        assert_eq!(links, ["2f"], "with a speed: {measured}");
    }
}

#[test]
fn a_receiver_that_says_nought_for_want_of_a_speed_is_not_believed_to_stand() {
    let fixes: Vec<Fix> = (0_i16..12)
        .map(|at| Fix {
            speed_mps: Some(0.0),
            ..fix(f64::from(at) * 3.0, -190.0 + 40.0 * f64::from(at), 2.0)
        })
        .collect();
    let map = crossroads();
    let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 0);
    let (mut track, mut driven) = (Track::default(), Vec::new());
    for (at, fix) in fixes.iter().enumerate() {
        assert_eq!(matcher.observe(&mut track, fix, &mut driven), Outcome::Matched);
        let place = map.place_at(track.position().unwrap().0.link, track.position().unwrap().0.offset_m);
        let off_m = streets::distance_m(place.lat, place.lon, fix.lat, fix.lon);
        assert!(off_m < 10.0, "{off_m} m off at the {at}th");
    }
}

#[test]
fn an_error_that_stays_does_not_change_the_street() {
    // 20 m beside its street all the way, which is where the way that runs beside it is nearer.
    let fixes: Vec<Fix> = (0..=60)
        .map(|second| Fix {
            speed_mps: Some(9.0),
            heading_deg: Some(90.0),
            ..fix(f64::from(second), -170.0 + 9.0 * f64::from(second), 20.0)
        })
        .collect();
    let map = crossroads();
    let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 0);
    let (mut track, mut driven) = (Track::default(), Vec::new());
    for fix in &fixes {
        matcher.observe(&mut track, fix, &mut driven);
    }
    matcher.finish(&mut track, &mut driven);
    let keys: Vec<String> = driven.iter().map(|one| map.link_key(one.link)).collect();
    assert_eq!(keys, ["2f"], "from the west straight on to the east");
}

#[test]
fn a_late_position_finds_its_place() {
    let mut fixes: Vec<Fix> =
        (0_i16..12).map(|at| fix(f64::from(at) * 15.0, -190.0 + 40.0 * f64::from(at), 2.0)).collect();
    let map = crossroads();
    let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 45_000);
    let mut drive = |fixes: &[Fix]| {
        let (mut track, mut driven, mut outcomes) = (Track::default(), Vec::new(), Vec::new());
        for fix in fixes {
            outcomes.push(matcher.observe(&mut track, fix, &mut driven));
        }
        matcher.finish(&mut track, &mut driven);
        (driven, outcomes)
    };
    let (in_order, _) = drive(&fixes);
    fixes.swap(4, 5);
    let (swapped, outcomes) = drive(&fixes);
    assert_eq!(outcomes[5], Outcome::Inserted);
    assert_eq!(in_order, swapped);
    assert!(!in_order.is_empty());
}

#[test]
fn silence_begins_a_new_way() {
    let fixes =
        [fix(0.0, -190.0, 2.0), fix(15.0, -100.0, 2.0), fix(111.0, 60.0, 2.0), fix(126.0, 100.0, 2.0)];
    check(
        &fixes,
        &expect![[r#"
            0 s Matched: 0f + 10 m
            15 s Matched: 0f + 100 m
            111 s Matched: 2f + 60 m
            126 s Matched: 2f + 100 m
        "#]],
    );
}

/// A small generator of noise: the tests need no better.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal, with this standard deviation.
    fn normal(&mut self, sigma: f64) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>().mul_add(sigma, -6.0 * sigma)
    }
}

/// Share of the length of random drives through La Serena that is matched, seen each `every`
/// seconds with errors of `sigma` metres a side, with or without speed and heading.
fn matched_share(map: &Arc<Map>, every: usize, sigma: f64, heading: bool) -> f64 {
    let (mut noise, mut router) = (Noise(7), Router::new());
    let mut matcher = Matcher::new(Arc::new(Roads::new(map.clone())), 0);
    let (mut all_m, mut right_m) = (0.0, 0.0);
    let mut drives = 0;
    while drives < 8 {
        let spot = |noise: &mut Noise| {
            let link = LinkId((noise.uniform() * map.link_count() as f64) as u32);
            Spot { link, offset_m: map.link(link).length_m / 2.0 }
        };
        let (from, to) = (spot(&mut noise), spot(&mut noise));
        let costs = FreeFlow { map, u_turn_s: 60.0 };
        let Some(route) = router.route(map, from, to, &costs).filter(|route| route.length_m > 2000.0) else {
            continue;
        };
        drives += 1;
        let mut fixes = Vec::new();
        let mut ts = Timestamp::from_ms(1_772_535_600_000);
        let (mut at, mut offset_m) = (0, route.start_m);
        'drive: loop {
            let place = map.place_at(route.links[at], offset_m);
            fixes.push(Fix {
                ts,
                lat: place.lat + noise.normal(sigma) / 111_195.0,
                lon: place.lon + noise.normal(sigma) / (111_195.0 * place.lat.to_radians().cos()),
                speed_mps: heading.then_some(9.0),
                heading_deg: heading.then(|| (place.heading_deg + noise.normal(8.0)).rem_euclid(360.0)),
            });
            ts = ts.plus_ms(1000);
            offset_m += 9.0;
            while offset_m > map.link(route.links[at]).length_m {
                offset_m -= map.link(route.links[at]).length_m;
                at += 1;
                if at == route.links.len() {
                    break 'drive;
                }
            }
        }
        let (mut track, mut driven) = (Track::default(), Vec::new());
        for fix in fixes.iter().step_by(every) {
            matcher.observe(&mut track, fix, &mut driven);
        }
        matcher.finish(&mut track, &mut driven);
        // The ends are driven in part; with 30 s between positions the last half minute may be
        // missing.
        for &link in &route.links[1..route.links.len() - 1] {
            all_m += map.link(link).length_m;
        }
        let mut true_links = route.links.clone();
        for one in &driven {
            if let Some(found) = true_links.iter().position(|&link| link == one.link) {
                true_links.swap_remove(found);
                right_m += map.link(one.link).length_m;
            }
        }
    }
    right_m / all_m
}

#[test]
fn a_real_city_is_matched_at_every_sampling() {
    let map = Arc::new(Map::la_serena());
    for (every, heading, least) in [(1, true, 0.99), (1, false, 0.98), (15, true, 0.97), (15, false, 0.97)] {
        let share = matched_share(&map, every, 5.0, heading);
        assert!(share >= least, "only {:.1} % at {every} s, heading {heading}", 100.0 * share);
    }
}
