//! One partition's worth of a consumer: a processor, the order of its inputs, and what it has
//! answered.
//!
//! Nothing here knows a broker or a clock: records are pushed in, answers come out.

use std::collections::{BTreeMap, BTreeSet};

use events::{Event, Topic};

use super::arrival::Arrival;
use super::commit_metadata::{CommitMetadata, PartitionId, ReplayStart};
use super::merge::{Merge, Next};
use super::published_answers::{AnswerCounts, PublishedAnswers};
use processor::Processor;

/// A processor with its place in partition `partition` of each input.
pub(crate) struct Task {
    pub(crate) partition: i32,
    processor: Box<dyn Processor>,
    inputs: Vec<TaskInput>,
    merge: Merge<Arrival>,
    answered: PublishedAnswers,
    /// How much of the broadcast inputs the processor has been given.
    pub(crate) broadcast_seen: u64,
    /// See [`CommitMetadata::answers_from`].
    pub(crate) answers_from: BTreeMap<PartitionId, i64>,
    /// See [`CommitMetadata::replay`].
    pub(crate) replay: Option<ReplayStart>,
}

struct TaskInput {
    topic: Topic,
    /// The next offset to process: what is committed.
    position: i64,
    /// The next offset to be handed to us.
    fetched: i64,
    /// At this instant of the wall clock it was seen to end at this offset.
    end: Option<(i64, i64)>,
}

/// Offsets of an input that were passed over: from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) topic: Topic,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What became of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Answers that were there already, and so were left out.
    pub(crate) already_answered: u64,
    /// What an earlier life gave to this record and this one did not.
    pub(crate) given: AnswerCounts,
}

impl Task {
    /// `processor` has seen everything before `positions`, and gave the answers in `answered` to
    /// some of what follows.
    pub(crate) fn new(
        partition: i32,
        processor: Box<dyn Processor>,
        positions: &[(Topic, i64)],
        answered: PublishedAnswers,
        answers_from: BTreeMap<PartitionId, i64>,
    ) -> Self {
        let topics: BTreeSet<Topic> = positions.iter().map(|(topic, _)| *topic).collect();
        assert_eq!(topics.len(), positions.len(), "an input stands twice in {positions:?}");
        let input = |&(topic, position)| TaskInput { topic, position, fetched: position, end: None };
        Self {
            partition,
            processor,
            inputs: positions.iter().map(input).collect(),
            merge: Merge::new(positions.len()),
            answered,
            broadcast_seen: 0,
            answers_from,
            replay: None,
        }
    }

    /// Brings the next record of each input that has none here, as far as `next` finds one. One of
    /// each is enough to know whose turn it is; whatever else has arrived stays where it is, and
    /// what that may be is bounded there.
    ///
    /// Returns what was passed over on the way: `next` has no such records.
    pub(crate) fn feed<E>(
        &mut self,
        mut next: impl FnMut(Topic) -> Result<Option<Arrival>, E>,
    ) -> Result<Vec<Gap>, E> {
        let mut gaps = Vec::new();
        for index in 0..self.inputs.len() {
            while self.merge.is_silent(index) {
                let Some(arrival) = next(self.inputs[index].topic)? else { break };
                gaps.extend(self.push(index, arrival));
            }
        }
        Ok(gaps)
    }

    /// Takes a record in. One that was taken in before (a client may fetch again what it fetched)
    /// changes nothing.
    fn push(&mut self, index: usize, arrival: Arrival) -> Option<Gap> {
        let input = &mut self.inputs[index];
        if arrival.offset < input.fetched {
            return None;
        }
        let gap = Gap { topic: input.topic, from: input.fetched, to: arrival.offset };
        input.fetched = arrival.last_offset + 1;
        self.merge.push(index, arrival.timestamp_ms, arrival);
        self.note_drained(index);
        Some(gap).filter(|gap| gap.from < gap.to)
    }

    /// The next record to process, in the order of the inputs.
    pub(crate) fn next(&mut self, now_ms: i64) -> Next<Arrival> {
        self.merge.next(now_ms)
    }

    /// The silent inputs of which it is unknown where they ended when the record that waits was
    /// sent, or later. Of the others it is enough to wait until they are read so far: however many
    /// records are late, each input is asked for its end once a second.
    pub(crate) fn unknown_ends(&self, waiting_since_ms: i64) -> Vec<Topic> {
        let known = |index: &usize| {
            let seen = self.inputs[*index].end.map_or(i64::MIN, |(_, seen_at)| seen_at);
            seen.max(self.merge.drained_at(*index)) >= waiting_since_ms
        };
        self.merge.silent().filter(|index| !known(index)).map(|index| self.inputs[index].topic).collect()
    }

    /// `topic` was seen at the instant `wall_ms` to end at the offset `end`.
    pub(crate) fn ends(&mut self, topic: Topic, end: i64, wall_ms: i64) {
        for index in 0..self.inputs.len() {
            if self.inputs[index].topic == topic {
                self.inputs[index].end = Some((end, wall_ms));
                self.note_drained(index);
            }
        }
    }

    /// Once an input has been read up to where it was seen to end, nothing of before is missing.
    fn note_drained(&mut self, index: usize) {
        let input = &self.inputs[index];
        if let Some((end, seen_at)) = input.end
            && input.fetched >= end
        {
            self.merge.drained(index, seen_at);
        }
    }

    /// Waiting for other inputs has taken too long.
    pub(crate) fn give_up_waiting(&mut self, wall_ms: i64) {
        let silent: Vec<_> = self.merge.silent().collect();
        for index in silent {
            self.merge.drained(index, wall_ms);
        }
    }

    /// Processes a record that [`next`](Self::next) gave, and appends the answers that are still
    /// owed to it. It does not count as answered before [`answered`](Self::answered) says so.
    pub(crate) fn process(&mut self, arrival: Arrival, answers: &mut Vec<Event>) -> Outcome {
        let (of, here) = (arrival.partition, self.partition);
        assert_eq!(of, here, "a record of partition {of} came to the task of partition {here}");
        let first = answers.len();
        let mut outcome = Outcome::default();
        match arrival.content {
            Ok(event) => self.processor.process(&event, answers),
            Err(letter) => answers.push(Event::DeadLetters(*letter)),
        }
        let mut given = self.answered.take(arrival.topic, arrival.offset);
        let mut index = 0;
        answers.retain(|answer| {
            index += 1;
            let there = index > first && given.has_next(answer.topic());
            outcome.already_answered += u64::from(there);
            !there
        });
        outcome.given = given;
        outcome
    }

    /// All answers to the record at `offset` of `topic` have been handed over: once they are
    /// acknowledged, it may be committed past.
    pub(crate) fn answered(&mut self, topic: Topic, offset: i64) {
        let input = self.inputs.iter_mut().find(|input| input.topic == topic);
        let input = input.unwrap_or_else(|| panic!("{topic} is no input of the task, and was answered"));
        let position = input.position;
        assert!(offset >= position, "{topic}@{offset} was answered, and the task stands at {position}");
        input.position = offset + 1;
    }

    /// Gives the processor a value of a broadcast table: it is no question, and not answered.
    pub(crate) fn learn_broadcast(&mut self, event: &Event) {
        self.processor.learn(event);
    }

    /// What the processor noticed.
    pub(crate) fn counters(&self) -> Vec<(&'static str, u64)> {
        self.processor.counters()
    }

    /// Where it stands in each input: the next offset to process.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (Topic, i64)> {
        self.inputs.iter().map(|input| (input.topic, input.position))
    }

    /// The text to commit along with [`positions`](Self::positions), when every answer so far has
    /// been acknowledged and the answers on each partition then ended at `end`. No metadata moves
    /// while an answer of an earlier life is unmet: the next life must find it again. Should
    /// retention take its question, metadata move in the next life, which begins behind it.
    pub(crate) fn commit_metadata(&mut self, end: impl Fn(PartitionId) -> Option<i64>) -> CommitMetadata {
        let settled = self.answered.is_empty();
        for (place, from) in self.answers_from.iter_mut().filter(|_| settled) {
            *from = end(*place).unwrap_or(*from).max(*from);
        }
        let (answers_from, replay) = (self.answers_from.clone(), self.replay.clone());
        CommitMetadata { answers_from, replay, ..CommitMetadata::default() }
    }

    /// Drops what was taken in but not processed: the partition's next owner reads it again.
    pub(crate) fn forget_unprocessed(&mut self) {
        self.merge.clear();
        for input in &mut self.inputs {
            input.fetched = input.position;
            input.end = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{Toy, swipe};
    use super::*;

    fn arrival(offset: i64) -> Arrival {
        let event = swipe(&format!("s{offset}"), "c1", 100);
        Arrival {
            topic: Topic::CardSwipes,
            partition: 0,
            offset,
            last_offset: offset,
            timestamp_ms: offset,
            content: Ok(event),
            bytes: None,
        }
    }

    /// Hands the task these records and lets it process what it takes.
    fn run(task: &mut Task, offsets: &[i64]) -> (Vec<String>, u64) {
        let (mut answers, mut already) = (Vec::new(), 0);
        let mut offsets = offsets.iter();
        loop {
            task.feed(|_| Ok::<_, ()>(offsets.next().map(|offset| arrival(*offset)))).unwrap();
            let Next::Take(arrival) = task.next(i64::MAX) else { break };
            let (topic, offset) = (arrival.topic, arrival.offset);
            already += task.process(arrival, &mut answers).already_answered;
            task.answered(topic, offset);
        }
        (answers.iter().map(|answer| String::from_utf8(answer.to_json()).unwrap()).collect(), already)
    }

    fn task(position: i64, answered: PublishedAnswers) -> Task {
        Task::new(0, Box::new(Toy::default()), &[(Topic::CardSwipes, position)], answered, BTreeMap::new())
    }

    #[test]
    fn a_record_taken_in_twice_is_processed_once() {
        let mut task = task(5, PublishedAnswers::default());
        assert_eq!(run(&mut task, &[4, 5, 6, 5, 6, 7]).0.len(), 3);
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 8)]);
    }

    #[test]
    fn what_was_processed_and_not_answered_is_not_committed_past() {
        let mut task = task(5, PublishedAnswers::default());
        let mut taken_in = [arrival(5)].into_iter();
        task.feed(|_| Ok::<_, ()>(taken_in.next())).unwrap();
        let Next::Take(arrival) = task.next(i64::MAX) else { panic!("one record waits") };
        task.process(arrival, &mut Vec::new());
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 5)]);
        task.answered(Topic::CardSwipes, 5);
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 6)]);
    }

    #[test]
    fn what_was_answered_before_the_crash_is_not_answered_again() {
        let mut whole = task(0, PublishedAnswers::default());
        let all = run(&mut whole, &[0, 1, 2, 3]).0;

        let mut answered = PublishedAnswers::default();
        answered.note(Topic::CardSwipes, 0, Topic::FraudDecisions);
        answered.note(Topic::CardSwipes, 2, Topic::FraudDecisions);
        let mut again = task(0, answered);
        let (rest, already) = run(&mut again, &[0, 1, 2, 3]);
        assert_eq!(already, 2);
        assert_eq!(rest, [all[1].clone(), all[3].clone()], "and the others are what they would have been");
    }

    #[test]
    fn commit_metadata_never_moves_back() {
        let place = (Topic::FraudDecisions, 0);
        let mut task = task(0, PublishedAnswers::default());
        task.answers_from.insert(place, 10);
        assert_eq!(task.commit_metadata(|_| None).answers_from[&place], 10);
        assert_eq!(task.commit_metadata(|_| Some(7)).answers_from[&place], 10);
        assert_eq!(task.commit_metadata(|_| Some(12)).answers_from[&place], 12);
    }

    /// A fresh record is answered at once. Should an older one of another input come after it, a
    /// later life takes the two in the order of their timestamps: so it may send an answer to the
    /// one while the answer to the other, which is there, has yet to be met.
    #[test]
    fn commit_metadata_stays_before_an_answer_that_has_yet_to_be_met() {
        let place = (Topic::FraudDecisions, 0);
        let mut answered = PublishedAnswers::default();
        answered.note(Topic::Chargebacks, 0, Topic::FraudDecisions);
        let inputs = [(Topic::CardSwipes, 0), (Topic::Chargebacks, 0)];
        let mut task = Task::new(0, Box::new(Toy::default()), &inputs, answered, [(place, 5)].into());
        let mut both = inputs.map(|(topic, offset)| Some(Arrival { topic, ..arrival(offset) }));
        task.feed(|topic| Ok::<_, ()>(both[usize::from(topic == Topic::Chargebacks)].take())).unwrap();
        for (already_answered, metadata) in [(0, 5), (1, 7)] {
            let Next::Take(arrival) = task.next(i64::MAX) else { panic!("a record waits") };
            let (topic, offset) = (arrival.topic, arrival.offset);
            assert_eq!(task.process(arrival, &mut Vec::new()).already_answered, already_answered);
            task.answered(topic, offset);
            task.give_up_waiting(i64::MAX);
            assert_eq!(task.commit_metadata(|_| Some(7)).answers_from[&place], metadata, "after {topic}");
        }
    }

    #[test]
    fn what_was_not_processed_is_read_again() {
        let mut task = task(0, PublishedAnswers::default());
        let mut taken_in = [arrival(0)].into_iter();
        task.feed(|_| Ok::<_, ()>(taken_in.next())).unwrap();
        task.forget_unprocessed();
        assert_eq!(run(&mut task, &[]).0.len(), 0);
        assert_eq!(run(&mut task, &[0]).0.len(), 1);
    }

    #[test]
    fn what_is_passed_over_is_told() {
        let mut task = task(3, PublishedAnswers::default());
        let mut there = [arrival(8)].into_iter();
        let gaps = task.feed(|_| Ok::<_, ()>(there.next())).unwrap();
        assert_eq!(gaps, [Gap { topic: Topic::CardSwipes, from: 3, to: 8 }]);
    }

    /// A minute of three inputs of very different rates, of which the task is a minute behind.
    /// Whatever arrives first: everything comes in its order, no more than a record of each input
    /// is held, and the ends of the inputs are asked for as often as inputs fall silent, not as
    /// often as records come.
    #[test]
    fn a_task_that_is_behind_holds_little_and_asks_little() {
        const NOW: i64 = 1_000_000_000;
        let topics = [Topic::CardSwipes, Topic::Chargebacks, Topic::Trips];
        let logs =
            [1, 250, 20_000].map(|every| (NOW - 60_000..NOW - 2_000).step_by(every).collect::<Vec<_>>());
        let mut task = Task::new(
            0,
            Box::new(Toy::default()),
            &topics.map(|topic| (topic, 0)),
            PublishedAnswers::default(),
            BTreeMap::new(),
        );
        // How much of each log has arrived here, and how much of that was taken in.
        let (mut here, mut taken) = ([0_usize; 3], [0_usize; 3]);
        let (mut times, mut questions, mut most_held) = (Vec::new(), 0, 0);
        loop {
            task.feed(|topic| {
                let input = topics.iter().position(|one| *one == topic).unwrap();
                let offset = taken[input];
                Ok::<_, ()>((offset < here[input]).then(|| {
                    taken[input] += 1;
                    Arrival { topic, timestamp_ms: logs[input][offset], ..arrival(offset as i64) }
                }))
            })
            .unwrap();
            most_held = most_held.max(taken.iter().sum::<usize>() - times.len());
            match task.next(NOW) {
                Next::Take(arrival) => {
                    times.push(arrival.timestamp_ms);
                    task.process(arrival, &mut Vec::new());
                }
                Next::Wait(since) => {
                    let unknown = task.unknown_ends(since);
                    questions += usize::from(!unknown.is_empty());
                    for topic in unknown {
                        let input = topics.iter().position(|one| *one == topic).unwrap();
                        task.ends(topic, logs[input].len() as i64, NOW);
                    }
                    // The fastest input fills its room; the slow ones come late, in small pieces.
                    let came = [5_000, 3, 1];
                    for input in 0..3 {
                        here[input] = (here[input] + came[input]).min(logs[input].len());
                    }
                }
                Next::Empty if here[0] == logs[0].len() => break,
                Next::Empty => here[0] = logs[0].len().min(here[0] + 5_000),
            }
        }
        assert_eq!(times.len(), logs.iter().map(Vec::len).sum::<usize>());
        assert!(times.is_sorted(), "out of their order");
        assert!(most_held <= topics.len(), "{most_held} records were held");
        assert!(questions <= topics.len(), "{questions} questions for {} records", times.len());
    }
}
