//! Reading Kafka's primitive types from a frame.

use bytes::Bytes;

use crate::DecodeError;

/// How many bytes of memory a decoded frame may take for each byte it has on the wire.
///
/// Real messages stay below six: the smallest element on the wire, an empty string in a struct,
/// costs two or three bytes there and about forty here. Without a limit a frame of zeros is a
/// thousand structs for every few kilobytes.
const MEMORY_PER_BYTE: usize = 16;

/// What even the smallest frame may take. A list of names of a letter or two takes more for each
/// byte than the limit: a tool that asks for the offsets of a hundred groups is no attack.
const MEMORY_AT_LEAST: usize = 256 * 1024;

/// A cursor over one frame.
///
/// Byte strings come out as slices of the frame itself, without a copy. Everything else is bounded
/// twice: a count by the bytes that remain, and all arrays together by [`DecodeError::TooLarge`].
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
    position: usize,
    budget: usize,
    limit: usize,
}

impl Reader {
    /// Starts at the first byte of `frame`, which does not contain the
    /// four bytes of its own length.
    pub fn new(frame: Bytes) -> Self {
        let limit = frame.len().saturating_mul(MEMORY_PER_BYTE).saturating_add(MEMORY_AT_LEAST);
        Self { bytes: frame, position: 0, budget: limit, limit }
    }

    /// The same, and however long the frame is, its arrays take no more than `memory` together.
    pub(crate) fn within(memory: usize, frame: Bytes) -> Self {
        let reader = Self::new(frame);
        let limit = reader.limit.min(memory);
        Self { budget: limit, limit, ..reader }
    }

    /// How many bytes have not been read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    fn advance(&mut self, count: usize) -> Result<usize, DecodeError> {
        let remaining = self.remaining();
        if count > remaining {
            return Err(DecodeError::Truncated { needed: count, remaining });
        }
        let start = self.position;
        self.position += count;
        Ok(start)
    }

    /// Reads `N` bytes by value.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let start = self.advance(N)?;
        Ok(self.bytes[start..start + N].try_into().expect("the slice has N bytes"))
    }

    /// Reads `count` bytes without copying them.
    pub fn bytes(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        let start = self.advance(count)?;
        Ok(self.bytes.slice(start..start + count))
    }

    /// Reads `count` bytes as a string.
    pub fn string(&mut self, count: usize) -> Result<String, DecodeError> {
        let start = self.advance(count)?;
        let text = std::str::from_utf8(&self.bytes[start..start + count]);
        text.map(str::to_owned).map_err(|_| DecodeError::InvalidUtf8)
    }

    /// Reads an unsigned integer of seven bits a byte, low bits first, at most five bytes.
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                return Err(DecodeError::InvalidVarint);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::InvalidVarint)
    }

    /// Reads the length of a string, byte string or array: `None` for null.
    ///
    /// Flexible versions write `length + 1` as a varint, so that null is zero; `fixed` reads it in
    /// the older ones.
    pub(crate) fn length(
        &mut self,
        flexible: bool,
        fixed: impl FnOnce(&mut Self) -> Result<i32, DecodeError>,
    ) -> Result<Option<usize>, DecodeError> {
        let length = if flexible { i64::from(self.unsigned_varint()?) - 1 } else { i64::from(fixed(self)?) };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| DecodeError::InvalidLength { length }),
        }
    }

    /// Checks the count of an array of `T` before anything is allocated for it.
    pub(crate) fn check_count<T>(&mut self, count: usize) -> Result<(), DecodeError> {
        let remaining = self.remaining();
        if count > remaining {
            return Err(DecodeError::TooManyElements { count, remaining });
        }
        let memory = count.saturating_mul(size_of::<T>());
        self.budget = self.budget.checked_sub(memory).ok_or(DecodeError::TooLarge { limit: self.limit })?;
        Ok(())
    }

    /// Hands the next `size` bytes, one tagged field, to `read`; what
    /// `read` leaves over is skipped.
    pub(crate) fn delimited<T>(
        &mut self,
        size: usize,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let field = self.bytes(size)?;
        let mut field = Self { bytes: field, position: 0, budget: self.budget, limit: self.limit };
        let value = read(&mut field)?;
        self.budget = field.budget;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::MetadataRequestTopic;
    use crate::offset_fetch::OffsetFetchGroup;
    use crate::{ApiKey, Version, Wire};

    const FIXED: Version = Version { number: 0, flexible: false };

    fn reader(bytes: &[u8]) -> Reader {
        Reader::new(Bytes::copy_from_slice(bytes))
    }

    /// Five bytes must not ask for gigabytes, which is how a decoder that trusts counts dies.
    #[test]
    fn a_count_is_bounded_by_the_bytes_that_remain() {
        let error = Vec::<i32>::decode(&mut reader(&[0x7f, 0xff, 0xff, 0xff, 0]), FIXED);
        assert_eq!(error, Err(DecodeError::TooManyElements { count: i32::MAX as usize, remaining: 1 }));
    }

    #[test]
    fn lengths_below_null_are_errors() {
        assert_eq!(
            Option::<Bytes>::decode(&mut reader(&[0xff, 0xff, 0xff, 0xfe]), FIXED),
            Err(DecodeError::InvalidLength { length: -2 })
        );
        assert_eq!(
            String::decode(&mut reader(&[0xff, 0xff]), FIXED),
            Err(DecodeError::InvalidLength { length: -1 })
        );
    }

    /// A million elements of one byte each would be forty million bytes of structs.
    #[test]
    fn memory_is_bounded_by_the_frame() {
        let version = ApiKey::Metadata.version(9);
        let mut frame = vec![0x80, 0x80, 0x40]; // the varint of 2^20, for 2^20 - 1 elements
        frame.resize(frame.len() + (1 << 20), 1);
        let limit = frame.len() * MEMORY_PER_BYTE + MEMORY_AT_LEAST;
        assert_eq!(
            Vec::<MetadataRequestTopic>::decode(&mut reader(&frame), version),
            Err(DecodeError::TooLarge { limit })
        );
    }

    #[test]
    fn memory_is_bounded_for_a_large_frame_too() {
        let frame = [&100_000u32.to_be_bytes(), vec![0; 400_000].as_slice()].concat();
        let read = |memory| Vec::<i32>::decode(&mut Reader::within(memory, frame.clone().into()), FIXED);
        assert_eq!(read(400_000).map(|numbers| numbers.len()), Ok(100_000));
        assert_eq!(read(399_999), Err(DecodeError::TooLarge { limit: 399_999 }));
    }

    #[test]
    fn a_hundred_groups_of_one_letter_are_read() {
        let version = ApiKey::OffsetFetch.version(8);
        let mut frame = vec![101]; // the varint of one more than a hundred
        for _ in 0..100 {
            frame.extend([2, b'g', 0, 0]); // a name of one letter, no topics, no tagged fields
        }
        let groups = Vec::<OffsetFetchGroup>::decode(&mut reader(&frame), version).expect("a short list");
        assert_eq!((groups.len(), groups[99].group_id.as_str()), (100, "g"));
    }

    #[test]
    fn varints_end_within_32_bits() {
        assert_eq!(reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).unsigned_varint(), Ok(u32::MAX));
        assert_eq!(
            reader(&[0xff, 0xff, 0xff, 0xff, 0x1f]).unsigned_varint(),
            Err(DecodeError::InvalidVarint)
        );
        assert_eq!(reader(&[0x80; 6]).unsigned_varint(), Err(DecodeError::InvalidVarint));
        assert_eq!(
            reader(&[0x80]).unsigned_varint(),
            Err(DecodeError::Truncated { needed: 1, remaining: 0 })
        );
    }

    #[test]
    fn byte_strings_are_slices_of_the_frame() {
        let frame = Bytes::from_static(&[0, 0, 0, 2, 7, 8]);
        let content = Bytes::decode(&mut Reader::new(frame.clone()), FIXED).unwrap();
        assert_eq!(content.as_ptr(), frame[4..].as_ptr());
    }
}
