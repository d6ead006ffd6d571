//! Point-to-point routes: Dijkstra's algorithm from both ends at once (Pohl 1971).
//!
//! A search that starts at one end visits a disc as wide as the trip is long; two that meet in the
//! middle visit two discs of half the radius, half the area. It needs nothing to be known of the
//! costs beforehand, so they may change with every call.

use super::queue::Frontier;
use super::{Costs, Route, cost_of, is_ahead, on_link, part_of, rest_of, share};
use crate::map::{LinkId, Map, Spot};

/// Where a way may begin or end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RouteEnd {
    /// The place on a link.
    pub spot: Spot,
    /// What it costs to begin or end here, beside the driving; never below zero.
    pub extra: f64,
}

impl RouteEnd {
    /// A place that costs nothing beside the driving.
    pub fn at(spot: Spot) -> RouteEnd {
        RouteEnd { spot, extra: 0.0 }
    }
}

/// Exact routes, one after the other, with room that is used again: after the first call nothing is
/// allocated but the answer.
#[derive(Debug, Default)]
pub struct Router {
    /// Cost from the start to the beginning of a link.
    ahead: Frontier,
    /// Cost from the beginning of a link to the destination.
    back: Frontier,
}

impl Router {
    /// A router without any room yet.
    pub fn new() -> Router {
        Router::default()
    }

    /// The cheapest way between two places; none when there is none. Among ways that cost the same
    /// the choice is arbitrary, but always the same.
    pub fn route(&mut self, map: &Map, from: Spot, to: Spot, costs: &impl Costs) -> Option<Route> {
        if is_ahead(map, from, to) {
            let closed = !cost_of(costs.link(from.link)).is_finite();
            return (!closed).then(|| Route::new(map, vec![from.link], from, to, costs));
        }
        self.route_between(map, &[RouteEnd::at(from)], &[RouteEnd::at(to)], costs)
    }

    /// The cheapest way from any of some places to any of some others, in one search: a pin beside
    /// a street may mean either of its directions, and a house on a corner either street.
    /// [`RouteEnd::extra`] is added where it is chosen by, but is no part of the cost of the route
    /// that is given.
    pub fn route_between(
        &mut self,
        map: &Map,
        from: &[RouteEnd],
        to: &[RouteEnd],
        costs: &impl Costs,
    ) -> Option<Route> {
        // Where a destination is simply ahead on the link of a start, no
        // search is needed to get there.
        let mut direct: Option<(f64, Spot, Spot)> = None;
        for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
            if is_ahead(map, from.spot, to.spot) {
                let metres = on_link(map, to.spot) - on_link(map, from.spot);
                let driving =
                    share(cost_of(costs.link(from.spot.link)), metres / map.link(from.spot.link).length_m);
                let cost = cost_of(from.extra) + driving + cost_of(to.extra);
                if cost.is_finite() && direct.is_none_or(|(least, ..)| cost < least) {
                    direct = Some((cost, from.spot, to.spot));
                }
            }
        }
        let least = direct.map_or(f64::INFINITY, |(cost, ..)| cost);
        let Some(meeting) = self.search(map, from, to, costs, least) else {
            return direct.map(|(_, from, to)| Route::new(map, vec![from.link], from, to, costs));
        };
        let mut links = vec![meeting];
        while let Some(link) = self.ahead.via(links[links.len() - 1]) {
            links.push(link);
        }
        let first = links[links.len() - 1];
        let from = cheapest(from, |from| {
            let follows = map.link(from.link).to == map.link(first).from;
            if follows {
                rest_of(map, from, costs) + cost_of(costs.turn(from.link, first))
            } else {
                f64::INFINITY
            }
        })?;
        links.push(from.link);
        links.reverse();
        while let Some(link) = self.back.via(links[links.len() - 1]) {
            links.push(link);
        }
        let last = links[links.len() - 1];
        let to = cheapest(to, |to| if to.link == last { part_of(map, to, costs) } else { f64::INFINITY })?;
        Some(Route::new(map, links, from, to, costs))
    }

    /// The link at whose beginning the two halves of the cheapest way meet, if
    /// that costs less than `least`.
    fn search(
        &mut self,
        map: &Map,
        from: &[RouteEnd],
        to: &[RouteEnd],
        costs: &impl Costs,
        mut least: f64,
    ) -> Option<LinkId> {
        let Router { ahead, back } = self;
        ahead.clear(map.link_count());
        back.clear(map.link_count());
        let mut best: Option<LinkId> = None;
        let mut meet = |cost: f64, link: LinkId, least: f64| {
            if cost < least {
                best = Some(link);
            }
            least.min(cost)
        };
        for RouteEnd { spot, extra } in to {
            let cost = cost_of(*extra) + part_of(map, *spot, costs);
            if back.improve(spot.link, cost, spot.link) {
                back.push(spot.link, cost);
            }
        }
        for from in from {
            let start = cost_of(from.extra) + rest_of(map, from.spot, costs);
            for &next in map.after(from.spot.link) {
                let cost = start + cost_of(costs.turn(from.spot.link, next));
                if ahead.improve(next, cost, next) {
                    least = meet(cost + back.cost(next), next, least);
                    ahead.push(next, cost);
                }
            }
        }
        // Whatever is not found yet costs at least what is left in both queues together. So what
        // could be visited only when that is too much is not queued at all; and a link that was
        // reached for no more than its neighbour costs is not asked how much more it costs from
        // there.
        while ahead.least() + back.least() < least {
            if ahead.least() <= back.least() {
                let Some((link, cost)) = ahead.pop() else { break };
                let at_end = cost + cost_of(costs.link(link));
                for &next in map.after(link) {
                    if ahead.cost(next) <= at_end {
                        continue;
                    }
                    let cost = at_end + cost_of(costs.turn(link, next));
                    if ahead.improve(next, cost, link) {
                        least = meet(cost + back.cost(next), next, least);
                        if cost + back.least() < least {
                            ahead.push(next, cost);
                        }
                    }
                }
            } else {
                let Some((link, cost)) = back.pop() else { break };
                for &before in map.before(link) {
                    if back.cost(before) <= cost {
                        continue;
                    }
                    let cost = cost + cost_of(costs.turn(before, link)) + cost_of(costs.link(before));
                    if back.improve(before, cost, link) {
                        least = meet(cost + ahead.cost(before), before, least);
                        if cost + ahead.least() < least {
                            back.push(before, cost);
                        }
                    }
                }
            }
        }
        best
    }
}

/// The place among these from which (or to which) it is cheapest, all told;
/// none when all are closed.
fn cheapest(doors: &[RouteEnd], cost: impl Fn(Spot) -> f64) -> Option<Spot> {
    let mut best: Option<(f64, Spot)> = None;
    for door in doors {
        let cost = cost_of(door.extra) + cost(door.spot);
        if cost.is_finite() && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, door.spot));
        }
    }
    best.map(|(_, spot)| spot)
}
