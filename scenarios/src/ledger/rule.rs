//! Which questions are owed an answer.

use std::fmt::{self, Debug};

use events::Event;
use processor::event_time::DeduplicationWindow;

/// How many of the latest ids of a topic are remembered, at least, to know a repeated one.
const IDS: usize = 200_000;

/// What a question is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// So many answers; with none, every answer to it is one too many.
    Answers(u16),
    /// None as far as the topic tells. One that comes all the same is its answer.
    Nothing,
    /// Nothing more: the same id was there before.
    Repeated,
    /// That hangs on records which are gone: whatever comes is its answer.
    Unknown,
}

/// Knows of each record of a topic of questions what it is owed, and of each record of the topic of
/// answers whether it is one. The records of a partition come in their order.
pub trait AnswerRule: Debug + Send {
    /// What this question is owed. It stands in a partition at an offset.
    fn owed(&mut self, place: (i32, i64), question: &Event) -> Owed;

    /// Whether this record of the topic of answers is an answer that a question is owed.
    fn is_answer(&self, _record: &Event) -> bool {
        true
    }

    /// The most answers that any question is owed. What a question gets beyond that is one too
    /// many, also while it has not been read itself.
    fn most_answers(&self) -> u16 {
        1
    }
}

/// Each id is owed one answer, however often it is sent; a question without an id is new.
pub struct AnswerOnce {
    id: fn(&Event) -> Option<&String>,
    is_answer: fn(&Event) -> bool,
    ids: DeduplicationWindow,
}

impl AnswerOnce {
    /// No id has been seen. `id` gives that of a question.
    pub fn new(id: fn(&Event) -> Option<&String>, is_answer: fn(&Event) -> bool) -> Self {
        Self { id, is_answer, ids: DeduplicationWindow::new(IDS) }
    }
}

impl Debug for AnswerOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerOnce").finish_non_exhaustive()
    }
}

impl AnswerRule for AnswerOnce {
    fn owed(&mut self, _place: (i32, i64), question: &Event) -> Owed {
        let repeated = (self.id)(question).is_some_and(|id| self.ids.is_duplicate(id));
        if repeated { Owed::Repeated } else { Owed::Answers(1) }
    }

    fn is_answer(&self, record: &Event) -> bool {
        (self.is_answer)(record)
    }
}
