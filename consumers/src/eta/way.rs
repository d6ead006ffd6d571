//! The way that a car is expected to take, and how long what is left of it will take.

use std::sync::Arc;

use events::{Place, Timestamp};
use streets::{Candidate, LinkId, Map, Router, Spot};

use super::traffic::TrafficModel;

/// A place is looked for on the street within these distances, the nearest first, in metres.
const PLACE_RADII_M: [f64; 3] = [60.0, 400.0, 2500.0];
/// A car is looked for so many links ahead on its way; further ahead it has taken another.
const LOOK_AHEAD: usize = 24;
/// A car that is so far beyond its destination has missed it.
const MISSED_M: f64 = 60.0;

/// A route, and for each of its links what is left from its beginning to the end of the route.
#[derive(Clone, Debug)]
pub(super) struct Way {
    links: Vec<LinkId>,
    /// The link where the car is.
    at: usize,
    /// Where on the last link the way ends, in metres.
    end_m: f64,
    /// For each link: seconds and metres from its beginning to the end of the way, and seconds for all of it.
    left: Vec<Left>,
    summed: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Left {
    seconds: f64,
    metres: f64,
    link_s: f64,
    link_m: f64,
}

/// What is left of a way, for an average driver.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Remaining {
    pub(super) seconds: f64,
    pub(super) metres: f64,
}

impl std::ops::Add for Remaining {
    type Output = Remaining;

    fn add(self, other: Remaining) -> Remaining {
        Remaining { seconds: self.seconds + other.seconds, metres: self.metres + other.metres }
    }
}

impl Way {
    /// When the seconds were last summed.
    pub(super) fn summed(&self) -> Timestamp {
        self.summed
    }

    /// Sums what is left for a car that is where it is at `now`, each link at the pace expected when the car comes onto it.
    pub(super) fn sum(&mut self, traffic: &TrafficModel, map: &Map, now: Timestamp) {
        self.summed = now;
        let mut entering = now;
        for (link, left) in self.links.iter().zip(&mut self.left).skip(self.at) {
            left.link_s = traffic.seconds(*link, entering);
            left.link_m = map.link(*link).length_m;
            entering = entering.plus_seconds(left.link_s);
        }
        let last = self.links.len() - 1;
        let mut after = Remaining::default();
        for at in (self.at..=last).rev() {
            let left = &mut self.left[at];
            let share = if at == last { self.end_m / left.link_m } else { 1.0 };
            left.seconds = after.seconds + share * left.link_s;
            left.metres = after.metres + share * left.link_m;
            after = Remaining { seconds: left.seconds, metres: left.metres };
        }
    }

    /// Moves along to where the car is now; false when it has left the way.
    pub(super) fn follow(&mut self, spot: Spot) -> bool {
        let ahead = self.links.iter().skip(self.at).take(LOOK_AHEAD).position(|&link| link == spot.link);
        let Some(ahead) = ahead else { return false };
        let at = self.at + ahead;
        if at + 1 == self.links.len() && spot.offset_m > self.end_m + MISSED_M {
            return false;
        }
        self.at = at;
        true
    }

    /// What is left from a place on the link where the car is.
    pub(super) fn left_from(&self, offset_m: f64) -> Remaining {
        let left = &self.left[self.at];
        let share = offset_m / left.link_m;
        Remaining {
            seconds: (left.seconds - share * left.link_s).max(0.0),
            metres: (left.metres - share * left.link_m).max(0.0),
        }
    }
}

/// Finds ways.
#[derive(Debug)]
pub(super) struct Planner {
    map: Arc<Map>,
    router: Router,
    found: Vec<Candidate>,
}

/// The one or two links that a place may be on: the nearest, and the same street in the other direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spots(pub(super) [Option<Spot>; 2]);

impl Planner {
    pub(super) fn new(map: Arc<Map>) -> Self {
        Self { map, router: Router::new(), found: Vec::new() }
    }

    /// Where on the streets a place is; nowhere when no street is near.
    pub(super) fn spots(&mut self, place: Place) -> Spots {
        for radius_m in PLACE_RADII_M {
            self.map.near_into(place.lat, place.lon, radius_m, 1, &mut self.found);
            if let Some(nearest) = self.found.first() {
                let length_m = self.map.link(nearest.link).length_m;
                let across = self
                    .map
                    .twin(nearest.link)
                    .map(|link| Spot { link, offset_m: (length_m - nearest.offset_m).max(0.0) });
                return Spots([Some(Spot { link: nearest.link, offset_m: nearest.offset_m }), across]);
            }
        }
        Spots::default()
    }

    /// The fastest way from a spot to a place, as expected at `now`; none when there is none. Gives the spot where it ends.
    pub(super) fn way(
        &mut self,
        traffic: &TrafficModel,
        from: Spot,
        to: Spots,
        now: Timestamp,
    ) -> Option<(Way, Spot)> {
        let costs = traffic.costs(now);
        let mut best: Option<(streets::Route, Spot)> = None;
        for spot in to.0.into_iter().flatten() {
            if let Some(route) = self.router.route(&self.map, from, spot, &costs)
                && best.as_ref().is_none_or(|(other, _)| route.cost < other.cost)
            {
                best = Some((route, spot));
            }
        }
        let (route, end) = best?;
        let left = vec![Left::default(); route.links.len()];
        let mut way = Way { links: route.links, at: 0, end_m: route.end_m, left, summed: now };
        way.sum(traffic, &self.map, now);
        Some((way, end))
    }
}
