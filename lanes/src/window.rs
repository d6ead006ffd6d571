//! Which records belong to which run of a batch job.
//!
//! A log is ordered by arrival, a window is a stretch of event time, and the two don't agree: when
//! the hour ends, a few records of the next hour are there already, and a few of this one are still
//! on their way. A commit is one offset, so it can't say which records past it were processed. Two
//! more numbers can, for each partition: how far the last run read (`end`) and where its window
//! ended (`until`).
//!
//! ```text
//!   offset:   committed                 end of the last run          end of this run
//!                 |  done . done . . done . |                              |
//!   ts < until    |   x   .  x   . .  x     |   late: this run takes it    |
//!   ts >= until   |       o        o        |   o            o             |
//!
//!   x: taken by the last run   o: this run's, if before its own `until`
//! ```

use std::collections::HashMap;

use events::{BatchedMut, Event, Timestamp};

use super::arrival::Arrival;
use super::commit_metadata::{PartitionId, RunEnd};

/// A stretch of event time: from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Window {
    /// From `start` to before `end`.
    pub(crate) fn new(start: Timestamp, end: Timestamp) -> Self {
        assert!(start < end, "a window from {start} to {end} has no length");
        Self { start, end }
    }

    /// The window to run next, when the last ended at `after` and the oldest record that waits is
    /// of `oldest`. Empty windows are passed over; a record that came too late for its own
    /// window belongs to the next that runs.
    pub(crate) fn next(after: Option<Timestamp>, oldest: Timestamp, period_ms: i64) -> Self {
        assert!(period_ms > 0, "period_ms is {period_ms}: a period has a length");
        let start = oldest.floor(period_ms);
        let start = after.map_or(start, |after| after.max(start));
        // Windows end where periods end, also the first one after the period was changed.
        Self { start, end: start.floor(period_ms).plus_ms(period_ms) }
    }

    /// The period that a run of this window is one of: its own length where windows of that length
    /// begin here, or else `usual`, of which it is a rest.
    pub(crate) fn period_ms(self, usual: i64) -> i64 {
        let length = self.end.since_ms(self.start);
        if self.start.floor(length) == self.start { length } else { usual }
    }

    /// The name of the run of `job` for this window, as fine as it needs to be to be the only one:
    /// `eta-2026-03-03T11`, `eta-2026-03-03T11:15`, `eta-2026-03-03T11:15:10`.
    pub(crate) fn batch_id(self, job: &str) -> String {
        let whole = |unit_ms: i64| self.start.ms() % unit_ms == 0 && self.end.ms() % unit_ms == 0;
        let digits = match () {
            () if whole(events::HOUR_MS) => 13,
            () if whole(60_000) => 16,
            () if whole(1_000) => 19,
            () => 23,
        };
        format!("{job}-{}", &self.start.to_string()[..digits])
    }
}

/// Names on an answer the run of `job` that would have published it, had its log been run once each
/// `period_ms` milliseconds of event time: for a replay, in which no lane runs. An answer about the
/// very instant at which a period ends counts to the run that ends then. Answers that no run gives
/// stay as they are.
pub fn name_run(answer: &mut Event, job: &str, period_ms: i64) {
    assert!(period_ms > 0, "period_ms is {period_ms}: a period has a length");
    let Some(ts) = answer.ts() else { return };
    let Some(BatchedMut { batch_id, valid_from }) = answer.batched_mut() else { return };
    let start = if *valid_from >= ts { valid_from.plus_ms(-period_ms) } else { ts.floor(period_ms) };
    *batch_id = Window { start, end: start.plus_ms(period_ms) }.batch_id(job);
}

/// Which run processes a record, seen from one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// An earlier run processed it.
    Earlier,
    /// This one does.
    This,
    /// It belongs to a later window.
    Later,
}

/// What one run takes of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The run before, if there was one.
    pub(crate) done: Option<RunEnd>,
    /// The end of this run's window.
    pub(crate) until: Timestamp,
}

impl Cut {
    /// Which run the record at `offset` is assigned to. One that can't be read has no time, and is
    /// dealt with by the first run that sees it.
    pub(crate) fn assignment(&self, offset: i64, event: Option<&Event>) -> Assignment {
        let ts = event.and_then(Event::ts);
        let seen = self.done.filter(|done| offset < done.end);
        match (ts, seen) {
            (None, Some(_)) => Assignment::Earlier,
            (Some(ts), Some(done)) if ts < done.until => Assignment::Earlier,
            (Some(ts), _) if ts >= self.until => Assignment::Later,
            _ => Assignment::This,
        }
    }
}

/// What one run takes of every partition that one processor is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts(pub(crate) HashMap<PartitionId, Cut>);

impl Cuts {
    /// Which run a record of one of the partitions is assigned to.
    pub(crate) fn assignment(&self, arrival: &Arrival) -> Assignment {
        let Arrival { topic, partition, .. } = *arrival;
        let cut = self.0.get(&(topic, partition));
        let cut = cut.unwrap_or_else(|| panic!("{topic}/{partition} is read, and not cut for this run"));
        cut.assignment(arrival.offset, arrival.content.as_ref().ok())
    }

    /// The merge order of a record among those at the heads of the partitions: event time. The
    /// records are at rest, so this order is the same for every run, unlike the order in which they
    /// once arrived. A record that is not taken delays none behind it, whatever time it claims.
    pub(crate) fn event_time_order(&self, arrival: &Arrival) -> i64 {
        let ts = arrival.content.as_ref().ok().and_then(Event::ts);
        match (ts, self.assignment(arrival)) {
            (Some(ts), Assignment::Earlier | Assignment::This) => ts.ms(),
            _ => i64::MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{HOUR_MS, Topic};
    use proptest::prelude::*;

    use super::super::toy::swipe;
    use super::*;

    fn at(ms: i64) -> Event {
        let Event::CardSwipes(mut swipe) = swipe("s", "c", 1) else { unreachable!() };
        swipe.ts = Timestamp::from_ms(ms);
        assert_eq!(Event::CardSwipes(swipe.clone()).topic(), Topic::CardSwipes);
        Event::CardSwipes(swipe)
    }

    #[test]
    fn a_run_is_named_by_its_job_and_window() {
        let elevenish: Timestamp = "2026-03-03T11:42:17.250Z".parse().unwrap();
        assert_eq!(Window::next(None, elevenish, HOUR_MS).batch_id("eta"), "eta-2026-03-03T11");
        assert_eq!(Window::next(None, elevenish, 15 * 60_000).batch_id("eta"), "eta-2026-03-03T11:30");
        let noon = elevenish.floor(HOUR_MS).plus_ms(HOUR_MS);
        assert_eq!(
            Window::next(Some(noon), elevenish, HOUR_MS).start,
            noon,
            "late records go into the next run"
        );
        let ten_seconds = Window::next(None, elevenish, 10_000);
        let next = Window::next(Some(ten_seconds.end), ten_seconds.end, 10_000);
        assert_eq!(ten_seconds.batch_id("eta"), "eta-2026-03-03T11:42:10");
        assert_eq!(next.batch_id("eta"), "eta-2026-03-03T11:42:20", "every run has a name of its own");
    }

    #[test]
    fn a_period_that_is_changed_leaves_no_gap_and_no_overlap() {
        let quarter: Timestamp = "2026-03-03T11:15:00Z".parse().unwrap();
        let window = Window::next(Some(quarter), quarter.plus_ms(5), HOUR_MS);
        assert_eq!((window.start, window.end), (quarter, quarter.plus_ms(45 * 60_000)));
    }

    proptest! {
        /// Whatever the disorder and wherever the runs are cut: each record is processed by exactly
        /// one run, and by none before its window.
        #[test]
        fn every_record_is_processed_once(
            jitter in prop::collection::vec(-900_i64..900, 1..200),
            reads in prop::collection::vec(0_usize..40, 1..20),
        ) {
            let records: Vec<_> = jitter.iter().enumerate().map(|(n, jitter)| at((n as i64 * 50 + jitter).max(0))).collect();
            let (mut done, mut from, mut end) = (None, 0_i64, 0_usize);
            let mut processed = vec![0; records.len()];
            let last = [records.len(), records.len()];
            let mut until = Timestamp::from_ms(0);
            for (run, more) in reads.iter().chain(&last).enumerate() {
                end = (end + more).min(records.len());
                // The last run's window holds everything that is left.
                until = if run == reads.len() + 1 { Timestamp::MAX } else { until.plus_ms(1_000) };
                let cut = Cut { done, until };
                let mut first_unprocessed = None;
                for offset in from..end as i64 {
                    let event = &records[offset as usize];
                    match cut.assignment(offset, Some(event)) {
                        Assignment::This => {
                            processed[offset as usize] += 1;
                            prop_assert!(event.ts().unwrap() < until);
                        }
                        Assignment::Later => first_unprocessed = first_unprocessed.or(Some(offset)),
                        Assignment::Earlier => {}
                    }
                }
                from = first_unprocessed.unwrap_or(end as i64);
                done = Some(RunEnd { end: end as i64, until });
            }
            prop_assert!(processed.iter().all(|times| *times == 1), "{processed:?}");
        }
    }
}
