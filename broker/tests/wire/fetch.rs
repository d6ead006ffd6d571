//! Fetch: what is returned, and how waiting ends.

use protocol::ErrorCode;
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::fetch::FetchRequest;

use crate::client::{Client, FOR_EVER_MS, batch, fetch, records, start};

/// To librdkafka null is an error that stops the partition.
#[test]
fn nothing_to_read_is_zero_bytes_and_never_null() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for version in 4..=12 {
        let empty = client.call(version, &fetch("t", &[(0, 0), (7, 0)]));
        let [here, unknown] = &empty.topics[0].partitions[..] else {
            panic!("two partitions were asked for")
        };
        assert_eq!((here.error_code, records(here).len()), (ErrorCode::NONE, 0), "version {version}");
        assert_eq!(unknown.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(records(unknown).len(), 0, "version {version}");
    }
}

#[test]
fn a_fetch_returns_the_whole_batch_that_contains_its_offset() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["a"]));
    client.produce("t", 0, batch(&["b", "c", "d"]));
    let fetched = client.fetch(&fetch("t", &[(0, 2)]));
    assert_eq!(fetched.high_watermark, 4);
    assert_eq!(records(&fetched)[..8], 1i64.to_be_bytes(), "the batch of offset 2 begins at 1");
}

#[test]
fn at_least_one_batch_comes_however_large_and_no_more_than_asked_for_after_it() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 2, &[]);
    let large = batch(&[&"x".repeat(100_000)]);
    for partition in [0, 0, 1] {
        client.produce("t", partition, large.clone());
    }
    let mut request = fetch("t", &[(0, 0), (1, 0)]);
    request.max_bytes = 10;
    let fetched = client.call(12, &request);
    let sizes: Vec<_> =
        fetched.topics[0].partitions.iter().map(|partition| records(partition).len()).collect();
    assert_eq!(sizes, [large.len(), 0]);
    request.max_bytes = 1 << 20;
    request.topics[0].partitions[1].partition_max_bytes = 10;
    let fetched = client.call(12, &request);
    let sizes: Vec<_> =
        fetched.topics[0].partitions.iter().map(|partition| records(partition).len()).collect();
    assert_eq!(sizes, [2 * large.len(), 0]);
}

#[test]
fn an_append_wakes_a_fetch_that_waits() {
    let (cluster, _dir) = start();
    let (mut producer, mut consumer) = (Client::to(&cluster), Client::to(&cluster));
    producer.create_topic("t", 1, &[]);
    let waiting = FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", &[(0, 0)]) };
    for offset in 0..100 {
        let mut waiting = waiting.clone();
        waiting.topics[0].partitions[0].fetch_offset = offset;
        consumer.send(12, &waiting);
        producer.produce("t", 0, batch(&["a"]));
        let response = consumer.receive::<FetchRequest>(12);
        let partition = &response.topics[0].partitions[0];
        assert_eq!(partition.high_watermark, offset + 1);
        assert!(!records(partition).is_empty());
    }
}

#[test]
fn a_fetch_waits_for_min_bytes_in_all_its_partitions_together() {
    let (cluster, _dir) = start();
    let (mut producer, mut consumer) = (Client::to(&cluster), Client::to(&cluster));
    producer.create_topic("t", 2, &[]);
    let one = batch(&["a"]);
    let min_bytes = 3 * one.len() as i32;
    consumer.send(12, &FetchRequest { max_wait_ms: FOR_EVER_MS, min_bytes, ..fetch("t", &[(0, 0), (1, 0)]) });
    for partition in [0, 1, 1] {
        producer.produce("t", partition, one.clone());
    }
    let response = consumer.receive::<FetchRequest>(12);
    let sizes: Vec<_> =
        response.topics[0].partitions.iter().map(|partition| records(partition).len()).collect();
    assert_eq!(sizes, [one.len(), 2 * one.len()], "one or two appends were not enough");
}

#[test]
fn a_fetch_answers_with_what_there_is_when_its_time_is_up() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let waiting = FetchRequest { max_wait_ms: 20, ..fetch("t", &[(0, 0)]) };
    assert_eq!(records(&client.fetch(&waiting)).len(), 0);
    client.produce("t", 0, batch(&["a"]));
    let some = client.fetch(&FetchRequest { min_bytes: 1 << 20, ..waiting });
    assert_eq!(records(&some).len(), batch(&["a"]).len());
}

#[test]
fn an_error_is_answered_at_once() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let waiting = |partitions| FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", partitions) };
    assert_eq!(client.fetch(&waiting(&[(0, 5)])).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(client.fetch(&waiting(&[(3, 0)])).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let mut fenced = waiting(&[(0, 0)]);
    fenced.topics[0].partitions[0].current_leader_epoch = 9;
    assert_eq!(client.fetch(&fenced).error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
    let unknown_id = client.call(16, &waiting(&[(0, 0)]));
    assert_eq!(unknown_id.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

/// kafka-go names session -1 in each full fetch, and could read nothing.
#[test]
fn a_full_fetch_is_served_whatever_its_session() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.produce("t", 0, batch(&["a"]));
    let mut ask = |session_id, session_epoch| {
        let request = FetchRequest { session_id, session_epoch, ..fetch("t", &[(0, 0)]) };
        let response = client.call(12, &request);
        (response.error_code, response.session_id, response.topics.len())
    };
    for session_id in [0, -1, 5] {
        for full in [0, -1] {
            assert_eq!(ask(session_id, full), (ErrorCode::NONE, 0, 1), "{session_id}, {full}");
        }
        assert_eq!(ask(session_id, 1), (ErrorCode::FETCH_SESSION_ID_NOT_FOUND, 0, 0), "{session_id}");
    }
}

#[test]
fn deleting_the_topic_ends_the_wait() {
    let (cluster, _dir) = start();
    let (mut admin, mut consumer) = (Client::to(&cluster), Client::to(&cluster));
    admin.create_topic("t", 1, &[]);
    consumer.send(12, &FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", &[(0, 0)]) });
    admin.call(4, &DeleteTopicsRequest { topic_names: vec!["t".into()], ..Default::default() });
    let response = consumer.receive::<FetchRequest>(12);
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

/// Retention that runs on a broker that runs: the fetch waits for more than there is, until what
/// there was is gone.
#[test]
fn retention_removes_old_records_and_tells_who_waits_for_them() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.ms", "1"), ("segment.ms", "1")]);
    client.produce("t", 0, batch(&["long ago"]));
    let waiting = FetchRequest { max_wait_ms: FOR_EVER_MS, min_bytes: 1 << 20, ..fetch("t", &[(0, 0)]) };
    let gone = client.fetch(&waiting);
    assert_eq!(gone.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!((gone.log_start_offset, gone.high_watermark), (1, 1));
}

/// The same answers whether the kernel moves the records or we do.
#[test]
fn large_and_small_reads_arrive_whole() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 3, &[]);
    let (small, large) = (batch(&["small"]), batch(&[&"large".repeat(100_000)]));
    for batch in [&small, &large, &large, &small] {
        client.produce("t", 0, batch.clone());
        client.produce("t", 1, small.clone());
        client.produce("t", 2, batch.clone());
    }
    let mut request = fetch("t", &[(0, 0), (1, 1), (2, 3)]);
    request.topics[0].partitions[0].partition_max_bytes = 10 << 20;
    for _ in 0..3 {
        client.send(12, &request);
    }
    let contents = |bytes: &[u8]| bytes[16..].to_vec();
    for _ in 0..3 {
        let response = client.receive::<FetchRequest>(12);
        let partitions: Vec<_> = response.topics[0].partitions.iter().map(records).collect();
        let lengths: Vec<_> = partitions.iter().map(bytes::Bytes::len).collect();
        assert_eq!(lengths, [2 * (small.len() + large.len()), 3 * small.len(), small.len()]);
        assert_eq!(contents(&partitions[0][..small.len()]), contents(&small));
        assert_eq!(contents(&partitions[0][small.len()..][..large.len()]), contents(&large));
        assert_eq!(contents(&partitions[2]), contents(&small));
    }
}
