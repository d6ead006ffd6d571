//! Topic ids.

use std::fmt;

/// 128 bits that name one life of a topic: a topic deleted and created again has another.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(pub [u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// No topic: what a request carries that names its topic by name.
    pub const ZERO: Self = Self([0; 16]);

    /// Reads the 22 characters that [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 22 {
            return None;
        }
        let mut bits = 0u128;
        for (index, character) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&known| known == character)? as u128;
            // The last of 22 characters carries two bits of the 128 and four of padding.
            bits = if index == 21 { bits << 2 | digit >> 4 } else { bits << 6 | digit };
        }
        Some(Self(bits.to_be_bytes()))
    }
}

/// URL-safe Base64 without padding, as Kafka's own tools and files write topic ids.
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for index in 0..22 {
            let digit = if index == 21 { (bits & 3) << 4 } else { bits >> (122 - 6 * index) & 63 };
            fmt::Write::write_char(f, char::from(ALPHABET[digit as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector is Kafka's: `Uuid.METADATA_TOPIC_ID` is the number 1, and prints like this.
    #[test]
    fn prints_as_kafka_does() {
        let one = Uuid(1u128.to_be_bytes());
        assert_eq!(one.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    }

    #[test]
    fn parses_what_it_prints() {
        for seed in [1u128, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let uuid = Uuid(seed.to_be_bytes());
            assert_eq!(Uuid::parse(&uuid.to_string()), Some(uuid));
        }
        assert_eq!(Uuid::parse("too short"), None);
        assert_eq!(Uuid::parse("AAAAAAAAAAAAAAAAAAAA+/"), None);
    }
}
