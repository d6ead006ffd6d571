//! Hostile input: it is answered and bounded, and changes no other session's pages.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates a trace")]

use std::collections::HashSet;

use expect_test::expect;

use super::*;

#[test]
fn time_going_backwards_changes_no_order_and_an_absurd_time_does_no_harm() {
    let clicks = "11:00:00 ann view kettle
         10:59:00 ann view teapot
         +1d 11:00:00 bob view kettle
         11:00:10 bob view cups
         11:00:20 cat view kettle";
    check(
        clicks,
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (front page): kettle
            10:59:00 ann view teapot
                ann: (empty)
            +1d 11:00:00 bob view kettle
                bob: teapot
                (front page): kettle teapot
            11:00:10 bob view cups
                bob: teapot
            11:00:20 cat view kettle
                cat: cups teapot
        "#]],
    );

    let mut processor = RecommendationsProcessor::default();
    let mut answers = Vec::new();
    for (number, line) in clicks.lines().map(str::trim).enumerate() {
        processor.process(&parse(line, number).into(), &mut answers);
        for at in [Timestamp::MAX, Timestamp::MIN] {
            let odd = Click { ts: at, event_id: None, session_id: format!("odd{number}"), ..parse(line, 0) };
            processor.process(&odd.into(), &mut answers);
        }
    }
    let mut page = processor.page("cat");
    page.sort();
    assert_eq!(page, ["cups", "teapot"], "still what others viewed, and nothing else is known");
}

#[test]
fn an_event_that_is_sent_twice_is_one_event() {
    let mut processor = RecommendationsProcessor::default();
    let click = parse("11:00:00 ann view kettle", 1);
    let mut answers = Vec::new();
    for _ in 0..3 {
        processor.process(&click.clone().into(), &mut answers);
    }
    let own = |answers: &[Event]| answers.iter().filter(|answer| !answer.key().is_empty()).count();
    assert_eq!(own(&answers), 1);
    assert!(processor.counters().contains(&("duplicates", 2)));
    // Ids are unique within a session; an event without an id is never a duplicate.
    processor.process(&Click { session_id: "bob".to_owned(), ..click.clone() }.into(), &mut answers);
    for _ in 0..2 {
        processor.process(&Click { event_id: None, ..click.clone() }.into(), &mut answers);
    }
    assert_eq!(own(&answers), 4);
}

#[test]
fn hostile_names_are_items_like_others_and_overlong_ones_are_not_kept() {
    let mut processor = RecommendationsProcessor::default();
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    let names =
        ["'; drop table items; --", "\u{202e}evil", "\0", "💥", "../../etc/passwd", "\n", long.as_str()];
    for name in names {
        let click =
            Click { item_id: Some(name.to_owned()), event_id: None, ..parse("11:00:00 ann view x", 0) };
        processor.learn(&click);
    }
    let page = processor.page("nobody");
    assert_eq!(page.len(), names.len() - 1, "{page:?}");
    let mut answers = Vec::new();
    let click = Click { session_id: long, ..parse("11:00:00 ann view kettle", 1) };
    processor.process(&click.into(), &mut answers);
    assert!(!answers.is_empty(), "answered all the same");
    assert!(processor.counters().contains(&("overlong_names", 2)));
}

#[test]
fn a_session_of_ten_thousand_events_is_answered_to_the_end() {
    let config = RecommendationsConfig { items_per_session: 2_000, ..RecommendationsConfig::default() };
    let mut processor = RecommendationsProcessor::new(config);
    for number in 0..100 {
        processor
            .learn(&Click { event_id: None, ..parse(&format!("11:00:00 s{number} view fine{number}"), 0) });
    }
    let mut met = HashSet::new();
    for number in 0..10_000_i64 {
        let item = format!("item{}", number * 7919 % 2_500);
        let ts = Timestamp::from_ms(1_772_535_600_000 + number * number % 977 * 1_000 + number * 30_000);
        let click =
            Click { ts, event_id: None, item_id: Some(item.clone()), ..parse("11:00:00 ann view x", 0) };
        met.insert(item);
        if number % 100 == 0 {
            let mut answers = Vec::new();
            processor.process(&click.into(), &mut answers);
            let Event::Recommendations(page) = &answers[0] else { panic!("not a page") };
            assert!(page.items.iter().all(|item| !met.contains(item)));
            assert_eq!(page.items.is_empty(), met.len() > 2_000, "after {} different items", met.len());
        } else {
            processor.learn(&click);
        }
    }
    assert!(processor.model.now_ms() > 0);
}

#[test]
fn a_program_is_answered_but_teaches_nothing() {
    let mut processor = RecommendationsProcessor::default();
    for number in 0..500_i64 {
        let ts = Timestamp::from_ms(1_772_535_600_000 + number * 2_000);
        let item = Some(format!("item{number}"));
        let click = Click { ts, event_id: None, item_id: item, ..parse("11:00:00 robot view x", 0) };
        let mut answers = Vec::new();
        processor.process(&click.into(), &mut answers);
        assert_eq!(answers.iter().filter(|answer| answer.key() == "robot").count(), 1);
    }
    processor.learn(&parse("11:30:00 ann view item3", 1));
    let page = processor.page("ann");
    assert!(
        page.iter().all(|item| item[4..].parse::<u32>().unwrap() < 20),
        "learnt before it was known: {page:?}"
    );
}

#[test]
fn what_a_session_has_met_is_left_out_though_it_was_forgotten_and_met_again_by_others() {
    let config = RecommendationsConfig { items: 3, ..RecommendationsConfig::default() };
    let mut processor = RecommendationsProcessor::new(config);
    processor.learn(&parse("11:00:00 ann view kettle", 0));
    for (number, item) in ["tent", "stove", "cups", "rope", "kettle"].into_iter().enumerate() {
        processor.learn(&parse(&format!("11:01:00 bob view {item}"), 1 + number));
    }
    assert!(
        processor.page("nobody").contains(&"kettle".to_owned()),
        "the slot went to others and was given again"
    );
    assert_eq!(processor.page("ann").len(), 2);
    assert!(!processor.page("ann").contains(&"kettle".to_owned()));
}

#[test]
fn a_log_that_begins_in_the_year_9999_is_learnt_from_all_the_same() {
    let lines = [
        "11:00:00 ann view kettle",
        "11:00:20 ann view teapot",
        "11:01:00 bob view tent",
        "11:01:20 bob view stove",
        "11:02:00 cat view kettle",
    ];
    let odd = Click { ts: Timestamp::MAX, session_id: "odd".to_owned(), ..parse(lines[0], 99) };
    let mut stream = RecommendationsProcessor::default();
    let mut hourly = HourlyRecommendations::default();
    let mut answers = Vec::new();
    let mut runs = Vec::new();
    stream.process(&odd.clone().into(), &mut answers);
    hourly.process(&odd.into(), &mut runs);
    for (number, line) in lines.into_iter().enumerate() {
        let click: Event = parse(line, number).into();
        stream.process(&click, &mut answers);
        hourly.process(&click, &mut runs);
    }
    assert_eq!(stream.page("cat"), ["teapot", "stove", "tent"]);
    runs.clear();
    hourly.process(&parse("12:00:00 dan view kettle", 5).into(), &mut runs);
    let Some(Event::RecommendationsStale(page)) = runs.last() else { panic!("not a page: {runs:?}") };
    assert_eq!(page.0.answer.items, ["teapot", "stove", "tent"]);
}
