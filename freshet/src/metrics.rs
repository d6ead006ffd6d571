//! `--metrics`: what Prometheus reads, at `http://HOST:PORT/metrics`.
//!
//! It is as much of HTTP as a scrape needs: one GET a connection, answered whole. A client that
//! connects may mean no good, so everything is bounded: the request in bytes, a connection in time,
//! and how many there are at once. One more sends the oldest of them away, so that those who say
//! nothing keep no scrape out; and the show waits for none of them.
//!
//! # Simplifications
//! - No TLS and no password: it is for this machine, or for a network of one's own.
//! - No compression, and a connection for each scrape.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use broker::RequestMetrics;
use client::direct::Timed;
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use prometheus_client::registry::Registry;
use scenarios::metrics::ShowMetrics;

use crate::cli::MetricsArgs;

/// So many connections there are at a time, each with a thread.
const AT_ONCE: usize = 32;
/// How long one of them may take, from the first byte of its request to the last of its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest request: Prometheus sends some 300 bytes.
const LONGEST_REQUEST: usize = 8 << 10;
/// How long to wait when a connection could not be accepted: there are too many open files, most
/// likely, and that passes.
const PAUSE: Duration = Duration::from_millis(100);

/// Where metrics are told, and which.
pub(crate) struct Metrics {
    listener: TcpListener,
    registry: Registry,
}

impl Metrics {
    /// Listens where an option says so; who asks is answered once [`serve`](Self::serve) is called.
    pub(crate) fn of(args: &MetricsArgs) -> Result<Option<Self>> {
        args.metrics.as_deref().map(Self::listen).transpose()
    }

    fn listen(address: &str) -> Result<Self> {
        let listener = TcpListener::bind(address).map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
                let next = port.parse::<u16>().ok().and_then(|port| port.checked_add(100)).unwrap_or(9_408);
                return anyhow!("port {port} is in use by another program: pass --metrics {host}:{next}");
            }
            anyhow!(
                "could not listen on {address} (--metrics): {error}; write HOST:PORT, such as 127.0.0.1:9308"
            )
        })?;
        let address = listener.local_addr().context("could not look at the address of --metrics")?;
        if !address.ip().is_loopback() {
            tracing::warn!(
                "{address} is open to the network: everyone who reaches it can read these metrics, with the names \
                 of all topics and groups; listen on 127.0.0.1 to be alone"
            );
        }
        Ok(Self { listener, registry: Registry::default() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// What a broker is to tell of its requests.
    pub(crate) fn of_requests(&mut self) -> RequestMetrics {
        let metrics = RequestMetrics::default();
        metrics.register(&mut self.registry);
        metrics
    }

    /// What a controller is to tell of what it shows.
    pub(crate) fn of_show(&mut self) -> ShowMetrics {
        let metrics = ShowMetrics::default();
        metrics.register(&mut self.registry);
        metrics
    }

    /// Answers until the process ends.
    pub(crate) fn serve(self) -> Result<()> {
        let address = self.listener.local_addr()?;
        let Self { listener, registry } = self;
        let registry = Arc::new(registry);
        thread::Builder::new().name("metrics".into()).spawn(move || answer_all(&listener, &registry))?;
        say!("metrics for Prometheus are at http://{address}/metrics");
        Ok(())
    }
}

/// The connections that there are, the oldest first.
#[derive(Debug, Default)]
struct Connections(Mutex<BTreeMap<u64, TcpStream>>);

impl Connections {
    /// One more. If there are too many with it, the oldest is hung up on, which ends its thread.
    fn add(&self, number: u64, stream: TcpStream) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(number, stream);
        if all.len() > AT_ONCE
            && let Some((_, oldest)) = all.pop_first()
        {
            // It may have hung up itself.
            let _ = oldest.shutdown(Shutdown::Both);
        }
    }

    fn remove(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge: a client has so much wall-clock time, and the kernel does not say when it has room again"
)]
fn answer_all(listener: &TcpListener, registry: &Arc<Registry>) {
    let connections = Arc::new(Connections::default());
    for number in 0.. {
        let begun = listener.accept().and_then(|(stream, _)| {
            let until = Instant::now() + PATIENCE;
            connections.add(number, stream.try_clone()?);
            let (registry, those) = (Arc::clone(registry), Arc::clone(&connections));
            let answer = move || {
                // Clients hang up in all manners, and some never say what they want.
                if let Err(error) = answer_one(Timed::new(stream, until), &registry) {
                    tracing::debug!("a scrape ended early: {error}");
                }
                those.remove(number);
            };
            let begun = thread::Builder::new().name("scrape".into()).spawn(answer);
            begun.map(drop).inspect_err(|_| connections.remove(number))
        });
        if let Err(error) = begun {
            tracing::warn!("could not accept a scrape: {error}");
            thread::sleep(PAUSE);
        }
    }
}

/// Reads a request, and answers it. A request that does not end is not answered.
fn answer_one(mut client: impl Read + Write, registry: &Registry) -> io::Result<()> {
    let mut request = Vec::with_capacity(1 << 10);
    let mut buffer = [0; 1 << 10];
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if request.len() > LONGEST_REQUEST {
            return client.write_all(&plain("431 Request Header Fields Too Large", "", "too long"));
        }
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    client.write_all(&answer(&request, registry))
}

/// The answer to a request, of which only the first line counts.
fn answer(request: &[u8], registry: &Registry) -> Vec<u8> {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else {
        return plain("400 Bad Request", "", "this is no HTTP request");
    };
    if !version.starts_with(b"HTTP/1.") {
        return plain("505 HTTP Version Not Supported", "", "this speaks HTTP/1.1");
    }
    if method != b"GET" {
        return plain("405 Method Not Allowed", "Allow: GET\r\n", "metrics are read with GET");
    }
    if target.split(|byte| *byte == b'?').next() != Some(b"/metrics") {
        return plain("404 Not Found", "", "the metrics are at /metrics");
    }
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => whole("200 OK", "", CONTENT_TYPE, &text),
        Err(error) => plain("500 Internal Server Error", "", &error.to_string()),
    }
}

fn plain(status: &str, header: &str, words: &str) -> Vec<u8> {
    whole(status, header, "text/plain; charset=utf-8", &format!("{words}\n"))
}

fn whole(status: &str, header: &str, content: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content}\r\nContent-Length: {length}\r\n{header}Connection: close\r\n\r\n{text}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client that sends these bytes and reads everything.
    struct Client<'a> {
        sends: &'a [u8],
        read: Vec<u8>,
    }

    impl Read for Client<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.sends.read(buffer)
        }
    }

    impl Write for Client<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.read.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a client is answered that sends this and ends.
    fn answered(sends: &[u8]) -> (io::Result<()>, String) {
        let mut registry = Registry::default();
        ShowMetrics::default().register(&mut registry);
        let mut client = Client { sends, read: Vec::new() };
        let done = answer_one(&mut client, &registry);
        (done, String::from_utf8(client.read).unwrap())
    }

    #[test]
    fn a_scrape_is_answered_and_nothing_else_is() {
        for (request, status) in [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"),
            ("GET /metrics?name[]=x HTTP/1.0\r\n\r\n", "200 OK"),
            ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("GET /metrics/../etc HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("GET /metrics HTTP/2\r\n\r\n", "505 HTTP Version Not Supported"),
            ("GET /metrics\r\n\r\n", "400 Bad Request"),
            ("\r\n\r\n", "400 Bad Request"),
        ] {
            let (done, answer) = answered(request.as_bytes());
            done.unwrap();
            let (head, text) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {head}");
            assert!(head.contains(&format!("Content-Length: {}\r\n", text.len())), "{request:?}: {head}");
            assert_eq!(text.contains("freshet_cluster_up 0\n"), status == "200 OK", "{request:?}: {text}");
        }
    }

    #[test]
    fn a_request_that_does_not_end_is_cut() {
        let (done, answer) = answered(b"GET /metrics HTTP/1.1\r\n");
        assert_eq!((done.unwrap_err().kind(), answer.as_str()), (io::ErrorKind::UnexpectedEof, ""));
        let endless = [b"GET /metrics HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 1 << 20]].concat();
        let mut client = Client { sends: &endless, read: Vec::new() };
        answer_one(&mut client, &Registry::default()).unwrap();
        assert!(client.read.starts_with(b"HTTP/1.1 431 "));
        assert!(client.sends.len() > (1 << 20) - 2 * LONGEST_REQUEST, "no more is read than is allowed");
    }

    proptest! {
        /// Whatever is sent, the answer is HTTP or none.
        #[test]
        fn no_bytes_are_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), ends in any::<bool>()) {
            let end: &[u8] = if ends { b"\r\n\r\n" } else { b"" };
            let (_, answer) = answered(&[&bytes, end].concat());
            prop_assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "));
        }
    }

    #[test]
    fn a_port_that_is_taken_is_said_with_the_remedy() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Metrics::listen(&format!("127.0.0.1:{port}")).err().unwrap().to_string();
        assert!(
            error
                .starts_with(&format!("port {port} is in use by another program: pass --metrics 127.0.0.1:")),
            "{error}"
        );
        let error = Metrics::listen("9308").err().unwrap().to_string();
        assert!(error.ends_with("write HOST:PORT, such as 127.0.0.1:9308"), "{error}");
    }
}
