//! What is around a position: an R-tree over the straight pieces of all streets.

use std::ops::ControlFlow;

use rstar::{AABB, RTree, RTreeObject};

use crate::geometry::{METRES_PER_DEGREE, in_circle, metres_per_degree_lon};
use crate::map::{LinkId, Map};

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

/// All straight pieces by where they lie. A piece is named by the bend it begins at and the street it belongs to; the
/// R-tree keeps the box of each (Guttman 1984, bulk loaded by overlap minimising top-down).
#[derive(Debug, Default)]
pub(crate) struct Index(RTree<Piece>);

#[derive(Debug)]
struct Piece {
    /// West, south, east, north in degrees.
    corners: [f64; 4],
    street: u32,
    bend: u32,
}

impl RTreeObject for Piece {
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
                let (a, b) = (map.bends[bend as usize].point, map.bends[bend as usize + 1].point);
                let corners =
                    [a.lon().min(b.lon()), a.lat().min(b.lat()), a.lon().max(b.lon()), a.lat().max(b.lat())];
                pieces.push(Piece { corners, street: street as u32, bend });
            }
        }
        Index(RTree::bulk_load(pieces))
    }
}

impl Map {
    /// The links within `radius_m` of a position, nearest first, at most `limit` of them: for each its nearest point, and
    /// both directions of a two-way street. Links equally near are in the order of their ids.
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
        let window = AABB::from_corners([lon - wide, lat - high], [lon + wide, lat + high]);
        let seen = self.index.0.locate_in_envelope_intersecting_int(window, |piece| {
            if let Some(candidate) = self.project(piece, lat, lon, per_lon, radius_m) {
                found.push(candidate);
            }
            ControlFlow::<()>::Continue(())
        });
        debug_assert!(seen.is_continue(), "the visitor never breaks off");

        // One candidate a street: the nearest of its pieces, the first of them where two are equally near.
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

    /// The nearest point of one piece on a plane laid at the position, named by its street's first link and measured in
    /// the order of the street's points; none when it is too far.
    fn project(&self, piece: &Piece, lat: f64, lon: f64, per_lon: f64, radius_m: f64) -> Option<Candidate> {
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
