//! Produce: what is stored, and what is refused.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::init_producer_id::InitProducerIdRequest;
use protocol::list_offsets::{EARLIEST, LATEST, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::{BatchBuilder, Compression, ProducerStamp};

use crate::client::{Client, batch, fetch, produce, records, start};

fn offset(client: &mut Client, timestamp: i64) -> i64 {
    let partitions = vec![ListOffsetsPartition { timestamp, ..Default::default() }];
    let topics = vec![ListOffsetsTopic { name: "t".into(), partitions }];
    let response = client.call(9, &ListOffsetsRequest { topics, ..Default::default() });
    let partition = &response.topics[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    partition.offset
}

#[test]
fn a_batch_is_stored_as_it_was_sent() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["before"]));
    for (base_offset, compression) in (1i64..).zip(Compression::ALL) {
        let mut builder = BatchBuilder::new().compression(compression);
        builder.push(5, Some(b"key"), Some(b"value"));
        let sent = builder.finish();
        assert_eq!(client.produce("t", 0, sent.clone()).base_offset, base_offset, "{compression:?}");
        let read = records(&client.fetch(&fetch("t", &[(0, base_offset)])));
        is_as_it_was_sent(&read, base_offset, &sent);
    }
}

fn is_as_it_was_sent(read: &[u8], base_offset: i64, sent: &[u8]) {
    assert_eq!(read[..8], base_offset.to_be_bytes(), "the base offset is the broker's to write");
    assert_eq!(read[8..12], sent[8..12]);
    assert_eq!(read[12..16], 0i32.to_be_bytes(), "so is the leader epoch");
    assert_eq!(read[16..], sent[16..], "all else is the producer's");
}

#[test]
fn the_latest_offset_is_one_past_the_last_record() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    assert_eq!((offset(&mut client, EARLIEST), offset(&mut client, LATEST)), (0, 0));
    client.produce("t", 0, batch(&["a", "b", "c"]));
    assert_eq!((offset(&mut client, EARLIEST), offset(&mut client, LATEST)), (0, 3));
    // By time it is the record that counts, not the batch that it is in.
    assert_eq!(offset(&mut client, 1001), 1);
    assert_eq!(offset(&mut client, 1003), -1);
}

/// The answers of an Apache Kafka 4.3, but that a batch which could not be read takes a good one
/// before it into the log.
#[test]
fn of_a_partition_that_is_named_again_the_last_batch_counts() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    let topic = |partitions: &[(i32, Bytes)]| TopicData {
        name: "t".into(),
        partitions: partitions
            .iter()
            .map(|(index, records)| PartitionData { index: *index, records: Some(records.clone()) })
            .collect(),
    };
    let mut told = |topics: Vec<TopicData>| {
        let request = ProduceRequest { acks: -1, timeout_ms: 30_000, topics, ..Default::default() };
        let response = client.call(11, &request);
        let topics = response.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter();
            partitions.map(|one| (one.index, one.error_code, one.base_offset)).collect::<Vec<_>>()
        });
        topics.collect::<Vec<_>>()
    };
    let junk = Bytes::from_static(b"junk");
    let (ok, corrupt) = (ErrorCode::NONE, ErrorCode::INVALID_RECORD);
    let in_one = topic(&[(0, batch(&["a"])), (1, batch(&["x"])), (0, batch(&["b", "c"]))]);
    assert_eq!(told(vec![in_one]), [[(0, ok, 0), (1, ok, 0)]]);
    let in_two = vec![topic(&[(0, batch(&["d"]))]), topic(&[(0, batch(&["e"]))])];
    assert_eq!(told(in_two), [[(0, ok, 2)]]);
    assert_eq!(told(vec![topic(&[(0, batch(&["f"])), (0, junk.clone())])]), [[(0, corrupt, -1)]]);
    assert_eq!(told(vec![topic(&[(0, junk), (0, batch(&["g"]))])]), [[(0, ok, 3)]]);
    let end = offset(&mut client, LATEST);
    assert_eq!(end, 4, "b, c, e and g");
}

#[test]
fn a_damaged_batch_is_refused_and_the_next_one_is_not() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut damaged = batch(&["a"]).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(client.produce("t", 0, damaged.into()).error_code, ErrorCode::CORRUPT_MESSAGE);
    let twice = [batch(&["a"]), batch(&["b"])].concat();
    assert_eq!(client.produce("t", 0, twice.into()).error_code, ErrorCode::INVALID_RECORD);
    assert_eq!(client.produce("t", 0, Bytes::new()).error_code, ErrorCode::INVALID_RECORD);
    assert_eq!(client.produce("t", 1, batch(&["a"])).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(client.produce("u", 0, batch(&["a"])).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(client.produce("t", 0, batch(&["a"])).base_offset, 0);
}

#[test]
fn a_batch_larger_than_the_topic_takes_is_refused() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("max.message.bytes", "100")]);
    let refused = client.produce("t", 0, batch(&[&"x".repeat(100)]));
    assert_eq!(refused.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    assert!(refused.error_message.unwrap().contains("max.message.bytes"));
    assert_eq!(client.produce("t", 0, batch(&["x"])).error_code, ErrorCode::NONE);
}

/// librdkafka up to 2.11 switches compression off for brokers that don't announce Produce 0.
#[test]
fn produce_0_to_2_is_announced_and_answered_with_unsupported_version() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for version in 0..=2 {
        let response = client.call(version, &produce("t", 0, batch(&["a"])));
        assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::UNSUPPORTED_VERSION);
    }
    assert_eq!(offset(&mut client, LATEST), 0);
}

#[test]
fn with_acks_0_there_is_no_answer_and_an_error_hangs_up() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let unanswered = ProduceRequest { acks: 0, ..produce("t", 0, batch(&["a"])) };
    let mut quiet = Client::to(&cluster);
    quiet.send(9, &unanswered);
    quiet.send(9, &unanswered);
    // Had one of them been answered, this would be that answer.
    quiet.send_bytes(&protocol::encode_request(9, 77, "test", &produce("t", 0, batch(&["b"]))));
    let (correlation_id, response) =
        protocol::decode_response::<ProduceRequest>(9, quiet.receive_frame()).unwrap();
    assert_eq!((correlation_id, response.topics[0].partitions[0].base_offset), (77, 2));
    quiet.send(9, &ProduceRequest { acks: 0, ..produce("nowhere", 0, batch(&["a"])) });
    quiet.expect_hangup();
}

#[test]
fn an_idempotent_producer_that_repeats_itself_is_stored_once() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let identity = client.call(4, &InitProducerIdRequest::default());
    assert_eq!((identity.error_code, identity.producer_epoch), (ErrorCode::NONE, 0));
    let numbered = |sequence| {
        let stamp =
            ProducerStamp { producer_id: identity.producer_id, producer_epoch: 0, base_sequence: sequence };
        let mut builder = BatchBuilder::new().producer(stamp);
        builder.push(1, None, Some(b"a"));
        builder.finish()
    };
    assert_eq!(client.produce("t", 0, numbered(0)).base_offset, 0);
    assert_eq!(client.produce("t", 0, numbered(1)).base_offset, 1);
    let repeated = client.produce("t", 0, numbered(0));
    assert_eq!((repeated.error_code, repeated.base_offset), (ErrorCode::NONE, 0));
    assert_eq!(client.produce("t", 0, numbered(5)).error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(offset(&mut client, LATEST), 2);
    let next = client.call(4, &InitProducerIdRequest::default());
    assert_ne!(next.producer_id, identity.producer_id);
}

/// No client should have to retry: the answer that makes a topic already names its leaders.
#[test]
fn asking_for_a_topic_makes_it_and_it_can_be_used_at_once() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let ask = |allow| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: Some("made".into()), ..Default::default() }]),
        allow_auto_topic_creation: allow,
        ..Default::default()
    };
    let refused = client.call(12, &ask(false));
    assert_eq!(refused.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let made = client.call(12, &ask(true));
    let topic = &made.topics[0];
    assert_eq!((topic.error_code, topic.partitions.len()), (ErrorCode::NONE, 1));
    assert_eq!(topic.partitions[0].leader_id, made.brokers[0].node_id);
    assert_eq!(client.produce("made", 0, batch(&["a"])).error_code, ErrorCode::NONE);
    let all = client.call(0, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() });
    assert_eq!(all.topics.len(), 1, "in version 0 an empty list asks for everything");
    let none = client.call(1, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() });
    assert_eq!(none.topics.len(), 0, "and for nothing since");
    for name in ["", "a/b", "..", "__cluster_metadata"] {
        let topics = Some(vec![MetadataRequestTopic { name: Some(name.into()), ..Default::default() }]);
        let refused = client.call(9, &MetadataRequest { topics, ..Default::default() });
        assert_eq!(refused.topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION, "{name:?}");
    }
}
