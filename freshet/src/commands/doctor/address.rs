//! An address: what its name stands for, and what is there.

use std::net::SocketAddr;
use std::thread;

use client::Settings;
use client::direct::{CallError, Connection, DOCTOR, HostError, OpenError, Stranger, TlsError};
use client::direct::{probe, resolve};

use super::Exam;
use super::contact::{Contact, split};
use super::contact_findings::{at_door, clause, not_first};
use super::finding::Finding;
use super::findings;

/// A connection is waited for so long, in hundredths of the time that there is, …
const CONNECTING: u32 = 48;
/// … an answer so long before it is asked whether somebody else is there, …
pub(super) const ANSWERING: u32 = 26;
/// … and the answer to that so long.
const PROBING: u32 = 20;

/// Goes to a server as a client does, which takes the first of its addresses that answers. The
/// connection, if there is a Kafka, and what is wrong.
pub(super) fn enter(exam: &Exam<'_>, server: &str) -> (Option<Connection>, Vec<Finding>) {
    let Some((host, port)) = split(server) else { return (None, vec![findings::no_address(server)]) };
    match contacts(exam, host, port) {
        Err(error) => (None, vec![findings::unknown_host(server, host, &error)]),
        Ok(contacts) => judge(server, contacts),
    }
}

/// Everybody who is at the addresses of `host`, in their order: all are tried at once.
pub(super) fn contacts(
    exam: &Exam<'_>,
    host: &str,
    port: u16,
) -> Result<Vec<(SocketAddr, Contact)>, HostError> {
    let addresses = resolve(host, port, exam.share(CONNECTING))?;
    Ok(thread::scope(|scope| {
        let tries: Vec<_> = addresses.iter().map(|&to| scope.spawn(move || meet(exam, host, to))).collect();
        let contacts = tries.into_iter().map(|each| each.join().expect("meeting somebody does not panic"));
        addresses.iter().copied().zip(contacts).collect()
    }))
}

/// Who is at this address, to which the name `host` has led?
pub(super) fn meet(exam: &Exam<'_>, host: &str, address: SocketAddr) -> Contact {
    let mut connection = match Connection::open(address, host, exam.settings, exam.share(CONNECTING)) {
        Ok(connection) => connection,
        Err(OpenError::Refused) => return Contact::Refused,
        Err(OpenError::TimedOut) => return Contact::NoAnswer,
        Err(OpenError::Failed(error)) => return Contact::Unreachable(error.to_string()),
    };
    if exam.settings.has_tls() {
        connection.set_deadline(exam.share(ANSWERING));
        match connection.secure() {
            Ok(secured) => connection = secured,
            Err(error @ (TlsError::NotTls | TlsError::HungUp | TlsError::TimedOut)) => {
                return without_tls(exam, host, address, error);
            }
            Err(error) => return Contact::Tls(error),
        }
    }
    greet(exam, connection, !exam.settings.has_tls())
}

/// Who is it that does not speak TLS?
fn without_tls(exam: &Exam<'_>, host: &str, address: SocketAddr, error: TlsError) -> Contact {
    let plain = Settings::new(exam.settings.servers()).with_client_id(DOCTOR);
    let Ok(connection) = Connection::open(address, host, &plain, exam.share(CONNECTING)) else {
        return Contact::Tls(error);
    };
    match greet(exam, connection, true) {
        Contact::Kafka(_) => Contact::PlainText,
        // It may have gone on to think about it.
        Contact::Stranger(Stranger::Tls) | Contact::Silent | Contact::HungUp => Contact::Tls(error),
        other @ (Contact::PlainText
        | Contact::Tls(_)
        | Contact::Controller
        | Contact::Refused
        | Contact::NoAnswer
        | Contact::Unreachable(_)
        | Contact::Stranger(_)
        | Contact::Babble(_)) => other,
    }
}

/// Who answers? Who does not is asked in other protocols, if they can be told apart: behind TLS all
/// are alike.
fn greet(exam: &Exam<'_>, mut connection: Connection, probes: bool) -> Contact {
    let address = connection.peer();
    connection.set_deadline(exam.share(ANSWERING));
    let error = match connection.greet() {
        Ok(()) => return welcomed(exam, connection),
        Err(error) => error,
    };
    if let CallError::NotKafka(said) = &error
        && let Some(stranger) = Stranger::recognize(said)
    {
        return Contact::Stranger(stranger);
    }
    // Who is still silent may be slow; anybody else is let go: some serve nobody else before.
    let silent = matches!(error, CallError::TimedOut).then_some(connection);
    if probes && let Some(stranger) = probe(address, exam.share(PROBING)) {
        return Contact::Stranger(stranger);
    }
    match silent {
        None => refused(error),
        Some(mut connection) => {
            connection.set_deadline(exam.deadline);
            match connection.greeted() {
                Ok(()) => welcomed(exam, connection),
                Err(error) => refused(error),
            }
        }
    }
}

fn welcomed(exam: &Exam<'_>, mut connection: Connection) -> Contact {
    connection.set_deadline(exam.deadline);
    if !connection.serves_clients() {
        return Contact::Controller;
    }
    // Who is not let in learns it from the next question.
    let _refused = connection.log_in();
    Contact::Kafka(connection)
}

fn refused(error: CallError) -> Contact {
    match error {
        CallError::TimedOut => Contact::Silent,
        CallError::NotKafka(said) => Contact::Babble(said),
        CallError::HungUp => Contact::HungUp,
        CallError::Malformed(_) | CallError::Refused(_) | CallError::Scram(_) | CallError::Unsupported(_) => {
            Contact::Babble(Vec::new())
        }
        CallError::Tls(error) => Contact::Tls(error),
        CallError::Io(error) => Contact::Unreachable(error.to_string()),
    }
}

/// The first Kafka among the contacts, and what is wrong with those before it.
fn judge(server: &str, mut contacts: Vec<(SocketAddr, Contact)>) -> (Option<Connection>, Vec<Finding>) {
    let Some(first) = contacts.iter().position(|(_, contact)| contact.is_kafka()) else {
        return (None, grouped(&contacts).iter().map(|(at, contact)| at_door(server, at, contact)).collect());
    };
    let (kafka, contact) = contacts.swap_remove(first);
    contacts.truncate(first);
    let findings =
        grouped(&contacts).iter().map(|(at, contact)| not_first(server, at, contact, kafka)).collect();
    (contact.kafka(), findings)
}

/// Those who behave alike, with all of their addresses.
pub(super) fn grouped(contacts: &[(SocketAddr, Contact)]) -> Vec<(Vec<SocketAddr>, &Contact)> {
    let mut groups: Vec<(Vec<SocketAddr>, &Contact)> = Vec::new();
    for (address, contact) in contacts {
        match groups.iter_mut().find(|(_, other)| clause(other) == clause(contact)) {
            Some((addresses, _)) => addresses.push(*address),
            None => groups.push((vec![*address], contact)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A machine on which `localhost` is `[::1]` first, and a broker that listens on 127.0.0.1.
    #[test]
    fn a_name_whose_first_address_has_no_broker_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let listeners = vec![broker::Listener::on_this_machine()];
        let config = broker::BrokerConfig { listeners, ..broker::BrokerConfig::new(folder.path()) };
        let cluster = broker::Cluster::start(config).unwrap();
        let v4 = cluster.address();
        let v6 = SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), v4.port());
        let settings = Settings::new("");
        let exam = Exam::begin(&settings, std::time::Duration::from_secs(20));
        let look = |addresses: [SocketAddr; 2]| {
            judge(
                "localhost:9092",
                addresses.map(|address| (address, meet(&exam, "localhost", address))).into(),
            )
        };
        let (connection, findings) = look([v6, v4]);
        assert_eq!(connection.map(|connection| connection.peer()), Some(v4));
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(finding.kind, "first_address");
        assert!(finding.what.starts_with("localhost:9092 is [::1]"), "{finding:?}");
        assert!(finding.remedy.contains(&format!("127.0.0.1:{}", v4.port())), "{finding:?}");
        let (connection, findings) = look([v4, v6]);
        assert!(
            connection.is_some() && findings.is_empty(),
            "the first address is what clients take: {findings:?}"
        );
        cluster.shutdown().unwrap();
    }

    /// Of all the time that there is each step has a part, and together they have no more than
    /// that. The rest is measured by a clock that a busy machine does not stop: twice as long is
    /// a wait too many.
    #[test]
    fn who_says_nothing_is_given_up_in_time() {
        const { assert!(CONNECTING + ANSWERING + PROBING < 100) };
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings::new("");
        let exam = Exam::begin(&settings, std::time::Duration::from_secs(2));
        assert!(exam.share(100) <= exam.deadline && exam.share(1_000) <= exam.deadline);
        let (connection, findings) = enter(&exam, &silent.local_addr().unwrap().to_string());
        assert!(connection.is_none());
        assert_eq!(findings[0].kind, "silent", "{findings:?}");
        assert!(super::super::now() < exam.deadline + exam.time, "twice the time was not enough");
    }

    /// Our broker asks for none.
    #[test]
    fn who_wants_a_certificate_of_the_clients_is_told_where_it_is_named() {
        let address = SocketAddr::from(([192, 0, 2, 1], 9093));
        let contacts = vec![(address, Contact::Tls(TlsError::WantsCertificate))];
        let (_, findings) = judge("kafka.example:9093", contacts);
        assert_eq!(findings[0].kind, "certificate_wanted", "{findings:?}");
        assert!(findings[0].remedy.contains("ssl.certificate.location"), "{findings:?}");
    }

    #[test]
    fn addresses_that_behave_alike_are_one_finding() {
        let closed = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let contacts = vec![(closed(), Contact::Refused), (closed(), Contact::Refused)];
        let (connection, findings) = judge("localhost:9092", contacts);
        assert!(connection.is_none());
        assert_eq!(findings.len(), 1, "{findings:?}");
    }
}
