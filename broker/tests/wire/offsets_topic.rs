//! The topic in which groups' offsets are kept, as a client sees it.

use broker::Cluster;
use protocol::ErrorCode;
use protocol::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_topic_partitions::DescribeTopicPartitionsRequest;
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::metadata::{MetadataRequest, MetadataTopic};
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use protocol::records::{check_batch, records as batch_records};
use tempfile::TempDir;

use crate::client::{Client, batch, config, fetch, records as fetched, start};

const OFFSETS: &str = "__consumer_offsets";

fn topics(client: &mut Client) -> Vec<MetadataTopic> {
    client.call(12, &MetadataRequest { topics: None, ..Default::default() }).topics
}

fn commit(client: &mut Client, group_id: &str, offset: i64) -> ErrorCode {
    let partition = OffsetCommitPartition { committed_offset: offset, ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: group_id.into(),
        generation_id: -1,
        topics: vec![OffsetCommitTopic { name: "t".into(), partitions: vec![partition] }],
        ..Default::default()
    };
    client.call(8, &request).topics[0].partitions[0].error_code
}

fn committed(client: &mut Client, group_id: &str) -> Option<i64> {
    let groups = vec![OffsetFetchGroup { group_id: group_id.into(), topics: None, ..Default::default() }];
    let response = client.call(9, &OffsetFetchRequest { groups, ..Default::default() });
    Some(response.groups[0].topics.first()?.partitions[0].committed_offset)
}

#[test]
fn it_is_there_when_the_first_group_asks_and_is_told_as_internal() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    assert_eq!(topics(&mut client), []);
    let request = FindCoordinatorRequest { coordinator_keys: vec!["g".into()], ..Default::default() };
    assert_eq!(client.call(4, &request).coordinators[0].error_code, ErrorCode::NONE);
    let there = topics(&mut client);
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].name.as_deref(), Some(OFFSETS));
    assert_eq!((there[0].is_internal, there[0].partitions.len()), (true, 12));
    client.create_topic("t", 1, &[]);
    let told = |name: &str, is_internal| (Some(name.to_owned()), is_internal);
    let all = [told(OFFSETS, true), told("t", false)];
    assert!(topics(&mut client).into_iter().map(|topic| (topic.name, topic.is_internal)).eq(all.clone()));
    let request = DescribeTopicPartitionsRequest { response_partition_limit: 20, ..Default::default() };
    let described = client.call(0, &request).topics;
    assert!(described.into_iter().map(|topic| (topic.name, topic.is_internal)).eq(all));
}

/// As an Apache Kafka 4.3 answers, but that it lets the topic be deleted and grow: groups would
/// look for their offsets in another partition then.
#[test]
fn clients_read_it_and_change_nothing() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let refused = ErrorCode::INVALID_TOPIC_EXCEPTION;
    let topic = CreatableTopic {
        name: OFFSETS.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let created = client.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
    assert_eq!(created.topics[0].error_code, refused);
    client.create_topic("t", 1, &[]);
    assert_eq!(commit(&mut client, "g", 7), ErrorCode::NONE);

    assert_eq!(client.produce(OFFSETS, 0, batch(&["x"])).error_code, refused);
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: -1 }];
    let topics_ = vec![DeleteRecordsTopic { name: OFFSETS.into(), partitions }];
    let deleted = client.call(2, &DeleteRecordsRequest { topics: topics_, ..Default::default() });
    assert_eq!(deleted.topics[0].partitions[0].error_code, refused);
    let deleted =
        client.call(5, &DeleteTopicsRequest { topic_names: vec![OFFSETS.into()], ..Default::default() });
    assert_eq!(deleted.responses[0].error_code, refused);
    let grown = CreatePartitionsTopic { name: OFFSETS.into(), count: 50, ..Default::default() };
    let grown = client.call(3, &CreatePartitionsRequest { topics: vec![grown], ..Default::default() });
    assert_eq!(grown.results[0].error_code, refused);

    // Kafka's hash of "g" is 103.
    let bytes = fetched(&client.fetch(&fetch(OFFSETS, &[(103 % 12, 0)])));
    let header = check_batch(&bytes).unwrap();
    let keys: Vec<_> =
        batch_records(&bytes).unwrap().map(|record| record.unwrap().key.unwrap().to_vec()).collect();
    assert_eq!((header.records_count, keys), (1, vec![b"\0\x01\0\x01g\0\x01t\0\0\0\0".to_vec()]));
}

/// Offsets are found where they were left, by the broker that kept one partition beside its topics.
#[test]
fn an_older_data_directory_keeps_its_one_partition() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    assert_eq!(commit(&mut client, "g", 7), ErrorCode::NONE);
    drop((client, cluster));
    let old = TempDir::new().unwrap();
    std::fs::rename(dir.path().join(format!("{OFFSETS}-7")), old.path().join(format!("{OFFSETS}-0")))
        .unwrap();

    for start in 1..=2 {
        let cluster = Cluster::start(config(&old)).unwrap();
        let mut client = Client::to(&cluster);
        assert_eq!(committed(&mut client, "g"), Some(6 + start));
        if start == 1 {
            client.create_topic("t", 1, &[]);
        }
        assert_eq!(commit(&mut client, "g", 7 + start), ErrorCode::NONE);
        let there = topics(&mut client);
        assert_eq!(there[0].partitions.len(), 1);
        assert_eq!(there[0].name.as_deref(), Some(OFFSETS));
    }
}
