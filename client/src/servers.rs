//! Bootstrap servers, looked at before a connection is tried: what can't be an address would only
//! be waited for.

use std::net::Ipv6Addr;

use thiserror::Error;

/// Kafka's names of how a cluster is spoken to, one of which may stand before an address.
const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// The port of an address that names none.
const USUAL_PORT: u16 = 9092;

/// Why a text names no servers, and what to write. It quotes nothing: in a file it may be a secret
/// on a wrong line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidServers(&'static str);

/// Whether clients can use these bootstrap servers: `[PROTOCOL://]HOST[:PORT]`, several of them
/// with commas between. Without a port it is 9092.
pub fn check_servers(text: &str) -> Result<(), InvalidServers> {
    let mut servers = text.split(',').map(str::trim).filter(|server| !server.is_empty()).peekable();
    if servers.peek().is_none() {
        return Err(InvalidServers("it is empty: write HOST:PORT, such as localhost:9092"));
    }
    servers.try_for_each(check)
}

/// The protocol of Kafka's that is written before the first of the servers that has one.
pub(crate) fn protocol_of(servers: &str) -> Option<&str> {
    let mut written = servers.split(',').filter_map(|server| Some(server.trim().split_once("://")?.0));
    written.find(|written| is_protocol(written))
}

/// An address as a connection needs it: without the protocol of Kafka's before it, if there is one.
pub fn without_protocol(server: &str) -> &str {
    match server.split_once("://") {
        Some((written, address)) if is_protocol(written) => address,
        _ => server,
    }
}

/// Host, an IPv6 address in its brackets, and port of each of these bootstrap servers.
pub(crate) fn hosts_and_ports(servers: &str) -> impl Iterator<Item = (&str, u16)> {
    servers.split(',').map(|server| without_protocol(server.trim())).filter_map(|address| {
        match address.rsplit_once(':') {
            // The colon is one of an IPv6 address's own.
            Some((_, port)) if port.ends_with(']') => Some((address, USUAL_PORT)),
            Some((host, port)) => Some((host, port.parse().ok()?)),
            None => (!address.is_empty()).then_some((address, USUAL_PORT)),
        }
    })
}

fn is_protocol(written: &str) -> bool {
    PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(written))
}

fn check(server: &str) -> Result<(), InvalidServers> {
    let wrong = |why| Err(InvalidServers(why));
    if server.contains(['"', '\'']) {
        return wrong("there are quotes in it, which are taken as part of the name: write localhost:9092");
    }
    let address = match server.split_once("://") {
        Some((protocol, address)) if is_protocol(protocol) => address,
        Some(_) => {
            return wrong("what stands before :// is no protocol of Kafka's: write localhost:9092 alone");
        }
        None => server,
    };
    let (host, port) = match address.strip_prefix('[').map(|inside| inside.split_once(']')) {
        Some(Some((host, port))) if host.parse::<Ipv6Addr>().is_ok() => match port.strip_prefix(':') {
            None if !port.is_empty() => return wrong("behind the brackets stands :PORT, as in [::1]:9092"),
            port => ("", port),
        },
        Some(_) => return wrong("in the brackets is no IPv6 address, such as [::1]:9092"),
        None => match address.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return wrong("an IPv6 address has brackets before its port, such as [::1]:9092");
            }
            Some(("", _)) | None if address.is_empty() || address.starts_with(':') => {
                return wrong("there is no host in it: write HOST:PORT, such as localhost:9092");
            }
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/@[]\\;=".contains(c);
    if host.contains(strange) {
        return wrong("that is no host: write HOST:PORT, such as localhost:9092");
    }
    match port.map(str::parse::<u16>) {
        Some(Err(_) | Ok(0)) => wrong("behind the colon is no port, which is a number from 1 to 65535"),
        Some(Ok(_)) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_clients_take_is_taken() {
        for text in [
            "localhost:9092",
            "localhost",
            "10.0.0.1:1, [::1]:9092,",
            "[fd00::2]",
            "PLAINTEXT://localhost:9092",
            "sasl_ssl://pkc-00000.us-west4.gcp.confluent.cloud:9092",
            "my_broker-1.example.:65535",
        ] {
            assert_eq!(check_servers(text), Ok(()), "{text}");
        }
        assert_eq!(protocol_of("a:1, SSL://b:2"), Some("SSL"));
        assert_eq!(protocol_of("a:1"), None);
        assert_eq!(protocol_of("http://a:1"), None);
    }

    #[test]
    fn what_can_be_no_address_is_refused_with_what_to_write() {
        for (text, remedy) in [
            ("", "localhost:9092"),
            (" ,, ", "localhost:9092"),
            ("\"127.0.0.1:24600\"", "quotes"),
            ("http://localhost:9092", "before :// is no protocol"),
            ("://localhost:9092", "before :// is no protocol"),
            ("PLAINTEXT://", "no host"),
            (":9092", "no host"),
            ("::1", "[::1]:9092"),
            ("::1:24640", "[::1]:9092"),
            ("[::1", "[::1]:9092"),
            ("[::1]9092", "[::1]:9092"),
            ("[localhost]:9092", "[::1]:9092"),
            ("127.0.0.1:99999", "1 to 65535"),
            ("localhost:0", "1 to 65535"),
            ("localhost:", "1 to 65535"),
            ("localhost:kafka", "1 to 65535"),
            ("a:1,b:99999", "1 to 65535"),
            ("a b:1", "no host"),
            ("localhost/kafka:9092", "no host"),
            ("user@host:9092", "no host"),
        ] {
            let error = check_servers(text).unwrap_err().to_string();
            assert!(error.contains(remedy), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_server_is_reached_by_its_host_and_port() {
        let servers = "PLAINTEXT://a:1, sasl_ssl://[::1]:2,b,[::1],";
        let of = [("a", 1), ("[::1]", 2), ("b", 9092), ("[::1]", 9092)];
        assert_eq!(hosts_and_ports(servers).collect::<Vec<_>>(), of);
        for (server, is) in [
            ("PLAINTEXT://localhost:9092", "localhost:9092"),
            ("sasl_ssl://[::1]:9092", "[::1]:9092"),
            ("http://localhost:9092", "http://localhost:9092"),
            ("localhost:9092", "localhost:9092"),
            ("PLAINTEXT://", ""),
        ] {
            assert_eq!(without_protocol(server), is, "{server}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in any::<String>(), likely in "[a:1/\\[\\],\" é]{0,12}") {
            let _ = (hosts_and_ports(&text).count(), hosts_and_ports(&likely).count());
            let _ = (check_servers(&text), check_servers(&likely), protocol_of(&likely));
        }
    }
}
