//! Requests that can be read in two ways: to take one of them in silence is the wrong answer.

use protocol::ErrorCode;
use protocol::alter_configs::{self, AlterConfigsRequest};
use protocol::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource, TOPIC};
use protocol::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, DELETE, IncrementalAlterConfigsRequest, SET,
};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::client::{Client, start};

const REFUSED: ErrorCode = ErrorCode::INVALID_REQUEST;

/// One setting of topic `t`.
fn retention_ms(client: &mut Client) -> String {
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configuration_keys: Some(vec!["retention.ms".into()]),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    client.call(4, &request).results.remove(0).configs.remove(0).value.unwrap()
}

#[test]
fn a_setting_that_is_named_twice_or_has_no_value_changes_nothing() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.ms", "7000")]);
    let resource = |changes: &[(i8, Option<&str>)]| AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: changes
            .iter()
            .map(|&(config_operation, value)| AlterableConfig {
                name: "retention.ms".into(),
                config_operation,
                value: value.map(Into::into),
            })
            .collect(),
    };
    let twice = resource(&[(SET, Some("1")), (SET, Some("2"))]);
    let set_and_deleted = resource(&[(SET, Some("1")), (DELETE, None)]);
    let nothing = resource(&[(SET, None)]);
    let one = resource(&[(SET, Some("1"))]);
    for resources in [vec![twice], vec![set_and_deleted], vec![nothing], vec![one.clone(), one]] {
        let request = IncrementalAlterConfigsRequest { resources, validate_only: false };
        let answers = client.call(1, &request).responses;
        assert!(answers.iter().all(|answer| answer.error_code == REFUSED), "{answers:?}");
        assert_eq!(retention_ms(&mut client), "7000");
    }

    let resource = |values: &[Option<&str>]| alter_configs::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: values
            .iter()
            .map(|value| alter_configs::AlterableConfig {
                name: "retention.ms".into(),
                value: value.map(Into::into),
            })
            .collect(),
    };
    let (twice, nothing, one) =
        (resource(&[Some("1"), Some("2")]), resource(&[None]), resource(&[Some("1")]));
    for resources in [vec![twice], vec![nothing], vec![one.clone(), one]] {
        let answers = client.call(2, &AlterConfigsRequest { resources, validate_only: false }).responses;
        assert!(answers.iter().all(|answer| answer.error_code == REFUSED), "{answers:?}");
        assert_eq!(retention_ms(&mut client), "7000");
    }
}

#[test]
fn a_topic_with_a_setting_of_no_value_is_not_made() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let topic = CreatableTopic {
        name: "t".into(),
        num_partitions: 1,
        replication_factor: 1,
        configs: vec![CreatableTopicConfig { name: "retention.ms".into(), value: None }],
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    assert_eq!(client.call(7, &request).topics[0].error_code, ErrorCode::INVALID_CONFIG);
    assert!(client.call(12, &MetadataRequest { topics: None, ..Default::default() }).topics.is_empty());
}

#[test]
fn a_topic_that_is_to_grow_twice_does_not_grow() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let topics = [2, 3].map(|count| CreatePartitionsTopic { name: "t".into(), count, assignments: None });
    let request = CreatePartitionsRequest { topics: topics.into(), ..Default::default() };
    let answers = client.call(3, &request).results;
    assert!(answers.iter().all(|answer| answer.error_code == REFUSED), "{answers:?}");
    let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
    assert_eq!(all.topics[0].partitions.len(), 1);
}

/// Kafka's metrics write both characters as one, so it makes no second topic of the same name.
#[test]
fn names_that_differ_in_dots_and_underscores_alone_do_not_stand_side_by_side() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("a.b_c", 1, &[]);
    for name in ["a_b_c", "a.b.c", "a_b.c"] {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let made = client.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        assert_eq!(made.topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION, "{name}");
        assert!(made.topics[0].error_message.as_ref().unwrap().contains("\"a.b_c\""));
        let asked = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let asked = MetadataRequest {
            topics: Some(vec![asked]),
            allow_auto_topic_creation: true,
            ..Default::default()
        };
        assert_eq!(client.call(12, &asked).topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    client.create_topic("a-b_c", 1, &[]);
}

#[test]
fn a_topic_that_is_to_be_deleted_twice_is_answered_once_and_stays() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let topic_names = ["t", "u", "t"].map(String::from).to_vec();
    let request = DeleteTopicsRequest { topic_names, ..Default::default() };
    let answers = client.call(5, &request).responses;
    let codes: Vec<_> = answers.iter().map(|answer| (answer.name.as_deref(), answer.error_code)).collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [(Some("t"), REFUSED), (Some("u"), unknown)]);
    assert_eq!(retention_ms(&mut client).parse(), Ok(-1));
}
