//! Findings for which a broker has to be in a rare state: each kind of finding has a test.

use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use client::{Admin, Commit, GroupConsumer, GroupOptions, NewTopic, Polled, TopicPartition};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_log_dirs::DescribeLogDirsRequest;
use protocol::fetch::FetchRequest;
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::join_group::{JoinGroupProtocol, JoinGroupRequest};
use protocol::metadata::{MetadataRequest, MetadataResponse};
use protocol::offset_fetch::OffsetFetchRequest;
use protocol::{ApiKey, ErrorCode, Request};

use crate::brokers::{advertises, fill, start};
use crate::common::{self, Broker, PATIENCE, freshet};
use crate::middleman::{changed, stand_before};
use crate::{at, examine, expect, only_finding, well};

/// Before the broker somebody who changes the answers to `R`.
fn with_changed<R: Request>(
    broker: &Broker,
    change: impl Fn(&mut R::Response) + Send + Sync + 'static,
) -> String {
    at(stand_before(&broker.address, move |key, version, answer| {
        Some(if key == R::KEY { changed::<R>(version, answer, &change) } else { answer })
    }))
}

/// The address by which this machine goes to others; none where it goes nowhere. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_loopback())
}

#[test]
fn clients_on_other_machines_are_sent_to_themselves() {
    let (cluster, _folder) = advertises("0.0.0.0:0", "127.0.0.1");
    let port = cluster.address().port();
    // All of these are this machine alone, and who comes so may be told so.
    for host in ["0.0.0.0", "127.1", "127.0.0.1"] {
        assert_eq!(well(&[&format!("{host}:{port}")]).len(), 4, "{host}");
    }
    if let Some(own) = own_address() {
        let found = only_finding(&[&format!("{own}:{port}")]);
        expect(&found, "advertised_loopback", "on to 127.0.0.1:", &format!("`--advertise {own}:{port}`"));
    }
}

#[test]
fn no_route_leads_there() {
    let found = only_finding(&["255.255.255.255:9092"]);
    expect(&found, "unreachable", "can't be reached", "network leads there");
}

#[test]
fn what_is_no_address_is_said_with_what_would_be_one() {
    let (broker, _folder) = start();
    for (server, advice) in [
        ("localhost", "HOST:PORT"),
        ("http://localhost:9092", "HOST:PORT"),
        ("::1:24640", "write [::1]:24640: an IPv6 address stands in brackets"),
        ("127.0.0.1:99999", "99999 is none"),
        ("PLAINTEXT://127.0.0.1:0", "0 is none"),
        ("\"127.0.0.1:9092\"", "without quotes: 127.0.0.1:9092"),
    ] {
        let found = only_finding(&[server]);
        expect(&found, "no_address", "is no address that a client can use", advice);
    }
    // As it stands in a broker's settings, clients take it too.
    assert_eq!(well(&[&format!("PLAINTEXT://{}", broker.address)]).len(), 4);
    let output = freshet().args(["doctor", &format!("plaintext://{}", broker.address)]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains(&format!("bootstrap_servers=\"{}\"", broker.address)), "{words}");
}

#[test]
fn there_is_no_time_for_less_than_a_moment() {
    let output = freshet().args(["doctor", "localhost:9092", "--within", "1ms"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && errors.contains("at least 100ms"), "{errors}");
}

#[test]
fn a_cluster_that_does_not_tell_of_itself() {
    let (broker, _folder) = start();
    let alone = with_changed::<MetadataRequest>(&broker, |response| response.brokers.clear());
    expect(&only_finding(&[&alone]), "no_brokers", "knows of no broker", "registered");
    let mute =
        at(stand_before(&broker.address, |key, _, answer| (key != ApiKey::Metadata).then_some(answer)));
    expect(&only_finding(&[&mute]), "no_metadata", "does not say where its brokers are", "log");
}

#[test]
fn a_disk_that_has_failed() {
    let (broker, _folder) = start();
    let server = with_changed::<DescribeLogDirsRequest>(&broker, |response| {
        response.results[0].error_code = ErrorCode::KAFKA_STORAGE_ERROR;
    });
    expect(&only_finding(&[&server]), "disk_failed", "KAFKA_STORAGE_ERROR", "mend the disk");
}

#[test]
fn a_topic_of_which_nothing_is_told() {
    let (broker, _folder) = start();
    fill(&broker, "clicks", 0);
    let server = with_changed::<MetadataRequest>(&broker, |response: &mut MetadataResponse| {
        for topic in &mut response.topics {
            topic.error_code = ErrorCode::LEADER_NOT_AVAILABLE;
        }
    });
    let found = only_finding(&[&server, "--topic", "clicks"]);
    expect(&found, "topic_refused", "LEADER_NOT_AVAILABLE", "what this client may do");
}

#[test]
fn what_no_topic_can_be_called_is_not_to_be_created() {
    let (broker, _folder) = start();
    fill(&broker, "bad_name", 0);
    let found = only_finding(&[&broker.address, "--topic", "bad name?"]);
    expect(&found, "topic_missing", "no topic bad name?", "did you mean bad_name? Else look for a mistake");
    assert!(!found.2.contains("topics create"), "{found:?}");
}

#[test]
fn a_record_that_is_not_taken_and_one_that_does_not_come_back() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 0);
    let small = NewTopic {
        name: "small".into(),
        partitions: 1,
        configs: vec![("max.message.bytes".into(), "1".into())],
    };
    Admin::connect(&settings, PATIENCE).unwrap().create(&[small]).unwrap();
    let found = only_finding(&[&broker.address, "--write", "--topic", "small"]);
    expect(&found, "write_refused", "MESSAGE_TOO_LARGE", "freshet topics describe");
    let server = with_changed::<FetchRequest>(&broker, |response| {
        response.topics[0].partitions[0].records = None;
    });
    let found = only_finding(&[&server, "--write", "--topic", "clicks"]);
    expect(&found, "write_lost", "the record at offset 0 of the topic clicks", "log");
    // Nor is anything said of a clock that was not seen.
    let checked = well(&[&broker.address, "--write", "--topic", "clicks"]);
    assert!(checked.iter().any(|line| line.contains("clock was not looked at")), "{checked:?}");
}

#[test]
fn a_topic_of_the_trial_that_stays() {
    let (broker, _folder) = start();
    let server = with_changed::<DeleteTopicsRequest>(&broker, |response| {
        response.responses[0].error_code = ErrorCode::REQUEST_TIMED_OUT;
    });
    let found = only_finding(&[&server, "--write"]);
    expect(&found, "topic_left", "REQUEST_TIMED_OUT", "freshet topics delete freshet-doctor-");
}

/// A member that has joined and does not go on.
#[test]
fn a_group_that_shares_out_its_partitions() {
    let (broker, _folder) = start();
    let protocols = vec![JoinGroupProtocol { name: "range".into(), ..Default::default() }];
    let join = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols,
        ..Default::default()
    };
    assert!(common::call(&broker.address, 2, &join).error_code.is_none());
    let found = only_finding(&[&broker.address, "--group", "g"]);
    expect(&found, "group_rebalances", "state CompletingRebalance", "max.poll.interval.ms");
}

#[test]
fn a_group_that_is_nowhere_is_said_to_be_with_those_it_resembles() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 0);
    let known = |name: &str, topic: &str| {
        let at = TopicPartition::new(topic, 0);
        let commit = Commit { at, offset: 0, metadata: String::new() };
        Admin::connect(&settings, PATIENCE).unwrap().commit(name, &[commit]).unwrap();
    };
    known("my-app", "clicks");
    let found = only_finding(&[&broker.address, "--topic", "clicks", "--group", "my_ap"]);
    expect(&found, "group_missing", "no group my_ap", "did you mean my-app?");
    fill(&broker, "views", 3);
    let found = only_finding(&[&broker.address, "--topic", "views", "--group", "my_ap"]);
    expect(&found, "nothing_committed", "there is no group my_ap, and nothing", "did you mean my-app?");

    // One that is there, and has committed nothing: there was nothing to read.
    let member = GroupConsumer::join(&settings, "new", &["clicks"], &GroupOptions::default()).unwrap();
    while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}
    for arguments in [&["--group", "new"][..], &["--group", "new", "--topic", "clicks"]] {
        let checked = well(&[&[&*broker.address], arguments].concat());
        let come = checked.iter().find(|line| line.starts_with("the group new is Stable"));
        assert!(come.is_some_and(|line| line.contains("has committed nothing yet")), "{checked:?}");
    }
}

/// A cluster in which no group has been needs seconds for the first.
#[test]
fn a_coordinator_that_is_not_ready_yet_is_waited_for() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 0);
    let at = TopicPartition::new("clicks", 0);
    let commit = Commit { at, offset: 0, metadata: String::new() };
    Admin::connect(&settings, PATIENCE).unwrap().commit("g", &[commit]).unwrap();
    let ready: Mutex<Option<Instant>> = Mutex::new(None);
    let later = with_changed::<OffsetFetchRequest>(&broker, move |response| {
        #[expect(clippy::disallowed_methods, reason = "longer than an answer is waited for, of ten seconds")]
        let now = Instant::now();
        if now < *ready.lock().unwrap().get_or_insert(now + Duration::from_secs(3)) {
            response.groups[0].error_code = ErrorCode::NOT_COORDINATOR;
        }
    });
    let found = only_finding(&[&later, "--group", "g"]);
    expect(&found, "group_empty", "no members", "go on where");
    let (lines, _) = examine(&[&later_never(&broker), "--group", "g"]);
    assert_eq!(lines[0]["finding"], "no_coordinator", "{lines:?}");
    let remedy = lines[0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("ask again in a moment") && !remedy.contains("replication"), "{lines:?}");
}

fn later_never(broker: &Broker) -> String {
    with_changed::<OffsetFetchRequest>(broker, |response| {
        response.groups[0].error_code = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    })
}

#[test]
fn a_group_of_which_nothing_is_told() {
    let (broker, _folder) = start();
    let server = with_changed::<FindCoordinatorRequest>(&broker, |response| {
        response.coordinators[0].error_code = ErrorCode::INVALID_GROUP_ID;
    });
    let found = only_finding(&[&server, "--group", "g"]);
    expect(&found, "unanswered", "INVALID_GROUP_ID", "log");
}

/// The words between these two, in all places, if they are a kind's name.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    let names = text.split(before).skip(1).filter_map(move |rest| rest.trim_start().strip_prefix('"'));
    let names = names.filter_map(move |rest| rest.split_once(after).map(|(name, _)| name));
    names.filter(|name| name.chars().all(|char| char.is_ascii_lowercase() || char == '_'))
}

#[test]
fn each_kind_of_finding_has_a_test() {
    let words = include_str!("../../src/commands/doctor/findings.rs");
    let words_of_contacts = include_str!("../../src/commands/doctor/contact_findings.rs");
    let of_contacts = between(words_of_contacts, "=>", "\",");
    let kinds: BTreeSet<_> = between(words, "finding(", "\",")
        .chain(between(words_of_contacts, "finding(", "\","))
        .chain(of_contacts)
        .filter(|kind| *kind != "kafka")
        .collect();
    assert!(kinds.len() > 30, "the kinds are where they were: {kinds:?}");
    let tests = [
        include_str!("../doctor.rs"),
        include_str!("again.rs"),
        include_str!("tls.rs"),
        include_str!("kinds.rs"),
        include_str!("../../src/commands/doctor/address.rs"),
        include_str!("../../src/commands/doctor/cluster.rs"),
    ];
    let untested: Vec<_> =
        kinds.iter().filter(|kind| !tests.iter().any(|test| test.contains(&format!("\"{kind}\"")))).collect();
    assert!(untested.is_empty(), "{untested:?}");
}
