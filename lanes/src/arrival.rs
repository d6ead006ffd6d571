//! A record as it comes in: an event, or a letter that can't be read.

use client::{Read, Record, Unreadable};
use events::{DeadLetter, Event, Topic};

/// The most of a broken value that its dead letter carries, in bytes. With base 64 on top that is a
/// tenth of what a topic takes unless it is told otherwise, so a letter always fits.
const VALUE_BYTES: usize = 64 * 1024;
/// The most of a reason, in bytes: a parser quotes what it can't read, however long it is.
const REASON_BYTES: usize = 1_000;

/// One record of an input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) topic: Topic,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// The last offset that it stands for: its own, unless the offsets from there on are
    /// unreadable.
    pub(crate) last_offset: i64,
    /// When it was sent, by the wall clock.
    pub(crate) timestamp_ms: i64,
    pub(crate) content: Result<Event, Box<DeadLetter>>,
    /// The value as it came, for those who asked for it.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Arrival {
    /// Reads a record of `topic`; one without a timestamp counts as sent now.
    pub(crate) fn read(topic: Topic, record: &Record<'_>, now_ms: i64) -> Self {
        let timestamp_ms = record.timestamp_ms().unwrap_or(now_ms);
        let content = parse(topic, record.partition(), record.offset(), record.value());
        Self {
            topic,
            partition: record.partition(),
            offset: record.offset(),
            last_offset: record.offset(),
            timestamp_ms,
            content,
            bytes: None,
        }
    }

    /// What a reader of `topic` came to.
    pub(crate) fn of(topic: Topic, read: &Read<'_>, now_ms: i64) -> Self {
        match read {
            Read::Record(record) => Self::read(topic, record, now_ms),
            Read::Unreadable(lost) => Self::unreadable(topic, lost),
        }
    }

    /// Unreadable offsets of `topic`, as one letter about all of them.
    pub(crate) fn unreadable(topic: Topic, lost: &Unreadable) -> Self {
        let partition = lost.at.partition;
        let cut = Excerpt { bytes: &lost.bytes, of: lost.len };
        let mut letter = dead_letter(topic, partition, lost.first, &lost.reason, cut);
        letter.last_offset = (lost.last > lost.first).then_some(lost.last);
        Self {
            topic,
            partition,
            offset: lost.first,
            last_offset: lost.last,
            timestamp_ms: lost.timestamp_ms,
            content: Err(Box::new(letter)),
            bytes: None,
        }
    }
}

pub(crate) fn parse(
    topic: Topic,
    partition: i32,
    offset: i64,
    value: Option<&[u8]>,
) -> Result<Event, Box<DeadLetter>> {
    let error = match value.map(|value| Event::parse(topic, value)) {
        Some(Ok(event)) => return Ok(event),
        Some(Err(broken)) => broken.to_string(),
        None => "the record has no value (a tombstone), which only a compacted topic gives a meaning to"
            .to_owned(),
    };
    let value = value.unwrap_or_default();
    Err(Box::new(dead_letter(topic, partition, offset, &error, Excerpt { bytes: value, of: value.len() })))
}

/// The beginning of something of `of` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Excerpt<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) of: usize,
}

/// A letter about the record at `offset`, cut to a size that every topic takes; what was cut away
/// is said. Whose letter it is, the [`Outbox`](super::outbox::Outbox) writes on it.
pub(crate) fn dead_letter(
    topic: Topic,
    partition: i32,
    offset: i64,
    reason: &str,
    value: Excerpt<'_>,
) -> DeadLetter {
    let mut error = reason[..reason.floor_char_boundary(REASON_BYTES)].to_owned();
    if error.len() < reason.len() {
        error += &format!("… ({} bytes of the reason are cut)", reason.len() - error.len());
    }
    let kept = &value.bytes[..value.bytes.len().min(VALUE_BYTES)];
    if kept.len() < value.of {
        error += &format!(" (of {} bytes, the first {} are here)", value.of, kept.len());
    }
    let topic = topic.name().to_owned();
    DeadLetter {
        topic,
        partition,
        offset,
        last_offset: None,
        consumer: None,
        error,
        value_base64: base64(kept),
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn what_cannot_be_read_says_where_it_was_and_why() {
        let letter = parse(Topic::Trips, 3, 17, Some(b"{")).unwrap_err();
        assert_eq!((letter.topic.as_str(), letter.partition, letter.offset), ("trips", 3, 17));
        assert_eq!(letter.value_base64, "ew==");
        assert!(letter.error.contains("EOF"), "{}", letter.error);
        assert!(parse(Topic::Trips, 3, 18, None).unwrap_err().error.contains("no value"));
    }

    #[test]
    fn a_huge_value_is_cut_so_that_its_letter_can_be_sent() {
        let letter = parse(Topic::Trips, 0, 0, Some(&vec![b'x'; 900_000])).unwrap_err();
        assert_eq!(letter.value_base64.len(), VALUE_BYTES.div_ceil(3) * 4);
        assert!(letter.error.contains("900000"), "{}", letter.error);
    }

    #[test]
    fn a_reason_that_quotes_the_value_is_cut_so_that_its_letter_can_be_sent() {
        let value = format!("\"{}\"", "é".repeat(450_000));
        let letter = parse(Topic::CardSwipes, 0, 0, Some(value.as_bytes())).unwrap_err();
        assert!(letter.error.starts_with("invalid type: string \"éé"), "{}", &letter.error[..40]);
        assert!(letter.error.contains("bytes of the reason are cut"), "{}", letter.error);
        assert!(letter.error.len() < REASON_BYTES + 200, "{} bytes", letter.error.len());
        let bytes = Event::DeadLetters(*letter).to_json().len();
        assert!(bytes < 100_000, "{bytes} bytes");
    }
}
