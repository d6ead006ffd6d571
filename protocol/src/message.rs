//! `messages!`: a message as a page a student can read.
//!
//! Kafka describes each message as a list of fields with the versions that carry them. The macro
//! takes that list almost word for word and writes the struct, its defaults, and both directions of
//! the codec:
//!
//! ```text
//! pub struct FetchRequest {
//!     [12.., tag 0] cluster_id: Option<String>,     // a tagged field since version 12
//!     [..=14] replica_id: i32 = -1,                 // up to version 14; -1 where it is absent
//!     max_wait_ms: i32,                             // in every version
//!     [0.., null 1..] topics: Option<Vec<Topic>>,   // null is legal since version 1
//! }
//! ```
//!
//! Fields stand in the order of the wire, tagged ones in the order of their tags. A field that a
//! version does not carry has its default after decoding and is not written. A tagged field is
//! written only where it differs from its default: librdkafka before 2.2 misreads a message that
//! spells a default out.

/// Ties a request to its number and to its response.
macro_rules! request {
    ($key:ident : $request:ident => $response:ident) => {
        impl $crate::Request for $request {
            const KEY: $crate::ApiKey = $crate::ApiKey::$key;
            type Response = $response;
        }
    };
}

/// Reads the bracket in front of a field: its versions, where it may be null, its tag.
macro_rules! spec {
    (versions) => {
        ..
    };
    (versions $versions:expr $(, null $null:expr)? $(, tag $tag:literal)?) => {
        $versions
    };
    (tag) => {
        None::<u32>
    };
    (tag $versions:expr $(, null $null:expr)?) => {
        None::<u32>
    };
    (tag $versions:expr $(, null $null:expr)?, tag $tag:literal) => {
        Some::<u32>($tag)
    };
    (require_value $number:expr, $value:expr) => {};
    (require_value $number:expr, $value:expr, $versions:expr $(, tag $tag:literal)?) => {};
    (require_value $number:expr, $value:expr, $versions:expr, null $null:expr $(, tag $tag:literal)?) => {
        if $value.is_none() && !std::ops::RangeBounds::<i16>::contains(&($null), &$number) {
            return Err($crate::DecodeError::InvalidLength { length: -1 });
        }
    };
    (sample $gen:expr, $version:expr) => {
        $crate::sample::Sample::sample($gen, $version)
    };
    (sample $gen:expr, $version:expr, $versions:expr $(, tag $tag:literal)?) => {
        $crate::sample::Sample::sample($gen, $version)
    };
    (sample $gen:expr, $version:expr, $versions:expr, null $null:expr $(, tag $tag:literal)?) => {{
        let nullable = std::ops::RangeBounds::<i16>::contains(&($null), &$version.number);
        let mut value: Option<_> = $crate::sample::Sample::sample($gen, $version);
        while value.is_none() && !nullable {
            value = $crate::sample::Sample::sample($gen, $version);
        }
        value
    }};
}

macro_rules! default_value {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

macro_rules! messages {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $([$($spec:tt)+])? $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[allow(missing_docs, reason = "fields keep the names that Kafka's protocol guide describes")]
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: default_value!($($default)?), )* }
            }
        }

        #[allow(unused_variables, unused_mut, reason = "not every struct has tagged fields, or fields at all")]
        #[allow(clippy::float_cmp, reason = "a default is compared with as it was written")]
        impl $crate::Wire for $name {
            fn encode(&self, writer: &mut $crate::Writer, version: $crate::Version) {
                $(
                    if spec!(tag $($($spec)+)?).is_none()
                        && std::ops::RangeBounds::<i16>::contains(&(spec!(versions $($($spec)+)?)), &version.number)
                    {
                        $crate::Wire::encode(&self.$field, writer, version);
                    }
                )*
                if version.flexible {
                    let default = Self::default();
                    let mut fields = $crate::message::TaggedFields::default();
                    $(
                        if let Some(tag) = spec!(tag $($($spec)+)?)
                            && std::ops::RangeBounds::<i16>::contains(&(spec!(versions $($($spec)+)?)), &version.number)
                            && self.$field != default.$field
                        {
                            fields.add(tag, |writer| $crate::Wire::encode(&self.$field, writer, version));
                        }
                    )*
                    fields.encode(writer);
                }
            }

            fn decode(reader: &mut $crate::Reader, version: $crate::Version) -> Result<Self, $crate::DecodeError> {
                let mut message = Self::default();
                $(
                    if spec!(tag $($($spec)+)?).is_none()
                        && std::ops::RangeBounds::<i16>::contains(&(spec!(versions $($($spec)+)?)), &version.number)
                    {
                        message.$field = $crate::Wire::decode(reader, version)?;
                        spec!(require_value version.number, message.$field $(, $($spec)+)?);
                    }
                )*
                if version.flexible {
                    $crate::message::decode_tagged_fields(reader, |tag, reader| {
                        $(
                            if spec!(tag $($($spec)+)?) == Some(tag)
                                && std::ops::RangeBounds::<i16>::contains(&(spec!(versions $($($spec)+)?)), &version.number)
                            {
                                message.$field = $crate::Wire::decode(reader, version)?;
                            }
                        )*
                        Ok(())
                    })?;
                }
                Ok(message)
            }
        }

        #[cfg(test)]
        impl $crate::sample::Sample for $name {
            fn sample(random: &mut $crate::sample::Random, version: $crate::Version) -> Self {
                let mut message = Self::default();
                $(
                    if std::ops::RangeBounds::<i16>::contains(&(spec!(versions $($($spec)+)?)), &version.number) {
                        message.$field = spec!(sample random, version $(, $($spec)+)?);
                    }
                )*
                message
            }
        }
    )+};
}

/// Lets a field hold a struct or null: a byte in front of it says which.
macro_rules! nullable_struct {
    ($name:ident) => {
        impl $crate::Wire for Option<$name> {
            fn encode(&self, writer: &mut $crate::Writer, version: $crate::Version) {
                let is_there: i8 = if self.is_some() { 1 } else { -1 };
                is_there.encode(writer, version);
                if let Some(value) = self {
                    value.encode(writer, version);
                }
            }

            fn decode(
                reader: &mut $crate::Reader,
                version: $crate::Version,
            ) -> Result<Self, $crate::DecodeError> {
                let is_there = i8::decode(reader, version)? >= 0;
                is_there.then(|| $name::decode(reader, version)).transpose()
            }
        }
    };
}

use crate::{DecodeError, Reader, Writer};

/// The tagged fields that end a struct of a flexible version: a count, then tag, size and content
/// of each.
#[derive(Default)]
pub(crate) struct TaggedFields {
    count: u32,
    /// The tag of the last one.
    last: Option<u32>,
    bytes: Writer,
}

impl TaggedFields {
    pub(crate) fn add(&mut self, tag: u32, encode: impl FnOnce(&mut Writer)) {
        let mut content = Writer::default();
        encode(&mut content);
        let (content, gaps) = content.into_parts();
        assert!(gaps.is_empty(), "records are no tagged field, and nothing else leaves a gap");
        assert!(self.last.is_none_or(|last| last < tag), "tag {tag} comes after {:?}: tags rise", self.last);
        self.last = Some(tag);
        self.count += 1;
        self.bytes.put_unsigned_varint(tag);
        self.bytes.put_unsigned_varint(content.len() as u32);
        self.bytes.put(&content);
    }

    pub(crate) fn encode(self, writer: &mut Writer) {
        writer.put_unsigned_varint(self.count);
        let (bytes, _no_gaps) = self.bytes.into_parts();
        writer.put(&bytes);
    }
}

/// Hands each tagged field to `read`, and skips those it leaves alone: they come from a newer peer.
pub(crate) fn decode_tagged_fields(
    reader: &mut Reader,
    mut read: impl FnMut(u32, &mut Reader) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    for _ in 0..reader.unsigned_varint()? {
        let tag = reader.unsigned_varint()?;
        let size = reader.unsigned_varint()? as usize;
        reader.delimited(size, |reader| read(tag, reader))?;
    }
    Ok(())
}
