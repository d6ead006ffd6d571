//! The shop: shoppers who look around, and what an old page costs.
//!
//! Each click is a question: what should be on this shopper's next page? The stream answers from
//! the live session; the batch lane from its last run, once with an old page and once with an old
//! model and the live session.

mod followed;
mod shoppers;

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use bill::compare::Separate;
use bill::{BusinessBill, Line, MISSED_CLICKS_PERCENT, MISSED_CLICKS_STALE_PERCENT, ShopBill, ShopLane};
use consumers::recommendations::{HourlyRecommendations, RecommendationsConfig, RecommendationsProcessor};
use dashboard::{BillItem, Pane};
use events::{Business as Id, Event, HOUR_MS, SimulationTruth, Timestamp, Topic};
use processor::Processor;
use producers::Emission;
use producers::shop::{Shop, ShopConfig};

use crate::business::{
    Business, Comparison, Emissions, Factory, Freshness, Job, Lanes, Logic, Need, Producer, Replay, Replayed,
    Volume, Worker, World,
};
use crate::history::read_histories;
use crate::ledger::{AnswerOnce, LedgerEntry, QuestionAnswerPair};
use crate::view::{item, judged, named};

/// How long the shop has been open when a show begins.
const HISTORY_MS: i64 = 14 * HOUR_MS;
/// A visitor of this shop is silent for a day at most, and comes back as another visit: who was so
/// for longer need not be held.
const SESSION_EXPIRY_MS: i64 = 25 * HOUR_MS;
/// How many visits a recommender of a show knows: those of its history and of two days and more of
/// its partition. Of a show that goes on for hours of the wall clock it would know hundreds of
/// thousands, and propose the same.
const SESSIONS: usize = 80_000;
/// How long after a click its retry may come, in milliseconds of event time: a click that was sent
/// before the show has none later than this.
const RETRIES_MS: i64 = 60_000;

/// How many times the usual number of visitors a burst adds.
const MORE: u32 = 9;
/// How much earlier the visitors of a burst start: when it begins, they are in the middle of their
/// visits.
const VISITS_MS: i64 = 10 * 60_000;

/// The business.
pub static SHOP: Business = Business {
    id: Id::Shop,
    name: "shop",
    help: "Clicks: what an old homepage costs",
    in_every_show: true,
    producer: Producer {
        name: "clicks",
        help: "Shoppers who look around",
        topics: &[Topic::Clicks, Topic::SimulationTruth],
        bursts: &[Topic::Clicks],
        priority: None,
        needs: &[],
        simulate: |world| Ok(Box::new(from_the_start(world))),
        burst: |world, moment| Ok(burst(world, moment)),
        rename,
        history: Some(|world| {
            Box::new(before_the_show(world).filter(|event| event.topic() == Topic::Clicks))
        }),
    },
    workers: &[Worker {
        name: "recommendations",
        help: "Each shopper's next page",
        serves: &[Id::Shop],
        inputs: &[Topic::Clicks],
        outputs: &[Topic::Recommendations],
        broadcast: &[],
        horizon_ms: None,
        gather: Duration::ZERO,
        priority: None,
        needs: &[Need::History],
        freshness: Some(Freshness {
            questions: &[Topic::Clicks],
            answers: Topic::Recommendations,
            is_answer: answers_a_click,
            asked_at: Event::ts,
        }),
        processors: |logic, wanted| {
            let trained = trained(logic, wanted)?;
            Ok(Box::new(move || Box::new(trained.clone())))
        },
    }],
    job: Job {
        name: "recommendations",
        group: "batch-recommendations",
        help: "Pages from the last hour's clicks",
        inputs: &[Topic::Clicks],
        outputs: &[Topic::RecommendationsBatch, Topic::RecommendationsStale],
        horizon_ms: None,
        whole: false,
        needs: &[Need::History],
        processors: batch,
    },
    replay: Replay {
        name: "recommendations",
        help: "Clicks to `recommendations`",
        processor: |logic, period_ms| Ok(replay(logic, period_ms)),
    },
    comparison: Comparison { alone_ms: 6 * HOUR_MS, together_ms: HOUR_MS, lanes },
    ledger: LedgerEntry {
        pair: QuestionAnswerPair {
            questions: Topic::Clicks,
            answers: Topic::Recommendations,
            group: "recommendations",
            every_record_is_answered: true,
        },
        rule: || Box::new(AnswerOnce::new(click_id, answers_a_click)),
        waiting: "clicks without a new page",
    },
    mart: &consumers::recommendations::MART,
    bill: &bill::SHOP,
    bill_items,
    answer_replay: None,
    volume: Volume {
        kib_per_hour: &[
            (Topic::Recommendations, 24_576),
            (Topic::RecommendationsStale, 20_480),
            (Topic::Clicks, 12_288),
            (Topic::RecommendationsBatch, 5_120),
        ],
        per_car: false,
        history_mib: 80,
    },
    pane: Pane::Shop,
    view: |_| Box::new(shoppers::ShopView::default()),
    closing: None,
};

/// The shop of a show opened some hours before the show, so that there is a history.
fn world_config(world: &World) -> ShopConfig {
    let start = world.start.plus_ms(-HISTORY_MS);
    ShopConfig { seed: world.seed, start, staged: world.opening(), ..ShopConfig::default() }
}

/// The show itself. A retry of what was sent before it is left out: the recommender knows the click
/// from its history and does not answer it again, and only who knows the history can tell it from a
/// question without an answer.
fn from_the_start(world: &World) -> impl Iterator<Item = Emission> + use<> {
    let start = world.start;
    let mut sent_before: HashSet<String> = HashSet::new();
    Shop::new(world_config(world)).filter(move |emission| {
        let id = if let Event::Clicks(click) = &emission.event { click.event_id.as_ref() } else { None };
        if emission.at < start {
            if start.since_ms(emission.at) <= RETRIES_MS {
                sent_before.extend(id.cloned());
            }
            return false;
        }
        id.is_none_or(|id| !sent_before.contains(id))
    })
}

/// What happened between the opening and the show.
fn before_the_show(world: &World) -> impl Iterator<Item = Event> + use<> {
    let start = world.start;
    let before = Shop::new(world_config(world)).take_while(move |emission| emission.at < start);
    before.map(|emission| emission.event)
}

/// More visitors of the same shop, without flash trends and new items.
fn burst(world: &World, moment: Timestamp) -> Emissions {
    let usual = world_config(world);
    let shop = Shop::new(ShopConfig {
        start: moment.plus_ms(-VISITS_MS),
        sessions_per_hour: usual.sessions_per_hour * f64::from(MORE),
        trends_per_day: 0.0,
        new_items_per_day: 0.0,
        staged: None,
        ..usual
    });
    Box::new(shop.skip_while(move |emission| emission.at < moment))
}

fn rename(event: &mut Event, prefix: &str) {
    let to = |id: &mut String| id.insert_str(0, prefix);
    if let Event::Clicks(click) = event {
        click.event_id.as_mut().map(to);
        to(&mut click.session_id);
    } else if let Event::SimulationTruth(SimulationTruth::Intent { id, session_id, .. }) = event {
        to(id);
        to(session_id);
    }
}

fn click_id(question: &Event) -> Option<&String> {
    if let Event::Clicks(click) = question { click.event_id.as_ref() } else { None }
}

/// The page for people without a session is made whenever it has changed, and names no click.
fn answers_a_click(answer: &Event) -> bool {
    !matches!(answer, Event::Recommendations(page) if page.after.is_none())
}

/// A recommender that has read the histories; no page is made of them.
fn trained(logic: &Logic, wanted: &dyn Fn() -> bool) -> Result<RecommendationsProcessor> {
    let mut recommender = train(std::iter::empty(), logic, SESSIONS, wanted)?;
    recommender.share_history();
    Ok(recommender)
}

fn train(
    history: impl Iterator<Item = Event>,
    logic: &Logic,
    sessions: usize,
    wanted: &dyn Fn() -> bool,
) -> Result<RecommendationsProcessor> {
    let config =
        RecommendationsConfig { sessions, session_expiry_ms: SESSION_EXPIRY_MS, ..Default::default() };
    let mut recommender = RecommendationsProcessor::new(config);
    let mut learn = |event: &Event| {
        if let Event::Clicks(click) = event {
            recommender.learn(click);
        }
    };
    history.for_each(|event| learn(&event));
    read_histories(&logic.histories, wanted, learn)?;
    Ok(recommender)
}

fn batch(logic: &Logic, period_ms: i64, wanted: &dyn Fn() -> bool) -> Result<Factory> {
    let trained = trained(logic, wanted)?;
    Ok(Box::new(move || Box::new(HourlyRecommendations::starting_from(trained.clone(), period_ms))))
}

fn replay(_: &Logic, period_ms: i64) -> Box<dyn Replayed> {
    let config = RecommendationsConfig::default();
    let processor: Box<dyn Processor> = match period_ms {
        0 => Box::new(RecommendationsProcessor::new(config)),
        period_ms => Box::new(HourlyRecommendations::new(config, period_ms)),
    };
    Box::new(processor)
}

fn lanes(logic: &Logic, world: Option<&World>, periods_ms: &[i64]) -> Result<Lanes> {
    // One recommender reads all partitions here.
    let sessions = RecommendationsConfig::default().sessions;
    let trained = train(world.map(before_the_show).into_iter().flatten(), logic, sessions, &|| true)?;
    let batch = |&period_ms: &i64| -> Box<dyn Processor> {
        Box::new(HourlyRecommendations::starting_from(trained.clone(), period_ms))
    };
    Ok(Box::new(Separate {
        batch: periods_ms.iter().map(batch).collect(),
        stream: Box::new(trained.clone()),
    }))
}

/// The screen shows missed clicks, and beside them what an old model with a live session misses.
fn bill_items(bill: &dyn BusinessBill, lines: &[Line]) -> Vec<BillItem> {
    let Some(shop) = bill.of_type::<ShopBill>() else { return Vec::new() };
    let clicks = shop.stream.cases as f64;
    let missed = |lane: &ShopLane| (lane.cases - lane.hits) as f64;
    let mut missed_clicks = item(missed(&shop.stream), missed(&shop.batch), shop.stream.cases);
    (missed_clicks.interval_95, missed_clicks.verdict) =
        judged(lines, &MISSED_CLICKS_PERCENT, clicks / 100.0);
    // What the stale model missed beyond the stream where both were judged, as if it had been
    // judged everywhere.
    let stale = shop.stale.hit_rate().zip(shop.stream_beside_stale.hit_rate());
    missed_clicks.stale_model = stale.map(|(stale, stream)| missed(&shop.stream) + (stream - stale) * clicks);
    (missed_clicks.stale_interval_95, missed_clicks.stale_verdict) =
        judged(lines, &MISSED_CLICKS_STALE_PERCENT, clicks / 100.0);
    vec![named(
        "missed_clicks",
        ("missed clicks", "missed clicks"),
        (2, "missed clicks", "clicks"),
        missed_clicks,
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click_id(event: &Event) -> Option<String> {
        if let Event::Clicks(click) = event { click.event_id.clone() } else { None }
    }

    /// Seed 1004 sends a click five seconds before this show, and its retry in it.
    #[test]
    fn what_was_sent_before_a_show_is_not_sent_again_in_it() {
        let start = "1969-12-31T23:59:00Z".parse().expect("an instant");
        let world = World { seed: 1004, start, drivers: 1, map: None };
        let before: HashSet<String> = before_the_show(&world).filter_map(|event| click_id(&event)).collect();
        let until = start.plus_ms(RETRIES_MS);
        let whole = Shop::new(world_config(&world)).skip_while(|emission| emission.at < start);
        let whole: Vec<Emission> = whole.take_while(|emission| emission.at < until).collect();
        let show: Vec<Emission> = from_the_start(&world).take_while(|emission| emission.at < until).collect();
        let again = |emissions: &[Emission]| {
            emissions.iter().filter_map(|it| click_id(&it.event)).filter(|id| before.contains(id)).count()
        };
        assert!(again(&whole) > 0, "a retry to leave out");
        assert_eq!(again(&show), 0);
        assert_eq!(show.len(), whole.len() - again(&whole), "nothing else is left out");
    }
}
