//! Names and sockets with deadlines.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

/// A name is taken to have no more addresses than this: those behind are not tried.
const MOST_ADDRESSES: usize = 8;

/// Why a host's name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// It has no address.
    #[error("{0}")]
    Unknown(String),
    /// The name service did not answer in time.
    #[error("no answer in time")]
    TimedOut,
}

/// The addresses of `host`, in the order in which this machine's programs try them.
pub fn resolve(host: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, HostError> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (send, receive) = mpsc::channel();
    let looks_up = thread::Builder::new().name("resolve".into()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs();
        // If this fails the deadline has passed, and no one waits any more.
        let _late = send.send(found.map(|all| all.take(MOST_ADDRESSES).collect::<Vec<_>>()));
    });
    looks_up.map_err(|error| HostError::Unknown(error.to_string()))?;
    match receive.recv_timeout(left(deadline).unwrap_or_default()) {
        Ok(Ok(mut addresses)) => {
            addresses.dedup();
            if addresses.is_empty() {
                return Err(HostError::Unknown("it has none".to_owned()));
            }
            Ok(addresses)
        }
        Ok(Err(error)) => Err(HostError::Unknown(reason(&error))),
        Err(_) => Err(HostError::TimedOut),
    }
}

/// What the resolver said, without Rust's words before it.
fn reason(error: &io::Error) -> String {
    let said = error.to_string();
    said.strip_prefix("failed to lookup address information: ").map_or(said.clone(), str::to_owned)
}

/// How long it is until `deadline`; an error when it has passed.
#[expect(clippy::disallowed_methods, reason = "the edge: a peer is waited for in wall-clock time")]
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A connection that ends at its deadline, however slowly the other side sends or reads.
#[derive(Debug)]
pub struct Timed {
    stream: TcpStream,
    pub(super) deadline: Instant,
}

impl Timed {
    /// A connection that there is; what is not read or written by then fails.
    pub fn new(stream: TcpStream, deadline: Instant) -> Self {
        Self { stream, deadline }
    }

    pub(super) fn connect(address: SocketAddr, deadline: Instant) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, left(deadline)?)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, deadline })
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(into).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A socket whose time is up says so in another word.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
