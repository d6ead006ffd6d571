//! `freshet tail`: a topic's records as they arrive.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use anyhow::Result;
use client::{Admin, NoSuchTopic, Read, Since, TopicPartition, Unreadable, Watcher};
use serde_json::value::RawValue;
use text::escape;

use super::settings;
use crate::cli::TailArgs;
use crate::output::{one_line, stdout};
use scenarios::control;

/// Prints until the asked number of records, Ctrl-C, or a reader who has seen enough.
pub(crate) fn run(args: &TailArgs) -> Result<()> {
    let settings = settings(&args.cluster, "tail");
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    // Asked of the list, for to ask for a topic by its name may make it.
    let Some(topic) = admin.topics()?.into_iter().find(|topic| topic.name == args.topic) else {
        let servers = args.cluster.bootstrap_servers.clone();
        return Err(NoSuchTopic { topic: args.topic.clone(), servers }.into());
    };
    let watcher = Watcher::new(&settings)?;
    let partitions: Vec<_> = (0..topic.partitions).map(|p| TopicPartition::new(&*args.topic, p)).collect();
    watcher.add(&partitions, if args.from_beginning { Since::Beginning } else { Since::Now })?;
    let orders = control::orders(false)?;
    if io::stderr().is_terminal() {
        say!("{}: {} partitions; Ctrl-C ends", args.topic, topic.partitions);
    }
    let mut out = stdout();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 && matches!(orders.try_recv(), Err(TryRecvError::Empty)) {
        let record = match watcher.next(Duration::from_millis(100))? {
            Some(Read::Record(record)) => record,
            Some(Read::Unreadable(lost)) => {
                say!("{}@{}: {}", lost.at, places(&lost), lost.reason);
                continue;
            }
            None => continue,
        };
        left -= 1;
        let value = record.value().map_or("(none)".to_owned(), printable);
        let written = if args.values {
            writeln!(out, "{value}")
        } else {
            let key = record.key().map_or("(none)".to_owned(), printable);
            writeln!(out, "{}@{}  {key}  {value}", record.partition(), record.offset())
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

/// The offsets that can't be read, in words.
fn places(lost: &Unreadable) -> String {
    if lost.last > lost.first {
        format!("{} to {} can't be read", lost.first, lost.last)
    } else {
        format!("{} can't be read", lost.first)
    }
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

#[cfg(test)]
mod tests {
    use super::printable;

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
