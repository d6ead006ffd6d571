//! What is made of a password.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// Which hash SCRAM uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// `SCRAM-SHA-256`
    Sha256,
    /// `SCRAM-SHA-512`
    Sha512,
}

impl Mechanism {
    /// Both, in the order of their numbers in `DescribeUserScramCredentials`.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Its name as `sasl.mechanism`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The mechanism of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Its number in `DescribeUserScramCredentials`.
    pub fn number(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// A salt for a name that looks as chosen by chance to who does not know the secret, and is the
    /// same each time: so a name that there is not has one too.
    pub fn salt(self, secret: &[u8], name: &str) -> Vec<u8> {
        let mut salt = self.hmac(secret, name.as_bytes());
        salt.truncate(24);
        salt
    }

    pub(super) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        const ANY_LENGTH: &str = "a key of HMAC has any length";
        match self {
            Self::Sha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(key).expect(ANY_LENGTH);
                mac.chain_update(message).finalize().into_bytes().to_vec()
            }
            Self::Sha512 => {
                let mac = Hmac::<Sha512>::new_from_slice(key).expect(ANY_LENGTH);
                mac.chain_update(message).finalize().into_bytes().to_vec()
            }
        }
    }

    pub(super) fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// The password's hash from which all keys come (`SaltedPassword`).
    pub(super) fn salted(self, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, iterations).to_vec()
            }
            Self::Sha512 => {
                pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password.as_bytes(), salt, iterations).to_vec()
            }
        }
    }

    /// The key with which a client makes its proof (`ClientKey`).
    pub(super) fn client_key(self, salted: &[u8]) -> Vec<u8> {
        self.hmac(salted, b"Client Key")
    }

    /// The key with which a broker signs (`ServerKey`).
    pub(super) fn server_key(self, salted: &[u8]) -> Vec<u8> {
        self.hmac(salted, b"Server Key")
    }
}

/// What a broker keeps of a password: enough to see that a client knows it, and to show that it
/// knows it too, and not enough to log in with.
#[derive(Clone)]
pub struct Keys {
    /// `StoredKey`
    pub(super) stored: Vec<u8>,
    /// `ServerKey`
    pub(super) server: Vec<u8>,
}

impl Keys {
    /// Those of a password. It takes some milliseconds, on purpose.
    pub fn of(mechanism: Mechanism, password: &str, salt: &[u8]) -> Self {
        let salted = mechanism.salted(password, salt, super::ITERATIONS);
        Self { stored: mechanism.hash(&mechanism.client_key(&salted)), server: mechanism.server_key(&salted) }
    }

    /// Those of a user that there is not: no proof is right.
    pub fn of_none(mechanism: Mechanism) -> Self {
        let zeros = vec![0; mechanism.hash(b"").len()];
        Self { stored: zeros.clone(), server: zeros }
    }
}

/// Without the keys.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Whether two are the same, in a time that tells nothing.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// One of two strings of the same length over the other.
pub(super) fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}
