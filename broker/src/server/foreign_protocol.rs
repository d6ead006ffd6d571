//! Recognizing those who have the wrong port.

/// What the first four bytes of a connection say about who is there, if it is not a Kafka client.
///
/// To us they are the length of a frame, and what other protocols begin with makes an absurd one.
pub(super) fn recognize(first: [u8; 4]) -> Option<&'static str> {
    match &first {
        b"GET " | b"POST" | b"PUT " | b"HEAD" | b"DELE" | b"OPTI" | b"PATC" | b"CONN" | b"TRAC" => {
            Some("an HTTP request: this port speaks Kafka's protocol")
        }
        [0x16, 3, ..] => {
            Some("a TLS handshake: this port speaks plain text, use security.protocol=PLAINTEXT")
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
            (b"\x16\x03\x01\x00", "TLS"),
        ] {
            let what = recognize(*first).unwrap_or_else(|| panic!("{first:?} is not recognized"));
            assert!(what.contains(name), "{what}");
        }
        assert_eq!(recognize([0, 0, 0, 40]), None);
    }
}
