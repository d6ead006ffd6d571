//! What is around a position: an R-tree over the straight pieces of all streets.

use std::ops::Range;

use rstar::{AABB, ParentNode, RTree, RTreeNode, RTreeObject};

use crate::geometry::{METRES_PER_DEGREE, in_circle, metres_per_degree_lon};
use crate::map::{Bend, LinkId, Map};

/// A link near a position, and the point of it that is nearest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The directed link.
    pub link: LinkId,
    /// Metres from its beginning to its nearest point.
    pub offset_m: f64,
    /// Metres from the position to that point.
    pub distance_m: f64,
    /// Direction of travel there in degrees clockwise from north.
    pub bearing_deg: f64,
}

/// All straight pieces by where they lie: an R-tree (Guttman 1984, bulk loaded by overlap
/// minimising top-down), laid out flat. A search goes through the nodes in their order, and past
/// all that is below one whose box is too far.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Each node before those below it.
    nodes: Vec<Node>,
    /// In the order of the nodes that hold them.
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Node {
    /// West, south, east, north in degrees: the box of all that is below it, or a little more.
    corners: [f32; 4],
    /// The first node that is not below it.
    next: u32,
    /// The pieces that it holds itself.
    pieces: Range<u32>,
}

/// A straight piece, named by the bend it begins at and the street it belongs to.
#[derive(Clone, Copy, Debug)]
struct Piece {
    street: u32,
    bend: u32,
}

/// A piece and the box that it lies in.
struct Boxed {
    piece: Piece,
    corners: [f64; 4],
}

impl RTreeObject for Boxed {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        let [west, south, east, north] = self.corners;
        AABB::from_corners([west, south], [east, north])
    }
}

impl Index {
    pub(crate) fn of(map: &Map) -> Index {
        let mut pieces = Vec::with_capacity(map.bends.len());
        for (street, of) in map.streets.iter().enumerate() {
            for bend in of.bends.start..of.bends.end - 1 {
                let corners = corners(&map.bends[bend as usize], &map.bends[bend as usize + 1]);
                pieces.push(Boxed { piece: Piece { street: street as u32, bend }, corners });
            }
        }
        let mut index = Index { nodes: Vec::new(), pieces: Vec::with_capacity(pieces.len()) };
        if !pieces.is_empty() {
            index.lay(RTree::bulk_load(pieces).root());
        }
        index.nodes.shrink_to_fit();
        index
    }

    /// Adds a node and all that is below it.
    fn lay(&mut self, node: &ParentNode<Boxed>) {
        let ([west, south], [east, north]) = (node.envelope().lower(), node.envelope().upper());
        let (at, first) = (self.nodes.len(), self.pieces.len() as u32);
        let corners = [at_most(west), at_most(south), at_least(east), at_least(north)];
        self.nodes.push(Node { corners, next: 0, pieces: first..first });
        for child in node.children() {
            match child {
                RTreeNode::Leaf(Boxed { piece, .. }) => self.pieces.push(*piece),
                RTreeNode::Parent(node) => self.lay(node),
            }
        }
        // All leaves of an R-tree are equally deep: a node holds either nodes or pieces.
        if self.nodes.len() == at + 1 {
            self.nodes[at].pieces.end = self.pieces.len() as u32;
        }
        self.nodes[at].next = self.nodes.len() as u32;
    }

    /// The pieces of all nodes whose boxes meet a window: all pieces that meet it, and others.
    fn pieces_near(&self, window: [f64; 4]) -> impl Iterator<Item = Piece> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let node = self.nodes.get(at)?;
            let meets = meet(node.corners.map(f64::from), window);
            at = if meets { at + 1 } else { node.next as usize };
            Some(if meets { node.pieces.clone() } else { 0..0 })
        })
        .flat_map(|pieces| &self.pieces[pieces.start as usize..pieces.end as usize])
        .copied()
    }
}

/// The box of a piece.
fn corners(a: &Bend, b: &Bend) -> [f64; 4] {
    let (a, b) = (a.point, b.point);
    [a.lon().min(b.lon()), a.lat().min(b.lat()), a.lon().max(b.lon()), a.lat().max(b.lat())]
}

/// Whether two boxes have a point in common.
fn meet(one: [f64; 4], other: [f64; 4]) -> bool {
    one[0] <= other[2] && other[0] <= one[2] && one[1] <= other[3] && other[1] <= one[3]
}

/// The greatest number of half the length that is no greater.
fn at_most(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) > number { near.next_down() } else { near }
}

/// The least that is no less.
fn at_least(number: f64) -> f32 {
    -at_most(-number)
}

impl Map {
    /// The links within `radius_m` of a position, nearest first, at most `limit` of them: for each
    /// its nearest point, and both directions of a two-way street. Links equally near are in
    /// the order of their ids.
    pub fn near(&self, lat: f64, lon: f64, radius_m: f64, limit: usize) -> Vec<Candidate> {
        let mut found = Vec::new();
        self.near_into(lat, lon, radius_m, limit, &mut found);
        found
    }

    /// As [`Map::near`], into a vector whose old content is dropped and whose room is used again.
    pub fn near_into(&self, lat: f64, lon: f64, radius_m: f64, limit: usize, found: &mut Vec<Candidate>) {
        found.clear();
        if !(lat.is_finite() && lon.is_finite() && radius_m >= 0.0) {
            return;
        }
        let per_lon = metres_per_degree_lon(lat);
        let (wide, high) = (radius_m / per_lon, radius_m / METRES_PER_DEGREE);
        let window = [lon - wide, lat - high, lon + wide, lat + high];
        for piece in self.index.pieces_near(window) {
            let [a, b] = [0, 1].map(|end| &self.bends[piece.bend as usize + end]);
            if meet(corners(a, b), window) {
                found.extend(self.project(piece, lat, lon, per_lon, radius_m));
            }
        }

        // One candidate a street: the nearest of its pieces, the first of them where two are
        // equally near.
        found.sort_unstable_by(|a, b| {
            (a.link, a.distance_m, a.offset_m)
                .partial_cmp(&(b.link, b.distance_m, b.offset_m))
                .expect("finite")
        });
        found.dedup_by_key(|candidate| candidate.link);
        for at in 0..found.len() {
            let one = found[at];
            let link = self.link(one.link);
            let against = Candidate {
                link: link.twin.unwrap_or(one.link),
                offset_m: link.length_m - one.offset_m,
                distance_m: one.distance_m,
                bearing_deg: in_circle(one.bearing_deg + 180.0),
            };
            if link.reverse {
                found[at] = against;
            } else if link.twin.is_some() {
                found.push(against);
            }
        }
        found.sort_unstable_by(|a, b| {
            (a.distance_m, a.link).partial_cmp(&(b.distance_m, b.link)).expect("finite")
        });
        found.truncate(limit);
    }

    /// The nearest point of one piece on a plane laid at the position, named by its street's first
    /// link and measured in the order of the street's points; none when it is too far.
    fn project(&self, piece: Piece, lat: f64, lon: f64, per_lon: f64, radius_m: f64) -> Option<Candidate> {
        let (a, b) = (&self.bends[piece.bend as usize], &self.bends[piece.bend as usize + 1]);
        let (ax, ay) = ((a.point.lon() - lon) * per_lon, (a.point.lat() - lat) * METRES_PER_DEGREE);
        let (bx, by) = ((b.point.lon() - lon) * per_lon, (b.point.lat() - lat) * METRES_PER_DEGREE);
        let (dx, dy) = (bx - ax, by - ay);
        let squared = dx * dx + dy * dy;
        let share = if squared > 0.0 { (-(ax * dx + ay * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
        let distance_m = (ax + dx * share).hypot(ay + dy * share);
        (distance_m <= radius_m).then(|| {
            let street = &self.streets[piece.street as usize];
            let along = f64::from(a.along_m) + (f64::from(b.along_m) - f64::from(a.along_m)) * share;
            Candidate {
                link: street.first_link,
                offset_m: along.min(self.link(street.first_link).length_m),
                distance_m,
                bearing_deg: f64::from(a.heading_deg),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::distance_m;

    /// The same by looking at the line of every link.
    fn plain(map: &Map, lat: f64, lon: f64, radius_m: f64) -> Vec<(LinkId, f64)> {
        let nearest = |link: LinkId| {
            let line: Vec<_> = map.shape(link).collect();
            // No point of a line is further from its first than it is long (twice, for lines longer
            // than the source says).
            if distance_m(lat, lon, line[0].0, line[0].1) > radius_m + 2.0 * map.link(link).length_m + 50.0 {
                return f64::INFINITY;
            }
            let pieces = line.windows(2).map(|ends| {
                // The distance along a piece has one minimum: close in on it.
                let at = |share: f64| {
                    let (a, b) = (ends[0], ends[1]);
                    distance_m(lat, lon, a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
                };
                let (mut low, mut high) = (0.0, 1.0);
                for _ in 0..60 {
                    let third = (high - low) / 3.0;
                    if at(low + third) < at(high - third) { high -= third } else { low += third }
                }
                at(low)
            });
            pieces.fold(f64::INFINITY, f64::min)
        };
        let all = map.link_ids().map(|link| (link, nearest(link)));
        let mut found: Vec<_> = all.filter(|(_, metres)| *metres <= radius_m).collect();
        found.sort_by(|a, b| (a.1, a.0).partial_cmp(&(b.1, b.0)).unwrap());
        found
    }

    #[test]
    fn near_finds_what_a_look_at_every_link_finds() {
        let map = Map::la_serena();
        let mut found = Vec::new();
        for (lat, lon) in [(-29.9027, -71.2519), (-29.9533, -71.3395), (-29.95, -71.25)] {
            map.near_into(lat, lon, 80.0, usize::MAX, &mut found);
            let plain = plain(&map, lat, lon, 80.0);
            assert_eq!(found.len(), plain.len());
            let mut links: Vec<_> = found.iter().map(|one| one.link).collect();
            let mut plain_links: Vec<_> = plain.iter().map(|one| one.0).collect();
            links.sort_unstable();
            plain_links.sort_unstable();
            assert_eq!(links, plain_links);
            for (one, (_, metres)) in found.iter().zip(&plain) {
                assert!((one.distance_m - metres).abs() < 0.01, "{one:?} {metres}");
            }
            assert_eq!(map.near(lat, lon, 80.0, 3), found[..3.min(found.len())]);
        }
    }

    proptest! {
        #[test]
        fn a_place_on_a_link_is_found_there(row in 0_u32..34_145, share in 0.0..=1.0) {
            thread_local!(static MAP: Map = Map::la_serena());
            MAP.with(|map| {
                let link = LinkId(row);
                let length_m = map.link(link).length_m;
                let place = map.place_at(link, length_m * share);
                let found = map.near(place.lat, place.lon, 1.0, usize::MAX);
                let Some(here) = found.iter().find(|one| one.link == link) else {
                    return Err(TestCaseError::fail(format!("{place:?} is not on {row}: {found:?}")));
                };
                prop_assert!(here.distance_m < 0.01);
                // A line may pass the same point twice; elsewhere offset and direction lead back.
                let again = map.place_at(link, here.offset_m);
                prop_assert!(distance_m(place.lat, place.lon, again.lat, again.lon) < 0.05);
                // Its twin is there too, measured from the other end and heading the other way.
                if let Some(twin) = map.twin(link) {
                    let other = found.iter().find(|one| one.link == twin).expect("both directions");
                    prop_assert!((here.offset_m + other.offset_m - length_m).abs() < 1e-6);
                    prop_assert!(((here.bearing_deg - other.bearing_deg).abs() - 180.0).abs() < 1e-3);
                }
                Ok(())
            })?;
        }
    }

    /// What a search passes over holds nothing that it looks for, and an R-tree of nodes that are
    /// allocated one by one took four times the room.
    #[test]
    fn all_pieces_that_meet_a_window_are_gone_through_and_few_others() {
        let map = Map::la_serena();
        let bytes = size_of::<Node>() * map.index.nodes.len() + size_of::<Piece>() * map.index.pieces.len();
        assert!(bytes < 20 * map.bends.len(), "{bytes} bytes for {} bends", map.bends.len());
        for (lon, lat) in [(-71.2519, -29.9027), (-71.3395, -29.9533)] {
            let window = [lon - 0.002, lat - 0.001, lon + 0.002, lat + 0.001];
            let met = |piece: &Piece| {
                let [a, b] = [0, 1].map(|end| &map.bends[piece.bend as usize + end]);
                meet(corners(a, b), window)
            };
            let near: Vec<u32> = map.index.pieces_near(window).filter(met).map(|piece| piece.bend).collect();
            let all: Vec<u32> =
                map.index.pieces.iter().filter(|piece| met(piece)).map(|it| it.bend).collect();
            assert!(near == all && !all.is_empty(), "{} of {}", near.len(), all.len());
            assert!(map.index.pieces_near(window).count() < 10 * all.len() + 100);
        }
    }

    #[test]
    fn the_halves_of_a_number_enclose_it() {
        for number in [0.0, -71.251_9, 29.902_7, 0.1, -0.1, 180.0, 1e-300, -1e-300] {
            let (low, high) = (f64::from(at_most(number)), f64::from(at_least(number)));
            assert!(low <= number && number <= high && high - low < 1e-4, "{low} {number} {high}");
        }
    }

    #[test]
    fn nowhere_is_near_nothing() {
        let map = Map::la_serena();
        for (lat, lon) in [(0.0, 0.0), (90.0, 0.0), (-90.0, 180.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert!(map.near(lat, lon, 50.0, 8).is_empty());
        }
        assert!(map.near(-29.9027, -71.2519, f64::NAN, 8).is_empty());
        assert!(map.near(-29.9027, -71.2519, 50.0, 0).is_empty());
    }
}
