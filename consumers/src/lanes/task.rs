//! One partition's worth of a consumer: a processor, the order of its inputs, and what it has
//! answered.
//!
//! Nothing here knows a broker or a clock: records are pushed in, answers come out.

use std::collections::BTreeMap;

use events::{Event, Topic};

use super::answered::{Answered, Given};
use super::arrival::Arrival;
use super::bookmark::{Bookmark, Place};
use super::merge::{Merge, Next};
use crate::Processor;

/// The most records of one task that wait for an earlier one of another input.
const HELD_RECORDS: usize = 20_000;

/// A processor with its place in partition `partition` of each input.
pub(crate) struct Task {
    pub(crate) partition: i32,
    processor: Box<dyn Processor>,
    inputs: Vec<Input>,
    merge: Merge<Arrival>,
    answered: Answered,
    /// How much of the broadcast inputs the processor has been told.
    pub(crate) told: u64,
    /// See [`Bookmark::answers_from`].
    pub(crate) answers_from: BTreeMap<Place, i64>,
}

struct Input {
    topic: Topic,
    /// The next offset to process: what is committed.
    position: i64,
    /// The next offset to be handed to us.
    fetched: i64,
}

/// What became of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Answers that were there already, and so were left out.
    pub(crate) already_answered: u64,
    /// What an earlier life gave to this record and this one did not.
    pub(crate) given: Given,
}

impl Task {
    /// `processor` has seen everything before `positions`, and gave the answers in `answered` to
    /// some of what follows.
    pub(crate) fn new(
        partition: i32,
        processor: Box<dyn Processor>,
        positions: &[(Topic, i64)],
        answered: Answered,
        answers_from: BTreeMap<Place, i64>,
    ) -> Self {
        let input = |&(topic, position)| Input { topic, position, fetched: position };
        Self {
            partition,
            processor,
            inputs: positions.iter().map(input).collect(),
            merge: Merge::new(positions.len(), HELD_RECORDS),
            answered,
            told: 0,
            answers_from,
        }
    }

    /// Takes a record in. One that was taken in before (a client may fetch again what it fetched)
    /// changes nothing.
    pub(crate) fn push(&mut self, arrival: Arrival) {
        let Some(index) = self.inputs.iter().position(|input| input.topic == arrival.topic) else { return };
        let input = &mut self.inputs[index];
        if arrival.offset >= input.fetched {
            input.fetched = arrival.offset + 1;
            self.merge.push(index, arrival.timestamp_ms, arrival);
        }
    }

    /// The next record to process, in the order of the inputs.
    pub(crate) fn next(&mut self, now_ms: i64) -> Next<Arrival> {
        self.merge.next(now_ms)
    }

    /// The inputs that may hold earlier records, with the offsets up to which they have been taken
    /// in.
    pub(crate) fn silent(&self) -> Vec<(Topic, i64)> {
        self.merge.silent().map(|index| (self.inputs[index].topic, self.inputs[index].fetched)).collect()
    }

    /// `topic` was seen at the instant `wall_ms` to end at the offset `end`.
    pub(crate) fn ends(&mut self, topic: Topic, end: i64, wall_ms: i64) {
        for (index, input) in self.inputs.iter().enumerate() {
            if input.topic == topic && input.fetched >= end {
                self.merge.drained(index, wall_ms);
            }
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
        for input in &mut self.inputs {
            if input.topic == topic {
                input.position = offset + 1;
            }
        }
    }

    /// Tells the processor something that everybody is told: it is no question, and nobody is
    /// answered.
    pub(crate) fn tell(&mut self, event: &Event) {
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
    /// been acknowledged and the answers on each partition then ended at `end`.
    pub(crate) fn bookmark(&mut self, end: impl Fn(Place) -> Option<i64>) -> Bookmark {
        for (place, from) in &mut self.answers_from {
            *from = end(*place).unwrap_or(*from).max(*from);
        }
        Bookmark { answers_from: self.answers_from.clone(), ..Bookmark::default() }
    }

    /// Forgets what was taken in but not processed: whoever has the partition next reads it again.
    pub(crate) fn forget_unprocessed(&mut self) {
        self.merge.clear();
        for input in &mut self.inputs {
            input.fetched = input.position;
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
            timestamp_ms: offset,
            content: Ok(event),
            bytes: None,
        }
    }

    fn run(task: &mut Task) -> (Vec<String>, u64) {
        let (mut answers, mut already) = (Vec::new(), 0);
        while let Next::Take(arrival) = task.next(i64::MAX) {
            let (topic, offset) = (arrival.topic, arrival.offset);
            already += task.process(arrival, &mut answers).already_answered;
            task.answered(topic, offset);
        }
        (answers.iter().map(|answer| String::from_utf8(answer.to_json()).unwrap()).collect(), already)
    }

    fn task(position: i64, answered: Answered) -> Task {
        Task::new(0, Box::new(Toy::default()), &[(Topic::CardSwipes, position)], answered, BTreeMap::new())
    }

    #[test]
    fn a_record_taken_in_twice_is_processed_once() {
        let mut task = task(5, Answered::default());
        for offset in [4, 5, 6, 5, 6, 7] {
            task.push(arrival(offset));
        }
        assert_eq!(run(&mut task).0.len(), 3);
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 8)]);
    }

    #[test]
    fn what_was_processed_and_not_answered_is_not_committed_past() {
        let mut task = task(5, Answered::default());
        task.push(arrival(5));
        let Next::Take(arrival) = task.next(i64::MAX) else { panic!("one record waits") };
        task.process(arrival, &mut Vec::new());
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 5)]);
        task.answered(Topic::CardSwipes, 5);
        assert_eq!(task.positions().collect::<Vec<_>>(), [(Topic::CardSwipes, 6)]);
    }

    #[test]
    fn what_was_answered_before_the_crash_is_not_answered_again() {
        let mut whole = task(0, Answered::default());
        (0..4).for_each(|offset| whole.push(arrival(offset)));
        let all = run(&mut whole).0;

        let mut answered = Answered::default();
        answered.note(Topic::CardSwipes, 0, Topic::FraudDecisions);
        answered.note(Topic::CardSwipes, 2, Topic::FraudDecisions);
        let mut again = task(0, answered);
        (0..4).for_each(|offset| again.push(arrival(offset)));
        let (rest, already) = run(&mut again);
        assert_eq!(already, 2);
        assert_eq!(rest, [all[1].clone(), all[3].clone()], "and the others are what they would have been");
    }

    #[test]
    fn a_bookmark_never_moves_back() {
        let place = (Topic::FraudDecisions, 0);
        let mut task = task(0, Answered::default());
        task.answers_from.insert(place, 10);
        assert_eq!(task.bookmark(|_| None).answers_from[&place], 10);
        assert_eq!(task.bookmark(|_| Some(7)).answers_from[&place], 10);
        assert_eq!(task.bookmark(|_| Some(12)).answers_from[&place], 12);
    }

    #[test]
    fn what_was_not_processed_is_read_again() {
        let mut task = task(0, Answered::default());
        task.push(arrival(0));
        task.forget_unprocessed();
        assert_eq!(run(&mut task).0.len(), 0);
        task.push(arrival(0));
        assert_eq!(run(&mut task).0.len(), 1);
    }
}
