//! A city: drivers carry riders, lorries make their rounds, and traffic changes by the minute.
//!
//! The streets are public (the `streets` crate). Hidden is how long they take: each directed link
//! has a **pace** that comes from its own character, the hour, a slow random drift, and incidents.
//! Vehicles wait at junctions, drivers differ, riders are not at the door. A [`City`] plays all
//! this second by second and emits what the outside world would see of it (positions as a phone
//! measures and delivers them, the events of trips), and, on a topic that no consumer may read, the
//! truth.
//!
//! ```text
//! pace ────┐
//! junction ┼─> motion ─> car, lorry ─> receiver (GPS error) ─> delivery (late, twice) ─> Emission
//! demand ──┘                 └───────> simulation_truth
//! ```
//!
//! Nothing here is fitted to what some consumer is good at: with this noise trips take 1.5 to 2
//! times as long as on empty roads, and a model that knows the long-run mean of each road has an
//! error of about a quarter of the trip, as in real cities. Tests measure both.
//!
//! Every vehicle, and every purpose, has a random stream of its own: another GPS error changes no
//! trip, and one more driver changes no other driver. Noise that belongs to places is a hash of
//! place and time, so that it can be computed for any time.
//!
//! # Simplifications
//! - Vehicles do not interact: no queue is longer because one more car joins it.
//! - A driver keeps the route planned at the start of a leg, also when there is an incident.
//! - Lorries never sleep, and drivers have no shifts: at night there are only fewer riders.
//! - Traffic signals of one street are not coordinated.

mod car;
mod config;
mod delivery;
mod demand;
mod incidents;
mod junctions;
mod lorry;
mod motion;
mod noise;
mod pace;
mod receiver;
mod staged;
mod world;

use events::Timestamp;

use crate::emission::Emission;
use car::Car;
use delivery::Outbox;
use lorry::Lorry;
use streets::Router;
use world::World;

pub use config::{CityConfig, Delivery, Gps};

/// The city: an endless iterator of its events, in the order of sending.
///
/// It starts warm: at `start` the drivers are spread over the town, and most are in the middle of a
/// trip, whose earlier events are emitted first, with their own times. It ends only without a
/// vehicle or a street.
#[derive(Debug)]
pub struct City {
    world: World,
    router: Router,
    cars: Vec<Car>,
    lorries: Vec<Lorry>,
    /// The vehicles in the order in which they report within a second.
    turns: Vec<Turn>,
    turn: usize,
    /// Whole seconds since the start.
    second: i64,
    outbox: Outbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    phase_ms: i64,
    who: Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Car(usize),
    Lorry(usize),
}

impl City {
    /// The city at the start of its configuration.
    pub fn new(config: CityConfig) -> City {
        let (cars, lorries) = (config.drivers as usize, config.lorries as usize);
        let mut outbox = Outbox::new(config.seed, &config.delivery, config.start);
        let mut world = World::new(config);
        let mut router = Router::new();
        let start = world.start_s();
        world.incidents.plan(start, &world.map, &world.demand);
        world.incidents.publish_truth(start, &world.keys, &mut outbox);
        let mut city = City {
            cars: (0..cars).filter_map(|number| Car::new(number, &world, &mut router, &mut outbox)).collect(),
            lorries: (0..lorries).filter_map(|number| Lorry::new(number, &world)).collect(),
            turns: Vec::with_capacity(cars + lorries),
            turn: 0,
            second: 0,
            router,
            outbox,
            world,
        };
        city.turns.extend(
            city.cars.iter().enumerate().map(|(at, car)| Turn { phase_ms: car.phase_ms, who: Who::Car(at) }),
        );
        let lorries = city.lorries.iter().enumerate();
        city.turns.extend(lorries.map(|(at, lorry)| Turn { phase_ms: lorry.phase_ms, who: Who::Lorry(at) }));
        city.turns.sort_unstable();
        city
    }

    /// Moves the next vehicle; the first of a second also updates the incidents.
    fn step(&mut self) {
        let Turn { phase_ms, who } = self.turns[self.turn];
        let start = self.world.config.start;
        if self.turn == 0 {
            let now = start.plus_ms(self.second * 1000).ms() as f64 / 1000.0;
            self.world.incidents.plan(now, &self.world.map, &self.world.demand);
            if self.staged_second() == Some(self.second) {
                self.stage_crash(now);
            }
            self.world.incidents.publish_truth(now, &self.world.keys, &mut self.outbox);
        }
        let now = start.plus_ms(self.second * 1000 + phase_ms);
        match who {
            Who::Car(at) => self.cars[at].step(now, &self.world, &mut self.router, &mut self.outbox),
            Who::Lorry(at) => self.lorries[at].step(now, &self.world, &mut self.router, &mut self.outbox),
        }
        self.turn += 1;
        if self.turn == self.turns.len() {
            self.turn = 0;
            self.second += 1;
        }
    }
}

impl Iterator for City {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        if self.turns.is_empty() {
            return None;
        }
        // The calendar ends with the year 9999.
        while self.world.config.start.plus_ms(self.second * 1000) < Timestamp::MAX.plus_ms(-1000) {
            if let Some(emission) = self.outbox.take() {
                return Some(emission);
            }
            self.step();
        }
        None
    }
}

/// Event time as seconds since 1970, the unit of all motion.
fn seconds(at: Timestamp) -> f64 {
    at.ms() as f64 / 1000.0
}

/// The inverse, to the nearest millisecond.
fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_ms((seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests;
