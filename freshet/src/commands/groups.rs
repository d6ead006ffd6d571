//! `freshet groups`: who reads, how far they are, and how far behind.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use client::{Admin, TopicPartition};
use serde_json::json;
use text::Table;

use super::settings;
use crate::cli::{Format, ListArgs};
use crate::output::print;

/// Prints every group's partitions with the committed offset, the log's end, and what lies between.
pub(crate) fn run(args: &ListArgs) -> Result<()> {
    let admin = Admin::connect(&settings(&args.cluster, "groups"), Duration::from_secs(5))?;
    let partitions: Vec<TopicPartition> = admin
        .topics()?
        .into_iter()
        .filter(|topic| !topic.name.starts_with("__"))
        .flat_map(|topic| {
            (0..topic.partitions).map(move |partition| TopicPartition::new(topic.name.clone(), partition))
        })
        .collect();
    let mut table =
        Table::new(&["group", "state", "topic", "partition", "committed", "log end", "lag", "owner"]);
    for group in admin.groups()? {
        let committed = admin.committed_offsets(&group.id, &partitions)?;
        // The ends are read after the committed offsets: a lag that is slightly too large is
        // honest, a negative one is impossible.
        let offsets = admin.offsets(&partitions)?;
        for ((at, committed), offsets) in partitions.iter().zip(committed).zip(offsets) {
            let owner = group.members.iter().find(|member| member.partitions.contains(at));
            if committed.is_none() && owner.is_none() {
                continue;
            }
            let lag = committed.zip(offsets).map(|(committed, offsets)| offsets.lag(committed));
            let end = offsets.map(|offsets| offsets.latest);
            let owner = owner.map(|member| member.client_id.clone());
            match args.format {
                Format::Text => table.row([
                    group.id.clone(),
                    group.state.clone(),
                    at.topic.clone(),
                    at.partition.to_string(),
                    number(committed),
                    number(end),
                    number(lag),
                    owner.unwrap_or_else(|| "–".to_owned()),
                ]),
                Format::Jsonl => print(|out| {
                    let line = json!({
                        "group": group.id, "state": group.state, "topic": at.topic, "partition": at.partition,
                        "committed": committed, "log_end": end, "lag_records": lag, "owner": owner,
                    });
                    writeln!(out, "{line}")
                })?,
            }
        }
    }
    match args.format {
        Format::Text => print(|out| write!(out, "{table}")),
        Format::Jsonl => Ok(()),
    }
}

/// What is unknown is not zero.
fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
