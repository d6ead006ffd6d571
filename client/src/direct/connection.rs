//! Frames over a socket, plain or by TLS, in the versions that both sides speak.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use protocol::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::sasl_authenticate::SaslAuthenticateRequest;
use protocol::sasl_handshake::SaslHandshakeRequest;
use protocol::scram::{Client, Mechanism, nonce_of};
use protocol::{ApiKey, Request, decode_response, encode_request};
use rustls::crypto::ring;
use rustls::{ClientConnection, StreamOwned};

use super::error::check;
use super::timed::Timed;
use super::tls::{self, TlsError};
use super::{CallError, OpenError};
use crate::Settings;
use crate::settings::Login;

/// The largest response that is read, unless more is asked for.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// As much of what is not Kafka's protocol is kept to be recognized.
const KEPT_BYTES: usize = 1024;
/// `ApiVersions` in a version that every broker answers, even one that knows no newer.
const FIRST_VERSION: i16 = 0;

/// `SaslHandshake` and `SaslAuthenticate` belong together in this one, and every broker since 2.2
/// knows it.
const SASL_VERSION: i16 = 1;

/// A connection to one broker.
#[derive(Debug)]
pub struct Connection {
    peer: SocketAddr,
    /// What the other side is called by who connects.
    host: String,
    stream: Stream,
    settings: Settings,
    max_response_bytes: usize,
    /// What has come and was not taken yet: a frame may come in pieces, and one that is late may
    /// still be waited for.
    input: BytesMut,
    /// The correlation id of the last request.
    sent: i32,
    /// The versions of each request that the broker announces.
    announced: BTreeMap<i16, (i16, i16)>,
}

impl Connection {
    /// Connects, and says nothing yet. `host` is the name that has led to this address: by TLS the
    /// other side shows that it has it.
    pub fn open(
        address: SocketAddr,
        host: &str,
        settings: &Settings,
        deadline: Instant,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            peer: address,
            host: host.to_owned(),
            stream: Stream::Plain(Timed::connect(address, deadline)?),
            settings: settings.clone(),
            max_response_bytes: MAX_RESPONSE_BYTES,
            input: BytesMut::new(),
            sent: 0,
            announced: BTreeMap::new(),
        })
    }

    /// Reads responses up to this size.
    pub(crate) fn with_max_response_bytes(self, bytes: usize) -> Self {
        Self { max_response_bytes: bytes, ..self }
    }

    /// What is not done by then fails.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.stream.timed().deadline = deadline;
    }

    /// Agrees on keys with the other side, where the settings want TLS: before anything is said.
    pub fn secure(self) -> Result<Self, TlsError> {
        match self.stream {
            Stream::Plain(timed) if self.settings.has_tls() => {
                let stream = tls::handshake(timed, &self.host, &self.settings)?;
                Ok(Self { stream: Stream::Tls(Box::new(stream)), ..self })
            }
            stream => Ok(Self { stream, ..self }),
        }
    }

    /// Another connection to the same address, with nothing said yet.
    pub fn again(&self, deadline: Instant) -> Result<Self, OpenError> {
        Self::open(self.peer, &self.host, &self.settings, deadline)
    }

    /// The address that was connected to.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Asks what the broker speaks, as every client does first: an answer says that it is a Kafka.
    pub fn greet(&mut self) -> Result<(), CallError> {
        self.send(FIRST_VERSION, &ApiVersionsRequest::default())?;
        self.greeted()
    }

    /// Goes on waiting for the answer to [`greet`](Self::greet), after its deadline has passed and
    /// a later one was set.
    pub fn greeted(&mut self) -> Result<(), CallError> {
        let answer: ApiVersionsResponse = self.receive::<ApiVersionsRequest>(FIRST_VERSION)?;
        check(answer.error_code)?;
        let versions =
            |key: protocol::api_versions::ApiVersion| (key.api_key, (key.min_version, key.max_version));
        self.announced = answer.api_keys.into_iter().map(versions).collect();
        Ok(())
    }

    /// Logs in as the settings say: with user and password, by PLAIN or by SCRAM.
    pub fn log_in(&mut self) -> Result<(), CallError> {
        let settings = self.settings.clone();
        let Some(Login { mechanism, user, password }) = settings.login() else { return Ok(()) };
        let scram = match Mechanism::of_name(mechanism) {
            Some(scram) => Some(Client::new(scram, user, password, &nonce()?)),
            None if mechanism == "PLAIN" => None,
            None => return Ok(()),
        };
        let mechanism = mechanism.to_owned();
        check(self.call_in(SASL_VERSION, &SaslHandshakeRequest { mechanism })?.error_code)?;
        let Some(scram) = scram else {
            self.authenticate(format!("\0{user}\0{password}").into_bytes())?;
            return Ok(());
        };
        let challenge = self.authenticate(scram.first())?;
        let (proof, expected) = scram.answer(&challenge)?;
        let last = self.authenticate(proof)?;
        Ok(expected.check(&last)?)
    }

    /// Says something of a login; what the broker answers.
    fn authenticate(&mut self, token: Vec<u8>) -> Result<Bytes, CallError> {
        let request = SaslAuthenticateRequest { auth_bytes: token.into() };
        let response = self.call_in(SASL_VERSION, &request)?;
        check(response.error_code)?;
        Ok(response.auth_bytes)
    }

    /// Whether the broker serves clients. The controllers of a cluster speak Kafka too, on a port
    /// of their own, and serve brokers alone.
    pub fn serves_clients(&self) -> bool {
        self.announced.contains_key(&ApiKey::Metadata.number())
    }

    /// Asks in the newest version that both sides speak, which `request` is told.
    pub(super) fn call<R: Request>(
        &mut self,
        request: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, CallError> {
        let (ours, theirs) = (R::KEY.versions(), self.announced.get(&R::KEY.number()));
        let newest = theirs.map(|&(lowest, highest)| (ours.1.min(highest), ours.0.max(lowest)));
        match newest {
            Some((newest, oldest)) if oldest <= newest => self.call_in(newest, &request(newest)),
            _ => Err(CallError::Unsupported(R::KEY)),
        }
    }

    /// Asks in this version, announced or not.
    pub(crate) fn call_in<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Result<R::Response, CallError> {
        self.send(version, request)?;
        self.receive::<R>(version)
    }

    fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<(), CallError> {
        self.sent = self.sent.wrapping_add(1);
        let frame = encode_request(version, self.sent, self.settings.client_id(), request);
        let sent = self.stream.write_all(&frame).and_then(|()| self.stream.flush());
        sent.map_err(|error| self.failed(error))
    }

    /// Why reading or writing failed.
    fn failed(&self, error: io::Error) -> CallError {
        TlsError::of(&error, &self.host).map_or_else(|| error.into(), CallError::Tls)
    }

    fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, CallError> {
        let frame = self.receive_frame()?;
        let first = frame.slice(..frame.len().min(KEPT_BYTES));
        let (answers, response) = decode_response::<R>(version, frame)?;
        if answers != self.sent {
            return Err(CallError::NotKafka(first.to_vec()));
        }
        Ok(response)
    }

    /// The next frame, without its length. What is announced is believed as it comes in.
    fn receive_frame(&mut self) -> Result<Bytes, CallError> {
        let mut chunk = [0; 16 << 10];
        loop {
            if let Some(length) = self.input.first_chunk() {
                let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                if length > self.max_response_bytes {
                    let first = &self.input[..self.input.len().min(KEPT_BYTES)];
                    return Err(CallError::NotKafka(first.to_vec()));
                }
                if self.input.len() >= length + 4 {
                    self.input.advance(4);
                    return Ok(self.input.split_to(length).freeze());
                }
            }
            match self.stream.read(&mut chunk) {
                // Fewer bytes than a length has: some say a word that is no more, and hang up.
                Ok(0) if (1..4).contains(&self.input.len()) => {
                    return Err(CallError::NotKafka(self.input.to_vec()));
                }
                Ok(0) => return Err(CallError::HungUp),
                Ok(read) => self.input.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Some hang up without TLS's word for it. Frames have lengths: what is missing
                // is seen.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(CallError::HungUp),
                Err(error) => return Err(self.failed(error)),
            }
        }
    }
}

/// What is said once and never again, so that nothing that was overheard is of use.
fn nonce() -> Result<String, CallError> {
    let mut bytes = [0; 24];
    let filled = ring::default_provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system has no randomness"))?;
    Ok(nonce_of(bytes))
}

/// The way to the other side.
#[derive(Debug)]
enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Stream {
    fn timed(&mut self) -> &mut Timed {
        match self {
            Self::Plain(timed) => timed,
            Self::Tls(tls) => &mut tls.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(into),
            Self::Tls(tls) => tls.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
