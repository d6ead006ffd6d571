//! `freshet groups`: who reads, how far they are, and how far behind.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use client::{Admin, Group, Member, Offsets, TopicPartition};
use scenarios::observe::MemberNames;
use serde_json::{Value, json};
use text::Table;

use super::settings;
use crate::cli::{Format, ListArgs};
use crate::output::print;

/// Prints every group's partitions with the committed offset, the log's end, and what lies between;
/// then its members that own none.
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
    let heads = ["group", "state", "topic", "partition", "committed", "log end", "lag", "owner", "host"];
    let mut table = Table::new(&heads);
    for group in admin.groups()? {
        let mut names = MemberNames::default();
        names.update(group.members.iter().map(|member| (&*member.client_id, &*member.id)));
        let committed = admin.committed_offsets(&group.id, &partitions)?;
        // The ends are read after the committed offsets: a lag that is slightly too large is
        // honest, a negative one is impossible.
        let offsets = admin.offsets(&partitions)?;
        let mut lines = Vec::new();
        for ((at, committed), offsets) in partitions.iter().zip(committed).zip(offsets) {
            let owner = group.members.iter().find(|member| member.partitions.contains(at));
            if committed.is_some() || owner.is_some() {
                lines.push(Line { at: Some(at), committed, offsets, owner });
            }
        }
        let idle = group.members.iter().filter(|member| member.partitions.is_empty());
        lines.extend(idle.map(|owner| Line { owner: Some(owner), ..Line::default() }));
        for line in lines {
            match args.format {
                Format::Text => table.row(line.cells(&group, &names)),
                Format::Jsonl => print(|out| writeln!(out, "{}", line.json(&group, &names)))?,
            }
        }
    }
    match args.format {
        Format::Text => print(|out| write!(out, "{table}")),
        Format::Jsonl => Ok(()),
    }
}

/// A partition of a group, or a member that has none.
#[derive(Default)]
struct Line<'a> {
    at: Option<&'a TopicPartition>,
    committed: Option<i64>,
    offsets: Option<Offsets>,
    owner: Option<&'a Member>,
}

impl Line<'_> {
    fn end(&self) -> Option<i64> {
        self.offsets.map(|offsets| offsets.latest)
    }

    fn lag(&self) -> Option<i64> {
        self.committed.zip(self.offsets).map(|(committed, offsets)| offsets.lag(committed))
    }

    fn owner(&self, names: &MemberNames) -> Option<String> {
        self.owner.map(|member| names.of(&member.client_id, &member.id))
    }

    fn cells(&self, group: &Group, names: &MemberNames) -> [String; 9] {
        let unknown = || "–".to_owned();
        [
            group.id.clone(),
            group.state.clone(),
            self.at.map_or_else(unknown, |at| at.topic.clone()),
            self.at.map_or_else(unknown, |at| at.partition.to_string()),
            number(self.committed),
            number(self.end()),
            number(self.lag()),
            self.owner(names).unwrap_or_else(unknown),
            self.owner.map_or_else(unknown, |member| member.host.clone()),
        ]
    }

    fn json(&self, group: &Group, names: &MemberNames) -> Value {
        json!({
            "group": group.id, "state": group.state,
            "topic": self.at.map(|at| &at.topic), "partition": self.at.map(|at| at.partition),
            "committed": self.committed, "log_end": self.end(), "lag_records": self.lag(),
            "owner": self.owner(names), "member_id": self.owner.map(|member| &member.id),
            "client_id": self.owner.map(|member| &member.client_id),
            "host": self.owner.map(|member| &member.host),
        })
    }
}

/// What is unknown is not zero.
fn number(value: Option<i64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
