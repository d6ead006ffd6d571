//! `freshet batch`: one job of the batch lane.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::Admin;
use consumers::Processor;
use consumers::eta::{EtaConfig, FrozenHour};
use consumers::fraud::FraudBatch;
use consumers::lanes::{BatchConfig, Control, Schedule, run_batch};
use consumers::recommendations::HourlyRecommendations;
use consumers::warehouse::Sqlite;
use events::Topic;

use super::consume::{RIDES_HORIZON_MS, learnt_fraud, learnt_recommendations, tell, wire};
use super::replay::map;
use super::settings;
use crate::cli::{BatchArgs, Job};
use crate::{control, topics};

/// Makes the processor of each task.
type Factory = Box<dyn Fn() -> Box<dyn Processor>>;

/// Runs the job on its schedule, or once.
pub(crate) fn run(args: &BatchArgs) -> Result<()> {
    if args.period.ms() == 0 {
        bail!(
            "--period 0s: a job needs time between its runs; without any it is the stream (`freshet consume`)"
        );
    }
    // A job that runs an hour's records at a stretch must not keep a terminal waiting that shares the machine with it. Where
    // that can't be said, it does no harm.
    let _ = rustix::process::nice(10);
    let control = Control::new();
    wire(&control, control::orders(args.control.supervised)?)?;
    let name = name(args.job);
    let settings = settings(&args.cluster, args.control.client_id.as_deref().unwrap_or(name));
    let (outputs, horizon_ms): (&[Topic], _) = match args.job {
        Job::Eta => (&[Topic::EtaBatch], Some(RIDES_HORIZON_MS.max(2 * args.period.ms()))),
        Job::Fraud => (&[Topic::FraudBatch], None),
        Job::Recommendations => (&[Topic::RecommendationsBatch, Topic::RecommendationsStale], None),
    };
    let factory = factory(args)?;
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    let ours = [Topic::BatchRuns, Topic::DeadLetters];
    topics::ensure(&admin, &[factory().inputs(), outputs, &ours].concat())?;
    // Anybody's topics tell the time by their records; a show has a clock that every process is given.
    let schedule = match args.time.started_at {
        Some(_) => Schedule::Clock(args.time.clock()),
        None => Schedule::EventTime,
    };
    let config = BatchConfig {
        period_ms: args.period.ms(),
        once: args.once,
        horizon_ms,
        ..BatchConfig::hourly(settings, name, outputs, schedule)
    };
    if let Some(folder) = args.database.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
    }
    let mut warehouse = Sqlite::open(&args.database)?;
    tell(&run_batch(&config, &*factory, &mut warehouse, &control)?);
    Ok(())
}

fn factory(args: &BatchArgs) -> Result<Factory> {
    let period_ms = args.period.ms();
    Ok(match args.job {
        Job::Eta => {
            let config = EtaConfig { period_ms, ..EtaConfig::new(map(args.map.as_ref())?) };
            Box::new(move || Box::new(FrozenHour::new(&config)))
        }
        Job::Fraud => {
            let learnt = learnt_fraud(&args.costs, args.history.as_deref())?;
            Box::new(move || Box::new(FraudBatch::over(learnt.clone(), period_ms)))
        }
        Job::Recommendations => {
            let learnt = learnt_recommendations(args.history.as_deref())?;
            Box::new(move || Box::new(HourlyRecommendations::over(learnt.clone(), period_ms)))
        }
    })
}

fn name(job: Job) -> &'static str {
    match job {
        Job::Eta => "batch-eta",
        Job::Fraud => "batch-fraud",
        Job::Recommendations => "batch-recommendations",
    }
}
