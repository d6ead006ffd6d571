//! `freshet doctor`: why does nothing connect?
//!
//! It goes the way that every client goes, and says at which step it ends: the name, the
//! connection, the protocol, what the broker says of itself, the addresses to which it sends its
//! clients; then whatever else was asked for. A step that fails is a [`Finding`], and the steps
//! behind it, which can't be taken, are left out.
//!
//! # Simplifications
//! - TLS is spoken where the settings say so (`--client-config`); elsewhere a Kafka behind TLS is
//!   recognized and not looked into.
//! - Of a cluster with many brokers the first [`MOST_BROKERS`](cluster::MOST_BROKERS) are visited.

mod address;
mod cluster;
mod contact;
mod contact_findings;
mod finding;
mod findings;
mod group;
mod names;
mod trial;

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use client::Settings;
use client::direct::{Connection, DOCTOR};
use serde_json::json;
use text::plural;

use super::direct_settings;
use crate::cli::{ClusterArgs, DoctorArgs, Format};
use crate::output::{paragraph, print, width};
use finding::Finding;
use names::short;

/// Of the time that there is, so much is kept for starting and for writing, at most.
const SPARE: Duration = Duration::from_millis(100);
/// So many bootstrap servers are looked at.
const MOST_SERVERS: usize = 8;

/// What was found, and what was looked at and is well.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<Finding>,
    checked: Vec<String>,
}

/// How to ask, and until when.
#[derive(Clone, Copy)]
struct Exam<'a> {
    settings: &'a Settings,
    /// How long it may take in all, …
    time: Duration,
    /// … and when that is over.
    deadline: Instant,
}

impl<'a> Exam<'a> {
    fn begin(settings: &'a Settings, time: Duration) -> Self {
        Self { settings, time, deadline: now() + time }
    }

    /// So much of all the time from now on, in hundredths, or until the end.
    fn share(&self, percent: u32) -> Instant {
        (now() + self.time * percent / 100).min(self.deadline)
    }

    /// Waits a moment for something in the cluster to happen, of which nobody tells. Whether there
    /// is time for it.
    #[expect(clippy::disallowed_methods, reason = "a cluster tells nobody when it has chosen a leader")]
    fn pause(&self) -> bool {
        thread::sleep(Duration::from_millis(20));
        now() < self.deadline
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: a cluster is waited for in wall-clock time")]
fn now() -> Instant {
    Instant::now()
}

/// Examines, and says what was found. Fails if anything was.
pub(crate) fn run(args: &DoctorArgs) -> Result<()> {
    let bootstrap_servers = args.address.clone().or_else(|| args.cluster.bootstrap_servers.clone());
    let settings = direct_settings(&ClusterArgs { bootstrap_servers, ..args.cluster.clone() }, DOCTOR)?;
    let servers = settings.servers();
    let time = Duration::from_millis(args.within.ms().unsigned_abs());
    let exam = Exam::begin(&settings, time.saturating_sub(SPARE.min(time / 10)));
    let mut report = Report::default();
    let topic = examine(&exam, servers, args, &mut report);
    match args.format {
        Format::Text => print(|out| write!(out, "{}", text_of(&report, &settings, topic.as_deref())))?,
        Format::Jsonl => print(|out| write!(out, "{}", lines_of(&report, servers)))?,
    }
    match report.findings.len() as u64 {
        0 => Ok(()),
        count => bail!("{} about {}", plural(count, "finding"), short(servers)),
    }
}

/// The addresses in a list of them, as clients take them.
fn plain_servers(servers: &str) -> impl Iterator<Item = &str> {
    servers.split(',').map(|server| client::without_protocol(server.trim()))
}

/// Goes as far as it gets. A topic to read from, if there is one.
fn examine(exam: &Exam<'_>, servers: &str, args: &DoctorArgs, report: &mut Report) -> Option<String> {
    let servers: Vec<_> = plain_servers(servers).take(MOST_SERVERS).collect();
    let entered: Vec<_> = thread::scope(|scope| {
        let looks = servers.iter().map(|&server| scope.spawn(move || address::enter(exam, server)));
        let looks: Vec<_> = looks.collect();
        looks.into_iter().map(|look| look.join().expect("looking at an address does not panic")).collect()
    });
    let mut first: Option<(&str, Connection)> = None;
    for (&server, (connection, findings)) in servers.iter().zip(entered) {
        report.findings.extend(findings);
        first = first.or(connection.map(|connection| (server, connection)));
    }
    let (server, connection) = first?;
    let mut cluster = cluster::visit(exam, server, connection, report)?;
    let topic = args.topic.as_deref();
    let known = topic.is_none_or(|topic| group::examine_topic(&mut cluster, topic, report));
    if let Some(group) = &args.group {
        group::examine_group(exam, &mut cluster, group, topic.filter(|_| known), report);
    }
    if args.write && known {
        trial::send_and_read(exam, &mut cluster, topic, report);
    }
    let first_topic =
        || cluster.view.topics.iter().find(|topic| !topic.is_internal).map(|topic| &*topic.name);
    topic.or_else(first_topic).map(str::to_owned)
}

/// For a person.
fn text_of(report: &Report, settings: &Settings, topic: Option<&str>) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text += &paragraph(&format!("- {}.", finding.what), width(), 2);
        text += "  ";
        text += &paragraph(&format!("Remedy: {}.", finding.remedy), width().saturating_sub(2), 2);
    }
    if !report.findings.is_empty() {
        return text;
    }
    text += &paragraph(&format!("{} is well.", short(settings.servers())), width(), 0);
    for checked in &report.checked {
        text += &paragraph(&format!("- {checked}"), width(), 2);
    }
    text += "In Python (pip install kafka-python):\n";
    for line in program(settings, topic.unwrap_or("YOUR-TOPIC")) {
        text += &format!("  {line}\n");
    }
    text
}

/// The shortest program that reads all there is in a topic; what the client's file has besides, and
/// what may be secret, is left for its author to write.
fn program(settings: &Settings, topic: &str) -> [String; 3] {
    // A string of JSON is one of Python.
    let servers: Vec<_> = plain_servers(settings.servers()).collect();
    let (servers, topic) = (json!(servers.join(",")), json!(topic));
    let security = match (settings.has_login(), settings.has_tls()) {
        (false, false) => "",
        (false, true) => ", security_protocol=\"SSL\", ssl_cafile=\"…\"",
        (true, false) => ", security_protocol=\"SASL_PLAINTEXT\"",
        (true, true) => ", security_protocol=\"SASL_SSL\", ssl_cafile=\"…\"",
    };
    let login = if settings.has_login() {
        ", sasl_mechanism=\"…\", sasl_plain_username=\"…\", sasl_plain_password=\"…\""
    } else {
        ""
    };
    [
        "from kafka import KafkaConsumer".to_owned(),
        format!(
            "for record in KafkaConsumer({topic}, bootstrap_servers={servers}, auto_offset_reset=\"earliest\"{security}{login}):"
        ),
        "    print(record.offset, record.key, record.value)".to_owned(),
    ]
}

/// For a program: a line for each finding, one for each thing that is well, and a last one.
fn lines_of(report: &Report, servers: &str) -> String {
    let mut lines = String::new();
    for Finding { kind, what, remedy } in &report.findings {
        lines += &format!("{}\n", json!({ "finding": kind, "what": what, "remedy": remedy }));
    }
    for checked in &report.checked {
        lines += &format!("{}\n", json!({ "checked": checked }));
    }
    let last = json!({ "bootstrap_servers": servers, "findings": report.findings.len() });
    lines + &format!("{last}\n")
}
