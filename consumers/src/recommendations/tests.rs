//! Clicks in, pages out: traces to read, and properties that hold whatever is read.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates a trace")]

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use events::{ClickKind, HOUR_MS, PAGE_ITEMS, SimulationTruth};
use expect_test::{Expect, expect};
use producers::shop::{Shop, ShopConfig};
use proptest::prelude::*;

use super::*;

/// One click from a line such as `11:00:05 ann view kettle`; `+1d` in front of the time is the day after.
fn parse(line: &str, number: usize) -> Click {
    let (day, line) = line.strip_prefix("+1d ").map_or((3, line), |rest| (4, rest));
    let words: Vec<&str> = line.split_whitespace().collect();
    let kind = match words[2] {
        "view" => ClickKind::View,
        "hover" => ClickKind::Hover,
        "scroll" => ClickKind::Scroll,
        "cart" => ClickKind::AddToCart,
        "buy" => ClickKind::Purchase,
        other => panic!("{other} is no kind of click"),
    };
    Click {
        ts: format!("2026-03-0{day}T{}.000Z", words[0]).parse().unwrap(),
        event_id: Some(format!("e{number}")),
        session_id: words[1].to_owned(),
        shopper_id: None,
        kind,
        item_id: words.get(3).map(|&item| item.to_owned()),
        dwell_ms: (kind == ClickKind::Hover).then_some(30_000),
        depth: None,
    }
}

/// What a processor answers to each line of a script, and at the end.
fn trace(mut processor: impl Processor, script: &str) -> String {
    let mut told = String::new();
    let mut tell = |line: &str, answers: Vec<Event>| {
        writeln!(told, "{line}").unwrap();
        for answer in answers {
            let (topic, valid_from, page) = match answer {
                Event::Recommendations(page) => ("", None, page),
                Event::RecommendationsBatch(page) => ("batch ", Some(page.0.valid_from), page.0.answer),
                Event::RecommendationsStale(page) => ("stale ", Some(page.0.valid_from), page.0.answer),
                other => panic!("not a page: {other:?}"),
            };
            let from = valid_from.map_or(String::new(), |at| format!("from {} ", &at.to_string()[11..16]));
            let whose = if page.session_id.is_empty() { "(nobody)" } else { &page.session_id };
            let items = if page.items.is_empty() { "(empty)".to_owned() } else { page.items.join(" ") };
            writeln!(told, "    {topic}{from}{whose}: {items}").unwrap();
        }
    };
    for (number, line) in script.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut answers = Vec::new();
        processor.process(&parse(line, number).into(), &mut answers);
        tell(line, answers);
    }
    let mut answers = Vec::new();
    processor.finish(&mut answers);
    if !answers.is_empty() {
        tell("the end", answers);
    }
    told
}

fn check(script: &str, expect: &Expect) {
    expect.assert_eq(&trace(RecommendationsProcessor::default(), script));
}

#[test]
fn what_others_viewed_next_comes_first() {
    check(
        "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 ann view cups
         11:01:00 bob view tent
         11:01:20 bob view stove
         11:01:40 cat view kettle
         11:02:00 cat view stove",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (nobody): kettle
            11:00:20 ann view teapot
                ann: (empty)
            11:00:40 ann view cups
                ann: (empty)
            11:01:00 bob view tent
                bob: cups teapot kettle
                (nobody): tent cups teapot kettle
            11:01:20 bob view stove
                bob: cups teapot kettle
            11:01:40 cat view kettle
                cat: teapot cups stove tent
            11:02:00 cat view stove
                cat: teapot tent cups
                (nobody): stove kettle tent cups teapot
        "#]],
    );
}

#[test]
fn the_page_for_nobody_changes_at_most_once_a_minute() {
    check(
        "11:00:00 ann view kettle
         11:00:10 bob view tent
         11:00:59 cat view tent
         11:01:00 dan view tent
         11:02:30 eve view tent",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (nobody): kettle
            11:00:10 bob view tent
                bob: kettle
            11:00:59 cat view tent
                cat: kettle
            11:01:00 dan view tent
                dan: kettle
                (nobody): tent kettle
            11:02:30 eve view tent
                eve: kettle
        "#]],
    );
}

#[test]
fn where_little_is_known_what_goes_with_the_companions_comes_before_what_everybody_likes() {
    check(
        "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view teapot
         11:01:00 bob view cups
         11:01:10 eve view tent
         11:01:20 fay view tent
         11:01:40 cat view kettle",
        &expect![[r#"
            11:00:00 ann view kettle
                ann: (empty)
                (nobody): kettle
            11:00:20 ann view teapot
                ann: (empty)
            11:00:40 bob view teapot
                bob: kettle
            11:01:00 bob view cups
                bob: kettle
                (nobody): teapot cups kettle
            11:01:10 eve view tent
                eve: teapot cups kettle
            11:01:20 fay view tent
                fay: teapot cups kettle
            11:01:40 cat view kettle
                cat: teapot cups tent
        "#]],
    );
}

#[test]
fn a_shopper_who_comes_back_the_next_day_wants_something_else() {
    let before = "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view tent
         11:01:00 bob view stove";
    let page = |script: &str| {
        let told = trace(RecommendationsProcessor::default(), &format!("{before}\n{script}"));
        told.lines().rfind(|line| line.contains("eve:")).unwrap().trim().to_owned()
    };
    // The cart makes the kettle weigh more than the tent, as long as both are of today.
    expect!["eve: teapot stove"].assert_eq(&page("11:02:00 eve cart kettle\n11:02:20 eve view tent"));
    expect!["eve: stove teapot"].assert_eq(&page("11:02:00 eve cart kettle\n+1d 11:02:20 eve view tent"));
}

#[test]
fn what_a_session_has_met_is_left_out_though_it_was_forgotten_and_met_anew_by_others() {
    let config = RecommendationsConfig { items: 3, ..RecommendationsConfig::default() };
    let mut processor = RecommendationsProcessor::new(config);
    processor.learn(&parse("11:00:00 ann view kettle", 0));
    for (number, item) in ["tent", "stove", "cups", "rope", "kettle"].into_iter().enumerate() {
        processor.learn(&parse(&format!("11:01:00 bob view {item}"), 1 + number));
    }
    assert!(
        processor.page("nobody").contains(&"kettle".to_owned()),
        "the slot went to others and was given anew"
    );
    assert_eq!(processor.page("ann").len(), 2);
    assert!(!processor.page("ann").contains(&"kettle".to_owned()));
}

#[test]
fn who_has_bought_one_is_shown_what_goes_with_the_others() {
    let before = "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:00:40 bob view tent
         11:01:00 bob view stove
         11:02:00 eve view kettle
         11:02:01 eve view tent";
    let page = |line: &str| {
        let told = trace(RecommendationsProcessor::default(), &format!("{before}\n{line}"));
        told.lines().rfind(|line| line.contains("eve:")).unwrap().trim().to_owned()
    };
    expect!["eve: stove teapot"].assert_eq(&page("11:03:00 eve scroll"));
    expect!["eve: teapot stove"].assert_eq(&page("11:03:00 eve buy tent"));
}

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
                (nobody): kettle
            10:59:00 ann view teapot
                ann: (empty)
            +1d 11:00:00 bob view kettle
                bob: teapot
                (nobody): kettle teapot
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
    // Ids are unique within a session; without one, every event is its own.
    processor.process(&Click { session_id: "bob".to_owned(), ..click.clone() }.into(), &mut answers);
    for _ in 0..2 {
        processor.process(&Click { event_id: None, ..click.clone() }.into(), &mut answers);
    }
    assert_eq!(own(&answers), 4);
}

#[test]
fn hostile_names_are_items_like_others_and_overlong_ones_are_not_kept() {
    let mut processor = RecommendationsProcessor::default();
    let long = "x".repeat(LONGEST_NAME + 1);
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
fn the_hourly_job_gives_a_late_page_and_a_live_page_of_a_late_model() {
    let script = "11:00:00 ann view kettle
         11:30:00 ann view teapot
         11:40:00 bob view kettle
         12:10:00 cat view kettle
         12:20:00 bob view cups
         14:00:00 dan view kettle";
    expect![[r#"
        11:00:00 ann view kettle
            stale from 11:00 ann: (empty)
        11:30:00 ann view teapot
            stale from 11:00 ann: (empty)
        11:40:00 bob view kettle
            stale from 11:00 bob: (empty)
        12:10:00 cat view kettle
            batch from 12:00 ann: (empty)
            batch from 12:00 bob: teapot
            stale from 12:00 (nobody): kettle teapot
            batch from 12:00 (nobody): kettle teapot
            stale from 12:00 cat: teapot
        12:20:00 bob view cups
            stale from 12:00 bob: teapot
        14:00:00 dan view kettle
            batch from 13:00 cat: teapot
            batch from 13:00 bob: teapot
            stale from 13:00 (nobody): kettle cups teapot
            batch from 13:00 (nobody): kettle cups teapot
            stale from 14:00 dan: teapot cups
        the end
            batch from 15:00 dan: teapot cups
            stale from 15:00 (nobody): kettle cups teapot
            batch from 15:00 (nobody): kettle cups teapot
    "#]]
    .assert_eq(&trace(HourlyRecommendations::default(), script));
}

#[test]
fn one_absurd_time_does_not_end_the_period() {
    let mut hourly = HourlyRecommendations::default();
    let mut answers = Vec::new();
    let mut valid_from = |ts: Timestamp, event: usize| {
        answers.clear();
        hourly.process(&Click { ts, ..parse("11:00:00 ann view kettle", event) }.into(), &mut answers);
        match answers.last() {
            Some(Event::RecommendationsStale(page)) => page.0.valid_from.to_string(),
            other => panic!("not a page: {other:?}"),
        }
    };
    let eleven: Timestamp = "2026-03-03T11:00:00.000Z".parse().unwrap();
    assert_eq!(valid_from(eleven, 1), "2026-03-03T11:00:00.000Z");
    assert_eq!(valid_from(Timestamp::MAX, 2), "2026-03-03T11:00:00.000Z");
    assert_eq!(valid_from(eleven.plus_ms(HOUR_MS), 3), "2026-03-03T12:00:00.000Z");
    let spring: Timestamp = "2026-05-03T11:00:00.000Z".parse().unwrap();
    assert_eq!(valid_from(spring, 4), "2026-03-03T12:00:00.000Z");
    assert_eq!(valid_from(spring, 5), "2026-05-03T11:00:00.000Z", "two in a row are believed");
}

/// Both lanes run one logic: what the job leaves for a session is what the stream last answered in that period.
#[test]
fn the_jobs_pages_are_the_streams_last_pages() {
    let (mut stream, mut hourly) = (RecommendationsProcessor::default(), HourlyRecommendations::default());
    let (mut last, mut batch) = (HashMap::new(), HashMap::new());
    let end = ShopConfig::default().start.plus_ms(HOUR_MS);
    let mut answers = Vec::new();
    for click in clicks(300).take_while(|click| click.ts() < Some(end)) {
        stream.process(&click, &mut answers);
        for answer in answers.drain(..) {
            if let Event::Recommendations(page) = answer {
                last.insert(page.session_id.clone(), page);
            }
        }
        hourly.process(&click, &mut answers);
        answers.clear();
    }
    hourly.finish(&mut answers);
    for answer in answers {
        if let Event::RecommendationsBatch(page) = answer {
            assert_eq!(page.0.valid_from, end);
            assert!(batch.insert(page.0.answer.session_id.clone(), page.0.answer).is_none(), "one row a key");
        }
    }
    let (own, front) = (batch.len(), batch.remove("").unwrap());
    last.remove("");
    assert!(own > 100 && front.items.len() == PAGE_ITEMS && front.after.is_none());
    assert_eq!(batch, last);
}

/// Clicks of a small simulated shop.
fn clicks(sessions_per_hour: u32) -> impl Iterator<Item = Event> {
    let config =
        ShopConfig { sessions_per_hour: sessions_per_hour.into(), items: 1_000, ..ShopConfig::default() };
    Shop::new(config).map(|sent| sent.event).filter(|event| matches!(event, Event::Clicks(_)))
}

#[test]
fn state_that_is_rebuilt_gives_the_same_page_to_the_letter() {
    let log: Vec<Event> = clicks(2_000).take(12_000).collect();
    let (before, after) = log.split_at(9_000);
    let mut lived = RecommendationsProcessor::default();
    let mut rebuilt = RecommendationsProcessor::default();
    let mut dropped = Vec::new();
    for event in before {
        lived.process(event, &mut dropped);
        rebuilt.process(event, &mut dropped);
        dropped.clear();
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for event in after {
        lived.process(event, &mut first);
        rebuilt.process(event, &mut second);
    }
    assert_eq!(first, second);
    // Learning without answering comes to the same state.
    let mut learnt = RecommendationsProcessor::default();
    for event in &log {
        if let Event::Clicks(click) = event {
            learnt.learn(click);
        }
    }
    for event in after {
        assert_eq!(learnt.page(event.key()), lived.page(event.key()));
    }
}

/// The simulated shop is a toy if its next click is either obvious or hopeless.
#[test]
fn a_session_model_beats_popularity_and_neither_knows_everything() {
    let config = ShopConfig { sessions_per_hour: 4_000.0, items: 1_000, ..ShopConfig::default() };
    let mut processor = RecommendationsProcessor::default();
    let (mut cases, mut hits, mut popular) = (0_u32, 0_u32, 0_u32);
    let mut bots = HashSet::new();
    let mut met: HashMap<String, HashSet<String>> = HashMap::new();
    for (number, sent) in Shop::new(config).take(150_000).enumerate() {
        let click = match sent.event {
            Event::SimulationTruth(SimulationTruth::Intent { bot, session_id, .. }) => {
                if bot {
                    bots.insert(session_id);
                }
                continue;
            }
            Event::Clicks(click) => click,
            other => panic!("not an event of the shop: {other:?}"),
        };
        let known = met.entry(click.session_id.clone()).or_default();
        let begun = !known.is_empty();
        let item = click.item_id.clone().unwrap();
        let novel = known.insert(item.clone()) && begun && click.kind == ClickKind::View;
        if novel && number > 135_000 && !bots.contains(&click.session_id) {
            cases += 1;
            hits += u32::from(processor.page(&click.session_id).contains(&item));
            popular += u32::from(processor.page("nobody").contains(&item));
        }
        processor.learn(&click);
    }
    let share = |hits: u32| f64::from(hits) / f64::from(cases);
    println!("session model {:.3}, popularity {:.3}, of {cases}", share(hits), share(popular));
    assert!(cases > 1_000 && (0.40..0.80).contains(&share(hits)), "session model: {:.3}", share(hits));
    assert!(share(popular) < 0.25, "popularity: {:.3}", share(popular));
}

/// A small world in which everything collides: few sessions, few items, tight limits, any time.
fn any_click() -> impl Strategy<Value = Click> {
    let kinds =
        [ClickKind::View, ClickKind::Hover, ClickKind::Scroll, ClickKind::AddToCart, ClickKind::Purchase];
    (
        prop_oneof![4 => 0_i64..7_200_000, 1 => any::<i64>()],
        prop::option::of(0_u8..40),
        0_u8..6,
        prop::sample::select(kinds.to_vec()),
        prop::option::weighted(0.9, 0_u8..40),
        prop::option::of(any::<i64>()),
        prop::option::of(any::<f64>()),
    )
        .prop_map(|(ts, event, session, kind, item, dwell_ms, depth)| Click {
            ts: Timestamp::from_ms(ts),
            event_id: event.map(|event| format!("e{event}")),
            session_id: format!("s{session}"),
            shopper_id: None,
            kind,
            item_id: item.map(|item| if item == 0 { String::new() } else { format!("i{item}") }),
            dwell_ms,
            depth,
        })
}

proptest! {
    /// One answer an event that is not a duplicate, whatever is read; at most 20 items, none twice, none met.
    #[test]
    fn pages_keep_their_promises(clicks in prop::collection::vec(any_click(), 0..200), hourly: bool) {
        // Sessions never expire here: one that does has met nothing yet.
        let config = RecommendationsConfig {
            session_expiry_ms: i64::MAX, posting: 3, neighbours: 4, companions: 5, ..RecommendationsConfig::default()
        };
        let mut processor: Box<dyn Processor> = if hourly {
            Box::new(HourlyRecommendations::new(config, HOUR_MS))
        } else {
            Box::new(RecommendationsProcessor::new(config))
        };
        let mut met: HashMap<String, HashSet<String>> = HashMap::new();
        let mut heard = HashSet::new();
        for click in clicks {
            let twice = click.event_id.clone().is_some_and(|id| !heard.insert((click.session_id.clone(), id)));
            let known = met.entry(click.session_id.clone()).or_default();
            if !twice {
                known.extend(click.item_id.clone());
            }
            let mut answers = Vec::new();
            processor.process(&click.clone().into(), &mut answers);
            let mut own = 0;
            for answer in answers {
                let page = match answer {
                    Event::Recommendations(page) => page,
                    Event::RecommendationsStale(page) => page.0.answer,
                    Event::RecommendationsBatch(_) => continue,
                    other => panic!("not a page: {other:?}"),
                };
                prop_assert!(page.items.len() <= PAGE_ITEMS);
                prop_assert_eq!(page.items.iter().collect::<HashSet<_>>().len(), page.items.len());
                if !page.session_id.is_empty() {
                    own += 1;
                    prop_assert_eq!((&page.session_id, &page.after, page.ts), (&click.session_id, &click.event_id, click.ts));
                    prop_assert!(page.items.iter().all(|item| !met[&page.session_id].contains(item)));
                }
            }
            prop_assert_eq!(own, usize::from(!twice));
        }
    }

    /// However small the limits, they are kept and nothing panics.
    #[test]
    fn memory_is_bounded(clicks in prop::collection::vec(any_click(), 0..300), limit in 1_usize..8) {
        let config = RecommendationsConfig {
            items: limit, sessions: limit, entries: 3 * limit, items_per_session: 2 * limit, lessons_per_session: limit,
            session_expiry_ms: 3_600_000, posting: limit, neighbours: limit, companions: limit, recent_items: limit * 8,
            ..RecommendationsConfig::default()
        };
        let mut processor = RecommendationsProcessor::new(config);
        let mut answers = Vec::new();
        for click in clicks {
            processor.process(&click.into(), &mut answers);
            prop_assert!(processor.model.catalogue.len() <= limit);
            prop_assert!(processor.visits.len() <= limit);
        }
    }
}
