//! Whom the broker refused without a word, and what it tells of them.

use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, TOPIC,
};
use protocol::produce::{ProduceRequest, ProduceResponse};
use protocol::{ErrorCode, Request as _};

use crate::client::{Client, batch, produce, start};

const NAME: &str = "freshet.refused.connections";

fn describe(client: &mut Client, of: (i8, &str), keys: Option<&[&str]>) -> Vec<DescribeConfigsEntry> {
    let resource = DescribeConfigsResource {
        resource_type: of.0,
        resource_name: of.1.into(),
        configuration_keys: keys.map(|keys| keys.iter().map(|&key| key.into()).collect()),
    };
    client
        .call(4, &DescribeConfigsRequest { resources: vec![resource], ..Default::default() })
        .results
        .remove(0)
        .configs
}

/// Each refusal, without the age in front.
fn refused(client: &mut Client) -> Vec<String> {
    let value = describe(client, (BROKER, "1"), Some(&[NAME])).remove(0).value.unwrap();
    let without_age = |line: &str| {
        let (age_ms, rest) = line.split_once('\t').unwrap();
        assert!(age_ms.parse::<u64>().unwrap() < 60_000, "{line}");
        rest.to_owned()
    };
    value.lines().map(without_age).collect()
}

#[test]
fn who_was_refused_without_a_word_is_told_to_who_asks() {
    let (cluster, _dir) = start();
    let mut asks = Client::to(&cluster);
    assert_eq!(refused(&mut asks), Vec::<String>::new());
    // As `api_version=(0, 10)` makes kafka-python: a consumer that it takes for a broker of 2016.
    let list_offsets = [0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    for _ in 0..3 {
        let mut old = Client::to(&cluster);
        old.send_bytes(&list_offsets);
        old.expect_hangup();
    }
    let mut browser = Client::to(&cluster);
    browser.send_bytes(b"GET / HTTP/1.1\r\n\r\n");
    browser.expect_hangup();
    assert_eq!(
        refused(&mut asks),
        [
            "1\t127.0.0.1\tthis is an HTTP request: this port speaks Kafka's protocol",
            "3\t127.0.0.1\tListOffsets version 0 is not one this broker announces",
        ]
    );
}

/// A producer of 2016 keeps its connection and gets a code, in an answer that has no words.
#[test]
fn a_producer_that_is_too_old_is_told_to_who_asks() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let answer: ProduceResponse = client.call(2, &produce("t", 0, batch(&["a"])));
    assert_eq!(answer.topics[0].partitions[0].error_code, ErrorCode::UNSUPPORTED_VERSION);
    assert_eq!(ProduceRequest::KEY.versions().0, 0, "it is announced all the same");
    let line = "1\t127.0.0.1\trecords as Produce version 2 carries them are not supported: use 3 or later";
    assert_eq!(refused(&mut client), [line]);
}

/// To tools the broker has only the settings that a Kafka has.
#[test]
fn refusals_are_no_setting_unless_they_are_asked_for_by_name() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let shown = |configs: Vec<DescribeConfigsEntry>| configs.iter().any(|config| config.name == NAME);
    assert!(shown(describe(&mut client, (BROKER, "1"), Some(&["node.id", NAME]))));
    for (of, keys) in [
        ((BROKER, "1"), None),
        ((BROKER, "1"), Some(&[][..])),
        ((BROKER, "1"), Some(&["node.id"][..])),
        ((BROKER, ""), Some(&[NAME][..])),
        ((TOPIC, "t"), Some(&[NAME][..])),
    ] {
        assert!(!shown(describe(&mut client, of, keys)), "{of:?} {keys:?}");
    }
}
