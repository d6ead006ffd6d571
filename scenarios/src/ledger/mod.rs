//! The ledger: what became of every question.
//!
//! A partition of questions is a numbered list, and every answer names the number of its question
//! in a header ([`SOURCE_HEADER`]). So the two topics alone prove whether
//! each question has its answer: the ledger crosses off the answered ones and classifies the rest.
//!
//! ```text
//! produced = answered + in flight + dead-lettered + expired + duplicates + none expected + lost
//! ```
//! Some records ask for several answers: the trade that ends a minute ends that minute for every
//! pair. Such a record counts as that many questions, and a record that asks for nothing as one.
//!
//! - *answered*: an answer names this offset;
//! - *in flight*: no answer names it yet, and the group's committed offset has not passed it;
//! - *dead-lettered*: it is invalid input, and a dead letter names it;
//! - *expired*: retention deleted the question, or the segment of its answer, before the ledger
//!   read it;
//! - *duplicates*: events with an id that was answered already;
//! - *none expected*: no answer is expected: a car without a rider, or a ping older than its
//!   driver's newest;
//! - *lost*: none of these. The committed offset has passed it and no answer names it. It must be
//!   0;
//! - *not judged*, for positions in place of lost: whether a ping expects an answer depends on its
//!   trip (unknown, over, silent for long), which only the consumer knows. Such pings are counted,
//!   and prove no loss.
//!
//! A group whose committed offset is reset answers again. That is no fault, and each of these
//! rounds is judged by itself: answers of a later one say so in a header
//! ([`REPLAY_HEADER`]), and from the first of them on its questions are asked
//! again. What earlier rounds had answered of them counts as *replayed*. What a further reset skips
//! keeps the answer of the round before.
//!
//! *Doubled* are answers beyond the expected number, which must be 0 too. A consumer that is killed
//! between its answer and its commit answers the question a second time, unless it first reads
//! which answers exist (see `lanes`); the ledger detects both failures.
//!
//! The ledger does no input or output: its caller hands it records and offsets, in any order
//! between topics.
//!
//! # Simplifications
//! - Of each partition the newest [`REMEMBERED`](partition::REMEMBERED) questions are kept one by
//!   one, and of each topic the newest ids ([`AnswerOnce`]); a second answer to an older question
//!   is not detected.

mod audit;
mod partition;
#[cfg(test)]
mod partition_tests;
mod rule;
mod states;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use events::{Event, REPLAY_HEADER, Replay, SOURCE_HEADER, Source, Topic};
use serde::Serialize;

use partition::Partition;

pub use audit::{AuditProgress, audit};
pub use rule::{AnswerOnce, AnswerRule, Expected};

/// A dead letter may claim at most so many records: the claim comes from outside.
const MOST_IN_A_BATCH: usize = 100_000;

/// A topic of questions, the topic of their answers, and the group that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionAnswerPair {
    /// The topic of questions.
    pub questions: Topic,
    /// The topic of answers.
    pub answers: Topic,
    /// The consumer group that answers.
    pub group: &'static str,
    /// Whether the records alone show which of them expect an answer.
    pub every_record_is_answered: bool,
}

/// What the ledger has to know to audit one topic of questions.
#[derive(Debug)]
pub struct LedgerEntry {
    /// The topics of questions and answers.
    pub pair: QuestionAnswerPair,
    /// Which questions expect an answer.
    pub rule: fn() -> Box<dyn AnswerRule>,
    /// What unanswered questions are called.
    pub waiting: &'static str,
}

/// The sums of one pair of topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Questions that were sent.
    pub produced: u64,
    /// Questions that an answer names.
    pub answered: u64,
    /// Questions past the committed offset without an answer.
    pub in_flight: u64,
    /// Questions that are invalid input.
    pub dead_lettered: u64,
    /// Questions that retention deleted before the ledger read them.
    pub expired: u64,
    /// Duplicate questions.
    pub repeated: u64,
    /// Questions that expect no answer.
    pub nothing_owed: u64,
    /// Questions before the committed offset without an answer; none where the records alone do
    /// not show which questions expect one.
    pub lost: Option<u64>,
    /// The same count where the records alone do not show it.
    pub unanswered: u64,
    /// Answers beyond the expected number.
    pub doubled: u64,
    /// Answers that were given once more, after the group's offset was reset; those of the last
    /// round count as answered.
    pub replayed: u64,
}

/// What the headers of a record say that answers another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers {
    /// The record that it answers.
    pub source: Option<Source>,
    /// Since when the group answers again, if its offset was reset.
    pub replay: Option<Replay>,
}

impl Headers {
    /// Reads the headers of a record, where `value` gives the value of one by its name.
    pub fn read<'a>(value: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        Self {
            source: value(SOURCE_HEADER).and_then(Source::parse),
            replay: value(REPLAY_HEADER).and_then(Replay::parse),
        }
    }
}

/// The state of every question, from the records and offsets that were read.
#[derive(Debug)]
pub struct Ledger {
    pairs: Vec<OpenPair>,
}

#[derive(Debug)]
struct OpenPair {
    pair: QuestionAnswerPair,
    partitions: HashMap<i32, Partition>,
    /// For each partition of answers, the next offset to read.
    answers_read: HashMap<i32, i64>,
    rule: Box<dyn AnswerRule>,
}

impl Ledger {
    /// A ledger of these topics, with nothing read.
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Self {
        let open = |entry: &LedgerEntry| OpenPair {
            pair: entry.pair,
            partitions: HashMap::new(),
            answers_read: HashMap::new(),
            rule: (entry.rule)(),
        };
        Self { pairs: entries.into_iter().map(open).collect() }
    }

    /// Takes the record at `offset` of a partition of `topic`: its event, unless it can't be read,
    /// and what its headers say. Tells whether it is an answer that is given once more, which says
    /// nothing new of how soon the question had one.
    pub fn take(
        &mut self,
        (topic, partition, offset): (Topic, i32, i64),
        event: Option<&Event>,
        Headers { source, replay }: Headers,
    ) -> bool {
        if let Some(Event::DeadLetters(letter)) = event {
            let of = Topic::named(&letter.topic);
            // Other consumers read the same questions: their letters say nothing about this one's.
            let is_about = |pair: &QuestionAnswerPair| {
                Some(pair.questions) == of
                    && letter.consumer.as_ref().is_none_or(|consumer| consumer == pair.group)
            };
            if let Some(open) = self.pairs.iter_mut().find(|open| is_about(&open.pair)) {
                let last = letter.last_offset.unwrap_or(letter.offset);
                for offset in (letter.offset..=last).take(MOST_IN_A_BATCH) {
                    open.partition(letter.partition).dead_letter(offset);
                }
            }
            return false;
        }
        let mut is_again = false;
        for open in &mut self.pairs {
            if open.pair.questions == topic {
                open.question(partition, offset, event);
                continue;
            }
            if open.pair.answers != topic {
                continue;
            }
            open.answers_read.insert(partition, offset + 1);
            if let Some(source) = source.filter(|source| source.topic == open.pair.questions)
                && event.is_none_or(|event| open.rule.is_answer(event))
            {
                let most = open.rule.most_answers();
                let questions = open.partition(source.partition);
                // A round begins where its answers' partition ended, so before this answer.
                if let Some(replay) = replay.filter(|replay| replay.at <= offset) {
                    questions.replay(replay);
                }
                is_again |= questions.is_again(source.offset);
                questions.answer(source.offset, most);
            }
        }
        is_again
    }

    /// The questions of a partition are read from `offset` on: what came before is not counted.
    pub fn begin(&mut self, questions: Topic, partition: i32, offset: i64) {
        for open in self.pairs.iter_mut().filter(|open| open.pair.questions == questions) {
            open.partition(partition).begin(offset);
        }
    }

    /// The records from `first` to `last` in a partition of `topic` are unreadable. If the topic
    /// holds questions, they count as such.
    pub(crate) fn unreadable(&mut self, topic: Topic, partition: i32, first: i64, last: i64) {
        for offset in (first..=last).take(MOST_IN_A_BATCH) {
            self.take((topic, partition, offset), None, Headers::default());
        }
    }

    /// `group` has committed `offset` in a partition of `topic`. `answers_end` is the end of the
    /// partition's answers, read after the committed offset.
    pub fn committed(&mut self, group: &str, topic: Topic, partition: i32, offset: i64, answers_end: i64) {
        let of = |open: &&mut OpenPair| open.pair.questions == topic && open.pair.group == group;
        if let Some(open) = self.pairs.iter_mut().find(of) {
            let read = open.answers_read.get(&partition).copied().unwrap_or(0);
            open.partition(partition).committed(offset, answers_end, read);
        }
    }

    /// Up to where the answers to a partition of `questions` have been read.
    fn answers_read(&self, questions: Topic, partition: i32) -> i64 {
        let open = self.pairs.iter().find(|open| open.pair.questions == questions);
        open.and_then(|open| open.answers_read.get(&partition).copied()).unwrap_or(0)
    }

    /// The topic to which `group` answers questions on `topic`, if the ledger has this pair.
    pub fn answers_of(&self, group: &str, topic: Topic) -> Option<Topic> {
        let of = |open: &&OpenPair| open.pair.group == group && open.pair.questions == topic;
        self.pairs.iter().find(of).map(|open| open.pair.answers)
    }

    /// Retention may have deleted the answers to questions before `offset`: their state is unknown.
    pub fn answers_expired(&mut self, questions: Topic, partition: i32, offset: i64) {
        if let Some(open) = self.pairs.iter_mut().find(|open| open.pair.questions == questions) {
            open.partition(partition).forget_before(offset);
        }
    }

    /// The sums of every pair that has a question.
    pub fn sums(&self) -> Vec<(QuestionAnswerPair, Sums)> {
        self.pairs
            .iter()
            .map(|open| {
                let mut sums = Sums::default();
                let passed_over = open.partitions.values().map(|partition| partition.add_to(&mut sums)).sum();
                if open.pair.every_record_is_answered {
                    sums.lost = Some(passed_over);
                } else {
                    sums.unanswered = passed_over;
                }
                (open.pair, sums)
            })
            .filter(|(_, sums)| sums.produced > 0)
            .collect()
    }

    /// The first `most` lost questions of a pair, as `topic/partition/offset`.
    pub fn lost(&self, pair: QuestionAnswerPair, most: usize) -> Vec<String> {
        let open = self.pairs.iter().filter(|open| open.pair == pair);
        let partitions = open.flat_map(|open| &open.partitions);
        let mut lost: Vec<(i32, i64)> = partitions
            .flat_map(|(&number, partition)| partition.lost().map(move |offset| (number, offset)))
            .collect();
        lost.sort_unstable();
        lost.truncate(most);
        lost.iter().map(|(partition, offset)| format!("{}/{partition}/{offset}", pair.questions)).collect()
    }
}

impl OpenPair {
    fn partition(&mut self, number: i32) -> &mut Partition {
        self.partitions.entry(number).or_default()
    }

    fn question(&mut self, partition: i32, offset: i64, event: Option<&Event>) {
        // Invalid input expects one answer: its dead letter.
        let expected =
            event.map_or(Expected::Answers(1), |event| self.rule.expected((partition, offset), event));
        self.partition(partition).question(offset, expected);
    }
}
