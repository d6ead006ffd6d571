//! A line that is typed at the foot of the screen: what it is for, and what may stand in it.
//!
//! What takes several lines is asked for one after the other; each knows what the lines before it
//! said.
//!
//! # Simplifications
//! - The cursor is always at the end: what was typed wrong is taken back from there.

use crate::command::{Action, NewRecord, Target};
use crate::place::{OffsetSpec, forms, length_ms};
use text::grouped;

/// What is typed, for what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    pub(crate) purpose: Purpose,
    pub(crate) text: String,
    /// What is wrong with what was entered, and how to write it.
    pub(crate) problem: Option<String>,
}

/// What a line is typed for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// The text that the keys of records must contain.
    RecordKey,
    /// The place in a topic to go to.
    Jump,
    /// The place that the offsets of this group are set to.
    Reset { group: String },
    /// The name of a topic to be created …
    TopicName,
    /// … the number of its partitions …
    TopicPartitions { topic: String },
    /// … and for how long it keeps a record.
    TopicRetention { topic: String, partitions: i32 },
    /// The key of a record to be sent …
    SendKey { topic: String },
    /// … and its value.
    SendValue { topic: String, key: Option<String> },
}

/// What comes of a line that was entered.
pub(crate) enum Entered {
    /// The next line is asked for.
    Next(Purpose),
    /// The keys of the open records must contain this.
    RecordKey(String),
    /// The open records are to be shown from here.
    Jump(OffsetSpec),
    /// It is asked whether the offsets of a group are to be set there.
    Reset(String, OffsetSpec),
    /// A command is sent.
    Command(Action, Target),
}

/// The most characters of a line, and of the value of a record.
const MOST: usize = 2_000;
const MOST_VALUE: usize = 100_000;
/// The most partitions that a topic is created with here.
const MOST_PARTITIONS: i32 = 1_000;
/// The number of partitions of a new topic where none is typed.
const PARTITIONS: i32 = 4;
/// The most characters of a topic's name: Kafka's own limit.
const MOST_NAME: usize = 249;

impl Input {
    pub(crate) fn new(purpose: Purpose, text: impl Into<String>) -> Self {
        Input { purpose, text: text.into(), problem: None }
    }

    /// What stands before the line.
    pub(crate) fn prompt(&self) -> String {
        match &self.purpose {
            Purpose::RecordKey => "key contains: ".into(),
            Purpose::Jump => "go to: ".into(),
            Purpose::Reset { group } => format!("set the offsets of {group} to: "),
            Purpose::TopicName => "name of the new topic: ".into(),
            Purpose::TopicPartitions { topic } => format!("partitions of {topic}: "),
            Purpose::TopicRetention { topic, .. } => format!("{topic} keeps a record for: "),
            Purpose::SendKey { topic } => format!("to {topic}, key: "),
            Purpose::SendValue { topic, .. } => format!("to {topic}, value: "),
        }
    }

    /// What stands behind it while nothing has been typed, at `now_ms` of wall-clock time.
    pub(crate) fn hint(&self, now_ms: i64) -> String {
        let hint = match self.purpose {
            Purpose::RecordKey => "nothing: all keys",
            Purpose::Jump | Purpose::Reset { .. } => return forms(now_ms),
            Purpose::TopicName => "letters, digits, . _ -",
            Purpose::TopicPartitions { .. } => "nothing: 4",
            Purpose::TopicRetention { .. } => "30m, 12h, 7d, forever; nothing: as the cluster does",
            Purpose::SendKey { .. } => "nothing: no key, so any partition",
            Purpose::SendValue { .. } => "one line, such as JSON",
        };
        hint.to_owned()
    }

    pub(crate) fn push(&mut self, char: char) {
        if !char.is_control() {
            self.paste(char.encode_utf8(&mut [0; 4]));
        }
    }

    /// Adds a text without control characters, all of it or nothing: half of a value is another
    /// value.
    pub(crate) fn paste(&mut self, text: &str) {
        let most = if matches!(self.purpose, Purpose::SendValue { .. }) { MOST_VALUE } else { MOST };
        let count = self.text.chars().count() + text.chars().count();
        if count > most {
            let (count, most) = (grouped(count as u64), grouped(most as u64));
            self.problem =
                Some(format!("{count} characters are too many, at most {most}: nothing was added"));
            return;
        }
        self.text.push_str(text);
        self.problem = None;
    }

    pub(crate) fn pop(&mut self) {
        self.text.pop();
        self.problem = None;
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.problem = None;
    }

    /// What comes of it at `now_ms` of wall-clock time; `Err` says how to write it.
    pub(crate) fn enter(&self, now_ms: i64) -> Result<Entered, String> {
        let text = self.text.trim();
        Ok(match &self.purpose {
            Purpose::RecordKey => Entered::RecordKey(self.text.clone()),
            Purpose::Jump => Entered::Jump(OffsetSpec::read(text, now_ms)?),
            Purpose::Reset { group } => Entered::Reset(group.clone(), OffsetSpec::read(text, now_ms)?),
            Purpose::TopicName => Entered::Next(Purpose::TopicPartitions { topic: topic_name(text)? }),
            Purpose::TopicPartitions { topic } => {
                let partitions = match text {
                    "" => PARTITIONS,
                    text => text
                        .parse()
                        .ok()
                        .filter(|partitions| (1..=MOST_PARTITIONS).contains(partitions))
                        .ok_or_else(|| format!("write a number from 1 to {MOST_PARTITIONS}"))?,
                };
                Entered::Next(Purpose::TopicRetention { topic: topic.clone(), partitions })
            }
            Purpose::TopicRetention { topic, partitions } => {
                let retention_ms = match text {
                    "" => None,
                    // Kafka's word for it.
                    "forever" => Some(-1),
                    text => {
                        let length = length_ms(text).filter(|ms| *ms > 0);
                        Some(length.ok_or("write a number and s, m, h or d, such as 7d, or forever")?)
                    }
                };
                let action = Action::CreateTopic { partitions: *partitions, retention_ms };
                Entered::Command(action, Target::Topic(topic.clone()))
            }
            Purpose::SendKey { topic } => {
                let key = Some(self.text.clone()).filter(|key| !key.is_empty());
                Entered::Next(Purpose::SendValue { topic: topic.clone(), key })
            }
            Purpose::SendValue { topic, key } => {
                let record = NewRecord { topic: topic.clone(), key: key.clone(), value: self.text.clone() };
                Entered::Command(Action::Send, Target::Record(record))
            }
        })
    }
}

/// A name that Kafka takes.
fn topic_name(text: &str) -> Result<String, String> {
    let is_legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    match text {
        "" => Err("write a name".into()),
        "." | ".." => Err(format!("`{text}` is no name")),
        _ if text.len() > MOST_NAME => Err(format!("a name has at most {MOST_NAME} characters")),
        _ if text.chars().all(is_legal) => Ok(text.to_owned()),
        _ => Err("a name has letters, digits, . _ - and nothing else".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_kafka_takes() {
        assert_eq!(topic_name("my-topic_1.x").as_deref(), Ok("my-topic_1.x"));
        for text in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(250)] {
            assert!(topic_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_retention_is_a_length_of_time_or_none() {
        let entered = |text: &str| {
            let purpose = Purpose::TopicRetention { topic: "t".into(), partitions: 2 };
            match Input::new(purpose, text).enter(0) {
                Ok(Entered::Command(Action::CreateTopic { retention_ms, .. }, _)) => Ok(retention_ms),
                Ok(_) => panic!("a topic is created"),
                Err(problem) => Err(problem),
            }
        };
        assert_eq!(entered(""), Ok(None));
        assert_eq!(entered("forever"), Ok(Some(-1)));
        assert_eq!(entered("7d"), Ok(Some(604_800_000)));
        assert!(entered("0s").is_err() && entered("soon").is_err());
    }
}

/// The open palette.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Finder {
    pub(crate) typed: String,
    /// The index of the selected entry among those that are found.
    pub(crate) index: usize,
}

/// The most characters that are looked for.
const MOST_FINDER: usize = 60;

impl Finder {
    pub(crate) fn push(&mut self, char: char) {
        if !char.is_control() && self.typed.chars().count() < MOST_FINDER {
            self.typed.push(char);
            self.index = 0;
        }
    }

    pub(crate) fn pop(&mut self) {
        self.typed.pop();
        self.index = 0;
    }

    pub(crate) fn clear(&mut self) {
        *self = Finder::default();
    }
}
