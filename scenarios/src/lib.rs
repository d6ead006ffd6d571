//! The show: businesses that are simulated, the processes that make them up, and whoever watches.
//!
//! Every part of a show is a process of its own (`freshet produce gps`, `freshet consume eta`, …).
//! Here stands what belongs to none of them: the [supervision](supervise) of worker processes, the
//! [observation](observe) of a cluster from outside, the [ledger] of questions and answers, and the
//! [`ShowController`](controller::ShowController) that holds them together.
//!
//! # Simplifications
//! - A show runs on one machine: its workers are child processes.

pub mod clock;
pub mod control;
pub mod controller;
pub mod ledger;
pub mod lines;
pub mod observe;
pub mod priority;
pub mod supervise;
pub mod topics;
pub mod usage;
