//! A connection to one broker, for requests in Kafka's own bytes: what librdkafka, or its Rust
//! binding, does not ask or does not hand on.
//!
//! # Simplifications
//! - It goes over plain TCP. A cluster that wants TLS or SASL does not answer it.
//! - A request has one version, which every Kafka since 2.4 knows, and is not negotiated.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use protocol::{Request, decode_response, encode_request};

/// How long a broker may take for each step.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest response that is read: no broker of ours takes a request half as large.
const MAX_RESPONSE_BYTES: usize = 256 << 20;

/// A connection to one broker.
pub(crate) struct Line(TcpStream);

impl Line {
    /// To `address`, as `host:port`.
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(Self(stream));
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Sends one request, in this version of it, and waits for its answer.
    pub(crate) fn call<R: Request>(&mut self, version: i16, request: &R) -> io::Result<R::Response> {
        self.0.write_all(&encode_request(version, 1, "freshet", request))?;
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_RESPONSE_BYTES {
            return Err(io::Error::other(format!("a response of {length} bytes")));
        }
        // What is announced is believed as it comes in.
        let mut frame = Vec::new();
        (&mut self.0).take(length as u64).read_to_end(&mut frame)?;
        if frame.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (_, response) = decode_response::<R>(version, frame.into()).map_err(io::Error::other)?;
        Ok(response)
    }
}
