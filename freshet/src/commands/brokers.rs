//! `freshet brokers`: who is in the cluster, and who of them does what.
//!
//! It asks by connections of our own: of the bytes on a broker's disks and of the controllers'
//! quorum librdkafka can't ask.
//!
//! # Simplifications
//! - How far a replica lags behind its leader no broker tells in records; whether it is in sync the
//!   leader decides, and that is shown.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use client::direct::{BrokerAddress, CallError, ClusterView, Connection, QuorumMember, QuorumView};
use client::{ClusterError, Settings};
use serde_json::json;
use text::{Table, grouped, plural};

use super::{PATIENCE, direct_settings};
use crate::cli::{BrokersArgs, Format};
use crate::output::print;

/// What the cluster is asked, as errors say it.
const WHAT: &str = "asking for the brokers";
/// So many brokers are asked at a time: a cluster may tell of any number.
const MOST_AT_ONCE: usize = 16;

/// What a broker does for the partitions.
#[derive(Clone, Copy, Default)]
struct Duties {
    leads: u64,
    follows: u64,
    in_sync: u64,
}

/// What there is to say of a broker.
struct Row {
    id: i32,
    /// Where it is; none where it is away, and is known by the replicas that it has.
    address: Option<BrokerAddress>,
    /// Whether it is the active controller; none where that is not told.
    is_controller: Option<bool>,
    duties: Duties,
    /// The size of its logs; none where it does not tell.
    bytes: Option<u64>,
}

/// Prints every broker, and the quorum.
pub(crate) fn run(args: &BrokersArgs) -> Result<()> {
    let settings = direct_settings(&args.cluster, "brokers")?;
    let mut connection = Connection::reach(&settings, WHAT, PATIENCE)?;
    connection.set_deadline(deadline());
    let view = connection.cluster(None).map_err(|error| unanswered(&settings, &error))?;
    connection.set_deadline(deadline());
    let quorum = connection.quorum();
    let rows = rows(&settings, view, &quorum);
    match args.format {
        Format::Text => print(|out| {
            write!(out, "{}", table(&rows))?;
            writeln!(out, "quorum: {}", quorum.as_ref().map_or_else(why_no_quorum, in_words))
        }),
        Format::Jsonl => print(|out| {
            for row in &rows {
                writeln!(out, "{}", line(row))?;
            }
            writeln!(out, "{}", quorum_line(&quorum))
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: a cluster is waited for in wall-clock time")]
fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

fn unanswered(settings: &Settings, error: &CallError) -> anyhow::Error {
    let servers = settings.servers().to_owned();
    if let CallError::TimedOut = error {
        return ClusterError::Unreachable { what: WHAT.to_owned(), servers, seconds: PATIENCE.as_secs() }
            .into();
    }
    anyhow!("{WHAT}: {servers} does not tell: {error}: `freshet doctor` looks why")
}

/// Who is the active controller; none where that is not told.
fn controller(view: &ClusterView, quorum: &Result<QuorumView, CallError>) -> Option<i32> {
    match quorum {
        Ok(quorum) => quorum.leader,
        Err(CallError::Unsupported(_)) => view.controller,
        // There is a quorum, and then a broker names any other as the controller.
        Err(_) => None,
    }
}

fn rows(settings: &Settings, view: ClusterView, quorum: &Result<QuorumView, CallError>) -> Vec<Row> {
    let controller = controller(&view, quorum);
    let mut duties: BTreeMap<i32, Duties> = BTreeMap::new();
    for partition in view.topics.iter().flat_map(|topic| &topic.partitions) {
        for id in &partition.replicas {
            let duties = duties.entry(*id).or_default();
            *(if partition.leader == Some(*id) { &mut duties.leads } else { &mut duties.follows }) += 1;
        }
        for id in &partition.in_sync {
            duties.entry(*id).or_default().in_sync += 1;
        }
    }
    let bytes = bytes(settings, &view.brokers);
    let mut all: BTreeMap<i32, Option<BrokerAddress>> = duties.keys().map(|id| (*id, None)).collect();
    all.extend(view.brokers.into_iter().map(|address| (address.id, Some(address))));
    let row = |(id, address)| Row {
        id,
        address,
        is_controller: controller.map(|controller| controller == id),
        duties: duties.get(&id).copied().unwrap_or_default(),
        bytes: bytes.get(&id).copied(),
    };
    all.into_iter().map(row).collect()
}

/// The size of all that each broker keeps, of those that tell it in time.
fn bytes(settings: &Settings, brokers: &[BrokerAddress]) -> BTreeMap<i32, u64> {
    let (next, deadline) = (AtomicUsize::new(0), deadline());
    let ask = |at: &BrokerAddress| {
        let port = u16::try_from(at.port).ok()?;
        Connection::reach_broker(settings, &at.host, port, deadline)?.stored_bytes().ok()
    };
    let ask_some = || {
        let mut told = Vec::new();
        while let Some(at) = brokers.get(next.fetch_add(1, Ordering::Relaxed)) {
            told.extend(ask(at).map(|bytes| (at.id, bytes)));
        }
        told
    };
    thread::scope(|scope| {
        let threads = brokers.len().min(MOST_AT_ONCE);
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask_some)).collect();
        asking.into_iter().flat_map(|asks| asks.join().expect("asking a broker does not panic")).collect()
    })
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["id", "address", "controller", "leads", "follows", "in sync", "bytes"]);
    let shown = |BrokerAddress { host, port, .. }: &BrokerAddress| {
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    };
    for Row { id, address, is_controller, duties, bytes } in rows {
        let Duties { leads, follows, in_sync } = *duties;
        table.row([
            id.to_string(),
            address.as_ref().map_or_else(|| "away".to_owned(), shown),
            is_controller.map_or("–", |is_one| if is_one { "active" } else { "" }).to_owned(),
            grouped(leads),
            grouped(follows),
            format!("{} of {}", grouped(in_sync), grouped(leads + follows)),
            bytes.map_or_else(|| "–".to_owned(), grouped),
        ]);
    }
    table
}

/// The quorum in a sentence.
fn in_words(quorum: &QuorumView) -> String {
    let leader = quorum.leader.map_or_else(
        || "the controllers elect one of them".to_owned(),
        |leader| format!("{leader} is the active controller"),
    );
    let ids = |members: &[QuorumMember]| {
        members.iter().map(|member| member.id.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut said = format!("{leader}, in epoch {}; voters {}", quorum.epoch, ids(&quorum.voters));
    if !quorum.observers.is_empty() {
        said += &format!("; observers {}", ids(&quorum.observers));
    }
    let behind = |member: &QuorumMember| format!("{} lacks {}", member.id, plural(member.behind, "record"));
    let late: Vec<String> = quorum.members().filter(|member| member.behind > 0).map(behind).collect();
    if late.is_empty() { said + "; all have all of the metadata" } else { said + "; " + &late.join(", ") }
}

/// Why nothing is known of it.
fn why_no_quorum(error: &CallError) -> String {
    let old = "; a cluster with ZooKeeper has none, and before Kafka 3.3 none tells of it";
    let old = if matches!(error, CallError::Unsupported(_)) { old } else { "" };
    format!("not told: {error}{old}")
}

fn line(row: &Row) -> serde_json::Value {
    let Row { id, address, is_controller, duties: Duties { leads, follows, in_sync }, bytes } = row;
    json!({
        "broker": id, "host": address.as_ref().map(|at| &at.host),
        "port": address.as_ref().map(|at| at.port), "controller": is_controller,
        "leads": leads, "follows": follows, "in_sync": in_sync, "bytes": bytes,
    })
}

fn quorum_line(quorum: &Result<QuorumView, CallError>) -> serde_json::Value {
    let quorum = match quorum {
        Ok(quorum) => quorum,
        Err(error) => return json!({ "quorum": null, "reason": why_no_quorum(error) }),
    };
    let member = |member: &QuorumMember| json!({ "id": member.id, "behind": member.behind });
    json!({ "quorum": {
        "leader": quorum.leader, "epoch": quorum.epoch,
        "voters": quorum.voters.iter().map(member).collect::<Vec<_>>(),
        "observers": quorum.observers.iter().map(member).collect::<Vec<_>>(),
    } })
}
