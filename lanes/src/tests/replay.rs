//! A group whose offsets are reset: it answers again, in a round that every answer names.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use client::TopicPartition;
use events::{REPLAY_HEADER, Replay, SOURCE_HEADER, Source, Topic};

use super::*;

impl World {
    /// How often each question was answered in each round: of each partition, the rounds in order.
    fn rounds(&self) -> BTreeMap<(i32, Option<i64>), BTreeMap<i64, usize>> {
        let mut reader = self.reader(Topic::FraudDecisions);
        let mut rounds: BTreeMap<_, BTreeMap<i64, usize>> = BTreeMap::new();
        while !reader.is_finished() {
            let Some(record) = reader.next(TIMEOUT).unwrap() else { continue };
            let source = record.header(SOURCE_HEADER).and_then(Source::parse).expect("what it answers");
            let replay = record.header(REPLAY_HEADER).map(|header| Replay::parse(header).expect("ours"));
            if let Some(Replay { from, at }) = replay {
                assert!(
                    from <= source.offset && at <= record.offset(),
                    "{source} at {} of {from}@{at}",
                    record.offset()
                );
            }
            let round = (source.partition, replay.map(|replay| replay.at));
            *rounds.entry(round).or_default().entry(source.offset).or_default() += 1;
        }
        rounds
    }

    fn send_back(&self, to: i64) {
        let topics = [Topic::CardSwipes, Topic::Chargebacks];
        let partition = |topic: Topic, to| {
            (0..PARTITIONS).map(move |number| (TopicPartition::new(topic.name(), number), to))
        };
        let [swipes, chargebacks] = topics;
        let all: Vec<_> = partition(swipes, to).chain(partition(chargebacks, 0)).collect();
        self.admin.reset("toy", &all).unwrap();
    }
}

#[test]
fn a_group_that_was_reset_answers_each_question_once_more_and_says_so() {
    let world = World::new();
    world.swipes(0, 400);
    let first = world.worker("first");
    world.wait_for_answers(400);
    first.stop().unwrap();
    let before = world.rounds();
    let asked: Vec<_> = before.values().cloned().collect();
    assert!(before.keys().all(|(_, at)| at.is_none()), "the first round needs no name: {before:?}");

    // The round survives the workers that answer in it.
    world.send_back(0);
    let dies_at: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(150)));
    let mut mortal = world.worker_with("mortal", move || Box::new(Mortal { toy: Toy::default(), dies_at }));
    assert!(mortal.thread.take().unwrap().join().is_err());
    let last = world.worker("last");
    world.wait_for_answers(800);
    last.stop().unwrap();
    let rounds = world.rounds();
    assert_eq!(rounds.len(), 2 * before.len(), "{rounds:?}");
    let second = rounds.iter().filter(|((_, at), _)| at.is_some());
    let second: Vec<_> = second.map(|((partition, at), answers)| (*partition, *at, answers)).collect();
    for ((partition, at, answers), asked) in second.into_iter().zip(&asked) {
        assert_eq!(answers, asked, "partition {partition}: each question once more");
        let of_first = before[&(partition, None)].values().sum::<usize>() as i64;
        assert_eq!(at, Some(of_first), "it began where the answers ended");
    }

    // Another one, from the fifth question of each partition.
    world.send_back(5);
    let third = world.worker("third");
    let expected = 800 + asked.iter().map(|asked| asked.len() as i64 - 5).sum::<i64>();
    world.wait_for_answers(expected);
    third.stop().unwrap();
    let rounds = world.rounds();
    assert_eq!(rounds.len(), 3 * before.len(), "{rounds:?}");
    assert!(rounds.values().flat_map(|answers| answers.values()).all(|count| *count == 1));
    assert_eq!(world.count(Topic::FraudDecisions), expected);
}
