//! A delivery lorry on its round: from the depot from door to door, and back.
//!
//! # Simplifications
//! - The doors of a round are random: no dispatcher orders them.

use std::sync::Arc;

use events::{Timestamp, TruckLocation};
use rand::RngExt;
use rand::rngs::StdRng;
use streets::{Router, Spot};

use super::delivery::Outbox;
use super::motion::Motion;
use super::noise::{Purpose, rng};
use super::receiver::Receiver;
use super::seconds;
use super::world::World;

/// A lorry is slower than a car by this factor.
const HEAVY: f64 = 1.2;
/// How many doors a round has, and how long the lorry stands at one, in seconds.
const DOORS: std::ops::Range<u32> = 8..16;
const AT_DOOR_S: std::ops::Range<f64> = 90.0..480.0;

/// Lorries have other random streams than cars of the same number.
const NUMBERS_FROM: u64 = 1 << 32;

#[derive(Debug)]
pub(super) struct Lorry {
    number: u64,
    id: String,
    /// The moment within each second at which it reports, if it does.
    pub(super) phase_ms: i64,
    rng: StdRng,
    motion: Motion,
    receiver: Receiver,
    depot: Spot,
    doors_left: u32,
    /// Until when it stands; none while it drives.
    standing: Option<f64>,
    /// Seconds until it reports again.
    silent_s: u32,
}

impl Lorry {
    /// A lorry somewhere on its round; none where there are no streets.
    pub(super) fn new(number: usize, world: &World) -> Option<Lorry> {
        let (seed, at) = (world.config.seed, world.start_s());
        let id = format!("l{number:02}");
        let number = NUMBERS_FROM + number as u64;
        let mut customers = rng(seed, Purpose::Customers, number);
        let depot = world.demand.anywhere(&world.map, &mut customers)?;
        let place = world.demand.anywhere(&world.map, &mut customers)?;
        let style = HEAVY * customers.random_range(0.95..1.1);
        let every_s = world.config.lorry_ping_s.max(1);
        Some(Lorry {
            number,
            phase_ms: customers.random_range(0..1000),
            motion: Motion::new(
                Arc::from(id.as_str()),
                rng(seed, Purpose::Driving, number),
                style,
                place,
                at,
            ),
            receiver: Receiver::new(seed, number, world.config.gps, f64::from(every_s)),
            depot,
            doors_left: customers.random_range(DOORS),
            standing: Some(at + customers.random_range(0.0..AT_DOOR_S.start)),
            silent_s: customers.random_range(0..every_s),
            rng: customers,
            id,
        })
    }

    /// Advances to `now`, and reports when it is due.
    pub(super) fn step(&mut self, now: Timestamp, world: &World, router: &mut Router, outbox: &mut Outbox) {
        let t = seconds(now);
        let arrived = self.motion.drive(now, world, outbox);
        match self.standing {
            Some(until) if t >= until => self.drive_on(t, world, router),
            None if arrived => {
                self.motion.halt(t);
                self.standing = Some(t + self.rng.random_range(AT_DOOR_S));
            }
            _ => {}
        }
        if self.silent_s > 0 {
            self.silent_s -= 1;
            return;
        }
        self.silent_s = world.config.lorry_ping_s.max(1) - 1;
        let (spot, speed) = self.motion.state(t);
        if world.in_tunnel[spot.link.index()] {
            return;
        }
        let fix = self.receiver.measure(world.map.place_at(spot.link, spot.offset_m), speed);
        outbox.send_over_network(
            now,
            TruckLocation {
                ts: now,
                truck_id: self.id.clone(),
                lat: fix.lat,
                lon: fix.lon,
                speed_mps: Some(fix.speed_mps),
                heading_deg: fix.heading_deg,
            },
        );
    }

    /// Drives to the next door, or back to the depot, where the next round begins.
    fn drive_on(&mut self, t: f64, world: &World, router: &mut Router) {
        let (here, _) = self.motion.state(t);
        let to = if self.doors_left == 0 {
            self.doors_left = self.rng.random_range(DOORS);
            Some(self.depot)
        } else {
            self.doors_left -= 1;
            world.demand.origin(&world.map, here, &mut self.rng)
        };
        match to.and_then(|to| router.route(&world.map, here, to, &world.driver_costs(self.number))) {
            Some(route) => {
                self.motion.start_route(route, t, world);
                self.standing = None;
            }
            None => self.standing = Some(t + self.rng.random_range(AT_DOOR_S)),
        }
    }
}
