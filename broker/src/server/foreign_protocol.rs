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
        b"SSH-" => Some("an SSH client: this port speaks Kafka's protocol"),
        _ => None,
    }
}
