//! Snappy, in the two forms that Kafka's clients send.
//!
//! librdkafka sends one *raw block*: its length once opened, then the block. Everybody who followed
//! the Java client sends what the snappy-java library made up for streams, often called *xerial*
//! after its author (big-endian):
//!
//! ```text
//!  byte  size  field
//!     0     8  0x82 "SNAPPY" 0x00
//!     8     4  version, 1
//!    12     4  oldest version that can read it, 1
//!    16     4  length of a block, then a raw block of that length, and so on
//! ```
//! A raw block can't begin like that: its length would have a bit too many.

use std::io::{self, BufRead, ErrorKind, Read};

use snap::raw::{Decoder, Encoder, decompress_len};

use super::{invalid, read_piece, take, take_slice};

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// How much snappy-java puts into a block.
const BLOCK_BYTES: usize = 32 << 10;
/// Three bytes repeat 64 at most: no block opens to more than 64 / 3 times its own length.
const MAX_RATIO: usize = 22;

/// Opens one block after the other.
pub(super) struct Blocks<'a> {
    rest: Rest<'a>,
    limit: usize,
    decoder: Decoder,
    block: Vec<u8>,
    /// How much of `block` has been read.
    read: usize,
}

enum Rest<'a> {
    /// One block, unless it has been opened.
    Raw(Option<&'a [u8]>),
    /// Blocks, each behind its length.
    Xerial(&'a [u8]),
}

impl<'a> Blocks<'a> {
    pub(super) fn new(bytes: &'a [u8], limit: usize) -> Self {
        let rest = match bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_at_checked(VERSIONS.len())) {
            Some((_versions, blocks)) => Rest::Xerial(blocks),
            None => Rest::Raw(Some(bytes)),
        };
        Self { rest, limit, decoder: Decoder::new(), block: Vec::new(), read: 0 }
    }

    fn next_block(&mut self) -> io::Result<Option<&'a [u8]>> {
        match &mut self.rest {
            Rest::Raw(block) => Ok(block.take()),
            Rest::Xerial([]) => Ok(None),
            Rest::Xerial(rest) => {
                let len = u32::from_be_bytes(take(rest)?) as usize;
                take_slice(rest, len).map(Some)
            }
        }
    }

    fn open(&mut self, block: &[u8]) -> io::Result<()> {
        let len = decompress_len(block).map_err(|error| invalid(error.to_string()))?;
        if len > block.len().saturating_mul(MAX_RATIO) {
            return Err(invalid(format!("a block of {} bytes claims to hold {len}", block.len())));
        }
        if len > self.limit {
            return Err(io::Error::new(ErrorKind::FileTooLarge, format!("a block holds {len} bytes")));
        }
        self.block.clear();
        self.block.resize(len, 0);
        self.read = 0;
        self.decoder.decompress(block, &mut self.block).map_err(|error| invalid(error.to_string()))?;
        Ok(())
    }
}

impl BufRead for Blocks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.read == self.block.len()
            && let Some(block) = self.next_block()?
        {
            self.open(block)?;
        }
        Ok(&self.block[self.read..])
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_piece(self, buffer)
    }
}

/// In the xerial form, as Kafka's own clients do.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut output = [MAGIC.as_slice(), &VERSIONS].concat();
    let mut encoder = Encoder::new();
    for block in bytes.chunks(BLOCK_BYTES) {
        let block = encoder.compress_vec(block).expect("a block of 32 KB is not too long");
        output.extend_from_slice(&(block.len() as u32).to_be_bytes());
        output.extend_from_slice(&block);
    }
    output
}
