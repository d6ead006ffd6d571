//! What a broker says of its cluster, and each of its brokers where clients are told that it is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use client::direct::{BrokerAddress, CallError, ClusterView, Connection};
use text::plural;

use super::address::{contacts, grouped};
use super::contact::split;
use super::finding::Finding;
use super::findings;
use super::names::short;
use super::{Exam, Report, now};

/// So many brokers are visited.
pub(super) const MOST_BROKERS: usize = 16;
/// The setting under which our broker tells whom it refused; no other has it.
const REFUSED_CONNECTIONS: &str = "freshet.refused.connections";
/// What is older is no news, …
const NEWS_MS: u64 = 10 * 60 * 1_000;
/// … and so much of it is told.
const MOST_NEWS: usize = 4;
/// A disk with less is nearly full, as is one of which less than a hundredth is left.
const LITTLE_BYTES: u64 = 2_000_000_000;

/// A cluster, with a connection to each broker that could be reached.
pub(super) struct Cluster {
    /// What it says of itself.
    pub(super) view: ClusterView,
    /// By the brokers' numbers.
    pub(super) brokers: BTreeMap<i32, Connection>,
}

/// Asks who is there, and goes there. None when the way ends here.
pub(super) fn visit(
    exam: &Exam<'_>,
    server: &str,
    mut connection: Connection,
    report: &mut Report,
) -> Option<Cluster> {
    let asked = now();
    let view = match connection.cluster(None) {
        Ok(view) => view,
        Err(error) => {
            report.findings.push(why_no_metadata(exam, server, &connection, &error));
            return None;
        }
    };
    if view.brokers.is_empty() {
        report.findings.push(findings::no_brokers(server));
        return None;
    }
    let took_ms = asked.elapsed().as_secs_f64() * 1_000.0;
    report.checked.push(format!(
        "{} is a Kafka with {} and {}, and answers in {took_ms:.1} ms",
        connection.peer(),
        plural(view.brokers.len() as u64, "broker"),
        plural(view.topics.iter().filter(|topic| !topic.is_internal).count() as u64, "topic"),
    ));
    let visits: Vec<(Option<Connection>, Report)> = thread::scope(|scope| {
        let all = view.brokers.iter().take(MOST_BROKERS);
        let visits: Vec<_> = all.map(|broker| scope.spawn(|| go_to(exam, server, &view, broker))).collect();
        visits.into_iter().map(|visit| visit.join().expect("a visit does not panic")).collect()
    });
    let mut brokers = BTreeMap::new();
    for (broker, (connection, seen)) in view.brokers.iter().zip(visits) {
        report.findings.extend(seen.findings);
        report.checked.extend(seen.checked);
        if let Some(connection) = connection {
            brokers.insert(broker.id, connection);
        }
    }
    Some(Cluster { view, brokers })
}

/// A broker that wants a login says what it speaks, and closes the connection at the next question.
fn why_no_metadata(exam: &Exam<'_>, server: &str, connection: &Connection, error: &CallError) -> Finding {
    if matches!(error, CallError::HungUp)
        && let Ok(again) = connection.again(exam.deadline)
        && let Ok(mut again) = again.secure()
        && again.greet().is_ok()
    {
        if let Err(error @ (CallError::Refused(_) | CallError::Scram(_))) = again.log_in() {
            return findings::login_refused(server, &error.to_string());
        }
        if let Ok(mechanisms) = again.login_mechanisms()
            && !mechanisms.is_empty()
        {
            return findings::login_wanted(server, &mechanisms, exam.settings.has_tls());
        }
    }
    findings::no_metadata(server, &error.to_string())
}

/// Goes to a broker as every client does: by the address that the cluster tells of it.
fn go_to(
    exam: &Exam<'_>,
    server: &str,
    view: &ClusterView,
    broker: &BrokerAddress,
) -> (Option<Connection>, Report) {
    let mut report = Report::default();
    let unreachable = |what: &str| findings::advertised_unreachable(server, broker, what);
    let Some(port) = u16::try_from(broker.port).ok().filter(|port| *port > 0) else {
        report.findings.push(unreachable("that is no port"));
        return (None, report);
    };
    let found = match contacts(exam, &broker.host, port) {
        Ok(found) => found,
        Err(error) => {
            report.findings.push(unreachable(&findings::advertised_name(broker, &error)));
            return (None, report);
        }
    };
    let Some(first) = found.iter().position(|(_, contact)| contact.is_kafka()) else {
        let all = grouped(&found);
        report
            .findings
            .extend(all.iter().map(|(at, contact)| unreachable(&findings::advertised_contact(at, contact))));
        return (None, report);
    };
    let kafka = found.into_iter().nth(first).and_then(|(_, contact)| contact.kafka());
    let mut connection = kafka.expect("it was found to be one");
    let there = connection.cluster(Some(&[])).ok().and_then(|view| view.id);
    if let (Some(here), Some(there)) = (&view.id, &there)
        && here != there
    {
        report.findings.push(findings::advertised_elsewhere(server, broker, (here, there)));
        return (None, report);
    }
    if is_loopback(&broker.host) && split(server).is_some_and(|(host, _)| !is_loopback(host)) {
        report.findings.push(findings::advertised_loopback(server, broker));
    } else {
        report.checked.push(format!("clients are sent on to {} and reach it", findings::told(broker)));
    }
    look_at_disks(&mut connection, broker.id, &mut report);
    look_at_refusals(&mut connection, broker.id, &mut report);
    (Some(connection), report)
}

/// Whether a host is the machine itself, whichever that is.
fn is_loopback(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || number.is_ok_and(|address| address.is_loopback())
}

/// Who may not ask, and who asks a broker that does not tell, learns nothing: that is no finding.
fn look_at_disks(connection: &mut Connection, broker: i32, report: &mut Report) {
    for dir in connection.log_dirs().unwrap_or_default() {
        if let Some(error) = &dir.error {
            report.findings.push(findings::disk_failed(broker, &dir, error));
            continue;
        }
        let (Some(usable), Some(total)) = (dir.usable_bytes, dir.total_bytes) else { continue };
        if usable < LITTLE_BYTES.max(total / 100) {
            report.findings.push(findings::disk_nearly_full(broker, &dir, usable, total));
        } else {
            let (usable, total) = (findings::bytes(usable), findings::bytes(total));
            report.checked.push(format!("{usable} of {total} are free for {}", short(&dir.path)));
        }
    }
}

fn look_at_refusals(connection: &mut Connection, broker: i32, report: &mut Report) {
    let Ok(Some(lines)) = connection.broker_setting(broker, REFUSED_CONNECTIONS) else { return };
    let found = refusals(&lines);
    if found.is_empty() {
        let minutes = Duration::from_millis(NEWS_MS).as_secs() / 60;
        report.checked.push(format!("the broker has refused no client in the last {minutes} minutes"));
    }
    report.findings.extend(found);
}

/// The latest of them: a line each, as `AGE_MS <tab> COUNT <tab> HOST <tab> REASON`.
fn refusals(lines: &str) -> Vec<Finding> {
    let refusal = |line: &str| {
        let mut fields = line.splitn(4, '\t');
        let (age_ms, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let (host, reason) = (fields.next()?, fields.next()?);
        (age_ms < NEWS_MS).then(|| findings::refused_client(count, host, age_ms, reason))
    };
    lines.lines().filter_map(refusal).take(MOST_NEWS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_news_for_ten_minutes_and_nonsense_is_none() {
        let lines = "1500\t1\t127.0.0.1\tthis is an HTTP request\n\
                     70000\t12\t10.0.0.7\tFetch version 3 is not one this broker announces\n\
                     600000\t1\t10.0.0.8\told\n\nx\t1\ta\tb\n-1\t1\ta\tb\n5\t1\ta\n";
        let found = refusals(lines);
        let [browser, old] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            browser.what,
            "the broker has refused a client at 127.0.0.1, a moment ago: this is an HTTP request"
        );
        assert!(
            old.what.contains("12 connections of clients at 10.0.0.7, last 70 s ago: Fetch version 3"),
            "{old:?}"
        );
        assert!(old.remedy.contains("api_version=(0, 10)"), "{old:?}");
    }
}
