//! A driver who carries riders.
//!
//! ```text
//! Free ──called──> ToPickup ──> AtPickup ──> Riding ──> AtDropoff ──> Free
//!                     └──────────cancelled──────────────────────────────┘
//! ```
//! The trip is announced (`requested`) when the driver is called, and from that ping on every
//! position carries its id, until the rider has got out (`dropped_off`).
//!
//! # Simplifications
//! - A driver accepts every rider, and has one at a time.

use std::sync::Arc;

use events::{DriverLocation, Place, SimulationTruth, Timestamp, Trip, TripKind};
use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, LogNormal, StandardNormal};
use streets::{LinkId, Route, Router, Spot};

use super::delivery::Outbox;
use super::motion::{Motion, expected_route_s};
use super::noise::{Purpose, rng};
use super::receiver::{Receiver, round};
use super::world::World;
use super::{instant, seconds};

/// Deviation of the logarithm of the time that drivers take, from one to the next and from one trip
/// to the next.
const DRIVER_STYLE: f64 = 0.09;
const TRIP_STYLE: f64 = 0.07;
/// Median seconds and deviation of the logarithm, until the rider is in the car and until the rider
/// is out of it.
const PICKUP: (f64, f64) = (45.0, 0.6);
const DROPOFF: (f64, f64) = (20.0, 0.5);
/// Share of trips that riders cancel while the driver is on the way.
const CANCELLED: f64 = 0.05;
/// Share of waits that a driver spends driving to a better place.
const ROAMING: f64 = 0.35;

#[derive(Debug)]
pub(super) struct Car {
    number: u64,
    id: String,
    /// The moment within each second at which it reports.
    pub(super) phase_ms: i64,
    /// The random stream of the driver's customers.
    rng: StdRng,
    style: f64,
    motion: Motion,
    receiver: Receiver,
    activity: Activity,
    ride: Option<Ride>,
    rides: u32,
}

#[derive(Clone, Copy, Debug)]
enum Activity {
    /// Waits, or roams, until called.
    Free {
        called: f64,
    },
    ToPickup,
    AtPickup {
        until: f64,
    },
    Riding,
    AtDropoff {
        until: f64,
    },
}

/// A trip under way.
#[derive(Debug)]
struct Ride {
    trip: Trip,
    /// From the rider to the destination; taken when the ride begins.
    route: Option<Route>,
    /// Metres from the first ping to the end.
    metres: f64,
    /// After how many metres the rider gives up waiting.
    cancelled_m: Option<f64>,
    /// When each quarter of the way began, and the oracle's forecast then, without and with
    /// foresight; as many as have begun.
    quarters: Vec<(Timestamp, [f64; 2])>,
}

impl Car {
    /// A driver somewhere in town, on a trip or not as the hour makes likely; none where there are
    /// no streets.
    pub(super) fn new(number: usize, world: &World, router: &mut Router, outbox: &mut Outbox) -> Option<Car> {
        let (seed, start, at) = (world.config.seed, world.config.start, world.start_s());
        let number = number as u64;
        let mut customers = rng(seed, Purpose::Customers, number);
        let place = world.demand.anywhere(&world.map, &mut customers)?;
        let style = (DRIVER_STYLE * customers.sample::<f64, _>(StandardNormal)).exp();
        let driving = rng(seed, Purpose::Driving, number);
        let id = format!("d{number:03}");
        let mut car = Car {
            number,
            phase_ms: customers.random_range(0..1000),
            motion: Motion::new(Arc::from(id.as_str()), driving, style, place, at),
            receiver: Receiver::new(seed, number, world.config.gps, 1.0),
            activity: Activity::Free { called: at + world.demand.idle_s(at, &mut customers) },
            ride: None,
            rides: 0,
            rng: customers,
            style,
            id,
        };
        if car.rng.random_bool(world.demand.occupied(at).clamp(0.0, 1.0)) {
            car.begin_midway(start, world, router, outbox);
        }
        Some(car)
    }

    /// Advances to `now`, and reports.
    pub(super) fn step(&mut self, now: Timestamp, world: &World, router: &mut Router, outbox: &mut Outbox) {
        let t = seconds(now);
        let arrived = self.motion.drive(now, world, outbox);
        match self.activity {
            Activity::Free { called } if t >= called => self.accept(now, world, router, outbox),
            Activity::ToPickup if self.is_cancelled(t) => {
                self.publish(TripKind::Cancelled, now, outbox);
                self.set_free(t, world, router);
            }
            Activity::ToPickup if arrived => {
                self.activity = Activity::AtPickup { until: t + self.kerb_s(PICKUP) }
            }
            Activity::AtPickup { until } if t >= until => {
                self.publish(TripKind::PickedUp, now, outbox);
                let route = self
                    .ride
                    .as_mut()
                    .and_then(|ride| ride.route.take())
                    .expect("planned when it was requested");
                self.motion.start_route(route, t, world);
                self.activity = Activity::Riding;
            }
            Activity::Riding if arrived => {
                self.activity = Activity::AtDropoff { until: t + self.kerb_s(DROPOFF) }
            }
            Activity::AtDropoff { until } if t >= until => {
                self.publish(TripKind::DroppedOff, now, outbox);
                self.publish_truth(now, world, outbox);
                self.set_free(t, world, router);
            }
            _ => {}
        }
        self.mark_quarters(now, world);
        self.report(now, world, outbox);
    }

    /// Seconds to the end of the trip as the oracle expects at `t`; none without a passenger.
    pub(super) fn riding_s(&self, t: f64, world: &World) -> Option<f64> {
        let ride = self.ride.as_ref().filter(|_| matches!(self.activity, Activity::Riding))?;
        Some(expected_s(&self.motion, self.activity, ride, t, t, world))
    }

    /// The link that it will be on so many seconds after `t`, if it does not arrive before.
    pub(super) fn link_after(&self, t: f64, seconds: f64, world: &World) -> Option<LinkId> {
        self.motion.link_after(t, seconds, world)
    }

    fn kerb_s(&mut self, (median_s, deviation): (f64, f64)) -> f64 {
        LogNormal::new(median_s.ln(), deviation).expect("the deviation is finite").sample(&mut self.rng)
    }

    /// Takes the next rider, or keeps waiting when none can be reached.
    fn accept(&mut self, now: Timestamp, world: &World, router: &mut Router, outbox: &mut Outbox) {
        let t = seconds(now);
        let (here, _) = self.motion.state(t);
        let Some((approach, ride)) = self.plan(here, now, world, router) else {
            self.activity = Activity::Free { called: t + world.demand.idle_s(t, &mut self.rng) };
            return;
        };
        self.motion.count_from_here(t);
        self.motion.style = self.style * (TRIP_STYLE * self.rng.sample::<f64, _>(StandardNormal)).exp();
        self.motion.start_route(approach, t, world);
        self.ride = Some(ride);
        self.activity = Activity::ToPickup;
        self.publish(TripKind::Requested, now, outbox);
    }

    /// Starts in the middle of a trip. Its earlier events are emitted with the times that they must
    /// have had.
    fn begin_midway(&mut self, start: Timestamp, world: &World, router: &mut Router, outbox: &mut Outbox) {
        let t = seconds(start);
        let (here, _) = self.motion.state(t);
        let Some((approach, mut ride)) = self.plan(here, start, world, router) else { return };
        let total_m = ride.metres;
        let driven_m = total_m * self.rng.random_range(0.0..0.95);
        let approach_s = expected_route_s(&approach, t, t, self.style, world);
        let (approach_m, share_driven) = (approach.length_m, driven_m / total_m.max(1.0));
        ride.metres = total_m - driven_m;
        ride.cancelled_m = None;
        if driven_m < approach_m {
            self.motion.start_route(approach, t, world);
            self.motion.skip(driven_m, t, world);
            self.activity = Activity::ToPickup;
            ride.trip.ts = instant(t - approach_s * driven_m / approach_m);
            outbox.send(start, ride.trip.clone());
        } else {
            let route = ride.route.take().expect("just planned");
            let ridden_s = expected_route_s(&route, t, t, self.style, world) * share_driven;
            self.motion.place(Spot::new(route.links[0], route.start_m), t);
            self.motion.start_route(route, t, world);
            self.motion.skip(driven_m - approach_m, t, world);
            self.activity = Activity::Riding;
            ride.trip.ts = instant(t - ridden_s - PICKUP.0 - approach_s);
            outbox.send(start, ride.trip.clone());
            ride.trip.ts = instant(t - ridden_s);
            outbox.send(start, Trip { kind: TripKind::PickedUp, ..ride.trip.clone() });
        }
        self.ride = Some(ride);
    }

    /// A rider nearby, and the routes there and on to the destination. Places without a route are
    /// not used.
    fn plan(
        &mut self,
        here: Spot,
        now: Timestamp,
        world: &World,
        router: &mut Router,
    ) -> Option<(Route, Ride)> {
        let map = &world.map;
        let costs = world.driver_costs(self.number);
        for _ in 0..4 {
            let origin = world.demand.origin(map, here, &mut self.rng)?;
            let destination = world.demand.destination(map, origin, &mut self.rng)?;
            let Some(approach) = router.route(map, here, origin, &costs) else { continue };
            let Some(route) = router.route(map, origin, destination, &costs) else { continue };
            self.rides += 1;
            let metres = approach.length_m + route.length_m;
            let cancelled = self.rng.random_bool(CANCELLED);
            let trip = Trip {
                ts: now,
                trip_id: format!("t{:03}-{}", self.number, self.rides),
                driver_id: self.id.clone(),
                rider_id: Some(format!("r{:05}", self.rng.random_range(0..20_000))),
                kind: TripKind::Requested,
                origin: self.pin(origin, world),
                destination: self.pin(destination, world),
            };
            let cancelled_m = cancelled.then(|| approach.length_m * self.rng.random_range(0.1..0.9));
            return Some((
                approach,
                Ride { trip, route: Some(route), metres, cancelled_m, quarters: Vec::with_capacity(4) },
            ));
        }
        None
    }

    /// The pin that a rider sets: some metres beside the street.
    fn pin(&mut self, spot: Spot, world: &World) -> Place {
        let place = world.map.place_at(spot.link, spot.offset_m);
        let mut beside = || 6e-5 * self.rng.sample::<f64, _>(StandardNormal);
        Place {
            lat: round((place.lat + beside()).clamp(-90.0, 90.0), 1e6),
            lon: round((place.lon + beside()).clamp(-180.0, 180.0), 1e6),
        }
    }

    fn is_cancelled(&self, t: f64) -> bool {
        let gives_up_m = self.ride.as_ref().and_then(|ride| ride.cancelled_m);
        gives_up_m.is_some_and(|metres| self.motion.driven_m(t) >= metres)
    }

    fn set_free(&mut self, t: f64, world: &World, router: &mut Router) {
        self.ride = None;
        self.motion.style = self.style;
        self.activity = Activity::Free { called: t + world.demand.idle_s(t, &mut self.rng) };
        if !self.rng.random_bool(ROAMING) {
            self.motion.halt(t);
            return;
        }
        let (here, _) = self.motion.state(t);
        let to = world.demand.origin(&world.map, here, &mut self.rng);
        match to.and_then(|to| router.route(&world.map, here, to, &world.driver_costs(self.number))) {
            Some(route) => self.motion.start_route(route, t, world),
            None => self.motion.halt(t),
        }
    }

    /// Emits an event of the trip.
    fn publish(&mut self, kind: TripKind, now: Timestamp, outbox: &mut Outbox) {
        let ride = self.ride.as_ref().expect("only trips have steps");
        outbox.send(now, Trip { ts: now, kind, ..ride.trip.clone() });
    }

    /// Emits the truth about the trip that has ended.
    fn publish_truth(&mut self, now: Timestamp, world: &World, outbox: &mut Outbox) {
        let ride = self.ride.as_ref().expect("a trip has ended");
        let [a, b, c, d] = ride.quarters[..] else { return };
        let oracle = |which: usize| {
            world.config.oracle.then(|| [a, b, c, d].map(|(_, expected)| round(expected[which], 10.0)))
        };
        outbox.send(
            now,
            SimulationTruth::Trip {
                ts: now,
                id: ride.trip.trip_id.clone(),
                driver_id: self.id.clone(),
                quarters: [a.0, b.0, c.0, d.0],
                metres: round(ride.metres, 10.0),
                oracle_s: oracle(0),
                foresight_s: oracle(1),
                incident: self.motion.met_incident,
            },
        );
    }

    /// Records when each quarter of the way begins, and the oracle's forecast then.
    fn mark_quarters(&mut self, now: Timestamp, world: &World) {
        let Some(ride) = &mut self.ride else { return };
        let t = seconds(now);
        while ride.quarters.len() < 4
            && self.motion.driven_m(t) >= ride.metres * ride.quarters.len() as f64 * 0.25
        {
            let oracle_s = if world.config.oracle {
                [t, f64::INFINITY].map(|known| expected_s(&self.motion, self.activity, ride, t, known, world))
            } else {
                [0.0; 2]
            };
            ride.quarters.push((now, oracle_s));
        }
    }

    fn report(&mut self, now: Timestamp, world: &World, outbox: &mut Outbox) {
        let (spot, speed) = self.motion.state(seconds(now));
        if world.in_tunnel[spot.link.index()] {
            return;
        }
        let fix = self.receiver.measure(world.map.place_at(spot.link, spot.offset_m), speed);
        outbox.send_over_network(
            now,
            DriverLocation {
                ts: now,
                driver_id: self.id.clone(),
                trip_id: self.ride.as_ref().map(|ride| ride.trip.trip_id.clone()),
                lat: fix.lat,
                lon: fix.lon,
                speed_mps: Some(fix.speed_mps),
                heading_deg: fix.heading_deg,
            },
        );
    }
}

/// Seconds to the end of the trip by the *oracle*, which knows all paces, how fast this driver is
/// on this trip, and the mean of every wait. All of this can be learnt by observation, so no
/// observer does better. It does not know incidents that begin after `known`.
fn expected_s(motion: &Motion, activity: Activity, ride: &Ride, t: f64, known: f64, world: &World) -> f64 {
    let mean_s = |(median_s, deviation): (f64, f64)| median_s * (deviation * deviation / 2.0).exp();
    let (pickup_s, dropoff_s) = (mean_s(PICKUP), mean_s(DROPOFF));
    let mut clock = t;
    match activity {
        Activity::ToPickup => clock += motion.expected_rest_s(clock, known, world) + pickup_s,
        // On average half of it is over.
        Activity::AtPickup { .. } => clock += pickup_s / 2.0,
        Activity::Riding => clock += motion.expected_rest_s(clock, known, world),
        Activity::AtDropoff { .. } | Activity::Free { .. } => {}
    }
    if let Some(route) = &ride.route {
        clock += expected_route_s(route, clock, known, motion.style, world);
    }
    clock + dropoff_s - t
}
