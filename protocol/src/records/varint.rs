//! Variable-length integers as records use them: zig-zag, then seven bits a byte, lowest first.

use bytes::BufMut;

/// Bytes of the longest.
pub(super) const MAX_LEN: usize = 10;

/// Reads a 64-bit variable-length integer and moves `input` past it. `None` when the bytes end
/// too early or go on for more than ten; `input` then stays where it is.
#[inline]
pub(super) fn read_i64(input: &mut &[u8]) -> Option<i64> {
    // Most numbers in a record have one byte (lengths of null and small things, deltas of 0), and
    // most others two.
    if let [byte @ 0..0x80, rest @ ..] = *input {
        *input = rest;
        return Some(i64::from(byte >> 1) ^ -i64::from(byte & 1));
    }
    if let [low, high @ 0..0x80, rest @ ..] = *input {
        *input = rest;
        let value = i64::from(*high) << 7 | i64::from(low & 0x7f);
        return Some(value >> 1 ^ -(value & 1));
    }
    read_long(input)
}

fn read_long(input: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for (index, &byte) in input.iter().enumerate().take(MAX_LEN) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *input = &input[index + 1..];
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

/// Reads a 32-bit one: the same bytes, refused when the value does not fit.
#[inline]
pub(super) fn read_i32(input: &mut &[u8]) -> Option<i32> {
    read_i64(input).and_then(|value| i32::try_from(value).ok())
}

/// How many bytes `value` takes.
pub(super) fn len(value: i64) -> usize {
    let bits = 64 - (zig_zag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Appends `value`.
pub(super) fn put(output: &mut impl BufMut, value: i64) {
    let mut rest = zig_zag(value);
    while rest >= 0x80 {
        output.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    output.put_u8(rest as u8);
}

fn zig_zag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_comes_back() {
        for value in [
            0,
            1,
            -1,
            63,
            64,
            -64,
            -65,
            8_191,
            8_192,
            -8_192,
            -8_193,
            1 << 20,
            i64::from(i32::MAX),
            i64::MAX,
            i64::MIN,
        ] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(len(value), bytes.len(), "{value}");
            let mut rest = bytes.as_slice();
            assert_eq!(read_i64(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn an_unfinished_or_endless_number_is_refused() {
        assert_eq!(read_i64(&mut [0x80].as_slice()), None);
        assert_eq!(read_i64(&mut [0xff; 11].as_slice()), None);
        let mut too_wide = Vec::new();
        put(&mut too_wide, i64::from(i32::MAX) + 1);
        assert_eq!(read_i32(&mut too_wide.as_slice()), None);
    }
}
