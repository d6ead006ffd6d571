//! The client's side.

use std::fmt;

use super::keys::{same, xor};
use super::message::{decoded, encoded, escaped, nonce, text, value};
use super::{ITERATIONS, Mechanism, ScramError};

/// What goes before the first message: no channel binding, and no other user to act as.
const HEADER: &str = "n,,";
/// A broker that wants more than this wants to keep its client busy.
const MOST_ITERATIONS: u32 = 100_000;

/// A client that logs in.
pub struct Client {
    mechanism: Mechanism,
    password: String,
    nonce: String,
    bare: String,
}

impl Client {
    /// Nothing has been said yet. The nonce is printable, has no comma, and is never used again.
    pub fn new(mechanism: Mechanism, user: &str, password: &str, nonce: &str) -> Self {
        let bare = format!("n={},r={nonce}", escaped(user));
        Self { mechanism, password: password.to_owned(), nonce: nonce.to_owned(), bare }
    }

    /// What it says first.
    pub fn first(&self) -> Vec<u8> {
        format!("{HEADER}{}", self.bare).into_bytes()
    }

    /// Takes the broker's first message: what to answer, and what the broker has to say then.
    pub fn answer(&self, message: &[u8]) -> Result<(Vec<u8>, Expected), ScramError> {
        let message = text(message)?;
        let mut attributes = message.split(',');
        let nonce = nonce(value(attributes.next(), 'r')?)?;
        let salt = decoded(value(attributes.next(), 's')?)?;
        let iterations = value(attributes.next(), 'i')?.parse().map_err(|_| ScramError::Malformed)?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err(ScramError::WrongNonce);
        }
        if !(ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            return Err(ScramError::Iterations(iterations));
        }
        let salted = self.mechanism.salted(&self.password, &salt, iterations);
        let client_key = self.mechanism.client_key(&salted);
        let without_proof = format!("c={},r={nonce}", encoded(HEADER.as_bytes()));
        let said = format!("{},{message},{without_proof}", self.bare);
        let proof_key = self.mechanism.hmac(&self.mechanism.hash(&client_key), said.as_bytes());
        let proof = encoded(&xor(&client_key, &proof_key));
        let signature = self.mechanism.hmac(&self.mechanism.server_key(&salted), said.as_bytes());
        Ok((format!("{without_proof},p={proof}").into_bytes(), Expected { signature }))
    }
}

/// Without the password.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// What only a broker that knows the password can say last.
pub struct Expected {
    pub(super) signature: Vec<u8>,
}

impl Expected {
    /// Takes the broker's last message.
    pub fn check(&self, message: &[u8]) -> Result<(), ScramError> {
        let said = decoded(value(text(message)?.split(',').next(), 'v')?)?;
        if same(&said, &self.signature) { Ok(()) } else { Err(ScramError::WrongSignature) }
    }
}

/// Without the signature.
impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").finish_non_exhaustive()
    }
}
