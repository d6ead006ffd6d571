//! The show: simulated businesses, the processes that run them, and the observation of both.
//!
//! Each business is one value in a file of its own: [`ride_share`], [`payments`], [`shop`],
//! [`markets`]. Everything else iterates over the [list of businesses](businesses::ALL) and knows
//! none by name: the [plan](plan::Plan) of a show, the [supervision](supervise) of its worker
//! processes, the [observation](observe) of a cluster from outside, the [ledger] of questions and
//! answers, and the [`ShowController`](controller::ShowController) that holds them together.
//!
//! # Simplifications
//! - A show runs on one machine: its workers are child processes.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod burst;
pub mod business;
pub mod businesses;
pub mod clock;
pub mod control;
pub mod controller;
mod history;
pub mod hour_before;
pub mod kept;
mod kernel;
pub mod ledger;
pub mod lines;
pub mod markets;
pub mod metrics;
pub mod notifications;
pub mod observe;
#[cfg(test)]
mod opening;
pub mod payments;
mod percentiles;
pub mod plan;
pub mod priority;
pub mod records;
pub mod ride_share;
pub mod shop;
pub mod supervise;
pub mod topics;
pub mod usage;
pub mod view;

pub use control::Interrupted;
