//! What a restart keeps, and who may start.

use broker::{BrokerConfig, Cluster, StartError};
use protocol::ErrorCode;
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource, TOPIC};
use protocol::init_producer_id::InitProducerIdRequest;
use protocol::metadata::MetadataRequest;
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use tempfile::TempDir;

use crate::client::{Client, batch, config, fetch, records};

#[test]
fn records_topics_settings_and_commits_are_there_after_a_restart() {
    let data_dir = TempDir::new().unwrap();
    let look = |client: &mut Client| {
        let metadata = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
        let cluster = client.call(1, &DescribeClusterRequest::default()).cluster_id;
        let resource = DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configuration_keys: None,
        };
        let configs =
            client.call(4, &DescribeConfigsRequest { resources: vec![resource], ..Default::default() });
        let groups = vec![OffsetFetchGroup { group_id: "g".into(), topics: None, ..Default::default() }];
        let committed = client.call(9, &OffsetFetchRequest { groups, ..Default::default() });
        let read = [0, 1, 2].map(|partition| client.fetch(&fetch("t", &[(partition, 0)])));
        (metadata.topics, cluster, configs, committed, read)
    };
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 3, &[("retention.ms", "-1"), ("segment.bytes", "200")]);
    client.create_topic("u", 1, &[]);
    for value in ["a", "b", "c", "d", "e"] {
        client.produce("t", 1, batch(&[value, &"x".repeat(50)]));
    }
    let partition = OffsetCommitPartition {
        partition_index: 1,
        committed_offset: 3,
        committed_metadata: Some("so far".into()),
        ..Default::default()
    };
    let topics = vec![OffsetCommitTopic { name: "t".into(), partitions: vec![partition] }];
    client.call(9, &OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() });
    let producer_id = client.call(4, &InitProducerIdRequest::default()).producer_id;
    let before = look(&mut client);
    assert_eq!(before.4[1].high_watermark, 10);
    cluster.shutdown().unwrap();

    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    assert_eq!(look(&mut client), before);
    assert!(client.call(4, &InitProducerIdRequest::default()).producer_id > producer_id);
    assert_eq!(client.produce("t", 1, batch(&["f"])).base_offset, 10);
}

#[test]
fn dropping_the_cluster_closes_it_in_order() {
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let address = cluster.address();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["kept"]));
    drop(cluster);
    client.expect_hangup();
    let again = BrokerConfig { listen: address.to_string(), ..config(&data_dir) };
    let cluster = Cluster::start(again).expect("the address and the lock are free again");
    let read = Client::to(&cluster).fetch(&fetch("t", &[(0, 0)]));
    assert_eq!((read.error_code, records(&read).len()), (ErrorCode::NONE, batch(&["kept"]).len()));
}

#[test]
fn a_second_broker_is_told_who_holds_the_data_directory() {
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let error = Cluster::start(config(&data_dir)).unwrap_err();
    let StartError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, format!("process {} listening on {}", std::process::id(), cluster.address()));
}

#[test]
fn a_port_in_use_is_named() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let cluster = Cluster::start(config(&one)).unwrap();
    let listen = cluster.address().to_string();
    let error = Cluster::start(BrokerConfig { listen, ..config(&other) }).unwrap_err();
    let StartError::AddressInUse { address } = error else { panic!("{error}") };
    assert_eq!(address, cluster.address());
    // The broker that could not start has not touched the directory.
    assert_eq!(other.path().read_dir().unwrap().count(), 0);
}

#[test]
fn an_address_that_is_none_is_refused_with_an_example() {
    let data_dir = TempDir::new().unwrap();
    for listen in ["9092", "localhost", "localhost:kafka", "localhost:99999", ""] {
        let error = Cluster::start(BrokerConfig { listen: listen.into(), ..config(&data_dir) }).unwrap_err();
        assert!(matches!(error, StartError::InvalidListen { .. }), "{listen:?}: {error}");
        assert!(error.to_string().ends_with("localhost:9092"), "{error}");
    }
}

#[test]
fn a_damaged_registry_is_an_error_that_names_the_file() {
    let data_dir = TempDir::new().unwrap();
    Cluster::start(config(&data_dir)).unwrap().shutdown().unwrap();
    std::fs::write(data_dir.path().join("topics"), "version 1\nnonsense\n").unwrap();
    let error = Cluster::start(config(&data_dir)).unwrap_err().to_string();
    assert!(error.contains("topics is damaged: line 2"), "{error}");
}
