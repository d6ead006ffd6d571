//! The same programs against an Apache Kafka and against ours: what they observe must be the same,
//! but for what docs/compatibility.md lists with a reason.
//!
//! Each program prints a line `name: value` for each thing it has tried. Whatever differs between
//! the two brokers must stand in the document's table, and whatever stands in the table must
//! differ. `make clients CLIENTS=kcat,KafkaJS` tries some only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::common::apache::{Apache, kafka};
use super::common::{Broker, repository};
use super::{python, run, try_run};

/// One row of the table: client, observation, what an Apache Kafka gives, what ours gives.
type Difference = [String; 4];

#[test]
#[ignore = "needs Java, Maven, Node.js, Go and ten minutes: make clients"]
fn every_client_sees_what_apache_kafka_shows() {
    let folder = tempfile::tempdir().unwrap();
    let apache = Apache::start(folder.path());
    let wanted = std::env::var("CLIENTS").unwrap_or_default();
    let is_wanted = |client: &str| wanted.is_empty() || wanted.split(',').any(|wanted| wanted == client);
    let (mut differences, mut listed) = (BTreeSet::new(), listed_differences());
    listed.retain(|[client, ..]| is_wanted(client));
    let mut failures = Vec::new();
    for (client, command) in programs().into_iter().filter(|(client, _)| is_wanted(client)) {
        // Each program finds a broker of ours without a past; those who use the Apache Kafka keep
        // out of each other's way.
        let folder = tempfile::tempdir().unwrap();
        let (ours, login) = Broker::start_with_logins(folder.path());
        let theirs = At { address: &apache.address, login: &apache.login, data_dir: &apache.data_dir };
        let ours = At { address: &ours.address, login: &login, data_dir: ours.folder.to_str().unwrap() };
        let (theirs, ours) = thread::scope(|scope| {
            let theirs = scope.spawn(|| observe(&mut command(theirs)));
            let ours = observe(&mut command(ours));
            (theirs.join().expect("a failure is a result"), ours)
        });
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => {
                println!("{client}: {} observations", ours.len());
                differences.extend(compare(client, &theirs, &ours));
            }
            (theirs, ours) => {
                let against = |whom: &str, failure| format!("{client} against {whom}: {failure}");
                failures.extend(theirs.err().map(|failure| against("an Apache Kafka", failure)));
                failures.extend(ours.err().map(|failure| against("ours", failure)));
                // Of what it would have seen nothing is known.
                listed.retain(|[other, ..]| other != client);
            }
        }
    }
    let unlisted: Vec<String> = differences.difference(&listed).map(row).collect();
    let outdated: Vec<String> = listed.difference(&differences).map(row).collect();
    if !unlisted.is_empty() || !outdated.is_empty() {
        failures.push(format!(
            "docs/compatibility.md does not tell these differences:\n{}\nand these it tells, but they are none:\n{}",
            unlisted.join("\n"),
            outdated.join("\n")
        ));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    println!("{} differences, all of them listed in docs/compatibility.md", differences.len());
}

/// What one client has seen differently.
fn compare(client: &str, theirs: &Observations, ours: &Observations) -> Vec<Difference> {
    assert!(!ours.is_empty(), "{client} has observed nothing");
    let names = theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>();
    let value = |of: &Observations, name| of.get(name).map_or("nothing", String::as_str).to_owned();
    let rows = names
        .into_iter()
        .map(|name| [client.to_owned(), name.clone(), value(theirs, name), value(ours, name)]);
    rows.filter(|[_, _, theirs, ours]| theirs != ours).collect()
}

/// Kafka's own reader finds our indexes, snapshots and committed offsets right.
#[test]
#[ignore = "needs Java and Maven: make clients"]
fn kafka_dump_log_reads_our_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(folder.path());
    let script = program("kafka_dump_log.sh");
    let said = run(Command::new(&script).arg(&broker.address).arg(folder.path()), "");
    let compacted: Vec<_> = said.lines().filter(|line| line.starts_with("compacted")).collect();
    let expected = ["isvalid: true", "offset 1: b=2", "offset 2: a=new", "offset 3: c=newest"];
    let expected = (1..).zip(expected).map(|(number, line)| format!("compacted line {number}: {line}"));
    assert_eq!(compacted, expected.collect::<Vec<_>>());
    let pid = Pid::from_child(&broker.child);
    kill_process(pid, Signal::INT).unwrap();
    broker.child.wait().unwrap();
    let said = run(Command::new(&script).arg("--check").arg(folder.path()), "");
    assert!(said.contains("all well"), "{said}");
    assert_eq!(said.matches("passed sanity check").count(), 4, "{said}");
}

/// A broker that a client's program is tried on.
#[derive(Clone, Copy)]
struct At<'a> {
    address: &'a str,
    /// The listener where ada logs in.
    login: &'a str,
    data_dir: &'a str,
}

/// A way to start a client's program.
type Start = fn(At<'_>) -> Command;

fn programs() -> [(&'static str, Start); 8] {
    [
        ("kcat", |at| with(program("kcat.sh"), &[at.address, at.login])),
        ("kafka-python", |at| with(python(), &[&program("kafka_python.py"), at.address, at.login])),
        ("confluent-kafka", |at| with(python(), &[&program("confluent.py"), at.address, at.login])),
        ("KafkaJS", |at| {
            let mut node = with("node", &[&program("kafkajs/behaviour.js"), at.address, at.login]);
            node.env("NODE_PATH", repository().join("target/real-clients/kafkajs/node_modules"));
            node
        }),
        ("franz-go", |at| with(repository().join("target/real-clients/franz-go"), &[at.address, at.login])),
        ("Java client", |at| with(kafka(), &["java", &program("java/Behaviour.java"), at.address, at.login])),
        ("Kafka's tools", |at| with(program("kafka_tools.sh"), &[at.address, at.login])),
        ("kafka-dump-log", |at| with(program("kafka_dump_log.sh"), &[at.address, at.data_dir])),
    ]
}

fn program(name: &str) -> String {
    repository().join("freshet/tests/clients").join(name).to_str().expect("a path of ASCII").to_owned()
}

fn with(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    // A client that hangs is a failure too, not an endless test.
    let mut command = Command::new("timeout");
    command.arg("1800").arg(program).args(arguments);
    command
}

/// What a program observes, by name.
type Observations = BTreeMap<String, String>;

fn observe(command: &mut Command) -> Result<Observations, String> {
    let said = try_run(command, "")?;
    let observations = said.lines().filter_map(|line| line.split_once(": "));
    Ok(observations.map(|(name, value)| (name.to_owned(), value.trim_end().replace('|', "/"))).collect())
}

/// The rows of the document's table of differences.
fn listed_differences() -> BTreeSet<Difference> {
    let text = std::fs::read_to_string(repository().join("docs/compatibility.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| client | observation |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<&str> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [client, name, theirs, ours, reason] = cells[..] else { panic!("five columns: {line}") };
        assert!(!reason.is_empty(), "a difference without a reason: {line}");
        [client, name, theirs, ours].map(str::to_owned)
    })
    .collect()
}

fn row([client, name, theirs, ours]: &Difference) -> String {
    format!("| {client} | {name} | `{theirs}` | `{ours}` | |")
}
