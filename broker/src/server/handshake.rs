//! Agreeing on keys with a client, where a listener has TLS.
//!
//! A handshake is part of its connection's own task: a client that says nothing, or half of it,
//! holds up nobody else, and is hung up on after [`GREETING`].

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{AlertDescription, Error};

use super::connection::{Closed, ignore_hangup};
use super::foreign_protocol;
use super::stream::Stream;
use crate::listener::SecurityProtocol;

/// How long a client may take before its first request.
pub(super) const GREETING: Duration = Duration::from_secs(30);

/// What every handshake begins with.
const HANDSHAKE: u8 = 0x16;

/// The stream to a client that has shown to speak TLS; none if it has hung up.
pub(super) async fn handshake(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    protocol: SecurityProtocol,
) -> Result<Option<Stream>, Closed> {
    let mut first = [0; foreign_protocol::BEGINNING];
    // What is only looked at can still be named when it is no TLS.
    let doctor = match socket.peek(&mut first).await {
        Ok(0) => return Ok(None),
        Ok(length) if first[0] == HANDSHAKE => foreign_protocol::recognize(&first[..length], protocol),
        Ok(length) => {
            let what = foreign_protocol::recognize(&first[..length], protocol);
            let what =
                what.unwrap_or_else(|| format!("no TLS: this port wants security.protocol={protocol}"));
            return Err(Closed::ForeignProtocol { what });
        }
        Err(error) => return ignore_hangup(error).map(|()| None),
    };
    match acceptor.accept(socket).await {
        Ok(stream) => Ok(Some(Stream::Tls(Box::new(stream)))),
        Err(error) => match (doctor, error.get_ref().and_then(|inner| inner.downcast_ref())) {
            (Some(what), _) => Err(Closed::ForeignProtocol { what }),
            (None, Some(reason)) => Err(Closed::Handshake { what: explain(reason) }),
            (None, None) => ignore_hangup(error).map(|()| None),
        },
    }
}

/// The same, or an error when it takes too long.
pub(super) async fn in_time<T>(
    limit: Duration,
    greeting: impl Future<Output = Result<T, Closed>>,
) -> Result<T, Closed> {
    timeout(limit.min(GREETING), greeting).await.unwrap_or(Err(Closed::Greeting))
}

fn explain(error: &Error) -> String {
    use AlertDescription::{BadCertificate, CertificateUnknown, UnknownCA};
    match error {
        Error::AlertReceived(alert @ (BadCertificate | CertificateUnknown | UnknownCA)) => format!(
            "the client does not trust this broker's certificate ({alert:?}): its ssl.ca.location has to name the \
             certificate, or that of who has signed it, and the certificate the host it connects to"
        ),
        other => other.to_string(),
    }
}
