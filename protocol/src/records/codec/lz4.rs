//! The LZ4 frame, little-endian:
//!
//! ```text
//!  byte  size  field
//!     0     4  0x184d2204
//!     4     1  flags: bits 6-7 version, 01
//!                     bit 5 blocks don't refer to each other
//!                     bit 4 a checksum behind each block
//!                     bit 3 the size of the content is here, bit 2 a checksum at its end
//!                     bit 1 reserved, bit 0 a dictionary's number is here
//!     5     1  bits 4-6 the largest block: 4 is 64 KB, 5 256 KB, 6 1 MB, 7 4 MB; the others 0
//!     6     8  size of the content, if the flags say so
//!     …     1  second byte of the checksum of what stands here from byte 4 on
//!     …     4  length of a block; the highest bit says that it was left as it was; then the block,
//!              its checksum if there is one, and so on; a length of 0 ends the blocks
//!     …     4  checksum of the content, if the flags say so
//! ```
//! Checksums are xxHash with 32 bits. Source: [the LZ4 frame format][format].
//!
//! # Simplifications
//!
//! Blocks that refer to each other are refused, as Kafka's broker and Java client do.
//!
//! [format]: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md

use std::hash::Hasher;
use std::io::{self, BufRead, Read};

use lz4_flex::block;
use twox_hash::XxHash32;

use super::{invalid, read_piece, take, take_slice};

const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_CHECKSUMS: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
/// Version, reserved bit, dictionary: what must be as it is in version 01 without a dictionary.
const FIXED_FLAGS: u8 = 0b1100_0011;
const VERSION: u8 = 0b0100_0000;
const STORED: u32 = 1 << 31;
/// One byte repeats 255 at most.
const MAX_RATIO: usize = 255;

/// Opens a frame block by block.
pub(super) struct Frame<'a> {
    rest: &'a [u8],
    state: State,
    flags: u8,
    max_block: usize,
    content_size: Option<u64>,
    size: u64,
    hash: XxHash32,
    /// The last block, in its first `end` bytes.
    block: Vec<u8>,
    end: usize,
    /// How much of it has been read.
    read: usize,
}

#[derive(PartialEq)]
enum State {
    Header,
    Blocks,
    End,
}

impl<'a> Frame<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            state: State::Header,
            flags: 0,
            max_block: 0,
            content_size: None,
            size: 0,
            hash: XxHash32::with_seed(0),
            block: Vec::new(),
            end: 0,
            read: 0,
        }
    }

    /// Bytes of memory that its blocks take.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.block.capacity()
    }

    fn read_header(&mut self) -> io::Result<()> {
        if take(&mut self.rest)? != MAGIC {
            return Err(invalid("no LZ4 frame begins here"));
        }
        let descriptor = self.rest;
        let [flags, sizes] = take(&mut self.rest)?;
        if flags & FIXED_FLAGS != VERSION {
            return Err(invalid(format!("LZ4 frames with flags {flags:#04x} are not supported")));
        }
        if flags & INDEPENDENT == 0 {
            return Err(invalid("LZ4 blocks that refer to each other are not supported"));
        }
        self.max_block = match sizes {
            0x40 => 64 << 10,
            0x50 => 256 << 10,
            0x60 => 1 << 20,
            0x70 => 4 << 20,
            _ => return Err(invalid(format!("an LZ4 frame has no blocks of size {sizes:#04x}"))),
        };
        if flags & CONTENT_SIZE != 0 {
            self.content_size = Some(u64::from_le_bytes(take(&mut self.rest)?));
        }
        let descriptor = &descriptor[..descriptor.len() - self.rest.len()];
        let [checksum] = take(&mut self.rest)?;
        if checksum != (XxHash32::oneshot(0, descriptor) >> 8) as u8 {
            return Err(invalid("the checksum of the LZ4 frame's header is wrong"));
        }
        self.flags = flags;
        Ok(())
    }

    /// Opens the next block, or comes to the end.
    fn read_block(&mut self) -> io::Result<()> {
        let word = u32::from_le_bytes(take(&mut self.rest)?);
        (self.read, self.end) = (0, 0);
        if word == 0 {
            self.state = State::End;
            return self.read_end();
        }
        let block = take_slice(&mut self.rest, (word & !STORED) as usize)?;
        if self.flags & BLOCK_CHECKSUMS != 0
            && u32::from_le_bytes(take(&mut self.rest)?) != XxHash32::oneshot(0, block)
        {
            return Err(invalid("the checksum of an LZ4 block is wrong"));
        }
        let stored = word & STORED != 0;
        let room = if stored { block.len() } else { self.max_block.min(block.len() * MAX_RATIO) };
        if room > self.max_block {
            return Err(invalid(format!("an LZ4 block of {room} bytes is larger than its frame allows")));
        }
        if self.block.len() < room {
            self.block.resize(room, 0);
        }
        if stored {
            self.block[..room].copy_from_slice(block);
            self.end = room;
        } else {
            self.end = block::decompress_into(block, &mut self.block[..room])
                .map_err(|error| invalid(error.to_string()))?;
        }
        self.size += self.end as u64;
        if self.flags & CONTENT_CHECKSUM != 0 {
            self.hash.write(&self.block[..self.end]);
        }
        Ok(())
    }

    fn read_end(&mut self) -> io::Result<()> {
        if self.flags & CONTENT_CHECKSUM != 0
            && u32::from_le_bytes(take(&mut self.rest)?) != self.hash.finish() as u32
        {
            return Err(invalid("the checksum of an LZ4 frame's content is wrong"));
        }
        if self.content_size.is_some_and(|size| size != self.size) {
            return Err(invalid("an LZ4 frame's content is not as long as it says"));
        }
        if !self.rest.is_empty() {
            return Err(invalid(format!("{} bytes follow the LZ4 frame", self.rest.len())));
        }
        Ok(())
    }
}

impl BufRead for Frame<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.state == State::Header {
            self.read_header()?;
            self.state = State::Blocks;
        }
        while self.read == self.end && self.state == State::Blocks {
            self.read_block()?;
        }
        Ok(&self.block[self.read..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}

impl Read for Frame<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_piece(self, buffer)
    }
}

/// Blocks of 64 KB without checksums, as Kafka's own clients write them.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let descriptor = [VERSION | INDEPENDENT, 0x40];
    let mut output = [MAGIC.as_slice(), &descriptor].concat();
    output.push((XxHash32::oneshot(0, &descriptor) >> 8) as u8);
    for plain in bytes.chunks(64 << 10) {
        let packed = block::compress(plain);
        let (block, stored) =
            if packed.len() < plain.len() { (packed.as_slice(), 0) } else { (plain, STORED) };
        output.extend_from_slice(&(block.len() as u32 | stored).to_le_bytes());
        output.extend_from_slice(block);
    }
    output.extend_from_slice(&[0; 4]);
    output
}
