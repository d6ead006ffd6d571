//! Settings of topics.

use std::collections::BTreeMap;

use broker::Cluster;
use protocol::ErrorCode;
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::describe_configs::{
    BROKER, CLIENT_METRICS, DescribeConfigsRequest, DescribeConfigsResource, GROUP, SOURCE_DEFAULT,
    SOURCE_STATIC_BROKER, SOURCE_TOPIC, TOPIC,
};
use protocol::incremental_alter_configs::{
    APPEND, AlterConfigsResource, AlterableConfig, DELETE, IncrementalAlterConfigsRequest, SET, SUBTRACT,
};

use crate::client::{Client, batch, config, start};

/// What a topic's settings are, and where each comes from.
fn settings(client: &mut Client, topic: &str) -> BTreeMap<String, (String, i8)> {
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: topic.into(),
        configuration_keys: None,
    };
    let response =
        client.call(4, &DescribeConfigsRequest { resources: vec![resource], ..Default::default() });
    assert_eq!(response.results[0].error_code, ErrorCode::NONE);
    let configs = response.results[0].configs.iter();
    configs
        .map(|config| (config.name.clone(), (config.value.clone().unwrap(), config.config_source)))
        .collect()
}

fn alter(client: &mut Client, changes: &[(&str, i8, &str)]) -> (ErrorCode, Option<String>) {
    alter_of(client, (TOPIC, "t"), changes)
}

fn alter_of(
    client: &mut Client,
    (resource_type, resource_name): (i8, &str),
    changes: &[(&str, i8, &str)],
) -> (ErrorCode, Option<String>) {
    let configs = changes.iter().map(|&(name, config_operation, value)| AlterableConfig {
        name: name.into(),
        config_operation,
        value: Some(value.into()),
    });
    let resource = AlterConfigsResource {
        resource_type,
        resource_name: resource_name.into(),
        configs: configs.collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let mut response = client.call(1, &request);
    let answer = response.responses.remove(0);
    (answer.error_code, answer.error_message)
}

#[test]
fn settings_change_all_together_or_not_at_all() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.ms", "7000")]);
    let (code, message) =
        alter(&mut client, &[("segment.bytes", SET, "1048576"), ("retention.ms", SET, "soon")]);
    assert_eq!(code, ErrorCode::INVALID_CONFIG);
    assert!(message.unwrap().contains("retention.ms"));
    assert_eq!(settings(&mut client, "t")["retention.ms"], ("7000".into(), SOURCE_TOPIC));
    assert_eq!(settings(&mut client, "t")["segment.bytes"].1, SOURCE_DEFAULT);
    assert!(
        alter(&mut client, &[("max.message.bytes", SET, "100"), ("retention.ms", DELETE, "")]).0.is_none()
    );
    assert_eq!(settings(&mut client, "t")["retention.ms"], ("-1".into(), SOURCE_STATIC_BROKER));
    // A list can be appended to.
    assert_eq!(alter(&mut client, &[("cleanup.policy", APPEND, "shrink")]).0, ErrorCode::INVALID_CONFIG);
    assert!(alter(&mut client, &[("cleanup.policy", APPEND, "delete")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["cleanup.policy"].0, "delete");
    assert!(alter(&mut client, &[("cleanup.policy", APPEND, "compact")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["cleanup.policy"].0, "delete,compact");
    assert!(alter(&mut client, &[("cleanup.policy", SUBTRACT, "compact")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["cleanup.policy"].0, "delete");
    // They hold at once.
    assert_eq!(client.produce("t", 0, batch(&[&"x".repeat(100)])).error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

/// What an Apache Kafka 4.3 has by default, what it takes and then tells, and what it refuses.
const WITHOUT_EFFECT: &[(&str, &str, (&str, &str), &str)] = &[
    ("compression.lz4.level", "9", ("17", "17"), "18"),
    ("file.delete.delay.ms", "60000", (" 0 ", "0"), "-1"),
    ("follower.replication.throttled.replicas", "", ("*", "*"), "none"),
    ("leader.replication.throttled.replicas", "", ("0:1, 1:0", "0:1,1:0"), "0:a"),
    ("local.retention.bytes", "-2", ("5", "5"), "-3"),
    ("local.retention.ms", "-2", ("-1", "-1"), "-3"),
    ("min.insync.replicas", "1", ("2147483647", "2147483647"), "0"),
    ("preallocate", "false", ("TRUE", "true"), "yes"),
    ("remote.log.copy.disable", "false", ("true", "true"), "1"),
    ("remote.log.delete.on.disable", "false", ("true", "true"), ""),
    // Kafka too takes nothing else where it has no remote storage.
    ("remote.storage.enable", "false", ("false", "false"), "true"),
    ("segment.jitter.ms", "0", ("5", "5"), "-1"),
    ("unclean.leader.election.enable", "false", ("true", "true"), "maybe"),
];

#[test]
fn settings_without_effect_are_taken_kept_and_told_as_by_kafka() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("plain", 1, &[]);
    let set: Vec<_> = WITHOUT_EFFECT.iter().map(|&(name, _, (set, _), _)| (name, set)).collect();
    client.create_topic("t", 1, &set);
    for &(name, default, (_, told), refused) in WITHOUT_EFFECT {
        assert_eq!(settings(&mut client, "plain")[name], (default.into(), SOURCE_DEFAULT), "{name}");
        assert_eq!(alter(&mut client, &[(name, SET, refused)]).0, ErrorCode::INVALID_CONFIG, "{name}");
        assert_eq!(settings(&mut client, "t")[name], (told.into(), SOURCE_TOPIC), "{name}");
    }
    cluster.shutdown().unwrap();
    let again = Cluster::start(config(&dir)).unwrap();
    let mut client = Client::to(&again);
    for &(name, default, (set, told), _) in WITHOUT_EFFECT {
        assert_eq!(settings(&mut client, "t")[name], (told.into(), SOURCE_TOPIC), "{name}");
        assert!(alter(&mut client, &[(name, DELETE, "")]).0.is_none(), "{name}");
        assert_eq!(settings(&mut client, "t")[name], (default.into(), SOURCE_DEFAULT), "{name}");
        assert!(alter(&mut client, &[(name, SET, set)]).0.is_none(), "{name}");
        assert_eq!(settings(&mut client, "t")[name], (told.into(), SOURCE_TOPIC), "{name}");
    }
}

#[test]
fn lists_grow_and_shrink_by_their_parts() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let list = "leader.replication.throttled.replicas";
    for (operation, value, told) in [
        (APPEND, "0:1", "0:1"),
        (APPEND, "0:1,1:1", "0:1,1:1"),
        (SUBTRACT, "0:1", "1:1"),
        (SUBTRACT, "1:1", ""),
    ] {
        assert!(alter(&mut client, &[(list, operation, value)]).0.is_none());
        assert_eq!(settings(&mut client, "t")[list], (told.into(), SOURCE_TOPIC));
    }
    let not_a_list = alter(&mut client, &[("retention.ms", APPEND, "1")]).0;
    assert_eq!(not_a_list, ErrorCode::INVALID_CONFIG);
}

/// What is set for a topic, and what an Apache Kafka 4.3 then tells of it; none where it refuses.
type Case = (&'static [(&'static str, &'static str)], Option<&'static [&'static str]>);

const AS_KAFKA: &[Case] = &[
    (&[("min.compaction.lag.ms", "500"), ("max.compaction.lag.ms", "5")], None),
    (&[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "5")], Some(&["5", "5"])),
    (&[("segment.bytes", "14")], None),
    (&[("segment.bytes", "1048575")], None),
    (&[("segment.bytes", "1048576")], Some(&["1048576"])),
    (&[("internal.segment.bytes", "1024")], Some(&["1024"])),
    (&[("internal.segment.bytes", "1024"), ("segment.bytes", "2097152")], Some(&["1024", "2097152"])),
    (&[("internal.segment.bytes", "99999999999")], None),
    (&[("cleanup.policy", "")], Some(&[""])),
    (&[("cleanup.policy", " ")], Some(&[""])),
    (&[("cleanup.policy", ",")], None),
    (&[("cleanup.policy", "compact,")], None),
    (&[("cleanup.policy", "compact,compact")], Some(&["compact"])),
    (&[("cleanup.policy", "compact, compact,delete,compact")], Some(&["compact,delete"])),
    (&[("leader.replication.throttled.replicas", "0:1,0:1")], Some(&["0:1,0:1"])),
    (&[("retention.bytes", "-5")], Some(&["-5"])),
    (&[("min.cleanable.dirty.ratio", "0.5f")], Some(&["0.5"])),
    (&[("min.cleanable.dirty.ratio", "+0.25D ")], Some(&["0.25"])),
    (&[("min.cleanable.dirty.ratio", "0.5ff")], None),
    (&[("min.cleanable.dirty.ratio", "NaN")], Some(&["NaN"])),
    (&[("min.cleanable.dirty.ratio", "-NaN")], Some(&["NaN"])),
    (&[("min.cleanable.dirty.ratio", "nan")], None),
    (&[("min.cleanable.dirty.ratio", "inf")], None),
    (&[("min.cleanable.dirty.ratio", "-0")], Some(&["-0.0"])),
    (&[("min.cleanable.dirty.ratio", "0.00012")], Some(&["1.2E-4"])),
    (&[("min.cleanable.dirty.ratio", "1e-4")], Some(&["1.0E-4"])),
    (&[("min.cleanable.dirty.ratio", "1e-400")], Some(&["0.0"])),
    (&[("retention.ms", "+5")], Some(&["5"])),
];

#[test]
fn settings_are_taken_told_and_refused_as_by_kafka() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let usual = settings(&mut client, "t");
    for (number, (set, expected)) in AS_KAFKA.iter().enumerate() {
        let configs = set
            .iter()
            .map(|&(name, value)| CreatableTopicConfig { name: name.into(), value: Some(value.into()) });
        let topic = CreatableTopic {
            name: format!("t{number}"),
            num_partitions: 1,
            replication_factor: 1,
            configs: configs.collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        let made = client.call(7, &request).topics[0].error_code;
        let changes: Vec<_> = set.iter().map(|&(name, value)| (name, SET, value)).collect();
        let altered = alter(&mut client, &changes).0;
        let code = if expected.is_some() { ErrorCode::NONE } else { ErrorCode::INVALID_CONFIG };
        assert_eq!((made, altered), (code, code), "{set:?}");
        let told = settings(&mut client, "t");
        for ((name, _), value) in set.iter().zip(expected.unwrap_or_default()) {
            assert_eq!(told[*name], ((*value).into(), SOURCE_TOPIC), "{set:?}");
            assert_eq!(settings(&mut client, &format!("t{number}"))[*name], told[*name], "{set:?}");
        }
        let undone: Vec<_> = set.iter().map(|&(name, _)| (name, DELETE, "")).collect();
        assert!(alter(&mut client, &undone).0.is_none(), "{set:?}");
        assert_eq!(settings(&mut client, "t"), usual, "{set:?}");
    }
    cluster.shutdown().unwrap();
    let again = Cluster::start(config(&dir)).unwrap();
    let mut client = Client::to(&again);
    for (number, (set, expected)) in AS_KAFKA.iter().enumerate() {
        let Some(expected) = expected else { continue };
        let told = settings(&mut client, &format!("t{number}"));
        for ((name, _), value) in set.iter().zip(*expected) {
            assert_eq!(told[*name], ((*value).into(), SOURCE_TOPIC), "{set:?}");
        }
    }
}

#[test]
fn lags_are_held_against_what_is_in_force() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("min.compaction.lag.ms", "500")]);
    let (least, most) = ("min.compaction.lag.ms", "max.compaction.lag.ms");
    let (code, message) = alter(&mut client, &[(most, SET, "5")]);
    assert_eq!(code, ErrorCode::INVALID_CONFIG);
    assert!(message.unwrap().contains("min.compaction.lag.ms is 500"));
    assert_eq!(settings(&mut client, "t")[most].1, SOURCE_DEFAULT);
    assert!(alter(&mut client, &[(most, SET, "5"), (least, SET, "4")]).0.is_none());
    // What is set for the broker counts where the topic says nothing.
    let of_broker = ("log.cleaner.min.compaction.lag.ms", SET, "500");
    assert!(alter_of(&mut client, (BROKER, "1"), &[of_broker]).0.is_none());
    assert!(alter(&mut client, &[("retention.ms", SET, "7000")]).0.is_none());
    assert_eq!(alter(&mut client, &[(least, DELETE, "")]).0, ErrorCode::INVALID_CONFIG);
}

#[test]
fn what_is_not_known_can_be_unset_but_not_set() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.ms", "7000")]);
    assert!(alter(&mut client, &[("no.such", DELETE, ""), ("retention.ms", DELETE, "")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["retention.ms"].1, SOURCE_STATIC_BROKER);
    for operation in [SET, APPEND, SUBTRACT] {
        let refused = alter(&mut client, &[("no.such", operation, "1")]).0;
        assert_eq!(refused, ErrorCode::INVALID_CONFIG);
    }
    for of in [(BROKER, "1"), (GROUP, "g"), (CLIENT_METRICS, "m")] {
        let changes = ["no.such", "num.partitions", "log.retention.hours"].map(|name| (name, DELETE, ""));
        assert!(alter_of(&mut client, of, &changes).0.is_none(), "{of:?}");
    }
}

#[test]
fn a_topic_may_have_no_policy_and_segments_of_any_size() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[("retention.ms", "1"), ("internal.segment.bytes", "100")]);
    assert!(alter(&mut client, &[("cleanup.policy", SUBTRACT, "delete")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["cleanup.policy"], (String::new(), SOURCE_TOPIC));
    assert_eq!(client.produce("t", 0, batch(&["kept"])).error_code, ErrorCode::NONE);
    assert!(alter(&mut client, &[("cleanup.policy", APPEND, "delete")]).0.is_none());
    assert_eq!(settings(&mut client, "t")["cleanup.policy"], ("delete".into(), SOURCE_TOPIC));
    // Its segments are as small as that: this has no room in one.
    let large = client.produce("t", 0, batch(&[&"x".repeat(100)])).error_code;
    assert_eq!(large, ErrorCode::RECORD_LIST_TOO_LARGE);
    // But not those of all topics.
    let small = alter_of(&mut client, (BROKER, "1"), &[("log.segment.bytes", SET, "1048575")]).0;
    assert_eq!(small, ErrorCode::INVALID_REQUEST);
}
