//! What administrators' tools ask, answered as by an Apache Kafka 4.3 in which nothing of it is in
//! use: the numbers in here are its answers.

use protocol::describe_acls::DescribeAclsRequest;
use protocol::describe_client_quotas::{DescribeClientQuotasRequest, QuotaComponent};
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, TOPIC};
use protocol::describe_delegation_token::DescribeDelegationTokenRequest;
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::describe_log_dirs::{DescribableLogDirTopic, DescribeLogDirsRequest};
use protocol::describe_producers::{DescribeProducersRequest, DescribeProducersTopic};
use protocol::describe_quorum::{DescribeQuorumPartition, DescribeQuorumRequest, DescribeQuorumTopic};
use protocol::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsTopic,
};
use protocol::describe_transactions::DescribeTransactionsRequest;
use protocol::describe_user_scram_credentials::{DescribeUserScramCredentialsRequest, ScramUserName};
use protocol::elect_leaders::{ElectLeadersRequest, ElectLeadersTopic, PREFERRED, UNCLEAN};
use protocol::list_config_resources::ListConfigResourcesRequest;
use protocol::list_offsets::{
    EARLIEST_LOCAL, EARLIEST_PENDING_UPLOAD, LATEST_TIERED, ListOffsetsPartition, ListOffsetsRequest,
    ListOffsetsTopic,
};
use protocol::list_partition_reassignments::ListPartitionReassignmentsRequest;
use protocol::list_transactions::ListTransactionsRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::records::{BatchBuilder, ProducerStamp};
use protocol::{ErrorCode, Uuid};

use crate::client::{Client, batch, start};

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
        for version in 8..=13 {
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
    let topic = MetadataRequestTopic { topic_id: Uuid([1; 16]), name: None };
    let request = MetadataRequest {
        topics: Some(vec![topic]),
        include_topic_authorized_operations: true,
        ..Default::default()
    };
    let told = client.call(12, &request).topics.remove(0);
    assert_eq!(told.error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(told.topic_authorized_operations, NOT_ASKED);
}

#[test]
fn a_log_directory_tells_the_size_of_what_it_holds() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    client.create_topic("u", 1, &[]);
    client.produce("t", 1, batch(&["a record"]));
    let stored = std::fs::metadata(dir.path().join("t-1/00000000000000000000.log")).unwrap().len() as i64;
    for version in 1..=5 {
        let mut ask = |topics: Option<Vec<(&str, Vec<i32>)>>| {
            let topics = topics.map(|topics| {
                let named = topics.into_iter();
                named
                    .map(|(topic, partitions)| DescribableLogDirTopic { topic: topic.into(), partitions })
                    .collect()
            });
            let mut told = client.call(version, &DescribeLogDirsRequest { topics }).results;
            assert_eq!(told.len(), 1);
            told.remove(0)
        };
        let sizes = |result: &protocol::describe_log_dirs::DescribeLogDirsResult| -> Vec<_> {
            let each = result.topics.iter().flat_map(|topic| {
                let partition = |partition: &protocol::describe_log_dirs::DescribeLogDirsPartition| {
                    assert_eq!((partition.offset_lag, partition.is_future_key), (0, false));
                    (topic.name.clone(), partition.partition_index, partition.partition_size)
                };
                topic.partitions.iter().map(partition)
            });
            each.collect()
        };
        let all = ask(None);
        assert_eq!(all.log_dir, dir.path().display().to_string());
        assert_eq!(sizes(&all), [("t".into(), 0, 0), ("t".into(), 1, stored), ("u".into(), 0, 0)]);
        if version >= 4 {
            assert!(0 < all.usable_bytes && all.usable_bytes <= all.total_bytes, "{all:?}");
        }
        let some =
            ask(Some(vec![("t", vec![1, 7, 1]), ("nowhere", vec![0]), ("u", vec![9]), ("t", vec![1])]));
        assert_eq!(sizes(&some), [("t".into(), 1, stored)]);
        assert_eq!(sizes(&ask(Some(Vec::new()))), []);
    }
}

#[test]
fn every_leader_is_elected_already() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    let mut ask = |version, election_type, named: Option<Vec<(&str, Vec<i32>)>>| {
        let topic = |(topic, partitions): (&str, _)| ElectLeadersTopic { topic: topic.into(), partitions };
        let topic_partitions = named.map(|named| named.into_iter().map(topic).collect());
        let request = ElectLeadersRequest { election_type, topic_partitions, ..Default::default() };
        let told = client.call(version, &request);
        let each = told.replica_election_results.into_iter().map(|result| {
            let errors = result.partition_result.into_iter();
            (result.topic, errors.map(|result| (result.partition_id, result.error_code)).collect::<Vec<_>>())
        });
        (told.error_code, each.collect::<Vec<_>>())
    };
    let named = || Some(vec![("t", vec![1, 0, 7, 0]), ("nowhere", vec![0]), ("t", vec![1])]);
    let (done, unknown) = (ErrorCode::ELECTION_NOT_NEEDED, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    for (version, kind) in [(0, PREFERRED), (1, UNCLEAN), (2, PREFERRED)] {
        let each = vec![
            ("nowhere".into(), vec![(0, unknown)]),
            ("t".into(), vec![(0, done), (1, done), (7, unknown)]),
        ];
        assert_eq!(ask(version, kind, named()), (ErrorCode::NONE, each));
        assert_eq!(ask(version, kind, None), (ErrorCode::NONE, vec![("t".into(), vec![])]));
    }
    let refused = ErrorCode::INVALID_REQUEST;
    assert_eq!(ask(2, 2, None), (refused, vec![]));
    assert_eq!(ask(2, 2, Some(vec![("t", vec![0])])), (refused, vec![("t".into(), vec![(0, refused)])]));
}

#[test]
fn topics_come_by_pages_of_partitions() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("a", 3, &[]);
    client.create_topic("t", 2, &[]);
    let mut ask = |names: &[&str], limit, from: Option<(&str, i32)>| {
        let named = names.iter();
        let request = DescribeTopicPartitionsRequest {
            topics: named.map(|&name| DescribeTopicPartitionsTopic { name: name.into() }).collect(),
            response_partition_limit: limit,
            cursor: from.map(|(topic, partition_index)| Cursor { topic_name: topic.into(), partition_index }),
        };
        let told = client.call(0, &request);
        let topics = told.topics.into_iter().map(|topic| {
            assert_eq!(topic.topic_id == Uuid::ZERO, !topic.error_code.is_none());
            let refused = topic.error_code == ErrorCode::INVALID_REQUEST;
            let operations = if refused { NOT_ASKED } else { ANY_OF_TOPIC };
            assert_eq!(topic.topic_authorized_operations, operations);
            for partition in &topic.partitions {
                assert_eq!((partition.leader_id, &partition.isr_nodes[..]), (1, &[1][..]));
                assert_eq!(partition.eligible_leader_replicas.as_deref(), Some(&[][..]));
            }
            let numbers = topic.partitions.iter().map(|partition| partition.partition_index);
            (topic.name.unwrap(), topic.error_code.0, numbers.collect::<Vec<_>>())
        });
        let next = told.next_cursor.map(|next| (next.topic_name, next.partition_index));
        (topics.collect::<Vec<_>>(), next)
    };
    let topic = |name: &str, numbers: &[i32]| (name.to_owned(), 0, numbers.to_vec());
    let fault = |name: &str, error_code| (name.to_owned(), error_code, vec![]);
    let next = |name: &str, number| Some((name.to_owned(), number));
    let whole = || vec![topic("a", &[0, 1, 2]), topic("t", &[0, 1])];
    assert_eq!(ask(&[], 2_000, None), (whole(), None));
    assert_eq!(ask(&[], 5, None), (whole(), None));
    // At least one, whatever the client takes.
    for limit in [1, 0, -5] {
        assert_eq!(ask(&[], limit, None), (vec![topic("a", &[0])], next("a", 1)));
    }
    assert_eq!(ask(&[], 3, None), (vec![topic("a", &[0, 1, 2])], next("t", 0)));
    assert_eq!(ask(&[], 2, Some(("a", 2))), (vec![topic("a", &[2]), topic("t", &[0])], next("t", 1)));
    // A page may begin at a topic that is gone, or behind the last partition.
    assert_eq!(ask(&[], 9, Some(("b", 1))), (vec![topic("t", &[0, 1])], None));
    assert_eq!(ask(&[], 9, Some(("zz", 0))), (vec![], None));
    assert_eq!(ask(&[], 9, Some(("t", 9))), (vec![topic("t", &[])], None));
    // Topics by name come sorted and once. What is not there takes no room, but comes on a page.
    let names = ["t", "nowhere", "a b", "t"];
    let all = vec![fault("a b", 17), fault("nowhere", 3), topic("t", &[0, 1])];
    assert_eq!(ask(&names, 9, None), (all, None));
    assert_eq!(ask(&["a", "b"], 3, None), (vec![topic("a", &[0, 1, 2])], next("b", 0)));
    assert_eq!(ask(&["a", "b"], 3, Some(("b", 0))), (vec![fault("b", 3)], None));
    // Who names topics begins with one of them.
    for from in [("s", 1), ("t", -1), ("zz", 0)] {
        assert_eq!(ask(&["t", "a"], 9, Some(from)), (vec![fault("a", 42), fault("t", 42)], None));
    }
    assert_eq!(ask(&[], 9, Some(("a", -1))), (vec![], None));
}

#[test]
fn the_quorum_is_this_broker_and_has_all_of_the_metadata() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let ask = |client: &mut Client, version, named: &[(&str, &[i32])]| {
        let topics = named.iter().map(|&(name, numbers)| DescribeQuorumTopic {
            topic_name: name.into(),
            partitions: numbers
                .iter()
                .map(|&partition_index| DescribeQuorumPartition { partition_index })
                .collect(),
        });
        client.call(version, &DescribeQuorumRequest { topics: topics.collect() })
    };
    let mut last_end = -1;
    for version in 0..=2 {
        client.create_topic(&format!("t{version}"), 1, &[]);
        let told = ask(&mut client, version, &[("__cluster_metadata", &[0])]);
        let quorum = &told.topics[0].partitions[0];
        assert_eq!((quorum.error_code, quorum.leader_id), (ErrorCode::NONE, 1));
        let [voter] = &quorum.current_voters[..] else { panic!("{quorum:?}") };
        assert_eq!((voter.replica_id, voter.log_end_offset), (1, quorum.high_watermark));
        assert!(quorum.high_watermark > last_end, "a topic was made since");
        last_end = quorum.high_watermark;
        assert!(quorum.observers.is_empty());
        assert_eq!(told.nodes.len(), usize::from(version == 2));
    }
    for wrong in
        [&[("t0", &[0][..])][..], &[("__cluster_metadata", &[0, 1])], &[("__cluster_metadata", &[1])]]
    {
        let told = ask(&mut client, 2, wrong);
        let errors: Vec<_> = told.topics[0].partitions.iter().map(|partition| partition.error_code).collect();
        assert_eq!(errors, vec![ErrorCode::UNKNOWN_TOPIC_OR_PARTITION; wrong[0].1.len()]);
    }
    assert!(ask(&mut client, 2, &[]).topics.is_empty());
}

#[test]
fn producers_are_told_with_the_last_batch_of_each() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    for (producer_id, producer_epoch, base_sequence) in [(7, 0, 0), (9, 2, 0), (7, 0, 2)] {
        let stamp = ProducerStamp { producer_id, producer_epoch, base_sequence };
        let mut batch = BatchBuilder::new().producer(stamp);
        batch.push(1_000 + i64::from(base_sequence), None, Some(b"x"));
        batch.push(5, None, Some(b"y"));
        assert_eq!(client.produce("t", 0, batch.finish()).error_code, ErrorCode::NONE);
    }
    client.produce("t", 0, batch(&["of no producer"]));
    let topic = |name: &str, numbers: &[i32]| DescribeProducersTopic {
        name: name.into(),
        partition_indexes: numbers.to_vec(),
    };
    let topics = vec![topic("t", &[0, 9, 0, 1]), topic("nowhere", &[0])];
    let told = client.call(0, &DescribeProducersRequest { topics }).topics;
    let [nowhere, here] = &told[..] else { panic!("{told:?}") };
    assert_eq!(nowhere.partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let [first, second, unknown] = &here.partitions[..] else { panic!("{here:?}") };
    assert_eq!(unknown.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(second.error_code.is_none() && second.active_producers.is_empty());
    let producers = first.active_producers.iter().map(|producer| {
        assert_eq!((producer.coordinator_epoch, producer.current_txn_start_offset), (-1, -1));
        (producer.producer_id, producer.producer_epoch, producer.last_sequence, producer.last_timestamp)
    });
    assert_eq!(producers.collect::<Vec<_>>(), [(7, 0, 3, 1_002), (9, 2, 1, 1_000)]);
}

#[test]
fn what_is_not_in_use_is_empty_or_not_found() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let moving = client.call(0, &ListPartitionReassignmentsRequest::default());
    assert_eq!((moving.error_code, moving.topics.len()), (ErrorCode::NONE, 0));

    let state_filters = ["Ongoing", "Bogus", "ongoing", "Bogus"].map(String::from).to_vec();
    for version in 0..=2 {
        let request = ListTransactionsRequest { state_filters: state_filters.clone(), ..Default::default() };
        let told = client.call(version, &request);
        assert_eq!((told.error_code, told.transaction_states.len()), (ErrorCode::NONE, 0));
        assert_eq!(told.unknown_state_filters, ["Bogus", "ongoing"]);
    }
    let transactional_ids = ["x", "", "x"].map(String::from).to_vec();
    let told = client.call(0, &DescribeTransactionsRequest { transactional_ids }).transaction_states;
    let errors: Vec<_> = told.iter().map(|told| (told.transactional_id.as_str(), told.error_code)).collect();
    let expected = [("", ErrorCode::INVALID_REQUEST), ("x", ErrorCode::TRANSACTIONAL_ID_NOT_FOUND)];
    assert_eq!(errors, expected);

    for users in [None, Some(Vec::new())] {
        let told = client.call(0, &DescribeUserScramCredentialsRequest { users });
        assert_eq!((told.error_code, told.results.len()), (ErrorCode::NONE, 0));
    }
    let users = ["a", "b", "a"].map(|name| ScramUserName { name: name.into() }).to_vec();
    let told = client.call(0, &DescribeUserScramCredentialsRequest { users: Some(users) }).results;
    let errors: Vec<_> = told.iter().map(|told| (told.user.as_str(), told.error_code)).collect();
    assert_eq!(errors, [("a", ErrorCode::DUPLICATE_RESOURCE), ("b", ErrorCode::RESOURCE_NOT_FOUND)]);

    for version in 1..=3 {
        let told = client.call(version, &DescribeAclsRequest::default());
        assert_eq!((told.error_code, told.resources.len()), (ErrorCode::SECURITY_DISABLED, 0));
        let told = client.call(version, &DescribeDelegationTokenRequest::default());
        assert_eq!(told.error_code, ErrorCode::DELEGATION_TOKEN_REQUEST_NOT_ALLOWED);
    }
}

#[test]
fn there_are_no_quotas_and_no_nonsense_about_them() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let mut ask = |components: &[(&str, i8, Option<&str>)]| {
        let component = |&(entity_type, match_type, name): &(&str, i8, Option<&str>)| QuotaComponent {
            entity_type: entity_type.into(),
            match_type,
            r#match: name.map(String::from),
        };
        let components = components.iter().map(component).collect();
        let told = client.call(1, &DescribeClientQuotasRequest { components, strict: true });
        assert_eq!(told.entries.is_some(), told.error_code.is_none());
        assert_eq!(told.entries.unwrap_or_default(), []);
        told.error_code
    };
    let refused = ErrorCode::INVALID_REQUEST;
    for (components, expected) in [
        (&[][..], ErrorCode::NONE),
        (&[("user", 0, Some("a")), ("client-id", 1, None)], ErrorCode::NONE),
        (&[("ip", 2, None)], ErrorCode::NONE),
        (&[("bogus", 2, None)], ErrorCode::UNSUPPORTED_VERSION),
        (&[("", 2, None)], refused),
        (&[("user", 9, Some("a"))], refused),
        (&[("user", 0, None)], refused),
        (&[("user", 1, Some("x"))], refused),
        (&[("user", 2, None), ("user", 2, None)], refused),
        (&[("ip", 2, None), ("user", 2, None)], refused),
    ] {
        assert_eq!(ask(components), expected, "{components:?}");
    }
}

#[test]
fn topics_and_the_broker_can_have_settings() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.create_topic("u", 1, &[]);
    let mut ask = |version, resource_types: &[i8]| {
        let resource_types = resource_types.to_vec();
        let told = client.call(version, &ListConfigResourcesRequest { resource_types });
        let each = told.config_resources.into_iter();
        (told.error_code, each.map(|told| (told.resource_type, told.resource_name)).collect::<Vec<_>>())
    };
    let named = |names: &[(i8, &str)]| names.iter().map(|&(of, name)| (of, name.to_owned())).collect();
    let all: Vec<_> = named(&[(BROKER_LOGGER, "1"), (BROKER, "1"), (TOPIC, "t"), (TOPIC, "u")]);
    assert_eq!(ask(1, &[]), (ErrorCode::NONE, all));
    assert_eq!(ask(1, &[TOPIC, TOPIC]), (ErrorCode::NONE, named(&[(TOPIC, "t"), (TOPIC, "u")])));
    assert_eq!(ask(1, &[CLIENT_METRICS]), (ErrorCode::NONE, vec![]));
    assert_eq!(ask(0, &[]), (ErrorCode::NONE, vec![]));
    assert_eq!(ask(1, &[TOPIC, 1]), (ErrorCode::UNSUPPORTED_VERSION, vec![]));
}

/// Nothing is in tiered storage, and nothing waits to go there.
#[test]
fn offsets_of_tiered_storage_are_none() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["a"]));
    for (timestamp, expected) in [
        (EARLIEST_LOCAL, (ErrorCode::NONE, 0)),
        (LATEST_TIERED, (ErrorCode::NONE, -1)),
        (EARLIEST_PENDING_UPLOAD, (ErrorCode::NONE, -1)),
        (-7, (ErrorCode::UNSUPPORTED_VERSION, -1)),
    ] {
        let partition = ListOffsetsPartition { timestamp, ..Default::default() };
        let topic = ListOffsetsTopic { name: "t".into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { topics: vec![topic], ..Default::default() };
        let told = client.call(11, &request).topics.remove(0).partitions.remove(0);
        assert_eq!((told.error_code, told.offset), expected, "{timestamp}");
    }
}
