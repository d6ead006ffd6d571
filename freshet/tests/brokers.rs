//! `freshet brokers`: who is in a cluster, and what each does. And of what several brokers do to a
//! topic, what `freshet topics describe` tells.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;
#[path = "doctor/middleman.rs"]
mod middleman;
#[expect(dead_code, reason = "the tests of the doctor use all of it")]
#[path = "doctor/strangers.rs"]
mod strangers;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use client::{Admin, NewTopic, Settings};
use common::{Broker, PATIENCE, freshet};
use middleman::{changed, stand_before};
use protocol::api_versions::ApiVersionsRequest;
use protocol::describe_log_dirs::DescribeLogDirsRequest;
use protocol::describe_quorum::DescribeQuorumRequest;
use protocol::describe_topic_partitions::{Cursor, DescribeTopicPartitionsRequest};
use protocol::metadata::{MetadataBroker, MetadataRequest};
use protocol::{ApiKey, ErrorCode};
use serde_json::{Value, json};

/// Its exit code, and all that it says.
fn brokers(arguments: &[&str]) -> (Option<i32>, String) {
    run(&["brokers"], arguments)
}

fn run(command: &[&str], arguments: &[&str]) -> (Option<i32>, String) {
    let output = freshet().args(command).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn every_broker_is_told_with_what_it_leads_and_the_quorum_with_who_leads_it() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("data"));
    let topic = NewTopic { name: "clicks".into(), partitions: 3, configs: Vec::new() };
    Admin::connect(&Settings::new(&broker.address), PATIENCE).unwrap().create(&[topic]).unwrap();
    let (code, said) = brokers(&["--bootstrap-servers", &broker.address, "--format", "jsonl"]);
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [only, quorum] = &lines[..] else { panic!("{said}") };
    let port: u16 = broker.address.rsplit(':').next().unwrap().parse().unwrap();
    let expected = json!({
        "broker": 1, "host": "127.0.0.1", "port": port, "controller": true,
        "leads": 3, "follows": 0, "in_sync": 3, "bytes": only["bytes"],
    });
    assert_eq!(only, &expected);
    assert!(only["bytes"].is_u64(), "{said}");
    let quorum = &quorum["quorum"];
    assert_eq!(quorum["leader"], 1);
    assert_eq!((&quorum["voters"], &quorum["observers"]), (&json!([{ "id": 1, "behind": 0 }]), &json!([])));

    let (code, said) = brokers(&["--bootstrap-servers", &format!("PLAINTEXT://{}", broker.address)]);
    let lines: Vec<_> = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(lines[1][..8], ["1", &broker.address, "active", "3", "0", "3", "of", "3"], "{said}");
    assert!(said.contains("quorum: 1 is the active controller, in epoch "), "{said}");
    assert!(said.ends_with("; voters 1; all have all of the metadata\n"), "{said}");
}

/// The lines of JSON of a cluster of which some answers are changed, and what is said in words.
fn with_change(
    change: impl Fn(ApiKey, i16, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (Vec<Value>, String) {
    asked_with_change(&["brokers"], change)
}

/// The same of another command.
fn asked_with_change(
    command: &[&str],
    change: impl Fn(ApiKey, i16, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("data"));
    let topic = NewTopic { name: "clicks".into(), partitions: 1, configs: Vec::new() };
    Admin::connect(&Settings::new(&broker.address), PATIENCE).unwrap().create(&[topic]).unwrap();
    let server = format!("127.0.0.1:{}", stand_before(&broker.address, change));
    let (code, said) = run(command, &["--bootstrap-servers", &server, "--format", "jsonl"]);
    assert_eq!(code, Some(0), "{said}");
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (code, said) = run(command, &["--bootstrap-servers", &server]);
    assert_eq!(code, Some(0), "{said}");
    (lines, said)
}

#[test]
fn a_cluster_without_a_quorum_says_so_and_its_controller_is_told() {
    let (lines, said) = with_change(|key, version, answer| {
        Some(match key {
            ApiKey::ApiVersions => changed::<ApiVersionsRequest>(version, answer, |versions| {
                versions.api_keys.retain(|api| api.api_key != ApiKey::DescribeQuorum.number());
            }),
            ApiKey::Metadata => changed::<MetadataRequest>(version, answer, |metadata| {
                metadata.controller_id = metadata.brokers[0].node_id;
            }),
            _ => answer,
        })
    });
    assert_eq!((&lines[0]["controller"], &lines[1]["quorum"]), (&json!(true), &Value::Null), "{said}");
    assert!(lines[0]["bytes"].is_u64(), "the rest is told: {lines:?}");
    assert!(said.contains("  active  "), "{said}");
    assert!(said.contains("quorum: not told: the broker speaks no version of DescribeQuorum"), "{said}");
    assert!(said.contains("a cluster with ZooKeeper has none"), "{said}");
}

/// Not even who is the controller: where there is a quorum a broker names any as that.
#[test]
fn what_may_not_be_asked_is_unknown() {
    let (lines, said) = with_change(|key, version, answer| {
        Some(match key {
            ApiKey::DescribeQuorum => changed::<DescribeQuorumRequest>(version, answer, |quorum| {
                quorum.error_code = ErrorCode::POLICY_VIOLATION;
            }),
            ApiKey::DescribeLogDirs => changed::<DescribeLogDirsRequest>(version, answer, |dirs| {
                dirs.results.clear();
            }),
            _ => answer,
        })
    });
    assert_eq!((&lines[0]["controller"], &lines[0]["bytes"]), (&Value::Null, &Value::Null), "{said}");
    assert_eq!(lines[1], json!({ "quorum": null, "reason": "not told: POLICY_VIOLATION" }));
    assert!(said.ends_with("quorum: not told: POLICY_VIOLATION\n"), "{said}");
}

/// A cluster tells of no broker that is away, but which replicas it has.
#[test]
fn a_broker_that_is_away_is_told_with_the_replicas_that_are_not_in_sync() {
    let (lines, said) = with_change(|key, version, answer| {
        Some(match key {
            ApiKey::Metadata => changed::<MetadataRequest>(version, answer, |metadata| {
                metadata.topics[0].partitions[0].replica_nodes.push(3);
            }),
            _ => answer,
        })
    });
    let away = json!({
        "broker": 3, "host": null, "port": null, "controller": false,
        "leads": 0, "follows": 1, "in_sync": 0, "bytes": null,
    });
    assert_eq!((&lines[0]["broker"], &lines[0]["leads"], &lines[1]), (&json!(1), &json!(1), &away));
    let row: Vec<_> = said.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(row, ["3", "away", "0", "1", "0", "of", "1", "–"], "{said}");
}

/// Kafka tells them since 4.0, by pages.
#[test]
fn who_may_lead_though_not_in_sync_is_told_where_the_cluster_tells() {
    const DESCRIBE: &[&str] = &["topics", "describe", "clicks"];
    let (lines, said) = asked_with_change(DESCRIBE, |key, version, answer| {
        Some(match key {
            ApiKey::DescribeTopicPartitions => {
                changed::<DescribeTopicPartitionsRequest>(version, answer, |page| {
                    for at in &mut page.topics[0].partitions {
                        at.eligible_leader_replicas = Some(vec![3, 2]);
                    }
                    // A page that brings nothing new is the last.
                    page.next_cursor = Some(Cursor { topic_name: "clicks".to_owned(), partition_index: 1 });
                })
            }
            _ => answer,
        })
    });
    assert_eq!(lines[0]["partitions"][0]["elr"], json!([3, 2]));
    let table: Vec<Vec<_>> = said.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((table[0].last(), table[1].last()), (Some(&"ELR"), Some(&"3,2")), "{said}");

    let (lines, said) = asked_with_change(DESCRIBE, |key, version, answer| {
        Some(match key {
            ApiKey::ApiVersions => changed::<ApiVersionsRequest>(version, answer, |versions| {
                versions.api_keys.retain(|api| api.api_key != ApiKey::DescribeTopicPartitions.number());
            }),
            _ => answer,
        })
    });
    assert_eq!(lines[0]["partitions"][0]["elr"], Value::Null);
    assert!(!said.contains("ELR") && said.contains("ISR"), "{said}");
}

#[test]
fn what_a_hostile_cluster_says_stays_in_its_cell() {
    let (lines, said) = with_change(|key, version, answer| {
        Some(match key {
            ApiKey::Metadata => changed::<MetadataRequest>(version, answer, |metadata| {
                let one = metadata.brokers[0].clone();
                metadata.brokers.extend((2..=100).map(|node_id| MetadataBroker { node_id, ..one.clone() }));
                metadata.brokers[0].host = "a\u{1b}[2J\nforged".to_owned();
                metadata.brokers[0].port = -1;
            }),
            ApiKey::DescribeQuorum => changed::<DescribeQuorumRequest>(version, answer, |quorum| {
                let quorum = &mut quorum.topics[0].partitions[0];
                quorum.current_voters.push(quorum.current_voters[0].clone());
                quorum.current_voters[0].log_end_offset = i64::MAX;
                quorum.current_voters[1].replica_id = 7;
                quorum.current_voters[1].log_end_offset = i64::MIN;
            }),
            _ => answer,
        })
    });
    assert_eq!(lines.len(), 101);
    assert!(lines[1..100].iter().all(|line| line["bytes"].is_u64()), "each is asked: {lines:?}");
    assert_eq!((&lines[0]["host"], &lines[0]["bytes"]), (&json!("a\u{1b}[2J\nforged"), &Value::Null));
    assert_eq!(said.lines().count(), 102, "{said}");
    assert!(said.contains("a\\u{1b}[2J\\nforged:") && !said.contains('\u{1b}'), "{said}");
    assert!(said.contains("; voters 1, 7; 7 lacks 9"), "{said}");
}

/// In every build: no question goes through librdkafka.
#[test]
fn they_are_told_behind_tls_and_a_login_too() {
    let folder = tempfile::tempdir().unwrap();
    let (users, file) = (folder.path().join("users"), folder.path().join("c.properties"));
    write(&users, "ada:secret\n");
    let options = ["--listen", "127.0.0.1:0", "--tls", "--users", users.to_str().unwrap()];
    let data = folder.path().join("data");
    let broker = Broker::start_with(freshet(), &data, &options);
    let text = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nssl.ca.location={}\nsasl.mechanism=SCRAM-SHA-512\n\
         sasl.username=ada\nsasl.password=secret\n",
        broker.address,
        data.join("tls-certificate.pem").display()
    );
    let ask = |text: &str| {
        write(&file, text);
        brokers(&["--client-config", file.to_str().unwrap()])
    };
    let (code, said) = ask(&text);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("quorum: 1 is the active controller"), "{said}");
    let (code, said) = ask(&text.replace("=secret", "=hunter2"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("look at sasl.mechanism, sasl.username and sasl.password"), "{said}");
    let (code, said) = ask(&text.replace("tls-certificate.pem", "none.pem"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("none.pem") && said.contains("look at ssl.ca.location"), "{said}");
    drop(broker);
    let (code, said) = ask(&text);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is a broker running?"), "{said}");
}
