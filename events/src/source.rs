//! Which record an answer answers: the header that every answer carries.
//!
//! A reader of questions and answers, who knows neither who asked nor who answered, can hold
//! one against the other by it. It is part of the contract, as the values are.

use std::fmt;

use crate::Topic;

/// The header that says what an answer answers.
pub const SOURCE_HEADER: &str = "source";

/// The header of answers that a group gives since its offsets were reset: a [`Replay`].
pub const REPLAY_HEADER: &str = "replay";

/// Which run of the batch lane published an answer with this `source` header,
/// `batch-fraud-2026-03-03T11/3`: the run and the partition of its questions. None when it isn't
/// one of ours.
pub fn run_of(header: &[u8]) -> Option<&str> {
    let (run, partition) = std::str::from_utf8(header).ok()?.rsplit_once('/')?;
    partition.parse::<i32>().is_ok().then_some(run)
}

/// The place of a record: `card_swipes/3/1234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its topic.
    pub topic: Topic,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl Source {
    /// Reads the value of a `source` header; none when it isn't one of ours.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(header).ok()?.split('/');
        let source = Self {
            topic: Topic::named(words.next()?)?,
            partition: words.next()?.parse().ok()?,
            offset: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// Since when a group answers again: its offset was reset, as `7@900`. Answers with this header
/// and those without are two rounds, and each question has its answer in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Replay {
    /// The first question that it reads again.
    pub from: i64,
    /// Where its answers' partition ended then: later rounds begin later.
    pub at: i64,
}

impl Replay {
    /// Reads the value of a `replay` header; none when it isn't one of ours.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let (from, at) = std::str::from_utf8(header).ok()?.split_once('@')?;
        Some(Self { from: from.parse().ok()?, at: at.parse().ok()? })
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.from, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_read_as_it_was_written() {
        let replay = Replay { from: 7, at: 900 };
        assert_eq!(Replay::parse(replay.to_string().as_bytes()), Some(replay));
        for header in ["", "7", "@", "7@", "@900", "7@900@1", "x@900"] {
            assert_eq!(Replay::parse(header.as_bytes()), None, "{header}");
        }
        assert_eq!(Replay::parse(&[0xff]), None);
    }

    #[test]
    fn a_source_is_read_as_it_was_written() {
        let source = Source { topic: Topic::CardSwipes, partition: 3, offset: 1234 };
        assert_eq!(source.to_string(), "card_swipes/3/1234");
        assert_eq!(Source::parse(b"card_swipes/3/1234"), Some(source));
        for header in
            ["", "card_swipes", "card_swipes/3", "card_swipes/3/x", "other/3/1", "card_swipes/3/1/2"]
        {
            assert_eq!(Source::parse(header.as_bytes()), None, "{header}");
        }
        assert_eq!(Source::parse(&[0xff]), None);
    }
}
