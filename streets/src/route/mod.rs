//! The best way from here to there.
//!
//! The graph that is searched has a node for each *link* and an edge for each *turn* from one link
//! into the next: a search over junctions could not tell a turn to the left from one to the right,
//! nor forbid a driver to turn round on the spot. The label of a link is the cost up to its
//! *beginning*; an edge costs the link that is left and the turn into the next.
//!
//! # Simplifications
//! - Costs do not change while one drives: a caller who knows how they will asks again on the way.
//! - No preprocessing. Contraction hierarchies answer a hundred times faster, and must be prepared
//!   for each set of costs.

mod dijkstra;
mod distance_search;
mod queue;
mod router;

pub use dijkstra::dijkstra;
pub use distance_search::DistanceSearch;
pub use router::{RouteEnd, Router};

use crate::map::{LinkId, Map, Spot};

/// What it costs to drive, in seconds or whatever else is to be least.
///
/// A link or turn that costs infinity (or NaN) is closed; a cost below zero counts as zero.
pub trait Costs {
    /// Driving this link from end to end. A part of it costs its share of the length.
    fn link(&self, link: LinkId) -> f64;

    /// Going from the end of one link into the next, which begins at the same junction.
    fn turn(&self, _from: LinkId, _into: LinkId) -> f64 {
        0.0
    }
}

/// A function of the link is a cost with free turns.
impl<F: Fn(LinkId) -> f64> Costs for F {
    fn link(&self, link: LinkId) -> f64 {
        self(link)
    }
}

/// Seconds on an empty road at [`Map::free_flow_mps`], and `u_turn_s` for turning back into the
/// street one came from.
#[derive(Clone, Copy, Debug)]
pub struct FreeFlow<'a> {
    /// Which map.
    pub map: &'a Map,
    /// Seconds for turning round.
    pub u_turn_s: f64,
}

impl Costs for FreeFlow<'_> {
    fn link(&self, link: LinkId) -> f64 {
        self.map.link(link).length_m / self.map.free_flow_mps(link)
    }

    fn turn(&self, from: LinkId, into: LinkId) -> f64 {
        if self.map.are_twins(from, into) { self.u_turn_s } else { 0.0 }
    }
}

/// A way from one place on a link to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The links in the order of driving. The first and the last are driven in part; a route within
    /// one link has one.
    pub links: Vec<LinkId>,
    /// Where on the first link it begins, in metres.
    pub start_m: f64,
    /// Where on the last link it ends, in metres.
    pub end_m: f64,
    /// Metres to drive.
    pub length_m: f64,
    /// What it costs.
    pub cost: f64,
}

impl Route {
    fn new(map: &Map, links: Vec<LinkId>, from: Spot, to: Spot, costs: &impl Costs) -> Route {
        let (start_m, end_m) = (on_link(map, from), on_link(map, to));
        if links.len() == 1 {
            let length_m = end_m - start_m;
            let cost = cost_of(costs.link(from.link)) * length_m / map.link(from.link).length_m;
            return Route { links, start_m, end_m, length_m, cost };
        }
        // Summed from the beginning, so that equal routes have equal costs however they were found.
        let mut length_m = map.link(from.link).length_m - start_m;
        let mut cost = rest_of(map, from, costs);
        for (at, pair) in links.windows(2).enumerate() {
            cost += cost_of(costs.turn(pair[0], pair[1]));
            if at + 2 == links.len() {
                cost += part_of(map, to, costs);
                length_m += end_m;
            } else {
                cost += cost_of(costs.link(pair[1]));
                length_m += map.link(pair[1]).length_m;
            }
        }
        Route { links, start_m, end_m, length_m, cost }
    }
}

/// The cost as the searches use it: never below zero, and infinite when it is no number.
fn cost_of(cost: f64) -> f64 {
    if cost.is_nan() { f64::INFINITY } else { cost.max(0.0) }
}

/// The offset of a spot, kept within its link.
fn on_link(map: &Map, spot: Spot) -> f64 {
    spot.offset_m.max(0.0).min(map.link(spot.link).length_m)
}

/// From a spot to the end of its link. An infinite cost stays infinite even where nothing is left
/// to drive.
fn rest_of(map: &Map, spot: Spot, costs: &impl Costs) -> f64 {
    let length = map.link(spot.link).length_m;
    share(cost_of(costs.link(spot.link)), (length - on_link(map, spot)) / length)
}

/// From the beginning of a link to a spot on it.
fn part_of(map: &Map, spot: Spot, costs: &impl Costs) -> f64 {
    share(cost_of(costs.link(spot.link)), on_link(map, spot) / map.link(spot.link).length_m)
}

fn share(cost: f64, share: f64) -> f64 {
    if cost.is_finite() { cost * share } else { f64::INFINITY }
}

/// Whether the way is simply ahead on the same link. It is then the best: any other must drive this
/// part too.
fn is_ahead(map: &Map, from: Spot, to: Spot) -> bool {
    from.link == to.link && on_link(map, to) >= on_link(map, from)
}

#[cfg(test)]
mod tests;
