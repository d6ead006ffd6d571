//! Coming to a broker with all that its cluster wants: TLS, a login.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{CallError, Connection, TlsError, resolve};
use crate::servers::hosts_and_ports;
use crate::{ClusterError, Settings};

impl Connection {
    /// A connection to the first of the bootstrap servers that answers, greeted and logged in. Each
    /// may take `patience`; `what` is asked is part of the error.
    pub fn reach(settings: &Settings, what: &str, patience: Duration) -> Result<Self, ClusterError> {
        let mut failed = Failed::Away;
        for (host, port) in hosts_and_ports(settings.servers()) {
            match come(settings, host, port, within(patience)) {
                Ok(connection) => return Ok(connection),
                // Who is there and does not let us in says more than that another is away.
                Err(Failed::Away) => {}
                Err(other) => failed = other,
            }
        }
        let (what, servers) = (what.to_owned(), settings.servers().to_owned());
        Err(match failed {
            Failed::Away => {
                ClusterError::Unreachable { what, servers, seconds: patience.as_secs() }.or_why(settings)
            }
            Failed::Unsuited(error) => {
                ClusterError::Unsuited { what, servers, reason: format!("it {error}: {}", error.remedy()) }
            }
            Failed::NotLetIn(error) => ClusterError::Refused {
                what,
                servers,
                reason: format!("{error}: look at sasl.mechanism, sasl.username and sasl.password"),
            },
        })
    }

    /// The same to a broker of the cluster, at the first address of `host` where it is; none where
    /// it can't be reached by then.
    pub fn reach_broker(settings: &Settings, host: &str, port: u16, deadline: Instant) -> Option<Self> {
        come(settings, host, port, deadline).ok()
    }
}

/// Why a broker was not reached.
enum Failed {
    /// Nothing is there, or nothing that answers.
    Away,
    /// TLS with it fails.
    Unsuited(TlsError),
    /// It wants another login.
    NotLetIn(CallError),
}

fn come(settings: &Settings, host: &str, port: u16, deadline: Instant) -> Result<Connection, Failed> {
    let mut failed = Failed::Away;
    for address in resolve(host, port, deadline).map_err(|_| Failed::Away)? {
        match enter(settings, host, address, deadline) {
            Ok(connection) => return Ok(connection),
            Err(Failed::Away) => {}
            Err(other) => failed = other,
        }
    }
    Err(failed)
}

fn enter(
    settings: &Settings,
    host: &str,
    address: SocketAddr,
    deadline: Instant,
) -> Result<Connection, Failed> {
    let connection = Connection::open(address, host, settings, deadline).map_err(|_| Failed::Away)?;
    let mut connection = connection.secure().map_err(|error| match error {
        TlsError::HungUp | TlsError::TimedOut => Failed::Away,
        other => Failed::Unsuited(other),
    })?;
    connection.greet().map_err(|error| match error {
        CallError::Tls(error) => Failed::Unsuited(error),
        _ => Failed::Away,
    })?;
    connection.log_in().map_err(|error| match error {
        CallError::TimedOut => Failed::Away,
        other => Failed::NotLetIn(other),
    })?;
    Ok(connection)
}

#[expect(clippy::disallowed_methods, reason = "the edge: a peer is waited for in wall-clock time")]
fn within(patience: Duration) -> Instant {
    Instant::now() + patience
}
