//! The ledger: what became of every question.
//!
//! A topic of questions is a numbered list, and every answer carries the number that it answers in
//! a header ([`SOURCE_HEADER`](events::SOURCE_HEADER)). So nobody has to be believed:
//! whoever reads both topics can strike out each question that has its answer, and see what is
//! left.
//!
//! ```text
//! produced = answered + in flight + dead-lettered + expired + repeated + nothing owed + lost
//! ```
//! Some records ask for several answers: the trade that ends a minute ends that of every pair. Such
//! a record counts as so many questions, and one that asks for nothing as one.
//!
//! - *answered*: an answer names this offset;
//! - *in flight*: none does yet, and the group's bookmark has not passed it;
//! - *dead-lettered*: it could not be read, and a dead letter names it;
//! - *expired*: retention took the question, or the place where its answer would be, before anyone
//!   looked;
//! - *repeated*: the network sent the same id twice, and a decision is given once;
//! - *nothing owed*: a car without a rider, or a ping older than its driver's newest;
//! - *lost*: none of these. The bookmark has passed it and nobody answered. It must be 0;
//! - *unanswered*, for positions in place of lost: whether a ping is owed an answer hangs on its
//!   trip (unknown, over, silent for long), which is the consumer's to know. What it left without
//!   one is told, and is no proof of a loss.
//!
//! And *doubled* are answers beyond the first to one question, which must be 0 too. A consumer that
//! is killed between its answer and its commit answers again unless it looks first (see
//! `lanes`); the ledger is how one knows.
//!
//! The ledger is pure: it is told what was read and polled, in any order between topics.
//!
//! # Simplifications
//! - Of each partition the newest [`REMEMBERED`](partition::REMEMBERED) questions are remembered
//!   one by one, and the newest ids of a topic ([`AnswerOnce`]); a second answer to an older
//!   question is not seen.

mod audit;
mod partition;
#[cfg(test)]
mod partition_tests;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use events::Source;
use events::{Event, Topic};
use serde::Serialize;

use partition::Partition;

pub use audit::audit;
pub use rule::{AnswerOnce, AnswerRule, Owed};

/// A header that claims more records than that is not believed.
const MOST_IN_A_BATCH: usize = 100_000;

/// A topic of questions, where they are answered, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionAnswerPair {
    /// Where the questions are.
    pub questions: Topic,
    /// Where their answers are.
    pub answers: Topic,
    /// The consumer group that answers.
    pub group: &'static str,
    /// Whether the topic alone tells which of its records are owed an answer.
    pub every_record_is_answered: bool,
}

/// A topic of questions and who answers them.
#[derive(Debug)]
pub struct Book {
    /// Where the questions and answers are.
    pub pair: QuestionAnswerPair,
    /// Which questions are owed an answer.
    pub rule: fn() -> Box<dyn AnswerRule>,
    /// What questions are while they wait for an answer.
    pub waiting: &'static str,
}

/// The sums of one book.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Questions that were sent.
    pub produced: u64,
    /// Questions that an answer names.
    pub answered: u64,
    /// Questions that the group has still to come to.
    pub in_flight: u64,
    /// Questions that could not be read.
    pub dead_lettered: u64,
    /// Questions that retention took before anyone looked.
    pub expired: u64,
    /// Questions that were sent before.
    pub repeated: u64,
    /// Questions that are owed no answer.
    pub nothing_owed: u64,
    /// Passed over without an answer; unknown where nobody can tell who was owed one.
    pub lost: Option<u64>,
    /// The same where nobody can tell.
    pub unanswered: u64,
    /// Answers beyond the first to one question.
    pub doubled: u64,
}

/// What has been read, and what follows.
#[derive(Debug)]
pub struct Ledger {
    books: Vec<OpenPair>,
}

#[derive(Debug)]
struct OpenPair {
    pair: QuestionAnswerPair,
    partitions: HashMap<i32, Partition>,
    /// Of each partition of answers, how far it has been read.
    answers_read: HashMap<i32, i64>,
    rule: Box<dyn AnswerRule>,
}

impl Ledger {
    /// These books with nothing in them.
    pub fn new<'a>(books: impl IntoIterator<Item = &'a Book>) -> Self {
        let open = |book: &Book| OpenPair {
            pair: book.pair,
            partitions: HashMap::new(),
            answers_read: HashMap::new(),
            rule: (book.rule)(),
        };
        Self { books: books.into_iter().map(open).collect() }
    }

    /// Takes the record at `offset` of a partition of `topic`: its event, unless it can't be read,
    /// and the value of its `source` header.
    pub fn take(
        &mut self,
        (topic, partition, offset): (Topic, i32, i64),
        event: Option<&Event>,
        source: Option<Source>,
    ) {
        if let Some(Event::DeadLetters(letter)) = event {
            let of = Topic::named(&letter.topic);
            if let Some(open) = self.books.iter_mut().find(|open| Some(open.pair.questions) == of) {
                let last = letter.last_offset.unwrap_or(letter.offset);
                for offset in (letter.offset..=last).take(MOST_IN_A_BATCH) {
                    open.partition(letter.partition).dead_letter(offset);
                }
            }
            return;
        }
        for open in &mut self.books {
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
                open.partition(source.partition).answer(source.offset, most);
            }
        }
    }

    /// Nobody can read the records from `first` to `last` in a partition of `topic`. They are
    /// questions all the same, if it has any.
    pub(crate) fn unreadable(&mut self, topic: Topic, partition: i32, first: i64, last: i64) {
        for offset in (first..=last).take(MOST_IN_A_BATCH) {
            self.take((topic, partition, offset), None, None);
        }
    }

    /// The bookmark of `group` in a partition of `topic` was seen at `offset`, and after that its
    /// partition of answers was seen to end at `answers_end`.
    pub fn committed(&mut self, group: &str, topic: Topic, partition: i32, offset: i64, answers_end: i64) {
        let of = |open: &&mut OpenPair| open.pair.questions == topic && open.pair.group == group;
        if let Some(open) = self.books.iter_mut().find(of) {
            let read = open.answers_read.get(&partition).copied().unwrap_or(0);
            open.partition(partition).committed(offset, answers_end, read);
        }
    }

    /// Where a group that answers `topic` sends its answers, if it is in the books.
    pub fn answers_of(&self, group: &str, topic: Topic) -> Option<Topic> {
        let of = |open: &&OpenPair| open.pair.group == group && open.pair.questions == topic;
        self.books.iter().find(of).map(|open| open.pair.answers)
    }

    /// The answers to questions before `offset` may be gone: who reads the answers now can't tell.
    pub fn answers_expired(&mut self, questions: Topic, partition: i32, offset: i64) {
        if let Some(open) = self.books.iter_mut().find(|open| open.pair.questions == questions) {
            open.partition(partition).forget_before(offset);
        }
    }

    /// The sums of every book that has a question.
    pub fn sums(&self) -> Vec<(QuestionAnswerPair, Sums)> {
        self.books
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

    /// Of each book the first few questions that are lost, as `topic/partition/offset`, for someone
    /// who wants to look.
    pub fn lost(&self, book: QuestionAnswerPair, most: usize) -> Vec<String> {
        let open = self.books.iter().filter(|open| open.pair == book);
        let partitions = open.flat_map(|open| &open.partitions);
        let mut lost: Vec<(i32, i64)> = partitions
            .flat_map(|(&number, partition)| partition.lost().map(move |offset| (number, offset)))
            .collect();
        lost.sort_unstable();
        lost.truncate(most);
        lost.iter().map(|(partition, offset)| format!("{}/{partition}/{offset}", book.questions)).collect()
    }
}

impl OpenPair {
    fn partition(&mut self, number: i32) -> &mut Partition {
        self.partitions.entry(number).or_default()
    }

    fn question(&mut self, partition: i32, offset: i64, event: Option<&Event>) {
        // What cannot be read is waited for: its answer is a dead letter.
        let owed = event.map_or(Owed::Answers(1), |event| self.rule.owed((partition, offset), event));
        self.partition(partition).question(offset, owed);
    }
}
