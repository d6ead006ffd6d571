//! Rows of a page from records: texts that are cut, merged in the order of sending.

use client::{Record, StoredRecord, Unreadable};
use dashboard::{Letter, RecordAt, RecordRow, WholeRecord};
use events::{DeadLetter, Topic};

/// The most bytes of a key that a row keeps.
const KEY_BYTES: usize = 200;
/// The most bytes of a value that a row keeps.
const VALUE_BYTES: usize = 1_000;
/// The most bytes of a value that is shown whole.
const WHOLE_BYTES: usize = 64 << 10;
/// The most headers that are shown.
const MOST_HEADERS: usize = 200;

/// A record as a row.
pub(super) fn row(record: &Record<'_>) -> RecordRow {
    let value = record.value();
    RecordRow {
        at: RecordAt { partition: record.partition(), offset: record.offset() },
        sent_ms: record.timestamp_ms(),
        key: record.key().map(|key| cut(key, KEY_BYTES)),
        value: value.map(|value| cut(value, VALUE_BYTES)),
        bytes: [record.key(), value].into_iter().flatten().map(|bytes| bytes.len() as u64).sum(),
        unreadable: None,
        letter: value.filter(|_| record.topic() == Topic::DeadLetters.name()).and_then(letter),
    }
}

/// Offsets that cannot be read, as a row.
pub(super) fn unreadable(lost: &Unreadable) -> RecordRow {
    RecordRow {
        at: RecordAt { partition: lost.at.partition, offset: lost.first },
        sent_ms: Some(lost.timestamp_ms),
        key: None,
        value: None,
        bytes: lost.len as u64,
        unreadable: Some(lost.reason.clone()),
        letter: None,
    }
}

/// What a dead letter says; none when it is not one of ours.
pub(super) fn letter(value: &[u8]) -> Option<Letter> {
    let letter: DeadLetter = serde_json::from_slice(value).ok()?;
    Some(Letter {
        at: RecordAt { partition: letter.partition, offset: letter.offset },
        topic: letter.topic,
        last_offset: letter.last_offset,
        consumer: letter.consumer,
        error: letter.error,
    })
}

/// A record with everything, as text.
pub(super) fn whole(record: &StoredRecord) -> WholeRecord {
    let value = record.value.as_deref();
    let kept = value.map(|value| &value[..value.len().min(WHOLE_BYTES)]);
    let headers = record.headers.iter().take(MOST_HEADERS);
    let key = record.key.as_deref();
    WholeRecord {
        sent_ms: Some(record.timestamp_ms).filter(|ms| *ms >= 0),
        bytes: [key, value].into_iter().flatten().map(|bytes| bytes.len() as u64).sum(),
        key: key.map(|key| readable(&key[..key.len().min(WHOLE_BYTES)])),
        value: kept.map(readable),
        bytes_cut: value.map_or(0, |value| value.len().saturating_sub(WHOLE_BYTES) as u64),
        headers: headers
            .map(|(name, value)| {
                (cut(name, KEY_BYTES), value.as_deref().map(|value| cut(value, VALUE_BYTES)))
            })
            .collect(),
        problem: None,
    }
}

/// The first bytes of a text; what is no UTF-8 becomes U+FFFD.
fn cut(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]);
    if bytes.len() > most { format!("{}…", text.trim_end_matches('\u{fffd}')) } else { text.into_owned() }
}

/// Text as it is, and other bytes in hexadecimal, sixteen to a line.
fn readable(bytes: &[u8]) -> String {
    // What was cut may end within a character.
    let is_text = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && bytes.len() == WHOLE_BYTES,
    };
    if is_text {
        return String::from_utf8_lossy(bytes).trim_end_matches('\u{fffd}').to_owned();
    }
    let line = |line: &[u8]| {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = line
            .iter()
            .map(|&byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '.' })
            .collect();
        format!("{:<47}  {text}", hex.join(" "))
    };
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

/// Merges the rows of several partitions by the time at which they were sent; those of one
/// partition keep their order, whatever their times.
pub(super) fn merge(mut partitions: Vec<Vec<RecordRow>>) -> Vec<RecordRow> {
    let total = partitions.iter().map(Vec::len).sum();
    if partitions.iter().filter(|rows| !rows.is_empty()).count() <= 1 {
        return partitions.into_iter().flatten().collect();
    }
    for rows in &mut partitions {
        rows.reverse();
    }
    let mut merged = Vec::with_capacity(total);
    loop {
        let heads = partitions.iter_mut().filter(|rows| !rows.is_empty());
        let first = heads.min_by_key(|rows| rows.last().map(|row| (row.sent_ms, row.at)));
        match first.and_then(Vec::pop) {
            Some(row) => merged.push(row),
            None => break,
        }
    }
    assert_eq!(merged.len(), total, "merging loses no record");
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(partition: i32, offset: i64, sent_ms: i64) -> RecordRow {
        RecordRow {
            at: RecordAt { partition, offset },
            sent_ms: Some(sent_ms),
            key: None,
            value: None,
            bytes: 0,
            unreadable: None,
            letter: None,
        }
    }

    #[test]
    fn partitions_are_merged_by_time_and_each_keeps_its_order() {
        // The second record of partition 0 claims to be older than the first.
        let zero = vec![sent(0, 5, 300), sent(0, 6, 100)];
        let one = vec![sent(1, 9, 200), sent(1, 10, 400)];
        let places: Vec<_> =
            merge(vec![zero, one, Vec::new()]).iter().map(|row| (row.at.partition, row.at.offset)).collect();
        assert_eq!(places, [(1, 9), (0, 5), (0, 6), (1, 10)]);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        assert_eq!(readable("naïve".as_bytes()), "naïve");
        assert_eq!(readable(&[0xff, 0x00, b'a']), format!("{:<47}  ..a", "ff 00 61"));
        assert_eq!(cut("naïve".as_bytes(), 3), "na…", "cut within a character");
        let long = "ï".repeat(WHOLE_BYTES);
        assert!(readable(&long.as_bytes()[..WHOLE_BYTES]).starts_with("ïï"));
    }

    #[test]
    fn what_is_no_dead_letter_is_none() {
        assert_eq!(letter(b"{}"), None);
        let json = br#"{"topic":"clicks","partition":2,"offset":7,"error":"not JSON","value_base64":""}"#;
        let letter = letter(json).expect("one of an older program");
        assert_eq!((&*letter.topic, letter.at.offset, letter.consumer), ("clicks", 7, None));
    }
}
