//! Who is at an address, and how an address is written.

use client::direct::{Connection, Stranger, TlsError};

/// What came of going to an address.
pub(super) enum Contact {
    /// A Kafka that serves clients.
    Kafka(Connection),
    /// A controller of a Kafka cluster, which serves brokers.
    Controller,
    /// A Kafka without TLS, where the settings say that it has it.
    PlainText,
    /// TLS with it fails, for this reason.
    Tls(TlsError),
    /// Nothing listens.
    Refused,
    /// Nobody says anything, not even no.
    NoAnswer,
    /// The network says no, and why.
    Unreachable(String),
    /// Somebody else.
    Stranger(Stranger),
    /// Somebody else, who says this.
    Babble(Vec<u8>),
    /// Somebody who takes the connection and says nothing.
    Silent,
    /// Somebody who takes the connection and closes it.
    HungUp,
}

impl Contact {
    /// The connection, if there is a Kafka.
    pub(super) fn kafka(self) -> Option<Connection> {
        if let Self::Kafka(connection) = self { Some(connection) } else { None }
    }

    /// Whether there is one.
    pub(super) fn is_kafka(&self) -> bool {
        matches!(self, Self::Kafka(_))
    }
}

/// Host and port of `server`.
pub(super) fn split(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    // A colon in the host belongs to an IPv6 address in brackets, or to something else.
    let in_brackets = host.starts_with('[') && host.ends_with(']');
    let is_host = !host.is_empty() && (in_brackets || !host.contains([':', '/']));
    is_host.then_some((host, port.parse().ok().filter(|port| *port > 0)?))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_server_is_a_host_and_a_port() {
        for (server, is) in [
            ("localhost:9092", Some(("localhost", 9092))),
            ("[::1]:9092", Some(("[::1]", 9092))),
            ("10.0.0.1:1", Some(("10.0.0.1", 1))),
            ("localhost", None),
            (":9092", None),
            ("localhost:0", None),
            ("localhost:kafka", None),
            ("localhost:99999", None),
            ("PLAINTEXT://localhost:9092", None),
            ("http://localhost:9092", None),
            ("::1:9092", None),
        ] {
            assert_eq!(split(server), is, "{server}");
        }
    }
}
