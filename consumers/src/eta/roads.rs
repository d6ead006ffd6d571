//! What all processors of one map have in common: the streets, what follows from them alone, and
//! the searches on them.
//!
//! A search on the streets needs room for each of their links, and the distances that it finds are
//! needed again and again. None of that depends on what has been seen on the streets, so the
//! workers of all partitions of a process, the matcher of the cars and that of the lorries use one
//! copy: it makes their answers quicker, and no other.
//!
//! # Simplifications
//! - One search runs at a time: a process that matches on several threads would have them wait for
//!   each other.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use streets::{LinkId, Map, Router};

use super::distances::DistanceCache;

/// Parts of town are squares of about this size.
const AREA_M: f64 = 1000.0;
/// A continuation turns by less than this.
const STRAIGHT_DEG: f64 = 45.0;
const METRES_PER_DEGREE: f64 = 111_195.0;

/// A map with what is derived from it. See the module.
#[derive(Debug)]
pub struct Roads {
    map: Arc<Map>,
    facts: Vec<LinkFacts>,
    /// The link straight ahead of each link, and straight behind.
    straight: Vec<[Option<LinkId>; 2]>,
    areas: usize,
    streets: usize,
    distances: Mutex<DistanceCache>,
    router: Mutex<Router>,
}

/// What the traffic model must know of a link and never changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkFacts {
    /// Seconds at the map's free-flow speed.
    pub(super) free_s: f32,
    /// [`streets::RoadClass`] as a row.
    pub(super) class: u8,
    /// Rows of its part of town and of its street.
    pub(super) area: u32,
    pub(super) street: u32,
}

impl Roads {
    /// The streets of a map, on which nothing has been searched yet.
    pub fn new(map: Arc<Map>) -> Self {
        let (mut areas, mut streets) = (Rows::default(), Rows::default());
        let facts = map.link_ids().map(|id| {
            let link = map.link(id);
            LinkFacts {
                free_s: (link.length_m / map.free_flow_mps(id)) as f32,
                class: link.class as u8,
                area: areas.row(area_of(&map, id)),
                street: streets.row(street_of(&map, id)),
            }
        });
        let facts = facts.collect();
        let straight = map.link_ids().map(|id| [straight_ahead(&map, id), straight_behind(&map, id)]);
        Self {
            facts,
            straight: straight.collect(),
            areas: areas.0.len(),
            streets: streets.0.len(),
            distances: Mutex::new(DistanceCache::new(map.clone())),
            router: Mutex::default(),
            map,
        }
    }

    /// The streets themselves.
    pub fn map(&self) -> &Arc<Map> {
        &self.map
    }

    pub(super) fn facts(&self, link: LinkId) -> &LinkFacts {
        &self.facts[link.index()]
    }

    /// How many parts of town and how many streets there are.
    pub(super) fn areas_and_streets(&self) -> (usize, usize) {
        (self.areas, self.streets)
    }

    /// The link straight ahead (0) or straight behind (1), if there is one.
    pub(super) fn straight(&self, link: LinkId, direction: usize) -> Option<LinkId> {
        self.straight[link.index()][direction]
    }

    /// The distances between neighbouring links, for one reader at a time.
    pub(super) fn distances(&self) -> MutexGuard<'_, DistanceCache> {
        self.distances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room for route searches, for one search at a time.
    pub(super) fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers things in the order in which they are first met.
#[derive(Debug)]
struct Rows<K>(HashMap<K, u32>);

impl<K> Default for Rows<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Rows<K> {
    fn row(&mut self, key: K) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(key).or_insert(next)
    }
}

/// A street is what has one name; without a name, one way of the source, and
/// without that, the link and its twin.
fn street_of(map: &Map, link: LinkId) -> (String, i64, u32) {
    match (map.name(link), map.osm_way_id(link)) {
        (Some(name), _) => (name.to_owned(), 0, 0),
        (None, 0) => (String::new(), 0, map.twin(link).map_or(link.0, |twin| twin.0.min(link.0)) + 1),
        (None, way) => (String::new(), way, 0),
    }
}

/// The square of the map that the middle of a link is in.
fn area_of(map: &Map, link: LinkId) -> (i32, i32) {
    let middle = map.place_at(link, map.link(link).length_m / 2.0);
    // One latitude for the whole map, so that the squares of a column have one width.
    let north = f64::midpoint(map.bounds().south, map.bounds().north);
    let per_degree_east = METRES_PER_DEGREE * north.to_radians().cos().max(0.01);
    ((middle.lat * METRES_PER_DEGREE / AREA_M) as i32, (middle.lon * per_degree_east / AREA_M) as i32)
}

fn straight_ahead(map: &Map, link: LinkId) -> Option<LinkId> {
    let next = map.leaving(map.link(link).to).iter().copied();
    straightest(next.filter(|&next| next != link).map(|next| (map.turn_deg(link, next).abs(), next)))
}

fn straight_behind(map: &Map, link: LinkId) -> Option<LinkId> {
    let before = map.arriving(map.link(link).from).iter().copied();
    straightest(
        before.filter(|&before| before != link).map(|before| (map.turn_deg(before, link).abs(), before)),
    )
}

fn straightest(turns: impl Iterator<Item = (f64, LinkId)>) -> Option<LinkId> {
    let straight = turns.filter(|&(turn, _)| turn < STRAIGHT_DEG);
    straight.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, link)| link)
}
