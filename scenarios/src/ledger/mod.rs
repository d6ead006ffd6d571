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
//! - Of each partition the newest [`REMEMBERED`] questions are remembered one by one, and the
//!   newest ids of a topic ([`AnswerOnce`]); a second answer to an older question is not seen.

mod audit;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};

use events::Source;
use events::{Event, Topic};
use serde::Serialize;

pub use audit::audit;
pub use rule::{AnswerOnce, AnswerRule, Owed};

/// Questions of a partition that are remembered one by one.
const REMEMBERED: usize = 2_000_000;
/// A header that claims more records than that is not believed.
const MOST_IN_A_BATCH: usize = 100_000;
/// Bookmarks of a partition that wait until the answers before them have been read.
const BOOKMARKS: usize = 1_000;

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

/// What is known of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was not read: retention took it, or it is still to come.
    Unread,
    Waiting,
    Answered,
    DeadLettered,
    Repeated,
    NothingOwed,
}

/// One partition of questions.
#[derive(Debug, Default)]
struct Partition {
    /// The offset of the first of `states`.
    base: i64,
    states: VecDeque<State>,
    /// Those of `states` that wait.
    waiting: BTreeSet<i64>,
    /// One past the newest question that was read or is known to be there.
    end: i64,
    answered: u64,
    dead_lettered: u64,
    repeated: u64,
    nothing_owed: u64,
    doubled: u64,
    /// The group's bookmark, oldest first, each with the end that the answers had when it was seen:
    /// what it has passed was answered before there.
    committed: VecDeque<(i64, i64)>,
    /// Up to where the bookmark has passed with all answers read.
    passed: i64,
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
                open.partition(source.partition).answer(source.offset);
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
            .flat_map(|(&number, partition)| {
                partition.waiting.range(..partition.passed).map(move |&offset| (number, offset))
            })
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
        let state = event.map_or(State::Waiting, |event| match self.rule.owed(event) {
            Owed::Answer => State::Waiting,
            Owed::Nothing => State::NothingOwed,
            Owed::Repeated => State::Repeated,
        });
        self.partition(partition).question(offset, state);
    }
}

impl Partition {
    /// The state of the question at `offset`, if it is remembered.
    fn state(&mut self, offset: i64) -> Option<&mut State> {
        if offset < 0 {
            return None;
        }
        if self.states.is_empty() {
            self.base = offset;
        }
        while offset < self.base && self.states.len() < REMEMBERED {
            self.base -= 1;
            self.states.push_front(State::Unread);
        }
        let place = offset - self.base;
        // A header may name any number: one far beyond what was read is nobody's question.
        if place < 0 || place >= self.states.len() as i64 + REMEMBERED as i64 {
            return None;
        }
        while self.states.len() as i64 <= place {
            self.states.push_back(State::Unread);
        }
        while self.states.len() > REMEMBERED {
            self.states.pop_front();
            self.base += 1;
        }
        let place = usize::try_from(offset - self.base).ok()?;
        self.states.get_mut(place)
    }

    fn question(&mut self, offset: i64, state: State) {
        self.advance(offset + 1);
        let Some(known) = self.state(offset) else { return };
        // Its answer or its dead letter may have been read first.
        if *known != State::Unread {
            return;
        }
        *known = state;
        match state {
            State::Waiting => drop(self.waiting.insert(offset)),
            State::Repeated => self.repeated += 1,
            State::NothingOwed => self.nothing_owed += 1,
            State::Unread | State::Answered | State::DeadLettered => {}
        }
    }

    /// The log is known to go up to `end`: letters about what comes before count from now on.
    fn advance(&mut self, end: i64) {
        let place = |offset: i64| usize::try_from(offset - self.base).unwrap_or(0).min(self.states.len());
        let (from, to) = (place(self.end), place(end));
        if from < to {
            let letters = self.states.range(from..to).filter(|state| **state == State::DeadLettered);
            self.dead_lettered += letters.count() as u64;
        }
        self.end = self.end.max(end);
    }

    fn answer(&mut self, offset: i64) {
        let Some(known) = self.state(offset) else { return };
        let before = std::mem::replace(known, State::Answered);
        self.strike_out(before, offset);
        match before {
            State::Answered => self.doubled += 1,
            State::Unread | State::Waiting | State::DeadLettered | State::Repeated | State::NothingOwed => {
                self.answered += 1;
            }
        }
    }

    fn dead_letter(&mut self, offset: i64) {
        let Some(known) = self.state(offset) else { return };
        if matches!(known, State::Answered | State::DeadLettered) {
            return;
        }
        let before = std::mem::replace(known, State::DeadLettered);
        self.strike_out(before, offset);
        // Anybody may write a letter, about what was never asked too: it counts with its question.
        self.dead_lettered += u64::from(offset < self.end);
    }

    /// The question at `offset` is no longer what it was.
    fn strike_out(&mut self, was: State, offset: i64) {
        match was {
            State::Waiting => drop(self.waiting.remove(&offset)),
            State::Repeated => self.repeated -= 1,
            State::NothingOwed => self.nothing_owed -= 1,
            State::Unread | State::Answered | State::DeadLettered => {}
        }
    }

    fn forget_before(&mut self, offset: i64) {
        let kept = self.waiting.split_off(&offset);
        for forgotten in std::mem::replace(&mut self.waiting, kept) {
            if let Some(state) = self.state(forgotten) {
                *state = State::Unread;
            }
        }
    }

    fn committed(&mut self, offset: i64, answers_end: i64, answers_read: i64) {
        let newest = self.committed.back().map_or(self.passed, |(newest, _)| *newest);
        if offset < newest {
            // A group that was rewound comes to everything anew.
            self.committed.clear();
            self.passed = self.passed.min(offset);
        }
        if offset != newest && self.committed.len() < BOOKMARKS {
            self.committed.push_back((offset, answers_end));
        }
        while self.committed.front().is_some_and(|(_, answers_end)| *answers_end <= answers_read) {
            self.passed = self.committed.pop_front().map_or(self.passed, |(offset, _)| offset);
        }
    }

    /// Adds all but what was passed over, and says how much that is.
    fn add_to(&self, sums: &mut Sums) -> u64 {
        let lost = self.waiting.range(..self.passed).count() as u64;
        let in_flight = self.waiting.len() as u64 - lost;
        let known = self.answered + self.dead_lettered + self.repeated + self.nothing_owed + lost + in_flight;
        // An answer may have been read before its question.
        let produced = (self.end.max(0) as u64).max(known);
        sums.produced += produced;
        sums.answered += self.answered;
        sums.in_flight += in_flight;
        sums.dead_lettered += self.dead_lettered;
        sums.repeated += self.repeated;
        sums.nothing_owed += self.nothing_owed;
        sums.expired += produced - known;
        sums.doubled += self.doubled;
        lost
    }
}
