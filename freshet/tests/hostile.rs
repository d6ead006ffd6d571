//! What anybody may write into a cluster (the name of a group, the id of a client, the bytes of a
//! record), and what our commands make of it: never a character that a terminal obeys, never a line
//! that is not ours, and in every command the same figures.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Receiver;

use client::{
    Admin, Commit, GroupConsumer, GroupOptions, NewTopic, Outgoing, Polled, Producer, ProducerOptions,
};
use client::{Settings, TopicPartition};
use common::{Broker, PATIENCE, call, freshet, lines};
use dashboard::Snapshot;
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use serde_json::{Value, json};
use text::is_unsafe;

/// Sets the title, clears the screen, turns red, writes to the clipboard, and begins a row that
/// looks like one of the table's.
const ESCAPES: &str =
    "a\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31m\u{1b}]52;c;cm0gLXJm\u{7}\r\nforged  Stable  row";
/// The same by C1 controls, which some terminals obey also in UTF-8; text that runs backwards; a
/// name that looks like another.
const QUIET: &str = "fraud\u{9b}31m\u{202e}kcab\u{2066}\u{200b}\u{200d}\u{feff}\u{2028}";

const TOPICS: [&str; 6] =
    ["evil", "card_swipes", "fraud_decisions", "chargebacks", "clicks", "recommendations"];

/// When most of the hostile records say that they are.
const HOUR: &str = "2026-03-03T11:00Z..2026-03-03T12:00Z";

/// A broker for hostile groups, a hostile member, and hostile records.
struct Hostile {
    broker: Broker,
    folder: tempfile::TempDir,
    settings: Settings,
    admin: Admin,
}

impl Hostile {
    /// With nothing in its topics.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(&folder.path().join("log"));
        let settings = Settings::new(&broker.address).with_client_id(format!("client {ESCAPES}"));
        let admin = Admin::connect(&settings, PATIENCE).unwrap();
        admin
            .create(&TOPICS.map(|topic| NewTopic { name: topic.into(), partitions: 1, configs: Vec::new() }))
            .unwrap();
        Self { broker, folder, settings, admin }
    }

    /// With everything, and the member that is there as long as it is held.
    fn filled() -> (Self, GroupConsumer) {
        let hostile = Self::start();
        let member = hostile.fill();
        (hostile, member)
    }

    fn fill(&self) -> GroupConsumer {
        write(&self.settings, &hostile_records());
        self.delete_before("evil", 2);
        // Of the first, retention has taken records that it had not read; the last has passed
        // questions over that have no answer.
        let long = "G".repeat(20_000);
        for (group, topic, offset) in
            [(ESCAPES, "evil", 1), (QUIET, "evil", 3), (&long, "evil", 4), ("fraud", "card_swipes", 3)]
        {
            let at = TopicPartition::new(topic, 0);
            self.admin.commit(group, &[Commit { at, offset, metadata: ESCAPES.into() }]).unwrap();
        }
        let (group, options) = (format!("live {QUIET}"), GroupOptions::default());
        let member = GroupConsumer::join(&self.settings, &group, &["evil"], &options).unwrap();
        while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}
        member
    }

    /// Deletes the records of a topic before `offset`.
    fn delete_before(&self, topic: &str, offset: i64) {
        let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset }];
        let topics = vec![DeleteRecordsTopic { name: topic.to_owned(), partitions }];
        let request = DeleteRecordsRequest { topics, timeout_ms: 10_000 };
        let answer = call(&self.broker.address, 2, &request);
        assert_eq!(answer.topics[0].partitions[0].low_watermark, offset, "{topic}");
    }

    /// A command on this cluster.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = freshet();
        command.args(arguments).args(["--bootstrap-servers", &self.broker.address]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs it; what it wrote, after it was looked through.
    fn run(&self, arguments: &[&str]) -> (String, String) {
        written(&arguments.join(" "), &self.command(arguments).output().unwrap())
    }

    /// The lines of JSON that it writes.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let (out, _) = self.run(&[arguments, &["--format", "jsonl"]].concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The batch lane's database, with what the hostile records say in it.
    fn database(&self) -> String {
        let database = self.folder.path().join("warehouse.sqlite").to_str().unwrap().to_owned();
        for job in ["fraud", "recommendations"] {
            let (_, err) = self.run(&["batch", job, "--window", HOUR, "--database", &database]);
            assert!(err.contains("rows are in the database"), "{job}: {err}");
        }
        database
    }
}

/// Topics and values: junk everywhere, and swipes and purchases that are right in all but their
/// names.
fn hostile_records() -> Vec<(&'static str, String)> {
    let swipe = |ts: &str, id: &str| {
        json!({"ts": ts, "swipe_id": id, "card_id": id, "terminal_id": id,
               "amount_cents": 100, "currency": id, "category": id})
    };
    let click = |ts: &str, id: &str| {
        json!({"ts": ts, "event_id": id, "session_id": id, "shopper_id": id,
               "kind": "purchase", "item_id": id})
    };
    let mut records = Vec::new();
    for topic in ["evil", "card_swipes", "clicks"] {
        let laid_out = format!("{{\"a\":\t\"{QUIET}\"\n}}");
        let quoted = json!({ "ts": ESCAPES }).to_string();
        let junk = [ESCAPES.to_owned(), QUIET.to_owned(), "A".repeat(100_000), laid_out, quoted];
        records.extend(junk.map(|value| (topic, value)));
    }
    // The last end the window of the others: all have one key, so it takes eight of them.
    let later = (0..8).map(|_| ("2026-03-03T12:30:00Z", "usual"));
    for (ts, id) in
        [("2026-03-03T11:00:00Z", ESCAPES), ("2026-03-03T11:30:00Z", QUIET)].into_iter().chain(later)
    {
        records.extend([("card_swipes", swipe(ts, id).to_string()), ("clicks", click(ts, id).to_string())]);
    }
    records
}

fn write(settings: &Settings, records: &[(&str, String)]) {
    let producer = Producer::new(settings, &ProducerOptions::stream()).unwrap();
    for (topic, value) in records {
        let record = Outgoing {
            topic,
            partition: Some(0),
            key: Some(QUIET.as_bytes()),
            value: Some(value.as_bytes()),
            headers: &[(ESCAPES, QUIET.as_bytes())],
            ..Outgoing::default()
        };
        producer.send(record, PATIENCE).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// What a command wrote to standard output and standard error, after both were looked through.
fn written(what: &str, output: &Output) -> (String, String) {
    (harmless(what, &output.stdout), harmless(what, &output.stderr))
}

fn harmless(what: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(at) = text.find(|char| char != '\n' && is_unsafe(char)) {
        panic!("{what} writes {:?}", text[at..].chars().take(20).collect::<String>());
    }
    let forged = text.lines().any(|line| line.trim_start().starts_with("forged"));
    assert!(!forged, "{what} writes a forged line:\n{text}");
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let parsed = serde_json::from_str::<Value>(line);
        assert!(parsed.is_ok(), "{what} writes JSON that is none: {line}");
    }
    text
}

#[test]
fn no_name_and_no_record_reaches_the_terminal_as_a_command_or_a_line() {
    let (hostile, _member) = Hostile::filled();
    let database = hostile.database();
    let nowhere = format!("postgres://nobody@127.0.0.1:1/{ESCAPES}");
    let in_words = "a\\u{1b}]0;title";
    let in_json = "fraud\\u009b31m\\u202e";
    for (arguments, says) in [
        (&["topics"][..], "evil"),
        (&["topics", "--format", "jsonl"], "evil"),
        (&["groups"], in_words),
        (&["groups", "--format", "jsonl"], in_json),
        (&["groups", "describe", ESCAPES], in_words),
        (&["groups", "describe", &format!("live {QUIET}")], in_words),
        (&["groups", "describe", &format!("live {QUIET}"), "--format", "jsonl"], in_json),
        (&["groups", "reset", &format!("live {QUIET}"), "--all-topics", "--to", "end"], in_words),
        (&["groups", "delete", ESCAPES], in_words),
        (&["topics", "create", ESCAPES], in_words),
        (&["topics", "create", "new", "--config", &format!("{ESCAPES}={ESCAPES}")], in_words),
        (&["topics", "delete", ESCAPES], in_words),
        (&["send", "evil", "--key", "k", "--key-separator", ESCAPES], "--key"),
        (&["send", ESCAPES, "-m", "x"], in_words),
        (&["ledger"], "card_swipes"),
        (&["ledger", "--format", "jsonl"], "card_swipes"),
        (&["tail", "evil", "--from-beginning", "--count", "3"], "fraud\\u{9b}31m\\u{202e}"),
        (&["tail", "clicks", "--from-beginning", "--count", "6", "--values"], in_json),
        (&["record", "evil", "clicks"], in_json),
        // Errors name what they could not find.
        (&["tail", ESCAPES], in_words),
        (&["record", QUIET], "fraud\\u{9b}31m\\u{202e}"),
        (&["batch", "fraud", "--history", ESCAPES, "--once", "--database", &database], in_words),
        // A log line says that it tries again.
        (&["batch", "fraud", "--window", HOUR, "--database", &nowhere, "--retries", "1"], "again in 1 s"),
    ] {
        let (out, err) = hostile.run(arguments);
        assert!(out.contains(says) || err.contains(says), "{arguments:?} says {says:?}:\n{out}\n{err}");
    }
    for (arguments, says) in [
        (&["report", "--database", &database][..], in_words),
        (&["report", "--database", &database, "--format", "jsonl"], in_json),
        (&["report", "--database", ESCAPES], in_words),
        (&["map", "build", ESCAPES, "/dev/null"], in_words),
        // What clap says.
        (&[ESCAPES], in_words),
        (&["topics", "--format", ESCAPES], in_words),
        (&["report", "--window", ESCAPES], in_words),
        (&["report", "--database", &format!("file:{ESCAPES}")], in_words),
    ] {
        let (out, err) = written(&arguments.join(" "), &freshet().args(arguments).output().unwrap());
        assert!(out.contains(says) || err.contains(says), "{arguments:?} says {says:?}:\n{out}\n{err}");
    }
}

/// Lines from a file are as hostile as those from a topic: their answers and what is wrong with
/// them.
#[test]
fn a_replay_answers_and_complains_harmlessly() {
    let line = |id: &str, kind: &str| {
        let value = json!({"ts": "2026-03-03T11:00:00Z", "session_id": id, "kind": kind, "item_id": id});
        json!({"topic": "clicks", "key": id, "value": value}).to_string()
    };
    let events = [line(ESCAPES, "purchase"), line(QUIET, "view"), line("s", ESCAPES), QUIET.to_owned()];
    let mut replay = freshet();
    replay.args(["replay", "recommendations"]);
    let mut child =
        replay.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(events.join("\n").as_bytes()).unwrap();
    let (out, err) = written("replay", &child.wait_with_output().unwrap());
    assert!(out.contains("fraud\\u009b31m\\u202e"), "{out}\n{err}");
    assert!(err.contains("\\u{1b}]0;title"), "{err}");
}

/// Escaping changes how a name is written, not which name it is.
#[test]
fn a_program_reads_the_very_name_from_json() {
    let (hostile, _member) = Hostile::filled();
    let lines = hostile.json(&["groups"]);
    for name in [ESCAPES, QUIET, &format!("live {QUIET}")] {
        assert!(lines.iter().any(|line| line["group"] == name), "{name:?} among {lines:?}");
    }
    assert!(lines.iter().any(|line| line["owner"] == format!("client {ESCAPES}")), "{lines:?}");
}

/// A child whose lines are looked through as they come; killed when dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn next(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).expect("it writes on");
        harmless("it", line.as_bytes())
    }

    /// The next snapshot that a dashboard writes, past the lines of another kind.
    fn snapshot(&self) -> Snapshot {
        loop {
            let line: Value = serde_json::from_str(&self.next()).unwrap();
            if line["type"] == "snapshot" {
                return serde_json::from_value(line).unwrap();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The dashboard where there is no terminal, in words and in JSON.
#[test]
fn the_dashboards_lines_are_harmless() {
    let (hostile, _member) = Hostile::filled();
    for format in ["text", "jsonl"] {
        let dashboard = Running::start(hostile.command(&["dashboard", "--headless", "--format", format]));
        while !dashboard.next().contains("title") {}
    }
}

/// What is said of a cluster, by what it is said of.
type Figures = BTreeMap<String, Value>;

/// What `topics`, `groups` and `ledger` say.
fn by_the_commands(hostile: &Hostile) -> Figures {
    // The broker's own topics are listed, and are no part of what the dashboard shows.
    let is_own = |line: &Value| line["topic"].as_str().unwrap().starts_with("__");
    let topics = hostile.json(&["topics"]).into_iter().filter(|line| !is_own(line)).map(|line| {
        let partitions = line["partitions"].as_array().unwrap();
        let records: i64 = partitions.iter().map(|at| at["log_end"].as_i64().unwrap()).sum();
        (line["topic"].to_string(), json!([partitions.len(), records]))
    });
    let groups = hostile.json(&["groups"]).into_iter().map(|line| {
        let said = ["committed", "log_end", "lag_records", "owner"].map(|name| line[name].clone());
        (json!([line["group"], line["topic"], line["partition"]]).to_string(), json!(said))
    });
    let ledger = hostile.json(&["ledger"]).into_iter().map(|line| book(&line));
    topics.chain(groups).chain(ledger).collect()
}

/// What the dashboard says.
fn by_the_dashboard(snapshot: &Snapshot) -> Figures {
    let topics = snapshot.topics.data.iter();
    let topics =
        topics.map(|topic| (json!(topic.name).to_string(), json!([topic.partitions, topic.total_records])));
    let groups = snapshot.groups.data.iter().flat_map(|group| {
        group.partitions.iter().map(|at| {
            let said = json!([at.committed, at.log_end, at.lag_records, at.owner]);
            (json!([group.id, at.topic, at.partition]).to_string(), said)
        })
    });
    let ledger = snapshot.lanes.data.ledger.iter().map(|shown| book(&json!(shown)));
    topics.chain(groups).chain(ledger).collect()
}

/// The sums of one book of the ledger.
fn book(line: &Value) -> (String, Value) {
    let sums = [
        "produced",
        "answered",
        "in_flight",
        "dead_lettered",
        "expired",
        "repeated",
        "nothing_owed",
        "unanswered",
        "doubled",
    ];
    let mut sums: Vec<Value> = sums.iter().map(|name| line[name].clone()).collect();
    // Unknown in JSON; the dashboard has no place for that.
    sums.push(json!(line["lost"].as_u64().unwrap_or(0)));
    (format!("{} {}", line["questions"], line["answers"]), json!(sums))
}

/// One quantity has one answer, whichever command is asked.
#[test]
fn the_commands_and_the_dashboard_say_the_same_of_a_hostile_cluster() {
    let hostile = Hostile::start();
    let dashboard = Running::start(hostile.command(&["dashboard", "--headless", "--format", "jsonl"]));
    // It counts from when it has begun to look, which the first answer of the cluster tells: before
    // the first question.
    while dashboard.snapshot().cluster.data.brokers.is_none() {}
    let _member = hostile.fill();
    let commands = by_the_commands(&hostile);
    let of_escapes = &commands[&json!([ESCAPES, "evil", 0]).to_string()];
    assert_eq!(*of_escapes, json!([1, 5, 3, null]), "what is deleted is no lag");
    let mut differ = vec![String::new()];
    for _ in 0..30 {
        differ = differences(&by_the_dashboard(&dashboard.snapshot()), &commands);
        if differ.is_empty() {
            return;
        }
    }
    panic!("the dashboard, and the commands:\n{}", differ.join("\n"));
}

fn differences(left: &Figures, right: &Figures) -> Vec<String> {
    let names = left.keys().chain(right.keys()).filter(|name| left.get(*name) != right.get(*name));
    names.map(|name| format!("{name:.60}: {:?}, {:?}", left.get(name), right.get(name))).collect()
}
