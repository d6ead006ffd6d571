//! Topics, and what is done with them.

use protocol::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use protocol::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_configs::{
    BROKER, DescribeConfigsRequest, DescribeConfigsResource, SOURCE_DEFAULT, SOURCE_TOPIC,
};
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::join_group::{JoinGroupProtocol, JoinGroupRequest};
use protocol::list_groups::ListGroupsRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::{ErrorCode, MAX_STRING_LEN};

use crate::client::{Client, batch, fetch, records, start};

/// Kafka's own tools fail on a source they don't know, although the topic was made.
#[test]
fn a_new_topic_tells_its_settings_and_where_each_comes_from() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    for version in 0..=7 {
        let topic = CreatableTopic {
            name: format!("t{version}"),
            num_partitions: 2,
            replication_factor: 1,
            configs: vec![CreatableTopicConfig { name: "retention.ms".into(), value: Some("7000".into()) }],
            ..Default::default()
        };
        let response =
            client.call(version, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        let made = &response.topics[0];
        assert_eq!(made.error_code, ErrorCode::NONE);
        if version >= 5 {
            let configs = made.configs.as_ref().unwrap();
            assert!(
                configs.iter().all(|config| [SOURCE_TOPIC, SOURCE_DEFAULT].contains(&config.config_source))
            );
            let own: Vec<_> = configs.iter().filter(|config| config.config_source == SOURCE_TOPIC).collect();
            assert_eq!((own.len(), own[0].value.as_deref()), (1, Some("7000")));
            assert_eq!((made.num_partitions, made.replication_factor), (2, 1));
        }
    }
}

#[test]
fn topics_that_can_not_be_are_refused_each_with_its_reason() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let topic =
        |name: &str, num_partitions, replication_factor, config: Option<(&str, &str)>| CreatableTopic {
            name: name.into(),
            num_partitions,
            replication_factor,
            configs: config
                .into_iter()
                .map(|(name, value)| CreatableTopicConfig { name: name.into(), value: Some(value.into()) })
                .collect(),
            ..Default::default()
        };
    let cases = [
        (topic("t", 0, 3, Some(("no.such", "1"))), ErrorCode::TOPIC_ALREADY_EXISTS),
        (topic("a b", 1, 1, None), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("a", 0, 1, None), ErrorCode::INVALID_PARTITIONS),
        (topic("b", i32::MAX, 1, None), ErrorCode::INVALID_PARTITIONS),
        (topic("c", 1, 3, None), ErrorCode::INVALID_REPLICATION_FACTOR),
        (topic("d", 0, 3, Some(("no.such", "1"))), ErrorCode::INVALID_CONFIG),
        (topic("e", 1, 1, Some(("cleanup.policy", "shrink"))), ErrorCode::INVALID_CONFIG),
        (topic("twice", 1, 1, None), ErrorCode::INVALID_REQUEST),
        (topic("twice", 1, 1, None), ErrorCode::INVALID_REQUEST),
        (topic("good", -1, -1, None), ErrorCode::NONE),
    ];
    let topics = cases.iter().map(|(topic, _)| topic.clone()).collect();
    let request = CreateTopicsRequest { topics, validate_only: true, ..Default::default() };
    let checked = client.call(7, &request);
    let made = client.call(7, &CreateTopicsRequest { validate_only: false, ..request });
    for response in [checked, made] {
        for ((asked, expected), result) in cases.iter().zip(response.topics) {
            assert_eq!((&result.name, result.error_code), (&asked.name, *expected));
            assert_eq!(result.error_message.is_some(), !expected.is_none(), "{}", asked.name);
        }
    }
    let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
    let names: Vec<_> = all.topics.iter().map(|topic| topic.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["good", "t"]);
}

#[test]
fn the_broker_tells_its_settings_and_keeps_them() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let resource = |name: &str| DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: name.into(),
        ..Default::default()
    };
    let resources = vec![resource("1"), resource("9")];
    for version in 0..=4 {
        let mut request = DescribeConfigsRequest { resources: resources.clone(), ..Default::default() };
        for resource in &mut request.resources {
            resource.configuration_keys = Some(vec!["num.partitions".into()]);
        }
        let response = client.call(version, &request);
        let [known, unknown] = &response.results[..] else { panic!("two brokers were asked about") };
        assert_eq!((known.configs[0].value.as_deref(), known.configs[0].read_only), (Some("1"), true));
        assert_eq!(unknown.error_code, ErrorCode::INVALID_REQUEST);
        // Kafka gives everything to who names nothing, be it null or an empty list.
        let mut asked = |keys: Option<Vec<String>>| {
            request.resources = vec![resource("1")];
            request.resources[0].configuration_keys = keys;
            client.call(version, &request).results.remove(0).configs
        };
        let all = asked(None);
        assert!(all.len() > 3 && asked(Some(Vec::new())) == all, "version {version}");
    }
}

#[test]
fn a_topic_can_grow_and_not_shrink() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    client.produce("t", 1, batch(&["stays"]));
    let mut grow = |name: &str, count, validate_only| {
        let topics = vec![CreatePartitionsTopic { name: name.into(), count, assignments: None }];
        let request = CreatePartitionsRequest { topics, validate_only, ..Default::default() };
        client.call(3, &request).results[0].error_code
    };
    assert_eq!(grow("t", 2, false), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(grow("nowhere", 2, false), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(grow("t", 3, true), ErrorCode::NONE);
    assert_eq!(client.produce("t", 2, batch(&["a"])).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let mut grow = |count| {
        let topics = vec![CreatePartitionsTopic { name: "t".into(), count, assignments: None }];
        client.call(3, &CreatePartitionsRequest { topics, ..Default::default() }).results[0].error_code
    };
    assert_eq!(grow(3), ErrorCode::NONE);
    assert_eq!(client.produce("t", 2, batch(&["a"])).base_offset, 0);
    assert_eq!(client.produce("t", 1, batch(&["b"])).base_offset, 1);
}

#[test]
fn deleted_records_can_not_be_read() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["a"]));
    client.produce("t", 0, batch(&["b"]));
    let mut delete = |offset| {
        let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset }];
        let topics = vec![DeleteRecordsTopic { name: "t".into(), partitions }];
        let response = client.call(2, &DeleteRecordsRequest { topics, ..Default::default() });
        (response.topics[0].partitions[0].error_code, response.topics[0].partitions[0].low_watermark)
    };
    assert_eq!(delete(1), (ErrorCode::NONE, 1));
    assert_eq!(delete(3), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    assert_eq!(client.fetch(&fetch("t", &[(0, 0)])).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(records(&client.fetch(&fetch("t", &[(0, 1)]))).len(), batch(&["b"]).len());
}

#[test]
fn a_topic_that_is_made_again_is_another_and_empty() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let id = |client: &mut Client| {
        let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
        all.topics[0].topic_id
    };
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["old"]));
    let old = id(&mut client);
    let by_id = DeleteTopicsRequest {
        topics: vec![DeleteTopicState { name: None, topic_id: old }],
        ..Default::default()
    };
    assert_eq!(client.call(6, &by_id).responses[0].error_code, ErrorCode::NONE);
    assert_eq!(client.call(6, &by_id).responses[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    client.create_topic("t", 1, &[]);
    assert_ne!(id(&mut client), old);
    assert_eq!(client.produce("t", 0, batch(&["new"])).base_offset, 0);
    let mut stale = fetch("t", &[(0, 0)]);
    stale.topics[0].topic_id = old;
    let response = client.call(13, &stale);
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    let new = id(&mut client);
    // By its id the name is null, or empty, as Kafka's own client sends it.
    for name in [None, Some(String::new())] {
        let ask = |topic_id| MetadataRequest {
            topics: Some(vec![MetadataRequestTopic { topic_id, name: name.clone() }]),
            ..Default::default()
        };
        assert_eq!(client.call(12, &ask(new)).topics[0].name.as_deref(), Some("t"));
        assert_eq!(client.call(12, &ask(old)).topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    }
    stale.topics[0].topic_id = new;
    let response = client.call(16, &stale);
    assert_eq!(records(&response.topics[0].partitions[0]).len(), batch(&["new"]).len());
}

#[test]
fn the_cluster_is_one_broker_that_does_everything_but_transactions() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let described = client.call(1, &DescribeClusterRequest::default());
    assert_eq!((described.controller_id, described.brokers.len()), (1, 1));
    assert_eq!(described.brokers[0].port, i32::from(cluster.address().port()));
    for (endpoint_type, refused) in
        [(2, ErrorCode::MISMATCHED_ENDPOINT_TYPE), (3, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE)]
    {
        let others = client.call(2, &DescribeClusterRequest { endpoint_type, ..Default::default() });
        assert_eq!(others.error_code, refused);
    }
    for version in 0..=4 {
        let keys = FindCoordinatorRequest {
            key: "g".into(),
            coordinator_keys: vec!["g".into(), "h".into()],
            ..Default::default()
        };
        let found = client.call(version, &keys);
        let ports: Vec<_> = found.coordinators.iter().map(|coordinator| coordinator.port).collect();
        let port = described.brokers[0].port;
        assert_eq!(if version < 4 { vec![found.port; 2] } else { ports }, [port, port]);
    }
    let transactions = FindCoordinatorRequest { key_type: 1, ..Default::default() };
    assert_eq!(client.call(3, &transactions).error_code, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
}

#[test]
fn the_end_of_a_leader_epoch_is_the_end_of_its_records() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["a", "b"]));
    let mut end = |current_leader_epoch| {
        let partitions =
            vec![OffsetForLeaderPartition { current_leader_epoch, leader_epoch: 0, ..Default::default() }];
        let topics = vec![OffsetForLeaderTopic { topic: "t".into(), partitions }];
        let response = client.call(4, &OffsetForLeaderEpochRequest { topics, ..Default::default() });
        let partition = &response.topics[0].partitions[0];
        (partition.error_code, partition.leader_epoch, partition.end_offset)
    };
    assert_eq!(end(0), (ErrorCode::NONE, 0, 2));
    assert_eq!(end(4), (ErrorCode::UNKNOWN_LEADER_EPOCH, -1, -1));
}

/// Lengths of strings are 16 bits wide in the older versions: neither what a newer one brings in
/// nor what an answer adds to a name may be longer than an older one can say.
#[test]
fn what_a_client_names_fits_into_the_answers_of_every_version() {
    let (cluster, _data_dir) = start();
    let mut client = Client::to(&cluster);
    let longest = "n".repeat(MAX_STRING_LEN);
    for version in [2, 7] {
        let topic = CreatableTopic {
            name: longest.clone(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let created =
            client.call(version, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        assert_eq!(created.topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
        let message = created.topics[0].error_message.as_ref().unwrap();
        assert!(message.starts_with("\"nnn") && message.ends_with('…'), "{message}");
    }
    let mut join = JoinGroupRequest {
        group_id: longest.clone(),
        session_timeout_ms: 30_000,
        group_instance_id: Some(longest.clone()),
        protocol_type: longest.clone(),
        protocols: vec![JoinGroupProtocol { name: longest.clone(), ..Default::default() }],
        ..Default::default()
    };
    let joined = client.call(5, &join);
    assert_eq!(joined.error_code, ErrorCode::NONE);
    assert!(joined.member_id.starts_with("nnn") && joined.member_id.len() < 300, "{}", joined.member_id);
    let groups = client.call(0, &ListGroupsRequest::default()).groups;
    assert_eq!(groups[0].protocol_type, longest);

    // One byte more can only be said in a flexible version, and is refused there as in Kafka.
    join.protocol_type.push('n');
    client.send(9, &join);
    client.expect_hangup();
}
