//! `freshet topics describe`: where a topic's partitions are, what they hold, how it is set.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;
use client::direct::Connection;
use client::{Admin, Setting, SettingSource, TopicLayout};
use serde_json::json;
use text::{Table, escape, plural};

use super::{
    PATIENCE, connect, count, find, is_internal, kept, number, offsets, policy, replication, unknown,
};
use crate::cli::{DescribeTopicArgs, Format};
use crate::output::print;

/// Prints one topic.
pub(super) fn run(args: &DescribeTopicArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let topic = find(&admin, &args.topic)?;
    let offsets = offsets(&admin, std::slice::from_ref(&topic))?;
    // Who may read a topic need not be allowed to read its settings.
    let settings = admin.topic_settings(&[&topic.name]).unwrap_or_default().remove(&topic.name);
    let policy = settings.clone().and_then(policy);
    let eligible = eligible_leaders(&admin, &topic.name);
    let shown = |setting: &&Setting| args.all || setting.source != SettingSource::Default;
    if args.format == Format::Jsonl {
        let partitions: Vec<_> = (topic.partitions.iter().zip(&offsets))
            .map(|(at, offsets)| {
                json!({
                    "partition": at.partition, "leader": at.leader, "replicas": at.replicas, "isr": at.in_sync,
                    "elr": eligible.as_ref().and_then(|all| all.get(&at.partition)),
                    "log_start": offsets.map(|offsets| offsets.earliest),
                    "log_end": offsets.map(|offsets| offsets.latest),
                })
            })
            .collect();
        let settings = settings.map(|all| {
            let setting = |setting: &Setting| {
                json!({ "name": setting.name, "value": setting.value, "set_by": set_by(setting.source) })
            };
            all.iter().filter(shown).map(setting).collect::<Vec<_>>()
        });
        let line = json!({
            "topic": topic.name, "replication_factor": replication(&topic), "cleanup_policy": policy,
            "internal": is_internal(&topic.name), "partitions": partitions, "settings": settings,
        });
        return print(|out| writeln!(out, "{line}"));
    }
    // Where all have their replicas, there is none.
    let eligible = eligible.filter(|all| all.values().any(|of_one| !of_one.is_empty()));
    let mut head = vec!["partition", "leader", "replicas", "ISR", "log start", "log end", "records"];
    head.extend(eligible.is_some().then_some("ELR"));
    let mut table = Table::new(&head);
    for (at, offsets) in topic.partitions.iter().zip(offsets) {
        let mut row = vec![
            at.partition.to_string(),
            number(at.leader),
            ids(&at.replicas),
            ids(&at.in_sync),
            number(offsets.map(|offsets| offsets.earliest)),
            number(offsets.map(|offsets| offsets.latest)),
            kept(&[offsets], policy.as_ref()),
        ];
        row.extend(eligible.as_ref().map(|all| all.get(&at.partition).map_or_else(unknown, |of| ids(of))));
        table.push(row);
    }
    print(|out| {
        writeln!(out, "{}", headline(&topic, policy.as_deref()))?;
        write!(out, "\n{table}\n")?;
        match &settings {
            None => writeln!(out, "The cluster does not tell the settings of this topic."),
            Some(all) => {
                let shown: Vec<_> = all.iter().filter(shown).collect();
                if shown.is_empty() {
                    return writeln!(out, "All settings have their defaults (--all shows them).");
                }
                write!(out, "{}", table_of(&shown))
            }
        }
    })
}

/// Who may lead each partition besides those in sync; none where the cluster does not tell, as
/// before Kafka 4.0.
fn eligible_leaders(admin: &Admin, topic: &str) -> Option<BTreeMap<i32, Vec<i32>>> {
    let mut connection = Connection::reach(admin.settings(), "", PATIENCE).ok()?;
    connection.eligible_leaders(topic).ok()
}

fn headline(topic: &TopicLayout, policy: Option<&str>) -> String {
    let mut words = format!(
        "{}: {}, replication factor {}, cleanup.policy {}",
        escape(&topic.name),
        plural(topic.partitions.len() as u64, "partition"),
        number(replication(topic)),
        policy.map_or_else(unknown, |policy| escape(policy).into_owned()),
    );
    if is_internal(&topic.name) {
        words += ", internal (Kafka keeps it for itself)";
    }
    let behind = topic.partitions.iter().filter(|at| at.in_sync.len() < at.replicas.len()).count();
    if behind > 0 {
        words += &format!("; {} of them under-replicated", count(behind as i64));
    }
    words
}

fn table_of(settings: &[&Setting]) -> Table {
    let mut table = Table::new(&["setting", "value", "set by"]);
    for Setting { name, value, source } in settings {
        let value = value.clone().unwrap_or_else(|| "(secret)".to_owned());
        table.row([name.clone(), value, set_by(*source).to_owned()]);
    }
    table
}

fn set_by(source: SettingSource) -> &'static str {
    match source {
        SettingSource::Default => "default",
        SettingSource::Broker => "broker",
        SettingSource::Topic => "topic",
    }
}

fn ids(brokers: &[i32]) -> String {
    brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
