//! The searches against the plain text of Dijkstra's algorithm, on random towns.

use proptest::prelude::*;

use super::*;
use crate::RoadClass;
use crate::builder::{Directions, Parts, RawStreet};
use crate::geometry::Point;

/// A town of up to 12 junctions with any streets at all between them: loops, parallel streets,
/// junctions without any.
fn town() -> impl Strategy<Value = Map> {
    let street = (0_u32..12, 0_u32..12, 0_u8..3, 1_u32..2000);
    prop::collection::vec(street, 1..40).prop_map(|streets| {
        let nodes = (0..12).map(|n| Point { lat_e6: n % 4 * 1000, lon_e6: n / 4 * 1000 }).collect();
        let streets = streets.into_iter().map(|(from, to, ways, length_dm)| RawStreet {
            from,
            to,
            ways: [Directions::Both, Directions::Forward, Directions::Backward][usize::from(ways)],
            class: RoadClass::Unknown,
            limit_tenth_kmh: 0,
            name: None,
            osm_way_id: 0,
            length_dm,
            between: Vec::new(),
        });
        Parts { nodes, names: Vec::new(), streets: streets.collect() }.build()
    })
}

/// Costs without order: some links free, some closed, turns as they come.
struct Any;

impl Costs for Any {
    fn link(&self, link: LinkId) -> f64 {
        match link.0.wrapping_mul(2_654_435_761) >> 28 {
            0 => f64::INFINITY,
            1 => 0.0,
            2 => f64::NAN,
            3 => -1.0,
            any => f64::from(any),
        }
    }

    fn turn(&self, from: LinkId, into: LinkId) -> f64 {
        f64::from((from.0.wrapping_mul(31) ^ into.0.wrapping_mul(17)) % 8)
    }
}

fn spot(map: &Map, row: u32, share: f64) -> Spot {
    let link = LinkId(row % map.link_count() as u32);
    Spot { link, offset_m: map.link(link).length_m * share }
}

/// Whether every link of a route begins where the one before it ends.
fn is_connected(map: &Map, links: &[LinkId]) -> bool {
    links.windows(2).all(|pair| map.link(pair[0]).to == map.link(pair[1]).from)
}

proptest! {
    #[test]
    fn router_finds_what_dijkstra_finds(map in town(), a: u32, b: u32, at in 0.0..=1.0, to in 0.0..=1.0) {
        let (from, to) = (spot(&map, a, at), spot(&map, b, to));
        let mut router = Router::new();
        // Twice with the same router: what is left of the first search must not show in the second.
        for _ in 0..2 {
            let plain = dijkstra(&map, from, to, &Any);
            let fast = router.route(&map, from, to, &Any);
            prop_assert_eq!(plain.is_some(), fast.is_some());
            let (Some(plain), Some(fast)) = (plain, fast) else { continue };
            prop_assert!((plain.cost - fast.cost).abs() < 1e-9, "{} {}", plain.cost, fast.cost);
            prop_assert!(is_connected(&map, &fast.links));
            prop_assert_eq!((fast.links[0], fast.links[fast.links.len() - 1]), (from.link, to.link));
            router.route(&map, to, from, &Any);
        }
    }

    #[test]
    fn of_several_doors_the_cheapest_pair_is_taken(
        map in town(),
        doors in prop::collection::vec((any::<u32>(), 0.0..=1.0, 0_u8..20), 2..7),
        starts in 1_usize..3,
    ) {
        let doors: Vec<RouteEnd> = doors
            .into_iter()
            .map(|(row, share, extra)| RouteEnd { spot: spot(&map, row, share), extra: f64::from(extra) })
            .collect();
        let (from, to) = doors.split_at(starts.min(doors.len() - 1));
        let all = |from: &RouteEnd, to: &RouteEnd| {
            dijkstra(&map, from.spot, to.spot, &Any).map(|route| from.extra + route.cost + to.extra)
        };
        let pairs = from.iter().flat_map(|from| to.iter().filter_map(move |to| all(from, to)));
        let plain = pairs.min_by(f64::total_cmp);
        let fast = Router::new().route_between(&map, from, to, &Any);
        prop_assert_eq!(plain.is_some(), fast.is_some());
        if let (Some(plain), Some(fast)) = (plain, fast) {
            prop_assert!(is_connected(&map, &fast.links));
            let (first, last) = (fast.links[0], fast.links[fast.links.len() - 1]);
            let at = |doors: &[RouteEnd], link: LinkId, offset_m: f64| {
                doors
                    .iter()
                    .filter(|door| door.spot.link == link && (door.spot.offset_m - offset_m).abs() < 1e-9)
                    .map(|door| door.extra)
                    .min_by(f64::total_cmp)
            };
            let extra = at(from, first, fast.start_m).zip(at(to, last, fast.end_m));
            let (begin, end) = extra.expect("it begins and ends at one of the doors");
            prop_assert!((begin + fast.cost + end - plain).abs() < 1e-9, "{} {plain}", fast.cost);
        }
    }

    #[test]
    fn reach_measures_what_dijkstra_measures(map in town(), a: u32, at in 0.0..=1.0, limit_m in 0.0..500.0) {
        struct Metres<'a>(&'a Map);
        impl Costs for Metres<'_> {
            fn link(&self, link: LinkId) -> f64 { self.0.link(link).length_m }
            fn turn(&self, from: LinkId, into: LinkId) -> f64 {
                if self.0.twin(from) == Some(into) { 20.0 } else { 0.0 }
            }
        }
        let from = spot(&map, a, at);
        let mut reach = DistanceSearch::new();
        prop_assert_eq!(reach.distance_m(&map, from), None);
        reach.explore(&map, from, 1e9, f64::INFINITY);
        reach.explore(&map, from, limit_m, 20.0);
        for (link, metres, via) in reach.reached() {
            let beginning = Spot { link, offset_m: 0.0 };
            // The explored link's own beginning is ahead only by going round.
            if link != from.link {
                prop_assert_eq!(reach.distance_m(&map, beginning), Some(metres));
            }
            let before = via.unwrap_or(from.link);
            prop_assert_eq!(map.link(before).to, map.link(link).from);
        }
        for link in map.link_ids() {
            let to = spot(&map, link.0, 0.5);
            let plain = dijkstra(&map, from, to, &Metres(&map));
            let mut path = vec![LinkId(7)];
            if let Some(metres) = reach.distance_m(&map, to) {
                let plain = plain.expect("what is within reach can be reached");
                prop_assert!((metres - plain.cost).abs() < 1e-6);
                prop_assert!(reach.path_into(&map, to, &mut path));
                prop_assert_eq!((path[1], path[path.len() - 1]), (from.link, to.link));
                prop_assert!(is_connected(&map, &path[1..]));
            } else {
                prop_assert!(plain.is_none_or(|plain| plain.cost > limit_m - 1e-6));
                prop_assert!(!reach.path_into(&map, to, &mut path));
                prop_assert_eq!(path.len(), 1);
            }
        }
    }
}

#[test]
fn routes_of_the_city_are_dijkstras() {
    let map = Map::la_serena();
    let mut router = Router::new();
    let costs = FreeFlow { map: &map, u_turn_s: 30.0 };
    let mut row = 1_u32;
    for _ in 0..4 {
        let mut next = || {
            row = row.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            spot(&map, row >> 4, f64::from(row >> 24) / 256.0)
        };
        let (from, middle) = (next(), next());
        // Not far away, or the plain text would take minutes here.
        let (lat, lon) = map.node(map.link(from.link).to);
        let near = map.near(lat, lon, 600.0, 400);
        let to = near[middle.link.index() % near.len()];
        let to = Spot { link: to.link, offset_m: to.offset_m };
        let (plain, fast) = (dijkstra(&map, from, to, &costs), router.route(&map, from, to, &costs));
        let (plain, fast) = (plain.expect("strongly connected"), fast.expect("strongly connected"));
        assert!((plain.cost - fast.cost).abs() < 1e-6, "{from:?} {to:?}: {} {}", plain.cost, fast.cost);
        assert!(fast.length_m > 0.0);
    }
}

#[test]
fn a_place_behind_on_a_one_way_street_is_the_way_round() {
    let street = |from, to, length_dm| RawStreet {
        from,
        to,
        ways: Directions::Forward,
        class: RoadClass::Residential,
        limit_tenth_kmh: 360,
        name: None,
        osm_way_id: 0,
        length_dm,
        between: Vec::new(),
    };
    let nodes = vec![
        Point { lat_e6: 0, lon_e6: 0 },
        Point { lat_e6: 900, lon_e6: 0 },
        Point { lat_e6: 0, lon_e6: 900 },
    ];
    let map = Parts {
        nodes,
        names: Vec::new(),
        streets: vec![street(0, 1, 1000), street(1, 0, 500), street(0, 2, 100)],
    }
    .build();
    let at = |link, offset_m| Spot { link: LinkId(link), offset_m };
    let costs = FreeFlow { map: &map, u_turn_s: 0.0 };
    let mut router = Router::new();
    let round = router.route(&map, at(0, 60.0), at(0, 20.0), &costs).unwrap();
    assert_eq!(round.links, [LinkId(0), LinkId(1), LinkId(0)]);
    assert!((round.length_m - 110.0).abs() < 1e-9 && (round.cost - 11.0).abs() < 1e-9, "{round:?}");
    let ahead = router.route(&map, at(0, 20.0), at(0, 60.0), &costs).unwrap();
    assert_eq!((ahead.links.len(), ahead.length_m), (1, 40.0));
    // The third street is a dead end without a way out.
    assert_eq!(router.route(&map, at(2, 5.0), at(0, 5.0), &costs), None);
    assert!(router.route(&map, at(0, 5.0), at(2, 5.0), &costs).is_some());
}
