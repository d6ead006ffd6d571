//! A connection to one broker that speaks Kafka's own bytes: for what librdkafka can't ask, and for
//! finding out why it reaches nothing.
//!
//! librdkafka hides the connection: it tries again, for ever, and of what went wrong it tells a
//! word. Here each step is one call, and each has an error of its own: the name has no address
//! ([`resolve`]), nothing listens ([`Connection::open`]), it is not who it should be
//! ([`Connection::secure`]), something else listens ([`Connection::greet`]), a broker refuses
//! (every other question).
//!
//! ```text
//! timed        a socket on which nothing takes longer than until a deadline
//! tls          what may stand above it: whom to trust, and why one is not trusted
//! connection   frames over either; the versions that both sides speak
//! stranger     who it is that does not speak Kafka
//! reach        all of these steps at once, for who only wants to ask
//! cluster …    questions, and answers in plain values: one file a subject
//! ```
//!
//! To ask something new, write a function that calls `Connection::call` with the request; the
//! version is the newest that both sides speak.
//!
//! What comes from the other side is hostile. A response has at most 16 MiB and is believed as its
//! bytes come in, however slowly; its decoder is bounded ([`protocol`]); and who trickles bytes is
//! cut off at the deadline.
//!
//! # Simplifications
//! - Logins are by PLAIN or SCRAM ([`Connection::log_in`]); by another mechanism none is tried.
//! - A name is resolved in a thread that nobody can end. Who gives up waiting for it leaves it
//!   behind.

mod cluster;
mod connection;
mod eligible;
mod error;
mod groups;
mod log_dirs;
mod quorum;
mod reach;
mod records;
mod stranger;
#[cfg(test)]
mod tests;
mod timed;
mod tls;
#[cfg(test)]
mod tls_tests;

pub use cluster::{BrokerAddress, ClusterView, PartitionView, TopicView};
pub use connection::Connection;
pub use error::{CallError, OpenError};
pub use groups::GroupListing;
pub use log_dirs::LogDir;
pub use quorum::{QuorumMember, QuorumView};
pub use records::Appended;
pub use stranger::{DOCTOR, Stranger, probe};
pub use timed::{HostError, Timed, resolve};
pub use tls::TlsError;
pub(crate) use tls::tls_settings;
