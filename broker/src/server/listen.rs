//! Taking the address.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use super::StartError;

/// How often to look for a port that is free on both of localhost's addresses.
const MAX_ATTEMPTS: usize = 16;

/// Listens on `host:port`. The host `localhost` is 127.0.0.1 and, where the machine has it,
/// `[::1]`: which of the two a client tries first is up to the client's machine.
pub(super) fn listen(address: &str) -> Result<Vec<TcpListener>, StartError> {
    let invalid = |reason: String| StartError::InvalidListen { listen: address.to_owned(), reason };
    let (host, port) = address.rsplit_once(':').ok_or_else(|| invalid("there is no port in it".into()))?;
    let port: u16 = port.parse().map_err(|_| invalid(format!("{port:?} is not a port")))?;
    if host == "localhost" {
        return listen_on_localhost(port);
    }
    let addresses = address.to_socket_addrs().map_err(|error| invalid(error.to_string()))?;
    let address = addresses.into_iter().next().ok_or_else(|| invalid("the host has no address".into()))?;
    Ok(vec![bind(address)?])
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
