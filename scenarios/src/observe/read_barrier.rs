//! Whether all records from before a moment have been read.
//!
//! A case may be judged when the answers of both lanes have been read. A batch job reports a run on
//! `batch_runs` when the run's answers are in the log. But the report may be read before the
//! answers, on a busy machine by seconds, for each topic is read on its own; and the stream lane
//! may be behind. So the barrier does not wait for a time, it compares offsets:
//!
//! 1. A poll that begins after the report was read tells where every partition ended. All questions
//!    of that run lie before.
//! 2. The first poll by which the stream lane's committed offsets have passed these ends tells
//!    where every partition ends now. All answers lie before.
//! 3. When everything has been read up to there, so have the answers of both lanes.
//!
//! # Simplifications
//! - The barrier has no timeout; its callers have one: [`PATIENCE_MS`](bill::PATIENCE_MS).

use std::collections::VecDeque;

use bill::JobProgress;
use events::Topic;

use super::{ClusterPoll, GroupPoll};

/// Where partitions end.
type Ends = Vec<(Topic, i32, i64)>;

/// The most reports that wait; a newer one contains what an older one reports.
const MAX_REPORTS: usize = 1_000;

/// Reports whose answers may not have been read yet, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct ReadBarrier {
    polls: u64,
    /// Where the partitions ended at the last poll.
    ends: Ends,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    up_to: JobProgress,
    /// How many polls had been answered when the report was read.
    read_at: u64,
    /// Before where its questions lie.
    asked: Option<Ends>,
    /// Before where the answers lie.
    answered: Option<Ends>,
}

/// Whether a group of the stream lane has answered everything before `asked`; one that is not in
/// the ledger has nothing to answer.
fn has_answered(group: &GroupPoll, asked: &Ends, answers: &impl Fn(&str, Topic) -> bool) -> bool {
    let questions = |&&(topic, _, end): &&(Topic, i32, i64)| end > 0 && answers(&group.id, topic);
    asked.iter().filter(questions).all(|&(topic, partition, end)| {
        let here = |(name, n, _): &&(String, i32, i64)| name == topic.name() && *n == partition;
        group.committed.iter().find(here).is_some_and(|&(_, _, offset)| offset >= end)
    })
}

impl ReadBarrier {
    /// Takes the ends of partitions and, from before them, the committed offsets. `answers` tells
    /// whether a group answers the questions of a topic.
    pub(super) fn polled(&mut self, poll: &ClusterPoll, answers: impl Fn(&str, Topic) -> bool) {
        self.polls += 1;
        let end = |log: &super::LogPoll| Some((Topic::named(&log.topic)?, log.partition, log.end));
        self.ends = poll.logs.iter().filter_map(end).collect();
        for Waiting { read_at, asked, answered, .. } in &mut self.waiting {
            // The first poll that is answered may have been asked before.
            if asked.is_none() && self.polls >= *read_at + 2 {
                *asked = Some(self.ends.clone());
            }
            if answered.is_none()
                && let Some(asked) = asked
                && poll.groups.iter().all(|group| has_answered(group, asked, &answers))
            {
                *answered = Some(self.ends.clone());
            }
        }
    }

    /// Takes the progress of the reports that have been read.
    pub(super) fn reported(&mut self, up_to: &JobProgress) {
        if self.waiting.back().is_some_and(|last| last.up_to == *up_to) {
            return;
        }
        let up_to = up_to.clone();
        self.waiting.push_back(Waiting { up_to, read_at: self.polls, asked: None, answered: None });
        if self.waiting.len() > MAX_REPORTS {
            self.waiting.pop_front();
        }
    }

    /// The newest report before which everything has been read; `has_read` tells whether a
    /// partition has been read up to an offset. It stays until there is a newer one.
    pub(super) fn known(&mut self, has_read: impl Fn(Topic, i32, i64) -> bool) -> Option<&JobProgress> {
        let all = |ends: &Ends| ends.iter().all(|&(topic, n, end)| has_read(topic, n, end));
        let newest = self.waiting.iter().rposition(|waiting| waiting.answered.as_ref().is_some_and(all))?;
        self.waiting.drain(..newest);
        self.waiting.front().map(|waiting| &waiting.up_to)
    }

    /// Whether everything has been read that was there at the last poll.
    pub(super) fn has_read_all(&self, has_read: impl Fn(Topic, i32, i64) -> bool) -> bool {
        self.ends.iter().all(|&(topic, partition, end)| has_read(topic, partition, end))
    }
}

#[cfg(test)]
mod tests {
    use events::Timestamp;

    use super::*;
    use crate::observe::LogPoll;

    /// So many swipes and answers of the batch lane are in the log, and the stream lane has
    /// committed `offset`.
    fn poll(swipes: i64, answers: i64, offset: i64) -> ClusterPoll {
        let log = |topic: Topic, end| LogPoll { topic: topic.name().to_owned(), end, ..LogPoll::default() };
        let committed = vec![(Topic::CardSwipes.name().to_owned(), 0, offset)];
        ClusterPoll {
            brokers: vec![(1, "localhost:9092".to_owned())],
            logs: vec![log(Topic::CardSwipes, swipes), log(Topic::FraudBatch, answers)],
            groups: vec![GroupPoll { id: "fraud".to_owned(), committed, ..GroupPoll::default() }],
        }
    }

    fn answers(group: &str, topic: Topic) -> bool {
        (group, topic) == ("fraud", Topic::CardSwipes)
    }

    fn up_to(minute: i64) -> JobProgress {
        JobProgress::from([("batch-fraud".to_owned(), Timestamp::from_ms(minute * 60_000))])
    }

    #[test]
    fn a_report_counts_when_all_has_been_read_that_was_there_with_it() {
        let mut read_barrier = ReadBarrier::default();
        let read = |swipes, answers| {
            move |topic: Topic, _, end| end <= if topic == Topic::CardSwipes { swipes } else { answers }
        };
        read_barrier.polled(&poll(10, 0, 0), answers);
        read_barrier.reported(&up_to(5));
        read_barrier.reported(&up_to(5));
        assert_eq!(read_barrier.known(read(100, 100)), None, "it has not been said what there is to read");
        read_barrier.polled(&poll(10, 0, 10), answers);
        assert_eq!(
            read_barrier.known(read(100, 100)),
            None,
            "that poll was on its way before the report was read"
        );
        read_barrier.polled(&poll(20, 8, 10), answers);
        assert_eq!(read_barrier.known(read(100, 100)), None, "the stream is ten swipes behind");
        read_barrier.polled(&poll(30, 8, 20), answers);
        assert_eq!(read_barrier.known(read(30, 7)), None, "one answer is missing");
        // What comes later does not hold it up.
        read_barrier.polled(&poll(90, 8, 30), answers);
        read_barrier.reported(&up_to(10));
        assert_eq!(read_barrier.known(read(30, 8)), Some(&up_to(5)));
        assert_eq!(read_barrier.known(read(30, 8)), Some(&up_to(5)), "and it stays said");
        read_barrier.polled(&poll(90, 9, 90), answers);
        read_barrier.polled(&poll(95, 9, 95), answers);
        assert_eq!(read_barrier.known(read(90, 9)), Some(&up_to(5)));
        assert!(!read_barrier.has_read_all(read(90, 9)) && read_barrier.has_read_all(read(95, 9)));
        assert_eq!(read_barrier.known(read(95, 9)), Some(&up_to(10)));
    }
}
