//! Connections that the broker closes because nothing moves on them, and our own clients.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{BrokerConfig, Cluster, Listener};
use client::{Admin, Commit, GroupConsumer, GroupError, GroupOptions, LogReader, NewTopic, Outgoing};
use client::{Polled, Producer, ProducerOptions, Settings, TopicPartition};
use common::{PATIENCE, until};

const TOPIC: &str = "t";
const GROUP: &str = "g";
const MOMENT: Duration = Duration::from_millis(10);

const AWAY: &str = "the broker went away";

/// What the clients of this program say, in the words of a log.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// How often a connection was closed, as far as librdkafka has told of it.
    fn closed(&self) -> usize {
        self.times("Disconnected") + self.times("brokers are down")
    }

    fn times(&self, words: &str) -> usize {
        self.text().matches(words).count()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() -> Said {
    let said = Said::default();
    let written = said.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    said
}

fn join(settings: &Settings) -> GroupConsumer {
    GroupConsumer::join(settings, GROUP, &[TOPIC], &GroupOptions::default()).unwrap()
}

/// Answers what the group says, and tells how many partitions it gives, if it gives any.
fn take_part(member: &mut GroupConsumer) -> Option<usize> {
    match member.poll(MOMENT).unwrap() {
        Polled::Assigned(partitions) => {
            let from: Vec<_> = partitions.into_iter().map(|at| (at, 0)).collect();
            member.assign(&from).unwrap();
            Some(from.len())
        }
        Polled::Revoked { partitions, .. } => {
            member.release(&partitions).unwrap();
            None
        }
        Polled::Nothing => None,
    }
}

fn send(producer: &Producer) {
    producer
        .send(
            Outgoing { topic: TOPIC, partition: Some(0), value: Some(b"v"), ..Outgoing::default() },
            PATIENCE,
        )
        .unwrap();
    producer.flush(PATIENCE).unwrap();
}

/// What a client does after it was idle, and after its broker was really away.
#[test]
fn only_a_broker_that_can_not_be_reached_is_away() {
    let said = listen();
    let folder = tempfile::tempdir().unwrap();
    let config = BrokerConfig { connections_max_idle_ms: 300, ..BrokerConfig::new(folder.path()) };
    let cluster =
        Cluster::start(BrokerConfig { listeners: vec![Listener::on_this_machine()], ..config.clone() })
            .unwrap();
    let settings = Settings::new(cluster.bootstrap_servers()).with_property("log.connection.close", "true");
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    admin.create(&[NewTopic { name: TOPIC.into(), partitions: 1, configs: Vec::new() }]).unwrap();
    let mut members = [join(&settings), join(&settings)];
    let mut owned = [None, None];
    until("one member has the partition and the other none", || {
        for (member, owned) in members.iter_mut().zip(&mut owned) {
            *owned = take_part(member).or(*owned);
        }
        owned == [Some(0), Some(1)] || owned == [Some(1), Some(0)]
    });
    let spare = usize::from(owned[0] == Some(1));

    let seen = said.closed();
    until("the spare member's connection is closed", || {
        assert_eq!(take_part(&mut members[spare]), None);
        said.closed() > seen
    });
    let commits = [Commit { at: TopicPartition::new(TOPIC, 0), offset: 1, metadata: String::new() }];
    members[spare].commit(&commits).unwrap();
    assert_eq!((said.times("WARN"), said.times("ERROR")), (0, 0), "{}", said.text());

    let listeners = vec![cluster.bootstrap_servers().parse().unwrap()];
    cluster.shutdown().unwrap();
    until("the spare member says that the broker is away", || {
        assert_eq!(take_part(&mut members[spare]), None);
        said.times(AWAY) > 0
    });
    assert!(members[spare].commit(&commits).unwrap_err().is_outage());
    let cluster = Cluster::start(BrokerConfig { listeners, ..config }).unwrap();
    // It has been forgotten by the group, and is told so.
    let mut answer = Ok(());
    until("the broker answers a commit", || {
        answer = members[spare].commit(&commits);
        !answer.as_ref().is_err_and(GroupError::is_outage)
    });
    assert!(matches!(answer, Err(GroupError::Fenced { .. })), "{answer:?}");
    drop(members);

    let producer = Producer::new(&settings, &ProducerOptions::answers()).unwrap();
    send(&producer);
    let seen = said.closed();
    until("the producer's connection is closed", || said.closed() > seen);
    send(&producer);
    let mut reader = LogReader::range(&settings, TOPIC, &[(0, 0, 1)]).unwrap();
    until("the first record is read", || reader.next(MOMENT).unwrap().is_some());
    reader.restart(&[(0, 1, 2)]).unwrap();
    until("the second record is read", || reader.next(MOMENT).unwrap().is_some());
    assert_eq!(admin.committed(GROUP, &[commits[0].at.clone()]).unwrap(), commits.map(Some));
    assert_eq!((said.times("WARN"), said.times("ERROR"), said.times(AWAY)), (1, 0, 1), "{}", said.text());
    cluster.shutdown().unwrap();
}
