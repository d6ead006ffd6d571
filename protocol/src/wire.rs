//! How each type looks on the wire, in each version.

use bytes::Bytes;

use crate::{DecodeError, Reader, Uuid, Writer};

/// The version a message is written in.
///
/// "Flexible" versions (KIP-482) write lengths as varints and end every struct with tagged fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The number both sides agreed on.
    pub number: i16,
    /// Whether that version of that message is a flexible one.
    pub flexible: bool,
}

/// A value with a form on the wire.
pub trait Wire: Sized {
    /// Appends the value.
    fn encode(&self, writer: &mut Writer, version: Version);

    /// Reads the value.
    fn decode(reader: &mut Reader, version: Version) -> Result<Self, DecodeError>;
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Wire for $number {
            fn encode(&self, writer: &mut Writer, _version: Version) {
                writer.put(&self.to_be_bytes());
            }

            fn decode(reader: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
                Ok(Self::from_be_bytes(reader.array()?))
            }
        }
    )+};
}

numbers!(i8, i16, u16, i32, i64, f64);

impl Wire for bool {
    fn encode(&self, writer: &mut Writer, _version: Version) {
        writer.put(&[u8::from(*self)]);
    }

    fn decode(reader: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
        Ok(reader.array()? != [0])
    }
}

impl Wire for Uuid {
    fn encode(&self, writer: &mut Writer, _version: Version) {
        writer.put(&self.0);
    }

    fn decode(reader: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
        reader.array().map(Uuid)
    }
}

/// The longest string, in bytes: as much as the 16 bits of the older versions can say.
pub const MAX_STRING_LEN: usize = i16::MAX as usize;

/// A value with a length in front, which can therefore be null.
///
/// Strings have lengths of 16 bits in the older versions, byte strings and arrays of 32.
trait LengthPrefixed: Sized {
    const NARROW: bool = false;
    fn encode_content(&self, writer: &mut Writer, version: Version);
    fn decode_content(reader: &mut Reader, length: usize, version: Version) -> Result<Self, DecodeError>;
    fn length(&self) -> usize;

    fn encode_nullable(value: Option<&Self>, writer: &mut Writer, version: Version) {
        writer.put_length(value.map(Self::length), version.flexible, |writer, length| {
            if Self::NARROW {
                let length = i16::try_from(length).expect("a string in a message has at most 32,767 bytes");
                writer.put(&length.to_be_bytes());
            } else {
                writer.put(&length.to_be_bytes());
            }
        });
        if let Some(value) = value {
            value.encode_content(writer, version);
        }
    }

    fn decode_nullable(reader: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        let length = reader.length(version.flexible, |reader| {
            if Self::NARROW {
                i16::decode(reader, version).map(i32::from)
            } else {
                i32::decode(reader, version)
            }
        })?;
        length.map(|length| Self::decode_content(reader, length, version)).transpose()
    }
}

macro_rules! nullable {
    ($([$($generics:tt)*] $value:ty),+ $(,)?) => {$(
        impl<$($generics)*> Wire for $value {
            fn encode(&self, writer: &mut Writer, version: Version) {
                Self::encode_nullable(Some(self), writer, version);
            }

            fn decode(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
                Self::decode_nullable(reader, version)?.ok_or(DecodeError::InvalidLength { length: -1 })
            }
        }

        impl<$($generics)*> Wire for Option<$value> {
            fn encode(&self, writer: &mut Writer, version: Version) {
                <$value>::encode_nullable(self.as_ref(), writer, version);
            }

            fn decode(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
                <$value>::decode_nullable(reader, version)
            }
        }
    )+};
}

nullable!([] String, [] Bytes, [] Payload, [T: Wire] Vec<T>);

impl LengthPrefixed for String {
    const NARROW: bool = true;

    fn encode_content(&self, writer: &mut Writer, _version: Version) {
        writer.put(self.as_bytes());
    }

    fn decode_content(reader: &mut Reader, length: usize, _version: Version) -> Result<Self, DecodeError> {
        // A flexible version could say more, and Kafka refuses it too: another version must be able
        // to pass the string on.
        if length > MAX_STRING_LEN {
            return Err(DecodeError::InvalidLength { length: length as i64 });
        }
        reader.string(length)
    }

    fn length(&self) -> usize {
        self.len()
    }
}

impl LengthPrefixed for Bytes {
    fn encode_content(&self, writer: &mut Writer, _version: Version) {
        writer.put(self);
    }

    fn decode_content(reader: &mut Reader, length: usize, _version: Version) -> Result<Self, DecodeError> {
        reader.bytes(length)
    }

    fn length(&self) -> usize {
        self.len()
    }
}

impl<T: Wire> LengthPrefixed for Vec<T> {
    fn encode_content(&self, writer: &mut Writer, version: Version) {
        for element in self {
            element.encode(writer, version);
        }
    }

    fn decode_content(reader: &mut Reader, count: usize, version: Version) -> Result<Self, DecodeError> {
        reader.check_count::<T>(count)?;
        let mut elements = Self::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(reader, version)?);
        }
        Ok(elements)
    }

    fn length(&self) -> usize {
        self.len()
    }
}

/// Records on their way out: at hand, or left as a [`Gap`](crate::Gap) that the
/// sender fills from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The record batches themselves.
    Bytes(Bytes),
    /// So many bytes of record batches that are kept elsewhere. Decoding never gives this.
    Gap(usize),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl LengthPrefixed for Payload {
    fn encode_content(&self, writer: &mut Writer, _version: Version) {
        match self {
            Self::Bytes(bytes) => writer.put(bytes),
            Self::Gap(len) => writer.put_gap(*len),
        }
    }

    fn decode_content(reader: &mut Reader, length: usize, _version: Version) -> Result<Self, DecodeError> {
        reader.bytes(length).map(Self::Bytes)
    }

    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Gap(len) => *len,
        }
    }
}
