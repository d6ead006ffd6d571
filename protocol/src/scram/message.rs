//! The text of messages: attributes of a letter and a value, with commas between.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;

/// As base64, which all bytes in messages are.
pub(super) fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of base64.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, ScramError> {
    STANDARD.decode(text).map_err(|_| ScramError::Malformed)
}

/// A message, which is text.
pub(super) fn text(message: &[u8]) -> Result<&str, ScramError> {
    std::str::from_utf8(message).map_err(|_| ScramError::Malformed)
}

/// The value of an attribute, which has to have this letter.
pub(super) fn value(attribute: Option<&str>, letter: char) -> Result<&str, ScramError> {
    let value = attribute.and_then(|attribute| attribute.strip_prefix(letter)?.strip_prefix('='));
    value.ok_or(ScramError::Malformed)
}

/// Whether this is a nonce: printable, and something. The comma is gone already.
pub(super) fn nonce(text: &str) -> Result<&str, ScramError> {
    let is_nonce = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_nonce.then_some(text).ok_or(ScramError::Malformed)
}

/// A name as it stands in a message (`saslname`).
pub(super) fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The name that stands in a message.
pub(super) fn unescaped(text: &str) -> Result<String, ScramError> {
    let mut parts = text.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (meant, rest) = match part.get(..2) {
            Some("2C") => (',', &part[2..]),
            Some("3D") => ('=', &part[2..]),
            _ => return Err(ScramError::Malformed),
        };
        name.push(meant);
        name += rest;
    }
    if name.is_empty() { Err(ScramError::Malformed) } else { Ok(name) }
}
