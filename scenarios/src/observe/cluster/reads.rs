//! What our workers say that they have read.
//!
//! A committed offset moves once a second or once an hour, by all that was read since: as a rate it
//! stands at nothing and then jumps. So our workers count what they read, and say it in their lines
//! to the supervisor: those of the stream lane once a second, a job of the batch lane when it has
//! read a window. A job reads an hour's records within a second, so its rate is spread over the
//! time from run to run, and known from the second run on. Groups that are not ours say nothing;
//! there the committed offsets are all that is known.

use std::collections::HashMap;

use bill::Lane;

use super::course::Growth;
use crate::businesses::lane_of_group;

/// A worker of the stream lane that has said nothing for so long, in milliseconds of wall-clock
/// time, reads nothing: a line comes once a second while records do.
const SILENT_MS: i64 = 2_500;

/// What each worker has read of each topic, by the names of both.
#[derive(Debug, Default)]
pub(super) struct Reads(HashMap<(String, String), WorkerReads>);

#[derive(Debug, Default)]
struct WorkerReads {
    /// The worker's group.
    group: String,
    /// Whether that is a job of the batch lane.
    is_job: bool,
    /// What it said last: since it was started.
    said: u64,
    /// Since the first of its name was started.
    total: Growth,
}

impl Reads {
    /// A worker of this group has read so many records of the topic since it was started; fewer
    /// than before: it was started again.
    pub(super) fn take(&mut self, now_ms: i64, worker: &str, group: &str, topic: &str, records: u64) {
        let its = self.0.entry((worker.to_owned(), topic.to_owned())).or_default();
        group.clone_into(&mut its.group);
        its.is_job = lane_of_group(group) == Some(Lane::Batch);
        let more = records.checked_sub(its.said).unwrap_or(records);
        its.said = records;
        let before = its.total.last();
        let is_silent = || its.total.pushed_at().is_some_and(|at| now_ms - at > SILENT_MS);
        if !its.is_job && (before.is_none() || is_silent()) {
            // It has read since the last line, and not since it was silent.
            its.total.push(now_ms - 1_000, before.unwrap_or(0));
        }
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        its.total.push(now_ms, before.unwrap_or(0).saturating_add(more));
    }

    /// Records of a topic that are read a second, all workers together; none if no one says so.
    pub(super) fn per_second(&self, topic: &str, now_ms: i64) -> Option<f64> {
        let its = self.0.iter().filter(|((_, of), _)| of == topic);
        let rates = its.map(|(_, reads)| match reads.total.pushed_at() {
            _ if reads.is_job => reads.total.per_second_of_steps(now_ms).unwrap_or(0.0),
            Some(at) if now_ms - at <= SILENT_MS => reads.total.per_second().unwrap_or(0.0),
            Some(_) | None => 0.0,
        });
        rates.reduce(|all, rate| all + rate)
    }

    /// Whether a worker of this group says what it reads of the topic.
    pub(super) fn says(&self, group: &str, topic: &str) -> bool {
        self.0.iter().any(|((_, of), reads)| of == topic && reads.group == group)
    }
}
