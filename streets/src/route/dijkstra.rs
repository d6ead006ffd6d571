//! Dijkstra's algorithm, as plain as it can be written: the text against which the fast searches
//! are checked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Costs, Route, cost_of, is_ahead, part_of, rest_of};
use crate::map::{LinkId, Map, Spot};

/// The cheapest way between two places; none when there is none. It allocates for the whole
/// map at every call and sees most of it: use it to check answers, and
/// [`Router`](super::Router) to get them.
pub fn dijkstra(map: &Map, from: Spot, to: Spot, costs: &impl Costs) -> Option<Route> {
    if is_ahead(map, from, to) {
        let closed = !cost_of(costs.link(from.link)).is_finite();
        return (!closed).then(|| Route::new(map, vec![from.link], from, to, costs));
    }
    let mut best = vec![f64::INFINITY; map.link_count()];
    let mut via: Vec<Option<LinkId>> = vec![None; map.link_count()];
    // The bits of a double that is not negative are in the order of its value.
    let mut queue = BinaryHeap::from([Reverse((0, None))]);
    while let Some(Reverse((bits, at))) = queue.pop() {
        let cost = f64::from_bits(bits);
        let (link, at_end) = match at {
            None => (from.link, rest_of(map, from, costs)),
            Some(link) if link == to.link => break,
            Some(link) => (link, cost + cost_of(costs.link(link))),
        };
        if at.is_some_and(|link: LinkId| cost > best[link.index()]) {
            continue;
        }
        for &next in map.leaving(map.link(link).to) {
            let cost = at_end + cost_of(costs.turn(link, next));
            if cost < best[next.index()] {
                best[next.index()] = cost;
                via[next.index()] = at;
                queue.push(Reverse((cost.to_bits(), Some(next))));
            }
        }
    }
    if !(best[to.link.index()] + part_of(map, to, costs)).is_finite() {
        return None;
    }
    let mut links = vec![to.link];
    while let Some(before) = via[links[links.len() - 1].index()] {
        links.push(before);
    }
    links.push(from.link);
    links.reverse();
    Some(Route::new(map, links, from, to, costs))
}
