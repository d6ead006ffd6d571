use dashboard::{Bill, Cluster, Lanes, Sourced};
use prometheus_client::encoding::prometheus_text::encode;

use super::*;
use crate::observe::ClusterPoll;

const NOW_MS: i64 = 1_772_535_600_000;

/// The metrics as a scrape at a moment finds them.
#[derive(Debug)]
struct At(ShowMetrics, i64);

impl Collector for At {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.figures().encode(encoder, self.1)
    }
}

fn scrape(metrics: &ShowMetrics, now_ms: i64) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(At(metrics.clone(), now_ms)));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

fn log(partition: i32, end: i64) -> LogPoll {
    let (leader, replicas, in_sync) = (Some(1), vec![2, 1, 3], vec![1, 3]);
    LogPoll { topic: "card_swipes".into(), partition, start: 3, end, leader, replicas, in_sync }
}

fn at(partition: i32, committed: Option<i64>, lag: Option<u64>, lag_ms: Option<f64>) -> GroupPartition {
    GroupPartition {
        topic: "card_swipes".into(),
        partition,
        committed,
        lag_records: lag,
        lag_ms,
        ..GroupPartition::default()
    }
}

fn group(id: &str, partitions: Vec<GroupPartition>) -> Group {
    Group { id: id.into(), partitions, lag_records: Some(0), ..Group::default() }
}

/// Two partitions, a group that has committed in one of them, and a bill of three lines.
fn snapshot() -> Snapshot {
    let fraud = Group {
        waiting: Some(Waiting { cases: 7, what: "swipes unscored".into(), cents: Some(123_450) }),
        lag_records: Some(10),
        ..group("fraud", vec![at(0, Some(90), Some(10), Some(2_500.0)), at(1, None, None, None)])
    };
    let line = |key: &str, name: &str, unit| BillItem {
        key: key.into(),
        name: name.into(),
        unit,
        stream: Some(1_250.0),
        batch: Some(80_000.0),
        cases: Some(4_000),
        ..BillItem::default()
    };
    let unknown = BillItem { key: "wrong_texts".into(), name: "wrong texts".into(), ..BillItem::default() };
    let clicks = BillItem { stale_model: Some(9.5), ..line("missed_clicks", "missed clicks", Unit::Count) };
    let items = vec![line("money_cents", "fraud loss + wrong declines, $", Unit::Cents), clicks, unknown];
    Snapshot {
        taken_at_ms: NOW_MS,
        cluster: Sourced::live(Cluster::default()),
        groups: Sourced::live(vec![fraud]),
        lanes: Sourced::live(Lanes { bill: Bill { items }, ..Lanes::default() }),
        ..Snapshot::default()
    }
}

fn taken(snapshot: &Snapshot, logs: &[LogPoll]) -> ShowMetrics {
    let metrics = ShowMetrics::default();
    let nothing = |group: &str| {
        (group == "fraud").then(|| Waiting { cases: 0, what: "swipes unscored".into(), cents: Some(0) })
    };
    let mut cluster = ClusterView::default();
    let brokers = vec![(1, "localhost:9092".into()), (2, "b:9092".into())];
    cluster.take(NOW_MS, ClusterPoll { brokers, logs: logs.to_vec(), ..ClusterPoll::default() });
    metrics.take(snapshot, &cluster, nothing);
    metrics
}

/// The lines that are no comments.
fn series(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn everything_that_is_known_has_its_series_and_nothing_else_has_one() {
    let text = scrape(&taken(&snapshot(), &[log(0, 100), log(1, 50)]), NOW_MS);
    let expected = r#"freshet_cluster_up 1
kafka_brokers 2
kafka_broker_info{id="1",address="localhost:9092"} 1
kafka_broker_info{id="2",address="b:9092"} 1
kafka_topic_partitions{topic="card_swipes"} 2
kafka_topic_partition_current_offset{topic="card_swipes",partition="0"} 100
kafka_topic_partition_current_offset{topic="card_swipes",partition="1"} 50
kafka_topic_partition_oldest_offset{topic="card_swipes",partition="0"} 3
kafka_topic_partition_oldest_offset{topic="card_swipes",partition="1"} 3
kafka_topic_partition_leader{topic="card_swipes",partition="0"} 1
kafka_topic_partition_leader{topic="card_swipes",partition="1"} 1
kafka_topic_partition_leader_is_preferred{topic="card_swipes",partition="0"} 0
kafka_topic_partition_leader_is_preferred{topic="card_swipes",partition="1"} 0
kafka_topic_partition_replicas{topic="card_swipes",partition="0"} 3
kafka_topic_partition_replicas{topic="card_swipes",partition="1"} 3
kafka_topic_partition_in_sync_replica{topic="card_swipes",partition="0"} 2
kafka_topic_partition_in_sync_replica{topic="card_swipes",partition="1"} 2
kafka_topic_partition_under_replicated_partition{topic="card_swipes",partition="0"} 1
kafka_topic_partition_under_replicated_partition{topic="card_swipes",partition="1"} 1
kafka_consumergroup_members{consumergroup="fraud"} 0
kafka_consumergroup_current_offset{consumergroup="fraud",topic="card_swipes",partition="0"} 90
kafka_consumergroup_current_offset_sum{consumergroup="fraud",topic="card_swipes"} 90
kafka_consumergroup_lag{consumergroup="fraud",topic="card_swipes",partition="0"} 10
kafka_consumergroup_lag_sum{consumergroup="fraud",topic="card_swipes"} 10
freshet_consumergroup_lag_seconds{consumergroup="fraud",topic="card_swipes",partition="0"} 2.5
freshet_waiting_cases{consumergroup="fraud",what="swipes unscored"} 7
freshet_waiting_dollars{consumergroup="fraud"} 1234.5
freshet_bill_money_dollars{lane="stream"} 12.5
freshet_bill_money_dollars{lane="batch"} 800.0
freshet_bill_missed_clicks{lane="stream"} 1250.0
freshet_bill_missed_clicks{lane="batch"} 80000.0
freshet_bill_missed_clicks{lane="stale_model"} 9.5
freshet_bill_cases{line="money_dollars"} 4000
freshet_bill_cases{line="missed_clicks"} 4000"#;
    assert_eq!(series(&text).join("\n"), expected);
    // Every figure says what it is, and what is simulated says so.
    let names: Vec<&str> = series(&text).iter().filter_map(|line| line.split(['{', ' ']).next()).collect();
    for name in names {
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        let help = help.unwrap_or_else(|| panic!("{name} has no help"));
        let is_simulated = name.starts_with("freshet_bill") || name == "freshet_waiting_dollars";
        assert!(!is_simulated || help.contains("imulated"), "{name}: {help}");
        assert!(text.contains(&format!("# TYPE {name} gauge\n")), "{name}");
    }
}

#[test]
fn a_silent_cluster_and_a_show_that_stands_have_no_figures() {
    let silent = "freshet_cluster_up 0";
    assert_eq!(series(&scrape(&ShowMetrics::default(), NOW_MS)), [silent], "nothing was seen yet");
    let mut stale = snapshot();
    stale.cluster.source = Source::Stale { for_ms: 2_000, reason: "connection refused".into() };
    assert_eq!(series(&scrape(&taken(&stale, &[log(0, 100)]), NOW_MS)), [silent]);
    let live = taken(&snapshot(), &[log(0, 100)]);
    assert!(series(&scrape(&live, NOW_MS + STANDS_MS - 1)).len() > 1);
    assert_eq!(series(&scrape(&live, NOW_MS + STANDS_MS)), [silent]);
}

/// A graph of what waits goes down to zero, and does not end there.
#[test]
fn nothing_that_waits_is_zero_and_not_unknown() {
    let mut all_read = snapshot();
    all_read.groups.data = vec![
        group("fraud", vec![at(0, Some(100), Some(0), Some(0.0))]),
        group("a student's", vec![at(0, Some(100), Some(0), Some(0.0))]),
    ];
    let waiting = |snapshot: &Snapshot| {
        let text = scrape(&taken(snapshot, &[log(0, 100)]), NOW_MS);
        series(&text)
            .iter()
            .filter(|line| line.contains("waiting"))
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        waiting(&all_read),
        [
            r#"freshet_waiting_cases{consumergroup="fraud",what="swipes unscored"} 0"#,
            r#"freshet_waiting_dollars{consumergroup="fraud"} 0.0"#
        ]
    );
    all_read.groups.data[0].lag_records = None;
    assert!(waiting(&all_read).is_empty(), "what is unknown is not zero");
}

#[test]
fn a_name_from_outside_ends_no_label_and_no_line() {
    let mut named = snapshot();
    named.groups.data = vec![group("a\"} 1\nforged{x=\"\\\u{1b}[2J", vec![])];
    let logs = [LogPoll { topic: "t\"\\".into(), ..log(0, 1) }];
    let text = scrape(&taken(&named, &logs), NOW_MS);
    let escaped = r#"{consumergroup="a\"} 1\\nforged{x=\"\\\\\\u{1b}[2J"} 0"#;
    assert!(text.contains(&format!("kafka_consumergroup_members{escaped}\n")), "{text}");
    assert!(text.contains(r#"kafka_topic_partitions{topic="t\"\\\\"} 1"#), "{text}");
    assert!(!text.contains(|char| char != '\n' && text::is_unsafe(char)), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
}

/// A name may hold what another is escaped to.
#[test]
fn no_two_names_are_one_series() {
    let mut named = snapshot();
    named.groups.data = ["a\u{1b}", r"a\u{1b}", r"a\\u{1b}"].map(|name| group(name, vec![])).into();
    let text = scrape(&taken(&named, &[]), NOW_MS);
    let members: std::collections::BTreeSet<_> =
        text.lines().filter(|line| line.starts_with("kafka_consumergroup_members{")).collect();
    assert_eq!(members.len(), 3, "{text}");
}
