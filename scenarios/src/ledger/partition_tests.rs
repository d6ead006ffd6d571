//! Records that ask for several answers, read in any order between topics.

use proptest::prelude::*;

use events::Replay;

use super::{Expected, Partition, Sums};

/// The most answers that a question of these tests is owed.
const MOST: u16 = 4;
/// The most that it gets.
const MOST_GIVEN: usize = 6;

/// The sums of a partition whose committed offset has passed every question, which always add up.
fn sums(partition: &Partition) -> Sums {
    let mut sums = Sums::default();
    let lost = partition.add_to(&mut sums);
    sums.lost = Some(lost);
    let Sums { answered, in_flight, dead_lettered, expired, repeated, nothing_owed, .. } = sums;
    let all = answered + in_flight + dead_lettered + expired + repeated + nothing_owed + lost;
    assert_eq!(sums.produced, all, "{sums:?}");
    sums
}

#[test]
fn a_record_that_asks_for_three_answers_is_three_questions() {
    let mut partition = Partition::default();
    partition.question(0, Expected::Answers(3));
    partition.question(1, Expected::Answers(0));
    partition.answer(0, MOST);
    let one = Sums { produced: 4, answered: 1, in_flight: 2, nothing_owed: 1, ..Sums::default() };
    assert_eq!(sums(&partition), Sums { lost: Some(0), ..one });
    partition.committed(2, 0, 0);
    assert_eq!(sums(&partition), Sums { in_flight: 0, lost: Some(2), ..one }, "two never came");
    assert_eq!(partition.lost().collect::<Vec<_>>(), [0]);
    partition.answer(0, MOST);
    partition.answer(0, MOST);
    partition.answer(1, MOST);
    let all = Sums { answered: 3, in_flight: 0, lost: Some(0), doubled: 1, ..one };
    assert_eq!(sums(&partition), all, "the second record asked for nothing, and was answered");
    partition.answer(0, MOST);
    assert_eq!(sums(&partition), Sums { doubled: 2, ..all }, "one more than it asked for");
}

#[test]
fn a_letter_about_a_record_that_is_half_answered_takes_what_is_left() {
    let mut partition = Partition::default();
    partition.question(0, Expected::Answers(3));
    partition.answer(0, MOST);
    partition.dead_letter(0);
    let expected = Sums { produced: 2, answered: 1, dead_lettered: 1, lost: Some(0), ..Sums::default() };
    assert_eq!(sums(&partition), expected);
}

#[test]
fn what_is_forgotten_is_expired_once_however_much_it_asked() {
    let mut partition = Partition::default();
    partition.question(0, Expected::Answers(3));
    partition.question(1, Expected::Answers(2));
    partition.forget_before(1);
    let expected = Sums { produced: 3, expired: 1, in_flight: 2, lost: Some(0), ..Sums::default() };
    assert_eq!(sums(&partition), expected);
}

/// What a record is owed, how many answers it gets, and where each is read: so many questions have
/// been read before.
fn record() -> impl Strategy<Value = (Expected, Vec<usize>)> {
    let owed = prop_oneof![
        6 => (0..=MOST).prop_map(Expected::Answers),
        1 => Just(Expected::Nothing),
        1 => Just(Expected::Repeated),
        1 => Just(Expected::Unknown),
    ];
    (owed, prop::collection::vec(0_usize..12, 0..=MOST_GIVEN))
}

proptest! {
    #[test]
    fn the_sums_are_the_same_in_whatever_order_the_topics_are_read(
        records in prop::collection::vec(record(), 1..10),
    ) {
        let mut partition = Partition::default();
        for now in 0..12 {
            for (offset, (_, answers)) in records.iter().enumerate() {
                for _ in answers.iter().filter(|&&read| read == now) {
                    partition.answer(offset as i64, MOST);
                    sums(&partition);
                }
            }
            if let Some((owed, _)) = records.get(now) {
                partition.question(now as i64, *owed);
                sums(&partition);
            }
        }
        partition.committed(records.len() as i64, 0, 0);
        let mut expected = Sums { lost: Some(0), ..Sums::default() };
        for (owed, answers) in &records {
            let given = answers.len() as u64;
            let most = match owed {
                Expected::Answers(most) => u64::from(*most),
                Expected::Nothing | Expected::Repeated => 1,
                Expected::Unknown => u64::from(MOST),
            };
            let taken = given.min(most);
            expected.answered += taken;
            expected.doubled += given - taken;
            expected.produced += match owed {
                Expected::Unknown => taken.max(1),
                Expected::Answers(_) | Expected::Nothing | Expected::Repeated => most.max(1),
            };
            match owed {
                Expected::Answers(0) => expected.nothing_owed += 1,
                Expected::Answers(_) => expected.lost = expected.lost.map(|lost| lost + most - taken),
                Expected::Nothing => expected.nothing_owed += 1 - taken,
                Expected::Unknown => expected.nothing_owed += u64::from(taken == 0),
                Expected::Repeated => expected.repeated += 1 - taken,
            }
        }
        prop_assert_eq!(sums(&partition), expected);
    }
}

proptest! {
    /// However the questions and the answers of two rounds are read, the sums are those of the
    /// second round alone, and what the first had answered of its questions is replayed. The last
    /// question is answered in both: what comes after the last answer of a round may be skipped.
    #[test]
    fn a_second_round_is_judged_as_if_it_were_the_only_one(
        records in prop::collection::vec((0..=MOST, 0..=MOST_GIVEN, 0..=MOST_GIVEN), 1..10),
        read_before in 0_usize..10,
        from in 0_usize..10,
    ) {
        let records = [records, vec![(1, 1, 1)]].concat();
        let from = from.min(records.len() - 1);
        let mut partition = Partition::default();
        let mut only_one = Partition::default();
        let ask = |partition: &mut Partition, range: std::ops::Range<usize>| {
            for (offset, (owed, ..)) in records.iter().enumerate().take(range.end).skip(range.start) {
                partition.question(offset as i64, Expected::Answers(*owed));
            }
        };
        let read_before = read_before.min(records.len());
        ask(&mut partition, 0..read_before);
        for (offset, (_, first, _)) in records.iter().enumerate() {
            for _ in 0..*first {
                partition.answer(offset as i64, MOST);
                if offset < from {
                    only_one.answer(offset as i64, MOST);
                }
            }
        }
        let before = sums(&partition);
        partition.replay(Replay { from: from as i64, at: 1 });
        let after = sums(&partition);
        prop_assert_eq!(after.answered + after.replayed, before.answered);
        for (offset, (_, _, second)) in records.iter().enumerate().skip(from) {
            for _ in 0..*second {
                partition.answer(offset as i64, MOST);
                only_one.answer(offset as i64, MOST);
            }
        }
        ask(&mut partition, read_before..records.len());
        ask(&mut only_one, 0..records.len());
        partition.committed(records.len() as i64, 2, 2);
        only_one.committed(records.len() as i64, 2, 2);
        let (both, one) = (sums(&partition), sums(&only_one));
        // The doubles of the first round stay its own, and those of early answers show late.
        let in_one = |sums: Sums| Sums { doubled: 0, replayed: 0, ..sums };
        prop_assert_eq!(in_one(both), in_one(one));
        prop_assert!(both.doubled >= one.doubled);
    }
}
