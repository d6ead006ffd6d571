//! The log keeps as much as the bound on the show's disk allows. Where the dial asks for a period
//! that is longer than what is kept, the bound is raised: a run must find all of its window. A
//! bound that a person gave stands, and what that means for the runs is said instead.

use client::{Admin, Settings};
use dashboard::{NoticeKind, Severity};
use events::Topic;

use super::ShowController;
use super::errands::{Outcome, PATIENCE, start};
use crate::kept::Kept;
use crate::topics;

/// How much of the log is kept.
pub(super) struct LogBound {
    kept: Kept,
    /// Whether no one has said how much it may take.
    may_grow: bool,
    /// The topics are told of a larger one.
    raising: Option<Outcome>,
}

impl ShowController {
    /// Tells how much of the log is kept, and whether that may become more.
    #[must_use]
    pub fn with_log_bound(mut self, kept: Kept, may_grow: bool) -> Self {
        self.log_bound = Some(LogBound { kept, may_grow, raising: None });
        self
    }

    /// How much of the log is kept now.
    pub fn log_bound(&self) -> Option<&Kept> {
        self.log_bound.as_ref().map(|bound| &bound.kept)
    }

    /// The jobs of the batch lane run every `period_ms` of event time from now on.
    pub(super) fn keep_enough_for(&mut self, period_ms: i64) {
        let settings = self.admin.settings().clone();
        let Some(bound) = self.log_bound.as_mut().filter(|it| period_ms > it.kept.longest_period_ms()) else {
            return;
        };
        if bound.may_grow {
            bound.kept = bound.kept.with_period(period_ms);
            let kept = bound.kept.clone();
            match start(move || raise(&settings, &kept)) {
                Ok(outcome) => bound.raising = Some(outcome),
                Err(error) => self.note(NoticeKind::Note, Severity::Warning, "disk", error),
            }
        } else {
            let text = "the log keeps less than such a period, so a run reads what is left of it: start the show \
                        with more --disk";
            self.note(NoticeKind::Note, Severity::Warning, "disk", text.to_owned());
        }
    }

    /// Says what came of raising the bound.
    pub(super) fn take_raised_bound(&mut self) {
        let raising = self.log_bound.as_ref().and_then(|bound| bound.raising.as_ref());
        let Some(came) = raising.and_then(|outcome| outcome.try_recv().ok()) else { return };
        if let Some(bound) = &mut self.log_bound {
            bound.raising = None;
        }
        let (severity, text) = match came {
            Ok(text) => (Severity::Info, text),
            Err(error) => (Severity::Warning, format!("the log keeps no more than before: {error}")),
        };
        self.note(NoticeKind::Note, severity, "disk", text);
    }
}

fn raise(settings: &Settings, kept: &Kept) -> Result<String, String> {
    let admin = Admin::connect(settings, PATIENCE).map_err(|error| error.to_string())?;
    topics::keep(&admin, Topic::ALL, |topic| kept.retention(topic)).map_err(|error| error.to_string())?;
    let gigabytes = kept.bytes() as f64 / 1e9;
    Ok(format!("such a period needs {gigabytes:.1} GB of disk, so the show may take as much from now on"))
}
