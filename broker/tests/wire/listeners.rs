//! Several listeners, and what the clients of each are told.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, ToSocketAddrs};

use broker::{BrokerConfig, Cluster, Listener};
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_configs::{BROKER, DescribeConfigsRequest, DescribeConfigsResource};
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::metadata::MetadataRequest;
use tempfile::TempDir;

use crate::client::{Client, config};

fn listeners(texts: &[&str]) -> Vec<Listener> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Whatever a client asks, it is told where its own listener is reached.
#[test]
fn each_listener_tells_its_clients_what_it_advertises() {
    let data_dir = TempDir::new().unwrap();
    let mut several = listeners(&["127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:0"]);
    several[1].advertised = Some("kafka.example".parse().unwrap());
    several[2].advertised = Some("tunnel.example:19092".parse().unwrap());
    let cluster = Cluster::start(BrokerConfig { listeners: several, ..config(&data_dir) }).unwrap();
    let ports: Vec<u16> = cluster.listening().iter().map(|listening| listening.address.port()).collect();
    let told = [("127.0.0.1", ports[0]), ("kafka.example", ports[1]), ("tunnel.example", 19_092)];
    for (port, (host, told_port)) in ports.iter().zip(told) {
        let mut client = Client::connect((Ipv4Addr::LOCALHOST, *port).into());
        let expected = (host.to_owned(), i32::from(told_port));
        let broker = client.call(12, &MetadataRequest::default()).brokers.remove(0);
        assert_eq!((broker.host, broker.port), expected);
        let broker = client.call(0, &DescribeClusterRequest::default()).brokers.remove(0);
        assert_eq!((broker.host, broker.port), expected);
        let mut asked = FindCoordinatorRequest { key: "g".into(), ..Default::default() };
        let found = client.call(3, &asked);
        assert_eq!((found.host, found.port), expected);
        asked.coordinator_keys = vec!["g".into()];
        let found = client.call(4, &asked).coordinators.remove(0);
        assert_eq!((found.host, found.port), expected);
    }
    let resource =
        DescribeConfigsResource { resource_type: BROKER, resource_name: "1".into(), ..Default::default() };
    let asked = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let entries = Client::to(&cluster).call(4, &asked).results.remove(0).configs;
    let value = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap().value.clone().unwrap();
    let [one, two, three] = ports[..] else { panic!("{ports:?}") };
    assert_eq!(
        value("listeners"),
        format!("PLAINTEXT://127.0.0.1:{one},PLAINTEXT://0.0.0.0:{two},PLAINTEXT://127.0.0.1:{three}")
    );
    assert_eq!(
        value("advertised.listeners"),
        format!(
            "PLAINTEXT://127.0.0.1:{one},PLAINTEXT://kafka.example:{two},PLAINTEXT://tunnel.example:19092"
        )
    );
}

/// A client on this machine is given an address that it can connect to, and is told one.
#[test]
fn a_listener_on_all_networks_is_reached_from_this_machine_by_both_protocols() {
    for listen in ["0.0.0.0:0", "[::]:0", "[::1]:0"] {
        if listen.starts_with('[') && TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            continue;
        }
        let data_dir = TempDir::new().unwrap();
        let cluster =
            Cluster::start(BrokerConfig { listeners: listeners(&[listen]), ..config(&data_dir) }).unwrap();
        let servers = cluster.bootstrap_servers();
        for address in servers.to_socket_addrs().unwrap() {
            let mut client = Client::connect(address);
            let told = client.call(12, &MetadataRequest::default()).brokers.remove(0);
            let again = (told.host.as_str(), told.port as u16).to_socket_addrs().unwrap();
            assert!(again.into_iter().any(|again| TcpStream::connect(again).is_ok()), "{listen}: {told:?}");
        }
    }
}
