//! What a broker answers of partitions that another one leads.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use protocol::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use protocol::describe_cluster::DescribeClusterRequest;
use protocol::describe_producers::{DescribeProducersRequest, DescribeProducersTopic};
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::BatchBuilder;
use protocol::{ErrorCode, Request, Uuid, decode_response, encode_request};

use crate::BrokerConfig;
use crate::api::{Answer, Context, Endpoint, handle};
use crate::controller::{BrokerRegistration, Placement, TopicConfig};
use crate::coordinator::{OFFSETS_TOPIC, Token};
use crate::log::{MemoryStorage, Storage};
use crate::node::Node;
use crate::replica::ValidationBudget;

/// Led here; led by the other broker, with a replica here; the other's alone.
const PARTITIONS: [&[i32]; 3] = [&[1], &[2, 1], &[2]];

static LAST: AtomicU64 = AtomicU64::new(0);

fn number() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// Broker 1 of two, with a topic whose partitions are on both.
fn node() -> Node {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let node = Node::open(BrokerConfig::new("data"), &storage, number, 0).unwrap();
    let mut change = node.metadata.begin_change();
    let own = node.metadata.brokers().get(1).unwrap().clone();
    let other = BrokerRegistration { id: 2, epoch: 7, incarnation_id: Uuid([2; 16]), ..own };
    let records = vec![other.record()];
    change.append(&records).unwrap();
    change.apply(records);
    drop(change);
    let placement = Placement::Assigned(PARTITIONS.map(<[i32]>::to_vec).to_vec());
    // A topic's partitions have as many replicas each when they are made.
    assert!(node.create_topic("t", Uuid([9; 16]), &placement, TopicConfig::default()).is_err());
    for (number, replicas) in PARTITIONS.iter().enumerate() {
        let placement = Placement::Assigned(vec![replicas.to_vec()]);
        let id = Uuid([number as u8 + 1; 16]);
        node.create_topic(&format!("t{number}"), id, &placement, TopicConfig::default()).unwrap();
    }
    node
}

fn ask<R: Request>(node: &Node, version: i16, request: &R) -> R::Response {
    let endpoint = Endpoint { listener: 0, host: "localhost".to_owned(), port: 9092 };
    let context = Context {
        node,
        now_ms: 1_000,
        endpoint: &endpoint,
        client_host: "127.0.0.1",
        token: Token(0),
        random: number,
        budget: ValidationBudget::UNBOUNDED,
    };
    let frame = Bytes::from(encode_request(version, 0, "test", request)).slice(4..);
    let Answer::Reply(answer) = handle(&context, frame).unwrap().answer else { panic!("it would wait") };
    decode_response::<R>(version, Bytes::from(answer.bytes).slice(4..)).unwrap().1
}

/// What each request that only a leader can answer comes to, of a topic with one partition.
fn errors(node: &Node, topic: &str) -> Vec<ErrorCode> {
    let (name, partition) = (topic.to_owned(), 0);
    let mut batch = BatchBuilder::new();
    batch.push(1_000, None, Some(b"x"));
    let records = Some(batch.finish());
    let partitions = vec![PartitionData { index: partition, records }];
    let topics = vec![TopicData { name: name.clone(), partitions }];
    let produced = ask(node, 9, &ProduceRequest { acks: -1, topics, ..ProduceRequest::default() });
    // Behind the record: what is read would not be in the answer's own bytes.
    let partitions = vec![FetchPartition { partition, fetch_offset: 1, ..FetchPartition::default() }];
    let topics = vec![FetchTopic { topic: name.clone(), partitions, ..FetchTopic::default() }];
    let fetched = ask(node, 12, &FetchRequest { topics, ..FetchRequest::default() });
    let partitions = vec![ListOffsetsPartition { timestamp: -1, ..ListOffsetsPartition::default() }];
    let topics = vec![ListOffsetsTopic { name: name.clone(), partitions }];
    let listed = ask(node, 7, &ListOffsetsRequest { topics, ..ListOffsetsRequest::default() });
    let partitions = vec![OffsetForLeaderPartition::default()];
    let topics = vec![OffsetForLeaderTopic { topic: name.clone(), partitions }];
    let ended =
        ask(node, 4, &OffsetForLeaderEpochRequest { topics, ..OffsetForLeaderEpochRequest::default() });
    let partitions = vec![DeleteRecordsPartition { partition_index: partition, offset: 0 }];
    let topics = vec![DeleteRecordsTopic { name: name.clone(), partitions }];
    let deleted = ask(node, 2, &DeleteRecordsRequest { topics, timeout_ms: 0 });
    let topics = vec![DescribeProducersTopic { name, partition_indexes: vec![partition] }];
    let described = ask(node, 0, &DescribeProducersRequest { topics });
    vec![
        produced.topics[0].partitions[0].error_code,
        fetched.topics[0].partitions[0].error_code,
        listed.topics[0].partitions[0].error_code,
        ended.topics[0].partitions[0].error_code,
        deleted.topics[0].partitions[0].error_code,
        described.topics[0].partitions[0].error_code,
    ]
}

#[test]
fn a_partition_that_another_broker_leads_is_not_answered_for() {
    let node = node();
    assert_eq!(errors(&node, "t0"), [ErrorCode::NONE; 6]);
    // Who asks for producers may ask any replica, as with Kafka.
    let mut follows = [ErrorCode::NOT_LEADER_OR_FOLLOWER; 6];
    follows[5] = ErrorCode::NONE;
    assert_eq!(errors(&node, "t1"), follows, "with a replica here");
    assert_eq!(errors(&node, "t2"), [ErrorCode::NOT_LEADER_OR_FOLLOWER; 6], "with none");
    assert_eq!(errors(&node, "t3"), [ErrorCode::UNKNOWN_TOPIC_OR_PARTITION; 6]);
}

#[test]
fn clients_are_told_all_brokers_and_who_leads() {
    let node = node();
    let topics =
        (0..3).map(|number| MetadataRequestTopic { name: Some(format!("t{number}")), ..Default::default() });
    let topics = Some(topics.collect());
    let told = ask(&node, 12, &MetadataRequest { topics, ..MetadataRequest::default() });
    assert_eq!(told.brokers.iter().map(|broker| broker.node_id).collect::<BTreeSet<_>>(), [1, 2].into());
    assert_eq!(told.controller_id, 1, "the one that leads the metadata log");
    let leaders = told.topics.iter().map(|topic| topic.partitions[0].leader_id);
    assert_eq!(leaders.collect::<Vec<_>>(), [1, 2, 2]);
    let replicas = told.topics.iter().map(|topic| &topic.partitions[0].replica_nodes[..]);
    assert_eq!(replicas.collect::<Vec<_>>(), PARTITIONS);
}

/// A change holds the metadata log until the disk has it, and a client that only asks must not wait
/// for a disk.
#[test]
fn who_asks_for_brokers_does_not_wait_for_a_change() {
    let node = node();
    let change = node.metadata.begin_change();
    let (told, answers) = mpsc::channel();
    let answered = thread::scope(|scope| {
        scope.spawn(|| {
            let metadata = ask(&node, 12, &MetadataRequest::default());
            let cluster = ask(&node, 1, &DescribeClusterRequest { endpoint_type: 1, ..Default::default() });
            told.send((metadata.controller_id, cluster.controller_id)).unwrap();
        });
        let answered = answers.recv_timeout(Duration::from_secs(10));
        drop(change);
        answered
    });
    assert_eq!(answered, Ok((1, 1)));
}

#[test]
fn no_records_of_the_brokers_own_topics_are_deleted() {
    let node = node();
    node.offsets_topic(number, 0).unwrap();
    for partition_index in [0, 99] {
        let partitions = vec![DeleteRecordsPartition { partition_index, offset: 0 }];
        let topics = vec![DeleteRecordsTopic { name: OFFSETS_TOPIC.to_owned(), partitions }];
        let deleted = ask(&node, 2, &DeleteRecordsRequest { topics, timeout_ms: 0 });
        assert_eq!(deleted.topics[0].partitions[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
}
