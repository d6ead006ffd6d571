//! Whether a show that is over still gets anywhere.
//!
//! On a busy machine it may take minutes until the last run of a batch job is out, and a bill
//! without that run lacks its business. So what is waited for has no deadline as long as records
//! and commits come; only a standstill ends it.

use std::time::{Duration, Instant};

use dashboard::Snapshot;

/// How far the show has come: records in all topics, and the sum of all committed offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    records: u64,
    committed: i64,
}

impl Progress {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let partitions = snapshot.groups.data.iter().flat_map(|group| &group.partitions);
        Self {
            records: snapshot.topics.data.iter().filter_map(|topic| topic.total_records).sum(),
            committed: partitions.filter_map(|partition| partition.committed).sum(),
        }
    }
}

/// Since when there has been no progress.
#[derive(Debug)]
pub(super) struct StallTimer {
    limit: Duration,
    last: Option<(Progress, Instant)>,
}

impl StallTimer {
    /// One that takes a standstill of `limit` for the end.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, last: None }
    }

    /// Takes how far the show has come at `now`; says whether it has stood still for too long.
    pub(super) fn has_stalled(&mut self, now: Instant, progress: Progress) -> bool {
        match self.last {
            Some((last, since)) if last == progress => now.duration_since(since) >= self.limit,
            Some(_) | None => {
                self.last = Some((progress, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "an instant to count from; no time passes")]

    use super::*;

    #[test]
    fn a_slow_show_is_waited_for_and_one_that_stands_still_is_not() {
        let (mut timer, start) = (StallTimer::new(Duration::from_mins(2)), Instant::now());
        let at = |minute: u64| start + Duration::from_mins(minute);
        let progress = |records, committed| Progress { records, committed };
        // A record or a commit a minute, for much longer than the limit.
        for minute in 0..10 {
            let done = minute / 2;
            assert!(!timer.has_stalled(at(minute), progress(10 + minute - done, done as i64)), "{minute}");
        }
        assert!(!timer.has_stalled(at(10), progress(15, 4)), "a minute without progress");
        assert!(timer.has_stalled(at(11), progress(15, 4)), "two of them");
        // A topic that is deleted is news, too.
        assert!(!timer.has_stalled(at(12), progress(3, 4)));
    }
}
