//! Logs as files: one line a record, `{"topic":…,"key":…,"value":{…}}`, in arrival order.
//!
//! It is the form that `freshet record` writes, `freshet replay` reads and answers in, and that any
//! JSON tool can make.

use std::borrow::Cow;
use std::io::{self, Write};

use events::{Broken, Event, Topic};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One line, its value still as it was written.
#[derive(Deserialize, Serialize)]
pub struct Line<'a> {
    /// The topic's name.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// The record's key, if it has one.
    #[serde(borrow, default)]
    pub key: Option<Cow<'a, str>>,
    /// The value: a JSON object.
    #[serde(borrow)]
    pub value: &'a RawValue,
}

/// What a line holds.
#[derive(Debug)]
pub enum Parsed {
    /// An event of one of our topics.
    Event(Event),
    /// A record of a topic that is none of ours.
    OtherTopic,
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The line is not of the form.
    #[error("not a line of the form {{\"topic\":…,\"key\":…,\"value\":{{…}}}}: {0}")]
    Form(#[from] serde_json::Error),
    /// The value breaks the contract of its topic.
    #[error("{topic}: {broken}")]
    Value {
        /// The topic's name.
        topic: &'static str,
        /// What is wrong with the value.
        broken: Broken,
    },
}

/// Reads one line.
pub fn parse(line: &[u8]) -> Result<Parsed, LineError> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let Some(topic) = Topic::named(&line.topic) else { return Ok(Parsed::OtherTopic) };
    match Event::parse(topic, line.value.get().as_bytes()) {
        Ok(event) => Ok(Parsed::Event(event)),
        Err(broken) => Err(LineError::Value { topic: topic.name(), broken }),
    }
}

/// Writes one event as a line. `scratch` is only there so that its memory is used again.
pub fn write(to: &mut impl Write, event: &Event, scratch: &mut Vec<u8>) -> io::Result<()> {
    scratch.clear();
    scratch.extend_from_slice(b"{\"topic\":\"");
    scratch.extend_from_slice(event.topic().name().as_bytes());
    scratch.extend_from_slice(b"\",\"key\":");
    serde_json::to_writer(&mut *scratch, event.key())?;
    scratch.extend_from_slice(b",\"value\":");
    event.write_json(scratch);
    scratch.extend_from_slice(b"}\n");
    to.write_all(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let text = br#"{"topic":"chargebacks","key":"c1","value":{"ts":"2026-03-03T11:00:00.000Z","swipe_id":"s1","card_id":"c\"1","terminal_id":"t1"}}"#;
        let Ok(Parsed::Event(event)) = parse(text) else { panic!("a chargeback") };
        let mut written = Vec::new();
        write(&mut written, &event, &mut Vec::new()).unwrap();
        let Ok(Parsed::Event(again)) = parse(&written) else { panic!("the same chargeback") };
        assert_eq!(again, event);
        assert!(written.starts_with(br#"{"topic":"chargebacks","key":"c\"1","value":{"ts""#));
    }

    #[test]
    fn what_is_broken_says_why() {
        let not_a_line = parse(b"swipe").unwrap_err().to_string();
        assert!(not_a_line.starts_with("not a line of the form"), "{not_a_line}");
        let no_card = parse(br#"{"topic":"card_swipes","value":{"ts":"2026-03-03T11:00:00Z"}}"#)
            .unwrap_err()
            .to_string();
        assert!(no_card.starts_with("card_swipes: missing field `swipe_id`"), "{no_card}");
        assert!(matches!(parse(br#"{"topic":"theirs","value":1}"#), Ok(Parsed::OtherTopic)));
    }
}
