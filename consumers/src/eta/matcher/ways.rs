//! The ways between neighbouring links, remembered: a fleet asks for the same few again and again.

use std::sync::Arc;

use streets::{LinkId, Map, Reach, Spot};

/// Ways are explored to one of these distances in metres, so that a search is not repeated for each
/// metre more.
const LIMITS_M: [f64; 7] = [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];
/// So many ways are kept (12 bytes each); then all are forgotten, which costs time and changes no
/// answer.
const MOST_KEPT: usize = 2_000_000;
/// Turning back into the street one came from is as unlikely as so many metres of detour.
const U_TURN_M: f64 = 80.0;

/// From the end of one link to the beginning of another.
#[derive(Clone, Copy, Debug)]
struct Way {
    to: LinkId,
    metres: f32,
    /// The link before `to`; `to` itself where the way begins.
    via: LinkId,
}

/// All ways from the end of one link within a limit, in the order of where they lead.
#[derive(Debug)]
pub(super) struct Fan {
    limit_m: f64,
    ways: Box<[Way]>,
}

/// Shortest distances by road, cached.
#[derive(Debug)]
pub(super) struct Ways {
    map: Arc<Map>,
    reach: Reach,
    fans: Vec<Option<Box<Fan>>>,
    kept: usize,
}

impl Ways {
    pub(super) fn new(map: Arc<Map>) -> Self {
        let fans = map.link_ids().map(|_| None).collect();
        Self { map, reach: Reach::new(), fans, kept: 0 }
    }

    /// The ways from the end of `link`, at least all that are no longer than `limit_m`.
    pub(super) fn from(&mut self, link: LinkId, limit_m: f64) -> &Fan {
        let at = link.index();
        if self.fans[at].as_ref().is_none_or(|fan| fan.limit_m < limit_m) {
            self.explore(link, limit_m);
        }
        self.fans[at].as_ref().expect("explored just now, unless it was there before")
    }

    /// Replaces `path` by the links that are driven after `from`, up to and including `to`; false
    /// when `to` is too far away.
    pub(super) fn path(&mut self, from: LinkId, to: LinkId, path: &mut Vec<LinkId>) -> bool {
        path.clear();
        // Mostly the way was found when the step was weighed, and is still there.
        let known =
            [0.0, 500.0, 2000.0].into_iter().find(|&limit_m| self.from(from, limit_m).way(to).is_some());
        let Some(limit_m) = known else { return false };
        let fan = self.from(from, limit_m);
        let Some(mut way) = fan.way(to) else { return false };
        path.push(way.to);
        while way.via != way.to {
            match fan.way(way.via) {
                Some(before) => way = before,
                None => return false,
            }
            path.push(way.to);
        }
        path.reverse();
        true
    }

    fn explore(&mut self, link: LinkId, limit_m: f64) {
        let limit_m =
            LIMITS_M.into_iter().find(|&limit| limit >= limit_m).unwrap_or(LIMITS_M[LIMITS_M.len() - 1]);
        let end = Spot { link, offset_m: self.map.link(link).length_m };
        self.reach.explore(&self.map, end, limit_m, U_TURN_M);
        let mut ways: Vec<Way> = self
            .reach
            .reached()
            .map(|(to, metres, via)| Way { to, metres: metres as f32, via: via.unwrap_or(to) })
            .collect();
        ways.sort_unstable_by_key(|way| way.to);
        if self.kept + ways.len() > MOST_KEPT {
            self.fans.fill_with(|| None);
            self.kept = 0;
        }
        let old = self.fans[link.index()].take();
        self.kept = self.kept - old.map_or(0, |fan| fan.ways.len()) + ways.len();
        self.fans[link.index()] = Some(Box::new(Fan { limit_m, ways: ways.into() }));
    }
}

impl Fan {
    /// Metres from the end of this fan's link to the beginning of `to`, a U-turn counting as a
    /// detour.
    pub(super) fn metres(&self, to: LinkId) -> Option<f64> {
        self.way(to).map(|way| f64::from(way.metres))
    }

    fn way(&self, to: LinkId) -> Option<Way> {
        self.ways.binary_search_by_key(&to, |way| way.to).ok().map(|at| self.ways[at])
    }
}
