//! `freshet topics`: what there is to read, and creating, altering and deleting it.

mod change;
mod describe;

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use client::{Admin, NoSuchTopic, Offsets, Setting, TopicLayout, TopicPartition};
use serde_json::json;
use text::{Table, grouped};

use super::{PATIENCE, settings};
use crate::cli::{ClusterArgs, Format, TopicsArgs, TopicsCommand};
use crate::output::print;

/// The topics that Kafka keeps for itself, and what is in them.
const INTERNAL: [(&str, &str); 3] = [
    ("__consumer_offsets", "how far all consumer groups are"),
    ("__share_group_state", "how far all share groups are"),
    ("__transaction_state", "the transactions of all producers"),
];
/// The settings of so many topics are asked for in one request.
const TOPICS_A_REQUEST: usize = 500;

/// Prints every topic, or does to one what is asked for.
pub(crate) fn run(args: &TopicsArgs) -> Result<()> {
    match &args.command {
        None => list(args),
        Some(TopicsCommand::Describe(args)) => describe::run(args),
        Some(TopicsCommand::Create(args)) => change::create(args),
        Some(TopicsCommand::Alter(args)) => change::alter(args),
        Some(TopicsCommand::Delete(args)) => change::delete(args),
    }
}

fn connect(cluster: &ClusterArgs) -> Result<Admin> {
    Ok(Admin::connect(&settings(cluster, "topics")?, PATIENCE)?)
}

/// Prints every topic with its partitions, how it is kept, how many records that are, and how many
/// have been written.
fn list(args: &TopicsArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let topics = admin.layout()?;
    let policies = policies(&admin, &topics);
    let heads =
        ["topic", "partitions", "replication", "cleanup.policy", "records now", "total written", "internal"];
    let mut table = Table::new(&heads);
    let mut offsets = offsets(&admin, &topics)?.into_iter();
    for topic in topics {
        let offsets: Vec<_> = offsets.by_ref().take(topic.partitions.len()).collect();
        let policy = policies.get(&topic.name);
        let is_internal = is_internal(&topic.name);
        match args.format {
            Format::Text => table.row([
                topic.name.clone(),
                topic.partitions.len().to_string(),
                number(replication(&topic)),
                policy.cloned().unwrap_or_else(unknown),
                kept(&offsets, policy),
                sum(&offsets, |offsets| offsets.latest).map_or_else(unknown, count),
                (if is_internal { "yes" } else { "no" }).to_owned(),
            ]),
            Format::Jsonl => {
                let partitions: Vec<_> = (topic.partitions.iter().zip(&offsets))
                    .map(|(at, offsets)| {
                        json!({
                            "partition": at.partition,
                            "log_start": offsets.map(|offsets| offsets.earliest),
                            "log_end": offsets.map(|offsets| offsets.latest),
                        })
                    })
                    .collect();
                let line = json!({
                    "topic": topic.name, "partitions": partitions, "replication_factor": replication(&topic),
                    "cleanup_policy": policy, "internal": is_internal,
                });
                print(|out| writeln!(out, "{line}"))?;
            }
        }
    }
    match args.format {
        Format::Text => print(|out| write!(out, "{table}")),
        Format::Jsonl => Ok(()),
    }
}

fn is_internal(topic: &str) -> bool {
    INTERNAL.iter().any(|(name, _)| *name == topic)
}

/// The topic of this name. Asked of the list, for to ask for a topic by its name may make it.
fn find(admin: &Admin, name: &str) -> Result<TopicLayout> {
    let found = admin.layout()?.into_iter().find(|topic| topic.name == name);
    let missing = || NoSuchTopic { topic: name.to_owned(), servers: admin.settings().servers().to_owned() };
    Ok(found.ok_or_else(missing)?)
}

fn partitions(topic: &TopicLayout) -> impl Iterator<Item = TopicPartition> {
    topic.partitions.iter().map(|at| TopicPartition::new(&*topic.name, at.partition))
}

/// What the partitions of these topics hold, one after the other. A partition that nobody leads is
/// not asked for: the whole answer would wait for it.
fn offsets(admin: &Admin, topics: &[TopicLayout]) -> Result<Vec<Option<Offsets>>> {
    let of_topic =
        |topic: &TopicLayout| topic.partitions.iter().map(|at| at.leader.is_some()).collect::<Vec<_>>();
    let led: Vec<bool> = topics.iter().flat_map(of_topic).collect();
    let asked = topics.iter().flat_map(partitions).zip(&led).filter_map(|(at, led)| led.then_some(at));
    let mut told = admin.offsets(&asked.collect::<Vec<_>>())?.into_iter();
    Ok(led.iter().map(|led| if *led { told.next().flatten() } else { None }).collect())
}

/// The replicas of each partition: the most, while a reassignment goes on.
fn replication(topic: &TopicLayout) -> Option<usize> {
    topic.partitions.iter().map(|at| at.replicas.len()).max()
}

/// The cleanup policy of each topic whose settings may be read: who may list topics need not be
/// allowed to do that.
fn policies(admin: &Admin, topics: &[TopicLayout]) -> BTreeMap<String, String> {
    let mut policies = BTreeMap::new();
    for some in topics.chunks(TOPICS_A_REQUEST) {
        let names: Vec<&str> = some.iter().map(|topic| &*topic.name).collect();
        let settings = admin.topic_settings(&names).unwrap_or_default();
        policies.extend(settings.into_iter().filter_map(|(name, settings)| Some((name, policy(settings)?))));
    }
    policies
}

fn policy(settings: Vec<Setting>) -> Option<String> {
    settings.into_iter().find(|setting| setting.name == "cleanup.policy")?.value
}

/// How many records there are to read. Offsets tell it, but compaction leaves gaps in them.
fn kept(offsets: &[Option<Offsets>], policy: Option<&String>) -> String {
    let has_gaps = policy.is_some_and(|policy| policy.contains("compact"));
    let most = sum(offsets, |offsets| offsets.latest - offsets.earliest);
    match most {
        Some(most) if has_gaps && most > 0 => format!("≤ {}", count(most)),
        _ => most.map_or_else(unknown, count),
    }
}

/// The sum over all partitions; none where one of them doesn't say.
fn sum(offsets: &[Option<Offsets>], of: fn(&Offsets) -> i64) -> Option<i64> {
    offsets.iter().map(|offsets| offsets.as_ref().map(of)).sum()
}

fn count(number: i64) -> String {
    grouped(number.max(0) as u64)
}

fn unknown() -> String {
    "–".to_owned()
}

/// What is unknown is not zero.
fn number(value: Option<impl ToString>) -> String {
    value.map_or_else(unknown, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_a_compacted_topic_are_the_most_records_that_it_can_have() {
        let two = [(0, 10), (1_000, 2_224)].map(|(earliest, latest)| Some(Offsets { earliest, latest }));
        assert_eq!(kept(&two, Some(&"delete".to_owned())), "1,234");
        assert_eq!(kept(&two, None), "1,234");
        for policy in ["compact", "compact,delete", "delete,compact"] {
            assert_eq!(kept(&two, Some(&policy.to_owned())), "≤ 1,234", "{policy}");
            assert_eq!(kept(&[], Some(&policy.to_owned())), "0", "{policy}");
        }
        assert_eq!(kept(&[two[0], None], None), "–", "what is unknown is not zero");
    }
}
