//! `freshet doctor` before set-ups that are broken, built for real on loopback or by a middleman
//! who changes what a real broker answers: what it finds, in which words, and that nothing hangs.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

#[path = "doctor/again.rs"]
mod again;
#[path = "doctor/brokers.rs"]
mod brokers;
mod common;
#[path = "doctor/kinds.rs"]
mod kinds;
#[path = "doctor/middleman.rs"]
mod middleman;
#[path = "doctor/strangers.rs"]
mod strangers;
#[path = "doctor/tls.rs"]
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use broker::{BrokerConfig, Certificate, Cluster};
use brokers::{advertises, fill, free_port, start};
use client::{Admin, Commit, GroupConsumer, GroupOptions, Polled, TopicPartition};
use common::{PATIENCE, freshet};
use middleman::{changed, stand_before};
use protocol::api_versions::ApiVersionsRequest;
use protocol::describe_log_dirs::DescribeLogDirsRequest;
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::metadata::MetadataRequest;
use protocol::produce::ProduceRequest;
use protocol::{ApiKey, ErrorCode};
use serde_json::Value;
use text::is_unsafe;

/// What it has written, as values: findings first.
fn examine(arguments: &[&str]) -> (Vec<Value>, Output) {
    let output = freshet().arg("doctor").args(["--format", "jsonl"]).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = lines.iter().filter(|line| line["finding"].is_string()).count();
    let last = lines.last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(last["findings"], found, "the last line counts: {text}");
    assert_eq!(output.status.code(), Some(i32::from(found > 0)), "{text}");
    (lines, output)
}

/// The only finding: its kind, its sentence and its remedy. It may take longer than usual, on a
/// machine that is busy with other tests.
fn only_finding(arguments: &[&str]) -> (String, String, String) {
    let (lines, _) = examine(&[arguments, &["--within", "10s"]].concat());
    let found: Vec<_> = lines.iter().filter(|line| line["finding"].is_string()).collect();
    let [found] = found[..] else { panic!("one finding expected: {lines:?}") };
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("finding"), text("what"), text("remedy"))
}

/// All is well: what was looked at.
fn well(arguments: &[&str]) -> Vec<String> {
    let (lines, _) = examine(&[arguments, &["--within", "10s"]].concat());
    let (last, checked) = lines.split_last().unwrap();
    assert_eq!(last["findings"], 0, "{lines:?}");
    checked.iter().map(|line| line["checked"].as_str().unwrap().to_owned()).collect()
}

/// A finding of this kind whose sentence and remedy hold these words.
fn expect((kind, what, remedy): &(String, String, String), of: &str, words: &str, advice: &str) {
    assert_eq!(kind, of, "{what}");
    assert!(what.contains(words), "{what}");
    assert!(remedy.contains(advice), "{remedy}");
}

fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[test]
fn nothing_listens() {
    let server = format!("localhost:{}", free_port());
    let found = only_finding(&[&server]);
    expect(&found, "refused", "refuses the connection: nothing listens there", "`freshet broker`");
    assert!(found.1.starts_with(&format!("{server} (127.0.0.1")), "{}", found.1);
}

#[test]
fn a_name_that_nobody_knows() {
    let found = only_finding(&["kafka.invalid:9092"]);
    expect(&found, "unknown_host", "kafka.invalid:9092 can't be found", "mistake in the name");
}

/// Neither yes nor no: the queue of a listener that takes nobody is full.
#[test]
fn nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue has no end");
    }
    let (lines, _) = examine(&[&address.to_string()]);
    assert_eq!(lines[0]["finding"], "no_answer", "{lines:?}");
    assert!(lines[0]["remedy"].as_str().unwrap().contains("firewall"), "{lines:?}");
}

#[test]
fn who_takes_connections_and_says_nothing() {
    #[expect(clippy::disallowed_methods, reason = "that it ends in time is the point")]
    let began = Instant::now();
    let (lines, _) = examine(&[&at(strangers::silent())]);
    assert_eq!(lines[0]["finding"], "silent", "{lines:?}");
    // Two seconds, and what a busy machine takes to start a program.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn who_takes_connections_and_closes_them() {
    let found = only_finding(&[&at(strangers::hanging_up())]);
    expect(&found, "hangs_up", "closes it without a word", "container");
}

#[test]
fn something_that_is_not_kafka_is_named() {
    let upgrade = "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let strangers = [
        (strangers::http("HTTP/1.1 404 Not Found\r\n\r\n"), "a web server (HTTP)", "8081"),
        (strangers::http(upgrade), "a web socket server", "usually 9092"),
        (strangers::zookeeper(), "a ZooKeeper", "a broker"),
        (strangers::postgres(), "a Postgres server", "your Kafka"),
        (strangers::redis(), "a Redis server", "your Kafka"),
        (strangers::babbling(), "it says \"welcome to my ", "your Kafka"),
    ];
    // All at once: each is waited for until it has said nothing for long enough.
    std::thread::scope(|scope| {
        for (port, words, advice) in strangers {
            scope.spawn(move || {
                let found = only_finding(&[&at(port)]);
                expect(&found, "not_kafka", words, advice);
                assert!(!found.1.contains(is_unsafe), "{}", found.1);
            });
        }
    });
}

#[test]
fn tls_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let config = BrokerConfig {
        listeners: vec!["SSL://127.0.0.1:0".parse().unwrap()],
        certificate: Some(Certificate::SelfSigned),
        ..BrokerConfig::new(folder.path())
    };
    let broker = Cluster::start(config).unwrap();
    for server in [broker.bootstrap_servers(), at(strangers::tls()), at(strangers::tls_one_by_one())] {
        let found = only_finding(&[&server]);
        expect(&found, "tls", "speaks TLS", "security.protocol=SSL");
    }
}

#[test]
fn the_port_of_a_controller() {
    let (broker, _folder) = start();
    let port = stand_before(&broker.address, |_, version, answer| {
        Some(changed::<ApiVersionsRequest>(version, answer, |response| {
            response.api_keys.retain(|key| key.api_key != ApiKey::Metadata.number());
        }))
    });
    expect(&only_finding(&[&at(port)]), "controller", "a controller", "for clients");
}

#[test]
fn clients_are_sent_to_a_name_that_only_containers_know() {
    let (cluster, _folder) = advertises("127.0.0.1:0", "kafka.invalid");
    let server = cluster.bootstrap_servers();
    let found = only_finding(&[&server]);
    let port = cluster.address().port();
    expect(
        &found,
        "advertised_unreachable",
        &format!("on to kafka.invalid:{port} (broker 1)"),
        "advertised.listeners",
    );
    assert!(found.2.contains(&server), "{}", found.2);
}

#[test]
fn clients_are_sent_to_where_nothing_listens() {
    let (cluster, _folder) = advertises("127.0.0.1:0", "127.0.0.2");
    let found = only_finding(&[&cluster.bootstrap_servers()]);
    expect(&found, "advertised_unreachable", "127.0.0.2 refuses the connection", "--advertise");
}

/// A published port leads to one broker, and what that one tells its clients to another.
#[test]
fn clients_are_sent_to_another_cluster() {
    let (cluster, _folder) = advertises("127.0.0.1:0", "127.0.0.2");
    let (other, _other_folder) = advertises(&format!("127.0.0.2:{}", cluster.address().port()), "127.0.0.2");
    let found = only_finding(&[&cluster.bootstrap_servers()]);
    expect(&found, "advertised_elsewhere", "where another cluster answers", "advertised.listeners");
    assert_eq!(well(&[&other.bootstrap_servers()]).len(), 4);
}

/// `api_version=(0, 10)`, pasted from a forum: the consumer asks as of a broker of 2016.
#[test]
fn a_client_that_speaks_too_old_a_version() {
    let (broker, _folder) = start();
    assert_eq!(well(&[&broker.address]).len(), 4, "nobody was refused yet");
    let mut old = TcpStream::connect(&broker.address).unwrap();
    old.write_all(&[0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 1, 0xff, 0xff]).unwrap();
    let _either_way_it_is_closed = old.read(&mut [0; 1]);
    let found = only_finding(&[&broker.address]);
    expect(&found, "refused_client", "refused a client at 127.0.0.1", "api_version=(0, 10)");
    assert!(found.1.contains("ListOffsets version 0"), "{}", found.1);
}

#[test]
fn a_disk_that_is_nearly_full() {
    let (broker, _folder) = start();
    let port = stand_before(&broker.address, |key, version, answer| match key {
        ApiKey::DescribeLogDirs => Some(changed::<DescribeLogDirsRequest>(version, answer, |response| {
            response.results[0].total_bytes = 80_000_000_000;
            response.results[0].usable_bytes = 790_000_000;
        })),
        _ => Some(answer),
    });
    let found = only_finding(&[&at(port)]);
    expect(&found, "disk_nearly_full", "790.0 MB of 80.0 GB are left", "retention");
}

#[test]
fn a_topic_that_is_not_there() {
    let (broker, _folder) = start();
    fill(&broker, "card_swipes", 0);
    let found = only_finding(&[&broker.address, "--topic", "cardswipe"]);
    expect(&found, "topic_missing", "no topic cardswipe", "did you mean card_swipes?");
    assert!(
        well(&[&broker.address, "--topic", "card_swipes"]).iter().any(|line| line.contains("2 partitions"))
    );
}

#[test]
fn a_topic_without_a_leader() {
    let (broker, _folder) = start();
    fill(&broker, "clicks", 0);
    let port = stand_before(&broker.address, |key, version, answer| match key {
        ApiKey::Metadata => Some(changed::<MetadataRequest>(version, answer, |response| {
            for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                partition.leader_id = if partition.partition_index == 1 { -1 } else { partition.leader_id };
            }
        })),
        _ => Some(answer),
    });
    let found = only_finding(&[&at(port), "--topic", "clicks"]);
    expect(&found, "no_leader", "1 partition of the topic clicks has no leader (1)", "brokers");
}

#[test]
fn a_group_that_has_committed_nothing_passes_over_what_is_there() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 1_200);
    let found = only_finding(&[&broker.address, "--topic", "clicks", "--group", "mine"]);
    let words =
        "auto.offset.reset=latest, which is the default, the 1,200 records that are there will never be read";
    expect(&found, "nothing_committed", words, "auto_offset_reset=\"earliest\"");
    // Of one partition it has.
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    admin
        .commit(
            "mine",
            &[Commit { at: TopicPartition::new("clicks", 0), offset: 500, metadata: String::new() }],
        )
        .unwrap();
    let (lines, _) = examine(&[&broker.address, "--topic", "clicks", "--group", "mine", "--within", "10s"]);
    assert_eq!(lines[0]["finding"], "group_empty", "{lines:?}");
    assert_eq!(lines[1]["finding"], "nothing_committed", "{lines:?}");
    assert!(lines[1]["what"].as_str().unwrap().contains("1 of the 2 partitions of clicks"), "{lines:?}");
}

#[test]
fn a_group_whose_members_have_left() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 1_200);
    let member = GroupConsumer::join(&settings, "my-app", &["clicks"], &GroupOptions::default()).unwrap();
    while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    let commit = |partition, offset| Commit {
        at: TopicPartition::new("clicks", partition),
        offset,
        metadata: String::new(),
    };
    member.commit(&[commit(0, 600), commit(1, 250)]).unwrap();
    let checked = well(&[&broker.address, "--topic", "clicks", "--group", "my-app"]);
    assert!(
        checked.iter().any(|line| line.contains("my-app is Stable") && line.contains("its lag is 350")),
        "{checked:?}"
    );
    drop(member);
    common::until("the member leaves", || admin.groups().unwrap().iter().any(|group| group.state == "Empty"));
    let found = only_finding(&[&broker.address, "--group", "my-app"]);
    expect(
        &found,
        "group_empty",
        "no members (state Empty): what it has committed stays, and 350 records wait",
        "go on where",
    );
    let found = only_finding(&[&broker.address, "--group", "my_ap"]);
    expect(&found, "group_missing", "no group my_ap", "did you mean my-app?");
}

/// One broker that shall keep three replicas of the groups' offsets, which is Kafka's default.
#[test]
fn a_cluster_in_which_no_group_can_work() {
    let (broker, _folder) = start();
    let port = stand_before(&broker.address, |key, version, answer| match key {
        ApiKey::FindCoordinator => Some(changed::<FindCoordinatorRequest>(version, answer, |response| {
            response.coordinators[0].error_code = ErrorCode::COORDINATOR_NOT_AVAILABLE;
        })),
        _ => Some(answer),
    });
    let (lines, _) = examine(&[&at(port), "--group", "g"]);
    assert_eq!(lines[0]["finding"], "no_coordinator", "{lines:?}");
    assert!(lines[0]["remedy"].as_str().unwrap().contains("offsets.topic.replication.factor=1"), "{lines:?}");
}

#[test]
fn a_record_goes_there_and_back_and_nothing_stays() {
    let (broker, _folder) = start();
    let settings = fill(&broker, "clicks", 0);
    let checked = well(&[&broker.address, "--write"]);
    assert!(checked.iter().any(|line| line.contains("came back in")), "{checked:?}");
    assert!(checked.iter().any(|line| line.contains("clock differs by")), "{checked:?}");
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    let topics: Vec<_> = admin.topics().unwrap().into_iter().map(|topic| topic.name).collect();
    assert_eq!(topics, ["clicks"], "what was made for it is deleted");
    well(&[&broker.address, "--write", "--topic", "clicks"]);
    let ends = admin.ends(&[0, 1].map(|partition| TopicPartition::new("clicks", partition))).unwrap();
    assert_eq!(ends, [Some(1), Some(0)], "one record is in the topic");
}

#[test]
fn a_broker_whose_clock_is_wrong() {
    let (broker, _folder) = start();
    let port = stand_before(&broker.address, |key, version, answer| match key {
        ApiKey::Produce => Some(changed::<ProduceRequest>(version, answer, |response| {
            response.topics[0].partitions[0].log_append_time_ms -= 90_000;
        })),
        _ => Some(answer),
    });
    let found = only_finding(&[&at(port), "--write"]);
    expect(&found, "clock_skew", "clock is 9", "NTP");
    assert!(found.1.contains("s behind"), "{}", found.1);
}

/// For a person: sentences, and where all is well the program that reads.
#[test]
fn it_is_said_in_words() {
    let (broker, _folder) = start();
    fill(&broker, "clicks", 3);
    let says = |arguments: &[&str]| {
        let output = freshet().arg("doctor").args(arguments).args(["--within", "10s"]).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, words, errors) = says(&[&broker.address]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{words}");
    let program = format!(
        "  from kafka import KafkaConsumer\n  for record in KafkaConsumer(\"clicks\", bootstrap_servers=\"{}\", \
         auto_offset_reset=\"earliest\"):\n      print(record.offset, record.key, record.value)\n",
        broker.address
    );
    assert!(
        words.starts_with(&format!("{} is well.\n- ", broker.address)) && words.ends_with(&program),
        "{words}"
    );
    let (code, words, errors) = says(&[&broker.address, "--topic", "click"]);
    assert_eq!(code, Some(1));
    let sentences = "- there is no topic click.\n  Remedy: did you mean clicks? Else create it: `freshet topics create click`.\n";
    assert_eq!(words, sentences);
    assert_eq!(errors, format!("freshet: 1 finding about {}\n", broker.address));
}

/// What a broker says is never obeyed by a terminal, and whatever it says, nothing hangs or breaks.
#[test]
fn a_hostile_broker_does_no_harm() {
    let (broker, _folder) = start();
    fill(&broker, "clicks", 10);
    let evil = stand_before(&broker.address, |key, version, answer| match key {
        ApiKey::Metadata => Some(changed::<MetadataRequest>(version, answer, |response| {
            let host = format!("\u{1b}]0;title\u{7}\u{202e}{}\nforged", "x".repeat(20_000));
            let mut broker = response.brokers[0].clone();
            broker.host = host;
            // Numbers that overflow, and more brokers than are looked at.
            broker.port = i32::MIN;
            response.brokers = vec![broker; 3_000];
        })),
        _ => Some(answer),
    });
    for format in ["text", "jsonl"] {
        let arguments = [&*at(evil), "--format", format, "--topic", "clicks", "--group", "g", "--write"];
        let output = freshet().arg("doctor").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8(text.clone()).unwrap();
            assert!(text.len() < 20_000, "{} bytes", text.len());
            assert!(
                !text.lines().any(|line| line.contains(is_unsafe) || line.starts_with("forged")),
                "{text}"
            );
        }
    }
    let dice = Mutex::new(0x9e37_79b9_7f4a_7c15_u64);
    let port = stand_before(&broker.address, move |_, _, mut answer| {
        let mut dice = dice.lock().unwrap();
        let mut throw = |end: usize| {
            *dice ^= *dice << 13;
            *dice ^= *dice >> 7;
            *dice ^= *dice << 17;
            (*dice % end as u64) as usize
        };
        // Behind the correlation id: else it is no answer.
        for _ in 0..throw(4) {
            let place = 4 + throw(answer.len().saturating_sub(4).max(1));
            if let Some(byte) = answer.get_mut(place) {
                *byte = [0, 1, 0x7f, 0x80, 0xff, *byte ^ 1][throw(6)];
            }
        }
        if throw(40) == 0 {
            answer.truncate(throw(answer.len().max(1)));
        }
        Some(answer)
    });
    for round in 0..30 {
        let arguments = [&*at(port), "--topic", "clicks", "--group", "g", "--write", "--within", "1s"];
        let output = freshet().arg("doctor").args(arguments).output().unwrap();
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1)),
            "round {round}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
