//! `freshet compare`: what waiting costs, at several periods, on one and the same log.
//!
//! The log is simulated on the spot or read from a file that `freshet record` wrote; no broker is
//! needed. The comparing itself is [pure](bill::compare). Here events are made or read, handed to
//! a thread for each business, and the report is written.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use events::{Event, Timestamp};
use scenarios::business::Business;
use scenarios::businesses::Scenario;

use crate::cli::{CompareArgs, Format};
use crate::output::print;
use crate::progress::{ProgressLine, left_s};
use crate::temporary;
use bill::business_of;
use bill::compare::{Arrivals, BusinessReport, Comparison, Report, Source, Span, page, period_name, picture};
use scenarios::lines::{self, Parsed};
use scenarios::priority::{Priority, lower_priority};

/// Events are handed over in batches, of which so many may wait.
const BATCH: usize = 1_024;
const WAITING: usize = 16;
/// How often progress is reported.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// What takes less than this, in seconds, is not announced.
const SOON_S: u64 = 10;

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
        Some(path) => ComparedLog::recorded(path, args, businesses, &periods_ms)?,
        None => ComparedLog::simulated(args, businesses, &periods_ms)?,
    };
    if let Some(words) = beside(temporary::databases_in_use().len()) {
        say!("{words}");
        // A person who works on a show can wait less than this can.
        lower_priority(Priority::Hours);
    }
    say!("{}", announcement(&log, &periods_ms));
    let compared = compare(args, &log, &periods_ms)?;
    let report = Report { source: log.source.clone(), businesses: judged(compared, &args.scenario)? };
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

/// What is said when so many shows run on this machine; nothing when none does.
fn beside(shows: usize) -> Option<String> {
    let run = match shows {
        0 => return None,
        1 => "a show is running".to_owned(),
        shows => format!("{shows} shows are running"),
    };
    Some(format!(
        "{run} on this machine: comparing leaves it the processors, so it takes much longer than alone; \
         end the show first (`q`)"
    ))
}

/// What is going to be done. How long it takes is measured, for it depends on the machine.
fn announcement(log: &ComparedLog, periods_ms: &[i64]) -> String {
    let periods: Vec<String> = periods_ms.iter().map(|&period_ms| period_name(period_ms)).collect();
    let span =
        |(business, span): &(&'static Business, Span)| format!("{} of {}", span.length(), business.name);
    let spans: Vec<String> = log.spans.iter().map(span).collect();
    format!(
        "comparing the stream with runs every {} on {}; how long it takes is said as soon as it is measured",
        periods.join(", "),
        spans.join(", ")
    )
}

/// Those that could be judged; an error when none could, or when the one that was asked for could
/// not.
fn judged(compared: Vec<BusinessReport>, scenario: &Scenario) -> Result<Vec<BusinessReport>> {
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
                period_name(business.span.end.since_ms(business.span.start))
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
    /// What of it each business is compared on.
    spans: Vec<(&'static Business, Span)>,
}

impl ComparedLog {
    fn simulated(args: &CompareArgs, businesses: &[&'static Business], periods_ms: &[i64]) -> Result<Self> {
        let asked_ms = asked_ms(args)?;
        let span = |&business: &&'static Business| {
            let end = args.start.plus_ms(asked_ms.unwrap_or_else(|| default_ms(business, businesses.len())));
            (business, Span::new(args.start, end, periods_ms))
        };
        let spans = businesses.iter().map(span).collect();
        Ok(Self { source: Source::Simulated { seed: args.seed }, spans })
    }

    /// Reads the file once to know from when to when it goes: that decides which cases every period
    /// has a run for.
    fn recorded(
        path: &Path,
        args: &CompareArgs,
        businesses: &[&'static Business],
        periods_ms: &[i64],
    ) -> Result<Self> {
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
        let span = Span::new(start, end, periods_ms);
        let spans = businesses.iter().map(|&business| (business, span)).collect();
        Ok(Self { source: Source::File { path: path.display().to_string() }, spans })
    }
}

/// How much event time of a business is simulated if it was not said, when so many are compared.
fn default_ms(business: &Business, compared: usize) -> i64 {
    if compared == 1 { business.comparison.alone_ms } else { business.comparison.together_ms }
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
        .map(|first| format!("{broken} malformed lines skipped; the first is {first}"))
        .into_iter()
        .collect())
}

/// Runs every lane over the log, a thread a business.
fn compare(args: &CompareArgs, log: &ComparedLog, periods_ms: &[i64]) -> Result<Vec<BusinessReport>> {
    let spans = &log.spans[..];
    let reached: Vec<AtomicI64> = spans.iter().map(|(_, span)| AtomicI64::new(span.start.ms())).collect();
    let (done, finished) = channel::<()>();
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut comparing = Vec::new();
        for (&(business, span), reached) in spans.iter().zip(&reached) {
            let (send, batches) = sync_channel::<Vec<Event>>(WAITING);
            senders.push(send);
            let done = done.clone();
            comparing.push(scope.spawn(move || {
                let _done = done;
                let logic = args.logic();
                let world = args.from.is_none().then(|| args.world());
                let lanes = (business.comparison.lanes)(&logic, world.as_ref(), periods_ms)?;
                let comparison = Comparison::new(business.bill, lanes, periods_ms.len(), span, logic.costs);
                Ok(follow(comparison, &batches, reached, periods_ms))
            }));
        }
        drop(done);
        let reading = if let Some(path) = &args.from {
            Some(scope.spawn(move || route(path, spans, senders)))
        } else {
            for (&(business, span), send) in spans.iter().zip(senders) {
                scope.spawn(move || simulate(args, business, span.end, &send));
            }
            None
        };
        tell_progress(spans, &reached, &finished);
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
    batches: &Receiver<Vec<Event>>,
    reached: &AtomicI64,
    periods_ms: &[i64],
) -> BusinessReport {
    for batch in batches {
        for event in &batch {
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

/// Hands each event in the file that arrives within the span of its business to it.
fn route(
    path: &Path,
    spans: &[(&'static Business, Span)],
    senders: Vec<SyncSender<Vec<Event>>>,
) -> Result<Vec<String>> {
    let mut arrivals = Arrivals::default();
    let mut batches: Vec<Vec<Event>> = spans.iter().map(|_| Vec::with_capacity(BATCH)).collect();
    let words = read(path, |event| {
        let of = business_of(&event).and_then(|of| spans.iter().position(|(business, _)| business.id == of));
        let Some(place) = of else { return true };
        if arrivals.arrives(&event) > spans[place].1.end {
            return true;
        }
        batches[place].push(event);
        batches[place].len() < BATCH
            || senders[place].send(std::mem::replace(&mut batches[place], Vec::with_capacity(BATCH))).is_ok()
    })?;
    for (batch, send) in batches.into_iter().zip(senders) {
        let _ = send.send(batch);
    }
    Ok(words)
}

/// Tells how long it will take, once it is known, and then how far each business has come and how
/// long the rest will take, until all have finished.
fn tell_progress(spans: &[(&'static Business, Span)], reached: &[AtomicI64], finished: &Receiver<()>) {
    let mut line = ProgressLine::new();
    let mut progress = Progress::new(spans.len());
    let mut announced = false;
    // No value is sent; the channel closes when the last thread has finished.
    while finished.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
        let parts = spans.iter().zip(reached).map(|((_, span), reached)| {
            let done_ms = reached.load(Ordering::Relaxed) - span.start.ms();
            (done_ms as f64 / span.end.since_ms(span.start).max(1) as f64).clamp(0.0, 1.0)
        });
        let parts: Vec<f64> = parts.collect();
        progress.tick(&parts);
        if let Some(left_s) = progress.left_s(&parts).filter(|_| !announced) {
            announced = true;
            if left_s >= SOON_S {
                line.keep(&format!(
                    "at the present rate it takes about {} s in all; a shorter --duration takes less",
                    progress.seconds + left_s
                ));
            }
        }
        let names = spans.iter().map(|(business, _)| business.name);
        line.tell(|| format!("comparing: {}", progress.words(names, &parts)));
    }
}

/// How far each business has come, second by second.
struct Progress {
    seconds: u64,
    /// The second in which each had learnt its past.
    began: Vec<Option<u64>>,
}

impl Progress {
    fn new(businesses: usize) -> Self {
        Self { seconds: 0, began: vec![None; businesses] }
    }

    /// A second has passed, and of each business this part is done, from 0 to 1.
    fn tick(&mut self, parts: &[f64]) {
        self.seconds += 1;
        for (began, &part) in self.began.iter_mut().zip(parts) {
            if part > 0.0 && began.is_none() {
                *began = Some(self.seconds);
            }
        }
    }

    /// How many seconds the slowest still needs, if it goes on as before; none while one is at its
    /// beginning.
    fn left_s(&self, parts: &[f64]) -> Option<u64> {
        let one = |(began, &part): (&Option<u64>, &f64)| left_s(part, (self.seconds - (*began)?) as f64);
        self.began.iter().zip(parts).map(one).collect::<Option<Vec<u64>>>()?.into_iter().max()
    }

    fn words<'a>(&self, names: impl Iterator<Item = &'a str>, parts: &[f64]) -> String {
        let one = |(name, &part): (&str, &f64)| {
            if part == 0.0 {
                format!("{name} learns from its past")
            } else {
                format!("{name} {:.0} %", 100.0 * part)
            }
        };
        let mut words: Vec<String> = names.zip(parts).map(one).collect();
        words.extend(self.left_s(parts).map(|left_s| format!("about {left_s} s left")));
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use events::HOUR_MS;

    use clap::Parser as _;

    /// The spans in hours that these options choose.
    fn hours(options: &[&str]) -> Vec<(&'static str, i64)> {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            args: CompareArgs,
        }
        let args = Only::parse_from([&["compare"], options].concat()).args;
        let log = ComparedLog::simulated(&args, &args.scenario.businesses, &[HOUR_MS]).unwrap();
        let hours = |(business, span): &(&'static Business, Span)| {
            (business.name, span.end.since_ms(span.start) / HOUR_MS)
        };
        log.spans.iter().map(hours).collect()
    }

    #[test]
    fn payments_are_compared_on_36_hours_alone_and_beside_others() {
        assert_eq!(hours(&[]), [("ride-share", 1), ("payments", 36), ("shop", 1)]);
        assert_eq!(hours(&["--scenario", "payments"]), [("payments", 36)]);
        assert_eq!(hours(&["--scenario", "shop"]), [("shop", 6)]);
        let all = hours(&["--duration", "2h"]);
        assert_eq!(all, [("ride-share", 2), ("payments", 2), ("shop", 2)], "what is asked for holds for all");
    }

    #[test]
    fn it_says_what_it_is_going_to_do_and_what_is_in_its_way() {
        #[derive(clap::Parser)]
        struct Only {
            #[command(flatten)]
            args: CompareArgs,
        }
        let args = Only::parse_from(["compare"]).args;
        let log = ComparedLog::simulated(&args, &args.scenario.businesses, &[HOUR_MS]).unwrap();
        let said = announcement(&log, &[10_000, HOUR_MS]);
        assert!(
            said.starts_with(
                "comparing the stream with runs every 10s, 1h on 60 minutes of ride-share, 36 hours of payments, 60 minutes of shop;"
            ),
            "{said}"
        );
        assert_eq!(beside(0), None);
        assert!(beside(1).unwrap().starts_with("a show is running on this machine: "));
        assert!(beside(2).unwrap().starts_with("2 shows are running on this machine: "));
    }

    #[test]
    fn what_is_left_is_known_when_the_slowest_has_begun() {
        let mut progress = Progress::new(2);
        progress.tick(&[0.5, 0.0]);
        assert_eq!(progress.words(["a", "b"].into_iter(), &[0.5, 0.0]), "a 50 %, b learns from its past");
        for part in [0.01, 0.1, 0.2] {
            progress.tick(&[1.0, part]);
        }
        assert_eq!(progress.words(["a", "b"].into_iter(), &[1.0, 0.2]), "a 100 %, b 20 %, about 8 s left");
        assert_eq!(progress.left_s(&[1.0, 1.0]), Some(0));
    }
}
