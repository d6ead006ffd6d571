//! Shortest distances between neighbouring links, cached: a fleet needs the same few again and
//! again.

use std::sync::Arc;

use streets::{DistanceSearch, LinkId, Map, Spot};

/// Searches extend to one of these distances in metres, so that none is repeated for each metre
/// more.
const LIMITS_M: [f64; 7] = [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];
/// The most distances that are cached (12 bytes each); then all are dropped, which costs time and
/// changes no answer.
const MOST_KEPT: usize = 2_000_000;
/// A U-turn is as unlikely as so many metres of detour.
const U_TURN_M: f64 = 80.0;

/// From the end of one link to the beginning of another.
#[derive(Clone, Copy, Debug)]
struct Leg {
    to: LinkId,
    metres: f32,
    /// The link before `to`; `to` itself at the beginning.
    via: LinkId,
}

/// The distances from the end of one link to all links within a limit, in the order of their ids.
#[derive(Debug)]
pub(super) struct DistanceTable {
    limit_m: f64,
    legs: Box<[Leg]>,
}

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
            [0.0, 500.0, 2000.0].into_iter().find(|&limit_m| self.from(from, limit_m).leg(to).is_some());
        let Some(limit_m) = known else { return false };
        let table = self.from(from, limit_m);
        let Some(mut leg) = table.leg(to) else { return false };
        path.push(leg.to);
        while leg.via != leg.to {
            match table.leg(leg.via) {
                Some(before) => leg = before,
                None => return false,
            }
            path.push(leg.to);
        }
        path.reverse();
        true
    }

    fn explore(&mut self, link: LinkId, limit_m: f64) {
        let limit_m =
            LIMITS_M.into_iter().find(|&limit| limit >= limit_m).unwrap_or(LIMITS_M[LIMITS_M.len() - 1]);
        let end = Spot { link, offset_m: self.map.link(link).length_m };
        self.search.explore(&self.map, end, limit_m, U_TURN_M);
        let mut legs: Vec<Leg> = self
            .search
            .reached()
            .map(|(to, metres, via)| Leg { to, metres: metres as f32, via: via.unwrap_or(to) })
            .collect();
        legs.sort_unstable_by_key(|leg| leg.to);
        if self.kept + legs.len() > MOST_KEPT {
            self.tables.fill_with(|| None);
            self.kept = 0;
        }
        let old = self.tables[link.index()].take();
        self.kept = self.kept - old.map_or(0, |table| table.legs.len()) + legs.len();
        self.tables[link.index()] = Some(Box::new(DistanceTable { limit_m, legs: legs.into() }));
    }
}

impl DistanceTable {
    /// Metres from the end of this table's link to the beginning of `to`, a U-turn counting as a
    /// detour.
    pub(super) fn metres(&self, to: LinkId) -> Option<f64> {
        self.leg(to).map(|leg| f64::from(leg.metres))
    }

    fn leg(&self, to: LinkId) -> Option<Leg> {
        self.legs.binary_search_by_key(&to, |leg| leg.to).ok().map(|at| self.legs[at])
    }
}
