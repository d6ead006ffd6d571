//! The addresses at which a broker is reached, and what clients are told of them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// How clients speak on a listener, by Kafka's names (`security.protocol`) and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum SecurityProtocol {
    /// Without TLS: who is on the way can read along.
    Plaintext = 0,
    /// With TLS.
    Ssl = 1,
    /// Without TLS, with a login.
    SaslPlaintext = 2,
    /// With TLS and a login.
    SaslSsl = 3,
}

impl SecurityProtocol {
    const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// Whether what is sent is encrypted.
    pub fn has_tls(self) -> bool {
        match self {
            Self::Plaintext | Self::SaslPlaintext => false,
            Self::Ssl | Self::SaslSsl => true,
        }
    }

    /// Whether clients log in before anything else.
    pub fn has_login(self) -> bool {
        match self {
            Self::Plaintext | Self::Ssl => false,
            Self::SaslPlaintext | Self::SaslSsl => true,
        }
    }

    /// The protocol that has these two.
    pub fn with(tls: bool, login: bool) -> Self {
        match (tls, login) {
            (false, false) => Self::Plaintext,
            (true, false) => Self::Ssl,
            (false, true) => Self::SaslPlaintext,
            (true, true) => Self::SaslSsl,
        }
    }
}

impl fmt::Display for SecurityProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is no listener or nothing to advertise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct InvalidAddress(String);

/// Where a broker listens (an entry of `listeners`), and what its clients are told.
///
/// It is read from `[PROTOCOL://]HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// How clients speak there; by default in plain text.
    pub protocol: SecurityProtocol,
    /// A name or an address, without the brackets of IPv6. `localhost` is both 127.0.0.1 and
    /// `::1`.
    pub host: String,
    /// 0 takes a free one.
    pub port: u16,
    /// What clients are told to connect to (an entry of `advertised.listeners`), if not the
    /// address by which each of them has come.
    pub advertised: Option<Advertised>,
}

impl Listener {
    /// One on this machine, at any free port.
    pub fn on_this_machine() -> Self {
        let (protocol, host) = (SecurityProtocol::Plaintext, "127.0.0.1".to_owned());
        Self { protocol, host, port: 0, advertised: None }
    }

    /// `host:port` as it was written.
    pub fn address(&self) -> String {
        address(&self.host, self.port)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol, self.address())
    }
}

impl FromStr for Listener {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (protocol, address) = match text.split_once("://") {
            Some((name, address)) => (protocol(name)?, address),
            None => (SecurityProtocol::Plaintext, text),
        };
        let (host, port) = host_and_port(address)?;
        let Some(port) = port else { return invalid("there is no port in it, such as localhost:9092") };
        if host.is_empty() {
            return invalid(format!(
                "there is no host in it: localhost:{port} is for this machine alone, 0.0.0.0:{port} for all networks"
            ));
        }
        Ok(Self { protocol, host, port, advertised: None })
    }
}

/// What the clients of a listener are told. It is read from `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// A name or an address, without the brackets of IPv6.
    pub host: String,
    /// If not the one of the listener.
    pub port: Option<u16>,
}

impl Advertised {
    /// `host:port`, the listener's port unless it has its own.
    pub fn address(&self, port: u16) -> String {
        address(&self.host, self.port.unwrap_or(port))
    }
}

impl FromStr for Advertised {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.contains("://") {
            return invalid("it has no protocol: write HOST or HOST:PORT, such as broker.example:9092");
        }
        let (host, port) = host_and_port(text)?;
        if host.is_empty() {
            return invalid("there is no host in it: write HOST or HOST:PORT, such as broker.example:9092");
        }
        if host.parse().is_ok_and(|address: IpAddr| address.is_unspecified()) {
            return invalid(format!(
                "no client can connect to {host}: write the name or address by which clients reach this machine"
            ));
        }
        if port == Some(0) {
            return invalid("no client can connect to port 0: write the port by which clients come, or none");
        }
        Ok(Self { host, port })
    }
}

fn protocol(name: &str) -> Result<SecurityProtocol, InvalidAddress> {
    let known = SecurityProtocol::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        let names = SecurityProtocol::ALL.map(SecurityProtocol::name).join(", ");
        InvalidAddress(format!("{name:?} is no protocol of a listener: there is {names}"))
    })
}

/// Reads `HOST[:PORT]`, where an address of IPv6 has brackets.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), InvalidAddress> {
    let without_brackets = "an IPv6 address has brackets before its port, such as [::1]:9092";
    if text.parse::<Ipv6Addr>().is_ok() {
        return invalid(without_brackets);
    }
    let (host, port) = match text.strip_prefix('[').map(|inside| inside.split_once(']')) {
        Some(Some((host, port))) if host.parse::<Ipv6Addr>().is_ok() => match port.strip_prefix(':') {
            None if port.is_empty() => (host, None),
            Some(port) => (host, Some(port)),
            None => return invalid(format!("{port:?} behind the brackets is no port, such as :9092")),
        },
        Some(_) => return invalid("in the brackets is no IPv6 address, such as [::1]:9092"),
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.parse::<Ipv6Addr>().is_ok() => return invalid(without_brackets),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let strange = |c: char| c.is_whitespace() || c.is_control() || ",/:@[]".contains(c);
    if host.parse::<Ipv6Addr>().is_err()
        && let Some(c) = host.chars().find(|c| strange(*c))
    {
        return invalid(format!("{c:?} is part of no host; write one HOST:PORT, such as localhost:9092"));
    }
    let parse = |port: &str| match port.parse() {
        Ok(port) => Ok(port),
        Err(_) => invalid(format!("{port:?} is not a port, which is a number up to 65535")),
    };
    Ok((host.to_owned(), port.map(parse).transpose()?))
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, InvalidAddress> {
    Err(InvalidAddress(reason.into()))
}

/// A host and port as one string; an address of IPv6 has brackets.
pub(crate) fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_read_as_it_is_shown() {
        for (text, shown) in [
            ("localhost:9092", "PLAINTEXT://localhost:9092"),
            ("plaintext://0.0.0.0:0", "PLAINTEXT://0.0.0.0:0"),
            ("[::1]:9092", "PLAINTEXT://[::1]:9092"),
            ("SSL://[::]:9092", "SSL://[::]:9092"),
        ] {
            assert_eq!(text.parse::<Listener>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_listener_is_refused_with_the_remedy() {
        for (text, remedy) in [
            ("9092", "localhost:9092"),
            ("localhost", "localhost:9092"),
            ("localhost:kafka", "a number"),
            ("localhost:99999", "up to 65535"),
            ("", "localhost:9092"),
            (":9092", "localhost:9092 is for this machine"),
            ("::1", "[::1]:9092"),
            ("::1:9092", "[::1]:9092"),
            ("::1:24640", "[::1]:9092"),
            ("[::1]", "localhost:9092"),
            ("[::1]9092", ":9092"),
            ("[localhost]:9092", "[::1]:9092"),
            ("[::1:9092", "[::1]:9092"),
            ("http://localhost:9092", "PLAINTEXT"),
            ("a:1,b:2", "one HOST:PORT"),
            ("a b:1", "one HOST:PORT"),
        ] {
            let error = text.parse::<Listener>().unwrap_err().to_string();
            assert!(error.contains(remedy), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_no_client_can_connect_to_is_not_advertised() {
        let advertised = |text: &str| text.parse::<Advertised>().map(|it| (it.host, it.port));
        assert_eq!(advertised("broker.example"), Ok(("broker.example".into(), None)));
        assert_eq!(advertised("[fd00::2]:9192"), Ok(("fd00::2".into(), Some(9192))));
        for text in ["", "0.0.0.0:9092", "[::]", "a:0", "PLAINTEXT://a:1", ":9092", "a:b", "fd00::2"] {
            assert!(advertised(text).is_err(), "{text:?}");
        }
    }
}
