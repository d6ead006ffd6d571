//! Payments: cards presented at terminals, and what a late decision costs.
//!
//! A swipe is a question that a terminal waits for. The stream decides before the sale; the batch
//! lane finds the theft when the sale is long made. What was fraud comes days later, as
//! chargebacks, and both lanes learn from it.

mod closing;
mod evaluation;
mod pending_labels;
mod stolen;
mod terminals;

use std::time::Duration;

use anyhow::Result;
use bill::compare::Separate;
use bill::{BusinessBill, Line, MONEY_CENTS, PaymentsBill};
use consumers::fraud::{FraudBatch, FraudConfig, FraudProcessor, TrainedSnapshot};
use dashboard::{BillItem, Pane, Unit};
use events::{Business as Id, Event, HOUR_MS, SimulationTruth, Timestamp, Topic};
use processor::Processor;
use producers::cards::{Cards, CardsConfig};

use crate::business::{
    Business, Comparison, Emissions, Factory, Freshness, Job, Lanes, Logic, Need, Producer, Replay, Replayed,
    Volume, Worker, World,
};
use crate::history::read_histories;
use crate::ledger::{AnswerOnce, LedgerEntry, QuestionAnswerPair};
use crate::view::{item, judged, named};
use evaluation::EvaluatedDetector;

pub use bill::DEADLINE_MS;

/// Of how many of a partition's latest swipes the ids are remembered, so that one that was sent
/// twice is not decided twice: 1 MB. A retry comes within minutes, and this is the better part of
/// an hour of a burst.
const REMEMBERED: usize = 50_000;

/// How many times the usual comes on top of the usual in a burst.
const MORE: u32 = 9;

/// The business.
pub static PAYMENTS: Business = Business {
    id: Id::Payments,
    name: "payments",
    help: "Card swipes: what a late verdict costs",
    in_every_show: true,
    producer: Producer {
        name: "swipes",
        help: "Cards presented at terminals, and chargebacks days later",
        topics: &[Topic::CardSwipes, Topic::Chargebacks, Topic::SimulationTruth],
        bursts: &[Topic::CardSwipes],
        priority: None,
        needs: &[],
        simulate: |world| Ok(Box::new(Cards::new(&world_config(world)))),
        burst: |world, moment| Ok(burst(world, moment)),
        rename,
        history: Some(|world| Box::new(producers::cards::history(&world_config(world)))),
    },
    workers: &[Worker {
        name: "fraud",
        help: "Approve or decline each swipe",
        serves: &[Id::Payments],
        inputs: &[Topic::CardSwipes, Topic::Chargebacks],
        outputs: &[Topic::FraudDecisions],
        broadcast: &[],
        horizon_ms: None,
        gather: Duration::ZERO,
        priority: None,
        needs: &[Need::History],
        freshness: Some(Freshness {
            questions: &[Topic::CardSwipes],
            answers: Topic::FraudDecisions,
            is_answer: |_| true,
            asked_at: Event::ts,
        }),
        processors: |logic, wanted| {
            let trained = trained(logic, wanted)?;
            Ok(Box::new(move || Box::new(trained.fork())))
        },
    }],
    job: Job {
        name: "fraud",
        group: "batch-fraud",
        help: "Which swipes of the last hour were fraud",
        inputs: &[Topic::CardSwipes, Topic::Chargebacks],
        outputs: &[Topic::FraudBatch],
        horizon_ms: None,
        whole: false,
        needs: &[Need::History],
        processors: batch,
    },
    replay: Replay {
        name: "fraud",
        help: "Swipes and chargebacks to `fraud_decisions`",
        processor: |logic, period_ms| Ok(replay(logic, period_ms)),
    },
    // One swipe in 180 is a fraud, and a few frauds take most of the money: in an hour's 71 frauds
    // a batch lane that lost four times as much can't be told from the stream.
    comparison: Comparison { alone_ms: 36 * HOUR_MS, together_ms: 36 * HOUR_MS, lanes },
    ledger: LedgerEntry {
        pair: QuestionAnswerPair {
            questions: Topic::CardSwipes,
            answers: Topic::FraudDecisions,
            group: "fraud",
            every_record_is_answered: true,
        },
        rule: || Box::new(AnswerOnce::new(swipe_id, |_| true)),
        waiting: "swipes unscored",
    },
    mart: &consumers::fraud::MART,
    bill: &bill::PAYMENTS,
    bill_items,
    answer_replay: None,
    volume: Volume {
        kib_per_hour: &[
            (Topic::CardSwipes, 6_144),
            (Topic::FraudDecisions, 6_144),
            (Topic::FraudBatch, 6_144),
        ],
        per_car: false,
        // The file of the history is 135. The swipes that wait for their label are as much as the
        // rest, of the worker and of the job, in the first day of a show.
        history_mib: 261,
    },
    pane: Pane::Payments,
    view: |_| Box::new(terminals::PaymentsView::default()),
    closing: Some(closing::closing),
};

/// The card holders of a show: at the busiest six swipes a second of simulated time, so that a few
/// minutes of watching hold enough fraud to tell the lanes apart. Its history is that of a tenth of
/// them: so little can be learnt from in a second or two. Most cards are unknown at first, as to
/// any detector whose bank grows; of those that it knows it knows three weeks.
fn world_config(world: &World) -> CardsConfig {
    CardsConfig {
        seed: world.seed,
        start: world.start,
        cards: 50_000,
        terminals: 6_000,
        busy_swipes_per_second: 6.0,
        history_cards: 5_000,
        history_days: 21,
        staged: world.opening(),
        ..CardsConfig::default()
    }
}

/// More swipes of the same card holders, without a history of their own.
fn burst(world: &World, moment: Timestamp) -> Emissions {
    let usual = world_config(world);
    Box::new(Cards::new(&CardsConfig {
        start: moment,
        busy_swipes_per_second: usual.busy_swipes_per_second * f64::from(MORE),
        history_days: 0,
        staged: None,
        ..usual
    }))
}

fn rename(event: &mut Event, prefix: &str) {
    let to = |id: &mut String| id.insert_str(0, prefix);
    if let Event::CardSwipes(swipe) = event {
        to(&mut swipe.swipe_id);
    } else if let Event::Chargebacks(chargeback) = event {
        to(&mut chargeback.swipe_id);
    } else if let Event::SimulationTruth(SimulationTruth::Swipe { id, .. }) = event {
        to(id);
    }
}

fn swipe_id(question: &Event) -> Option<&String> {
    if let Event::CardSwipes(swipe) = question { Some(&swipe.swipe_id) } else { None }
}

/// The configuration of a replay, a comparison and a worker: the options given, else defaults.
fn config(logic: &Logic) -> FraudConfig {
    FraudConfig { costs: logic.costs, label_delay_ms: logic.label_delay_ms, ..FraudConfig::default() }
}

/// What a worker's detector learns from the histories; their decisions are of no use any more.
fn trained(logic: &Logic, wanted: &dyn Fn() -> bool) -> Result<TrainedSnapshot> {
    let detector = FraudProcessor::new(FraudConfig { max_remembered: REMEMBERED, ..config(logic) });
    train(detector, std::iter::empty(), logic, wanted)
}

fn train(
    mut detector: FraudProcessor,
    history: impl Iterator<Item = Event>,
    logic: &Logic,
    wanted: &dyn Fn() -> bool,
) -> Result<TrainedSnapshot> {
    let mut decisions = Vec::new();
    let mut learn = |event: &Event| {
        detector.process(event, &mut decisions);
        decisions.clear();
    };
    history.for_each(|event| learn(&event));
    read_histories(&logic.histories, wanted, learn)?;
    Ok(TrainedSnapshot::of(detector))
}

fn batch(logic: &Logic, period_ms: i64, wanted: &dyn Fn() -> bool) -> Result<Factory> {
    let trained = trained(logic, wanted)?;
    Ok(Box::new(move || Box::new(FraudBatch::with_detector(trained.fork(), period_ms))))
}

fn replay(logic: &Logic, period_ms: i64) -> Box<dyn Replayed> {
    let config = config(logic);
    let lane: Box<dyn Processor> = match period_ms {
        0 => Box::new(FraudProcessor::new(config.clone())),
        period_ms => Box::new(FraudBatch::new(config.clone(), period_ms)),
    };
    Box::new(EvaluatedDetector::new(lane, &config))
}

fn lanes(logic: &Logic, world: Option<&World>, periods_ms: &[i64]) -> Result<Lanes> {
    let history = world.map(|world| producers::cards::history(&world_config(world)));
    let trained = train(FraudProcessor::new(config(logic)), history.into_iter().flatten(), logic, &|| true)?;
    let batch = |&period_ms: &i64| -> Box<dyn Processor> {
        Box::new(FraudBatch::with_detector(trained.fork(), period_ms))
    };
    Ok(Box::new(Separate { batch: periods_ms.iter().map(batch).collect(), stream: Box::new(trained.fork()) }))
}

/// The screen shows money only with an interval that enough frauds stand behind.
fn bill_items(bill: &dyn BusinessBill, lines: &[Line]) -> Vec<BillItem> {
    let Some(PaymentsBill { stream, batch, .. }) = bill.of_type::<PaymentsBill>() else { return Vec::new() };
    let mut money = item(stream.cost_cents() as f64, batch.cost_cents() as f64, stream.swipes);
    (money.interval_95, money.verdict) = judged(lines, &MONEY_CENTS, 1.0);
    money.unit = Unit::Cents;
    vec![named("money_cents", ("fraud loss + wrong declines, $", "money lost, $"), (0, "", ""), money)]
}
