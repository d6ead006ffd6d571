//! A comparison on small simulated logs: twice the same, and the stream at the end of the dial.

use std::collections::HashMap;
use std::sync::Arc;

use consumers::eta::{EtaConfig, EtaReplay, MultiPeriodEta};
use consumers::fraud::{FraudBatch, FraudConfig, FraudProcessor};
use consumers::recommendations::{HourlyRecommendations, RecommendationsConfig, RecommendationsProcessor};
use events::{HOUR_MS, Recommendations};
use processor::Processor;
use producers::cards::{Cards, CardsConfig};
use producers::city::{City, CityConfig};
use producers::shop::{Shop, ShopConfig};
use streets::Map;

use super::*;
use crate::{LaneVerdict, MISSED_CLICKS_PERCENT, Measure, PAYMENTS, RIDES, SHOP};

const START: &str = "2026-03-03T10:45:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn rides(minutes: i64) -> (Arc<Map>, Vec<Event>) {
    let map = Arc::new(Map::la_serena());
    let config =
        CityConfig { seed: 7, start: start(), map: map.clone(), drivers: 12, ..CityConfig::default() };
    let end = start().plus_ms(minutes * 60_000);
    (map, City::new(config).take_while(|e| e.at < end).map(|e| e.event).collect())
}

fn swipes(hours: i64) -> Vec<Event> {
    let config = CardsConfig {
        seed: 7,
        start: start(),
        cards: 400,
        terminals: 60,
        busy_swipes_per_second: 0.3,
        ..CardsConfig::default()
    };
    let end = start().plus_ms(hours * HOUR_MS);
    Cards::new(&config).take_while(|e| e.at < end).map(|e| e.event).collect()
}

fn clicks(minutes: i64) -> Vec<Event> {
    let config = ShopConfig { seed: 7, start: start(), ..ShopConfig::default() };
    let end = start().plus_ms(minutes * 60_000);
    Shop::new(config).take_while(|e| e.at < end).map(|e| e.event).collect()
}

fn payments_lanes(periods_ms: &[i64]) -> Box<dyn Lanes> {
    let batch =
        |&period_ms: &i64| Box::new(FraudBatch::new(FraudConfig::default(), period_ms)) as Box<dyn Processor>;
    Box::new(Separate {
        stream: Box::new(FraudProcessor::new(FraudConfig::default())),
        batch: periods_ms.iter().map(batch).collect(),
    })
}

fn shop_lanes(periods_ms: &[i64]) -> Box<dyn Lanes> {
    let batch = |&period_ms: &i64| {
        Box::new(HourlyRecommendations::new(RecommendationsConfig::default(), period_ms))
            as Box<dyn Processor>
    };
    Box::new(Separate {
        stream: Box::new(RecommendationsProcessor::new(RecommendationsConfig::default())),
        batch: periods_ms.iter().map(batch).collect(),
    })
}

fn compared(
    part: &'static Part,
    lanes: impl Fn(&[i64]) -> Box<dyn Lanes>,
    events: &[Event],
    periods_ms: &[i64],
) -> BusinessReport {
    let end = events.iter().filter_map(Event::ts).max().unwrap();
    let span = Span::new(start(), end, periods_ms);
    let mut comparison = Comparison::new(part, lanes(periods_ms), periods_ms.len(), span, Costs::default());
    for event in events {
        comparison.take(event);
    }
    comparison.finish(periods_ms)
}

fn report(businesses: Vec<BusinessReport>) -> Report {
    Report { source: Source::Simulated { seed: 7 }, businesses }
}

#[test]
fn the_same_log_gives_the_same_bill_and_page_to_the_byte() {
    let periods_ms = [10_000, 5 * 60_000, HOUR_MS];
    let (map, pings) = rides(18);
    let (swipes, clicks) = (swipes(4), clicks(6));
    let once = || {
        let eta = |periods_ms: &[i64]| {
            Box::new(Rides::new(&EtaConfig::new(map.clone()), periods_ms)) as Box<dyn Lanes>
        };
        report(vec![
            compared(&RIDES, eta, &pings, &periods_ms),
            compared(&PAYMENTS, payments_lanes, &swipes, &periods_ms),
            compared(&SHOP, shop_lanes, &clicks, &periods_ms),
        ])
    };
    let (one, other) = (once(), once());
    assert_eq!(one.json_lines(1), other.json_lines(1));
    assert!(page(&one) == page(&other), "the page too");
    let measures: Vec<&Measure> = one
        .businesses
        .iter()
        .flat_map(|business| business.curves.iter().map(|curve| curve.measure))
        .collect();
    let all: Vec<&Measure> =
        [&RIDES, &PAYMENTS, &SHOP].iter().flat_map(|part| part.measures.iter().copied()).collect();
    assert_eq!(measures, all, "each has its cases");
    for curve in one.businesses.iter().flat_map(|business| &business.curves) {
        assert!(curve.cases > 0, "{curve:?}");
        assert_eq!(curve.points.len(), periods_ms.len());
        for (_, line) in &curve.points {
            assert_eq!(line.stream, curve.stream, "the stream is the same beside every period");
            assert_eq!(line.cases, curve.cases, "and so are the cases");
        }
    }
    assert!(!page(&one).contains("http"), "a page that needs nothing else");
}

#[test]
fn the_older_the_page_the_more_clicks_are_missed() {
    let report = compared(&SHOP, shop_lanes, &clicks(20), &[60_000, 8 * 60_000]);
    let pages = &report.curves[0];
    assert_eq!(pages.measure, &MISSED_CLICKS_PERCENT);
    assert_eq!(pages.points[1].1.verdict, LaneVerdict::StreamWins, "an old page does not know the visit");
    assert!(pages.points[0].1.batch.value < pages.points[1].1.batch.value, "{pages:?}");
}

/// Payments at the end of the dial: a run after every swipe says of each what the stream said.
#[test]
fn with_no_time_between_runs_the_batch_lane_scores_as_the_stream() {
    let log = swipes(6);
    let (mut stream, mut batch) = (Vec::new(), vec![Vec::new()]);
    let mut lanes = payments_lanes(&[1]);
    for event in &log {
        lanes.process(event, &mut stream, &mut batch);
    }
    lanes.finish(&mut batch);
    let said = |answers: &[Event]| -> Vec<(String, u64, bool)> {
        let one = |answer: &Event| match answer {
            Event::FraudDecisions(a) => {
                (a.swipe_id.clone(), a.probability.to_bits(), a.decision == events::Decision::Decline)
            }
            Event::FraudBatch(b) => (
                b.answer.swipe_id.clone(),
                b.answer.probability.to_bits(),
                b.answer.decision == events::Decision::Decline,
            ),
            other => panic!("not an answer of payments: {other:?}"),
        };
        answers.iter().map(one).collect()
    };
    assert!(stream.len() > 500);
    assert!(said(&stream) == said(&batch[0]), "the same decisions and probabilities, to the bit");
}

/// The shop: a run after every click leaves the stream's pages.
#[test]
fn with_no_time_between_runs_the_batch_lane_shows_the_streams_pages() {
    let log = clicks(6);
    let (mut stream, mut batch) = (Vec::new(), vec![Vec::new()]);
    let mut lanes = shop_lanes(&[1]);
    for event in &log {
        lanes.process(event, &mut stream, &mut batch);
    }
    lanes.finish(&mut batch);
    let mut last: HashMap<(String, Timestamp), Recommendations> = HashMap::new();
    for answer in &stream {
        if let Event::Recommendations(page) = answer
            && page.after.is_some()
        {
            last.insert((page.session_id.clone(), page.ts), page.clone());
        }
    }
    let mut pages = 0;
    for answer in &batch[0] {
        if let Event::RecommendationsBatch(batched) = answer
            && batched.0.answer.after.is_some()
        {
            let page = &batched.0.answer;
            pages += 1;
            assert_eq!(last.get(&(page.session_id.clone(), page.ts)), Some(page));
        }
    }
    assert_eq!(pages, last.len(), "of events of one visit in one millisecond only the last leaves a page");
    assert!(pages > 100, "{pages}");
}

/// Ride-share: a run after every ping says of a trip under way what the stream said of its ping
/// before.
#[test]
fn with_no_time_between_runs_the_batch_lane_is_one_ping_behind() {
    let (map, log) = rides(12);
    let mut lanes = MultiPeriodEta::new(&EtaConfig::new(map.clone()), &[1]);
    let mut replay = EtaReplay::new(&EtaConfig::new(map));
    let (mut stream, mut batch, mut replayed) = (Vec::new(), vec![Vec::new()], Vec::new());
    for event in &log {
        lanes.process(event, &mut stream, &mut batch);
        replay.process(event, &mut replayed);
    }
    assert!(stream == replayed, "period 0 is the stream's own replay");
    let mut before: HashMap<&str, (Timestamp, Timestamp)> = HashMap::new();
    let mut compared = 0;
    for (answer, late) in stream.iter().zip(&batch[0]) {
        let (Event::EtaUpdates(answer), Event::EtaBatch(late)) = (answer, late) else { panic!("ETAs") };
        assert_eq!((&answer.trip_id, answer.ts), (&late.answer.trip_id, late.answer.ts));
        if let Some((ts, eta)) = before.insert(&answer.trip_id, (answer.ts, answer.eta))
            && ts < answer.ts
        {
            assert_eq!(late.answer.eta, eta.max(answer.ts));
            compared += 1;
        }
    }
    assert_eq!(stream.len(), batch[0].len());
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn judging_begins_when_all_that_fit_have_run() {
    let at = |clock: &str| format!("2026-03-0{clock}:00Z").parse::<Timestamp>().unwrap();
    let (from, to) = (at("3T10:45"), at("3T11:45"));
    assert_eq!(judged_from(from, to, &[60_000, 15 * 60_000]), at("3T11:00"));
    assert_eq!(judged_from(from, to, &[60_000, HOUR_MS, 24 * HOUR_MS]), at("3T11:00"), "a day does not fit");
    assert_eq!(judged_from(from, to, &[24 * HOUR_MS]), from, "nothing fits: all is judged");
    assert_eq!(judged_from(from, at("6T10:45"), &[24 * HOUR_MS]), at("4T00:00"));
}

#[test]
fn an_event_from_the_far_future_does_not_move_the_log() {
    let mut arrivals = Arrivals::default();
    let click = |clock: &str| {
        let Some(Event::Clicks(click)) =
            clicks(1).into_iter().find(|event| matches!(event, Event::Clicks(_)))
        else {
            panic!("the shop is open")
        };
        Event::Clicks(events::Click { ts: clock.parse().unwrap(), ..click })
    };
    for (ts, arrives) in [
        ("2026-03-03T11:00:00Z", "2026-03-03T11:00:00Z"),
        ("2026-03-03T10:59:00Z", "2026-03-03T11:00:00Z"),
        ("2036-01-01T00:00:00Z", "2026-03-03T11:00:00Z"),
        ("2026-03-03T11:00:01Z", "2026-03-03T11:00:01Z"),
    ] {
        assert_eq!(arrivals.arrives(&click(ts)), arrives.parse().unwrap(), "{ts}");
    }
}
