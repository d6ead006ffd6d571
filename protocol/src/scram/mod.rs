//! SCRAM (RFC 5802, with the hashes of RFC 7677): a login by which neither side shows the password
//! to the other, and each shows that it knows it.
//!
//! ```text
//! client                                            broker
//!   n,,n=user,r=CLIENT                 -->
//!                                      <--   r=CLIENT SERVER,s=salt,i=4096
//!   c=biws,r=CLIENT SERVER,p=proof     -->   the proof was made with the password's key
//!                                      <--   v=signature
//!   the signature was made with the other key
//! ```
//!
//! Both sides are here, as values that take a message and give the next: [`ClientFirst`] and
//! [`Challenge`] are the broker's, [`Client`] and [`Expected`] the client's. Nothing here draws
//! chance or waits; nonces and salts are handed in.
//!
//! It is ours because no crate does the broker's side and is kept: `rsasl` 2.3 cuts attributes
//! without a look at their length, so that a message ends the process, and refuses librdkafka
//! before 2.6.1, which says the client's nonce twice (as Kafka we take every nonce that ends as
//! ours does). The cryptography is not ours: `hmac`, `sha2`, `pbkdf2`.
//!
//! # Simplifications
//! - Names and passwords are taken as their bytes, as by Kafka, and not prepared (RFC 4013).
//! - No channel binding, no delegation tokens, no errors in messages: a refusal is Kafka's own.

mod client;
mod keys;
mod message;
mod server;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use client::{Client, Expected};
pub use keys::{Keys, Mechanism};
pub use server::{Challenge, ClientFirst};

/// How often a password is hashed before anything is made of it: Kafka's default, and the least
/// that clients accept (RFC 7677).
pub const ITERATIONS: u32 = 4096;

/// A nonce of bytes that were drawn for one login: they can't be guessed, and base64 makes of them
/// what a message can hold.
pub fn nonce_of(drawn: [u8; 24]) -> String {
    message::encoded(&drawn)
}

/// Why a login goes no further. No variant holds anything that is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ScramError {
    /// A message has not the form that its place wants.
    #[error("a message of SCRAM is malformed")]
    Malformed,
    /// The client wants to act as another user.
    #[error("the client wants to act as another user")]
    OtherUser,
    /// A nonce is not that of this exchange.
    #[error("a nonce is not that of this login")]
    WrongNonce,
    /// The client has shown no knowledge of the password.
    #[error("the password is wrong")]
    WrongProof,
    /// The broker has shown no knowledge of the password.
    #[error("the broker does not know the password either")]
    WrongSignature,
    /// The broker wants the password to be hashed too seldom to be safe, or so often that it takes
    /// minutes.
    #[error("the broker wants {0} iterations of the password's hash")]
    Iterations(u32),
}
