//! The consumers: one folder a domain, each a [`Processor`] in plain logic, and the lanes that run
//! them.

pub mod eta;
pub mod event_time;
pub mod fraud;
pub mod lanes;
pub mod notifications;
mod processor;
pub mod recommendations;
pub mod warehouse;

pub use processor::Processor;
