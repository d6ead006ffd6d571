//! The route that a car is expected to take, and how long the rest of it will take.

use std::sync::Arc;

use events::{Place, Timestamp};
use streets::{Candidate, LinkId, Map, RouteEnd, Spot};

use super::roads::Roads;
use super::traffic::TrafficModel;

/// Streets near a pin are searched within these distances, in metres, the smallest first: the first
/// that has any is used.
const PIN_RADII_M: [f64; 3] = [60.0, 400.0, 2500.0];
/// A pin is not exact: streets that are further from it than the nearest by at most so much may be
/// meant, too …
const PIN_SLACK_M: f64 = 25.0;
/// … and a rider who gets out there walks the rest, in m/s. Without a route to any of these, any
/// street within the second radius will do.
const WALKING_MPS: f64 = 1.4;
const MOST_ENDS: usize = 8;
const MOST_WIDE_ENDS: usize = 48;
/// A car is searched so many links ahead on its route; further ahead it has taken another.
const LOOK_AHEAD: usize = 24;
/// A car that is so far beyond its destination has missed it.
const MISSED_M: f64 = 60.0;

/// A route, and for each of its links what is left from its beginning to the end of the route.
#[derive(Clone, Debug)]
pub(super) struct PlannedRoute {
    links: Vec<LinkId>,
    /// The link where the car is, and how far along it, in metres.
    at: usize,
    offset_m: f64,
    /// Where on the last link the route ends, in metres.
    end_m: f64,
    /// For each link: seconds and metres from its beginning to the end of the route, and those of
    /// the link itself.
    left: Vec<LinkRemaining>,
    computed_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct LinkRemaining {
    seconds: f64,
    metres: f64,
    contested_s: f64,
    link_s: f64,
    link_m: f64,
    link_contested_s: f64,
}

/// What remains of a route, for an average driver.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Remaining {
    pub(super) seconds: f64,
    pub(super) metres: f64,
    /// By how many seconds its links are expected to differ from what they usually take, up or
    /// down.
    pub(super) contested_s: f64,
}

impl std::ops::Add for Remaining {
    type Output = Remaining;

    fn add(self, other: Remaining) -> Remaining {
        Remaining {
            seconds: self.seconds + other.seconds,
            metres: self.metres + other.metres,
            contested_s: self.contested_s + other.contested_s,
        }
    }
}

impl PlannedRoute {
    /// When the seconds were last computed.
    pub(super) fn computed_at(&self) -> Timestamp {
        self.computed_at
    }

    /// Computes what remains for a car that is where it is at `now`, each link at the speed
    /// expected when the car enters it.
    pub(super) fn recompute(&mut self, traffic: &TrafficModel, map: &Map, now: Timestamp) {
        self.computed_at = now;
        let mut entering = now;
        for (link, left) in self.links.iter().zip(&mut self.left).skip(self.at) {
            left.link_s = traffic.seconds(*link, entering);
            left.link_m = map.link(*link).length_m;
            left.link_contested_s = (left.link_s - traffic.usual_seconds(*link, entering)).abs();
            entering = entering.plus_seconds(left.link_s);
        }
        let last = self.links.len() - 1;
        let mut after = Remaining::default();
        for at in (self.at..=last).rev() {
            let left = &mut self.left[at];
            let share = if at == last { self.end_m / left.link_m } else { 1.0 };
            left.seconds = after.seconds + share * left.link_s;
            left.metres = after.metres + share * left.link_m;
            left.contested_s = after.contested_s + share * left.link_contested_s;
            after = Remaining { seconds: left.seconds, metres: left.metres, contested_s: left.contested_s };
        }
    }

    /// Moves along to where the car is now; false when it has left the route. A car that may as
    /// well be on `twin`, the other direction of its street, counts as on the route.
    pub(super) fn follow(&mut self, spot: Spot, twin: Option<LinkId>) -> bool {
        let mut ahead = self.links.iter().enumerate().skip(self.at).take(LOOK_AHEAD);
        let Some((at, &link)) = ahead.find(|(_, link)| **link == spot.link || Some(**link) == twin) else {
            return false;
        };
        let offset_m =
            if link == spot.link { spot.offset_m } else { (self.left[at].link_m - spot.offset_m).max(0.0) };
        if at + 1 == self.links.len() && offset_m > self.end_m + MISSED_M {
            return false;
        }
        (self.at, self.offset_m) = (at, offset_m);
        true
    }

    /// What remains from where the car was last seen on it.
    pub(super) fn remaining(&self) -> Remaining {
        let left = &self.left[self.at];
        let share = self.offset_m / left.link_m;
        Remaining {
            seconds: (left.seconds - share * left.link_s).max(0.0),
            metres: (left.metres - share * left.link_m).max(0.0),
            contested_s: (left.contested_s - share * left.link_contested_s).max(0.0),
        }
    }
}

/// Finds routes.
#[derive(Debug)]
pub(super) struct RoutePlanner {
    roads: Arc<Roads>,
    found: Vec<Candidate>,
    /// How many routes were searched for.
    pub(super) searches: u64,
}

impl RoutePlanner {
    pub(super) fn new(roads: Arc<Roads>) -> Self {
        Self { roads, found: Vec::new(), searches: 0 }
    }

    /// Where a route to or from a pin may end or begin; nowhere when no street is near.
    pub(super) fn ends_of_pin(&mut self, pin: Place) -> Vec<RouteEnd> {
        for radius_m in PIN_RADII_M {
            let ends = self.ends(pin, radius_m, MOST_ENDS, PIN_SLACK_M);
            if !ends.is_empty() {
                return ends;
            }
        }
        Vec::new()
    }

    fn ends(&mut self, pin: Place, radius_m: f64, most: usize, slack_m: f64) -> Vec<RouteEnd> {
        self.roads.map().near_into(pin.lat, pin.lon, radius_m, most, &mut self.found);
        let nearest_m = self.found.first().map_or(0.0, |nearest| nearest.distance_m);
        let near = self.found.iter().take_while(|one| one.distance_m <= nearest_m + slack_m);
        near.map(|one| RouteEnd {
            spot: Spot { link: one.link, offset_m: one.offset_m },
            extra: (one.distance_m - nearest_m) / WALKING_MPS,
        })
        .collect()
    }

    /// The fastest route from a car to a pin, as expected at `now`; none when there is none. A car
    /// that may as well be on `twin` starts in the better direction.
    pub(super) fn route_from_car(
        &mut self,
        traffic: &TrafficModel,
        spot: Spot,
        twin: Option<LinkId>,
        to: Place,
        now: Timestamp,
    ) -> Option<PlannedRoute> {
        let rest_m = self.roads.map().link(spot.link).length_m - spot.offset_m;
        let back = twin.map(|link| Spot { link, offset_m: rest_m.max(0.0) });
        let from: Vec<RouteEnd> = [Some(spot), back].into_iter().flatten().map(RouteEnd::at).collect();
        let ends = self.ends_of_pin(to);
        self.between(traffic, &from, &ends, now).or_else(|| {
            let ends = self.ends(to, PIN_RADII_M[1], MOST_WIDE_ENDS, f64::INFINITY);
            self.between(traffic, &from, &ends, now)
        })
    }

    /// The fastest route from pin to pin.
    pub(super) fn route_between_pins(
        &mut self,
        traffic: &TrafficModel,
        from: Place,
        to: Place,
        now: Timestamp,
    ) -> Option<PlannedRoute> {
        let ends = [from, to].map(|pin| self.ends_of_pin(pin));
        self.between(traffic, &ends[0], &ends[1], now).or_else(|| {
            let ends = [from, to].map(|pin| self.ends(pin, PIN_RADII_M[1], MOST_WIDE_ENDS, f64::INFINITY));
            self.between(traffic, &ends[0], &ends[1], now)
        })
    }

    fn between(
        &mut self,
        traffic: &TrafficModel,
        from: &[RouteEnd],
        to: &[RouteEnd],
        now: Timestamp,
    ) -> Option<PlannedRoute> {
        if from.is_empty() || to.is_empty() {
            return None;
        }
        self.searches += 1;
        let route = self.roads.router().route_between(self.roads.map(), from, to, &traffic.costs(now))?;
        let left = vec![LinkRemaining::default(); route.links.len()];
        let (offset_m, end_m) = (route.start_m, route.end_m);
        let mut route = PlannedRoute { links: route.links, at: 0, offset_m, end_m, left, computed_at: now };
        route.recompute(traffic, self.roads.map(), now);
        Some(route)
    }
}
