//! `freshet compare`: what waiting costs, at several periods, on one and the same log.
//!
//! The log is simulated on the spot or read from a file that `freshet record` wrote; no broker is
//! needed. The comparing itself is [pure](bill::compare). Here events are made or read, handed to
//! a thread for each business, and the report is written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use events::{Event, HOUR_MS, Timestamp};
use scenarios::business::Business;
use scenarios::businesses::Scenario;

use crate::cli::{CompareArgs, Format};
use crate::output::print;
use bill::compare::{
    Arrivals, BusinessReport, Comparison, Report, Source, judged_from, page, period_name, picture,
};
use bill::{Terms, business_of};
use scenarios::lines::{self, Parsed};

/// Events are handed over in bunches, of which so many may wait.
const BATCH: usize = 1_024;
const WAITING: usize = 16;
/// How often progress is reported.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Compares, and prints what came out.
pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let mut periods_ms: Vec<i64> =
        args.periods.iter().map(|period| period.ms()).filter(|&ms| ms > 0).collect();
    periods_ms.sort_unstable();
    periods_ms.dedup();
    if periods_ms.is_empty() {
        bail!(
            "nothing to compare: 0s is the stream itself; name a period beside it, such as --periods 0s,1m,1h"
        );
    }
    let businesses = &args.scenario.businesses[..];
    let log = match &args.from {
        Some(path) => ComparedLog::recorded(path, args, businesses)?,
        None => ComparedLog::simulated(args)?,
    };
    let from = judged_from(log.start, log.end, &periods_ms);
    let compared = compare(args, &log, businesses, &periods_ms, from)?;
    let report = Report {
        source: log.source.clone(),
        start: log.start,
        end: log.end,
        judged_from: from,
        businesses: judged(compared, &args.scenario, &log)?,
    };
    if let Some(path) = &args.html {
        std::fs::write(path, page(&report))
            .with_context(|| format!("could not write the page {}", path.display()))?;
        say!("the page is {}", path.display());
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, picture(&report))
            .with_context(|| format!("could not write the picture {}", path.display()))?;
        say!("the picture is {}", path.display());
    }
    print(|out| match args.format {
        Format::Text => write!(out, "{report}"),
        Format::Jsonl => {
            report.json_lines(dashboard::headless::SCHEMA).iter().try_for_each(|line| writeln!(out, "{line}"))
        }
    })
}

/// Those that could be judged; an error when none could, or when the one that was asked for could
/// not.
fn judged(
    compared: Vec<BusinessReport>,
    scenario: &Scenario,
    log: &ComparedLog,
) -> Result<Vec<BusinessReport>> {
    let (judged, unjudged): (Vec<_>, Vec<_>) =
        compared.into_iter().partition(|business| business.events > 0 && !business.curves.is_empty());
    for business in &unjudged {
        let name = business.name();
        let why = if business.events == 0 {
            "the log holds no events of it".to_owned()
        } else if business.truths == 0 {
            "the log holds no simulation_truth of it, and nobody else knows what was right: record that topic too".to_owned()
        } else {
            format!(
                "nothing could be judged: no case was over in the second half of {} of events; a longer log has some",
                period_name(log.end.since_ms(log.start))
            )
        };
        if !scenario.is_all() || judged.is_empty() {
            bail!("{name}: {why}");
        }
        say!("{name} is left out: {why}");
    }
    Ok(judged)
}

/// The log that is compared on.
struct ComparedLog {
    source: Source,
    start: Timestamp,
    end: Timestamp,
}

impl ComparedLog {
    fn simulated(args: &CompareArgs) -> Result<Self> {
        // Of several, the one that needs the shortest log sets the length.
        let usual = args.scenario.businesses.iter().map(|business| business.comparison.usual_ms);
        let usual_ms = usual.min().unwrap_or(HOUR_MS);
        let end = args.start.plus_ms(asked_ms(args)?.unwrap_or(usual_ms));
        Ok(Self { source: Source::Simulated { seed: args.seed }, start: args.start, end })
    }

    /// Reads the file once to know from when to when it goes: that decides which cases every period
    /// has a run for.
    fn recorded(path: &Path, args: &CompareArgs, businesses: &[&'static Business]) -> Result<Self> {
        let asked_ms = asked_ms(args)?;
        let (mut start, mut arrivals, mut lines) = (None, Arrivals::default(), 0_u64);
        read(path, |event| {
            lines += 1;
            if business_of(&event).is_some_and(|of| businesses.iter().any(|business| business.id == of)) {
                let now = arrivals.arrives(&event);
                start.get_or_insert(now);
            }
            true
        })?;
        let (Some(start), Some(end)) = (start, arrivals.now()) else {
            let names: Vec<_> = businesses.iter().map(|business| business.name).collect();
            bail!(
                "{} holds no events of {}{}: record them with `freshet record` while a demo runs, simulation_truth included",
                path.display(),
                names.join(", "),
                if lines == 0 { ", nor any other that can be read" } else { "" },
            );
        };
        // The end of a show's log depends on wall-clock time; two of them are equal as far as both
        // go.
        let end = asked_ms.map_or(end, |asked_ms| end.min(start.plus_ms(asked_ms)));
        Ok(Self { source: Source::File { path: path.display().to_string() }, start, end })
    }
}

/// How much event time is to be compared on, if it was said.
fn asked_ms(args: &CompareArgs) -> Result<Option<i64>> {
    let length = |ms: i64| (ms as f64 * args.speed.unwrap_or(1.0)) as i64;
    let asked_ms = args.duration.map(|duration| length(duration.ms()));
    if asked_ms.is_some_and(|ms| ms <= 0) {
        bail!("--duration 0s: a log without events has nothing to compare");
    }
    Ok(asked_ms)
}

/// Hands every event in the file to `take` until it returns false; says on standard error what was
/// passed over.
fn read(path: &Path, mut take: impl FnMut(Event) -> bool) -> Result<Vec<String>> {
    let file = File::open(path).with_context(|| format!("could not read {}", path.display()))?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let (mut broken, mut first_broken) = (0_u64, None);
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).with_context(|| format!("could not read {}", path.display()))?
            == 0
        {
            break;
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match lines::parse(&line) {
            Ok(Parsed::Event(event)) => {
                if !take(event) {
                    break;
                }
            }
            Ok(Parsed::OtherTopic) => {}
            Err(error) => {
                broken += 1;
                first_broken.get_or_insert_with(|| format!("line {number}: {error}"));
            }
        }
    }
    Ok(first_broken
        .map(|first| format!("{broken} broken lines were passed over; the first is {first}"))
        .into_iter()
        .collect())
}

/// Runs every lane over the log, a thread a business.
fn compare(
    args: &CompareArgs,
    log: &ComparedLog,
    businesses: &[&'static Business],
    periods_ms: &[i64],
    from: Timestamp,
) -> Result<Vec<BusinessReport>> {
    let reached: Vec<AtomicI64> = businesses.iter().map(|_| AtomicI64::new(log.start.ms())).collect();
    let (done, finished) = channel::<()>();
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut comparing = Vec::new();
        for (&business, reached) in businesses.iter().zip(&reached) {
            let (send, bunches) = sync_channel::<Vec<Event>>(WAITING);
            senders.push(send);
            let done = done.clone();
            comparing.push(scope.spawn(move || {
                let _done = done;
                let logic = args.logic();
                let world = args.from.is_none().then(|| args.world());
                let lanes = (business.comparison.lanes)(&logic, world.as_ref(), periods_ms)?;
                let terms = Terms { judged_from: from, costs: logic.costs };
                let comparison = Comparison::new(business.bill, lanes, periods_ms.len(), &terms);
                Ok(follow(comparison, &bunches, reached, periods_ms))
            }));
        }
        drop(done);
        let reading = if let Some(path) = &args.from {
            Some(scope.spawn(move || route(path, log.end, businesses, senders)))
        } else {
            for (&business, send) in businesses.iter().zip(senders) {
                scope.spawn(move || simulate(args, business, log.end, &send));
            }
            None
        };
        tell_progress(log, businesses, &reached, &finished);
        if let Some(reading) = reading {
            for words in reading.join().expect("reading does not panic")? {
                say!("{words}");
            }
        }
        comparing.into_iter().map(|one| one.join().expect("comparing does not panic")).collect()
    })
}

fn follow(
    mut comparison: Comparison,
    bunches: &Receiver<Vec<Event>>,
    reached: &AtomicI64,
    periods_ms: &[i64],
) -> BusinessReport {
    for bunch in bunches {
        for event in &bunch {
            comparison.take(event);
        }
        if let Some(now) = comparison.now() {
            reached.store(now.ms(), Ordering::Relaxed);
        }
    }
    comparison.finish(periods_ms)
}

/// Makes a business's events up to `end`.
fn simulate(
    args: &CompareArgs,
    business: &Business,
    end: Timestamp,
    send: &SyncSender<Vec<Event>>,
) -> Result<()> {
    let emissions = (business.producer.simulate)(&args.world())?;
    let mut events =
        emissions.take_while(|emission| emission.at < end).map(|emission| emission.event).peekable();
    while events.peek().is_some() {
        if send.send(events.by_ref().take(BATCH).collect()).is_err() {
            break;
        }
    }
    Ok(())
}

/// Hands each event in the file that arrives up to `end` to its business.
fn route(
    path: &Path,
    end: Timestamp,
    businesses: &[&'static Business],
    senders: Vec<SyncSender<Vec<Event>>>,
) -> Result<Vec<String>> {
    let mut arrivals = Arrivals::default();
    let mut bunches: Vec<Vec<Event>> = businesses.iter().map(|_| Vec::with_capacity(BATCH)).collect();
    let words = read(path, |event| {
        let of = business_of(&event).and_then(|of| businesses.iter().position(|business| business.id == of));
        let Some(place) = of else { return true };
        if arrivals.arrives(&event) > end {
            return true;
        }
        bunches[place].push(event);
        bunches[place].len() < BATCH
            || senders[place].send(std::mem::replace(&mut bunches[place], Vec::with_capacity(BATCH))).is_ok()
    })?;
    for (bunch, send) in bunches.into_iter().zip(senders) {
        let _ = send.send(bunch);
    }
    Ok(words)
}

/// Tells how far each business has come, once a second, until all have finished: on one line of a
/// terminal, or now and then as a line of a file.
fn tell_progress(
    log: &ComparedLog,
    businesses: &[&'static Business],
    reached: &[AtomicI64],
    finished: &Receiver<()>,
) {
    let terminal = io::stderr().is_terminal();
    let all_ms = log.end.since_ms(log.start).max(1);
    let mut seconds = 0_u64;
    // No value is sent; the channel closes when the last thread has finished.
    while finished.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
        seconds += 1;
        let line: Vec<String> = businesses
            .iter()
            .zip(reached)
            .map(|(&business, reached)| {
                let done_ms = reached.load(Ordering::Relaxed) - log.start.ms();
                let name = business.name;
                match done_ms {
                    0 => format!("{name} learns from its past"),
                    _ => format!("{name} {:.0} %", 100.0 * (done_ms as f64 / all_ms as f64).min(1.0)),
                }
            })
            .collect();
        if terminal {
            let _ = write!(io::stderr(), "\r\x1b[Kcomparing: {}", line.join(", "));
        } else if seconds.is_multiple_of(5) {
            say!("comparing: {}", line.join(", "));
        }
    }
    if terminal && seconds > 0 {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
