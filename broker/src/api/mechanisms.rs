//! The ways of logging in, and how far a client has come with one.

use std::sync::Arc;

use protocol::scram::{Challenge, ClientFirst, Keys, Mechanism, ScramError};

use super::plain;
use crate::users::Users;

/// Their names (`sasl.enabled.mechanisms`).
pub(super) const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// What a client has to say next.
#[derive(Debug)]
pub(super) enum Exchange {
    /// Name and password.
    Plain,
    /// Its name, and a nonce; ours is drawn already.
    ScramFirst { mechanism: Mechanism, nonce: String },
    /// That it knows the password. No keys are of no user.
    ScramFinal { mechanism: Mechanism, user: String, challenge: Challenge },
}

/// What came of a token.
#[derive(Debug)]
pub(super) enum Token {
    /// Send this; more is to come.
    Answer(Vec<u8>, Exchange),
    /// Send this; the client is logged in.
    Welcome(Vec<u8>),
}

impl Exchange {
    /// By the mechanism of this name, with a nonce of the broker's.
    pub(super) fn of(mechanism: &str, nonce: &str) -> Option<Self> {
        if mechanism == "PLAIN" {
            return Some(Self::Plain);
        }
        let mechanism = Mechanism::of_name(mechanism)?;
        Some(Self::ScramFirst { mechanism, nonce: nonce.to_owned() })
    }

    /// Takes a token. The messages of refusals are Kafka's: by SCRAM they do not say what was
    /// wrong.
    pub(super) fn step(&self, token: &[u8], users: &Arc<Users>) -> Result<Token, String> {
        match self {
            Self::Plain => plain::check(token, users).map(|()| Token::Welcome(Vec::new())),
            Self::ScramFirst { mechanism, nonce } => {
                let first = ClientFirst::parse(token).map_err(|error| refusal(*mechanism, error))?;
                let user = first.user().to_owned();
                let salt = users.salt(*mechanism, &user);
                let (challenge, answer) = first.challenge(*mechanism, nonce, &salt);
                Ok(Token::Answer(answer, Self::ScramFinal { mechanism: *mechanism, user, challenge }))
            }
            Self::ScramFinal { mechanism, user, challenge } => {
                let none = Keys::of_none(*mechanism);
                let keys = users.keys(*mechanism, user).unwrap_or(&none);
                let last = challenge.check(token, keys).map_err(|error| refusal(*mechanism, error))?;
                Ok(Token::Welcome(last))
            }
        }
    }
}

fn refusal(mechanism: Mechanism, error: ScramError) -> String {
    if error == ScramError::OtherUser {
        return "Authentication failed: Client requested an authorization id that is different from username"
            .to_owned();
    }
    format!(
        "Authentication failed during authentication due to invalid credentials with SASL mechanism {}",
        mechanism.name()
    )
}
