//! The broker against clients that were written elsewhere.
//!
//! `make test` runs kcat, kafka-python and confluent-kafka, which `tools/install` puts on the
//! machine and into `target/clients`, and three systems of `make ecosystem` that are quick.
//! `make clients` adds KafkaJS, franz-go, the Java client and Kafka's own command-line tools, and
//! holds what each observes against what it observes of an Apache Kafka.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;
#[path = "clients/comparison.rs"]
mod comparison;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::{Broker, repository, signal};
use serde_json::Value;

/// Runs a command to its end and hands over what it wrote; its words are shown when it fails.
fn run(command: &mut Command, input: &str) -> String {
    try_run(command, input).unwrap_or_else(|failure| panic!("{failure}"))
}

/// The same for a command whose failure is not the end of the test.
fn try_run(command: &mut Command, input: &str) -> Result<String, String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(
            |error| format!("{command:?}: {error}: run `make test`, which installs what the tests need"),
        )?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() {
        Ok(stdout.into_owned())
    } else {
        Err(format!("{command:?}: {status}\n{stdout}\n{stderr}"))
    }
}

fn python() -> PathBuf {
    repository().join("target/clients/bin/python")
}

fn python_test(script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (broker, login) = Broker::start_with_logins(folder.path());
    let script = repository().join("freshet/tests/clients").join(script);
    // A client that hangs is a failure too, not an endless test.
    let mut program = Command::new("timeout");
    let said = run(program.arg("120").arg(python()).arg(script).args([&broker.address, &login]), "");
    assert!(said.contains("all well"), "{said}");
}

#[test]
fn kafka_python() {
    python_test("kafka_python.py");
}

#[test]
fn confluent_kafka() {
    python_test("confluent.py");
}

/// A system of `make ecosystem` that is quick does what docs/compatibility.md has in its row.
fn does_what_its_row_says(system: &str) {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let tool = repository().join("tools/ecosystem");
    let did = run(Command::new(tool).args(["run", system, &broker.address]), "");
    let page = std::fs::read_to_string(repository().join("docs/compatibility.md")).unwrap();
    let row = format!("| {} | works | works |", did.trim_end());
    assert!(page.contains(&row), "docs/compatibility.md has no row with {row}");
}

#[test]
fn aiokafka_answers_each_record_once_over_a_restart() {
    does_what_its_row_says("aiokafka");
}

#[test]
fn a_table_of_faust_is_restored_from_its_changelog() {
    does_what_its_row_says("faust");
}

#[test]
fn python_loads_postgres_over_a_crash() {
    does_what_its_row_says("psycopg");
}

#[test]
fn kcat_produces_consumes_commits_and_survives_a_crash_of_the_broker() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(folder.path());
    let kcat = |broker: &Broker, args: &[&str], input: &str| {
        run(Command::new("kcat").args(["-b", &broker.address]).args(args), input)
    };
    let lines = (0..500).map(|n| format!("k{}:value {n}", n % 7)).collect::<Vec<_>>().join("\n") + "\n";
    // Debian's kcat is built without zstd; confluent.py sends that too.
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let topic = format!("kcat-{codec}");
        kcat(&broker, &["-P", "-t", &topic, "-K:", "-z", codec, "-X", "acks=all"], &lines);
        let mut got: Vec<String> = kcat(&broker, &["-C", "-t", &topic, "-e", "-q", "-f", "%k:%s\n"], "")
            .lines()
            .map(str::to_owned)
            .collect();
        let mut sent: Vec<String> = lines.lines().map(str::to_owned).collect();
        got.sort();
        sent.sort();
        assert_eq!(got, sent, "{codec}");
    }
    let listed = kcat(&broker, &["-L"], "");
    assert!(listed.contains("topic \"kcat-lz4\" with 4 partitions"), "{listed}");

    // A group reads some, the broker is killed, and the group goes on where it was.
    let group = ["-G", "kcat-group", "-q", "-X", "auto.offset.reset=earliest", "-f", "%s\n"];
    let first = kcat(&broker, &[&group[..], &["-c", "200", "kcat-none"]].concat(), "");
    assert_eq!(first.lines().count(), 200);
    broker = broker.crash_and_restart();
    let rest = kcat(&broker, &[&group[..], &["-e", "kcat-none"]].concat(), "");
    let mut all: Vec<&str> = first.lines().chain(rest.lines()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 500, "every acknowledged record is there, and none was passed over");
}

/// What no longer fits is refused, and the client is told; what was taken can be read, and other
/// files written.
#[test]
fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start_on_a_small_disk(folder.path(), 200);
    let kcat = |args: &[&str]| {
        let mut command = Command::new("kcat");
        command.args(["-b", &broker.address, "-p", "0"]).args(args);
        command
    };
    let line = |n| format!("{n:04}{}\n", "x".repeat(1_000));
    let lines = (0..400).map(line).collect::<Vec<_>>().concat();
    // Small batches, or all of it would be one that does not fit.
    let settings = ["-X", "batch.num.messages=10", "-X", "message.timeout.ms=3000", "-X", "max.in.flight=1"];
    let mut writer = kcat(&[&["-P", "-t", "large"], &settings[..]].concat());
    let mut writer = writer.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let Output { status, stderr, .. } = writer.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && said.contains("Delivery failed"), "{said}");

    let read = run(&mut kcat(&["-C", "-t", "large", "-e", "-q"]), "");
    let (kept, sent): (Vec<&str>, Vec<&str>) = (read.lines().collect(), lines.lines().collect());
    assert!((150..205).contains(&kept.len()), "{} of 400 lines on 200 KB", kept.len());
    assert_eq!(kept, sent[..kept.len()], "a prefix, each once");
    run(&mut kcat(&["-P", "-t", "small"]), "fits\n");
    assert_eq!(run(&mut kcat(&["-C", "-t", "small", "-e", "-q"]), ""), "fits\n");
}

/// Reads ten records, commits them, says so, and stays until its input ends.
const SCRIPT: &str = r#"
import sys
from kafka import KafkaConsumer
consumer = KafkaConsumer("orders", bootstrap_servers=sys.argv[1], group_id="my-script", client_id="my-laptop",
                         auto_offset_reset="earliest", enable_auto_commit=False, max_poll_records=10)
while not consumer.poll(timeout_ms=1000):
    pass
consumer.commit()
print("reading", flush=True)
sys.stdin.read()
"#;

/// A dashboard that is attached to a cluster it knows nothing of, and a program that knows nothing
/// of dashboards.
#[test]
#[expect(clippy::disallowed_methods, reason = "when a script has joined is a moment of wall-clock time")]
fn a_script_that_joins_a_topic_is_on_the_dashboard_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let orders = (0..40).map(|n| format!("order {n}")).collect::<Vec<_>>().join("\n");
    run(Command::new("kcat").args(["-b", &broker.address, "-P", "-t", "orders", "-p", "0"]), &orders);
    let mut dashboard = common::freshet()
        .args(["dashboard", "--format", "jsonl", "--bootstrap-servers", &broker.address])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = common::lines(dashboard.stdout.take().unwrap());
    let patience = Duration::from_mins(1);
    let snapshot = || -> Value {
        let lines = std::iter::from_fn(|| said.recv_timeout(patience).ok());
        let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        lines.find(|line| line["type"] == "snapshot").expect("a line a second")
    };
    while snapshot()["topics"]["data"][0]["total_records"] != 40 {}

    let mut script = Command::new(python())
        .args(["-c", SCRIPT, &broker.address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let spoken = common::lines(script.stdout.take().unwrap());
    assert_eq!(spoken.recv_timeout(patience).unwrap(), "reading");
    let joined_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let (group, seen_ms) = loop {
        let snapshot = snapshot();
        let taken_ms = snapshot["taken_at_ms"].as_u64().unwrap();
        let groups = snapshot["groups"]["data"].as_array().unwrap();
        if let Some(group) =
            groups.iter().find(|group| group["id"] == "my-script" && group["lag_records"] == 30)
        {
            break (group.clone(), taken_ms);
        }
        assert!(taken_ms < joined_ms + 2_000, "not there after two seconds: {groups:#?}");
    };
    assert!(seen_ms < joined_ms + 2_000, "seen {} ms after it had joined", seen_ms - joined_ms);
    assert_eq!((&group["ours"], &group["state"]), (&false.into(), &"stable".into()));
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
    assert_eq!(group["members"][0]["client_id"], "my-laptop");
    let partitions = group["partitions"].as_array().unwrap();
    assert!(
        partitions.iter().all(|at| at["topic"] == "orders" && at["owner"] == "my-laptop"),
        "{partitions:#?}"
    );
    drop(script.stdin.take());
    script.wait().unwrap();
    dashboard.kill().unwrap();
    dashboard.wait().unwrap();
}

#[test]
fn the_examples_of_the_documentation_run() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let example = |name: &str| repository().join("examples/python").join(name);
    let produced = run(Command::new(python()).arg(example("producer.py")).arg(&broker.address), "");
    assert_eq!(produced.lines().count(), 100, "{produced}");
    for partition in 0..4 {
        let of_it = format!("partition {partition} ");
        assert!(produced.lines().any(|line| line.starts_with(&of_it)), "no card in {of_it}: {produced}");
    }
    // A script that starts the tests in its background hands down an ignored SIGINT, and Python
    // would leave it so.
    let mut first = Command::new("env")
        .args(["--default-signal=INT".as_ref(), python().as_os_str(), example("consumer.py").as_os_str()])
        .arg(&broker.address)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let read = common::lines(first.stdout.take().expect("piped"));
    for number in 0..100 {
        read.recv_timeout(Duration::from_mins(1))
            .unwrap_or_else(|_| panic!("record {number} of 100 did not come"));
    }
    signal(first.id(), "INT");
    let ended = read.recv_timeout(Duration::from_mins(1));
    if ended != Err(RecvTimeoutError::Disconnected) {
        first.kill().unwrap();
    }
    assert!(first.wait().unwrap().success(), "Ctrl-C is the usual end of a consumer");
    let again = run(Command::new(python()).arg(example("consumer.py")).args([&broker.address, "3000"]), "");
    assert_eq!(again, "", "the committed offset is at the end: nothing is read twice");
    let groups = run(common::freshet().args(["groups", "--bootstrap-servers", &broker.address]), "");
    assert!(groups.contains("my-first-app") && groups.contains("my_swipes"), "{groups}");
}

/// Five terminals of a lesson, of which one has nothing to do. Then a window is closed: its
/// member does not leave the group, so the coordinator waits for the session to time out.
#[test]
#[expect(clippy::disallowed_methods, reason = "a session times out in wall-clock time")]
fn an_example_that_is_killed_hands_over_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let example = |name: &str| repository().join("examples/python").join(name);
    run(Command::new(python()).arg(example("producer.py")).arg(&broker.address), "");
    let member = |_| {
        let mut consumer = Command::new(python());
        consumer.arg(example("consumer.py")).arg(&broker.address).stdout(Stdio::null()).stderr(Stdio::null());
        consumer.spawn().expect("python runs")
    };
    // Who owns a partition, and who owns none, as `freshet groups` calls them.
    let owners = || -> (Vec<String>, Vec<String>) {
        let mut groups = common::freshet();
        groups.args(["groups", "--format", "jsonl", "--bootstrap-servers", &broker.address]);
        let said = run(&mut groups, "");
        let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (owned, idle): (Vec<_>, Vec<_>) = lines.partition(|line| line["partition"].is_number());
        let named = |lines: Vec<Value>| {
            let mut names: Vec<_> =
                lines.iter().filter_map(|line| line["owner"].as_str().map(str::to_owned)).collect();
            names.sort();
            names.dedup();
            names
        };
        (named(owned), named(idle))
    };
    let mut members: Vec<Child> = (0..5).map(member).collect();
    let name = |member: &Child| format!("me-{}", member.id());
    common::until("four have a partition each", || {
        let (owning, idle) = owners();
        (owning.len(), idle.len()) == (4, 1)
    });
    let (owning, idle) = owners();
    assert!(members.iter().all(|member| owning.contains(&name(member)) || idle.contains(&name(member))));
    let at = members.iter().position(|member| owning.contains(&name(member))).unwrap();
    let mut closed = members.swap_remove(at);
    closed.kill().unwrap();
    closed.wait().unwrap();
    let killed = Instant::now();
    common::until("the others have all", || {
        let (owning, idle) = owners();
        owning.len() == 4 && idle.is_empty() && !owning.contains(&name(&closed))
    });
    let took = killed.elapsed();
    for mut member in members {
        member.kill().unwrap();
        member.wait().unwrap();
    }
    assert!(took < Duration::from_secs(20), "{took:?} after a session of six seconds");
}

/// A demo, which ends with the test.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        signal(self.0.id(), "INT");
        let _ = self.0.wait();
    }
}

#[test]
fn a_stolen_card_is_declined_while_the_demo_runs() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let demo = common::freshet()
        .args(["demo", "--scenario", "payments", "--headless", "--bootstrap-servers", &broker.address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _demo = Demo(demo.expect("the demo starts"));
    common::until("the show's first decision", || {
        let mut topics = common::freshet();
        topics.args(["topics", "--format", "jsonl", "--bootstrap-servers", &broker.address]);
        let listed = run(&mut topics, "");
        let mut topics = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let decisions = topics.find(|topic| topic["topic"] == "fraud_decisions");
        let partitions = decisions.and_then(|topic| topic["partitions"].as_array().cloned());
        partitions.is_some_and(|all| all.iter().any(|at| at["log_end"].as_i64() > Some(0)))
    });
    let example = repository().join("examples/python/steal_a_card.py");
    let told = run(Command::new(python()).arg(example).args([&broker.address, "ada"]), "");
    let answers: Vec<&str> = told.lines().collect();
    assert_eq!(answers.len(), 9, "an answer to each swipe: {told}");
    assert!(answers[..2].iter().all(|answer| answer.contains("approved after ")), "{told}");
    let last = answers[8];
    assert!(
        last.starts_with(" 850.00  declined after ") && last.contains("times the card's usual"),
        "{told}"
    );
}
