//! `freshet groups reset`: moving the committed offsets of a group.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use client::{Admin, NoSuchTopic, Offsets, TopicInfo, TopicPartition};
use scenarios::clock::wall_ms;
use serde_json::json;
use text::{Table, plural};

use super::{committed, connect, every_partition, explained, number, refuse_in_use};
use crate::cli::{Format, ResetGroupArgs, ResetTo, SomePartitions, Start};
use crate::output::print;

/// Shows where the group reads on and where it would, and moves it there if it is asked to.
pub(super) fn run(args: &ResetGroupArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let groups = admin.groups()?;
    let group = groups.iter().find(|group| group.id == args.group);
    if let Some(group) = group {
        refuse_in_use(group, &group.members.iter().collect::<Vec<_>>(), "move its offsets")?;
    }
    let moves = moves(&admin, args)?;
    let mut table = Table::new(&["topic", "partition", "old", "new", "lag then", "note"]);
    for Move { at, old, wanted, offsets } in &moves {
        let new = offsets.nearest(*wanted);
        match args.format {
            Format::Text => table.row([
                at.topic.clone(),
                at.partition.to_string(),
                number(*old),
                new.to_string(),
                offsets.lag(new).to_string(),
                if new == *wanted { String::new() } else { format!("{wanted} is not there") },
            ]),
            Format::Jsonl => {
                let line = json!({
                    "group": args.group, "topic": at.topic, "partition": at.partition,
                    "old": old, "new": new, "wanted": wanted, "executed": args.execute,
                });
                print(|out| writeln!(out, "{line}"))?;
            }
        }
    }
    if args.execute {
        let to: Vec<_> = moves.iter().map(|to| (to.at.clone(), to.offsets.nearest(to.wanted))).collect();
        admin.reset(&args.group, &to).map_err(|error| explained(error.into(), group))?;
    }
    if args.format == Format::Text {
        print(|out| write!(out, "{table}"))?;
    }
    let count = plural(moves.len() as u64, "partition");
    if args.execute {
        say!("{}: the committed offsets of {count} are set", args.group);
    } else {
        let new = if group.is_none() { " (a group that is not there yet)" } else { "" };
        say!("{}{new}: nothing is moved; with --execute {count} would be", args.group);
    }
    Ok(())
}

/// What is moved from where to where.
struct Move {
    at: TopicPartition,
    old: Option<i64>,
    /// What was asked for; the log may have no such offset.
    wanted: i64,
    offsets: Offsets,
}

fn moves(admin: &Admin, args: &ResetGroupArgs) -> Result<Vec<Move>> {
    let topics = admin.topics()?;
    let mut partitions =
        if args.all_topics { every_partition(&topics) } else { named(&topics, admin, &args.topic)? };
    let mut committed = committed(admin, &args.group, &partitions)?;
    if args.all_topics {
        (partitions, committed) =
            (partitions.into_iter().zip(committed)).filter(|(_, old)| old.is_some()).unzip();
        if partitions.is_empty() {
            bail!("the group {} has committed nothing yet: name what it is to read with --topic", args.group);
        }
    }
    let offsets = admin.offsets(&partitions)?;
    let since = match args.to {
        ResetTo::Place(Start::Sent(moment)) => admin.offsets_since(&partitions, moment.ms(wall_ms()))?,
        ResetTo::Place(Start::Beginning | Start::End | Start::Offset(_)) | ResetTo::By(_) => {
            vec![None; partitions.len()]
        }
    };
    let mut moves = Vec::new();
    for (((at, old), offsets), since) in partitions.into_iter().zip(committed).zip(offsets).zip(since) {
        let Some(offsets) = offsets else { bail!("{at}: the cluster doesn't say where it ends: try again") };
        let wanted = match args.to {
            ResetTo::Place(Start::Beginning) => offsets.earliest,
            ResetTo::Place(Start::End) => offsets.latest,
            ResetTo::Place(Start::Offset(offset)) => offset,
            // Nothing was sent since: as Kafka does, what comes next.
            ResetTo::Place(Start::Sent(_)) => since.unwrap_or(offsets.latest),
            ResetTo::By(records) => old
                .with_context(|| {
                    format!(
                        "{at}: nothing is committed to count from: write beginning, end, an offset or a time"
                    )
                })?
                .saturating_add(records),
        };
        moves.push(Move { at, old, wanted, offsets });
    }
    Ok(moves)
}

/// The partitions that are named, each once.
fn named(topics: &[TopicInfo], admin: &Admin, named: &[SomePartitions]) -> Result<Vec<TopicPartition>> {
    let mut all = Vec::new();
    for SomePartitions { topic, partitions } in named {
        let Some(info) = topics.iter().find(|info| info.name == *topic) else {
            let servers = admin.settings().servers().to_owned();
            return Err(NoSuchTopic { topic: topic.clone(), servers }.into());
        };
        if let Some(none) = partitions.iter().find(|number| **number >= info.partitions) {
            bail!("{topic} has no partition {none}: they are numbered from 0 to {}", info.partitions - 1);
        }
        let numbers = if partitions.is_empty() { (0..info.partitions).collect() } else { partitions.clone() };
        all.extend(numbers.into_iter().map(|number| TopicPartition::new(topic.as_str(), number)));
    }
    all.sort();
    all.dedup();
    Ok(all)
}
