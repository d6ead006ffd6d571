//! A line that is typed at the foot of the screen: what it is for, and what may stand in it.
//!
//! # Simplifications
//! - The cursor is always at the end: what was typed wrong is taken back from there.

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
}

/// The most characters of a line.
const MOST: usize = 200;

impl Input {
    pub(crate) fn new(purpose: Purpose, text: impl Into<String>) -> Self {
        Input { purpose, text: text.into(), problem: None }
    }

    /// What stands before the line.
    pub(crate) fn prompt(&self) -> &'static str {
        match self.purpose {
            Purpose::RecordKey => "key contains: ",
            Purpose::Jump => "go to: ",
        }
    }

    /// What stands behind it while nothing has been typed.
    pub(crate) fn hint(&self) -> &'static str {
        match self.purpose {
            Purpose::RecordKey => "nothing: all keys",
            Purpose::Jump => crate::place::FORMS,
        }
    }

    pub(crate) fn push(&mut self, char: char) {
        if !char.is_control() && self.text.chars().count() < MOST {
            self.text.push(char);
            self.problem = None;
        }
    }

    pub(crate) fn pop(&mut self) {
        self.text.pop();
        self.problem = None;
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.problem = None;
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
