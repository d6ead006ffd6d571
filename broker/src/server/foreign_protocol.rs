//! Recognizing those who have the wrong port.

use crate::listener::SecurityProtocol;
use crate::refusals::DOCTOR;

/// As much of a connection's beginning is worth a look: all that [`recognize`] goes by is in there.
pub(super) const BEGINNING: usize = 64;

/// What the first bytes of a connection say about who is there, if it is not a Kafka client.
///
/// To us four of them are the length of a frame, and what other protocols begin with makes an
/// absurd one.
pub(super) fn recognize(first: &[u8], protocol: SecurityProtocol) -> Option<String> {
    if is_doctor(first) {
        return Some(format!("{DOCTOR}, which asks in several protocols who is here"));
    }
    match first {
        [0, ..] if protocol.has_tls() => Some(format!(
            "a Kafka client without TLS: this port speaks TLS, use security.protocol={protocol}"
        )),
        [0x16, 3, ..] if !protocol.has_tls() => {
            Some(format!("a TLS handshake: this port speaks plain text, use security.protocol={protocol}"))
        }
        _ => first.first_chunk().and_then(|first| recognize_any(*first)).map(str::to_owned),
    }
}

/// Whether `freshet doctor` says these first bytes: all that has room for it carries its name, and
/// what it asks a `ZooKeeper` is the word `srvr`, which is no other client's of Kafka's either.
pub(super) fn is_doctor(first: &[u8]) -> bool {
    let beginning = &first[..first.len().min(BEGINNING)];
    first.starts_with(b"srvr") || beginning.windows(DOCTOR.len()).any(|part| part == DOCTOR.as_bytes())
}

fn recognize_any(first: [u8; 4]) -> Option<&'static str> {
    match &first {
        b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"OPTI" | b"PATC" | b"CONN" | b"TRAC" => {
            Some("an HTTP request: this port speaks Kafka's protocol")
        }
        // Version 1 is text, version 2 begins with an empty line.
        b"PROX" | b"\r\n\r\n" => Some(
            "a load balancer that speaks the PROXY protocol: this port speaks Kafka's protocol, send it without",
        ),
        // An array of strings, as clients send their commands, or a command that somebody typed.
        [b'*', b'1'..=b'9', b'\r', b'\n'] | b"PING" | b"INFO" => {
            Some("a Redis client: this port speaks Kafka's protocol")
        }
        b"AMQP" => Some("an AMQP client: this port speaks Kafka's protocol"),
        b"PRI " => Some("an HTTP/2 request: this port speaks Kafka's protocol"),
        b"SSH-" => Some("an SSH client: this port speaks Kafka's protocol"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_wrong_port_is_named() {
        for (first, name) in [
            (b"GET ", "HTTP"),
            (b"PRI ", "HTTP/2"),
            (b"PROX", "PROXY"),
            (b"\r\n\r\n", "PROXY"),
            (b"*1\r\n", "Redis"),
            (b"PING", "Redis"),
            (b"AMQP", "AMQP"),
        ] {
            for protocol in [SecurityProtocol::Plaintext, SecurityProtocol::Ssl] {
                let what = recognize(first, protocol);
                let what = what.unwrap_or_else(|| panic!("{first:?} is not recognized"));
                assert!(what.contains(name), "{what}");
            }
        }
    }

    #[test]
    fn who_speaks_tls_where_there_is_none_is_named_and_so_is_the_contrary() {
        let (tls, kafka) = ([0x16, 3, 1, 0], [0, 0, 0, 40]);
        let what = recognize(&tls, SecurityProtocol::Plaintext).unwrap();
        assert!(what.contains("TLS") && what.ends_with("security.protocol=PLAINTEXT"), "{what}");
        let what = recognize(&kafka, SecurityProtocol::Ssl).unwrap();
        assert!(what.contains("TLS") && what.ends_with("security.protocol=SSL"), "{what}");
        assert_eq!(recognize(&tls, SecurityProtocol::Ssl), None);
        assert_eq!(recognize(&kafka, SecurityProtocol::Plaintext), None);
    }

    #[test]
    fn whatever_has_come_of_a_beginning_is_judged() {
        let protocol = SecurityProtocol::Plaintext;
        for first in [&b""[..], b"G", b"GET", b"\x16\x03", b"srv"] {
            let _no_panic = recognize(first, protocol);
            assert!(!is_doctor(first), "{first:?}");
        }
        let far = [&b"GET / HTTP/1.1\r\n"[..], &[b'x'; BEGINNING], DOCTOR.as_bytes()].concat();
        assert!(!is_doctor(&far), "only the beginning counts");
        assert!(recognize(&far, protocol).unwrap().contains("HTTP"));
        assert!(is_doctor(b"srvr") && is_doctor(b"GET / HTTP/1.0\r\nUser-Agent: freshet-doctor\r\n\r\n"));
    }
}
