//! A topic that is a table, as a client sees it.

use std::collections::BTreeMap;

use broker::Cluster;
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::describe_configs::BROKER;
use protocol::records::{BatchBuilder, Compression, check_batch, opened, opened_records};

use crate::client::{Client, batch, config, fetch, records, start};
use crate::settings::alter;

fn put(client: &mut Client, compression: Compression, key: Option<&str>, value: &str) -> (ErrorCode, usize) {
    let mut batch = BatchBuilder::new().compression(compression);
    batch.push(1_000, Some(b"always"), Some(b"there"));
    batch.push(1_000, key.map(str::as_bytes), Some(value.as_bytes()));
    let answer = client.produce("t", 0, batch.finish());
    (answer.error_code, answer.record_errors.len())
}

/// What is there from the start on: records, and the newest value of each key.
fn read(client: &mut Client) -> (usize, BTreeMap<Bytes, Bytes>) {
    let (mut from, mut count, mut table) = (0, 0, BTreeMap::new());
    loop {
        let bytes = records(&client.fetch(&fetch("t", &[(0, from)])));
        if bytes.is_empty() {
            return (count, table);
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let header = check_batch(rest).unwrap();
            for record in opened_records(header, &opened(rest, &header).unwrap()) {
                let record = record.unwrap();
                let text = |bytes: Option<&[u8]>| Bytes::copy_from_slice(bytes.unwrap());
                table.insert(text(record.key), text(record.value));
                count += 1;
            }
            from = header.next_offset().0;
            rest = &rest[header.total_len()..];
        }
    }
}

#[test]
fn a_compacted_topic_takes_no_record_without_a_key() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("cleanup.policy", "compact")]);
    for compression in Compression::ALL {
        assert_eq!(put(&mut client, compression, None, "v"), (ErrorCode::INVALID_RECORD, 1));
        assert_eq!(put(&mut client, compression, Some(""), "v"), (ErrorCode::NONE, 0));
    }
}

/// Writes 300 values of seven keys, with every codec, and answers with the newest of each.
fn write(client: &mut Client) -> BTreeMap<Bytes, Bytes> {
    let key = |number: usize| format!("key-{}", number % 7);
    for number in 0..300 {
        let compression = Compression::ALL[number % 5];
        assert_eq!(put(client, compression, Some(&key(number)), &number.to_string()).0, ErrorCode::NONE);
    }
    let newest = (293..300).map(|number| (key(number).into(), number.to_string().into()));
    newest.chain([("always".into(), "there".into())]).collect()
}

/// Reads until what is old is gone, and answers with how many records are left.
fn read_compacted(client: &mut Client, expected: &BTreeMap<Bytes, Bytes>) -> usize {
    loop {
        let (count, table) = read(client);
        assert_eq!(table, *expected);
        if count < 200 {
            return count;
        }
    }
}

/// It comes by itself, it outlives a restart, and clients find all that they should.
#[test]
fn old_values_go_and_the_newest_stay() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("cleanup.policy", "compact"), ("internal.segment.bytes", "2000")]);
    let expected = write(&mut client);
    let count = read_compacted(&mut client, &expected);
    drop((client, cluster));
    let cluster = Cluster::start(config(&dir)).unwrap();
    let mut client = Client::to(&cluster);
    let (after, table) = read(&mut client);
    assert_eq!(table, expected);
    assert!(after <= count, "{after} records after the restart, {count} before it");
}

/// As by an Apache Kafka 4.3, and at once.
#[test]
fn a_topic_that_sets_no_policy_is_compacted_when_the_broker_says_so() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("internal.segment.bytes", "2000")]);
    client.create_topic("own", 1, &[("cleanup.policy", "delete")]);
    let expected = write(&mut client);
    assert_eq!(read(&mut client).0, 600);
    let policy = [("log.cleanup.policy", Some("compact"))];
    assert_eq!(alter(&mut client, (BROKER, ""), &policy), ErrorCode::NONE);
    read_compacted(&mut client, &expected);
    assert_eq!(put(&mut client, Compression::None, None, "v").0, ErrorCode::INVALID_RECORD);
    assert_eq!(client.produce("own", 0, batch(&["no key"])).error_code, ErrorCode::NONE);
}
