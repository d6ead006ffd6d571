//! What anybody may write into a cluster (the name of a group, the id of a client, the bytes of a
//! record), and what our commands then write to a terminal: never a character that it obeys, and
//! never a line that is not ours.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::process::{Output, Stdio};
use std::time::Duration;

use client::{
    Admin, Commit, GroupConsumer, GroupOptions, NewTopic, Outgoing, Polled, Producer, ProducerOptions,
};
use client::{Settings, TopicPartition};
use common::{Broker, freshet, lines};
use text::is_unsafe;

/// Sets the title, clears the screen, turns red, writes to the clipboard, and begins a row that
/// looks like one of the table's.
const ESCAPES: &str =
    "a\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31m\u{1b}]52;c;cm0gLXJm\u{7}\r\nforged  Stable  row";
/// The same by C1 controls, which some terminals obey also in UTF-8; text that runs backwards; a
/// name that looks like another.
const QUIET: &str = "fraud\u{9b}31m\u{202e}kcab\u{2066}\u{200b}\u{feff}\u{2028}";

const PATIENCE: Duration = Duration::from_secs(20);

/// A broker with hostile groups, a hostile member, and hostile records.
struct Hostile {
    broker: Broker,
    _folder: tempfile::TempDir,
    _member: GroupConsumer,
}

impl Hostile {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let broker = Broker::start(folder.path());
        let settings = Settings::new(&broker.address).with_client_id(format!("client {ESCAPES}"));
        let admin = Admin::connect(&settings, PATIENCE).expect("it listens");
        for topic in ["evil", "card_swipes", "fraud_decisions"] {
            let made = admin.create(&[NewTopic { name: topic.into(), partitions: 1, configs: Vec::new() }]);
            made.expect("a topic");
        }
        let producer = Producer::new(&settings, &ProducerOptions::stream()).expect("a producer");
        let long = "A".repeat(100_000);
        for topic in ["evil", "card_swipes"] {
            for value in [ESCAPES, QUIET, &long, &format!("{{\"a\":\t\"{QUIET}\"\n}}")] {
                let record = Outgoing {
                    topic,
                    partition: Some(0),
                    key: Some(&value.as_bytes()[..value.len().min(40)]),
                    value: Some(value.as_bytes()),
                    ..Outgoing::default()
                };
                producer.send(record, PATIENCE).expect("room in the queue");
            }
        }
        producer.flush(PATIENCE).expect("acknowledged");
        let at = TopicPartition::new("evil", 0);
        for group in [ESCAPES, QUIET, &"G".repeat(20_000)] {
            let commit = Commit { at: at.clone(), offset: 1, metadata: ESCAPES.into() };
            admin.commit(group, &[commit]).expect("any name will do");
        }
        let member =
            GroupConsumer::join(&settings, &format!("live {QUIET}"), &["evil"], &GroupOptions::default());
        let member = member.expect("a member");
        while !matches!(member.poll(PATIENCE).expect("the group answers"), Polled::Assigned(_)) {}
        Self { broker, _folder: folder, _member: member }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = freshet();
        command.args(arguments).args(["--bootstrap-servers", &self.broker.address]);
        command.stdin(Stdio::null()).output().expect("the program starts")
    }
}

/// What a command wrote, after it was looked through.
fn harmless(what: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(at) = text.find(|char| char != '\n' && is_unsafe(char)) {
        panic!("{what} writes {:?}", text[at..].chars().take(20).collect::<String>());
    }
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("forged")),
        "{what} writes a forged line:\n{text}"
    );
    text
}

#[test]
fn no_name_and_no_record_reaches_the_terminal_as_a_command_or_a_line() {
    let hostile = Hostile::start();
    for (arguments, says) in [
        (&["topics"][..], "evil"),
        (&["topics", "--format", "jsonl"], "evil"),
        (&["groups"], "a\\u{1b}]0;title"),
        (&["groups", "--format", "jsonl"], "fraud\\u009b31m\\u202e"),
        (&["ledger"], "card_swipes"),
        (&["ledger", "--format", "jsonl"], "card_swipes"),
        (&["tail", "evil", "--from-beginning", "--count", "4"], "fraud\\u{9b}31m\\u{202e}"),
        (&["tail", "evil", "--from-beginning", "--count", "4", "--values"], "fraud\\u{9b}31m\\u{202e}"),
        (&["record", "evil"], "fraud\\u009b31m\\u202e"),
        // Errors name what they could not find.
        (&["tail", ESCAPES], "a\\u{1b}]0;title"),
        (&["record", QUIET], "fraud\\u{9b}31m\\u{202e}"),
    ] {
        let output = hostile.run(arguments);
        let what = arguments.join(" ");
        let (out, err) = (harmless(&what, &output.stdout), harmless(&what, &output.stderr));
        assert!(out.contains(says) || err.contains(says), "{what} says {says:?}:\n{out}\n{err}");
        if what.contains("jsonl") || out.starts_with('{') {
            for line in out.lines() {
                serde_json::from_str::<serde_json::Value>(line)
                    .unwrap_or_else(|error| panic!("{what}: {error}: {line}"));
            }
        }
    }
}

/// Escaping changes how a name is written, not which name it is.
#[test]
fn a_program_reads_the_very_name_from_json() {
    let hostile = Hostile::start();
    let output = hostile.run(&["groups", "--format", "jsonl"]);
    let text = harmless("groups", &output.stdout);
    let groups: Vec<String> = text
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["group"].as_str().map(str::to_owned)
        })
        .collect();
    for name in [ESCAPES, QUIET] {
        assert!(groups.iter().any(|group| group == name), "{name:?} among {groups:?}");
    }
}

/// The dashboard where there is no terminal, in words and in JSON.
#[test]
fn the_dashboards_lines_are_harmless() {
    let hostile = Hostile::start();
    for format in ["text", "jsonl"] {
        let mut child = freshet()
            .args([
                "dashboard",
                "--headless",
                "--format",
                format,
                "--bootstrap-servers",
                &hostile.broker.address,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let output = lines(child.stdout.take().expect("piped"));
        let mut seen = String::new();
        while !seen.contains("title") {
            let line = output.recv_timeout(PATIENCE).expect("it names the groups");
            seen.push_str(&harmless("the dashboard", line.as_bytes()));
            seen.push('\n');
        }
        child.kill().and_then(|()| child.wait()).expect("it ends");
    }
}
