//! Which questions expect an answer.

use std::fmt::{self, Debug};

use events::Event;
use processor::event_time::DeduplicationWindow;

/// The least number of latest ids kept for each topic, for deduplication: a retry comes within
/// minutes.
const IDS: usize = 50_000;

/// How many answers a question expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this number. With 0, every answer is one too many.
    Answers(u16),
    /// None, as far as the records show. If one comes all the same, it is right.
    Nothing,
    /// None, for the question is a duplicate.
    Repeated,
    /// Unknown, since it depends on deleted records: any number is right.
    Unknown,
}

/// The rule of a pair of topics: how many answers a question expects, and which records of the
/// other topic are answers. The records of a partition come in order.
pub trait AnswerRule: Debug + Send {
    /// How many answers the question at this partition and offset expects.
    fn expected(&mut self, place: (i32, i64), question: &Event) -> Expected;

    /// Whether this record of the topic of answers counts as an answer.
    fn is_answer(&self, _record: &Event) -> bool {
        true
    }

    /// The most answers that any question expects. An answer beyond that is one too many, also when
    /// the question itself was not read yet.
    fn most_answers(&self) -> u16 {
        1
    }
}

/// One answer for each id, however often it is sent; a question without an id is new.
pub struct AnswerOnce {
    id: fn(&Event) -> Option<&String>,
    is_answer: fn(&Event) -> bool,
    ids: DeduplicationWindow,
}

impl AnswerOnce {
    /// The rule before the first question. `id` gives a question's id.
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
    fn expected(&mut self, _place: (i32, i64), question: &Event) -> Expected {
        let repeated = (self.id)(question).is_some_and(|id| self.ids.is_duplicate(id));
        if repeated { Expected::Repeated } else { Expected::Answers(1) }
    }

    fn is_answer(&self, record: &Event) -> bool {
        (self.is_answer)(record)
    }
}
