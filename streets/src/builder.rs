//! From the parts that every source gives to a map: the one place where a
//! map's invariants are made.

use crate::RoadClass;
use crate::geometry::Point;
use crate::map::{Adjacency, Bend, Bounds, Link, LinkId, Map, NodeId, Street};
use crate::near::Index;

/// The directions in which a street may be driven, seen in the order of its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Directions {
    Both = 0,
    Forward = 1,
    Backward = 2,
}

/// A street as every source gives it. `from`, `to` and `name` are rows of
/// [`Parts`], and must exist.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawStreet {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) ways: Directions,
    pub(crate) class: RoadClass,
    /// Limit in tenths of km/h; 0 when it is unknown.
    pub(crate) limit_tenth_kmh: u16,
    pub(crate) name: Option<u32>,
    pub(crate) osm_way_id: i64,
    /// Length in decimetres; 0 to have it measured along the line.
    pub(crate) length_dm: u32,
    /// The points between the two junctions, in the order from → to.
    pub(crate) between: Vec<Point>,
}

/// All that a map is made of. Two maps with equal parts are equal.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Parts {
    pub(crate) nodes: Vec<Point>,
    pub(crate) names: Vec<String>,
    pub(crate) streets: Vec<RawStreet>,
}

/// Half the circumference of the Earth: no street is longer, and no sum of lengths of a path leaves
/// what f64 counts well.
pub(crate) const MAX_LENGTH_DM: u32 = 200_000_000;

/// Metres as whole decimetres, at least one; none for what is no length.
pub(crate) fn decimetres(metres: f64) -> Option<u32> {
    let dm = (metres * 10.0).round();
    (dm >= 0.0 && dm <= f64::from(MAX_LENGTH_DM)).then(|| (dm as u32).max(1))
}

/// km/h as tenths; none for what is no speed limit.
pub(crate) fn tenth_kmh(kmh: f64) -> Option<u16> {
    let tenths = (kmh * 10.0).round();
    (tenths >= 1.0 && tenths <= f64::from(u16::MAX)).then_some(tenths as u16)
}

impl Parts {
    pub(crate) fn build(self) -> Map {
        let mut map = Map {
            nodes: self.nodes,
            links: Vec::with_capacity(self.streets.len() * 2),
            streets: Vec::with_capacity(self.streets.len()),
            bends: Vec::with_capacity(self.streets.len() * 3),
            names: self.names,
            leaving: Adjacency::default(),
            arriving: Adjacency::default(),
            after: Vec::new(),
            before: Vec::new(),
            index: Index::default(),
            bounds: Bounds { south: 0.0, west: 0.0, north: 0.0, east: 0.0 },
        };
        for street in &self.streets {
            lay(&mut map, street);
        }
        map.links.shrink_to_fit();
        map.bends.shrink_to_fit();
        map.leaving = adjacency(map.nodes.len(), &map.links, |link| link.from);
        map.arriving = adjacency(map.nodes.len(), &map.links, |link| link.to);
        map.after = map.links.iter().map(|link| map.leaving.range(link.to)).collect();
        map.before = map.links.iter().map(|link| map.arriving.range(link.from)).collect();
        map.bounds = bounds(&map.bends);
        map.index = Index::of(&map);
        map
    }

    /// The parts that a map was built from.
    pub(crate) fn of(map: &Map) -> Parts {
        let street = |street: &Street| {
            let link = map.link(street.first_link);
            let bends = &map.bends[street.bends.start as usize..street.bends.end as usize];
            let (from, to) = if link.reverse { (link.to, link.from) } else { (link.from, link.to) };
            RawStreet {
                from: from.0,
                to: to.0,
                ways: match (link.reverse, link.twin) {
                    (_, Some(_)) => Directions::Both,
                    (false, None) => Directions::Forward,
                    (true, None) => Directions::Backward,
                },
                class: link.class,
                limit_tenth_kmh: link.max_speed_mps.map_or(0, |mps| (mps * 36.0).round() as u16),
                name: street.name,
                osm_way_id: street.osm_way_id,
                length_dm: (link.length_m * 10.0).round() as u32,
                between: bends[1..bends.len() - 1].iter().map(|bend| bend.point).collect(),
            }
        };
        Parts {
            nodes: map.nodes.clone(),
            names: map.names.clone(),
            streets: map.streets.iter().map(street).collect(),
        }
    }
}

/// Adds one street: its line, and a link for each direction.
fn lay(map: &mut Map, raw: &RawStreet) {
    let first_bend = map.bends.len();
    let ends = (map.nodes[raw.from as usize], map.nodes[raw.to as usize]);
    let mut along = 0.0;
    let mut before: Option<Point> = None;
    for point in [ends.0].into_iter().chain(raw.between.iter().copied()).chain([ends.1]) {
        if let Some(before) = before {
            along += before.distance_m(point);
            let heading = before.bearing_deg(point) as f32;
            map.bends.last_mut().expect("a bend came before").heading_deg = heading;
        }
        map.bends.push(Bend { point, along_m: along as f32, heading_deg: 0.0 });
        before = Some(point);
    }
    let measured_m = along;
    let length_dm =
        if raw.length_dm > 0 { raw.length_dm } else { decimetres(measured_m).unwrap_or(MAX_LENGTH_DM) };
    let length_m = f64::from(length_dm) / 10.0;
    scale(&mut map.bends[first_bend..], measured_m, length_m);

    let street = map.streets.len() as u32;
    let first_link = LinkId(map.links.len() as u32);
    let link = |reverse: bool, twin: Option<LinkId>| Link {
        from: NodeId(if reverse { raw.to } else { raw.from }),
        to: NodeId(if reverse { raw.from } else { raw.to }),
        length_m,
        class: raw.class,
        max_speed_mps: (raw.limit_tenth_kmh > 0).then(|| f64::from(raw.limit_tenth_kmh) / 36.0),
        twin,
        street,
        reverse,
    };
    match raw.ways {
        Directions::Both => {
            let second_link = LinkId(first_link.0 + 1);
            map.links.extend([link(false, Some(second_link)), link(true, Some(first_link))]);
        }
        Directions::Forward => map.links.push(link(false, None)),
        Directions::Backward => map.links.push(link(true, None)),
    }
    map.streets.push(Street {
        first_link,
        name: raw.name,
        osm_way_id: raw.osm_way_id,
        bends: first_bend as u32..map.bends.len() as u32,
    });
}

/// Makes the line as long as the source says the street is, and gives the last bend (and every bend
/// that lies on the one after it, which has no direction of its own) the heading of a neighbour.
fn scale(bends: &mut [Bend], measured_m: f64, length_m: f64) {
    let last = bends.len() - 1;
    for (at, bend) in bends.iter_mut().enumerate() {
        let share =
            if measured_m > 0.0 { f64::from(bend.along_m) / measured_m } else { at as f64 / last as f64 };
        bend.along_m = (share * length_m) as f32;
    }
    bends[last].along_m = length_m as f32;
    let mut heading = 0.0;
    for at in 0..last {
        if bends[at].point == bends[at + 1].point {
            bends[at].heading_deg = heading;
        }
        heading = bends[at].heading_deg;
    }
    bends[last].heading_deg = heading;
}

/// Groups links by a junction of theirs, in order (a counting sort).
fn adjacency(nodes: usize, links: &[Link], node_of: impl Fn(&Link) -> NodeId) -> Adjacency {
    let mut starts = vec![0_u32; nodes + 1];
    for link in links {
        starts[node_of(link).index() + 1] += 1;
    }
    for at in 0..nodes {
        starts[at + 1] += starts[at];
    }
    let mut next = starts.clone();
    let mut sorted = vec![LinkId(0); links.len()];
    for (row, link) in links.iter().enumerate() {
        let slot = &mut next[node_of(link).index()];
        sorted[*slot as usize] = LinkId(row as u32);
        *slot += 1;
    }
    Adjacency { starts, links: sorted }
}

fn bounds(bends: &[Bend]) -> Bounds {
    let Some(first) = bends.first() else {
        return Bounds { south: 0.0, west: 0.0, north: 0.0, east: 0.0 };
    };
    let (lat, lon) = (first.point.lat(), first.point.lon());
    bends.iter().fold(Bounds { south: lat, west: lon, north: lat, east: lon }, |bounds, bend| Bounds {
        south: bounds.south.min(bend.point.lat()),
        west: bounds.west.min(bend.point.lon()),
        north: bounds.north.max(bend.point.lat()),
        east: bounds.east.max(bend.point.lon()),
    })
}
