//! Taking the addresses.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use super::StartError;
use crate::listener::Listener;

/// How often to look for a port that is free on both of localhost's addresses.
const MAX_ATTEMPTS: usize = 16;

/// A listener that listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// As it was configured, with the port that it has.
    pub listener: Listener,
    /// Where it listens: the IPv4 address if that is localhost.
    pub address: SocketAddr,
}

impl Listening {
    /// What `bootstrap.servers` of a client on this machine should be.
    pub fn bootstrap_servers(&self) -> String {
        match self.address.ip() {
            IpAddr::V4(any) if any.is_unspecified() => format!("127.0.0.1:{}", self.address.port()),
            IpAddr::V6(any) if any.is_unspecified() => format!("localhost:{}", self.address.port()),
            _ => self.address.to_string(),
        }
    }
}

/// Takes the addresses of a listener, and notes the port if it was free to choose. The host
/// `localhost` is 127.0.0.1 and, where the machine has it, `[::1]`: which of the two a client tries
/// first is up to the client's machine.
pub(super) fn listen(listener: &mut Listener) -> Result<Vec<TcpListener>, StartError> {
    let sockets = if listener.host == "localhost" {
        listen_on_localhost(listener.port)?
    } else {
        let unknown = |reason| StartError::UnknownHost {
            listen: listener.address(),
            host: listener.host.clone(),
            reason,
        };
        let mut addresses = (listener.host.as_str(), listener.port)
            .to_socket_addrs()
            .map_err(|error| unknown(error.to_string()))?;
        vec![bind(addresses.next().ok_or_else(|| unknown("it has no address".into()))?)?]
    };
    listener.port = sockets[0].local_addr().map_err(StartError::Thread)?.port();
    Ok(sockets)
}

fn listen_on_localhost(port: u16) -> Result<Vec<TcpListener>, StartError> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let mut attempts = 0;
    loop {
        attempts += 1;
        let listener = bind(v4)?;
        let taken =
            listener.local_addr().map_err(|source| StartError::Listen { address: v4, source })?.port();
        let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), taken);
        match TcpListener::bind(v6) {
            Ok(other) => return Ok(vec![listener, other]),
            // A port that was free on one address and not on the other: if we
            // may choose, choose again.
            Err(error) if error.kind() == ErrorKind::AddrInUse && port == 0 && attempts < MAX_ATTEMPTS => {}
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(StartError::AddressInUse { address: v6 });
            }
            // No IPv6 on this machine.
            Err(_) => return Ok(vec![listener]),
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Listen { address, source },
    })
}
