//! The ledger over logs that a student can follow by hand.

use events::{CardSwipe, DeadLetter, Decision, FraudDecision, Timestamp};

use super::*;
use crate::businesses::{self, ledger_entries};

const FRAUD: QuestionAnswerPair = QuestionAnswerPair {
    questions: Topic::CardSwipes,
    answers: Topic::FraudDecisions,
    group: "fraud",
    every_record_is_answered: true,
};

/// A ledger of all businesses, with nothing read.
fn new_ledger() -> Ledger {
    Ledger::new(ledger_entries(businesses::ALL))
}

fn swipe(id: &str) -> Event {
    CardSwipe {
        ts: Timestamp::from_ms(0),
        swipe_id: id.to_owned(),
        card_id: "c".into(),
        terminal_id: "t".into(),
        amount_cents: 100,
        currency: None,
        category: None,
        lat: None,
        lon: None,
    }
    .into()
}

fn decision(id: &str) -> Event {
    FraudDecision {
        ts: Timestamp::from_ms(0),
        swipe_id: id.to_owned(),
        card_id: "c".into(),
        decision: Decision::Approve,
        probability: 0.0,
        reasons: Vec::new(),
        scored_in_us: None,
    }
    .into()
}

/// Nothing, and nothing lost.
fn none() -> Sums {
    Sums { lost: Some(0), ..Sums::default() }
}

/// Asked from `offsets`, ids being the offsets.
fn asked(ledger: &mut Ledger, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        ledger.take((Topic::CardSwipes, 0, offset), Some(&swipe(&offset.to_string())), Headers::default());
    }
}

fn answered(ledger: &mut Ledger, offsets: &[i64]) {
    for (at, &offset) in offsets.iter().enumerate() {
        answer(ledger, at as i64, offset, None);
    }
}

/// The answer at `at` to the question at `offset`, in a round that began so.
fn answer(ledger: &mut Ledger, at: i64, offset: i64, replay: Option<Replay>) {
    let source = Some(Source { topic: Topic::CardSwipes, partition: 0, offset });
    let answer = decision(&offset.to_string());
    ledger.take((Topic::FraudDecisions, 0, at), Some(&answer), Headers { source, replay });
}

/// The sums of payments; they always add up.
fn sums(ledger: &Ledger) -> Sums {
    let (_, sums) = ledger.sums().into_iter().find(|(pair, _)| *pair == FRAUD).unwrap();
    let Sums { answered, in_flight, dead_lettered, expired, repeated, nothing_owed, .. } = sums;
    let all = answered + in_flight + dead_lettered + expired + repeated + nothing_owed + sums.lost.unwrap();
    assert_eq!(sums.produced, all, "{sums:?}");
    sums
}

#[test]
fn what_is_not_answered_is_in_flight_until_the_committed_offset_has_passed_it() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..10);
    answered(&mut ledger, &[0, 1, 2, 4]);
    let expected = Sums { produced: 10, answered: 4, in_flight: 6, ..none() };
    assert_eq!(sums(&ledger), expected);
    ledger.committed("fraud", Topic::CardSwipes, 0, 5, 5);
    assert_eq!(
        sums(&ledger),
        expected,
        "four of the five answers that were there have been read: the fifth may be that to 3"
    );
    ledger.take((Topic::FraudDecisions, 0, 4), None, Headers::default());
    ledger.committed("fraud", Topic::CardSwipes, 0, 5, 5);
    assert_eq!(sums(&ledger), Sums { in_flight: 5, lost: Some(1), ..expected }, "3 was passed over");
    assert_eq!(ledger.lost(FRAUD, 9), ["card_swipes/0/3"]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 2, 5);
    assert_eq!(sums(&ledger), expected, "a group that was rewound will come to it again");
    answered(&mut ledger, &[3]);
    assert_eq!(sums(&ledger), Sums { produced: 10, answered: 5, in_flight: 5, ..none() });
}

#[test]
fn a_second_answer_is_a_double_whatever_is_read_first() {
    let mut ledger = new_ledger();
    answered(&mut ledger, &[0, 1, 1, 2, 1]);
    asked(&mut ledger, 0..3);
    assert_eq!(sums(&ledger), Sums { produced: 3, answered: 3, doubled: 2, ..none() });
}

#[test]
fn what_retention_took_is_expired_and_not_lost() {
    let mut ledger = new_ledger();
    ledger.committed("fraud", Topic::CardSwipes, 0, 100, 0);
    asked(&mut ledger, 40..100);
    answered(&mut ledger, &(30..100).collect::<Vec<_>>());
    assert_eq!(sums(&ledger), Sums { produced: 100, answered: 70, expired: 30, ..none() });
    // The answers to 40..60 are gone too: it can't be told any more.
    let mut ledger = new_ledger();
    ledger.committed("fraud", Topic::CardSwipes, 0, 100, 0);
    asked(&mut ledger, 40..100);
    answered(&mut ledger, &(60..99).collect::<Vec<_>>());
    ledger.answers_expired(Topic::CardSwipes, 0, 60);
    assert_eq!(sums(&ledger), Sums { produced: 100, answered: 39, expired: 60, lost: Some(1), ..none() });
}

#[test]
fn a_broken_question_and_a_repeated_one_are_owed_no_answer() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..2);
    ledger.take((Topic::CardSwipes, 0, 2), None, Headers::default());
    ledger.take((Topic::CardSwipes, 0, 3), Some(&swipe("1")), Headers::default());
    let letter = DeadLetter {
        topic: "card_swipes".into(),
        partition: 0,
        offset: 2,
        last_offset: None,
        consumer: Some("fraud".into()),
        error: "not JSON".into(),
        value_base64: String::new(),
    };
    ledger.take((Topic::DeadLetters, 0, 0), Some(&letter.into()), Headers::default());
    answered(&mut ledger, &[0, 1]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 4, 0);
    assert_eq!(sums(&ledger), Sums { produced: 4, answered: 2, dead_lettered: 1, repeated: 1, ..none() });
}

/// Two consumers read the swipes. The text messages' letter about one of them does not settle what
/// the detector owes.
#[test]
fn the_letter_of_another_consumer_crosses_off_no_question() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..1);
    ledger.take((Topic::CardSwipes, 0, 1), None, Headers::default());
    let letter = |consumer: &str| DeadLetter {
        topic: "card_swipes".into(),
        partition: 0,
        offset: 1,
        last_offset: None,
        consumer: Some(consumer.into()),
        error: "not JSON".into(),
        value_base64: String::new(),
    };
    for (at, consumer) in (0..).zip(["notifications", "batch-fraud"]) {
        ledger.take((Topic::DeadLetters, 0, at), Some(&letter(consumer).into()), Headers::default());
    }
    answered(&mut ledger, &[0]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 2, 0);
    let lost = Sums { produced: 2, answered: 1, lost: Some(1), ..none() };
    assert_eq!(sums(&ledger), lost, "the detector has passed it over without a word");
    ledger.take((Topic::DeadLetters, 0, 2), Some(&letter("fraud").into()), Headers::default());
    ledger.take((Topic::DeadLetters, 0, 3), Some(&letter("fraud").into()), Headers::default());
    assert_eq!(sums(&ledger), Sums { produced: 2, answered: 1, dead_lettered: 1, ..none() });
}

#[test]
fn one_letter_may_be_about_many_questions_and_never_about_more_than_a_batch_could_hold() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..2);
    ledger.unreadable(Topic::CardSwipes, 0, 2, 4);
    let letter = |last_offset| DeadLetter {
        topic: "card_swipes".into(),
        partition: 0,
        offset: 2,
        last_offset,
        consumer: None,
        error: "the records can't be decompressed".into(),
        value_base64: String::new(),
    };
    ledger.take((Topic::DeadLetters, 0, 0), Some(&letter(Some(4)).into()), Headers::default());
    ledger.take((Topic::DeadLetters, 0, 1), Some(&letter(Some(i64::MAX)).into()), Headers::default());
    asked(&mut ledger, 5..6);
    answered(&mut ledger, &[0, 1]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 6, 0);
    assert_eq!(sums(&ledger), Sums { produced: 6, answered: 2, dead_lettered: 4, ..none() });
}

#[test]
fn a_page_for_every_visitor_is_no_answer() {
    let mut ledger = new_ledger();
    let click: Event = events::Click {
        ts: Timestamp::from_ms(0),
        event_id: Some("e".into()),
        session_id: "s".into(),
        shopper_id: None,
        kind: events::ClickKind::View,
        item_id: Some("kettle".into()),
        dwell_ms: None,
        depth: None,
    }
    .into();
    ledger.take((Topic::Clicks, 0, 0), Some(&click), Headers::default());
    let page = |session: &str, after: Option<&str>| -> Event {
        events::Recommendations {
            ts: Timestamp::from_ms(0),
            session_id: session.into(),
            after: after.map(str::to_owned),
            items: Vec::new(),
        }
        .into()
    };
    let source = Some(Source { topic: Topic::Clicks, partition: 0, offset: 0 });
    let headers = Headers { source, replay: None };
    ledger.take((Topic::Recommendations, 0, 0), Some(&page("", None)), headers);
    ledger.take((Topic::Recommendations, 0, 1), Some(&page("s", Some("e"))), headers);
    let (_, sums) = ledger.sums()[0];
    assert_eq!(sums, Sums { produced: 1, answered: 1, ..none() });
}

#[test]
fn a_header_that_names_any_number_costs_no_memory() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..2);
    answered(&mut ledger, &[i64::MAX, -7, 1 << 60, 0]);
    assert_eq!(sums(&ledger), Sums { produced: 2, answered: 1, in_flight: 1, ..none() });
    assert!(ledger.pairs[0].partitions[&0].remembered() <= 2);
}

/// A group is sent back to its fourth question, and answers again from there. Nothing of that is
/// lost or doubled, and what is lost or doubled in the second round is seen.
#[test]
fn a_group_that_was_reset_answers_in_a_round_of_its_own() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..10);
    answered(&mut ledger, &[0, 1, 2, 3, 4, 5, 6, 7]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 8, 8);
    assert_eq!(sums(&ledger), Sums { produced: 10, answered: 8, in_flight: 2, ..none() });

    let replay = Some(Replay { from: 3, at: 8 });
    answer(&mut ledger, 8, 3, replay);
    let sent_back = Sums { produced: 10, answered: 4, in_flight: 6, replayed: 5, ..none() };
    assert_eq!(sums(&ledger), sent_back, "five answers are of the round before, one is new");
    // A look that was made before the offset was reset is told late.
    ledger.committed("fraud", Topic::CardSwipes, 0, 8, 8);
    assert_eq!(sums(&ledger), sent_back);

    for (at, offset) in (9..).zip([4, 5, 5, 7, 8, 9]) {
        answer(&mut ledger, at, offset, replay);
    }
    ledger.committed("fraud", Topic::CardSwipes, 0, 10, 15);
    let expected = Sums { produced: 10, answered: 9, lost: Some(1), doubled: 1, replayed: 5, ..none() };
    assert_eq!(sums(&ledger), expected, "6 was passed over in this round, 5 has two answers");
    assert_eq!(ledger.lost(FRAUD, 9), ["card_swipes/0/6"]);

    // A third round, from the beginning, whose answers are read before anything else is known.
    let again = Some(Replay { from: 0, at: 15 });
    for (at, offset) in (15..).zip(0..10) {
        answer(&mut ledger, at, offset, again);
    }
    ledger.committed("fraud", Topic::CardSwipes, 0, 10, 25);
    let expected = Sums { produced: 10, answered: 10, doubled: 1, replayed: 14, ..none() };
    assert_eq!(sums(&ledger), expected, "each round keeps what it did wrong twice");
}

/// A group is sent back, and forward again before it has come to where it had been: what it left
/// out has the answers of the first round.
#[test]
fn what_a_second_reset_skips_has_the_answers_of_the_round_before() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..12);
    answered(&mut ledger, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    ledger.committed("fraud", Topic::CardSwipes, 0, 10, 10);
    let back = Some(Replay { from: 0, at: 10 });
    for (at, offset) in (10..).zip([0, 2, 3]) {
        answer(&mut ledger, at, offset, back);
    }
    ledger.committed("fraud", Topic::CardSwipes, 0, 4, 13);
    let lost = Sums { lost: Some(1), ..none() };
    let expected = Sums { produced: 12, answered: 3, in_flight: 8, replayed: 10, ..lost };
    assert_eq!(sums(&ledger), expected, "this round has passed over 1");

    // The offset is reset to 8 before any answer says so.
    ledger.committed("fraud", Topic::CardSwipes, 0, 8, 13);
    let expected = Sums { produced: 12, answered: 7, in_flight: 4, replayed: 6, ..lost };
    assert_eq!(sums(&ledger), expected, "4 to 7 were skipped, and have their answers");
    for (at, offset) in (13..).zip(8..12) {
        answer(&mut ledger, at, offset, Some(Replay { from: 8, at: 13 }));
    }
    ledger.committed("fraud", Topic::CardSwipes, 0, 12, 17);
    let expected = Sums { produced: 12, answered: 11, replayed: 6, ..lost };
    assert_eq!(sums(&ledger), expected, "0 to 3, 8 and 9 were asked twice");
    assert_eq!(ledger.lost(FRAUD, 9), ["card_swipes/0/1"]);
}

/// Of every order in which the topics are read, the questions may come last.
#[test]
fn a_round_is_told_apart_also_when_its_questions_are_read_later() {
    let mut ledger = new_ledger();
    answered(&mut ledger, &[0, 1, 2]);
    for offset in 0..3 {
        answer(&mut ledger, 3 + offset, offset, Some(Replay { from: 0, at: 3 }));
    }
    asked(&mut ledger, 0..3);
    assert_eq!(sums(&ledger), Sums { produced: 3, answered: 3, replayed: 3, ..none() });
}

/// A header claims a round that begins behind its own record.
#[test]
fn a_round_that_has_yet_to_begin_is_not_believed() {
    let mut ledger = new_ledger();
    asked(&mut ledger, 0..2);
    answered(&mut ledger, &[0, 1]);
    for at in [3, i64::MAX, -1] {
        answer(&mut ledger, 2, 1, Some(Replay { from: 0, at }));
    }
    answer(&mut ledger, 2, 1, Some(Replay { from: i64::MIN, at: 1 }));
    let expected = Sums { produced: 2, answered: 1, in_flight: 1, doubled: 3, replayed: 2, ..none() };
    assert_eq!(sums(&ledger), expected);
}

/// Who attaches to a running show reads questions from one offset on, and the answers to those
/// before come in all the same.
#[test]
fn who_begins_in_the_middle_counts_from_there() {
    let mut ledger = new_ledger();
    ledger.begin(Topic::CardSwipes, 0, 100);
    asked(&mut ledger, 100..105);
    for (at, offset) in (90..).zip([98, 99, 99, 100, 101]) {
        answer(&mut ledger, at, offset, None);
    }
    ledger.committed("fraud", Topic::CardSwipes, 0, 102, 95);
    assert_eq!(sums(&ledger), Sums { produced: 5, answered: 2, in_flight: 3, ..none() });
    answer(&mut ledger, 95, 103, None);
    ledger.committed("fraud", Topic::CardSwipes, 0, 104, 96);
    let expected = Sums { produced: 5, answered: 3, in_flight: 1, lost: Some(1), ..none() };
    assert_eq!(sums(&ledger), expected, "what is lost from there on is seen");
}
