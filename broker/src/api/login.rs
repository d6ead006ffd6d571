//! What a client says before it may say anything else, where its listener wants a login.
//!
//! # Behaviour
//! As Kafka's: `ApiVersions` once, then `SaslHandshake`, then the mechanism's tokens, in
//! `SaslAuthenticate` after a handshake of version 1, as bare frames after one of version 0.
//! Whatever else comes ends the connection, and so does a refusal, once it is told.
//!
//! # Simplifications
//! - A request that has no place here is answered only if it is one of these three.

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use protocol::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use protocol::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
use protocol::{ApiKey, ErrorCode};

use super::mechanisms::{Exchange, MECHANISMS, Token};
use super::{Frame, Incoming, RequestError, api_versions, read};
use crate::users::Users;

/// As much of a client's id is kept, in characters.
const LONGEST_ID: usize = 80;

/// A client that is not logged in yet.
#[derive(Debug)]
pub(crate) struct Login {
    users: Arc<Users>,
    /// What the broker contributes to an exchange: drawn for this one.
    nonce: String,
    /// What the client calls itself, as far as that is told.
    client_id: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Start { asked_versions: bool },
    Token { bare: bool, exchange: Exchange },
}

/// What came of a frame.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this; more is to come.
    Answer(Frame),
    /// Send this; the client is logged in.
    Welcome(Frame),
    /// Send this, if there is anything, and hang up. The reason is for the log.
    Refuse(Option<Frame>, String),
}

impl Login {
    /// Nothing has been said yet.
    pub(crate) fn new(users: Arc<Users>, nonce: String) -> Self {
        Self { users, nonce, client_id: String::new(), state: State::Start { asked_versions: false } }
    }

    /// What the client has called itself last: nothing, if it has not.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Takes the client's next frame, its length taken off.
    pub(crate) fn step(&mut self, frame: Bytes) -> Result<Step, RequestError> {
        if let State::Token { bare: true, exchange } = &mut self.state {
            return Ok(match exchange.step(&frame, &self.users) {
                Ok(Token::Answer(token, next)) => {
                    *exchange = next;
                    Step::Answer(Frame::bare(&token))
                }
                Ok(Token::Welcome(token)) => Step::Welcome(Frame::bare(&token)),
                Err(message) => Step::Refuse(None, message),
            });
        }
        let (key, incoming) = match read(frame)? {
            ControlFlow::Continue(incoming) => incoming,
            ControlFlow::Break(answer) => return Ok(Step::Answer(answer)),
        };
        self.client_id = incoming.client_id.iter().flat_map(|id| id.chars()).take(LONGEST_ID).collect();
        match (&mut self.state, key) {
            (State::Start { asked_versions }, ApiKey::ApiVersions) if !*asked_versions => {
                *asked_versions = true;
                incoming.frame(|request: ApiVersionsRequest| api_versions::handle(&request)).map(Step::Answer)
            }
            (State::Start { .. }, ApiKey::SaslHandshake) => self.handshake(incoming),
            (State::Token { exchange, .. }, ApiKey::SaslAuthenticate) => {
                authenticate(&self.users, exchange, incoming)
            }
            (State::Start { .. }, key) => Ok(Step::Refuse(
                None,
                format!(
                    "{key:?} before a login: this listener wants one, with sasl.mechanism, sasl.username and sasl.password"
                ),
            )),
            (State::Token { .. }, key) => out_of_place(incoming, key),
        }
    }

    fn handshake(&mut self, mut incoming: Incoming) -> Result<Step, RequestError> {
        let mechanism = incoming.decode::<SaslHandshakeRequest>()?.mechanism;
        let exchange = Exchange::of(&mechanism, &self.nonce);
        let error_code =
            if exchange.is_some() { ErrorCode::NONE } else { ErrorCode::UNSUPPORTED_SASL_MECHANISM };
        let mechanisms = MECHANISMS.map(str::to_owned).into();
        let frame =
            incoming.encode::<SaslHandshakeRequest>(&SaslHandshakeResponse { error_code, mechanisms });
        let Some(exchange) = exchange else {
            let known = MECHANISMS.join(", ");
            return Ok(Step::Refuse(Some(frame), format!("sasl.mechanism={mechanism:?} is none of {known}")));
        };
        self.state = State::Token { bare: incoming.version == 0, exchange };
        Ok(Step::Answer(frame))
    }
}

fn authenticate(
    users: &Arc<Users>,
    exchange: &mut Exchange,
    mut incoming: Incoming,
) -> Result<Step, RequestError> {
    let token = incoming.decode::<SaslAuthenticateRequest>()?.auth_bytes;
    let answer = |response| incoming.encode::<SaslAuthenticateRequest>(&response);
    let says = |token: Vec<u8>| {
        answer(SaslAuthenticateResponse { auth_bytes: token.into(), ..SaslAuthenticateResponse::default() })
    };
    Ok(match exchange.step(&token, users) {
        Ok(Token::Answer(token, next)) => {
            *exchange = next;
            Step::Answer(says(token))
        }
        Ok(Token::Welcome(token)) => Step::Welcome(says(token)),
        Err(message) => {
            let response = SaslAuthenticateResponse {
                error_code: ErrorCode::SASL_AUTHENTICATION_FAILED,
                error_message: Some(message.clone()),
                ..Default::default()
            };
            Step::Refuse(Some(answer(response)), message)
        }
    })
}

/// A request between handshake and tokens.
fn out_of_place(incoming: Incoming, key: ApiKey) -> Result<Step, RequestError> {
    let error_code = ErrorCode::ILLEGAL_SASL_STATE;
    let frame = match key {
        ApiKey::ApiVersions => Some(
            incoming
                .frame(|_: ApiVersionsRequest| ApiVersionsResponse { error_code, ..Default::default() })?,
        ),
        ApiKey::SaslHandshake => {
            Some(incoming.frame(|_: SaslHandshakeRequest| SaslHandshakeResponse {
                error_code,
                ..Default::default()
            })?)
        }
        _ => None,
    };
    Ok(Step::Refuse(frame, format!("{key:?} in the middle of a login")))
}
