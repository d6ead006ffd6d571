//! A Kafka broker that starts in milliseconds inside a program.
//!
//! [`Cluster::start`] opens a data directory, listens, and serves Kafka's clients until
//! [`Cluster::shutdown`]. To see what happens to a record on its way, follow a Produce and then a
//! Fetch request:
//!
//! ```text
//! server/            frames from sockets; the only place that waits or reads a clock
//!   api/             one file per request: what to do about it, what to answer
//!     replicas/      which partitions this broker has, and what it is to each
//!     controller/    what the cluster has: topics, who leads their partitions, brokers
//!     coordinator/   groups of consumers, and how far they have come
//!       replica/     one partition: what is accepted, what may be read
//!         log/       one partition on disk
//!         quorum/    who leads the metadata log, which is one more such log
//! ```
//!
//! Each may use what stands below it. Below `server` nothing waits: time is an argument, files are
//! behind a trait, and so everything that can go wrong can be made to go wrong in a test.
//!
//! ```no_run
//! let cluster = broker::Cluster::start(broker::BrokerConfig::new("data"))?;
//! println!("bootstrap.servers={}", cluster.bootstrap_servers());
//! cluster.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Simplifications
//! - One broker: it leads every partition, and a record is replicated nowhere.
//! - No transactions, no new group protocol (KIP-848), no access control.

mod api;
mod config;
mod controller;
mod listener;
mod node;
mod overview;
mod refusals;
mod replicas;
mod request_metrics;
mod server;
mod users;

pub mod coordinator;
pub mod log;
pub mod quorum;
pub mod replica;

pub use config::{BrokerConfig, Certificate};
pub use listener::{Advertised, InvalidAddress, Listener, SecurityProtocol};
pub use overview::{GroupOverview, Overview, PartitionOverview};
pub use request_metrics::RequestMetrics;
pub use server::{Cluster, Listening, ShutdownError, StartError};
pub use users::{Users, UsersError};
