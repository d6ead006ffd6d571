//! `freshet tail`: a topic's records as they arrive, or the table that they make.

mod table;

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use client::{Admin, NoSuchTopic, Read, Record, Since, TopicPartition, Unreadable, Watcher};
use events::Topic;
use serde_json::value::RawValue;
use text::escape;

use super::settings;
use crate::cli::{Start, TailArgs};
use crate::output::{one_line, stdout};
use scenarios::clock::wall_ms;
use scenarios::control;

/// After how long without a record the reader is told that nothing is wrong.
const SILENCE: Duration = Duration::from_secs(1);

/// Prints until the asked number of records, Ctrl-C, or a reader who has seen enough.
pub(crate) fn run(args: &TailArgs) -> Result<()> {
    let settings = settings(&args.cluster, "tail")?;
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    let partitions = partitions(&admin, args)?;
    // Of our own records it is known what the field means; all others are shown as they are.
    let for_a_person = io::stdout().is_terminal() && Topic::named(&args.topic).is_some();
    if args.as_table {
        return table::run(args, &settings, &admin, &partitions, for_a_person);
    }
    let watcher = Watcher::new(&settings)?;
    let start = if args.from_beginning { Start::Beginning } else { args.from };
    watch(&watcher, &admin, &partitions, start)?;
    let orders = control::orders(false)?;
    if io::stderr().is_terminal() {
        let several = if partitions.len() == 1 { "" } else { "s" };
        say!("{}: {} partition{several}; Ctrl-C ends", args.topic, partitions.len());
    }
    let mut out = stdout();
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut silence = Some(Silence::begin());
    while left > 0 && matches!(orders.try_recv(), Err(TryRecvError::Empty)) {
        if silence.as_ref().is_some_and(Silence::is_long) {
            say!("{}", waiting(args, start));
            silence = None;
        }
        let record = match watcher.next(Duration::from_millis(100))? {
            Some(Read::Record(record)) => record,
            Some(Read::Unreadable(lost)) => {
                say_unreadable(&lost);
                continue;
            }
            None => continue,
        };
        if !args.wants(record.key()) {
            continue;
        }
        left -= 1;
        if let Some(silence) = &mut silence {
            *silence = Silence::begin();
        }
        match Line::of(&record).write(&mut out, args.values, for_a_person) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

/// The partitions that are asked for, of a topic that is there.
fn partitions(admin: &Admin, args: &TailArgs) -> Result<Vec<TopicPartition>> {
    // Asked of the list, for to ask for a topic by its name may make it.
    let Some(topic) = admin.topics()?.into_iter().find(|topic| topic.name == args.topic) else {
        let servers = admin.settings().servers().to_owned();
        return Err(NoSuchTopic { topic: args.topic.clone(), servers }.into());
    };
    let numbers = match args.partition {
        None => 0..topic.partitions,
        Some(partition) if partition < topic.partitions => partition..partition + 1,
        Some(partition) => bail!(
            "{} has no partition {partition}: they are numbered from 0 to {}",
            args.topic,
            topic.partitions - 1
        ),
    };
    Ok(numbers.map(|partition| TopicPartition::new(&*args.topic, partition)).collect())
}

/// Has each partition read from where it is to start.
fn watch(watcher: &Watcher, admin: &Admin, partitions: &[TopicPartition], start: Start) -> Result<()> {
    let since_ms = match start {
        Start::Beginning => return Ok(watcher.add(partitions, Since::Beginning)?),
        Start::End => return Ok(watcher.add(partitions, Since::Now)?),
        Start::Offset(offset) => {
            for (at, kept) in partitions.iter().zip(admin.offsets(partitions)?) {
                let nearest = kept.map(|kept| Since::Offset(offset.clamp(kept.earliest, kept.latest)));
                watcher.add(std::slice::from_ref(at), nearest.unwrap_or(Since::Now))?;
            }
            return Ok(());
        }
        Start::Sent(moment) => moment.ms(wall_ms()),
    };
    for (at, first) in partitions.iter().zip(admin.offsets_since(partitions, since_ms)?) {
        watcher.add(std::slice::from_ref(at), first.map_or(Since::Now, Since::Offset))?;
    }
    Ok(())
}

/// What the reader of a silent topic is told.
fn waiting(args: &TailArgs, start: Start) -> String {
    let what = args.key.as_ref().map_or("a record".to_owned(), |key| format!("a record with key {key}"));
    let older = match start {
        Start::Beginning => "",
        Start::End | Start::Offset(_) | Start::Sent(_) => "; `--from beginning` shows those that are there",
    };
    format!("{}: waiting for {what}{older}; Ctrl-C ends", args.topic)
}

/// Since when no record has come.
struct Silence(Instant);

#[expect(clippy::disallowed_methods, reason = "the edge: a person waits in wall-clock time")]
impl Silence {
    fn begin() -> Self {
        Self(Instant::now())
    }

    fn is_long(&self) -> bool {
        self.0.elapsed() >= SILENCE
    }
}

impl TailArgs {
    /// Whether a record with this key is asked for.
    fn wants(&self, key: Option<&[u8]>) -> bool {
        self.key.as_ref().is_none_or(|only| key == Some(only.as_bytes()))
    }
}

/// What of a record is shown.
struct Line<'a> {
    /// Its partition and offset.
    at: (i32, i64),
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

impl<'a> Line<'a> {
    fn of(record: &'a Record<'_>) -> Self {
        Self { at: (record.partition(), record.offset()), key: record.key(), value: record.value() }
    }

    /// Writes it as one line. What a program or a file gets is as it lies in the log.
    fn write(&self, out: &mut impl Write, value_only: bool, for_a_person: bool) -> io::Result<()> {
        let mut value = self.value.map_or("(none)".to_owned(), printable);
        if value_only {
            return writeln!(out, "{value}");
        }
        if for_a_person {
            value = three_digits(&value);
        }
        let key = self.key.map_or("(none)".to_owned(), printable);
        let (partition, offset) = self.at;
        writeln!(out, "{partition}@{offset}  {key}  {value}")
    }
}

/// Says which offsets can't be read, and why.
fn say_unreadable(lost: &Unreadable) {
    let several = if lost.last > lost.first { format!(" to {}", lost.last) } else { String::new() };
    say!("{}@{}{several} can't be read: {}", lost.at, lost.first, lost.reason);
}

/// A record's bytes as one line of text. What is JSON stays JSON of the same value: what is left
/// of it to be escaped, standard output escapes as JSON does.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match (escape(&text), serde_json::from_slice::<&RawValue>(bytes)) {
        (Cow::Owned(_), Ok(value)) => one_line(value).get().to_owned(),
        (escaped, _) => escaped.into_owned(),
    }
}

/// The value with three digits of its probability, of the seventeen that tell any two apart. What
/// is not nothing and not certain stays so.
fn three_digits(value: &str) -> String {
    const FIELD: &str = "\"probability\":";
    let Some((before, rest)) = value.split_once(FIELD) else { return value.to_owned() };
    let end = rest.find([',', '}']).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    let rounded = digits.parse().ok().and_then(|exact: f64| format!("{exact:.2e}").parse::<f64>().ok());
    match rounded.filter(|rounded| *rounded > 0.0 && *rounded < 1.0) {
        Some(rounded) => format!("{before}{FIELD}{rounded}{after}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{printable, three_digits};

    #[test]
    fn a_probability_has_three_digits_and_all_else_is_as_it_was() {
        let decision =
            |probability: &str| format!(r#"{{"card_id":"c1","probability":{probability},"reasons":[]}}"#);
        for (exact, shown) in [
            ("0.00039839014324765504", "0.000398"),
            ("0.9712345", "0.971"),
            ("0.25", "0.25"),
            ("0.99999", "0.99999"),
            ("0", "0"),
            ("null", "null"),
        ] {
            assert_eq!(three_digits(&decision(exact)), decision(shown));
        }
        for other in ["", r#"{"price":0.12345678}"#, r#"{"probability":"#, r#"{"probability":0.123456"#] {
            let shown = three_digits(other);
            assert!(shown == other || shown == r#"{"probability":0.123"#, "{shown}");
        }
    }

    #[test]
    fn a_record_cannot_move_the_cursor() {
        assert_eq!(printable(b"\x1b[2Jboo\n"), "\\u{1b}[2Jboo\\n");
        assert_eq!(printable(b" 1"), " 1", "what is harmless is as it was");
        assert_eq!(printable("naïve 🚕".as_bytes()), "naïve 🚕");
        assert_eq!(printable(&[0xff, b'a']), "\u{fffd}a");
        assert_eq!(printable(b"{\n\t\"a\": 1\n}"), "{\"a\": 1}");
        assert_eq!(printable(b"\"\x1b\""), "\"\\u{1b}\"", "in a string JSON allows none");
    }
}
