//! The map itself: junctions, directed links, and where they lie.

use std::path::Path;

use crate::builder::Parts;
use crate::geometry::{Point, in_circle};
use crate::near::Index;
use crate::{CompactError, CsvError, OsmError, RoadClass};

/// A junction: its row among the map's nodes, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A directed link: its row among the map's links, from 0 to [`Map::link_count`] − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

impl NodeId {
    /// The row as an index into something that holds one entry a junction.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl LinkId {
    /// The row as an index into something that holds one entry a link.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One direction of one street between two junctions.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends; the same junction for a loop.
    pub to: NodeId,
    /// Length in metres, never less than 0.1.
    pub length_m: f64,
    /// Kind of road.
    pub class: RoadClass,
    /// Speed limit in m/s as the source gives it; none when it says nothing.
    pub max_speed_mps: Option<f64>,
    /// The opposite direction of the same street; none for a one-way street.
    pub twin: Option<LinkId>,
    /// Row of the street in the source, which both directions share.
    pub(crate) street: u32,
    /// Whether it runs against the order of the street's points.
    pub(crate) reverse: bool,
}

/// A place on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// On which directed link.
    pub link: LinkId,
    /// How many metres from its beginning.
    pub offset_m: f64,
}

impl Spot {
    /// The point `offset_m` metres along a link.
    pub fn new(link: LinkId, offset_m: f64) -> Self {
        Self { link, offset_m }
    }
}

/// A point and a direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Direction of travel in degrees clockwise from north, 0 up to but not 360.
    pub heading_deg: f64,
}

/// The smallest box of degrees that holds every street.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Southern edge.
    pub south: f64,
    /// Western edge.
    pub west: f64,
    /// Northern edge.
    pub north: f64,
    /// Eastern edge.
    pub east: f64,
}

/// A street as it stands in the source: one or two links.
#[derive(Clone, Debug)]
pub(crate) struct Street {
    /// The forward link if there is one, else the backward link.
    pub(crate) first_link: LinkId,
    /// Its row among the names; none when it has no name.
    pub(crate) name: Option<u32>,
    pub(crate) osm_way_id: i64,
    /// The range of its points, both ends included, in [`Map::bends`].
    pub(crate) bends: std::ops::Range<u32>,
}

/// A point of a street's line, with what is needed to find places along it without arithmetic on
/// the whole line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bend {
    pub(crate) point: Point,
    /// Metres from the street's first point, scaled so that the last bend
    /// stands at the street's length.
    pub(crate) along_m: f32,
    /// Direction from here to the next bend; the last repeats the one before it.
    pub(crate) heading_deg: f32,
}

/// A street map. Immutable once built; share it with an `Arc`.
#[derive(Debug)]
pub struct Map {
    pub(crate) nodes: Vec<Point>,
    pub(crate) links: Vec<Link>,
    pub(crate) streets: Vec<Street>,
    pub(crate) bends: Vec<Bend>,
    pub(crate) names: Vec<String>,
    pub(crate) leaving: Adjacency,
    pub(crate) arriving: Adjacency,
    /// For each link its junctions' slices, of the links after it in `leaving`
    /// and before it in `arriving`.
    pub(crate) after: Vec<(u32, u32)>,
    pub(crate) before: Vec<(u32, u32)>,
    pub(crate) index: Index,
    pub(crate) bounds: Bounds,
}

/// For each junction a slice of links, all slices in one vector (compressed sparse rows).
#[derive(Debug, Default)]
pub(crate) struct Adjacency {
    /// Where each junction's slice begins, and at the end where the last one ends.
    pub(crate) starts: Vec<u32>,
    pub(crate) links: Vec<LinkId>,
}

impl Adjacency {
    fn of(&self, node: NodeId) -> &[LinkId] {
        let (start, end) = self.range(node);
        &self.links[start as usize..end as usize]
    }

    pub(crate) fn range(&self, node: NodeId) -> (u32, u32) {
        let at = node.index();
        (self.starts[at], self.starts[at + 1])
    }
}

impl Map {
    /// Reads the pair of CSV files described at [`CsvError`].
    pub fn from_csv(links: &Path, nodes: &Path) -> Result<Map, CsvError> {
        crate::csv::read(links, nodes).map(Parts::build)
    }

    /// Reads the roads for cars from an OpenStreetMap extract (`.osm.pbf`), as
    /// described at [`OsmError`].
    pub fn from_osm_pbf(path: &Path) -> Result<Map, OsmError> {
        crate::osm::read(path).map(Parts::build)
    }

    /// Reads the compact form described at [`CompactError`]. The bytes may be anything: what is not
    /// a map is an error.
    pub fn read(bytes: &[u8]) -> Result<Map, CompactError> {
        crate::compact::read(bytes).map(Parts::build)
    }

    /// The compact form; [`Map::read`] makes the same map of it.
    pub fn write(&self) -> Vec<u8> {
        crate::compact::write(&Parts::of(self))
    }

    /// La Serena and Coquimbo, Chile, the map that is in the program.
    pub fn la_serena() -> Map {
        Map::read(include_bytes!("../maps/la-serena.map"))
            .expect("the map in the program is checked by a test")
    }

    /// What must stand wherever the map is drawn, as its licence, the `ODbL` 1.0, asks.
    pub fn attribution(&self) -> &'static str {
        "© OpenStreetMap contributors"
    }

    /// How many junctions there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many directed links there are.
    pub fn link_count(&self) -> usize {
        self.links.len()
    }

    /// Every directed link, in order.
    pub fn link_ids(&self) -> impl ExactSizeIterator<Item = LinkId> + use<> {
        (0..self.links.len() as u32).map(LinkId)
    }

    /// What is known of a link.
    #[inline]
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id.index()]
    }

    /// Latitude and longitude of a junction in degrees.
    pub fn node(&self, id: NodeId) -> (f64, f64) {
        let point = self.nodes[id.index()];
        (point.lat(), point.lon())
    }

    /// The street's name; none when it has none.
    pub fn name(&self, id: LinkId) -> Option<&str> {
        self.street(id).name.map(|name| self.names[name as usize].as_str())
    }

    /// The OpenStreetMap way that the link is a part of; 0 when the source does not say.
    pub fn osm_way_id(&self, id: LinkId) -> i64 {
        self.street(id).osm_way_id
    }

    /// The opposite direction of the same street; none for a one-way street.
    #[inline]
    pub fn twin(&self, id: LinkId) -> Option<LinkId> {
        self.link(id).twin
    }

    /// Whether two links are the two directions of one street: what a U-turn is. A search asks this
    /// at every turn, and mostly the numbers alone tell: those of twins are neighbours.
    #[inline]
    pub fn are_twins(&self, one: LinkId, other: LinkId) -> bool {
        one.0.abs_diff(other.0) == 1 && self.twin(one) == Some(other)
    }

    /// The speed in m/s that is expected of an empty road before anyone has driven it: its limit
    /// where the source gives one, else [`RoadClass::default_mps`].
    pub fn free_flow_mps(&self, id: LinkId) -> f64 {
        let link = self.link(id);
        link.max_speed_mps.unwrap_or_else(|| link.class.default_mps())
    }

    /// Links that begin at this junction, in order.
    pub fn leaving(&self, node: NodeId) -> &[LinkId] {
        self.leaving.of(node)
    }

    /// Links that end at this junction, in order.
    pub fn arriving(&self, node: NodeId) -> &[LinkId] {
        self.arriving.of(node)
    }

    /// Links that begin where this one ends, in order. The same as [`Map::leaving`] of its end,
    /// found with fewer looks: searches do little else.
    #[inline]
    pub fn after(&self, id: LinkId) -> &[LinkId] {
        let (start, end) = self.after[id.index()];
        &self.leaving.links[start as usize..end as usize]
    }

    /// Links that end where this one begins, in order.
    #[inline]
    pub fn before(&self, id: LinkId) -> &[LinkId] {
        let (start, end) = self.before[id.index()];
        &self.arriving.links[start as usize..end as usize]
    }

    /// The name of a link outside the program: the street's row in the source, from 0, and
    /// `f` for the direction of its points or `r` for the other: `"123f"`. It is stable for
    /// one map, and unlike the OpenStreetMap way, which covers many links and may be 0, it
    /// is never shared.
    pub fn link_key(&self, id: LinkId) -> String {
        let link = self.link(id);
        format!("{}{}", link.street, if link.reverse { 'r' } else { 'f' })
    }

    /// The link with this name; none when this map has none.
    pub fn link_of_key(&self, key: &str) -> Option<LinkId> {
        let (row, reverse) = match key.strip_suffix('f') {
            Some(row) => (row, false),
            None => (key.strip_suffix('r')?, true),
        };
        // `parse` takes "+7" and "007" too, but a name has one spelling.
        let canonical = row == "0" || (row.starts_with(|c: char| ('1'..='9').contains(&c)));
        let street = self.streets.get(canonical.then(|| row.parse::<usize>().ok()).flatten()?)?;
        let first = self.link(street.first_link);
        if first.reverse == reverse { Some(street.first_link) } else { first.twin }
    }

    /// The point so many metres from the beginning of a link, and the direction of travel there. An
    /// offset before the beginning or beyond the end is taken as the beginning or the end.
    pub fn place_at(&self, id: LinkId, offset_m: f64) -> Position {
        let link = self.link(id);
        let bends = self.bends_of(id);
        let along = if link.reverse { link.length_m - offset_m } else { offset_m }.clamp(0.0, link.length_m);
        // The piece that holds the place; at a bend the piece that the travel enters.
        let piece = if link.reverse {
            bends.partition_point(|bend| f64::from(bend.along_m) < along)
        } else {
            bends.partition_point(|bend| f64::from(bend.along_m) <= along)
        }
        .clamp(1, bends.len() - 1);
        let (a, b) = (&bends[piece - 1], &bends[piece]);
        let span = f64::from(b.along_m) - f64::from(a.along_m);
        let share = if span > 0.0 { ((along - f64::from(a.along_m)) / span).clamp(0.0, 1.0) } else { 0.0 };
        let heading = f64::from(a.heading_deg) + if link.reverse { 180.0 } else { 0.0 };
        Position {
            lat: a.point.lat() + (b.point.lat() - a.point.lat()) * share,
            lon: a.point.lon() + (b.point.lon() - a.point.lon()) * share,
            heading_deg: in_circle(heading),
        }
    }

    /// Direction of travel at the beginning of a link in degrees.
    pub fn heading_at_start(&self, id: LinkId) -> f64 {
        self.place_at(id, 0.0).heading_deg
    }

    /// Direction of travel at the end of a link in degrees.
    pub fn heading_at_end(&self, id: LinkId) -> f64 {
        let (link, bends) = (self.link(id), self.bends_of(id));
        if link.reverse {
            in_circle(f64::from(bends[0].heading_deg) + 180.0)
        } else {
            f64::from(bends[bends.len() - 1].heading_deg)
        }
    }

    /// The angle of a turn from one link into another in degrees: 0 straight on, positive to the
    /// right, negative to the left, −180 back.
    pub fn turn_deg(&self, from: LinkId, into: LinkId) -> f64 {
        in_circle(self.heading_at_start(into) - self.heading_at_end(from) + 180.0) - 180.0
    }

    /// The line of a link as latitude and longitude in degrees, in the direction of travel, both
    /// ends included.
    pub fn shape(&self, id: LinkId) -> impl ExactSizeIterator<Item = (f64, f64)> {
        let (bends, reverse) = (self.bends_of(id), self.link(id).reverse);
        (0..bends.len()).map(move |at| {
            let point = bends[if reverse { bends.len() - 1 - at } else { at }].point;
            (point.lat(), point.lon())
        })
    }

    /// The smallest box that holds every street; all zero for a map without streets.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    fn street(&self, id: LinkId) -> &Street {
        &self.streets[self.link(id).street as usize]
    }

    fn bends_of(&self, id: LinkId) -> &[Bend] {
        let range = &self.street(id).bends;
        &self.bends[range.start as usize..range.end as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_map_in_the_program_is_la_serena() {
        let map = Map::la_serena();
        assert_eq!((map.node_count(), map.link_count()), (15_492, 34_145));
        let km: f64 =
            map.link_ids().filter(|&id| !map.link(id).reverse).map(|id| map.link(id).length_m).sum::<f64>()
                / 1000.0;
        assert!((1440.0..1455.0).contains(&km), "{km} km of streets");
        let known = map.link_ids().filter(|&id| map.link(id).max_speed_mps.is_some()).count();
        assert!(known * 4 < map.link_count() && known > 4000, "{known} links have a limit");
        assert!(map.link_ids().any(|id| map.name(id) == Some("Avenida Francisco de Aguirre")));
        assert!(map.link_ids().all(|id| map.osm_way_id(id) > 0 && map.link(id).class != RoadClass::Unknown));
        let Bounds { south, west, north, east } = map.bounds();
        assert!(south > -30.1 && north < -29.8 && west > -71.4 && east < -71.1, "{:?}", map.bounds());
        assert!(include_bytes!("../maps/la-serena.map").len() < 500_000);
        assert!(include_str!("../maps/NOTICE.md").contains(map.attribution()));
        assert_eq!(map.write(), include_bytes!("../maps/la-serena.map"));
    }

    #[test]
    fn links_fit_together() {
        let map = Map::la_serena();
        let mut keys = HashSet::new();
        for id in map.link_ids() {
            let link = map.link(id);
            assert_eq!(map.link_of_key(&map.link_key(id)), Some(id));
            assert!(keys.insert(map.link_key(id)), "two links have one key");
            assert!(map.leaving(link.from).contains(&id) && map.arriving(link.to).contains(&id));
            assert_eq!((map.after(id), map.before(id)), (map.leaving(link.to), map.arriving(link.from)));
            let line: Vec<_> = map.shape(id).collect();
            assert_eq!((line[0], line[line.len() - 1]), (map.node(link.from), map.node(link.to)));
            if let Some(twin) = link.twin {
                assert_eq!((map.twin(twin), map.link(twin).from), (Some(id), link.to));
                assert!(map.are_twins(id, twin) && map.are_twins(twin, id));
                assert!(map.turn_deg(id, twin).abs() > 179.9);
            }
            // Beyond its ends a link is its ends.
            for (offset_m, end) in [(-5.0, line[0]), (link.length_m + 5.0, line[line.len() - 1])] {
                let place = map.place_at(id, offset_m);
                assert!(crate::distance_m(place.lat, place.lon, end.0, end.1) < 0.02);
                assert!((0.0..360.0).contains(&place.heading_deg));
            }
        }
    }
}
