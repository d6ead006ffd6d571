//! What is sent: the lines of standard input, and the record that a line says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context as _, Result, bail};
use events::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::SendArgs;

/// The longest line: a little more than any record that can be sent.
const LONGEST_LINE: usize = 101 << 20;
/// So many lines are read ahead.
const AHEAD: usize = 100;

/// The lines of standard input, as they come. They are read by a thread of their own, since who
/// waits for a line learns of nothing else.
pub(super) fn lines() -> Receiver<io::Result<Vec<u8>>> {
    let (send, lines) = sync_channel(AHEAD);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = (&mut input).take(LONGEST_LINE as u64).read_until(b'\n', &mut line);
            let read = read.and_then(|_| match without_end(&line) {
                Some(line) => Ok(line.to_vec()),
                None => Err(io::Error::other(format!("it is longer than {LONGEST_LINE} bytes"))),
            });
            let is_last = line.is_empty() || read.is_err();
            if line.is_empty() && read.is_ok() || send.send(read).is_err() || is_last {
                return;
            }
        }
    });
    lines
}

/// A line without what ends it, which its last line may lack; none when it goes on.
fn without_end(line: &[u8]) -> Option<&[u8]> {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => Some(line),
        _ => (line.len() < LONGEST_LINE).then_some(line),
    }
}

/// A record to be sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NewRecord<'a> {
    /// The topic that the line names.
    pub(super) topic: Option<Cow<'a, str>>,
    pub(super) partition: Option<i32>,
    pub(super) key: Option<Cow<'a, [u8]>>,
    pub(super) value: Option<Cow<'a, [u8]>>,
    pub(super) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) timestamp_ms: Option<i64>,
}

impl<'a> NewRecord<'a> {
    /// The record that a line says, with what the options say of every record; without a line it is
    /// a tombstone.
    pub(super) fn read(args: &'a SendArgs, line: Option<&'a [u8]>) -> Result<Self> {
        if let Some(line) = line
            && args.json
        {
            return Self::of_json(line);
        }
        let (mut key, mut value) = (args.key.as_ref().map(|key| key.as_bytes().into()), line);
        if let (Some(separator), Some(line)) = (&args.key_separator, line) {
            let (before, after) = split(line, separator.as_bytes())
                .with_context(|| format!("there is no {separator:?} in it to part its key from its value"))?;
            (key, value) = (Some(before.into()), Some(after));
        }
        let header = |(name, value): &'a (String, String)| (name.into(), value.into());
        Ok(Self {
            topic: None,
            partition: args.partition,
            key,
            value: value.map(Cow::Borrowed),
            headers: args.header.iter().map(header).collect(),
            timestamp_ms: None,
        })
    }

    fn of_json(line: &'a [u8]) -> Result<Self> {
        let line: Line<'_> = serde_json::from_slice(line).context(
            "it is not of the form {\"key\":…,\"value\":…,\"headers\":…,\"partition\":…,\"timestamp\":…}",
        )?;
        let timestamp_ms = match line.timestamp {
            None => None,
            Some(When::Ms(ms)) if ms >= 0 => Some(ms),
            Some(When::Ms(ms)) => bail!("its timestamp {ms} is before 1970: Kafka has no such times"),
            Some(When::Text(text)) => {
                Some(text.parse::<Timestamp>().map(Timestamp::ms).with_context(|| {
                    format!(
                        "its timestamp \"{text}\" is no instant: write it as 2026-03-03T11:00:00Z, or in ms"
                    )
                })?)
            }
        };
        if let Some(partition) = line.partition.filter(|partition| *partition < 0) {
            bail!("its partition {partition} is below 0");
        }
        let bytes = |text: Cow<'a, str>| match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let value = line.value.get();
        Ok(Self {
            topic: line.topic,
            partition: line.partition,
            key: line.key.map(bytes),
            value: (value != "null").then_some(value.as_bytes().into()),
            headers: line.headers.into_iter().collect(),
            timestamp_ms,
        })
    }
}

/// A line of JSON; that of `freshet record` and more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow, default)]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(borrow, default)]
    headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    partition: Option<i32>,
    timestamp: Option<When>,
}

/// An instant, as one of two kinds of people writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    Ms(i64),
    Text(String),
}

/// What stands before and behind the first `separator`.
fn split<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = line.windows(separator.len()).position(|window| window == separator)?;
    Some((&line[..at], &line[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_as_on_any_system_and_the_last_may_not() {
        for (line, without) in [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("\n", ""), ("a\r", "a\r")] {
            assert_eq!(without_end(line.as_bytes()), Some(without.as_bytes()), "{line:?}");
        }
        assert_eq!(without_end(&vec![b'a'; LONGEST_LINE]), None);
    }

    #[test]
    fn a_key_stands_before_the_first_separator() {
        let parts = |line: &'static str, separator: &str| split(line.as_bytes(), separator.as_bytes());
        assert_eq!(parts("ada:3:4", ":"), Some((&b"ada"[..], &b"3:4"[..])));
        assert_eq!(parts(":", ":"), Some((&b""[..], &b""[..])), "an empty key is a key");
        assert_eq!(parts("ada => 3", " => "), Some((&b"ada"[..], &b"3"[..])));
        assert_eq!((parts("ada", ":"), parts("a", "::")), (None, None));
    }

    #[test]
    fn a_line_of_json_says_all_of_a_record() {
        let line = br#"{"topic":"t","key":"a\"1","value":{"x": "1"},"headers":{"from":"me"},"partition":2,"timestamp":7}"#;
        let record = NewRecord::of_json(line).unwrap();
        let expected = NewRecord {
            topic: Some("t".into()),
            partition: Some(2),
            key: Some(br#"a"1"#.into()),
            value: Some(br#"{"x": "1"}"#.into()),
            headers: vec![("from".into(), "me".into())],
            timestamp_ms: Some(7),
        };
        assert_eq!(record, expected);
        let value = |line: &'static str| NewRecord::of_json(line.as_bytes()).map(|record| record.value).ok();
        assert_eq!(value(r#"{"value":"text"}"#), Some(Some(br#""text""#.into())), "as JSON");
        assert_eq!(value(r#"{"key":"a","value":null}"#), Some(None), "a tombstone");
        let at = NewRecord::of_json(br#"{"value":1,"timestamp":"1970-01-01T00:00:01Z"}"#).unwrap();
        assert_eq!((at.timestamp_ms, at.key), (Some(1_000), None));
        for wrong in [
            "",
            "text",
            "[]",
            "{}",
            r#"{"key":"a"}"#,
            r#"{"value":1,"vlaue":2}"#,
            r#"{"value":1,"key":5}"#,
            r#"{"value":1,"partition":-1}"#,
            r#"{"value":1,"timestamp":-5}"#,
            r#"{"value":1,"timestamp":"noon"}"#,
            r#"{"value":1} {"value":2}"#,
        ] {
            assert!(NewRecord::of_json(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
