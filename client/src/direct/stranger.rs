//! Who it is that does not speak Kafka: told by what it says when it is asked in Kafka's protocol,
//! or, if that is nothing, when it is asked in its own.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use super::timed::Timed;

/// As much of an answer is read.
const ANSWER_BYTES: usize = 1024;

/// How the doctor calls itself, in whatever it says: a broker of ours that refuses it knows that it
/// is no client of a user's. It is the client id of its [`Settings`](crate::Settings) too.
pub const DOCTOR: &str = "freshet-doctor";

/// The first words of a client that speaks TLS (RFC 5246): a record with a `ClientHello` that names
/// two suites and no more. A server agrees or complains, and both are TLS.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03\
    freshet-doctor asks who is here.\x00\x00\x04\xc0\x2f\x00\x2f\x01\x00";
const HTTP_REQUEST: &[u8] = b"GET / HTTP/1.0\r\nUser-Agent: freshet-doctor\r\n\r\n";
/// One of the words of four letters of a `ZooKeeper`. To those that it may not answer it says so.
const ZOOKEEPER_WORD: &[u8] = b"srvr";

/// A program that listens where a Kafka was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Anything that speaks TLS, a Kafka among others.
    Tls,
    /// A web server.
    Http,
    /// A web server that takes web sockets.
    WebSocket,
    /// A `ZooKeeper`.
    ZooKeeper,
    /// A Postgres server.
    Postgres,
    /// A `MySQL` or `MariaDB` server.
    MySql,
    /// A Redis server, or one that speaks its protocol.
    Redis,
    /// An SSH server.
    Ssh,
    /// An AMQP broker, such as `RabbitMQ`.
    Amqp,
    /// A NATS server.
    Nats,
    /// A mail or FTP server.
    Mail,
}

impl Stranger {
    /// Who says this.
    pub fn recognize(said: &[u8]) -> Option<Self> {
        let holds = |word: &[u8]| said.windows(word.len()).any(|part| part == word);
        Some(match said {
            [0x15 | 0x16, 3, ..] => Self::Tls,
            [b'H', b'T', b'T', b'P', b'/', ..] => {
                let head = said.to_ascii_lowercase();
                let names = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
                if names(b"upgrade: websocket") || names(b"sec-websocket") {
                    Self::WebSocket
                } else {
                    Self::Http
                }
            }
            [b'S', b'S', b'H', b'-', ..] => Self::Ssh,
            [b'A', b'M', b'Q', b'P', ..] => Self::Amqp,
            [b'I', b'N', b'F', b'O', b' ', b'{', ..] => Self::Nats,
            // An error, behind it the length of its fields: none of them is long.
            [b'E', 0, 0, ..] if holds(b"FATAL") => Self::Postgres,
            // The first packet of a connection, and version 10 of the protocol.
            [_, _, 0, 0, 10, ..] => Self::MySql,
            _ if said.starts_with(b"-ERR")
                || said.starts_with(b"-NOAUTH")
                || said.starts_with(b"-DENIED") =>
            {
                Self::Redis
            }
            _ if holds(b"Zookeeper") || holds(b"not in the whitelist") => Self::ZooKeeper,
            [b'2', b'2', b'0', b' ' | b'-', ..] => Self::Mail,
            _ => return None,
        })
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "a server that speaks TLS",
            Self::Http => "a web server (HTTP)",
            Self::WebSocket => "a web socket server (HTTP)",
            Self::ZooKeeper => "a ZooKeeper",
            Self::Postgres => "a Postgres server",
            Self::MySql => "a MySQL server",
            Self::Redis => "a Redis server",
            Self::Ssh => "an SSH server",
            Self::Amqp => "an AMQP broker, such as RabbitMQ",
            Self::Nats => "a NATS server",
            Self::Mail => "a mail or FTP server",
        }
    }
}

/// Asks in other protocols who is there, each on a connection of its own, all at once.
pub fn probe(address: SocketAddr, deadline: Instant) -> Option<Stranger> {
    thread::scope(|scope| {
        // Connected in this order: who serves one after the other begins with the first.
        let ask = |words: &'static [u8]| {
            let stream = Timed::connect(address, deadline).ok()?;
            let asks = thread::Builder::new().name("probe".into());
            asks.spawn_scoped(scope, move || said(stream, words)).ok()
        };
        let asked = [CLIENT_HELLO, HTTP_REQUEST, ZOOKEEPER_WORD].map(ask);
        let answers = asked.into_iter().filter_map(|thread| thread?.join().ok());
        // All are waited for: the scope would anyway.
        answers.collect::<Vec<_>>().into_iter().find_map(|said| Stranger::recognize(&said))
    })
}

/// What is said to these words: as much as comes until the other side has said enough to be
/// recognized, hangs up, or the time is up.
fn said(mut stream: Timed, words: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    let mut chunk = [0; ANSWER_BYTES];
    // Who hangs up before it has read all may have said something nevertheless.
    let _either_way = stream.write_all(words);
    while said.len() < ANSWER_BYTES && Stranger::recognize(&said).is_none() {
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => said.extend_from_slice(&chunk[..read]),
            Ok(0) | Err(_) => break,
        }
    }
    said
}
