//! Small requests whose answers would be huge.

use std::io::Write as _;

use broker::{BrokerConfig, Cluster};
use protocol::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource, TOPIC};
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::fetch::FetchRequest;
use protocol::join_group::{JoinGroupProtocol, JoinGroupRequest};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use protocol::produce::ProduceRequest;
use protocol::sync_group::SyncGroupRequest;
use protocol::{ErrorCode, encode_request};

use crate::client::{Client, FOR_EVER_MS, batch, config, fetch, produce, start};

/// 7 kB of `DescribeGroups` made 2.7 GB and a panic.
#[test]
fn what_is_asked_for_again_in_one_request_is_told_once() {
    const TIMES: usize = 1_000;
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    client.produce("t", 0, batch(&["a"]));

    let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic; TIMES]), ..Default::default() };
    assert_eq!(client.call(12, &request).topics.len(), 1);

    let resource = |keys: Option<&str>| DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configuration_keys: keys.map(|key| vec![key.into()]),
    };
    let mut resources = vec![resource(None); TIMES];
    resources.extend(vec![resource(Some("retention.ms")); TIMES]);
    let request = DescribeConfigsRequest { resources, ..Default::default() };
    assert_eq!(client.call(4, &request).results.len(), 2);

    let request = DescribeGroupsRequest { groups: vec!["g".into(); TIMES], ..Default::default() };
    assert_eq!(client.call(5, &request).groups.len(), 1);

    let group = OffsetFetchGroup { group_id: "orders-to-invoices".into(), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group; TIMES], ..Default::default() };
    assert_eq!(client.call(8, &request).groups.len(), 1);

    let mut request = fetch("t", &[(0, 0); TIMES]);
    request.topics.push(request.topics[0].clone());
    let partitions = client.call(12, &request).topics;
    assert_eq!(partitions.iter().map(|topic| topic.partitions.len()).sum::<usize>(), 1);
    // And so it is for one that waits.
    let waits = FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", &[(1, 0); TIMES]) };
    client.send(12, &waits);
    Client::to(&cluster).produce("t", 1, batch(&["b"]));
    assert_eq!(client.receive::<FetchRequest>(12).topics[0].partitions.len(), 1);
}

/// Requests that arrive together are answered one by one: as soon as a megabyte of answers lies
/// unread, the rest of them waits.
#[test]
fn unread_answers_are_bounded_between_requests_that_came_together() {
    const ROUNDS: i32 = 2_000;
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("wide", 500, &[]);
    client.create_topic("marks", 1, &[]);
    let mut slow = Client::to(&cluster);
    // The room for what arrives grows with a large request.
    assert_eq!(slow.produce("wide", 0, batch(&[&"x".repeat(1_000_000)])).error_code, ErrorCode::NONE);
    let mark = batch(&["m"]);
    let mut requests = Vec::new();
    for _ in 0..ROUNDS {
        let all = MetadataRequest { topics: None, ..Default::default() };
        requests.extend(encode_request(9, 1, "slow", &all));
        requests.extend(encode_request(9, 2, "slow", &produce("marks", 0, mark.clone())));
    }
    slow.send_bytes(&requests);
    client.fetch(&FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("marks", &[(0, 0)]) });
    let handled = client.fetch(&fetch("marks", &[(0, 0)])).high_watermark;
    assert!(handled < i64::from(ROUNDS) / 2, "{handled} of {ROUNDS} requests were answered unread");
    // Who reads gets everything.
    for _ in 0..ROUNDS {
        let all = slow.receive_frame();
        assert!(all.len() > 10_000, "{} bytes say little of 500 partitions", all.len());
        let (_, stored) = protocol::decode_response::<ProduceRequest>(9, slow.receive_frame()).unwrap();
        assert_eq!(stored.topics[0].partitions[0].error_code, ErrorCode::NONE);
    }
    assert_eq!(client.fetch(&fetch("marks", &[(0, 0)])).high_watermark, i64::from(ROUNDS));
}

/// Twenty halves of 100 MB were two gigabytes. What is small, or whole, must not wait for them.
#[test]
fn large_requests_that_are_never_whole_have_little_room_together() {
    const MB: usize = 1 << 20;
    let data_dir = tempfile::TempDir::new().unwrap();
    let limits =
        BrokerConfig { max_request_bytes: 64 * MB, queued_request_bytes: 64 * MB, ..config(&data_dir) };
    let cluster = Cluster::start(limits).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("max.message.bytes", "99999999")]);
    let half = |announced: usize| {
        let mut stream = std::net::TcpStream::connect(cluster.address()).unwrap();
        stream.write_all(&(announced as u32).to_be_bytes()).unwrap();
        stream
    };
    // One has nearly all of the room, and then has to fit what its socket takes.
    let mut first = half(60 * MB);
    first.write_all(&vec![0; 40 * MB]).unwrap();
    // The others fill their sockets, and are not read.
    let mut second = half(60 * MB);
    second.set_write_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    assert!(second.write_all(&vec![0; 59 * MB]).is_err(), "59 MB more were read");
    let record = batch(&["small"]);
    assert_eq!(client.produce("t", 0, record).base_offset, 0);
    // A client that goes leaves its room to others.
    drop((first, second));
    let large = batch(&[&"x".repeat(50 * MB)]);
    assert_eq!(client.produce("t", 0, large).base_offset, 1);
}

/// Two gigabytes of what members say do not fit into a frame: it was a panic to try.
#[test]
fn what_members_say_is_bounded_in_a_group_and_in_an_answer() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let mut join = |group_id: &str, metadata_bytes: usize| {
        let metadata = vec![0; metadata_bytes].into();
        let request = JoinGroupRequest {
            group_id: group_id.into(),
            session_timeout_ms: 30_000,
            rebalance_timeout_ms: 60_000,
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupProtocol { name: "range".into(), metadata }],
            ..Default::default()
        };
        let joined = client.call(3, &request);
        if joined.error_code.is_none() {
            let request = SyncGroupRequest {
                group_id: group_id.into(),
                generation_id: joined.generation_id,
                member_id: joined.member_id,
                ..Default::default()
            };
            assert_eq!(client.call(3, &request).error_code, ErrorCode::NONE);
        }
        joined.error_code
    };
    assert_eq!(join("large", 65 << 20), ErrorCode::GROUP_MAX_SIZE_REACHED);
    assert_eq!([join("a", 40 << 20), join("b", 40 << 20)], [ErrorCode::NONE; 2]);
    let request = DescribeGroupsRequest { groups: vec!["a".into(), "b".into()], ..Default::default() };
    let told = client.call(6, &request).groups;
    let told: Vec<_> = told.iter().map(|group| (group.members.len(), group.error_code)).collect();
    assert_eq!(told, [(1, ErrorCode::NONE), (0, ErrorCode::UNKNOWN_SERVER_ERROR)]);
}
