//! What can be reached from a place within so many metres: the question that map matching asks once
//! a ping.

use super::on_link;
use super::queue::Frontier;
use crate::map::{LinkId, Map, Spot};

/// Distances by road from one place to all others within a limit. One value serves any number of
/// searches and allocates only while its room grows.
///
/// ```
/// let map = streets::Map::la_serena();
/// let from = streets::Spot { link: streets::LinkId(0), offset_m: 5.0 };
/// let mut reach = streets::DistanceSearch::new();
/// reach.explore(&map, from, 500.0, 20.0);
/// let ahead = streets::Spot { link: from.link, offset_m: 9.0 };
/// assert_eq!(reach.distance_m(&map, ahead), Some(4.0));
/// ```
#[derive(Debug, Default)]
pub struct DistanceSearch {
    frontier: Frontier,
    /// The links whose beginning was reached, nearest first.
    reached: Vec<LinkId>,
    from: Option<Spot>,
    limit_m: f64,
}

impl DistanceSearch {
    /// Nothing explored yet.
    pub fn new() -> DistanceSearch {
        DistanceSearch::default()
    }

    /// Measures the way from a place to the beginning of every link that is at most `limit_m`
    /// metres away. Turning back into the street one came from counts as `u_turn_m` metres
    /// more; infinity forbids it.
    pub fn explore(&mut self, map: &Map, from: Spot, limit_m: f64, u_turn_m: f64) {
        self.frontier.clear(map.link_count());
        self.reached.clear();
        self.from = Some(from);
        self.limit_m = limit_m;
        let link = map.link(from.link);
        let rest_m = link.length_m - on_link(map, from);
        for &next in map.leaving(link.to) {
            let distance_m = rest_m + if link.twin == Some(next) { u_turn_m } else { 0.0 };
            if distance_m <= limit_m && self.frontier.improve(next, distance_m, next) {
                self.frontier.push(next, distance_m);
            }
        }
        while let Some((at, distance_m)) = self.frontier.pop() {
            self.reached.push(at);
            let link = map.link(at);
            let at_end_m = distance_m + link.length_m;
            for &next in map.leaving(link.to) {
                let distance_m = at_end_m + if link.twin == Some(next) { u_turn_m } else { 0.0 };
                if distance_m <= limit_m && self.frontier.improve(next, distance_m, at) {
                    self.frontier.push(next, distance_m);
                }
            }
        }
    }

    /// Every link whose beginning is within the limit, nearest first: the link, the metres to its
    /// beginning, and the link before it on the way; none for the links that follow the
    /// explored place's own.
    pub fn reached(&self) -> impl ExactSizeIterator<Item = (LinkId, f64, Option<LinkId>)> {
        self.reached.iter().map(|&link| (link, self.frontier.cost(link), self.frontier.via(link)))
    }

    /// Metres by road from the explored place to this one (with what U-turns count); none when that
    /// is over the limit, or nothing has been explored.
    pub fn distance_m(&self, map: &Map, to: Spot) -> Option<f64> {
        let from = self.from?;
        let metres = if from.link == to.link && on_link(map, to) >= on_link(map, from) {
            on_link(map, to) - on_link(map, from)
        } else {
            self.frontier.cost(to.link) + on_link(map, to)
        };
        (metres <= self.limit_m).then_some(metres)
    }

    /// Appends the links of the shortest way to a place to `path`, the explored place's
    /// link first and the destination's last (one link when it is simply ahead), and says
    /// whether there is one.
    pub fn path_into(&self, map: &Map, to: Spot, path: &mut Vec<LinkId>) -> bool {
        let (Some(from), Some(_)) = (self.from, self.distance_m(map, to)) else {
            return false;
        };
        let first = path.len();
        if !(from.link == to.link && on_link(map, to) >= on_link(map, from)) {
            let mut at = Some(to.link);
            while let Some(link) = at {
                path.push(link);
                at = self.frontier.via(link);
            }
        }
        path.push(from.link);
        path[first..].reverse();
        true
    }
}
