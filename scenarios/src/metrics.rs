//! What is shown of a cluster and its businesses, for Prometheus.
//!
//! [`ShowMetrics`] keeps the figures of the newest [`Snapshot`], and writes them when a scrape
//! asks: the screen and a scrape have one source, and say the same. What `kafka_exporter` tells has
//! its names and labels here too, so that dashboards and alerts made for it go on working.
//!
//! Three rules. *Unknown is not zero*: what is not known has no series. *Stale is not fresh*: while
//! the cluster is silent there is `freshet_cluster_up 0` and nothing else. A name from outside is
//! written without a character that a terminal obeys (`\u{1b}`), and with each backslash twice.
//!
//! # Simplifications
//! - Topics whose names begin with `__` are left out, as on the dashboard.
//! - A lag counts what can be read: records that retention has deleted are none, which
//!   `kafka_exporter` counts.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use dashboard::{BillItem, Group, GroupPartition, Snapshot, Source, Unit, Waiting};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use text::escape;

use crate::clock::wall_ms;
use crate::observe::{ClusterView, LogPoll};

/// Figures that are older, in milliseconds of wall-clock time, are those of a show that stands.
const STANDS_MS: i64 = 10_000;

/// The figures of the newest snapshot. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct ShowMetrics(Arc<Mutex<Arc<Figures>>>);

#[derive(Debug, Default)]
struct Figures {
    /// Wall-clock time, in milliseconds since 1970.
    taken_at_ms: i64,
    is_live: bool,
    brokers: Vec<(i32, String)>,
    logs: Vec<LogPoll>,
    groups: Vec<Group>,
    bill: Vec<BillItem>,
}

impl ShowMetrics {
    /// Has a registry tell it.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// Takes what a snapshot shows, and the brokers and partitions of its cluster;
    /// `nothing_waiting` says what waits for a group that has answered all.
    pub fn take(
        &self,
        snapshot: &Snapshot,
        cluster: &ClusterView,
        nothing_waiting: impl Fn(&str) -> Option<Waiting>,
    ) {
        let mut groups = snapshot.groups.data.clone();
        for group in groups.iter_mut().filter(|group| group.lag_records.is_some()) {
            group.waiting = group.waiting.take().or_else(|| nothing_waiting(&group.id));
        }
        self.keep(Figures {
            taken_at_ms: snapshot.taken_at_ms,
            is_live: snapshot.cluster.source == Source::Live,
            groups,
            bill: snapshot.lanes.data.bill.items.clone(),
            ..Figures::of(cluster)
        });
    }

    /// Takes a cluster that answered at `now_ms` of wall-clock time, and looks for no business in
    /// it.
    pub fn take_cluster(&self, now_ms: i64, cluster: &ClusterView) {
        let groups = cluster.groups(|_| false);
        self.keep(Figures { taken_at_ms: now_ms, is_live: true, groups, ..Figures::of(cluster) });
    }

    fn keep(&self, figures: Figures) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(figures);
    }

    /// Those at hand: a snapshot that comes meanwhile does not wait for the scrape that writes
    /// these.
    fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Collector for ShowMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.figures().encode(encoder, wall_ms())
    }
}

impl Figures {
    fn of(cluster: &ClusterView) -> Self {
        let brokers = cluster.brokers.clone().unwrap_or_default();
        Self { brokers, logs: cluster.last_logs.clone(), ..Self::default() }
    }

    fn encode(&self, encoder: DescriptorEncoder<'_>, now_ms: i64) -> fmt::Result {
        let mut page = Page(encoder);
        let is_up = self.is_live && now_ms - self.taken_at_ms < STANDS_MS;
        page.gauges(
            "freshet_cluster_up",
            "1 while the cluster answers; at 0 there are no other figures of it, for they would be old",
            [([], i64::from(is_up))],
        )?;
        if !is_up {
            return Ok(());
        }
        let count = Some(self.brokers.len() as i64).filter(|count| *count > 0);
        page.gauges("kafka_brokers", "Brokers of the cluster", count.map(|count| ([], count)))?;
        let labels = |(id, address): &(i32, String)| [("id", id.to_string()), ("address", address.clone())];
        page.gauges(
            "kafka_broker_info",
            "1 for each broker, with the address at which clients are told to reach it",
            self.brokers.iter().map(|broker| (labels(broker), 1_i64)),
        )?;
        self.topics(&mut page)?;
        self.groups(&mut page)?;
        self.waiting(&mut page)?;
        self.bill(&mut page)
    }

    fn topics(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut partitions: BTreeMap<&str, i64> = BTreeMap::new();
        for log in &self.logs {
            *partitions.entry(&log.topic).or_default() += 1;
        }
        let of_topics = partitions.into_iter().map(|(topic, count)| ([("topic", topic.to_owned())], count));
        page.gauges("kafka_topic_partitions", "Partitions of a topic", of_topics)?;
        let mut of_partitions = |name: &str, help: &str, value: fn(&LogPoll) -> Option<i64>| {
            let labels = |log: &LogPoll| [topic_label(&log.topic), partition_label(log.partition)];
            page.gauges(name, help, self.logs.iter().filter_map(|log| Some((labels(log), value(log)?))))
        };
        of_partitions(
            "kafka_topic_partition_current_offset",
            "The offset that the next record of a partition gets",
            |log| Some(log.end),
        )?;
        of_partitions(
            "kafka_topic_partition_oldest_offset",
            "The oldest offset of a partition that is still there",
            |log| Some(log.start),
        )?;
        of_partitions("kafka_topic_partition_leader", "The broker that leads a partition", |log| {
            log.leader.map(i64::from)
        })?;
        of_partitions(
            "kafka_topic_partition_leader_is_preferred",
            "1 if a partition is led by its preferred broker, the first of its replicas",
            |log| Some(i64::from(log.leader.is_some() && log.leader.as_ref() == log.replicas.first())),
        )?;
        of_partitions("kafka_topic_partition_replicas", "Replicas of a partition", |log| {
            Some(log.replicas.len() as i64)
        })?;
        of_partitions(
            "kafka_topic_partition_in_sync_replica",
            "Replicas of a partition that are in sync",
            |log| Some(log.in_sync.len() as i64),
        )?;
        of_partitions(
            "kafka_topic_partition_under_replicated_partition",
            "1 if a replica of a partition is not in sync",
            |log| Some(i64::from(log.in_sync.len() < log.replicas.len())),
        )
    }

    fn groups(&self, page: &mut Page<'_>) -> fmt::Result {
        page.gauges(
            "kafka_consumergroup_members",
            "Members of a consumer group",
            self.groups.iter().map(|group| ([group_label(group)], group.members.len() as i64)),
        )?;
        self.of_group_partitions(
            page,
            "kafka_consumergroup_current_offset",
            "The committed offset of a group: where it goes on in a partition",
            |at| at.committed,
        )?;
        self.of_group_topics(
            page,
            "kafka_consumergroup_current_offset_sum",
            "The committed offsets of a group, over all partitions of a topic",
            |at| at.committed,
        )?;
        self.of_group_partitions(
            page,
            "kafka_consumergroup_lag",
            "Records of a partition that a group has not committed",
            lag,
        )?;
        self.of_group_topics(
            page,
            "kafka_consumergroup_lag_sum",
            "Records that a group has not committed, over all partitions of a topic",
            lag,
        )?;
        self.of_group_partitions(
            page,
            "freshet_consumergroup_lag_seconds",
            "Age of the oldest record of a partition that a group has not committed; of one that was there before \
             the watching began, the time since then",
            |at| at.lag_ms.filter(|ms| ms.is_finite()).map(|ms| ms / 1_000.0),
        )
    }

    /// A gauge of each group and partition of which `value` knows one.
    fn of_group_partitions<V: EncodeGaugeValue>(
        &self,
        page: &mut Page<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&GroupPartition) -> Option<V>,
    ) -> fmt::Result {
        let all = self.groups.iter().flat_map(|group| group.partitions.iter().map(move |at| (group, at)));
        let labels = |group: &Group, at: &GroupPartition| {
            [group_label(group), topic_label(&at.topic), partition_label(at.partition)]
        };
        page.gauges(name, help, all.filter_map(|(group, at)| Some((labels(group, at), value(at)?))))
    }

    /// A gauge of each group and topic: the sum over the partitions of which `value` knows one.
    fn of_group_topics(
        &self,
        page: &mut Page<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&GroupPartition) -> Option<i64>,
    ) -> fmt::Result {
        let mut series = Vec::new();
        for group in &self.groups {
            let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
            for (topic, value) in group.partitions.iter().filter_map(|at| Some((&at.topic, value(at)?))) {
                let sum = sums.entry(topic).or_default();
                *sum = sum.saturating_add(value);
            }
            series
                .extend(sums.into_iter().map(|(topic, sum)| ([group_label(group), topic_label(topic)], sum)));
        }
        page.gauges(name, help, series)
    }

    fn waiting(&self, page: &mut Page<'_>) -> fmt::Result {
        let waiting = || self.groups.iter().filter_map(|group| Some((group, group.waiting.as_ref()?)));
        page.gauges(
            "freshet_waiting_cases",
            "Cases that wait for a group's answer",
            waiting().map(|(group, it)| ([group_label(group), ("what", it.what.clone())], it.cases)),
        )?;
        page.gauges(
            "freshet_waiting_dollars",
            "Money that waits for a group's decision. Simulated: no money moves",
            waiting()
                .filter_map(|(group, it)| Some(([group_label(group)], it.cents? as f64 / CENTS_PER_DOLLAR))),
        )
    }

    fn bill(&self, page: &mut Page<'_>) -> fmt::Result {
        for item in &self.bill {
            let lanes = [("stream", item.stream), ("batch", item.batch), ("stale_model", item.stale_model)];
            let in_unit = |amount: f64| match item.unit {
                Unit::Cents => amount / CENTS_PER_DOLLAR,
                Unit::Count => amount,
            };
            let known = lanes.into_iter().filter_map(|(lane, amount)| Some((lane, amount?)));
            page.gauges(
                &format!("freshet_bill_{}", line_of_bill(item)),
                &format!(
                    "The bill of being late: {}, by lane, since the counting began. Simulated, and so is the harm",
                    item.name
                ),
                known
                    .filter(|(_, amount)| amount.is_finite())
                    .map(|(lane, amount)| ([("lane", lane.to_owned())], in_unit(amount))),
            )?;
        }
        page.gauges(
            "freshet_bill_cases",
            "Simulated cases on which a line of the bill rests; the line freshet_bill_x has the label line=\"x\"",
            self.bill.iter().filter_map(|item| Some(([("line", line_of_bill(item))], item.cases?))),
        )
    }
}

const CENTS_PER_DOLLAR: f64 = 100.0;

/// What a line of the bill is called, with its unit: `money_dollars`.
fn line_of_bill(item: &BillItem) -> String {
    match (item.unit, item.key.strip_suffix("_cents")) {
        (Unit::Cents, Some(what)) => format!("{what}_dollars"),
        (Unit::Cents, None) => format!("{}_dollars", item.key),
        (Unit::Count, _) => item.key.clone(),
    }
}

fn lag(at: &GroupPartition) -> Option<i64> {
    at.lag_records.map(|records| i64::try_from(records).unwrap_or(i64::MAX))
}

type Label = (&'static str, String);

fn group_label(group: &Group) -> Label {
    ("consumergroup", group.id.clone())
}

fn topic_label(topic: &str) -> Label {
    ("topic", topic.to_owned())
}

fn partition_label(partition: i32) -> Label {
    ("partition", partition.to_string())
}

/// What is written for one scrape.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    /// A gauge with its help and all of its series; one without any is left out.
    fn gauges<V: EncodeGaugeValue, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([Label; N], V)>,
    ) -> fmt::Result {
        let mut series = series.into_iter().peekable();
        if series.peek().is_none() {
            return Ok(());
        }
        let mut gauge = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        series.try_for_each(|(labels, value)| gauge.encode_family(&Labels(&labels))?.encode_gauge(&value))
    }
}

/// Names from outside, of whatever characters. What ends a value or a line is escaped by the
/// encoder.
struct Labels<'a>(&'a [Label]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.0 {
            let mut label = encoder.encode_label();
            let mut key = label.encode_label_key()?;
            key.write_str(name)?;
            let mut text = key.encode_label_value()?;
            // A backslash of the name is written twice, so that no two names are written alike.
            text.write_str(&escape(&value.replace('\\', r"\\")))?;
            text.finish()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
