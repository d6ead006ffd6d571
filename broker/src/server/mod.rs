//! Sockets, clocks and waiting.
//!
//! One thread serves all connections (more if configured). Each connection is a task that reads
//! whatever has arrived, handles every whole frame in it, and writes all answers that are ready at
//! once. A request that can't be answered yet is *parked*: a fetch until there are records, a join
//! until the group agrees. In Kafka the place where such requests wait is called purgatory. Nothing
//! polls: an append wakes the fetches that wait for that partition, the group coordinator's
//! decisions wake joins and syncs, and one timer sleeps until the next deadline of each kind. What
//! may take milliseconds is handled on other threads, so that nobody else waits for it.
//!
//! # Simplifications
//! - No quotas: who may come may take all.
//! - A read from disk that misses the page cache blocks its thread for that long.

mod accept;
mod arrival;
mod certificate;
mod cleaning;
mod clock;
mod cluster;
mod connection;
mod elsewhere;
mod error;
mod foreign_protocol;
mod handshake;
mod housekeeping;
mod idle;
mod kernel;
mod listen;
mod lock_file;
mod login;
mod measurement;
mod network;
mod open_files;
mod output;
mod purgatory;
mod shared;
mod stream;

pub use cluster::Cluster;
pub use error::{ShutdownError, StartError};
pub use listen::Listening;
