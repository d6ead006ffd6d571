//! What `--metrics` tells Prometheus: that it can be read, that it is what the other commands say,
//! and that nobody who asks holds anything up.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]
#![expect(clippy::float_cmp, reason = "counts are told as they are")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{
    Admin, Commit, GroupConsumer, GroupOptions, NewTopic, Outgoing, Polled, Producer, ProducerOptions,
};
use client::{Settings, TopicPartition};
use common::{PATIENCE, call, freshet, lines, repository, until};
use dashboard_testing::Sample;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::registry::Registry;
use protocol::api_versions::ApiVersionsRequest;
use protocol::encode_request;
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use scenarios::clock::wall_ms;
use scenarios::metrics::ShowMetrics;
use scenarios::observe::{ClusterPoll, ClusterView, LogPoll};
use serde_json::Value;
use text::escape;

/// The labels of a series, by name.
type Labels = BTreeMap<String, String>;
/// What a scrape says: each series with its value.
type Figures = BTreeMap<(String, Labels), f64>;

/// Reads Prometheus' text form, strictly: what is not of the form fails the test, and so does a
/// series without its help and type before it, or one that is there twice.
fn parse(text: &str) -> Figures {
    let (mut figures, mut helped, mut typed) = (Figures::new(), BTreeSet::new(), BTreeMap::new());
    for line in text.strip_suffix('\n').expect("the last line ends").split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(help.len() > 5 && helped.insert(name.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(typed.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
        } else {
            let at = line.find(['{', ' ']).expect(line);
            let (name, rest) = line.split_at(at);
            let is_name = |name: &str| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || "_:0123456789".contains(c))
            };
            assert!(is_name(name), "{line}");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| {
                let family = name.strip_suffix(suffix)?;
                (typed.get(family)? == "histogram").then_some(family)
            });
            let family = family.unwrap_or(name);
            assert!(helped.contains(family) && typed.contains_key(family), "{line}");
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => labels(rest, line),
                None => (Labels::new(), rest),
            };
            let value: f64 = value.strip_prefix(' ').expect(line).parse().expect(line);
            assert!(value.is_finite(), "{line}");
            assert!(figures.insert((name.to_owned(), labels), value).is_none(), "twice: {line}");
        }
    }
    figures
}

/// The labels before a `}`, and what is behind it.
fn labels<'a>(mut rest: &'a str, line: &str) -> (Labels, &'a str) {
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect(line);
        let (mut value, mut chars) = (String::new(), after.chars());
        loop {
            match chars.next().expect(line) {
                '"' => break,
                '\\' => value.push(match chars.next().expect(line) {
                    'n' => '\n',
                    same @ ('\\' | '"') => same,
                    other => panic!("\\{other} in {line}"),
                }),
                plain => value.push(plain),
            }
        }
        assert!(labels.insert(name.to_owned(), value).is_none(), "{line}");
        match chars.next() {
            Some(',') => rest = chars.as_str(),
            Some('}') => return (labels, chars.as_str()),
            _ => panic!("{line}"),
        }
    }
}

/// A command that tells metrics; killed when dropped.
struct Told {
    child: Child,
    address: String,
}

impl Told {
    fn start(mut command: Command) -> Self {
        command.args(["--metrics", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut told = Self { child, address: String::new() };
        let said = lines(told.child.stderr.take().unwrap());
        loop {
            let line = said.recv_timeout(PATIENCE).expect("it says where its metrics are");
            if let Some((_, rest)) = line.split_once("http://") {
                rest.strip_suffix("/metrics")
                    .expect("the address is the last word")
                    .clone_into(&mut told.address);
                return told;
            }
        }
    }

    fn text(&self) -> String {
        let mut server = TcpStream::connect(&self.address).unwrap();
        server.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        text.to_owned()
    }

    fn scrape(&self) -> Figures {
        parse(&self.text())
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn jsonl(command: &str, address: &str) -> Vec<Value> {
    let mut asked = freshet();
    asked.args([command, "--format", "jsonl", "--bootstrap-servers", address]);
    let out = String::from_utf8(asked.output().unwrap().stdout).unwrap();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn series<const N: usize>(name: &str, labels: [(&str, &Value); N]) -> (String, Labels) {
    let shown = |value: &Value| match value {
        Value::String(text) => escape(&text.replace('\\', r"\\")).into_owned(),
        other => other.to_string(),
    };
    (name.to_owned(), labels.into_iter().map(|(name, value)| (name.to_owned(), shown(value))).collect())
}

/// What `topics` and `groups` say, under the names of metrics.
fn by_the_commands(address: &str) -> Figures {
    let mut all = Figures::new();
    for line in jsonl("topics", address) {
        let topic = &line["topic"];
        if topic.as_str().unwrap().starts_with("__") {
            continue;
        }
        let partitions = line["partitions"].as_array().unwrap();
        all.insert(series("kafka_topic_partitions", [("topic", topic)]), partitions.len() as f64);
        for at in partitions {
            let labels = [("topic", topic), ("partition", &at["partition"])];
            let [start, end] = ["log_start", "log_end"].map(|name| at[name].as_f64().unwrap());
            all.insert(series("kafka_topic_partition_oldest_offset", labels), start);
            all.insert(series("kafka_topic_partition_current_offset", labels), end);
        }
    }
    let mut members = BTreeMap::<(String, Labels), BTreeSet<String>>::new();
    for line in jsonl("groups", address) {
        let (group, topic) = (("consumergroup", &line["group"]), ("topic", &line["topic"]));
        members
            .entry(series("kafka_consumergroup_members", [group]))
            .or_default()
            .extend(line["member_id"].as_str().map(ToOwned::to_owned));
        let labels = [group, topic, ("partition", &line["partition"])];
        for (figure, name) in [("committed", "current_offset"), ("lag_records", "lag")] {
            let Some(value) = line[figure].as_f64() else { continue };
            all.insert(series(&format!("kafka_consumergroup_{name}"), labels), value);
            *all.entry(series(&format!("kafka_consumergroup_{name}_sum"), [group, topic])).or_default() +=
                value;
        }
    }
    all.extend(members.into_iter().map(|(series, ids)| (series, ids.len() as f64)));
    all
}

/// A name as no tool would choose it.
const HOSTILE: &str = "a \"group\"\\\n{x=\"\u{1b}[2J";

#[test]
fn metrics_of_a_cluster_at_rest_are_what_topics_and_groups_say_and_end_with_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = freshet();
    command.args(["broker", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let (broker, address) = broker_with_metrics(command);
    let settings = Settings::new(&address);
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    let topic = |name: &str, partitions| NewTopic { name: name.into(), partitions, configs: Vec::new() };
    admin.create(&[topic("orders", 3), topic("card_swipes", 1)]).unwrap();
    let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
    for number in 0..60 {
        let record = Outgoing {
            topic: "orders",
            partition: Some(number % 3),
            value: Some(b"x"),
            ..Outgoing::default()
        };
        producer.send(record, PATIENCE).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    for (group, partition, offset) in [("billing", 0, 20), ("billing", 1, 5), (HOSTILE, 2, 0)] {
        let at = TopicPartition::new("orders", partition);
        admin.commit(group, &[Commit { at, offset, metadata: String::new() }]).unwrap();
    }
    let member = GroupConsumer::join(&settings, "live", &["orders"], &GroupOptions::default()).unwrap();
    while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}

    let mut dashboard = freshet();
    dashboard.args(["dashboard", "--headless", "--bootstrap-servers", &address]);
    let told = Told::start(dashboard);
    let up = ("freshet_cluster_up".to_owned(), Labels::new());
    let mut figures = Figures::new();
    until("the cluster is known", || {
        figures = told.scrape();
        figures[&up] == 1.0
    });
    let expected = by_the_commands(&address);
    let names: BTreeSet<String> = expected.keys().map(|(name, _)| name.clone()).collect();
    let same: Figures = figures.clone().into_iter().filter(|((name, _), _)| names.contains(name)).collect();
    assert_eq!(same, expected);
    let of_members =
        ("kafka_consumergroup_members".to_owned(), Labels::from([("consumergroup".into(), "live".into())]));
    assert_eq!(same[&of_members], 1.0);
    // One broker keeps one replica of all, and leads.
    let first = [("topic".into(), "orders".into()), ("partition".into(), "0".into())];
    for (name, value) in [
        ("leader_is_preferred", 1.0),
        ("replicas", 1.0),
        ("in_sync_replica", 1.0),
        ("under_replicated_partition", 0.0),
    ] {
        let series = (format!("kafka_topic_partition_{name}"), Labels::from(first.clone()));
        assert_eq!(figures[&series], value, "{name}");
    }
    let lag_s = |figures: &Figures, partition: &str| {
        let labels = [("consumergroup", "billing"), ("topic", "orders"), ("partition", partition)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        figures[&("freshet_consumergroup_lag_seconds".to_owned(), Labels::from(labels))]
    };
    assert_eq!(lag_s(&figures, "0"), 0.0, "it has read all of this one");
    until("what is not read grows older", || lag_s(&told.scrape(), "1") > 0.0);

    let at_broker = series("kafka_broker_info", [("id", &1.into()), ("address", &address.as_str().into())]);
    assert_eq!(figures[&at_broker], 1.0);
    let of_cluster = |figures: &Figures| {
        let mut figures = figures.clone();
        figures.retain(|(name, _), _| name.starts_with("kafka_"));
        figures
    };
    // A broker alone says the same of itself.
    let mut of_broker = Figures::new();
    until("the broker has looked at the last of it", || {
        of_broker = broker.scrape();
        of_cluster(&of_broker) == of_cluster(&figures)
    });
    assert_eq!(of_broker[&up], 1.0);
    let ages = |figures: &Figures| -> BTreeSet<(String, Labels)> {
        figures.keys().filter(|(name, _)| name == "freshet_consumergroup_lag_seconds").cloned().collect()
    };
    assert!(!ages(&figures).is_empty() && ages(&of_broker) == ages(&figures), "{of_broker:?}");

    drop((member, admin, producer));
    drop(broker);
    until("the silence is told", || {
        figures = told.scrape();
        figures[&up] == 0.0
    });
    assert_eq!(figures.len(), 1, "{figures:?}");
}

/// A broker alone tells of its requests, and a fetch that waits for records is not slow.
#[test]
fn a_broker_tells_how_long_requests_take_without_what_they_wait_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = freshet();
    command.args(["broker", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    // Its address is on standard output, its metrics' on standard error.
    let (told, address) = broker_with_metrics(command);
    let has_requests =
        |figures: &Figures| figures.keys().any(|(name, _)| name.starts_with("freshet_broker_"));
    let figures = told.scrape();
    let info = series("kafka_broker_info", [("id", &1.into()), ("address", &address.as_str().into())]);
    assert!(
        !has_requests(&figures) && figures[&info] == 1.0,
        "no client has asked for anything: {figures:?}"
    );
    let request = ApiVersionsRequest::default();
    call(&address, 0, &request);
    let settings = Settings::new(&address);
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    admin.create(&[NewTopic { name: "empty".into(), partitions: 1, configs: Vec::new() }]).unwrap();
    drop(admin);
    let waits_ms = 2_000;
    let partitions =
        vec![FetchPartition { partition: 0, partition_max_bytes: 1 << 20, ..FetchPartition::default() }];
    let topics = vec![FetchTopic { topic: "empty".into(), partitions, ..FetchTopic::default() }];
    let fetch = FetchRequest {
        max_wait_ms: waits_ms,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics,
        ..FetchRequest::default()
    };
    call(&address, 11, &fetch);
    let figures = told.scrape();
    let of = |name: &str, request: &str| {
        let labels = Labels::from([("request".to_owned(), request.to_owned())]);
        figures[&(format!("freshet_broker_{name}"), labels)]
    };
    assert_eq!(of("request_seconds_count", "Fetch"), 1.0);
    let took = Duration::from_secs_f64(of("request_seconds_sum", "Fetch"));
    assert!(took > Duration::ZERO && took < Duration::from_millis(waits_ms as u64) / 2, "{took:?}");
    let length = encode_request(11, 1, "test", &fetch).len() - 4;
    assert_eq!(of("request_bytes_total", "Fetch"), length as f64);
    assert!(of("response_bytes_total", "Fetch") > 20.0);
    assert!(
        of("request_seconds_count", "ApiVersions") >= 1.0
            && of("request_seconds_count", "CreateTopics") == 1.0
    );
    for request in ["Fetch", "CreateTopics"] {
        let bucket = |le: &str| {
            let labels =
                [("request", request), ("le", le)].map(|(name, value)| (name.to_owned(), value.to_owned()));
            figures[&("freshet_broker_request_seconds_bucket".to_owned(), Labels::from(labels))]
        };
        assert!(
            bucket("+Inf") == of("request_seconds_count", request) && bucket("0.001") <= bucket("1"),
            "{request}"
        );
    }
}

fn broker_with_metrics(mut command: Command) -> (Told, String) {
    command
        .args(["--metrics", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let [out, err] = [lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap())];
    let listens = out.recv_timeout(PATIENCE).unwrap();
    let metrics = err.recv_timeout(PATIENCE).unwrap();
    let address = metrics.split_once("http://").unwrap().1.strip_suffix("/metrics").unwrap().to_owned();
    (Told { child, address }, listens.rsplit(' ').next().unwrap().to_owned())
}

/// Those who connect and say nothing are sent away, and a scrape gets its turn.
#[test]
fn clients_that_say_nothing_do_not_keep_a_scrape_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = freshet();
    command.args(["broker", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let (told, address) = broker_with_metrics(command);
    // Each of them is given longer than a scrape may take: one after the other, they took all day.
    let silent: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(&told.address).unwrap()).collect();
    let mut slow = TcpStream::connect(&told.address).unwrap();
    slow.write_all(b"GET /metr").unwrap();
    call(&address, 0, &ApiVersionsRequest::default());
    let began = wall_ms();
    assert!(!told.scrape().is_empty());
    assert!(wall_ms() - began < 2_000, "no client is waited for: {} ms", wall_ms() - began);
    for mut client in silent {
        let read = client.read(&mut [0]);
        assert!(matches!(read, Ok(0)) || read.is_err(), "it is hung up on: {read:?}");
    }
}

/// Everything that can be told: a busy afternoon of a show, and the requests of a broker.
fn everything() -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let mut command = freshet();
    command.args(["broker", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let (told, address) = broker_with_metrics(command);
    call(&address, 0, &ApiVersionsRequest::default());
    let mut all = told.scrape();
    all.extend(parse(&sample(Sample::Normal)));
    all
}

/// What is told of a made-up show.
fn sample(sample: Sample) -> String {
    let mut snapshot = sample.snapshot();
    snapshot.taken_at_ms = wall_ms();
    // A sample may have what no cluster has: two groups of one name.
    let mut seen = BTreeSet::new();
    snapshot.groups.data.retain(|group| seen.insert(group.id.clone()));
    for group in &mut snapshot.groups.data {
        let mut seen = BTreeSet::new();
        group.partitions.retain(|at| seen.insert((at.topic.clone(), at.partition)));
    }
    let log = LogPoll { topic: "card_swipes".into(), end: 100, ..LogPoll::default() };
    let metrics = ShowMetrics::default();
    let mut cluster = ClusterView::default();
    cluster.take(wall_ms(), ClusterPoll { logs: vec![log], ..ClusterPoll::default() });
    metrics.take(&snapshot, &cluster, |_| None);
    let (mut registry, mut text) = (Registry::default(), String::new());
    metrics.register(&mut registry);
    encode(&mut text, &registry).unwrap();
    text
}

#[test]
fn every_metric_of_the_grafana_dashboard_exists_with_the_labels_that_it_shows() {
    let all = everything();
    let text = std::fs::read_to_string(repository().join("examples/grafana/freshet.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut named = BTreeSet::new();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let query = target["expr"].as_str().unwrap();
        let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let metrics: Vec<&str> =
            words.filter(|word| word.starts_with("kafka_") || word.starts_with("freshet_")).collect();
        assert_eq!(metrics.len(), 1, "{query}");
        let of_metric: Vec<&Labels> =
            all.keys().filter(|(name, _)| name == metrics[0]).map(|(_, labels)| labels).collect();
        assert!(!of_metric.is_empty(), "no scrape has {}", metrics[0]);
        let grouped = query.split(" by (").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        let shown = target["legendFormat"].as_str().unwrap().split("{{").skip(1);
        let shown = shown.filter_map(|rest| Some(rest.split_once("}}")?.0));
        for label in grouped.flat_map(|names| names.split(", ")).chain(shown) {
            assert!(of_metric.iter().all(|labels| labels.contains_key(label)), "{query}: {label}");
        }
        named.insert(metrics[0].to_owned());
    }
    let what =
        ["consumergroup_lag", "lag_seconds", "waiting_dollars", "current_offset", "bill_", "request_seconds"];
    for what in what {
        assert!(named.iter().any(|name| name.contains(what)), "no panel shows {what}");
    }
}

/// A parser that was written elsewhere reads the same, whatever the cluster's names are.
#[test]
fn the_python_client_of_prometheus_reads_the_same() {
    let script = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as parse\n\
                  print(sum(len(f.samples) for f in parse(sys.stdin.read())))";
    for text in [sample(Sample::Normal), sample(Sample::Extreme)] {
        let python = repository().join("target/clients/bin/python");
        let mut child = Command::new(&python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: run `make test`", python.display()));
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{text}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), parse(&text).len().to_string());
    }
}
