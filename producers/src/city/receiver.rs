//! The position that a phone measures.
//!
//! Its error is a vector that decorrelates within some seconds (what misleads a receiver is the
//! reflection from a wall, and the wall stays) times a scale that changes more slowly: good
//! reception, bad reception. The scale is log-normal, which gives the long tail of real receivers.
//!
//! # Simplifications
//! - The error does not depend on the place: there are no canyons of houses, only tunnels.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::StandardNormal;
use streets::Position;

use super::config::Gps;
use super::noise::{Purpose, rng};

/// Half of all vectors of two normal numbers are shorter than this.
const MEDIAN_LENGTH: f64 = 1.177_41;
/// Metres in a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_195.08;
/// Below this speed (m/s) a receiver cannot tell where it is heading.
const LEAST_SPEED: f64 = 1.0;

#[derive(Debug)]
pub(super) struct Receiver {
    rng: StdRng,
    gps: Gps,
    /// The correlation of an error with the next measurement's, of the vector and of the scale.
    keep: (f64, f64),
    east: f64,
    north: f64,
    scale: f64,
}

/// A position as it is reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fix {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) speed_mps: f64,
    pub(super) heading_deg: Option<f64>,
}

impl Receiver {
    /// `every_s`: seconds between two measurements.
    pub(super) fn new(seed: u64, vehicle: u64, gps: Gps, every_s: f64) -> Receiver {
        let mut rng = rng(seed, Purpose::Receiving, vehicle);
        let mut normal = || rng.sample::<f64, _>(StandardNormal);
        let (east, north, scale) = (normal(), normal(), normal());
        let memory_s = gps.memory_s.max(0.1);
        let keep = ((-every_s / memory_s).exp(), (-every_s / (4.0 * memory_s)).exp());
        Receiver { rng, gps, keep, east, north, scale }
    }

    /// Measures a vehicle that is at `truth` and moves at `speed_mps`.
    pub(super) fn measure(&mut self, truth: Position, speed_mps: f64) -> Fix {
        let mut wander = |value: f64, keep: f64| {
            value * keep + (1.0 - keep * keep).sqrt() * self.rng.sample::<f64, _>(StandardNormal)
        };
        self.east = wander(self.east, self.keep.0);
        self.north = wander(self.north, self.keep.0);
        self.scale = wander(self.scale, self.keep.1);
        let metres = self.gps.median_m / MEDIAN_LENGTH * (self.gps.spread * self.scale).exp();
        let per_lon = METRES_PER_DEGREE * truth.lat.to_radians().cos().max(1e-6);
        let noise: f64 = self.rng.sample(StandardNormal);
        let speed = (speed_mps + self.gps.speed_mps * noise).max(0.0);
        let turn: f64 = self.rng.sample(StandardNormal);
        // Across the direction of travel the speed's error shows as an angle.
        let heading = truth.heading_deg + (turn * self.gps.speed_mps / speed.max(LEAST_SPEED)).to_degrees();
        Fix {
            lat: round(truth.lat + self.north * metres / METRES_PER_DEGREE, 1e6).clamp(-90.0, 90.0),
            lon: round(truth.lon + self.east * metres / per_lon, 1e6).clamp(-180.0, 180.0),
            speed_mps: round(speed, 100.0),
            heading_deg: (speed >= LEAST_SPEED).then(|| heading.rem_euclid(360.0).round() % 360.0),
        }
    }
}

/// To so many parts of one. Divided at the end: the quotient is the double that prints with the
/// fewest digits.
pub(super) fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
