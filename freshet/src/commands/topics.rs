//! `freshet topics`: what there is to read.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use client::{Admin, TopicPartition};
use serde_json::json;
use text::Table;

use super::settings;
use crate::cli::{Format, ListArgs};
use crate::output::print;

/// Prints every topic with its partitions, records now, and total written.
pub(crate) fn run(args: &ListArgs) -> Result<()> {
    let admin = Admin::connect(&settings(&args.cluster, "topics"), Duration::from_secs(5))?;
    let mut table = Table::new(&["topic", "partitions", "records now", "total written"]);
    for topic in admin.topics()? {
        let partitions: Vec<_> =
            (0..topic.partitions).map(|partition| TopicPartition::new(&*topic.name, partition)).collect();
        let offsets = admin.offsets(&partitions)?;
        let kept: i64 = offsets.iter().flatten().map(|offsets| offsets.latest - offsets.earliest).sum();
        let ever: i64 = offsets.iter().flatten().map(|offsets| offsets.latest).sum();
        match args.format {
            Format::Text => {
                table.row([topic.name, topic.partitions.to_string(), kept.to_string(), ever.to_string()]);
            }
            Format::Jsonl => {
                let partitions: Vec<_> = partitions
                    .iter()
                    .zip(&offsets)
                    .map(|(at, offsets)| {
                        json!({
                            "partition": at.partition,
                            "log_start": offsets.map(|offsets| offsets.earliest),
                            "log_end": offsets.map(|offsets| offsets.latest),
                        })
                    })
                    .collect();
                print(|out| writeln!(out, "{}", json!({ "topic": topic.name, "partitions": partitions })))?;
            }
        }
    }
    match args.format {
        Format::Text => print(|out| write!(out, "{table}")),
        Format::Jsonl => Ok(()),
    }
}
