//! What a commit remembers besides its offset.
//!
//! Kafka keeps a free text with every committed offset. Ours says where the answers stood at that
//! moment: for every partition that the task answers on, an offset from which all answers to
//! *later* questions lie. The worker that takes over reads from there to the end, and so learns
//! which questions past the committed offset were answered already. Offset and text are written in
//! one step, so they can't disagree.
//!
//! ```text
//! v1 fraud_decisions/3=1234 dead_letters/0=17
//! ```
//!
//! A tool that resets a group's offsets writes another text, or none. The worker that finds it
//! begins a replay: from now on each answer says so in a header, and the text remembers since when.
//!
//! ```text
//! v1 replay:card_swipes=0 replay:fraud_decisions/3=900 fraud_decisions/3=1234 …
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use events::{Replay, Timestamp, Topic};

/// A partition of one of our topics.
pub(crate) type PartitionId = (Topic, i32);

/// Where the answers stood when an offset was committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommitMetadata {
    /// For each partition that answers go to: every answer to a question at or past the committed
    /// offset lies here or later.
    pub(crate) answers_from: BTreeMap<PartitionId, i64>,
    /// For the batch lane: how far the runs have read. None in the stream lane, where the offset
    /// says it all.
    pub(crate) read: Option<RunEnd>,
    /// For the batch lane: how far the run reads that has begun and is not finished. Should it die,
    /// the next life takes exactly the same records.
    pub(crate) plan: Option<RunEnd>,
    /// The start of the window of that run. An older program did not write it down.
    pub(crate) plan_start: Option<Timestamp>,
    /// For the stream lane: since when it answers again, if its offsets were reset.
    pub(crate) replay: Option<ReplayStart>,
}

/// Where a group stood when a worker found its offsets reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplayStart {
    /// The first record of each input that is read again.
    pub(crate) from: BTreeMap<Topic, i64>,
    /// Where each partition of answers ended.
    pub(crate) at: BTreeMap<PartitionId, i64>,
}

impl ReplayStart {
    /// What an answer says of it that goes to `place` and answers a record of `topic`.
    pub(crate) fn header(&self, topic: Topic, place: PartitionId) -> Option<Replay> {
        Some(Replay { from: *self.from.get(&topic)?, at: *self.at.get(&place)? })
    }
}

/// How far a run of the batch lane reads a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunEnd {
    /// The first offset that it does not look at.
    pub(crate) end: i64,
    /// The end of its window: it takes what was before that instant.
    pub(crate) until: Timestamp,
}

impl CommitMetadata {
    /// Reads the text of a commit; none when it isn't one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        if words.next() != Some("v1") {
            return None;
        }
        let mut metadata = Self::default();
        let mut words_of_ours = [None; 5];
        let place = |name: &str| {
            let (topic, partition) = name.rsplit_once('/')?;
            Some((Topic::named(topic)?, partition.parse().ok()?))
        };
        for word in words {
            let (name, number) = word.split_once('=')?;
            let number: i64 = number.parse().ok()?;
            if let Some(name) = name.strip_prefix("replay:") {
                let replay = metadata.replay.get_or_insert_default();
                if name.contains('/') {
                    replay.at.insert(place(name)?, number);
                } else {
                    replay.from.insert(Topic::named(name)?, number);
                }
                continue;
            }
            match name {
                "read" => words_of_ours[0] = Some(number),
                "until" => words_of_ours[1] = Some(number),
                "plan" => words_of_ours[2] = Some(number),
                "plan_until" => words_of_ours[3] = Some(number),
                "plan_from" => words_of_ours[4] = Some(number),
                _ => drop(metadata.answers_from.insert(place(name)?, number)),
            }
        }
        let read = |end: Option<i64>, until: Option<i64>| {
            Some(RunEnd { end: end?, until: Timestamp::from_ms(until?) })
        };
        metadata.read = read(words_of_ours[0], words_of_ours[1]);
        metadata.plan = read(words_of_ours[2], words_of_ours[3]);
        metadata.plan_start = metadata.plan.and(words_of_ours[4]).map(Timestamp::from_ms);
        Some(metadata)
    }
}

impl fmt::Display for CommitMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v1")?;
        if let Some(read) = self.read {
            write!(f, " read={} until={}", read.end, read.until.ms())?;
        }
        if let Some(plan) = self.plan {
            write!(f, " plan={} plan_until={}", plan.end, plan.until.ms())?;
        }
        if let Some(start) = self.plan_start {
            assert!(self.plan.is_some(), "a plan without an end begins at {start}");
            write!(f, " plan_from={}", start.ms())?;
        }
        if let Some(replay) = &self.replay {
            for (topic, from) in &replay.from {
                write!(f, " replay:{topic}={from}")?;
            }
            for ((topic, partition), at) in &replay.at {
                write!(f, " replay:{topic}/{partition}={at}")?;
            }
        }
        for ((topic, partition), offset) in &self.answers_from {
            f.write_char(' ')?;
            write!(f, "{topic}/{partition}={offset}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut metadata = CommitMetadata::default();
        assert_eq!(CommitMetadata::parse(&metadata.to_string()), Some(metadata.clone()));
        metadata.answers_from.insert((Topic::FraudDecisions, 3), 1234);
        metadata.answers_from.insert((Topic::DeadLetters, 0), 17);
        assert_eq!(metadata.to_string(), "v1 fraud_decisions/3=1234 dead_letters/0=17");
        metadata.read = Some(RunEnd { end: 99, until: Timestamp::from_ms(3_600_000) });
        metadata.plan = Some(RunEnd { end: 120, until: Timestamp::from_ms(7_200_000) });
        assert_eq!(CommitMetadata::parse(&metadata.to_string()), Some(metadata.clone()));
        metadata.plan_start = Some(Timestamp::from_ms(3_600_000));
        assert_eq!(CommitMetadata::parse(&metadata.to_string()), Some(metadata.clone()));
        let (from, at) = ([(Topic::CardSwipes, 7)].into(), [((Topic::FraudDecisions, 3), 900)].into());
        metadata.replay = Some(ReplayStart { from, at });
        assert_eq!(CommitMetadata::parse(&metadata.to_string()), Some(metadata));
    }

    #[test]
    fn foreign_text_is_no_metadata() {
        let replays = ["v1 replay:trips", "v1 replay:no_such_topic=1", "v1 replay:trips/x=1"];
        for text in replays.into_iter().chain([
            "",
            "v2 a/0=1",
            "v1 nonsense",
            "v1 trips/0=x",
            "v1 no_such_topic/0=1",
            "{\"v1\":1}",
        ]) {
            assert_eq!(CommitMetadata::parse(text), None, "{text}");
        }
    }
}
