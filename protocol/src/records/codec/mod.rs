//! The four ways in which the records of a batch are made smaller, and back again.
//!
//! A producer compresses all records of a batch as one block: records that resemble each other (the
//! same field names, the same shop) stand behind one another, and that is what a compressor feeds
//! on. The batch's header stays readable, so a program that only moves batches need not open them.
//!
//! ```text
//! gzip    members of RFC 1952, one behind the other        small, slow
//! snappy  one raw block (librdkafka), or blocks in a frame
//!         that snappy-java made up (everybody else)        large, fast       see `snappy.rs`
//! lz4     one LZ4 frame                                    large, fastest    see `lz4.rs`
//! zstd    frames of RFC 8878, one behind the other         smallest, fast
//! ```
//!
//! # Bombs
//!
//! A hundred bytes of gzip can be a hundred thousand bytes of zeros, and ten bytes of Snappy can
//! *claim* to be four gigabytes. So what comes from outside is opened as a stream
//! ([`Decompressor`]), a piece at a time, and the stream ends in an error once it has given more
//! than its reader allows. Room is made for what a block can hold, never for what it claims: it
//! costs at most 22 times the compressed bytes (Snappy, which refers to all of its block), or 8 MB
//! (LZ4). Zstandard is allowed its window of up to 128 MB, which is touched as far as it is filled.
//!
//! # Simplifications
//!
//! - No dictionaries (LZ4, Zstandard): Kafka has no place to put one.
//! - Snappy and LZ4 have no levels: Snappy has none anywhere, and `lz4_flex` has LZ4's fastest
//!   alone.

mod lz4;
mod snappy;

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::Compression;

/// A piece of what gzip and Zstandard give.
const PIECE_BYTES: usize = 16 << 10;

/// How hard gzip and Zstandard try: a higher level takes longer and gives less. The other codecs
/// have one level here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// 1 to 9; -1 is the codec's own middle.
    pub gzip: i32,
    /// As far as the library goes, -131072 to 22; 0 is its own middle.
    pub zstd: i32,
}

impl Default for Levels {
    /// Each codec's own middle, as Kafka's producers have by default.
    fn default() -> Self {
        Self { gzip: -1, zstd: zstd::DEFAULT_COMPRESSION_LEVEL }
    }
}

/// What somebody else compressed, as a stream of at most so many bytes.
///
/// The error of a stream that would give more is [`ErrorKind::FileTooLarge`]; all others say that
/// these bytes are none of that codec. A stream that ends without an error was whole: what follows
/// the compressed form, or is missing in it, is an error.
///
/// ```
/// use std::io::Read;
/// use protocol::records::Compression;
/// use protocol::records::codec::{Decompressor, compress};
///
/// let small = compress(Compression::Zstd, &[7; 100_000]);
/// assert!(small.len() < 100);
/// let mut bytes = Vec::new();
/// Decompressor::new(Compression::Zstd, &small, 1 << 20).read_to_end(&mut bytes)?;
/// assert_eq!(bytes, [7; 100_000]);
/// assert!(Decompressor::new(Compression::Zstd, &small, 99_999).read_to_end(&mut bytes).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Decompressor<'a> {
    source: Box<dyn BufRead + 'a>,
    limit: usize,
    /// How many of `limit` may still come.
    left: usize,
}

impl<'a> Decompressor<'a> {
    /// Opens `bytes`, which may be any. Nothing is read yet.
    pub fn new(compression: Compression, bytes: &'a [u8], limit: usize) -> Self {
        let source: Box<dyn BufRead + 'a> = match compression {
            Compression::None => Box::new(bytes),
            Compression::Gzip => Box::new(BufReader::with_capacity(PIECE_BYTES, MultiGzDecoder::new(bytes))),
            Compression::Snappy => Box::new(snappy::Blocks::new(bytes, limit)),
            Compression::Lz4 => Box::new(lz4::Frame::new(bytes)),
            Compression::Zstd => {
                let decoder = zstd::Decoder::with_buffer(bytes).expect("a decoder that is new is ready");
                Box::new(BufReader::with_capacity(PIECE_BYTES, decoder))
            }
        };
        Self { source, limit, left: limit }
    }

    /// How many bytes it has given.
    pub fn given(&self) -> usize {
        self.limit - self.left
    }
}

impl BufRead for Decompressor<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let piece = self.source.fill_buf()?;
        if self.left == 0 && !piece.is_empty() {
            let message = format!("more than {} bytes come of it", self.limit);
            return Err(io::Error::new(ErrorKind::FileTooLarge, message));
        }
        Ok(&piece[..piece.len().min(self.left)])
    }

    fn consume(&mut self, amount: usize) {
        self.left -= amount;
        self.source.consume(amount);
    }
}

impl Read for Decompressor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_piece(self, buffer)
    }
}

/// All of it at once; see [`Decompressor`] for `limit` and the errors.
pub fn decompress(compression: Compression, bytes: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Decompressor::new(compression, bytes, limit).read_to_end(&mut plain)?;
    Ok(plain)
}

/// Compresses the records of a batch, in the form that Kafka's own clients write.
pub fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    compress_at(Levels::default(), compression, bytes)
}

/// The same, with levels of one's own.
///
/// ```
/// use protocol::records::Compression;
/// use protocol::records::codec::{Levels, compress_at};
///
/// let text: Vec<u8> = (0..9_000).flat_map(|n: u32| (n * n).to_string().into_bytes()).collect();
/// let len = |gzip, zstd, codec| compress_at(Levels { gzip, zstd }, codec, &text).len();
/// assert!(len(9, 1, Compression::Gzip) < len(1, 19, Compression::Gzip));
/// assert!(len(1, 19, Compression::Zstd) < len(9, 1, Compression::Zstd));
/// ```
pub fn compress_at(levels: Levels, compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let level = u32::try_from(levels.gzip)
                .map_or_else(|_| flate2::Compression::default(), flate2::Compression::new);
            let mut encoder = GzEncoder::new(Vec::new(), level);
            let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
            written.expect("writing to memory does not fail")
        }
        Compression::Snappy => snappy::compress(bytes),
        Compression::Lz4 => lz4::compress(bytes),
        Compression::Zstd => zstd::bulk::compress(bytes, levels.zstd).expect("the room was made for it"),
    }
}

/// [`Read::read`] by way of [`BufRead`].
fn read_piece(source: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let piece = source.fill_buf()?;
    let len = piece.len().min(buffer.len());
    buffer[..len].copy_from_slice(&piece[..len]);
    source.consume(len);
    Ok(len)
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message.into())
}

/// Takes the first `N` bytes off `input`.
fn take<const N: usize>(input: &mut &[u8]) -> io::Result<[u8; N]> {
    let (&first, rest) = input.split_first_chunk::<N>().ok_or(ErrorKind::UnexpectedEof)?;
    *input = rest;
    Ok(first)
}

/// Takes the first `len` bytes off `input`.
fn take_slice<'a>(input: &mut &'a [u8], len: usize) -> io::Result<&'a [u8]> {
    let (first, rest) = input.split_at_checked(len).ok_or(ErrorKind::UnexpectedEof)?;
    *input = rest;
    Ok(first)
}

#[cfg(test)]
mod tests;
