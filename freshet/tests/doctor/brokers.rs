//! Real brokers, and what is in them.

use std::net::TcpListener;

use broker::{BrokerConfig, Cluster, Listener};
use client::{Admin, NewTopic, Outgoing, Producer, ProducerOptions, Settings};
use tempfile::TempDir;

use crate::common::{Broker, PATIENCE};

/// A port of loopback on which nothing listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A broker that tells its clients to go to `host`.
pub(crate) fn advertises(listen: &str, host: &str) -> (Cluster, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener { advertised: Some(host.parse().unwrap()), ..listen.parse().unwrap() };
    let config = BrokerConfig { listeners: vec![listener], ..BrokerConfig::new(folder.path()) };
    (Cluster::start(config).unwrap(), folder)
}

/// One that is well.
pub(crate) fn start() -> (Broker, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Broker::start(&folder.path().join("log")), folder)
}

/// Sends so many records to a new topic of two partitions.
pub(crate) fn fill(broker: &Broker, topic: &str, records: usize) -> Settings {
    let settings = Settings::new(&broker.address);
    let topics = [NewTopic { name: topic.into(), partitions: 2, configs: Vec::new() }];
    Admin::connect(&settings, PATIENCE).unwrap().create(&topics).unwrap();
    let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
    for number in 0..records {
        let partition = Some((number % 2) as i32);
        let record = Outgoing { topic, partition, value: Some(b"x"), ..Outgoing::default() };
        producer.send(record, PATIENCE).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    settings
}
