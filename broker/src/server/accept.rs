//! Taking connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::connection::{Closed, Connection};
use super::handshake::{handshake, in_time};
use super::login::log_in;
use super::shared::Shared;
use super::stream::Stream;
use crate::api::Endpoint;
use crate::listener::SecurityProtocol;

/// A peer that is gone without a word (its machine lost power, its network a cable) is asked after
/// this long without traffic whether it is still there, …
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);

/// … again so long after each question, …
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// … and given up after so many questions.
const KEEPALIVE_COUNT: u32 = 3;

/// Serves every client that connects to this listener, each in a task of its own.
///
/// `tls` is what it has for TLS.
pub(super) async fn accept(
    shared: Arc<Shared>,
    index: usize,
    tls: Option<TlsAcceptor>,
    listener: TcpListener,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve(Arc::clone(&shared), index, tls, stream, peer).await {
                        tracing::warn!(%peer, "connection closed: {error}");
                        shared.node.refusals.note(shared.clock.now_ms(), &client_host(peer), &error);
                    }
                });
            }
            // Out of file descriptors, most likely: that passes when others hang up.
            Err(error) => {
                tracing::error!("can't accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(
    shared: Arc<Shared>,
    index: usize,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<(), Closed> {
    prepare(&stream)?;
    let endpoint = endpoint(&shared, index, stream.local_addr()?);
    let config = &shared.node.config;
    let protocol = config.listeners[index].protocol;
    let idle = Duration::from_millis(config.connections_max_idle_ms.into());
    let greeting = greet(&shared, tls, protocol, stream);
    let Some(stream) = in_time(idle, greeting).await? else { return Ok(()) };
    Connection::new(shared, stream, endpoint, client_host(peer)).run().await
}

/// Where a client connects from, as Kafka writes it.
fn client_host(peer: SocketAddr) -> String {
    format!("/{}", peer.ip())
}

/// What comes before the first request: TLS and a login, where the listener has them. None if the
/// client has hung up.
async fn greet(
    shared: &Shared,
    tls: Option<TlsAcceptor>,
    protocol: SecurityProtocol,
    socket: TcpStream,
) -> Result<Option<Stream>, Closed> {
    let mut stream = match tls {
        None => Stream::Plain(socket),
        Some(tls) => match handshake(&tls, socket, protocol).await? {
            Some(stream) => stream,
            None => return Ok(None),
        },
    };
    if protocol.has_login() {
        let users = shared.node.config.users.as_ref().expect("without users no listener wants a login");
        if !log_in(users, protocol, &mut stream).await? {
            return Ok(None);
        }
    }
    Ok(Some(stream))
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_COUNT)?;
    Ok(())
}

/// What to tell this client when it asks where the broker is: what its listener advertises, or the
/// address it has reached us by, which is therefore one that it can reach.
fn endpoint(shared: &Shared, index: usize, local: SocketAddr) -> Endpoint {
    let listener = &shared.node.config.listeners[index];
    let advertised = listener.advertised.as_ref();
    let host = match (advertised, local.ip().to_canonical()) {
        (Some(advertised), _) => advertised.host.clone(),
        // Some clients join host and port by a colon and can't read a bare IPv6 address; this name
        // they all can, if they also find us when they take it for 127.0.0.1.
        (None, IpAddr::V6(own)) if own.is_loopback() && listener.host.parse() != Ok(own) => {
            "localhost".into()
        }
        (None, own) => own.to_string(),
    };
    let port = advertised.and_then(|advertised| advertised.port).unwrap_or(local.port());
    Endpoint { listener: index, host, port }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test can pull a cable, but the kernel can be asked what it would do.
    #[tokio::test]
    async fn a_peer_that_is_gone_without_a_word_is_noticed_within_two_minutes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        prepare(&stream).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        let questions = sockopt::tcp_keepintvl(&stream).unwrap() * sockopt::tcp_keepcnt(&stream).unwrap();
        assert!(sockopt::tcp_keepidle(&stream).unwrap() + questions <= Duration::from_mins(2));
    }
}
