//! Shortest distances between neighbouring links, cached: a fleet needs the same few again and
//! again.

use std::sync::Arc;

use streets::{DistanceSearch, LinkId, Map, Spot};

/// Searches extend to one of these distances in metres, so that none is repeated for each metre
/// more.
const LIMITS_M: [f64; 7] = [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];
/// The most distances that are cached, 18 bytes each; then all are dropped, which costs time
/// and changes no answer. A fleet of 160 cars goes through so many in minutes, and finds them again
/// in a fraction of a second.
const MOST_KEPT: usize = 200_000;
/// A U-turn is as unlikely as so many metres of detour.
const U_TURN_M: f64 = 80.0;

/// The distances from the end of one link to the beginnings of all links within a limit: a hash
/// table with open addressing, since a step of the matcher looks up dozens of links.
#[derive(Debug)]
pub(super) struct DistanceTable {
    limit_m: f64,
    /// The link that each slot holds, if it is taken, and the metres to it. At most two in three
    /// are taken, so that every search soon ends at a free one.
    slots: Box<[(LinkId, f32)]>,
    /// For each slot the link before it on the way; the link itself at the beginning.
    via: Box<[LinkId]>,
    len: usize,
}

const FREE: LinkId = LinkId(u32::MAX);

/// Shortest distances by road, cached.
#[derive(Debug)]
pub(super) struct DistanceCache {
    map: Arc<Map>,
    search: DistanceSearch,
    tables: Vec<Option<Box<DistanceTable>>>,
    kept: usize,
}

impl DistanceCache {
    pub(super) fn new(map: Arc<Map>) -> Self {
        let tables = map.link_ids().map(|_| None).collect();
        Self { map, search: DistanceSearch::new(), tables, kept: 0 }
    }

    /// The ways from the end of `link`, at least all that are no longer than `limit_m`.
    pub(super) fn from(&mut self, link: LinkId, limit_m: f64) -> &DistanceTable {
        let at = link.index();
        if self.tables[at].as_ref().is_none_or(|table| table.limit_m < limit_m) {
            self.explore(link, limit_m);
        }
        self.tables[at].as_ref().expect("explored just now, unless it was there before")
    }

    /// Replaces `path` by the links that are driven after `from`, up to and including `to`; false
    /// when `to` is too far away.
    pub(super) fn path(&mut self, from: LinkId, to: LinkId, path: &mut Vec<LinkId>) -> bool {
        path.clear();
        // Mostly the way was found when the step was weighed, and is still there.
        let known =
            [0.0, 500.0, 2000.0].into_iter().find(|&limit_m| self.from(from, limit_m).via(to).is_some());
        let Some(limit_m) = known else { return false };
        let table = self.from(from, limit_m);
        let mut at = to;
        loop {
            let Some(before) = table.via(at) else { return false };
            path.push(at);
            if before == at {
                break;
            }
            at = before;
        }
        path.reverse();
        true
    }

    fn explore(&mut self, link: LinkId, limit_m: f64) {
        let limit_m =
            LIMITS_M.into_iter().find(|&limit| limit >= limit_m).unwrap_or(LIMITS_M[LIMITS_M.len() - 1]);
        let end = Spot { link, offset_m: self.map.link(link).length_m };
        self.search.explore(&self.map, end, limit_m, U_TURN_M);
        let reached = self.search.reached();
        if self.kept + reached.len() > MOST_KEPT {
            self.tables.fill_with(|| None);
            self.kept = 0;
        }
        let table = DistanceTable::new(limit_m, reached);
        let old = self.tables[link.index()].take();
        self.kept = self.kept - old.map_or(0, |table| table.len) + table.len;
        self.tables[link.index()] = Some(Box::new(table));
    }
}

impl DistanceTable {
    /// From links, the metres to them, and the links before them: none at the beginning.
    fn new(limit_m: f64, reached: impl ExactSizeIterator<Item = (LinkId, f64, Option<LinkId>)>) -> Self {
        let len = reached.len();
        // Two thirds full. A power of two would be half full on average.
        let size = len + len / 2 + 1;
        let slots = vec![(FREE, 0.0); size].into_boxed_slice();
        let mut table = Self { limit_m, slots, via: vec![FREE; size].into_boxed_slice(), len };
        for (to, metres, via) in reached {
            let at = table.slot(to);
            table.slots[at] = (to, metres as f32);
            table.via[at] = via.unwrap_or(to);
        }
        table
    }

    /// Where this link is, or would be.
    fn slot(&self, link: LinkId) -> usize {
        let size = self.slots.len();
        // Fibonacci hashing (Knuth): the product is well mixed, and what fraction it is of the
        // largest says where in the table (Lemire).
        let mixed = u64::from(link.0.wrapping_mul(0x9e37_79b9));
        let mut at = ((mixed * size as u64) >> 32) as usize;
        while self.slots[at].0 != link && self.slots[at].0 != FREE {
            at += 1;
            if at == size {
                at = 0;
            }
        }
        at
    }

    /// Metres from the end of this table's link to the beginning of `to`, a U-turn counting as a
    /// detour; none when it is too far.
    pub(super) fn metres(&self, to: LinkId) -> Option<f64> {
        let (link, metres) = self.slots[self.slot(to)];
        (link == to).then_some(f64::from(metres))
    }

    /// The link before `to` on the way; `to` itself at the beginning.
    fn via(&self, to: LinkId) -> Option<LinkId> {
        let at = self.slot(to);
        (self.slots[at].0 == to).then_some(self.via[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eta::tests::map;

    #[test]
    fn a_table_holds_what_a_search_reaches_and_nothing_else() {
        let map = map();
        let mut cache = DistanceCache::new(map.clone());
        let mut search = DistanceSearch::new();
        for from in map.link_ids().step_by(97) {
            let end = Spot { link: from, offset_m: map.link(from).length_m };
            for limit_m in [0.0, 240.0, 1000.0] {
                let limit_m = {
                    let table = cache.from(from, limit_m);
                    assert!(table.limit_m >= limit_m, "{} m for {limit_m} m", table.limit_m);
                    table.limit_m
                };
                search.explore(&map, end, limit_m, U_TURN_M);
                let mut reached = vec![None; map.link_count()];
                search.reached().for_each(|(to, metres, _)| reached[to.index()] = Some(metres as f32));
                let table = cache.from(from, limit_m);
                let found = map.link_ids().map(|to| table.metres(to).map(|metres| metres as f32));
                assert!(found.eq(reached), "from link {} up to {limit_m} m", from.0);
            }
        }
    }

    #[test]
    fn a_way_is_as_long_as_its_table_says() {
        let map = map();
        let mut cache = DistanceCache::new(map.clone());
        let mut path = Vec::new();
        let from = LinkId(500);
        for to in map.link_ids() {
            let known = cache.from(from, 2000.0).metres(to);
            assert_eq!(cache.path(from, to, &mut path), known.is_some(), "to link {}", to.0);
            let Some(metres) = known else { continue };
            assert_eq!(path.last(), Some(&to));
            let mut all_m = 0.0;
            let mut at = from;
            for &next in &path {
                assert!(map.leaving(map.link(at).to).contains(&next), "{} does not follow {}", next.0, at.0);
                all_m += if map.are_twins(at, next) { U_TURN_M } else { 0.0 };
                all_m += if next == to { 0.0 } else { map.link(next).length_m };
                at = next;
            }
            assert!((all_m - metres).abs() < 0.01, "{all_m} m to link {}, not {metres} m", to.0);
        }
    }
}
