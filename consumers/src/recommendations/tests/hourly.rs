//! The scheduled job: what it publishes when, and that its logic is the stream's.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates a trace")]

use std::collections::HashMap;

use events::{HOUR_MS, PAGE_ITEMS};
use expect_test::expect;
use producers::shop::ShopConfig;

use super::*;

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
            stale from 12:00 (front page): kettle teapot
            batch from 12:00 (front page): kettle teapot
            stale from 12:00 cat: teapot
        12:20:00 bob view cups
            stale from 12:00 bob: teapot
        14:00:00 dan view kettle
            batch from 13:00 cat: teapot
            batch from 13:00 bob: teapot
            stale from 13:00 (front page): kettle cups teapot
            batch from 13:00 (front page): kettle cups teapot
            stale from 14:00 dan: teapot cups
        the end
            batch from 15:00 dan: teapot cups
            stale from 15:00 (front page): kettle cups teapot
            batch from 15:00 (front page): kettle cups teapot
    "#]]
    .assert_eq(&trace(HourlyRecommendations::default(), script));
}

#[test]
fn absurd_times_of_one_session_do_not_end_the_period() {
    let mut hourly = HourlyRecommendations::default();
    let mut answers = Vec::new();
    let mut valid_from_of = |who: &str, ts: Timestamp, event: usize| {
        answers.clear();
        let click = parse(&format!("11:00:00 {who} view kettle"), event);
        hourly.process(&Click { ts, ..click }.into(), &mut answers);
        match answers.last() {
            Some(Event::RecommendationsStale(page)) => page.0.valid_from.to_string(),
            other => panic!("not a page: {other:?}"),
        }
    };
    let eleven: Timestamp = "2026-03-03T11:00:00.000Z".parse().unwrap();
    let mut valid_from = |ts, event| valid_from_of("ann", ts, event);
    assert_eq!(valid_from(eleven, 1), "2026-03-03T11:00:00.000Z");
    assert_eq!(valid_from(Timestamp::MAX, 2), "2026-03-03T11:00:00.000Z");
    assert_eq!(valid_from(Timestamp::MAX, 3), "2026-03-03T11:00:00.000Z", "the next says so too");
    assert_eq!(valid_from(eleven.plus_ms(HOUR_MS), 4), "2026-03-03T12:00:00.000Z");
    let spring: Timestamp = "2026-05-03T11:00:00.000Z".parse().unwrap();
    assert_eq!(valid_from(spring, 5), "2026-03-03T12:00:00.000Z");
    assert_eq!(valid_from_of("ben", spring, 6), "2026-05-03T11:00:00.000Z", "two shoppers are believed");
}

/// Both lanes run one logic: the job's page for a session is the stream's last answer in that
/// period. That holds when memory is full too: applying the stale model evicts nothing from it.
#[test]
fn the_jobs_pages_are_the_streams_last_pages() {
    for items in [RecommendationsConfig::default().items, 200] {
        let config = RecommendationsConfig { items, ..RecommendationsConfig::default() };
        let mut stream = RecommendationsProcessor::new(config.clone());
        let mut hourly = HourlyRecommendations::new(config, HOUR_MS);
        let (mut last, mut batch) = (HashMap::new(), HashMap::new());
        let mut period_end = ShopConfig::default().start.plus_ms(HOUR_MS);
        let end = ShopConfig::default().start.plus_ms(3 * HOUR_MS);
        let (mut answers, mut runs) = (Vec::new(), Vec::new());
        for click in clicks(small_shop(300)).take_while(|click| click.ts() < Some(end)) {
            let ts = click.ts().expect("a click has a time");
            period_end = period_end.max(ts.floor(HOUR_MS).plus_ms(HOUR_MS));
            stream.process(&click, &mut answers);
            for answer in answers.drain(..) {
                if let Event::Recommendations(page) = answer {
                    last.insert((period_end, page.session_id.clone()), page);
                }
            }
            hourly.process(&click, &mut runs);
        }
        hourly.finish(&mut runs);
        for answer in runs {
            if let Event::RecommendationsBatch(page) = answer {
                let row = (page.0.valid_from, page.0.answer.session_id.clone());
                assert!(batch.insert(row, page.0.answer).is_none(), "one row a key");
            }
        }
        for hours in 1..=3 {
            let row = (ShopConfig::default().start.plus_ms(hours * HOUR_MS), String::new());
            let front = batch.remove(&row).expect("each run leaves a front page");
            assert!(front.items.len() == PAGE_ITEMS && front.after.is_none());
        }
        last.retain(|(_, session), _| !session.is_empty());
        assert!(batch.len() > 300, "{} pages", batch.len());
        assert_eq!(batch, last);
    }
}

/// Applying the stale model for an hour does not change it.
#[test]
fn asking_the_stale_model_changes_nothing_in_it() {
    let config = RecommendationsConfig { items: 3, ..RecommendationsConfig::default() };
    let lines = [
        "11:00:00 ann view kettle",
        "11:00:20 ann view teapot",
        "11:00:40 ann view cups",
        "12:00:00 bob view kettle",
    ];
    let strangers = (0..50).map(|number| format!("12:10:00 s{number} view new{number}"));
    let mut hourly = HourlyRecommendations::new(config, HOUR_MS);
    let mut page = Vec::new();
    for (number, line) in lines
        .map(str::to_owned)
        .into_iter()
        .chain(strangers)
        .chain(["12:20:00 cat view kettle".to_owned()])
        .enumerate()
    {
        page.clear();
        hourly.process(&parse(&line, number).into(), &mut page);
    }
    let Some(Event::RecommendationsStale(page)) = page.last() else { panic!("not a page: {page:?}") };
    assert_eq!(page.0.answer.items, ["teapot", "cups"]);
}

/// An item that a session met before the model knew it counts as soon as a run has learnt it: the
/// companions of the kettle come before what is trending.
#[test]
fn what_was_met_before_a_run_is_known_after_it() {
    let told = trace(
        HourlyRecommendations::default(),
        "11:00:00 ann view kettle
         11:00:20 ann view teapot
         11:05:00 cat view stove
         11:06:00 dan view stove
         11:07:00 eve view stove
         11:10:00 bob view kettle
         12:00:00 bob view tent",
    );
    let page = told.lines().rfind(|line| line.contains("stale") && line.contains("bob")).map(str::trim);
    assert_eq!(page, Some("stale from 12:00 bob: teapot stove"));
}

/// Most visits end in the period in which they begin, and a job that runs for a day has seen a
/// hundred thousand: once its run has learnt from them it holds each once, and asked with a visit
/// that goes on, the old model knows all that was met in it.
#[test]
fn between_runs_a_visit_is_held_once_and_nothing_of_it_is_forgotten() {
    let config = RecommendationsConfig::default();
    let (before, start) = (2_000, ShopConfig::default().start);
    let mut past = RecommendationsProcessor::new(config.clone());
    let mut shop = clicks(small_shop(600));
    shop.by_ref().take(before).for_each(|click| past.process(&click, &mut Vec::new()));
    past.share_history();

    let mut hourly = HourlyRecommendations::starting_from(past, HOUR_MS);
    let mut visits: HashMap<String, Vec<Click>> = HashMap::new();
    let (mut answers, mut judged, mut ended) = (Vec::new(), 0, start);
    let mut held = 0;
    for event in shop.take_while(|click| click.ts() < Some(start.plus_ms(8 * HOUR_MS))) {
        let Event::Clicks(click) = &event else { unreachable!("a shop's clicks") };
        answers.clear();
        hourly.process(&event, &mut answers);
        let Some(Event::RecommendationsStale(page)) = answers.last() else { continue };
        if page.0.valid_from > ended {
            ended = page.0.valid_from;
            let (live, job) = hourly.held();
            // To the service a visit that had begun before begins with its first click here.
            assert!(live < 60, "{live} visits are held twice, of {job}");
            held = job;
        }
        // The visit as one who has seen it from its beginning knows it.
        let visit = visits.entry(click.session_id.clone()).or_default();
        visit.push(click.clone());
        assert_eq!(page.0.answer.items, hourly.page_of(visit), "{click:?}");
        judged += usize::from(visit.len() > 1 && visit[0].ts.floor(HOUR_MS) < click.ts.floor(HOUR_MS));
    }
    assert!(held > 3_000, "{held} visits");
    assert!(judged > 100, "{judged} visits went on over the end of a period");
}
