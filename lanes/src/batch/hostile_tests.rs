//! What anybody may write to an input of a job: it costs at most its own answer.

use client::NewTopic;
use events::{Event, Topic};

use super::super::clock::wall_ms;
use super::super::cluster::batch_of;
use super::super::tests::{TIMEOUT, World, wait_until};
use super::super::toy::swipe_at;
use super::moody::{Moody, When};
use super::tests::{answered, by_hand, config, each_once, hour, minute, once, send_swipes, sqlite};
use crate::{AnswerError, BatchError};

/// Two records that make letters too large, were they not cut: one that its parser quotes in full,
/// and one whose answer says it twice.
fn send_what_is_too_large(world: &World) {
    world.send_bytes(Topic::CardSwipes, "c1", format!("\"{}\"", "A".repeat(900_000)).as_bytes());
    let huge = swipe_at(minute(30), "huge", &"c".repeat(550_000), 1);
    world.send_bytes(Topic::CardSwipes, "c1", &huge.to_json());
    // A field that no job reads, with what is no text.
    let json = swipe_at(minute(31), "odd", "c1", 1).to_json();
    let odd = [&json[..json.len() - 1], b",\"odd\":\"\xff\xfe\"}"].concat();
    world.send_bytes(Topic::CardSwipes, "c1", &odd);
    world.producer.flush(TIMEOUT).unwrap();
}

fn letters(world: &World) -> Vec<(String, i64)> {
    let letters = world.read(Topic::DeadLetters).into_iter().map(|(_, event)| match event {
        Event::DeadLetters(letter) => (letter.topic, letter.offset),
        other => unreachable!("on another topic: {other:?}"),
    });
    letters.collect()
}

#[test]
fn what_is_too_large_to_answer_is_a_dead_letter_and_everything_else_is_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    for scheduled in [true, false] {
        let world = World::new();
        send_swipes(&world, 0..30);
        send_what_is_too_large(&world);
        send_swipes(&world, 30..70);
        let database = sqlite(&folder, if scheduled { "scheduled.db" } else { "by_hand.db" });
        if scheduled {
            let mut warehouse = Moody::open(&database);
            warehouse.dies = Some(When::AfterPublishing);
            assert!(once(&config(&world), &mut warehouse).is_none(), "it was to die");
            let stats = once(&config(&world), &mut Moody::open(&database)).unwrap().unwrap();
            assert_eq!((stats.runs, stats.answers, stats.already_answered), (1, 0, 64), "{stats}");
        } else {
            for again in [false, true] {
                let (records, _, sent) =
                    by_hand(&config(&world), hour(0), folder.path(), &mut Moody::open(&database)).unwrap();
                assert_eq!((records, sent), (62, if again { 0 } else { 63 }));
            }
        }
        let mut expected = each_once(0..60);
        expected.insert("odd".to_owned(), 1);
        assert_eq!(answered(&world), expected);
        let mut letters = letters(&world);
        letters.sort();
        let topics: Vec<_> = letters.iter().map(|(topic, _)| topic.as_str()).collect();
        // What has no time belongs to the first run that sees it: by hand, to the window before.
        let expected: &[&str] = if scheduled { &["card_swipes", "fraud_batch"] } else { &["fraud_batch"] };
        assert_eq!(topics, expected, "{letters:?}");
    }
}

#[test]
fn a_run_whose_letter_is_refused_is_not_committed() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    let letters_of = |max_message_bytes: u32| {
        world.admin.delete(&["dead_letters"]).unwrap();
        wait_until("the topic to be gone", || world.admin.partitions("dead_letters").is_err());
        let configs = vec![("max.message.bytes".to_owned(), max_message_bytes.to_string())];
        world.admin.create(&[NewTopic { name: "dead_letters".to_owned(), partitions: 1, configs }]).unwrap();
    };
    letters_of(120);
    send_swipes(&world, 0..30);
    world.send_bytes(Topic::CardSwipes, "c1", b"\"no swipe\"");
    send_swipes(&world, 30..70);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    for _ in 0..2 {
        let error = once(&config(&world), &mut warehouse).unwrap().unwrap_err();
        assert!(matches!(error, BatchError::Answer(AnswerError::Unanswerable { .. })), "{error}");
        assert!(error.to_string().contains("raise max.message.bytes of dead_letters"), "{error}");
    }
    letters_of(1_000_000);
    once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!(answered(&world), each_once(0..60));
    assert_eq!(letters(&world).len(), 1);
}

#[test]
fn unreadable_batches_are_dead_letters_of_the_run_that_meets_them() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..90);
    let rubbish = b"this is neither compressed nor a record";
    let junk: Vec<_> = (0..4).map(|n| (n, batch_of(n as i16, 7, wall_ms(), rubbish))).collect();
    let Some(world) = world.with_stored(&junk) else { return };
    send_swipes(&world, 90..190);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    warehouse.dies = Some(When::BeforePublishing);
    assert!(once(&config(&world), &mut warehouse).is_none(), "it was to die");
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!(stats.runs, 3, "{stats}");
    assert_eq!(answered(&world), each_once(0..180));
    let letters = world.read(Topic::DeadLetters).into_iter().map(|(_, event)| match event {
        Event::DeadLetters(letter) => letter.last_offset.unwrap_or(letter.offset) - letter.offset + 1,
        other => unreachable!("on another topic: {other:?}"),
    });
    assert_eq!(letters.collect::<Vec<_>>(), [7; 4], "one letter a batch, however often the run was repeated");
    let again = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((again.runs, world.count(Topic::DeadLetters)), (0, 4));
}
