//! Point-to-point routes: Dijkstra's algorithm from both ends at once (Pohl 1971).
//!
//! A search that starts at one end visits a disc as wide as the trip is long; two that meet in the middle visit two discs
//! of half the radius, half the area. It needs nothing to be known of the costs beforehand, so they may change with
//! every call.

use super::queue::Frontier;
use super::{Costs, Route, cost_of, is_ahead, part_of, rest_of};
use crate::map::{LinkId, Map, Spot};

/// Exact routes, one after the other, with room that is used again: after the first call nothing is allocated but the
/// answer.
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

    /// The cheapest way between two places; none when there is none. Among ways that cost the same the choice is
    /// arbitrary, but always the same.
    pub fn route(&mut self, map: &Map, from: Spot, to: Spot, costs: &impl Costs) -> Option<Route> {
        if is_ahead(map, from, to) {
            let closed = !cost_of(costs.link(from.link)).is_finite();
            return (!closed).then(|| Route::new(map, vec![from.link], from, to, costs));
        }
        let meeting = self.search(map, from, to, costs)?;
        let mut links = Vec::new();
        let mut at = Some(meeting);
        while let Some(link) = at {
            links.push(link);
            at = self.ahead.via(link);
        }
        links.push(from.link);
        links.reverse();
        let mut at = self.back.via(meeting);
        while let Some(link) = at {
            links.push(link);
            at = self.back.via(link);
        }
        Some(Route::new(map, links, from, to, costs))
    }

    /// The link at whose beginning the two halves of the cheapest way meet.
    fn search(&mut self, map: &Map, from: Spot, to: Spot, costs: &impl Costs) -> Option<LinkId> {
        let Router { ahead, back } = self;
        ahead.clear(map.link_count());
        back.clear(map.link_count());
        let mut best: Option<(f64, LinkId)> = None;
        let mut meet = |cost: f64, link: LinkId| {
            if cost.is_finite() && best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, link));
            }
            best.map_or(f64::INFINITY, |(least, _)| least)
        };

        let mut least = f64::INFINITY;
        back.improve(to.link, part_of(map, to, costs), to.link);
        let start = rest_of(map, from, costs);
        for &next in map.leaving(map.link(from.link).to) {
            let cost = start + cost_of(costs.turn(from.link, next));
            if ahead.improve(next, cost, next) {
                least = meet(cost + back.cost(next), next);
            }
        }
        // Whatever is not found yet costs at least what is left in both queues together.
        while ahead.least() + back.least() < least {
            if ahead.least() <= back.least() {
                let Some((link, cost)) = ahead.pop() else { break };
                let at_end = cost + cost_of(costs.link(link));
                for &next in map.leaving(map.link(link).to) {
                    let cost = at_end + cost_of(costs.turn(link, next));
                    if ahead.improve(next, cost, link) {
                        least = meet(cost + back.cost(next), next);
                    }
                }
            } else {
                let Some((link, cost)) = back.pop() else { break };
                for &before in map.arriving(map.link(link).from) {
                    let cost = cost + cost_of(costs.turn(before, link)) + cost_of(costs.link(before));
                    if back.improve(before, cost, link) {
                        least = meet(cost + ahead.cost(before), before);
                    }
                }
            }
        }
        best.map(|(_, link)| link)
    }
}
