//! Small requests whose answers would be huge.

use protocol::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource, TOPIC};
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::fetch::FetchRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};
use protocol::produce::ProduceRequest;
use protocol::{ErrorCode, encode_request};

use crate::client::{Client, FOR_EVER_MS, batch, fetch, produce, start};

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
