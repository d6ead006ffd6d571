//! Frames over a socket, in the versions that both sides speak.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use protocol::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::sasl_authenticate::SaslAuthenticateRequest;
use protocol::sasl_handshake::SaslHandshakeRequest;
use protocol::{ApiKey, Request, decode_response, encode_request};

use super::error::check;
use super::timed::Timed;
use super::{CallError, OpenError};
use crate::Settings;

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
    stream: Timed,
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
    /// Connects, and says nothing yet.
    pub fn open(address: SocketAddr, settings: &Settings, deadline: Instant) -> Result<Self, OpenError> {
        Ok(Self {
            peer: address,
            stream: Timed::connect(address, deadline)?,
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
        self.stream.deadline = deadline;
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

    /// Logs in as the settings say: with user and password (PLAIN), where there is no TLS.
    pub fn log_in(&mut self) -> Result<(), CallError> {
        let Some((user, password)) = self.settings.plain_login() else { return Ok(()) };
        let auth_bytes = format!("\0{user}\0{password}").into();
        let mechanism = "PLAIN".to_owned();
        check(self.call_in(SASL_VERSION, &SaslHandshakeRequest { mechanism })?.error_code)?;
        check(self.call_in(SASL_VERSION, &SaslAuthenticateRequest { auth_bytes })?.error_code)
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

    fn send<R: Request>(&mut self, version: i16, request: &R) -> io::Result<()> {
        self.sent = self.sent.wrapping_add(1);
        self.stream.write_all(&encode_request(version, self.sent, self.settings.client_id(), request))
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
                Err(error) => return Err(error.into()),
            }
        }
    }
}
