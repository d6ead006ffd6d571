//! `freshet replay`: any processor over a file, with no broker.
//!
//! The same logic as behind the topics, as fast as it can: that is how it is tried on other
//! people's data, how two versions are compared, and how the batch lane is held against the stream
//! on one and the same log.

use std::io::{self, BufRead, BufWriter, Read, Write};

use anyhow::Result;
use events::Event;
use processor::Processor;
use scenarios::lines::{self, Parsed};
use scenarios::usage::Usage;

use crate::cli::ReplayArgs;
use crate::output::stdout;

/// Reads events from standard input, writes answers to standard output, and says on standard error
/// what it noticed.
pub(crate) fn run(args: &ReplayArgs) -> Result<()> {
    let period_ms = args.period.ms();
    let mut replayed = (args.consumer.replay.processor)(&args.logic(), period_ms)?;
    let mut stamp = |answer: &mut Event| {
        if period_ms > 0 {
            lanes::name_run(answer, args.consumer.job.group, period_ms);
        }
    };
    if let Some(noticed) = answer(replayed.processor(), &mut stamp)? {
        tell(&noticed, replayed.processor());
        if let Some(report) = replayed.report() {
            for line in report.lines() {
                say!("{line}");
            }
        }
    }
    Ok(())
}

/// Answers standard input on standard output; none when the reader of the answers has gone.
fn answer(processor: &mut dyn Processor, stamp: &mut dyn FnMut(&mut Event)) -> Result<Option<Noticed>> {
    let mut answers = BufWriter::with_capacity(1 << 16, stdout());
    match replay(processor, io::stdin().lock(), stamp, &mut answers) {
        Err(ReplayError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Prints on standard error what was noticed.
fn tell(noticed: &Noticed, processor: &dyn Processor) {
    say!("{} events in, {} answers out", noticed.events, noticed.answers);
    if let Ok(used) = Usage::of_ourselves() {
        let memory = used.peak_mb.map(|peak_mb| format!(", {peak_mb:.0} MB of memory at most"));
        say!("{:.1} s of CPU time{}", used.cpu_s, memory.unwrap_or_default());
    }
    if noticed.other_topics > 0 {
        say!("{} records of other topics skipped", noticed.other_topics);
    }
    if let Some(Broken { line, error, .. }) = noticed.reasons.first() {
        say!("{} malformed lines skipped; the first is line {line}: {error}", noticed.broken);
    }
    if noticed.reasons.len() > 1 {
        for Broken { line, error, count } in &noticed.reasons {
            say!("  {count} like line {line}: {error}");
        }
        let told: u64 = noticed.reasons.iter().map(|reason| reason.count).sum();
        if told < noticed.broken {
            say!("  {} for other reasons", noticed.broken - told);
        }
    }
    for (name, count) in processor.counters() {
        if count > 0 {
            say!("{count} {}", name.replace('_', " "));
        }
    }
}

/// What a replay noticed.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    pub(crate) events: u64,
    pub(crate) answers: u64,
    pub(crate) other_topics: u64,
    pub(crate) broken: u64,
    /// Why they are, in the order in which that was met first: at most [`MOST_REASONS`].
    pub(crate) reasons: Vec<Broken>,
}

/// Lines that are broken for one reason.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The number of the first of them, from 1, and what is wrong with it.
    line: u64,
    error: String,
    count: u64,
}

/// More reasons than this are one: something else.
const MOST_REASONS: usize = 8;

impl Noticed {
    fn broken(&mut self, line: u64, error: String) {
        self.broken += 1;
        match self.reasons.iter().position(|reason| kind(&reason.error) == kind(&error)) {
            Some(known) => self.reasons[known].count += 1,
            None if self.reasons.len() < MOST_REASONS => self.reasons.push(Broken { line, error, count: 1 }),
            None => {}
        }
    }
}

/// What is wrong, without the value that is: what the message says before the first digit or
/// quotation.
fn kind(error: &str) -> &str {
    error.split(|c: char| c.is_ascii_digit() || "\"'`-".contains(c)).next().unwrap_or(error)
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error("could not read the events: {0}")]
    Read(#[source] io::Error),
    #[error("could not write the answers: {0}")]
    Write(#[source] io::Error),
}

/// The longest line that is read, in bytes: Kafka's default for the largest record. A longer one is
/// broken.
const MAX_LINE: u64 = 1 << 20;

/// Runs `processor` over the lines of `input`, and has each answer stamped before it is written.
/// Each event's answers are on their way out before the next line is waited for: someone who writes
/// a line and then waits for its answer gets it.
pub(crate) fn replay(
    processor: &mut dyn Processor,
    input: impl Read,
    stamp: &mut dyn FnMut(&mut Event),
    output: &mut impl Write,
) -> Result<Noticed, ReplayError> {
    let mut input = io::BufReader::with_capacity(1 << 16, input);
    let mut noticed = Noticed::default();
    let (mut line, mut answers, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    loop {
        // A line that is already here costs no system call; only before waiting for more is what
        // was said sent off.
        if !input.buffer().contains(&b'\n') {
            output.flush().map_err(ReplayError::Write)?;
        }
        line.clear();
        if (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).map_err(ReplayError::Read)? == 0 {
            break;
        }
        number += 1;
        let parsed = if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
            input.skip_until(b'\n').map_err(ReplayError::Read)?;
            Err(format!("longer than {MAX_LINE} bytes"))
        } else if line.trim_ascii().is_empty() {
            continue;
        } else {
            lines::parse(&line).map_err(|error| error.to_string())
        };
        match parsed {
            Ok(Parsed::Event(event)) if processor.inputs().contains(&event.topic()) => {
                noticed.events += 1;
                processor.process(&event, &mut answers);
                noticed.answers += write(&mut answers, stamp, output, &mut scratch)?;
            }
            Ok(_) => noticed.other_topics += 1,
            Err(error) => {
                noticed.broken(number, error);
            }
        }
    }
    processor.finish(&mut answers);
    noticed.answers += write(&mut answers, stamp, output, &mut scratch)?;
    output.flush().map_err(ReplayError::Write)?;
    Ok(noticed)
}

fn write(
    answers: &mut Vec<Event>,
    stamp: &mut dyn FnMut(&mut Event),
    output: &mut impl Write,
    scratch: &mut Vec<u8>,
) -> Result<u64, ReplayError> {
    let count = answers.len() as u64;
    for mut answer in answers.drain(..) {
        stamp(&mut answer);
        lines::write(output, &answer, scratch).map_err(ReplayError::Write)?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use consumers::eta::{EtaConfig, EtaReplay};
    use scenarios::business::map;

    use super::*;

    /// One line of `driver_locations`, `rest` being what follows the time.
    fn ping(ts: &str, rest: &str) -> String {
        format!(
            r#"{{"topic":"driver_locations","key":"d1","value":{{"ts":"{ts}","driver_id":"d1",{rest}}}}}"#
        )
    }

    #[test]
    fn broken_lines_are_counted_by_reason() {
        let here = r#""lat":-29.91,"lon":-71.25"#;
        let mut lines = vec![ping("2026-03-03T11:00:01Z", here)];
        for lat in [91.0, -91.5, 200.0] {
            lines.push(ping("2026-03-03T11:00:02Z", &format!(r#""lat":{lat},"lon":-71.25"#)));
        }
        lines.push("nonsense".to_owned());
        lines.push(ping("2026-03-03T11:00:02Z", r#""lat":95,"lon":-71.25"#));
        let mut processor = EtaReplay::new(&EtaConfig::new(map(None).unwrap()));
        let noticed =
            replay(&mut processor, lines.join("\n").as_bytes(), &mut |_| {}, &mut Vec::new()).unwrap();
        let counts: Vec<(u64, u64)> =
            noticed.reasons.iter().map(|reason| (reason.line, reason.count)).collect();
        assert_eq!((noticed.broken, counts), (5, vec![(2, 4), (5, 1)]), "{:?}", noticed.reasons);
    }

    #[test]
    fn invalid_lines_are_counted_and_stop_nothing() {
        let here = r#""trip_id":"t1","lat":-29.91,"lon":-71.25"#;
        let trip = r#"{"topic":"trips","key":"d1","value":{"ts":"2026-03-03T11:00:00Z","trip_id":"t1","driver_id":"d1","kind":"requested","origin":{"lat":-29.9,"lon":-71.25},"destination":{"lat":-29.95,"lon":-71.29}}}"#;
        let good = ["2026-03-03T11:00:01Z", "2026-03-03T11:00:29Z"].map(|ts| ping(ts, here));
        let mut lines = vec![trip.to_owned(), good[0].clone()];
        // Broken, each for a reason of its own.
        let broken = [
            ping("2026-03-03T11:00:02Z", r#""trip_id":"t1","lat":200,"lon":-71.25"#),
            ping("2026-03-03T11:00:02Z", r#""trip_id":"t1","lat":NaN,"lon":-71.25"#),
            ping("2026-03-03T11:00:02Z", r#""trip_id":"t1","lat":1e999,"lon":-71.25"#),
            ping("2026-03-03T11:00:02Z", r#""trip_id":"t1","lat":-29.91"#),
            ping("yesterday", here),
            trip.replace("requested", "abandoned"),
            "{".to_owned(),
            "[1]".to_owned(),
        ];
        lines.extend_from_slice(&broken);
        // Odd, and no more: a leap of the clock there and back, an unknown trip, speeds
        // and headings that nothing has.
        lines.push(ping("9999-12-31T23:59:59.999Z", here));
        lines.push(ping("1970-01-01T00:00:00Z", here));
        lines.push(ping("2026-03-03T11:00:03Z", r#""trip_id":"nobody","lat":-29.91,"lon":-71.25"#));
        lines.push(ping(
            "2026-03-03T11:00:04Z",
            r#""trip_id":"t1","lat":-29.91,"lon":-71.25,"speed_mps":null"#,
        ));
        lines.push(ping("2026-03-03T11:00:25Z", r#""trip_id":"t1","lat":0,"lon":0"#));
        lines.push(String::new());
        lines.push(r#"{"topic":"elsewhere","value":1}"#.to_owned());
        lines.push(good[1].clone());

        let mut processor = EtaReplay::new(&EtaConfig::new(map(None).unwrap()));
        let mut said = Vec::new();
        let noticed = replay(&mut processor, lines.join("\n").as_bytes(), &mut |_| {}, &mut said).unwrap();
        assert_eq!((noticed.broken, noticed.other_topics), (broken.len() as u64, 1));
        let first = &noticed.reasons[0];
        assert_eq!(
            (first.line, first.error.as_str()),
            (3, "driver_locations: lat is 200: it must be from -90 to 90")
        );
        let told: u64 = noticed.reasons.iter().map(|reason| reason.count).sum();
        assert_eq!(told, noticed.broken);
        assert!(noticed.reasons.len() > 3, "{:?}", noticed.reasons);
        let said = String::from_utf8(said).unwrap();
        let asked: Vec<String> = said
            .lines()
            .map(|line| {
                let Ok(Parsed::Event(events::Event::EtaUpdates(update))) = lines::parse(line.as_bytes())
                else {
                    panic!("{line}")
                };
                assert!(
                    update.ts <= update.p10 && update.p10 <= update.eta && update.eta <= update.p90,
                    "{line}"
                );
                update.ts.to_string()[17..19].to_owned()
            })
            .collect();
        assert_eq!(asked, ["01", "04", "25", "29"]);
        let counters = processor.counters();
        for once in ["clocks that leapt", "pings of unknown trips", "late pings", "pings off the map"] {
            assert!(counters.contains(&(once, 1)), "{once}: {counters:?}");
        }
    }
}
