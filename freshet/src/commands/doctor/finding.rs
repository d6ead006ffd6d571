//! One thing that was found.

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// A name for programs, which stays when the words change.
    pub(super) kind: &'static str,
    /// A sentence, without its full stop.
    pub(super) what: String,
    /// A sentence, without its full stop.
    pub(super) remedy: String,
}

pub(super) fn finding(kind: &'static str, what: String, remedy: impl Into<String>) -> Finding {
    Finding { kind, what, remedy: remedy.into() }
}
