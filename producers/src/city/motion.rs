//! A vehicle on a route.
//!
//! When it enters a link, the times of the link and of the junction at its end are drawn; the
//! position in between follows from them: constant acceleration after a stop, then constant speed,
//! then braking before a stop.
//!
//! # Simplifications
//! - A vehicle has no length, and overtakes without delay.

use std::sync::Arc;

use events::SimulationTruth;
use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::StandardNormal;
use streets::{LinkId, Route, Spot};

use super::delivery::Outbox;
use super::world::World;
use super::{instant, seconds};
use events::Timestamp;

/// Deviation of the logarithm of the time for one link, from car to car and from moment to moment.
const LINK_NOISE: f64 = 0.35;
/// Seconds that a car brakes or accelerates, at most.
const BRAKE_S: f64 = 3.0;

#[derive(Debug)]
pub(super) struct Motion {
    pub(super) vehicle: Arc<str>,
    rng: StdRng,
    /// The factor of its times: the driver's style, for a lorry its weight.
    pub(super) style: f64,
    route: Vec<LinkId>,
    /// Which link of the route it is on.
    at: usize,
    /// Where the route ends on its last link.
    end_m: f64,
    /// When it entered the link.
    entered: f64,
    /// The piece of the link that is being driven: from, to, since when, how long, and the wait at
    /// its end.
    piece: Piece,
    /// Metres of finished pieces since the count was set to zero.
    driven_m: f64,
    /// Whether an incident slowed it on a link since that was last asked.
    pub(super) met_incident: bool,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    from_m: f64,
    to_m: f64,
    started: f64,
    moving_s: f64,
    wait_s: f64,
    from_rest: bool,
    to_rest: bool,
}

impl Piece {
    fn standing(at_m: f64, t: f64) -> Piece {
        Piece {
            from_m: at_m,
            to_m: at_m,
            started: t,
            moving_s: 0.0,
            wait_s: 0.0,
            from_rest: true,
            to_rest: true,
        }
    }

    fn end(&self) -> f64 {
        self.started + self.moving_s + self.wait_s
    }

    /// Metres from the beginning of the link, and m/s.
    fn state(&self, t: f64) -> (f64, f64) {
        let gone_s = t - self.started;
        let metres = self.to_m - self.from_m;
        if gone_s >= self.moving_s || metres <= 0.0 {
            return (
                self.to_m,
                if self.wait_s > 0.0 || self.to_rest { 0.0 } else { metres / self.moving_s.max(1e-3) },
            );
        }
        let ramp_s = BRAKE_S.min(self.moving_s / 3.0);
        let (up_s, down_s) =
            (if self.from_rest { ramp_s } else { 0.0 }, if self.to_rest { ramp_s } else { 0.0 });
        let speed = metres / (self.moving_s - f64::midpoint(up_s, down_s));
        let left_s = self.moving_s - gone_s;
        let (ahead_m, now_mps) = if gone_s < up_s {
            (speed * gone_s * gone_s / (2.0 * up_s), speed * gone_s / up_s)
        } else if left_s < down_s {
            (metres - speed * left_s * left_s / (2.0 * down_s), speed * left_s / down_s)
        } else {
            (speed * (gone_s - up_s / 2.0), speed)
        };
        (self.from_m + ahead_m, now_mps)
    }
}

impl Motion {
    /// A vehicle that stands at a place.
    pub(super) fn new(vehicle: Arc<str>, rng: StdRng, style: f64, at: Spot, t: f64) -> Motion {
        Motion {
            vehicle,
            rng,
            style,
            route: vec![at.link],
            at: 0,
            end_m: at.offset_m,
            entered: t,
            piece: Piece::standing(at.offset_m, t),
            driven_m: 0.0,
            met_incident: false,
        }
    }

    pub(super) fn link(&self) -> LinkId {
        self.route[self.at]
    }

    /// Where it is, and how fast.
    pub(super) fn state(&self, t: f64) -> (Spot, f64) {
        let (offset_m, speed) = self.piece.state(t);
        (Spot::new(self.link(), offset_m), speed)
    }

    /// Metres since the count was set to zero.
    pub(super) fn driven_m(&self, t: f64) -> f64 {
        self.driven_m + self.piece.state(t).0 - self.piece.from_m
    }

    /// Counts metres from here on.
    pub(super) fn count_from_here(&mut self, t: f64) {
        self.driven_m = self.piece.from_m - self.piece.state(t).0;
        self.met_incident = false;
    }

    /// Starts a route that begins where the vehicle is.
    pub(super) fn start_route(&mut self, route: Route, t: f64, world: &World) {
        debug_assert_eq!(route.links[0], self.link(), "a route begins on the link where the vehicle is");
        let (from_m, speed) = self.piece.state(t);
        self.driven_m += from_m - self.piece.from_m;
        self.end_m = route.end_m;
        self.route = route.links;
        self.at = 0;
        self.begin_piece(from_m, t, speed < 1.0, world);
    }

    /// Stands still where it is.
    pub(super) fn halt(&mut self, t: f64) {
        let (spot, _) = self.state(t);
        self.stand(spot, t);
    }

    /// Places a vehicle before its first route.
    pub(super) fn place(&mut self, at: Spot, t: f64) {
        self.entered = t;
        self.stand(at, t);
    }

    fn stand(&mut self, at: Spot, t: f64) {
        self.driven_m += self.piece.state(t).0 - self.piece.from_m;
        self.route = vec![at.link];
        self.at = 0;
        self.end_m = at.offset_m;
        self.piece = Piece::standing(at.offset_m, t);
    }

    /// Puts the vehicle so many metres along its route, as if it had been driving for a while.
    pub(super) fn skip(&mut self, mut metres: f64, t: f64, world: &World) {
        let mut from_m = self.piece.from_m;
        while self.at + 1 < self.route.len() && metres > world.map.link(self.link()).length_m - from_m {
            metres -= world.map.link(self.link()).length_m - from_m;
            from_m = 0.0;
            self.at += 1;
        }
        let last = self.at + 1 == self.route.len();
        let until_m = if last { self.end_m } else { world.map.link(self.link()).length_m };
        self.entered = t;
        self.begin_piece((from_m + metres).min(until_m), t, false, world);
        self.driven_m = 0.0;
    }

    /// Drives until `t`, emits the truth about every link it leaves, and returns whether it has
    /// arrived.
    pub(super) fn drive(&mut self, t: Timestamp, world: &World, outbox: &mut Outbox) -> bool {
        let now = seconds(t);
        while self.piece.end() <= now {
            if self.at + 1 == self.route.len() {
                return true;
            }
            let left = self.piece.end();
            outbox.send(
                t,
                SimulationTruth::Link {
                    ts: instant(left),
                    id: self.vehicle.to_string(),
                    link_id: world.keys[self.link().index()].clone(),
                    entered: instant(self.entered),
                },
            );
            self.driven_m += self.piece.to_m - self.piece.from_m;
            let from_rest = self.piece.wait_s > 0.0;
            self.at += 1;
            self.entered = left;
            self.begin_piece(0.0, left, from_rest, world);
        }
        false
    }

    fn begin_piece(&mut self, from_m: f64, t: f64, from_rest: bool, world: &World) {
        let link = self.link();
        let length_m = world.map.link(link).length_m;
        let next = self.route.get(self.at + 1).copied();
        let to_m = if next.is_some() { length_m } else { self.end_m };
        let noise: f64 = self.rng.sample(StandardNormal);
        // The mean of the noise is 1.
        let noise = (LINK_NOISE * noise - LINK_NOISE * LINK_NOISE / 2.0).exp();
        let moving_s = ((to_m - from_m) / length_m).max(0.0) * world.expected_s(link, t) * self.style * noise;
        let wait_s = next.map_or(0.0, |next| world.junctions.wait_s(link, next, t + moving_s, &mut self.rng));
        self.met_incident |= world.incidents.factor(link, t) > 1.2;
        let to_rest = next.is_none() || wait_s > 1.0;
        self.piece = Piece { from_m, to_m, started: t, moving_s, wait_s, from_rest, to_rest };
    }

    /// The link that it will be on so many seconds after `t`, as the oracle expects; none if it
    /// will have arrived.
    pub(super) fn link_after(&self, t: f64, seconds: f64, world: &World) -> Option<LinkId> {
        let mut clock = t;
        for pair in self.route[self.at..].windows(2) {
            clock +=
                world.expected_s(pair[0], clock) * self.style + world.junctions.expected_s(pair[0], pair[1]);
            if clock - t >= seconds {
                return Some(pair[1]);
            }
        }
        None
    }

    /// Seconds to the end of the route by the oracle at `t`: it knows the pace of every link at
    /// every time, but no noise, no signal's phase and no incident that begins after `known`.
    pub(super) fn expected_rest_s(&self, t: f64, known: f64, world: &World) -> f64 {
        let (here, _) = self.state(t);
        let mut clock = t;
        for at in self.at..self.route.len() {
            let link = self.route[at];
            let length_m = world.map.link(link).length_m;
            let from_m = if at == self.at { here.offset_m } else { 0.0 };
            let to_m = if at + 1 == self.route.len() { self.end_m } else { length_m };
            let share = (to_m - from_m).max(0.0) / length_m;
            clock += share * world.expected_as_of(link, clock, known) * self.style;
            if let Some(&next) = self.route.get(at + 1) {
                clock += world.junctions.expected_s(link, next);
            }
        }
        clock - t
    }
}

/// The same for a route that starts at `t`.
pub(super) fn expected_route_s(route: &Route, t: f64, known: f64, style: f64, world: &World) -> f64 {
    let mut clock = t;
    for (at, &link) in route.links.iter().enumerate() {
        let length_m = world.map.link(link).length_m;
        let from_m = if at == 0 { route.start_m } else { 0.0 };
        let to_m = if at + 1 == route.links.len() { route.end_m } else { length_m };
        clock += (to_m - from_m).max(0.0) / length_m * world.expected_as_of(link, clock, known) * style;
        if let Some(&next) = route.links.get(at + 1) {
            clock += world.junctions.expected_s(link, next);
        }
    }
    clock - t
}
