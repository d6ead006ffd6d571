//! Settings of what is no topic.

use std::collections::BTreeSet;

use broker::{BrokerConfig, Certificate, Cluster, Listener, SecurityProtocol};
use protocol::alter_configs::{self, AlterConfigsRequest};
use protocol::describe_configs::{
    BROKER, BROKER_LOGGER, CLIENT_METRICS, DescribeConfigsEntry, DescribeConfigsRequest,
    DescribeConfigsResource, GROUP, SOURCE_CLIENT_METRICS, SOURCE_DEFAULT, SOURCE_DYNAMIC_BROKER,
    SOURCE_DYNAMIC_DEFAULT_BROKER, SOURCE_GROUP, SOURCE_STATIC_BROKER, TOPIC,
};
use protocol::incremental_alter_configs::{
    APPEND, AlterConfigsResource, AlterableConfig, DELETE, IncrementalAlterConfigsRequest, SET,
};
use protocol::list_config_resources::ListConfigResourcesRequest;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::produce::ProduceRequest;
use protocol::records::{BatchBuilder, ProducerStamp};
use protocol::{ErrorCode, encode_request};

use crate::client::{Client, batch, config, produce, start};
use crate::login::with_logins;

fn describe(client: &mut Client, resource_type: i8, name: &str) -> Vec<DescribeConfigsEntry> {
    let resource =
        DescribeConfigsResource { resource_type, resource_name: name.into(), configuration_keys: None };
    let request =
        DescribeConfigsRequest { resources: vec![resource], include_synonyms: true, ..Default::default() };
    let mut results = client.call(4, &request).results;
    assert_eq!(results[0].error_code, ErrorCode::NONE, "{:?}", results[0].error_message);
    results.remove(0).configs
}

fn setting(client: &mut Client, resource_type: i8, resource: &str, name: &str) -> DescribeConfigsEntry {
    let all = describe(client, resource_type, resource);
    all.into_iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("{name} is not told"))
}

#[test]
fn a_broker_that_makes_no_topics_by_itself_says_so_and_makes_none() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let config = BrokerConfig { auto_create_topics: false, ..config(&data_dir) };
    let cluster = Cluster::start(config).unwrap();
    let mut client = Client::to(&cluster);
    let told = setting(&mut client, BROKER, "1", "auto.create.topics.enable");
    assert_eq!((told.value.as_deref(), told.config_source), (Some("false"), SOURCE_STATIC_BROKER));
    let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    for version in [1, 13] {
        let told = client.call(version, &request).topics.remove(0);
        assert_eq!(told.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "version {version}");
    }
    let refused = client.produce("t", 0, batch(&["a"]));
    assert_eq!(refused.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    client.create_topic("t", 1, &[]);
    assert_eq!(client.call(13, &request).topics[0].error_code, ErrorCode::NONE);
}

/// Makes changes, each a name and a value, or none to return to the default.
pub(crate) fn alter(client: &mut Client, of: (i8, &str), changes: &[(&str, Option<&str>)]) -> ErrorCode {
    let changes =
        changes.iter().map(|&(name, value)| (name, if value.is_some() { SET } else { DELETE }, value));
    alter_by(client, of, &changes.collect::<Vec<_>>())
}

/// Makes changes, each a name, an operation and a value.
fn alter_by(client: &mut Client, of: (i8, &str), changes: &[(&str, i8, Option<&str>)]) -> ErrorCode {
    let configs = changes.iter().map(|&(name, config_operation, value)| AlterableConfig {
        name: name.into(),
        config_operation,
        value: value.map(String::from),
    });
    let resource =
        AlterConfigsResource { resource_type: of.0, resource_name: of.1.into(), configs: configs.collect() };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    client.call(1, &request).responses[0].error_code
}

/// The places that a value comes from, that in force first.
fn synonyms(entry: &DescribeConfigsEntry) -> Vec<(&str, &str, i8)> {
    let synonyms = entry.synonyms.iter();
    synonyms.map(|each| (each.name.as_str(), each.value.as_deref().unwrap(), each.source)).collect()
}

#[test]
fn a_broker_tells_its_settings_as_kafka_does() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(BrokerConfig { num_partitions: 3, ..config(&data_dir) }).unwrap();
    let mut client = Client::to(&cluster);
    let all = describe(&mut client, BROKER, "1");
    assert!(all.is_sorted_by_key(|entry| &entry.name));
    let find = |name: &str| all.iter().find(|entry| entry.name == name).unwrap();
    let told = |name: &str| {
        let entry = find(name);
        (entry.value.as_deref(), entry.read_only, entry.config_source, entry.config_type)
    };
    let advertised = format!("PLAINTEXT://{}", cluster.address());
    let (fixed, default) = (SOURCE_STATIC_BROKER, SOURCE_DEFAULT);
    assert_eq!(told("advertised.listeners"), (Some(advertised.as_str()), true, fixed, 7));
    assert_eq!(told("num.partitions"), (Some("3"), true, fixed, 3));
    assert_eq!(
        synonyms(find("num.partitions")),
        [("num.partitions", "3", fixed), ("num.partitions", "1", default)]
    );
    assert_eq!(told("auto.create.topics.enable"), (Some("true"), true, default, 1));
    assert_eq!(told("log.segment.bytes"), (Some("1073741824"), false, default, 3));
    // Kafka has these in hours as well, and nothing in milliseconds until they are set.
    assert_eq!(told("log.roll.ms"), (None, false, default, 5));
    assert_eq!(told("log.retention.ms"), (Some("-1"), false, fixed, 5));
    assert_eq!(describe(&mut client, BROKER, ""), []);
    assert_eq!(describe(&mut client, BROKER_LOGGER, "1"), []);
}

/// The names, kinds and defaults are those of an Apache Kafka 4.3, which tells 340.
#[test]
fn a_broker_tells_all_of_kafkas_settings_that_are_true_of_it() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let secure = Listener { protocol: SecurityProtocol::SaslSsl, ..Listener::on_this_machine() };
    let listeners = vec![Listener::on_this_machine(), secure];
    let certificate = Some(Certificate::SelfSigned);
    let cluster = Cluster::start(BrokerConfig { listeners, certificate, ..with_logins(&data_dir) }).unwrap();
    let mut client = Client::to(&cluster);
    let all = describe(&mut client, BROKER, "1");
    let names: BTreeSet<_> = all.iter().map(|entry| &entry.name).collect();
    assert_eq!((all.len(), names.len()), (227, 227));
    let (string, short, double, list, class, password) = (2, 4, 6, 7, 8, 9);
    let (fixed, default) = (SOURCE_STATIC_BROKER, SOURCE_DEFAULT);
    for (name, kind, value, source) in [
        ("broker.rack", string, None, default),
        ("create.topic.policy.class.name", class, None, default),
        ("group.coordinator.rebalance.protocols", list, Some("classic"), fixed),
        ("log.cleaner.io.max.bytes.per.second", double, Some("1.7976931348623157E308"), default),
        ("max.incremental.fetch.session.cache.slots", 3, Some("0"), fixed),
        ("metric.reporters", list, Some(""), fixed),
        ("offsets.topic.num.partitions", 3, Some("12"), fixed),
        ("offsets.topic.replication.factor", short, Some("1"), fixed),
        ("replica.lag.time.max.ms", 5, Some("30000"), default),
        ("sasl.enabled.mechanisms", list, Some("PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"), fixed),
        ("sasl.jaas.config", password, None, default),
        ("ssl.keystore.key", password, None, fixed),
        ("ssl.keystore.type", string, Some("PEM"), fixed),
        ("transaction.two.phase.commit.enable", 1, Some("false"), default),
    ] {
        let told =
            all.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("{name} is not told"));
        let about = (told.config_type, told.value.as_deref(), told.config_source, told.is_sensitive);
        assert_eq!(about, (kind, value, source, kind == password), "{name}");
        assert!(told.read_only, "{name}");
        let refused = alter(&mut client, (BROKER, "1"), &[(name, Some("1"))]);
        assert_eq!(refused, ErrorCode::INVALID_REQUEST, "{name}");
    }
    // What would be untrue is not told, and can't be altered either.
    for name in ["transaction.max.timeout.ms", "group.share.max.size", "background.threads"] {
        assert!(!all.iter().any(|entry| entry.name == name), "{name}");
        for of in [(BROKER, ""), (BROKER, "1")] {
            assert_eq!(alter(&mut client, of, &[(name, Some("9"))]), ErrorCode::INVALID_REQUEST, "{name}");
        }
    }
}

/// As an Apache Kafka 4.3 does, which can't know whether it is a password.
#[test]
fn what_a_broker_does_not_know_is_kept_and_never_told() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let mut cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    let (this, all, name) = ((BROKER, "1"), (BROKER, ""), "my.plugin.secret");
    assert_eq!(alter(&mut client, all, &[(name, Some("for all")), ("other", Some(""))]), ErrorCode::NONE);
    assert_eq!(alter(&mut client, this, &[(name, Some(" for this "))]), ErrorCode::NONE);
    assert_eq!(alter_by(&mut client, this, &[(name, APPEND, Some("x"))]), ErrorCode::INVALID_CONFIG);
    let of_listener = "listener.name.plaintext.ssl.keystore.location";
    assert_eq!(alter(&mut client, this, &[(of_listener, Some("x"))]), ErrorCode::INVALID_REQUEST);
    for is_again in [false, true] {
        if is_again {
            cluster.shutdown().unwrap();
            cluster = Cluster::start(config(&data_dir)).unwrap();
            client = Client::to(&cluster);
        }
        let places = |entry: &DescribeConfigsEntry| {
            assert!(entry.value.is_none() && entry.is_sensitive && entry.read_only, "{entry:?}");
            assert!(entry.synonyms.iter().all(|synonym| synonym.value.is_none()), "{entry:?}");
            assert_eq!(entry.config_type, 0);
            entry.synonyms.iter().map(|synonym| synonym.source).collect::<Vec<_>>()
        };
        let both = [SOURCE_DYNAMIC_BROKER, SOURCE_DYNAMIC_DEFAULT_BROKER];
        assert_eq!(places(&setting(&mut client, BROKER, "1", name)), both);
        assert_eq!(places(&setting(&mut client, BROKER, "1", "other")), both[1..]);
        let for_all = describe(&mut client, BROKER, "");
        assert_eq!(for_all.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), [name, "other"]);
        assert_eq!(for_all.iter().map(places).collect::<Vec<_>>(), [&both[1..]; 2]);
    }
    for of in [this, all] {
        assert_eq!(alter(&mut client, of, &[(name, None), ("other", None)]), ErrorCode::NONE);
    }
    assert_eq!(describe(&mut client, BROKER, ""), []);
    assert!(!describe(&mut client, BROKER, "1").iter().any(|entry| entry.name == name));
}

/// What an Apache Kafka 4.3 tells of the settings that it has in milliseconds and in hours.
#[test]
fn a_setting_that_kafka_has_twice_names_the_other_once_it_is_set() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let (this, all, default) = (SOURCE_DYNAMIC_BROKER, SOURCE_DYNAMIC_DEFAULT_BROKER, SOURCE_DEFAULT);
    let forever = "9223372036854775807";
    let pairs = [
        ("flush.ms", "log.flush.interval.ms", "log.flush.scheduler.interval.ms", forever),
        ("segment.jitter.ms", "log.roll.jitter.ms", "log.roll.jitter.hours", "0"),
        ("segment.ms", "log.roll.ms", "log.roll.hours", "168"),
    ];
    for (of_topic, name, coarse, value) in pairs {
        let told = setting(&mut client, BROKER, "1", coarse);
        assert_eq!((told.read_only, synonyms(&told)), (true, vec![(coarse, value, default)]));
        assert_eq!(synonyms(&setting(&mut client, BROKER, "1", name)), []);
        assert_eq!(synonyms(&setting(&mut client, TOPIC, "t", of_topic)), []);
        assert_eq!(alter(&mut client, (BROKER, ""), &[(name, Some("500"))]), ErrorCode::NONE);
        assert_eq!(alter(&mut client, (BROKER, "1"), &[(name, Some("600"))]), ErrorCode::NONE);
        let expected = [(name, "600", this), (name, "500", all), (coarse, value, default)];
        assert_eq!(synonyms(&setting(&mut client, BROKER, "1", name)), expected);
        assert_eq!(synonyms(&setting(&mut client, TOPIC, "t", of_topic)), expected);
        assert_eq!(alter(&mut client, (BROKER, "1"), &[(coarse, Some("1"))]), ErrorCode::INVALID_REQUEST);
    }
    // This broker was started with one of its own.
    let (name, coarse) = ("log.retention.ms", ("log.retention.hours", "168", default));
    for (resource, asked) in [((BROKER, "1"), name), ((TOPIC, "t"), "retention.ms")] {
        let told = setting(&mut client, resource.0, resource.1, asked);
        assert_eq!(synonyms(&told), [(name, "-1", SOURCE_STATIC_BROKER), coarse]);
    }
    let minutes = setting(&mut client, BROKER, "1", "log.retention.minutes");
    assert_eq!((minutes.value, minutes.read_only, minutes.config_source), (None, true, default));
    assert_eq!(synonyms(&setting(&mut client, BROKER, "1", coarse.0)), [coarse]);
}

#[test]
fn what_is_set_for_the_broker_holds_for_topics_at_once_and_after_a_restart() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let mut cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    client.create_topic("own", 1, &[("max.message.bytes", "1000000")]);
    let hundred = batch(&[&"x".repeat(100)]);
    let (this, all) = ((BROKER, "1"), (BROKER, ""));
    let name = "message.max.bytes";
    assert_eq!(alter(&mut client, all, &[(name, Some("120"))]), ErrorCode::NONE);
    assert_eq!(client.produce("t", 0, hundred.clone()).error_code, ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(client.produce("own", 0, hundred.clone()).error_code, ErrorCode::NONE);
    assert_eq!(alter(&mut client, this, &[(name, Some(" 130 "))]), ErrorCode::NONE);
    let expected = [
        (name, "130", SOURCE_DYNAMIC_BROKER),
        (name, "120", SOURCE_DYNAMIC_DEFAULT_BROKER),
        (name, "1048588", SOURCE_DEFAULT),
    ];
    for is_again in [false, true] {
        if is_again {
            cluster.shutdown().unwrap();
            cluster = Cluster::start(config(&data_dir)).unwrap();
            client = Client::to(&cluster);
        }
        let of_broker = setting(&mut client, BROKER, "1", name);
        assert_eq!(
            (of_broker.config_source, of_broker.value.as_deref()),
            (SOURCE_DYNAMIC_BROKER, Some("130"))
        );
        assert_eq!(synonyms(&of_broker), expected);
        let of_topic = setting(&mut client, TOPIC, "t", "max.message.bytes");
        assert_eq!((of_topic.config_source, of_topic.value.as_deref()), (SOURCE_DYNAMIC_BROKER, Some("130")));
        assert_eq!(synonyms(&of_topic), expected);
        let for_all = describe(&mut client, BROKER, "");
        assert_eq!((for_all.len(), synonyms(&for_all[0])), (1, vec![expected[1]]));
        assert_eq!(client.produce("t", 0, hundred.clone()).error_code, ErrorCode::MESSAGE_TOO_LARGE);
        client.create_topic(if is_again { "newer" } else { "new" }, 1, &[]);
        assert_eq!(client.produce("new", 0, hundred.clone()).error_code, ErrorCode::MESSAGE_TOO_LARGE);
    }
    for of in [this, all] {
        assert_eq!(alter(&mut client, of, &[(name, None)]), ErrorCode::NONE);
    }
    assert_eq!(client.produce("t", 0, hundred).error_code, ErrorCode::NONE);
    assert_eq!(setting(&mut client, BROKER, "1", name).config_source, SOURCE_DEFAULT);
}

#[test]
fn what_can_not_be_set_is_refused_as_by_kafka() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    let (request, value) = (ErrorCode::INVALID_REQUEST, ErrorCode::INVALID_CONFIG);
    for (of, name, to, refused) in [
        ((BROKER, "1"), "num.partitions", "8", request),
        ((BROKER, "1"), "advertised.listeners", "PLAINTEXT://x:1", request),
        ((BROKER, "1"), "log.retention.ms", "soon", request),
        ((BROKER, "9"), "log.retention.ms", "8000", request),
        ((BROKER, "x"), "log.retention.ms", "8000", request),
        ((BROKER_LOGGER, "1"), "nosuch", "INFO", value),
        ((GROUP, "g"), "no.such", "1", value),
        ((GROUP, "g"), "consumer.session.timeout.ms", "5", value),
        ((GROUP, ""), "consumer.session.timeout.ms", "50000", request),
        ((CLIENT_METRICS, "m"), "nosuch", "1", request),
        ((CLIENT_METRICS, "m"), "interval.ms", "1", request),
        ((CLIENT_METRICS, "m"), "match", "bogus", value),
        ((CLIENT_METRICS, ""), "match", "client_id=x", request),
        ((3, "x"), "a", "1", request),
    ] {
        // With a good change before it: all are made, or none.
        let good = if of.0 == BROKER { "log.segment.bytes" } else { "metrics" };
        let changes = [(good, Some("2000000")), (name, Some(to))];
        let changes = if [BROKER, CLIENT_METRICS].contains(&of.0) { &changes[..] } else { &changes[1..] };
        assert_eq!(alter(&mut client, of, changes), refused, "{of:?} {name}={to}");
    }
    assert_eq!(setting(&mut client, BROKER, "1", "log.segment.bytes").config_source, SOURCE_DEFAULT);
    assert_eq!(setting(&mut client, CLIENT_METRICS, "m", "metrics").config_source, SOURCE_DEFAULT);
    let known = client.call(1, &ListConfigResourcesRequest { resource_types: vec![GROUP, CLIENT_METRICS] });
    assert_eq!(known.config_resources, []);
}

#[test]
fn settings_of_groups_and_metrics_are_kept_and_told() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let mut cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    let cases = [
        (GROUP, "g", "consumer.session.timeout.ms", "50000", "45000", SOURCE_GROUP, 17),
        (CLIENT_METRICS, "m", "match", "client_id=x", "", SOURCE_CLIENT_METRICS, 3),
    ];
    for (of_type, resource, name, value, ..) in cases {
        assert_eq!(alter(&mut client, (of_type, resource), &[(name, Some(value))]), ErrorCode::NONE);
    }
    cluster.shutdown().unwrap();
    cluster = Cluster::start(config(&data_dir)).unwrap();
    client = Client::to(&cluster);
    for (of_type, resource, name, value, default, source, count) in cases {
        let others = describe(&mut client, of_type, "another");
        assert_eq!(others.len(), count);
        assert!(others.iter().all(|entry| entry.config_source == SOURCE_DEFAULT && !entry.read_only));
        let told = |entry: DescribeConfigsEntry| (entry.value.unwrap(), entry.config_source);
        assert_eq!(told(setting(&mut client, of_type, "another", name)), (default.into(), SOURCE_DEFAULT));
        assert_eq!(told(setting(&mut client, of_type, resource, name)), (value.into(), source));
        let mut listed = || {
            let request = ListConfigResourcesRequest { resource_types: vec![of_type] };
            let told = client.call(1, &request).config_resources.into_iter();
            told.map(|told| told.resource_name).collect::<Vec<_>>()
        };
        assert_eq!(listed(), [resource]);
        assert_eq!(alter(&mut client, (of_type, resource), &[(name, None)]), ErrorCode::NONE);
        assert_eq!(
            client.call(1, &ListConfigResourcesRequest { resource_types: vec![of_type] }).config_resources,
            []
        );
    }
}

/// A Kafka 4.3 asks for no more replicas than a partition has: with one, every number is satisfied.
#[test]
fn with_one_replica_any_number_of_replicas_in_sync_is_enough() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let name = "min.insync.replicas";
    client.create_topic("own", 1, &[(name, "2")]);
    for of in [(BROKER, ""), (BROKER, "1")] {
        assert_eq!(alter(&mut client, of, &[(name, Some("0"))]), ErrorCode::INVALID_REQUEST);
        assert_eq!(alter(&mut client, of, &[(name, Some("3"))]), ErrorCode::NONE);
    }
    client.create_topic("t", 1, &[]);
    let told = |client: &mut Client, topic: &str| setting(client, TOPIC, topic, name).value.unwrap();
    assert_eq!([told(&mut client, "own"), told(&mut client, "t")], ["2", "3"]);
    let stamp = ProducerStamp { producer_id: 5, producer_epoch: 0, base_sequence: 0 };
    let mut idempotent = BatchBuilder::new().producer(stamp);
    idempotent.push(0, None, Some(b"once"));
    let idempotent = idempotent.finish();
    for topic in ["own", "t"] {
        let unanswered = ProduceRequest { acks: 0, ..produce(topic, 0, batch(&["a"])) };
        client.send_bytes(&encode_request(11, 0, "test", &unanswered));
        for (acks, batch, base_offset) in [
            (1, batch(&["b"]), 1),
            (-1, batch(&["c"]), 2),
            (-1, idempotent.clone(), 3),
            (-1, idempotent.clone(), 3),
        ] {
            let stored = client.call(11, &ProduceRequest { acks, ..produce(topic, 0, batch) });
            let stored = &stored.topics[0].partitions[0];
            assert_eq!((stored.error_code, stored.base_offset), (ErrorCode::NONE, base_offset));
        }
    }
    // And groups commit.
    let partition = OffsetCommitPartition { committed_offset: 3, ..Default::default() };
    let topics = vec![OffsetCommitTopic { name: "t".into(), partitions: vec![partition] }];
    let request = OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() };
    let committed = client.call(9, &request).topics[0].partitions[0].error_code;
    assert_eq!(committed, ErrorCode::NONE);
}

#[test]
fn all_settings_of_a_broker_can_be_replaced() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    assert_eq!(alter(&mut client, (BROKER, "1"), &[("log.roll.ms", Some("1000"))]), ErrorCode::NONE);
    let config =
        alter_configs::AlterableConfig { name: "log.segment.bytes".into(), value: Some("2000000".into()) };
    let resource = alter_configs::AlterConfigsResource {
        resource_type: BROKER,
        resource_name: "1".into(),
        configs: vec![config],
    };
    let mut request = AlterConfigsRequest { resources: vec![resource], validate_only: true };
    for validate_only in [true, false] {
        request.validate_only = validate_only;
        assert_eq!(client.call(2, &request).responses[0].error_code, ErrorCode::NONE);
        let mut value = |name: &str| setting(&mut client, BROKER, "1", name).value;
        let expected =
            if validate_only { (Some("1000"), Some("1073741824")) } else { (None, Some("2000000")) };
        assert_eq!((value("log.roll.ms").as_deref(), value("log.segment.bytes").as_deref()), expected);
    }
}

/// Groups need not be there to be told of: a name of five bytes made two kilobytes.
#[test]
fn the_settings_of_many_groups_do_not_fit_into_one_answer() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(config(&data_dir)).unwrap();
    let mut client = Client::to(&cluster);
    let resource = |number: i32| DescribeConfigsResource {
        resource_type: GROUP,
        resource_name: number.to_string(),
        configuration_keys: None,
    };
    let mut resources: Vec<_> = (0..10_001).map(resource).collect();
    resources.push(DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: "1".into(),
        ..resource(0)
    });
    let results = client.call(4, &DescribeConfigsRequest { resources, ..Default::default() }).results;
    let codes: Vec<_> = results[9_999..].iter().map(|result| result.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_SERVER_ERROR, ErrorCode::NONE]);
}
