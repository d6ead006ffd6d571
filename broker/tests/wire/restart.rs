//! What a restart keeps, and who may start.

use broker::{BrokerConfig, Cluster, Listener, StartError};
use protocol::ErrorCode;
use protocol::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource, TOPIC};
use protocol::fetch::FetchRequest;
use protocol::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest, SET,
};
use protocol::init_producer_id::InitProducerIdRequest;
use protocol::metadata::MetadataRequest;
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use tempfile::TempDir;

use crate::client::{Client, batch, config, fetch, records, what_a_kill_leaves};

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
    client.create_topic("t", 3, &[("retention.ms", "-1"), ("internal.segment.bytes", "200")]);
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

/// What an administrator has changed holds from the answer on: in the next
/// run, and in one after a kill.
#[test]
fn altered_settings_more_partitions_and_deletions_outlive_a_kill_and_a_restart() {
    const SETTINGS: [(&str, &str); 8] = [
        ("cleanup.policy", "delete"),
        ("flush.messages", "1000"),
        ("flush.ms", "5000"),
        ("internal.segment.bytes", "1000"),
        ("max.message.bytes", "300"),
        ("retention.bytes", "123456"),
        ("retention.ms", "-1"),
        ("segment.ms", "60000"),
    ];
    let look = |client: &mut Client| {
        let resource = DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configuration_keys: Some(SETTINGS.iter().map(|(name, _)| (*name).to_owned()).collect()),
        };
        let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
        let configs = client.call(4, &request).results.remove(0).configs;
        let partitions = client.call(12, &MetadataRequest { topics: None, ..Default::default() }).topics[0]
            .partitions
            .len();
        let values: Vec<_> = configs.into_iter().map(|config| (config.name, config.value.unwrap())).collect();
        (values, partitions, client.fetch(&fetch("t", &[(0, 1)])))
    };
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.bytes", "7")]);
    client.produce("t", 0, batch(&["a"]));
    client.produce("t", 0, batch(&["b"]));
    let configs = SETTINGS.iter().map(|&(name, value)| AlterableConfig {
        name: name.into(),
        config_operation: SET,
        value: Some(value.into()),
    });
    let resource =
        AlterConfigsResource { resource_type: TOPIC, resource_name: "t".into(), configs: configs.collect() };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    assert_eq!(client.call(1, &request).responses[0].error_code, ErrorCode::NONE);
    let topics = vec![CreatePartitionsTopic { name: "t".into(), count: 3, assignments: None }];
    let grown = client.call(3, &CreatePartitionsRequest { topics, ..Default::default() });
    assert_eq!(grown.results[0].error_code, ErrorCode::NONE);
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: 1 }];
    let topics = vec![DeleteRecordsTopic { name: "t".into(), partitions }];
    client.call(2, &DeleteRecordsRequest { topics, ..Default::default() });

    let before = look(&mut client);
    assert_eq!(before.0, SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((before.1, before.2.log_start_offset, before.2.high_watermark), (3, 1, 2));
    let left = what_a_kill_leaves(&data_dir);
    assert_eq!(look(&mut Client::to(&Cluster::start(config(&left)).unwrap())), before, "after a kill");
    cluster.shutdown().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    assert_eq!(look(&mut client), before, "after a restart");
    // They hold, and are not only shown.
    let large = client.produce("t", 2, batch(&[&"x".repeat(300)]));
    assert_eq!(large.error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

/// A topic that is made again under the name of another must not inherit where that one began, or
/// how far it was synced.
#[test]
fn a_topic_that_is_made_again_keeps_its_records_through_a_kill() {
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for _ in 0..9 {
        client.produce("t", 0, batch(&["old"]));
    }
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: -1 }];
    let topics = vec![DeleteRecordsTopic { name: "t".into(), partitions }];
    let deleted = client.call(2, &DeleteRecordsRequest { topics, ..Default::default() });
    assert_eq!(deleted.topics[0].partitions[0].low_watermark, 9);
    let request = DeleteTopicsRequest { topic_names: vec!["t".into()], ..Default::default() };
    assert_eq!(client.call(5, &request).responses[0].error_code, ErrorCode::NONE);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["new"]));

    let left = what_a_kill_leaves(&data_dir);
    let cluster = Cluster::start(config(&left)).unwrap();
    let read = Client::to(&cluster).fetch(&fetch("t", &[(0, 0)]));
    assert_eq!((read.error_code, read.log_start_offset, read.high_watermark), (ErrorCode::NONE, 0, 1));
    assert_eq!(records(&read).len(), batch(&["new"]).len());
}

/// What the checkpoint covers is not read again: damage there goes unnoticed until somebody reads
/// it. Damage behind it is found and cut off.
#[test]
fn a_running_broker_notes_how_far_it_is_synced_and_a_start_checks_only_the_rest() {
    let data_dir = TempDir::new().unwrap();
    let often = BrokerConfig { checkpoint_interval_ms: 10, ..config(&data_dir) };
    let cluster = Cluster::start(often).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let sent = batch(&["a", "b"]);
    for _ in 0..5 {
        client.produce("t", 0, sent.clone());
    }
    let name = "recovery-point-offset-checkpoint";
    let noted =
        || std::fs::read_to_string(data_dir.path().join(name)).is_ok_and(|text| text.contains("t 0 10\n"));
    let wait_20_ms = FetchRequest { max_wait_ms: 20, ..fetch("t", &[(0, 10)]) };
    let noted_in_time = (0..1_000).any(|_| {
        client.fetch(&wait_20_ms);
        noted()
    });
    assert!(noted_in_time, "no checkpoint was written");
    let damaged_start = |batch_number: usize, checkpoint: Option<&str>| {
        let left = what_a_kill_leaves(&data_dir);
        if let Some(text) = checkpoint {
            std::fs::write(left.path().join(name), text).unwrap();
        }
        let path = left.path().join("t-0/00000000000000000000.log");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[(batch_number + 1) * sent.len() - 1] ^= 1;
        // Not yet synced when the kill came: a copy of the last batch, with its own offset.
        let mut late = bytes[4 * sent.len()..5 * sent.len()].to_vec();
        late[..8].copy_from_slice(&10i64.to_be_bytes());
        *late.last_mut().unwrap() ^= 1;
        std::fs::write(&path, [bytes, late].concat()).unwrap();
        let cluster = Cluster::start(config(&left)).unwrap();
        Client::to(&cluster).fetch(&fetch("t", &[(0, 0)])).high_watermark
    };
    assert_eq!(damaged_start(1, None), 10, "the second batch is covered, the sixth is not");
    assert_eq!(damaged_start(1, Some("0\n0\n")), 2, "without a checkpoint everything is checked");
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
    let again = BrokerConfig { listeners: vec![address.to_string().parse().unwrap()], ..config(&data_dir) };
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

/// No user can write to /proc, not even root.
#[test]
fn a_directory_that_can_not_be_written_to_is_named() {
    let dir = "/proc/freshet";
    let error = Cluster::start(BrokerConfig {
        listeners: vec![Listener::on_this_machine()],
        ..BrokerConfig::new(dir)
    });
    let error = error.unwrap_err();
    assert!(matches!(error, StartError::DataDir { .. }), "{error:?}");
    assert!(error.to_string().starts_with("can't write to the data directory at /proc/freshet: "), "{error}");
}

#[test]
fn a_data_directory_that_is_a_file_is_called_a_file() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("data");
    std::fs::write(&file, "not a folder").unwrap();
    let config = BrokerConfig { listeners: vec![Listener::on_this_machine()], ..BrokerConfig::new(&file) };
    let error = Cluster::start(config).unwrap_err().to_string();
    assert!(error.ends_with("data: it is a file, not a folder"), "{error}");
}

#[test]
fn a_port_in_use_is_named() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let cluster = Cluster::start(config(&one)).unwrap();
    let listeners = vec![cluster.address().to_string().parse().unwrap()];
    let error = Cluster::start(BrokerConfig { listeners, ..config(&other) }).unwrap_err();
    let StartError::AddressInUse { address } = error else { panic!("{error}") };
    assert_eq!(address, cluster.address());
    // The broker that could not start has not touched the directory.
    assert_eq!(other.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_host_that_is_none_is_refused_with_the_remedy() {
    let data_dir = TempDir::new().unwrap();
    let listeners = vec!["no-such-host.invalid:9092".parse().unwrap()];
    let error = Cluster::start(BrokerConfig { listeners, ..config(&data_dir) }).unwrap_err().to_string();
    assert!(error.contains("no-such-host.invalid:9092") && error.contains("0.0.0.0"), "{error}");
}

#[test]
fn a_damaged_registry_is_an_error_that_names_the_file() {
    let data_dir = TempDir::new().unwrap();
    Cluster::start(config(&data_dir)).unwrap().shutdown().unwrap();
    std::fs::write(data_dir.path().join("topics"), "version 1\nnonsense\n").unwrap();
    let error = Cluster::start(config(&data_dir)).unwrap_err().to_string();
    assert!(error.contains("topics is damaged: line 2"), "{error}");
}
