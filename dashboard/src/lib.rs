//! The terminal dashboard: a [`Snapshot`] of plain values, and the views that draw it.

pub mod command;
pub mod snapshot;

pub use command::{Action, Command, ControlState, Progress, Target};
pub use snapshot::*;
