//! Taking connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::shared::Shared;
use crate::api::Endpoint;

/// A peer that is gone without a word is noticed after about this long without traffic.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// Serves whoever connects, each in a task of its own.
pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Err(error) = serve(shared, stream, peer).await {
                        tracing::warn!(%peer, "connection closed: {error}");
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
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<(), super::connection::Closed> {
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(&stream, true).map_err(std::io::Error::from)?;
    rustix::net::sockopt::set_tcp_keepidle(&stream, KEEPALIVE).map_err(std::io::Error::from)?;
    let endpoint = endpoint(&shared, stream.local_addr()?);
    Connection::new(shared, stream, endpoint, format!("/{}", peer.ip())).run().await
}

/// What to tell this client when it asks where the broker is: the address it has reached us by, which is therefore one
/// that it can reach.
fn endpoint(shared: &Shared, local: SocketAddr) -> Endpoint {
    let host = match (&shared.node.config.advertised_host, local.ip().to_canonical()) {
        (Some(host), _) => host.clone(),
        // Clients join host and port by a colon and can't read a bare IPv6 address; this name they all can.
        (None, IpAddr::V6(address)) if address.is_loopback() => "localhost".into(),
        (None, address) => address.to_string(),
    };
    Endpoint { host, port: local.port() }
}
