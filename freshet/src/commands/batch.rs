//! `freshet batch`: one job of the batch lane, on a schedule of its own or a window at a time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::Admin;
use events::{Timestamp, Topic};
use lanes::warehouse::Warehouse;
use lanes::{
    BatchConfig, BatchError, Control, DesiredState, Schedule, SharedState, Stage, WindowError, WindowRun,
    open_with_retry, run_batch,
};
use processor::Processor;

use super::consume::{forward_commands, tell};
use super::worker_settings;
use crate::cli::{BatchArgs, Span};
use crate::temporary::Folder;
use scenarios::Interrupted;
use scenarios::business::Factory;
use scenarios::priority::{Priority, lower_priority};
use scenarios::{businesses, control, topics};

/// The most windows that one `--window` may hold: more is a mistyped year.
const MOST_WINDOWS: i64 = 10_000;

/// Runs the job on its schedule, once, or over the windows that are named.
pub(crate) fn run(args: &BatchArgs) -> Result<()> {
    let windows = args.window.map(|span| windows(span, args.period.ms())).transpose()?;
    // A job that processes an hour's records in one pass must not keep a terminal waiting that
    // shares the machine with it.
    lower_priority(Priority::Hours);
    let control = Control::new();
    forward_commands(&control, control::orders(args.control.supervised)?)?;
    let config = config(args)?;
    match windows {
        Some(windows) => by_hand(args, &config, &windows, &control),
        None => scheduled(args, &config, &control),
    }
}

fn config(args: &BatchArgs) -> Result<BatchConfig> {
    let job = args.job;
    let settings = worker_settings(&args.cluster, &args.control, job.group)?;
    // Anybody's topics tell the time by their records; a show has a clock that every process is
    // given.
    let schedule = match args.time.started_at {
        Some(_) => Schedule::Clock(args.time.clock()),
        None => Schedule::EventTime,
    };
    Ok(BatchConfig {
        marts: businesses::marts(),
        period_ms: args.period.ms(),
        grace_ms: args.grace.ms(),
        once: args.once,
        horizon_ms: job.horizon_ms.map(|horizon_ms| horizon_ms.max(2 * args.period.ms())),
        whole: job.whole,
        retries: args.retries,
        ..BatchConfig::hourly(settings, job.group, job.outputs, schedule)
    })
}

fn scheduled(args: &BatchArgs, config: &BatchConfig, control: &Control) -> Result<()> {
    let factory = factory(args, control)?;
    ready(config, args.job.inputs)?;
    let mut warehouse = open(args, control)?;
    tell(&run_batch(config, &*factory, &mut *warehouse, control)?);
    Ok(())
}

/// Every window from the first to the last, or one step of each.
fn by_hand(
    args: &BatchArgs,
    config: &BatchConfig,
    windows: &[(Timestamp, Timestamp)],
    control: &Control,
) -> Result<()> {
    let stages = args.stage.map_or(Stage::ALL.to_vec(), |stage| vec![stage.into()]);
    let temporary = if args.files.is_none() { Some(Folder::new()?) } else { None };
    let folder = temporary.as_ref().map(Folder::path).or(args.files.as_deref());
    let folder = folder.context("a run needs a folder for its files")?;
    // Only what the stages need: `transform` runs with neither cluster nor database.
    let needs = |wanted: &[Stage]| stages.iter().any(|stage| wanted.contains(stage));
    let factory = needs(&[Stage::Transform]).then(|| factory(args, control)).transpose()?;
    let databases = needs(&[Stage::Extract, Stage::Load, Stage::Publish]);
    let mut warehouse = databases.then(|| open(args, control)).transpose()?;
    if needs(&[Stage::Extract, Stage::Publish]) {
        ready(config, args.job.inputs)?;
    }
    // Windows whose files are temporary need not each read what all have in common.
    let shared = match (&factory, windows.last()) {
        (Some(factory), Some((_, end))) if temporary.is_some() => Some(SharedState::new(&**factory, *end)),
        _ => None,
    };
    for window in windows {
        let run = WindowRun::new(config, *window, folder, control);
        let run = match &shared {
            Some(shared) => run.with_shared_state(shared),
            None => run,
        };
        for stage in &stages {
            step(&run, *stage, args.job.inputs, factory.as_deref(), warehouse.as_deref_mut()).map_err(
                |error| match error.downcast_ref() {
                    Some(WindowError::Run(BatchError::Interrupted { .. })) => Interrupted.into(),
                    _ => error,
                },
            )?;
        }
    }
    Ok(())
}

/// One step, and a sentence about it.
fn step(
    run: &WindowRun<'_>,
    stage: Stage,
    inputs: &[Topic],
    factory: Option<&dyn Fn() -> Box<dyn Processor>>,
    warehouse: Option<&mut (dyn Warehouse + 'static)>,
) -> Result<()> {
    let database = "every stage but transform was given a database";
    let said = match stage {
        Stage::Extract => {
            let done = run.extract(inputs, warehouse.context(database)?)?;
            match done.run.records {
                0 => format!("an empty window: no record lies in it, {} lie before it", done.past),
                records => format!("{records} records, and {} before them", done.past),
            }
        }
        Stage::Transform => {
            let done = run.transform(factory.context("transform was given a processor")?)?;
            let broken = match done.dead_letters {
                0 => String::new(),
                letters => format!(", {letters} of them dead letters"),
            };
            format!("{} rows, {} answers{broken}", done.rows, done.answers)
        }
        Stage::Load => {
            let done = run.load(warehouse.context(database)?)?;
            format!("{} rows are in the database", done.rows)
        }
        Stage::Publish => {
            let done = run.publish(warehouse.context(database)?)?;
            format!("{} answers sent, {} were there already", done.answers, done.already)
        }
    };
    say!("{}: {}: {said}", run.batch_id(), stage.name());
    Ok(())
}

/// The periods that a span consists of.
fn windows(span: Span, period_ms: i64) -> Result<Vec<(Timestamp, Timestamp)>> {
    for at in [span.start, span.end] {
        let before = at.floor(period_ms);
        if before != at {
            bail!(
                "--window: {at} is inside a period: periods of {} are aligned to midnight UTC, so name {before} or {}, or another --period",
                length(period_ms),
                before.plus_ms(period_ms)
            );
        }
    }
    let count = span.end.since_ms(span.start) / period_ms;
    if count > MOST_WINDOWS {
        bail!(
            "--window {}..{} holds {count} periods of {}: name at most {MOST_WINDOWS} at once, or a longer --period",
            span.start,
            span.end,
            length(period_ms)
        );
    }
    let start = |n: i64| span.start.plus_ms(n * period_ms);
    Ok((0..count).map(|n| (start(n), start(n + 1))).collect())
}

/// A length of time as people write it.
fn length(ms: i64) -> String {
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms % unit_ms == 0 {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

/// Makes the topics that are not there yet.
fn ready(config: &BatchConfig, inputs: &[Topic]) -> Result<()> {
    let admin = Admin::connect(&config.settings, Duration::from_secs(5))?;
    let ours = [Topic::BatchRuns, Topic::DeadLetters];
    Ok(topics::ensure(&admin, &[inputs, &config.outputs, &ours].concat())?)
}

/// The database, and the folder of its file. A job on a schedule waits for one that is down as long
/// as it takes.
fn open(args: &BatchArgs, control: &Control) -> Result<Box<dyn Warehouse>> {
    if !args.database.contains("://")
        && let Some(folder) = Path::new(&args.database).parent()
    {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("could not make the folder {} (name another database with --database)", folder.display())
        })?;
    }
    let ends = args.once || args.window.is_some();
    Ok(open_with_retry(&args.database, &businesses::marts(), ends.then_some(args.retries), control)?)
}

/// Learns what the job has to know before its first run, until told to end.
fn factory(args: &BatchArgs, control: &Control) -> Result<Factory> {
    (args.job.processors)(&args.logic(), args.period.ms(), &|| control.desired_state() != DesiredState::Stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_whole_periods() {
        let span = |text: &str| text.parse::<Span>().unwrap();
        let hours = windows(span("2026-03-03T09:00:00Z..2026-03-03T12:00:00Z"), 3_600_000).unwrap();
        assert_eq!(hours.len(), 3);
        assert_eq!(hours[0].1, hours[1].0, "without a gap");
        let error = windows(span("2026-03-03T09:10:00Z..2026-03-03T12:00:00Z"), 3_600_000).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("periods of 1h") && said.contains("name 2026-03-03T09:00:00.000Z or"),
            "{said}"
        );
        assert!(windows(span("2026-03-03T09:10:00Z..2026-03-03T09:20:00Z"), 600_000).is_ok());
        let years = windows(span("1026-03-03..2026-03-03"), 60_000).unwrap_err();
        assert!(years.to_string().contains("at most 10000"), "{years}");
    }
}
