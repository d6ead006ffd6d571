//! The simulated businesses: a seeded world that says on topics what real ones would.
//!
//! A simulator is an endless iterator of [`Emission`]s in the order of sending. It knows no wall
//! clock and no broker: the same seed gives the same events, byte for byte, at any speed.
//!
//! # Simplifications
//! - Each business is one iterator in one process: a real one has thousands of producers.

pub mod cards;
pub mod city;
mod emission;
pub mod markets;
pub mod shop;

pub use emission::Emission;
