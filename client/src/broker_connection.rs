//! A connection to one broker by its address, for requests in Kafka's own bytes: what librdkafka,
//! or its Rust binding, does not ask or does not hand on.
//!
//! # Simplifications
//! - It is a [`direct`](crate::direct) connection, with what that leaves out.
//! - A request has one version, which every Kafka since 2.4 knows, and is not negotiated.

use std::io;
use std::time::{Duration, Instant};

use protocol::Request;

use crate::Settings;
use crate::direct::{CallError, Connection, OpenError, resolve};

/// How long a broker may take for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest response that is read: no broker of ours takes a request half as large.
const MAX_RESPONSE_BYTES: usize = 256 << 20;

/// A connection to one broker.
pub(crate) struct BrokerConnection(Connection);

impl BrokerConnection {
    /// To `address`, as `host:port`.
    pub(crate) fn connect(address: &str, settings: &Settings) -> io::Result<Self> {
        let none = || io::Error::from(io::ErrorKind::AddrNotAvailable);
        let (host, port) = address.rsplit_once(':').ok_or_else(none)?;
        let port = port.parse().map_err(|_| none())?;
        let mut refused = none();
        for address in resolve(host, port, within(PATIENCE)).map_err(io::Error::other)? {
            match Connection::open(address, host, settings, within(PATIENCE)) {
                Ok(connection) => {
                    let connection = connection.secure().map_err(io::Error::other)?;
                    let mut broker = Self(connection.with_max_response_bytes(MAX_RESPONSE_BYTES));
                    broker.ask(Connection::log_in)?;
                    return Ok(broker);
                }
                Err(OpenError::Failed(error)) => refused = error,
                Err(error) => refused = io::Error::other(error),
            }
        }
        Err(refused)
    }

    /// Sends one request, in this version of it, and waits for its answer.
    pub(crate) fn call<R: Request>(&mut self, version: i16, request: &R) -> io::Result<R::Response> {
        self.ask(|connection| connection.call_in(version, request))
    }

    /// Asks something else.
    pub(crate) fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Connection) -> Result<T, CallError>,
    ) -> io::Result<T> {
        self.0.set_deadline(within(PATIENCE));
        question(&mut self.0).map_err(io::Error::other)
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: a peer is waited for in wall-clock time")]
fn within(patience: Duration) -> Instant {
    Instant::now() + patience
}
