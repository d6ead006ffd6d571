//! `freshet tail`: where it starts, what it leaves out, that it says when it waits, and the table
//! that a topic makes.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::process::{Command, Stdio};

use client::{Admin, Compression, NewTopic, Outgoing, Producer, ProducerOptions, Settings};
use common::{Broker, PATIENCE, freshet, lines, signal};

/// When the first record was sent, 2026-03-03T11:00:00Z; each of the others a minute later.
const ELEVEN_MS: i64 = 1_772_535_600_000;

/// A topic of two partitions: `a`, `b` and `a` in the first, `c` in the second, and `a` at last.
fn filled(broker: &Broker) {
    let settings = Settings::new(&broker.address);
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    // The records are of another year, and kept all the same.
    let configs = vec![("retention.ms".to_owned(), "-1".to_owned())];
    admin.create(&[NewTopic { name: "letters".to_owned(), partitions: 2, configs }]).unwrap();
    let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
    let records = [(0, "a"), (0, "b"), (0, "a"), (1, "c"), (0, "a")];
    for (number, (partition, key)) in (0..).zip(records) {
        let value = format!("{key}{number}");
        let record = Outgoing {
            topic: "letters",
            partition: Some(partition),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            timestamp_ms: Some(ELEVEN_MS + number * 60_000),
            ..Outgoing::default()
        };
        producer.send(record, PATIENCE).unwrap();
        producer.flush(PATIENCE).unwrap();
    }
}

fn tail(broker: &Broker, args: &[&str]) -> Command {
    let mut command = freshet();
    command.args(["tail", "letters", "--bootstrap-servers", &broker.address]).args(args);
    command
}

#[test]
fn tail_starts_where_it_is_told_and_shows_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    filled(&broker);
    let read = |args: &[&str], expected: &[&str]| {
        let count = expected.len().to_string();
        let ran = tail(&broker, args).args(["-n", &count, "--values"]).output().unwrap();
        let mut read: Vec<_> = std::str::from_utf8(&ran.stdout).unwrap().lines().collect();
        read.sort_by_key(|value| value.bytes().last());
        assert_eq!(read, expected, "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    read(&["--from-beginning"], &["a0", "b1", "a2", "c3", "a4"]);
    read(&["--from", "beginning", "--key", "a"], &["a0", "a2", "a4"]);
    read(&["--from", "beginning", "--partition", "1"], &["c3"]);
    read(&["--from", "2", "--partition", "0"], &["a2", "a4"]);
    read(&["--from", "1"], &["b1", "a2", "a4"]);
    read(&["--from", "2026-03-03T11:01:30Z"], &["a2", "c3", "a4"]);
    read(&["--from", "2026-03-03T11:02Z", "--key", "a"], &["a2", "a4"]);
    read(&["--from", "3650d", "--partition", "0", "--key", "b"], &["b1"]);

    let ran = tail(&broker, &["--partition", "2"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("letters has no partition 2: they are numbered from 0 to 1"), "{said}");
}

/// Each begins behind the last record, however it is told so: a line of waiting, and then the next
/// record, alone.
#[test]
fn tail_of_a_silent_topic_says_once_that_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    filled(&broker);
    for from in [&["--from", "1m", "--key", "a"][..], &["--key", "a"], &["--from", "4000", "--key", "a"]] {
        let mut waiting = tail(&broker, from).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = lines(waiting.stderr.take().unwrap());
        let read = lines(waiting.stdout.take().unwrap());
        let words = "letters: waiting for a record with key a; `--from beginning` shows those that are there; \
                     Ctrl-C ends";
        assert_eq!(said.recv_timeout(PATIENCE).unwrap(), words);
        let settings = Settings::new(&broker.address);
        let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
        for (key, value) in [("b", "not asked for"), ("a", "next")] {
            let record = Outgoing {
                topic: "letters",
                partition: Some(0),
                key: Some(key.as_bytes()),
                value: Some(value.as_bytes()),
                ..Outgoing::default()
            };
            producer.send(record, PATIENCE).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
        assert!(read.recv_timeout(PATIENCE).unwrap().ends_with("  a  next"), "{from:?}");
        signal(waiting.id(), "INT");
        waiting.wait().unwrap();
        assert!(said.iter().all(|line| !line.contains("waiting")), "it is said once");
        assert_eq!(read.iter().next(), None, "{from:?}");
    }
}

/// A table of two partitions whose records are compressed, with a key that is gone, one that came
/// back, one in both partitions and a record without a key; and what is written beside it.
#[test]
fn a_topic_is_read_as_the_table_that_it_makes() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let settings = Settings::new(&broker.address);
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    admin.create(&[NewTopic { name: "letters".to_owned(), partitions: 2, configs: Vec::new() }]).unwrap();
    let options = ProducerOptions { compression: Compression::Lz4, ..ProducerOptions::stream() };
    let producer = Producer::new(&settings, &options).unwrap();
    for (partition, key, value) in [
        (0, Some("b"), Some("b0")),
        (0, Some("a"), Some("a1")),
        (0, Some("c"), Some("c2")),
        (0, Some("b"), None),
        (0, Some("c"), None),
        (0, Some("c"), Some("c5")),
        (0, Some("a"), Some("\u{1b}[2J")),
        (1, Some("a"), Some("a0")),
        (1, None, Some("no key")),
    ] {
        let record = Outgoing {
            topic: "letters",
            partition: Some(partition),
            key: key.map(str::as_bytes),
            value: value.map(str::as_bytes),
            ..Outgoing::default()
        };
        producer.send(record, PATIENCE).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let read = |args: &[&str]| {
        let ran = tail(&broker, &["--as-table"]).args(args).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success(), "{said}");
        (String::from_utf8(ran.stdout).unwrap(), said)
    };
    let (rows, said) = read(&[]);
    assert_eq!(rows, "0@6  a  \\u{1b}[2J\n1@0  a  a0\n0@5  c  c5\n");
    let expected = "letters: 9 records read: 2 keys, and 1 gone (the newest record is a tombstone)\n\
                    1 record without a key: no table has it\n\
                    1 key lies in several partitions, with a row for each: no order tells which is newer\n\
                    letters is not compacted (cleanup.policy=delete): ";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(read(&["--values", "--key", "c"]).0, "c5\n");
    let (rows, said) = read(&["--key", "b"]);
    assert_eq!(rows, "");
    assert!(said.starts_with("letters: 9 records read: 0 keys, and 1 gone"), "{said}");
    let (rows, said) = read(&["--partition", "1"]);
    assert_eq!(rows, "1@0  a  a0\n");
    assert!(said.starts_with("letters: 2 records read: 1 key, and 0 gone"), "{said}");
    let compacted = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
    admin.set_configs(&[("letters", compacted)]).unwrap();
    let said = read(&[]).1;
    assert!(said.contains("\nletters is compacted (cleanup.policy=compact): "), "{said}");
}
