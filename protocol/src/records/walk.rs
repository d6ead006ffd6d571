//! Going from record to record without keeping any: what a broker does with every batch that comes
//! in, compressed or not.
//!
//! Keys, values and headers are stepped over, so nothing is copied and nothing is allocated for a
//! record. A compressed batch is opened as a stream, a piece at a time, and no more of it than
//! [`MAX_RECORDS_BYTES`].

use std::io::{self, BufRead, ErrorKind, Read};
use std::ops::ControlFlow;

use super::batch::{BatchHeader, Compression, HEADER_LEN, TimestampType};
use super::codec::Decompressor;
use super::record::RecordError;
use super::varint;

/// What the records of one batch may come to once opened: as much as the largest request could
/// carry that sent them as they are (`socket.request.max.bytes`).
pub const MAX_RECORDS_BYTES: usize = 100 << 20;

/// A record as far as a broker looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    /// Position in the batch, from 0.
    pub index: i32,
    /// Offset, relative to the batch's first. In a batch fresh from a producer it is the index.
    pub offset_delta: i32,
    /// ms since 1970: the broker's if the batch says so, otherwise the producer's.
    pub timestamp_ms: i64,
    /// Whether there is a key, be it an empty one.
    pub has_key: bool,
}

/// Shows every record of `batch` until `visit` breaks off, and answers with what it broke off with.
/// `header` is the batch's, perhaps with other timestamps. A walk to the end has seen that the
/// records are what the header counts, and that nothing follows them.
pub fn walk<B>(
    batch: &[u8],
    header: &BatchHeader,
    visit: impl FnMut(RecordSummary) -> ControlFlow<B>,
) -> Result<Option<B>, RecordError> {
    walk_within(batch, header, &mut { MAX_RECORDS_BYTES }, visit)
}

/// The same for a reader who has less patience: what comes of compressed records is taken off
/// `budget` (bytes), and where it is more, [`RecordError::TooLarge`] names what there was.
pub fn walk_within<B>(
    batch: &[u8],
    header: &BatchHeader,
    budget: &mut usize,
    visit: impl FnMut(RecordSummary) -> ControlFlow<B>,
) -> Result<Option<B>, RecordError> {
    let compression = header.attributes.compression()?;
    let end = header.total_len().min(batch.len());
    let mut records = &batch[HEADER_LEN..end];
    match compression {
        Compression::None => walk_records(&mut records, header, visit).map_err(Fault::in_plain),
        compression => {
            let max = (*budget).min(MAX_RECORDS_BYTES);
            let mut records = Decompressor::new(compression, records, max);
            let walked = walk_records(&mut records, header, visit);
            *budget -= records.given();
            walked.map_err(|fault| fault.in_compressed(compression, max))
        }
    }
}

/// Where something is wrong, and what.
struct Fault {
    index: i32,
    what: Wrong,
}

enum Wrong {
    /// A number that goes on for too long where a record's length should stand.
    Length,
    /// A number that can't be, or bytes too few or too many.
    Record,
    /// There are more records than the header counts.
    More,
    /// The records can't be decompressed.
    Io(io::Error),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    fn in_plain(self) -> RecordError {
        let index = self.index;
        match self.what {
            Wrong::Length => RecordError::EndlessLength { index },
            Wrong::Record | Wrong::Io(_) => RecordError::Malformed { index },
            Wrong::More => RecordError::More { count: index },
        }
    }

    fn in_compressed(self, compression: Compression, max: usize) -> RecordError {
        let index = self.index;
        match self.what {
            Wrong::Length | Wrong::Record => RecordError::Malformed { index },
            Wrong::More => RecordError::More { count: index },
            Wrong::Io(error) if error.kind() == ErrorKind::FileTooLarge => RecordError::TooLarge { max },
            Wrong::Io(error) => RecordError::Decompress { compression, reason: error.to_string() },
        }
    }
}

fn walk_records<B>(
    input: &mut impl BufRead,
    header: &BatchHeader,
    mut visit: impl FnMut(RecordSummary) -> ControlFlow<B>,
) -> Result<Option<B>, Fault> {
    let stamped = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
    for index in 0..header.records_count {
        let record = read_record(input).map_err(|what| Fault { index, what })?;
        let timestamp_ms = if stamped {
            header.max_timestamp
        } else {
            header.base_timestamp.wrapping_add(record.timestamp_delta)
        };
        let summary =
            RecordSummary { index, offset_delta: record.offset_delta, timestamp_ms, has_key: record.has_key };
        if let ControlFlow::Break(answer) = visit(summary) {
            return Ok(Some(answer));
        }
    }
    let index = header.records_count;
    match input.fill_buf() {
        Ok([]) => Ok(None),
        Ok(_) => Err(Fault { index, what: Wrong::More }),
        Err(error) => Err(Fault { index, what: Wrong::Io(error) }),
    }
}

struct Body {
    timestamp_delta: i64,
    offset_delta: i32,
    has_key: bool,
}

/// Reads one record, if it can from the piece that is at hand, and otherwise across pieces.
fn read_record(input: &mut impl BufRead) -> Result<Body, Wrong> {
    let piece = input.fill_buf()?;
    let mut rest = piece;
    if let Some(length) = varint::read_i32(&mut rest)
        && let Ok(length) = usize::try_from(length)
        && let Some(body) = rest.get(..length)
    {
        let used = piece.len() - rest.len() + length;
        let body = read_body(body)?;
        input.consume(used);
        return Ok(body);
    }
    if piece.is_empty() {
        return Err(Wrong::Record);
    }
    let length = read_number(input)?.ok_or(Wrong::Length)?;
    let length = u32::try_from(length).map_err(|_| Wrong::Record)?;
    let mut rest = input.take(u64::from(length));
    let body = read_body(&mut rest)?;
    if rest.limit() == 0 { Ok(body) } else { Err(Wrong::Record) }
}

/// Reads what stands behind a record's length, all of it.
fn read_body(mut body: impl BufRead) -> Result<Body, Wrong> {
    skip(&mut body, 1)?;
    let timestamp_delta = read_number(&mut body)?.ok_or(Wrong::Record)?;
    let offset_delta = read_int(&mut body)?;
    let has_key = skip_nullable(&mut body)?;
    skip_nullable(&mut body)?;
    let headers = read_int(&mut body)?;
    if headers < 0 {
        return Err(Wrong::Record);
    }
    // Each takes two bytes at least, so a count that is a lie ends with the record.
    for _ in 0..headers {
        if !skip_nullable(&mut body)? {
            return Err(Wrong::Record);
        }
        skip_nullable(&mut body)?;
    }
    if body.fill_buf()?.is_empty() {
        Ok(Body { timestamp_delta, offset_delta, has_key })
    } else {
        Err(Wrong::Record)
    }
}

/// Steps over bytes behind their length; false when they are null.
fn skip_nullable(input: &mut impl BufRead) -> Result<bool, Wrong> {
    match read_int(input)? {
        -1 => Ok(false),
        length => {
            skip(input, usize::try_from(length).map_err(|_| Wrong::Record)?)?;
            Ok(true)
        }
    }
}

fn skip(input: &mut impl BufRead, mut count: usize) -> Result<(), Wrong> {
    while count > 0 {
        let here = input.fill_buf()?.len().min(count);
        if here == 0 {
            return Err(Wrong::Record);
        }
        input.consume(here);
        count -= here;
    }
    Ok(())
}

fn read_int(input: &mut impl BufRead) -> Result<i32, Wrong> {
    let number = read_number(input)?.ok_or(Wrong::Record)?;
    i32::try_from(number).map_err(|_| Wrong::Record)
}

/// `None` for a number that goes on for too long.
fn read_number(input: &mut impl BufRead) -> Result<Option<i64>, Wrong> {
    let piece = input.fill_buf()?;
    let mut rest = piece;
    if let Some(number) = varint::read_i64(&mut rest) {
        let used = piece.len() - rest.len();
        input.consume(used);
        return Ok(Some(number));
    }
    // It goes on in the next piece, or for too long.
    let (mut bytes, mut len) = ([0; varint::MAX_LEN], 0);
    while len < bytes.len() {
        let &byte = input.fill_buf()?.first().ok_or(Wrong::Record)?;
        input.consume(1);
        bytes[len] = byte;
        len += 1;
        if byte & 0x80 == 0 {
            return Ok(varint::read_i64(&mut &bytes[..len]));
        }
    }
    Ok(None)
}
