//! The broker's side.

use super::keys::{same, xor};
use super::message::{decoded, encoded, nonce, text, unescaped, value};
use super::{ITERATIONS, Keys, Mechanism, ScramError};

/// What a client says first: who it is.
#[derive(Debug)]
pub struct ClientFirst {
    user: String,
    /// What stands before the message proper, which the client repeats later.
    header: String,
    /// The message proper.
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// Takes the client's first message.
    pub fn parse(message: &[u8]) -> Result<Self, ScramError> {
        let message = text(message)?;
        let mut parts = message.splitn(3, ',');
        // Whether the client would bind the login to its channel: n and y say that it does not.
        if !matches!(parts.next(), Some("n" | "y")) {
            return Err(ScramError::Malformed);
        }
        let act_as = match parts.next().ok_or(ScramError::Malformed)? {
            "" => None,
            attribute => Some(unescaped(value(Some(attribute), 'a')?)?),
        };
        let bare = parts.next().ok_or(ScramError::Malformed)?;
        // An extension that must be understood (`m=`) would stand here, and is none that we do.
        let mut attributes = bare.split(',');
        let user = unescaped(value(attributes.next(), 'n')?)?;
        let nonce = nonce(value(attributes.next(), 'r')?)?.to_owned();
        if act_as.is_some_and(|act_as| act_as != user) {
            return Err(ScramError::OtherUser);
        }
        let header = message[..message.len() - bare.len()].to_owned();
        Ok(Self { user, header, bare: bare.to_owned(), nonce })
    }

    /// Who wants to log in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What the broker answers, with a nonce of its own, and what it has to remember.
    pub fn challenge(self, mechanism: Mechanism, server_nonce: &str, salt: &[u8]) -> (Challenge, Vec<u8>) {
        let answer = format!("r={}{server_nonce},s={},i={ITERATIONS}", self.nonce, encoded(salt));
        let said = format!("{},{answer}", self.bare);
        let challenge =
            Challenge { mechanism, header: self.header, server_nonce: server_nonce.to_owned(), said };
        (challenge, answer.into_bytes())
    }
}

/// A login of which the broker has said its half.
#[derive(Debug)]
pub struct Challenge {
    mechanism: Mechanism,
    header: String,
    server_nonce: String,
    /// What both have said.
    pub(super) said: String,
}

impl Challenge {
    /// Takes the client's second message, which has to be made with the password of these keys. The
    /// broker's last word.
    pub fn check(&self, message: &[u8], keys: &Keys) -> Result<Vec<u8>, ScramError> {
        let message = text(message)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let mut attributes = without_proof.split(',');
        if decoded(value(attributes.next(), 'c')?)? != self.header.as_bytes() {
            return Err(ScramError::Malformed);
        }
        if !nonce(value(attributes.next(), 'r')?)?.ends_with(&self.server_nonce) {
            return Err(ScramError::WrongNonce);
        }
        let proof = decoded(proof)?;
        let said = format!("{},{without_proof}", self.said);
        let signature = self.mechanism.hmac(&keys.stored, said.as_bytes());
        let client_key = xor(&proof, &signature);
        // A proof of another length leaves a key of another length, whose hash is another.
        let right = same(&self.mechanism.hash(&client_key), &keys.stored);
        if proof.len() != signature.len() || !right {
            return Err(ScramError::WrongProof);
        }
        Ok(format!("v={}", encoded(&self.mechanism.hmac(&keys.server, said.as_bytes()))).into_bytes())
    }
}
