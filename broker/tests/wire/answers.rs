//! What administrators' tools ask, answered as by an Apache Kafka 4.3 in which nothing of it is in
//! use: the numbers in here are its answers.

use protocol::ErrorCode;
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};

use crate::client::{Client, start};

/// What nobody forbids.
const ANY_OF_TOPIC: i32 = 3576;
const ANY_OF_GROUP: i32 = 3400;
const ANY_OF_CLUSTER: i32 = 8096;
const NOT_ASKED: i32 = i32::MIN;

#[test]
fn who_asks_is_told_that_everything_is_allowed() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let topic = |name: &str| MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
    for (asked, of_topic, of_group, of_cluster) in
        [(true, ANY_OF_TOPIC, ANY_OF_GROUP, ANY_OF_CLUSTER), (false, NOT_ASKED, NOT_ASKED, NOT_ASKED)]
    {
        for version in 8..=12 {
            let request = MetadataRequest {
                topics: Some(vec![topic("t"), topic("a b")]),
                include_topic_authorized_operations: asked,
                include_cluster_authorized_operations: asked && version <= 10,
                ..Default::default()
            };
            let told = client.call(version, &request);
            let topics: Vec<_> = told.topics.iter().map(|topic| topic.topic_authorized_operations).collect();
            assert_eq!(topics, [of_topic; 2], "version {version}");
            let expected = if version <= 10 { of_cluster } else { NOT_ASKED };
            assert_eq!(told.cluster_authorized_operations, expected, "version {version}");
        }
        let request =
            DescribeClusterRequest { include_cluster_authorized_operations: asked, ..Default::default() };
        assert_eq!(client.call(1, &request).cluster_authorized_operations, of_cluster);
        // Until version 6 a group that is not there is dead, which is no error.
        for (version, expected) in [(3, of_group), (5, of_group), (6, NOT_ASKED)] {
            let groups = vec!["g".into()];
            let request = DescribeGroupsRequest { groups, include_authorized_operations: asked };
            let told = client.call(version, &request);
            assert_eq!(told.groups[0].authorized_operations, expected, "version {version}");
        }
    }
    // Of an id that is unknown it is not known to be a topic's.
    let topic = MetadataRequestTopic { topic_id: protocol::Uuid([1; 16]), name: None };
    let request = MetadataRequest {
        topics: Some(vec![topic]),
        include_topic_authorized_operations: true,
        ..Default::default()
    };
    let told = client.call(12, &request).topics.remove(0);
    assert_eq!(told.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(told.topic_authorized_operations, NOT_ASKED);
}
