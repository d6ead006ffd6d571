//! Saying who can reach a listener that is open to a network.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::listen::Listening;

/// Says in one line what it means that others can come, if they can.
pub(super) fn warn_if_open(listening: &Listening) {
    let listens_on = listening.address;
    if listens_on.ip().is_loopback() {
        return;
    }
    let others_use = match (&listening.listener.advertised, own_address(listens_on)) {
        (Some(told), _) => told.address(listens_on.port()),
        (None, Some(own)) => SocketAddr::new(own, listens_on.port()).to_string(),
        (None, None) => format!("this machine's name or address with port {}", listens_on.port()),
    };
    let protocol = listening.listener.protocol;
    let who = if protocol.has_login() { "every user" } else { "everyone who reaches it" };
    let in_the_clear = match (protocol.has_login(), protocol.has_tls()) {
        (true, false) => " (passwords and records travel in the clear: add TLS)",
        _ => "",
    };
    tracing::warn!(
        "{listens_on} is open to the network: {who} can read, write and delete everything{in_the_clear}; \
         other machines, and containers on this one, use {others_use}; listen on localhost to be alone"
    );
}

/// The address by which other machines reach this one, if it has one: that from which it would send
/// to them. Nothing is sent.
pub(super) fn own_address(listens_on: SocketAddr) -> Option<IpAddr> {
    if !listens_on.ip().is_unspecified() {
        return Some(listens_on.ip());
    }
    // Addresses that are set aside for documentation: no machine has them.
    let from = |any: &str, somewhere: &str| {
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(somewhere).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    from("0.0.0.0:0", "192.0.2.1:9").or_else(|| {
        let v6 = listens_on.is_ipv6().then(|| from("[::]:0", "[2001:db8::1]:9"));
        v6.flatten()
    })
}

/// The names and addresses by which clients may connect to these listeners.
pub(super) fn names<'a>(listening: impl Iterator<Item = &'a Listening>) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let of_machine = rustix::system::uname();
    names.extend(of_machine.nodename().to_str().ok().map(str::to_ascii_lowercase));
    for Listening { listener, address } in listening {
        names.extend(listener.advertised.as_ref().map(|told| told.host.to_ascii_lowercase()));
        if address.ip().is_unspecified() {
            names.extend(own_address(*address).map(|own| own.to_string()));
        } else {
            names.push(listener.host.to_ascii_lowercase());
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_never_told_an_address_that_is_none() {
        for any in ["0.0.0.0:9092", "[::]:9092"] {
            let own = own_address(any.parse().unwrap());
            assert!(own.is_none_or(|own| !own.is_unspecified() && !own.is_loopback()), "{own:?}");
        }
        let own = "10.1.2.3:9092".parse().unwrap();
        assert_eq!(own_address(own), Some(own.ip()));
    }
}
