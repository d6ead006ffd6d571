//! What a broker says of its cluster, and each of its brokers where clients are told that it is.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;

use client::direct::{BrokerAddress, CallError, ClusterView, Connection, HostError};
use text::plural;

use super::address::{ANSWERING, contacts, grouped};
use super::contact::Contact;
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
    let (asked, came_by) = (now(), connection.peer());
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
        let visits: Vec<_> =
            all.map(|broker| scope.spawn(|| go_to(exam, (server, came_by), &view, broker))).collect();
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

/// Goes to a broker as every client does: by the address that the cluster tells of it. `server` has
/// told, which stands for that address here.
fn go_to(
    exam: &Exam<'_>,
    (server, came_by): (&str, SocketAddr),
    view: &ClusterView,
    broker: &BrokerAddress,
) -> (Option<Connection>, Report) {
    let mut report = Report::default();
    let unreachable = |what: &str| findings::advertised_unreachable(server, broker, what);
    let Some(port) = u16::try_from(broker.port).ok().filter(|port| *port > 0) else {
        report.findings.push(unreachable("that is no port"));
        return (None, report);
    };
    // Who has less time than an answer may take is not silent because it has not answered.
    let is_late = exam.share(ANSWERING) >= exam.deadline;
    let found = match contacts(exam, &broker.host, port) {
        Err(HostError::TimedOut) if is_late => {
            report.findings.push(findings::out_of_time(broker));
            return (None, report);
        }
        Ok(found) => found,
        Err(error) => {
            report.findings.push(unreachable(&findings::advertised_name(broker, &error)));
            return (None, report);
        }
    };
    let Some(first) = found.iter().position(|(_, contact)| contact.is_kafka()) else {
        if is_late && found.iter().any(|(_, contact)| matches!(contact, Contact::Silent | Contact::NoAnswer))
        {
            report.findings.push(findings::out_of_time(broker));
            return (None, report);
        }
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
    if sends_others_to_themselves(&broker.host, came_by.ip()) {
        report.findings.push(findings::advertised_loopback(server, broker));
    } else {
        report.checked.push(format!("clients are sent on to {} and reach it", findings::told(broker)));
    }
    look_at_disks(&mut connection, broker.id, &mut report);
    look_at_refusals(&mut connection, broker.id, &mut report);
    (Some(connection), report)
}

/// Whether this is told to clients on other machines too: to those who came by this address. Who
/// has come by one that is this machine's alone may be told so, and others are told others.
fn sends_others_to_themselves(told: &str, came_by: IpAddr) -> bool {
    is_loopback(told) && !is_own(came_by)
}

/// Whether a host is the machine itself, whichever that is.
fn is_loopback(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || number.is_ok_and(is_own)
}

/// Whether an address leads to the machine itself; to all of its addresses is nowhere else.
fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
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
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn it_is_the_address_by_which_one_came_that_tells_who_is_sent_to_this_machine() {
        let is_wrong = |told: &str, came_by: &str| sends_others_to_themselves(told, came_by.parse().unwrap());
        for told in ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]", "0.0.0.0"] {
            for own in ["127.0.0.1", "127.0.1.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
                assert!(!is_wrong(told, own), "{told} by {own}");
            }
            assert!(is_wrong(told, "192.0.2.2") && is_wrong(told, "2001:db8::2"), "{told}");
        }
        assert!(!is_wrong("192.0.2.2", "192.0.2.2") && !is_wrong("kafka.example", "192.0.2.2"));
    }

    #[test]
    fn who_had_no_time_to_answer_is_not_called_silent() {
        // The kernel takes the connections.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = listener.local_addr().unwrap();
        let port = silent.port().into();
        let broker = BrokerAddress { id: 1, host: "127.0.0.1".to_owned(), port };
        let view = ClusterView { id: None, controller: None, brokers: Vec::new(), topics: Vec::new() };
        let settings = client::Settings::new("");
        let kind = |exam: &Exam<'_>| {
            let (connection, report) = go_to(exam, ("localhost:9092", silent), &view, &broker);
            assert!(connection.is_none());
            report.findings[0].kind
        };
        let exam = Exam::begin(&settings, Duration::from_secs(1));
        assert_eq!(kind(&exam), "advertised_unreachable");
        let late = Exam { time: Duration::from_mins(1), ..Exam::begin(&settings, Duration::from_secs(1)) };
        assert_eq!(kind(&late), "out_of_time");
    }

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
