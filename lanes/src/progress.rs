//! What is said while work goes on: to a person in sentences, to a supervisor in fields.
//!
//! Both leave as events of `tracing`. Who runs the lane decides where they go: sentences to
//! standard error, and in a process that is supervised the events of [`SUPERVISOR`] to standard
//! output, a line of JSON each. Their fields are named in `scenarios::supervise::WorkerLine`, which
//! reads them again, and never searches the text of a sentence.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use events::Topic;

use super::WorkerStats;

/// How often progress is reported.
const EVERY: Duration = Duration::from_secs(1);

/// The target of lines that a person wants to see without asking for them.
pub(crate) const PROGRESS: &str = "progress";

/// The target of the sentences about something that is waited for, which a supervisor is told in
/// fields as well.
pub const WAITING: &str = "waiting";

/// The target of what a supervisor is told, in fields; the one called `kind` says what it is.
pub const SUPERVISOR: &str = "supervisor";

/// Tells once a second how far something has come; never of what is done within one.
pub(crate) struct Progress {
    what: String,
    /// How many there are, if that is known.
    of: u64,
    done: u64,
    told: Instant,
}

#[expect(clippy::disallowed_methods, reason = "the edge: progress is reported by wall-clock time")]
impl Progress {
    /// Of `of` records, about which `what` says what is done with them.
    pub(crate) fn new(what: impl Into<String>, of: u64) -> Self {
        Self { what: what.into(), of, done: 0, told: Instant::now() }
    }

    /// One more.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        // Most of the time the clock need not be read.
        if self.done.is_multiple_of(1024) && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let Self { what, of, done, .. } = self;
            tracing::info!(target: PROGRESS, "{what}, {done} of {of} records");
            tracing::info!(target: SUPERVISOR, kind = "progress", what = %what, done, of);
        }
    }
}

/// How many records of each input were read, which the supervisor is told: a commit says it late,
/// and many at once.
#[derive(Default)]
pub(crate) struct ReadCounts(BTreeMap<Topic, ReadCount>);

#[derive(Default)]
struct ReadCount {
    read: u64,
    told: u64,
}

impl ReadCounts {
    /// One record of this input more.
    pub(crate) fn took(&mut self, topic: Topic) {
        self.0.entry(topic).or_default().read += 1;
    }

    /// Tells what has come since it was told last: the stream lane does once a second, a job of the
    /// batch lane when it has read a window.
    pub(crate) fn tell(&mut self) {
        for (topic, count) in self.0.iter_mut().filter(|(_, count)| count.read > count.told) {
            count.told = count.read;
            let (topic, records) = (topic.name(), count.read);
            tracing::info!(target: SUPERVISOR, kind = "read", topic, records);
        }
    }
}

/// Nothing else is done until `what` is there again; it is retried after `retry`.
pub(crate) fn waiting_for(what: &str, because: &dyn Display, retry: Duration) {
    let retry_in_ms = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(target: SUPERVISOR, kind = "waiting_for", what, because = %because, retry_in_ms);
}

/// What was waited for is there: work goes on.
pub(crate) fn resumed() {
    tracing::info!(target: SUPERVISOR, kind = "resumed");
}

/// What a lane has done so far, when a run or the lane has ended.
pub(crate) fn statistics(stats: &WorkerStats) {
    let WorkerStats { records, answers, already_answered, dead_letters, runs, rows, .. } = stats;
    tracing::info!(
        target: SUPERVISOR,
        kind = "statistics",
        records,
        answers,
        already_answered,
        dead_letters,
        runs,
        rows
    );
}
