//! Why a cluster can't be reached, where that is neither its absence nor the network: one side
//! speaks TLS and the other does not, or the certificate is wrong.
//!
//! librdkafka tells of such a thing in its own words, among attempts that go on for ever, and of a
//! certificate only that it could not be verified. So it is looked at once more, by a
//! [`direct`](crate::direct) connection that has an error for each.

use std::time::{Duration, Instant};

use crate::direct::{CallError, Connection, Stranger, TlsError, probe, resolve, tls_settings};
use crate::servers::hosts_and_ports;
use crate::{ClusterError, Settings};

/// How long each step may take: who answers at all answers at once.
const PATIENCE: Duration = Duration::from_secs(1);

impl ClusterError {
    /// The same, or instead of an outage the reason that only a person can take away.
    #[must_use]
    pub(crate) fn or_why(self, settings: &Settings) -> Self {
        match self {
            Self::Unreachable { what, servers, seconds } => match why(settings) {
                Some(reason) => Self::Unsuited { what, servers, reason },
                None => Self::Unreachable { what, servers, seconds },
            },
            other => other,
        }
    }

    /// The same of a client that could not be made, or what is wrong with the files that its
    /// settings name: of these librdkafka has OpenSSL's words.
    #[must_use]
    pub(crate) fn or_wrong_files(self, settings: &Settings) -> Self {
        match (self, tls_settings(settings)) {
            (Self::Refused { what, servers, .. }, Err(TlsError::Settings { what: wrong, remedy })) => {
                Self::Unsuited { what, servers, reason: format!("{wrong}: {remedy}") }
            }
            (other, _) => other,
        }
    }
}

/// What is wrong with the first of the servers that says anything, and what to do.
fn why(settings: &Settings) -> Option<String> {
    hosts_and_ports(settings.servers()).find_map(|(host, port)| {
        let addresses = resolve(host, port, soon()).ok()?;
        addresses.into_iter().find_map(|address| {
            let connection = Connection::open(address, host, settings, soon()).ok()?;
            if settings.has_tls() { why_no_tls(connection) } else { why_not_plain(connection) }
        })
    })
}

fn why_no_tls(connection: Connection) -> Option<String> {
    let again = connection.again(soon());
    let error = match connection.secure() {
        Ok(mut secured) => match secured.greet() {
            // Who wants a certificate may say so only behind the handshake.
            Err(CallError::Tls(error)) => error,
            _ => return None,
        },
        // It may be about to start, or be no Kafka at all.
        Err(TlsError::TimedOut) => return None,
        Err(TlsError::HungUp) if !again.is_ok_and(|mut plain| plain.greet().is_ok()) => return None,
        Err(TlsError::HungUp) => TlsError::NotTls,
        Err(error) => error,
    };
    Some(format!("it {error}: {}", error.remedy()))
}

fn why_not_plain(mut connection: Connection) -> Option<String> {
    let speaks_tls = match connection.greet() {
        Err(CallError::NotKafka(said)) => Stranger::recognize(&said) == Some(Stranger::Tls),
        Err(CallError::HungUp | CallError::TimedOut) => {
            probe(connection.peer(), soon()) == Some(Stranger::Tls)
        }
        _ => false,
    };
    speaks_tls.then(|| {
        "it speaks TLS, and a client in plain text gets no answer: write security.protocol=SSL (SASL_SSL where it asks \
         for a login) and ssl.ca.location into a file for --client-config, or use the port of a listener without TLS"
            .to_owned()
    })
}

#[expect(clippy::disallowed_methods, reason = "the edge: a peer is waited for in wall-clock time")]
fn soon() -> Instant {
    Instant::now() + PATIENCE
}
