//! The consumers: one folder a domain, each a [`Processor`](processor::Processor) in plain logic.
//!
//! Nothing here knows a broker, a database or a clock: a fraud rule compiles and is tested without
//! any of them. What runs these processors, live or as a scheduled job, is the crate `lanes`.

pub mod eta;
pub mod fraud;
pub mod markets;
pub mod notifications;
pub mod recommendations;
