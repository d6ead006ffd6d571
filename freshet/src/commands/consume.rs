//! `freshet consume`: one consumer of the stream lane.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::{Admin, GroupOptions};
use consumers::Processor;
use consumers::eta::{EtaConfig, EtaProcessor, TrafficProcessor};
use consumers::fraud::{FraudConfig, FraudProcessor, TrainedSnapshot};
use consumers::lanes::{Control, StreamConfig, Wish, WorkerStats, run_stream};
use consumers::notifications::NotificationsProcessor;
use consumers::recommendations::{RecommendationsConfig, RecommendationsProcessor};
use events::{Event, HOUR_MS, Topic};

use super::replay::{fraud_config, map};
use super::{Interrupted, settings};
use crate::cli::{ConsumeArgs, Consumer, FraudCosts};
use scenarios::control;
use scenarios::lines::{self, Parsed};
use scenarios::priority::{Priority, lower_priority};
use scenarios::supervise::Order;
use scenarios::topics;

/// How much event time a consumer of positions needs to be itself again after a crash: a trip lasts
/// no longer, and what is believed of the traffic has half-forgotten what is older.
pub(crate) const RIDES_HORIZON_MS: i64 = HOUR_MS / 2;

/// Of how many of a partition's latest swipes the ids are remembered, lest one that was sent twice
/// be decided twice: 10 MB. Who sends again does so within minutes, and this is the better part of
/// an hour at a hundred swipes a second.
const REMEMBERED: usize = 400_000;

/// Runs until told to stop.
pub(crate) fn run(args: &ConsumeArgs) -> Result<()> {
    if !matches!(args.consumer, Consumer::Fraud | Consumer::Recommendations) {
        lower_priority(Priority::Moments);
    }
    let control = Control::new();
    forward_commands(&control, control::orders(args.control.supervised)?)?;
    let name = name(args.consumer);
    let group = args.group.as_deref().unwrap_or(name);
    let settings = settings(&args.cluster, args.control.client_id.as_deref().unwrap_or(name));
    let stats = match args.consumer {
        Consumer::Eta => {
            let config =
                EtaConfig { lateness_ms: args.lateness.ms(), ..EtaConfig::new(map(args.map.as_ref())?) };
            let lane = StreamConfig {
                broadcast: vec![Topic::Traffic],
                horizon_ms: Some(RIDES_HORIZON_MS),
                member: gathering(10),
                ..StreamConfig::new(settings, group, &[Topic::EtaUpdates, Topic::RoadTraversals])
            };
            worker(&lane, &|| Box::new(EtaProcessor::new(&config)), &control)
        }
        Consumer::Traffic => {
            let config =
                EtaConfig { lateness_ms: args.lateness.ms(), ..EtaConfig::new(map(args.map.as_ref())?) };
            let lane = StreamConfig {
                horizon_ms: Some(RIDES_HORIZON_MS),
                member: gathering(20),
                ..StreamConfig::new(settings, group, &[Topic::Traffic])
            };
            worker(&lane, &|| Box::new(TrafficProcessor::new(&config)), &control)
        }
        Consumer::Fraud => {
            let learnt = learnt_fraud(&args.costs, args.history.as_deref(), &control)?;
            let lane = StreamConfig::new(settings, group, &[Topic::FraudDecisions]);
            worker(&lane, &|| Box::new(learnt.fork()), &control)
        }
        Consumer::Recommendations => {
            let lane = StreamConfig::new(settings, group, &[Topic::Recommendations]);
            let learnt = learnt_recommendations(args.history.as_deref(), &control)?;
            worker(&lane, &|| Box::new(learnt.clone()), &control)
        }
        Consumer::Notifications => {
            let lane = StreamConfig {
                horizon_ms: Some(HOUR_MS),
                member: gathering(10),
                ..StreamConfig::new(settings, group, &[Topic::Notifications])
            };
            worker(&lane, &|| Box::new(NotificationsProcessor::new()), &control)
        }
    }?;
    tell(&stats);
    Ok(())
}

/// A member that takes so many milliseconds' worth of records at a time. Nobody who waits for a car
/// or reads a text feels them, and thousands of records a second cost a third less. A terminal and
/// a shopper are answered at once.
fn gathering(ms: u64) -> GroupOptions {
    GroupOptions { gather: Duration::from_millis(ms), ..GroupOptions::default() }
}

/// Makes the topics that are not there yet, and runs a worker of the stream lane.
fn worker(
    lane: &StreamConfig,
    factory: &dyn Fn() -> Box<dyn Processor>,
    control: &Control,
) -> Result<WorkerStats> {
    let admin = Admin::connect(&lane.settings, Duration::from_secs(5))?;
    let inputs = factory().inputs();
    topics::ensure(&admin, &[inputs, &lane.outputs, &lane.broadcast, &[Topic::DeadLetters]].concat())?;
    Ok(run_stream(lane, factory, control)?)
}

fn name(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::Eta => "eta",
        Consumer::Traffic => "traffic",
        Consumer::Fraud => "fraud",
        Consumer::Recommendations => "recommendations",
        Consumer::Notifications => "notifications",
    }
}

/// Passes orders on to a lane.
pub(crate) fn forward_commands(control: &Control, orders: Receiver<Order>) -> Result<()> {
    let control = control.clone();
    thread::Builder::new().name("orders to the lane".into()).spawn(move || {
        for order in orders {
            match order {
                Order::Pause => control.pause(),
                Order::Resume => control.resume(),
                Order::Stop => control.stop(),
                Order::Period(ms) => control.set_period_ms(ms),
                Order::Close => control.close(),
                Order::Burst => {}
            }
        }
    })?;
    Ok(())
}

/// What a detector learns from a recorded past, whose verdicts nobody needs any more.
pub(crate) fn learnt_fraud(
    costs: &FraudCosts,
    history: Option<&Path>,
    control: &Control,
) -> Result<TrainedSnapshot> {
    let config = FraudConfig { max_remembered: REMEMBERED, ..fraud_config(costs) };
    let mut detector = FraudProcessor::new(config);
    let mut verdicts = Vec::new();
    read_history(history, &|| control.wish() != Wish::Stop, |event| {
        detector.process(event, &mut verdicts);
        verdicts.clear();
    })?;
    Ok(TrainedSnapshot::of(detector))
}

/// A recommender that has read a recorded past; no page is made of it.
pub(crate) fn learnt_recommendations(
    history: Option<&Path>,
    control: &Control,
) -> Result<RecommendationsProcessor> {
    let mut recommender = RecommendationsProcessor::new(RecommendationsConfig::default());
    read_history(history, &|| control.wish() != Wish::Stop, |event| {
        if let Event::Clicks(click) = event {
            recommender.learn(click);
        }
    })?;
    recommender.share_past();
    Ok(recommender)
}

/// Hands every event of a recorded past to `take`, as long as it is `wanted`: who is told to end in
/// the middle of learning must neither make others wait nor answer with half a past.
pub(crate) fn read_history(
    history: Option<&Path>,
    wanted: &dyn Fn() -> bool,
    mut take: impl FnMut(&Event),
) -> Result<()> {
    let Some(path) = history else { return Ok(()) };
    let file = File::open(path).with_context(|| format!("could not read the history {}", path.display()))?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    while file.read_until(b'\n', &mut line).with_context(|| format!("could not read {}", path.display()))? > 0
    {
        number += 1;
        let parsed = lines::parse(&line).with_context(|| format!("{} line {number}", path.display()))?;
        if let Parsed::Event(event) = parsed {
            take(&event);
        }
        line.clear();
        if number % 1_024 == 0 && !wanted() {
            return Err(Interrupted.into());
        }
    }
    Ok(())
}

/// A worker's last words.
pub(crate) fn tell(stats: &WorkerStats) {
    eprintln!("{stats}");
}
