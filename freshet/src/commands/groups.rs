//! `freshet groups`: who reads, how far they are, and how far behind; and moving and deleting it.

mod delete;
mod describe;
mod reset;

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use client::{Admin, ClusterError, Group, Member, Offsets, TopicInfo, TopicPartition};
use scenarios::observe::MemberNames;
use serde_json::{Value, json};
use text::{Table, plural};

use super::{PATIENCE, settings};
use crate::cli::{ClusterArgs, Format, GroupsArgs, GroupsCommand};
use crate::output::print;

/// So many members are named of those that must be stopped.
const NAMED_MEMBERS: usize = 5;
/// How soon a coordinator that is not ready is asked again.
const AGAIN: Duration = Duration::from_millis(100);
/// The state of a group whose members speak the new group protocol (KIP-848), as the older requests
/// that librdkafka makes are told it. A dead group is not listed.
const UNSEEN: &str = "Dead";

/// Prints every group, or does to one what is asked for.
pub(crate) fn run(args: &GroupsArgs) -> Result<()> {
    match &args.command {
        None => list(args),
        Some(GroupsCommand::Describe(args)) => describe::run(args),
        Some(GroupsCommand::Reset(args)) => reset::run(args),
        Some(GroupsCommand::Delete(args)) => delete::run(args),
    }
}

fn connect(cluster: &ClusterArgs) -> Result<Admin> {
    Ok(Admin::connect(&settings(cluster, "groups")?, PATIENCE)?)
}

/// Prints every group's partitions with the committed offset, the log's end, and what lies between;
/// then its members that own none.
fn list(args: &GroupsArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let partitions = every_partition(&admin.topics()?);
    let heads = ["group", "state", "topic", "partition", "committed", "log end", "lag", "owner", "host"];
    let mut table = Table::new(&heads);
    for group in admin.groups()? {
        let names = names_of(&group);
        let mut lines = lines(&admin, &group, &partitions)?;
        if lines.is_empty() {
            // It is there all the same, as after its offsets were deleted.
            lines.push(Line::default());
        }
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

/// The partitions of all topics that are not Kafka's own.
fn every_partition(topics: &[TopicInfo]) -> Vec<TopicPartition> {
    topics
        .iter()
        .filter(|topic| !topic.name.starts_with("__"))
        .flat_map(|topic| {
            (0..topic.partitions).map(|partition| TopicPartition::new(topic.name.clone(), partition))
        })
        .collect()
}

/// The group of this name.
fn find<'a>(groups: &'a [Group], name: &str, admin: &Admin) -> Result<&'a Group> {
    match groups.iter().find(|group| group.id == name) {
        Some(group) => Ok(group),
        None => bail!(
            "{} has no group {name}: `freshet groups` lists those that there are",
            admin.settings().servers()
        ),
    }
}

/// Refuses what can't be done while the group has these members; `then` is what can be done then.
fn refuse_in_use(group: &Group, members: &[&Member], then: &str) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let names = names_of(group);
    let mut named: Vec<_> = members
        .iter()
        .take(NAMED_MEMBERS)
        .map(|member| format!("{} on {}", names.of(&member.client_id, &member.id), member.host))
        .collect();
    if members.len() > NAMED_MEMBERS {
        named.push(format!("{} more", members.len() - NAMED_MEMBERS));
    }
    bail!(
        "the group {} is {} with {}: stop {}, then {then}",
        group.id,
        group.state,
        plural(members.len() as u64, "member"),
        named.join(", ")
    )
}

/// Why a group without members may be refused all the same.
fn explained(refused: anyhow::Error, group: Option<&Group>) -> anyhow::Error {
    match group {
        Some(group) if group.state == UNSEEN => refused.context(format!(
            "the group {} uses the new group protocol (KIP-848), whose members can't be seen here: stop its \
             consumers and try again",
            group.id
        )),
        _ => refused,
    }
}

fn names_of(group: &Group) -> MemberNames {
    let mut names = MemberNames::default();
    names.update(group.members.iter().map(|member| (&*member.client_id, &*member.id)));
    names
}

/// What the group has committed or owns of `partitions`, and then its members that own none.
fn lines<'a>(
    admin: &Admin,
    group: &'a Group,
    partitions: &'a [TopicPartition],
) -> Result<Vec<Line<'a>>, ClusterError> {
    let committed = committed(admin, &group.id, partitions)?;
    // The ends are read after the committed offsets: a lag that is slightly too large is honest, a
    // negative one is impossible.
    let offsets = admin.offsets(partitions)?;
    let mut lines = Vec::new();
    for ((at, committed), offsets) in partitions.iter().zip(committed).zip(offsets) {
        let owner = group.members.iter().find(|member| member.partitions.contains(at));
        if committed.is_some() || owner.is_some() {
            lines.push(Line { at: Some(at), committed, offsets, owner });
        }
    }
    let idle = group.members.iter().filter(|member| member.partitions.is_empty());
    lines.extend(idle.map(|owner| Line { owner: Some(owner), ..Line::default() }));
    Ok(lines)
}

/// What a group has committed. On a cluster that was just started this makes the topic of committed
/// offsets, and is answered once its leaders are there.
#[expect(clippy::disallowed_methods, reason = "the edge: a person waits in wall-clock time")]
fn committed(
    admin: &Admin,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<Vec<Option<i64>>, ClusterError> {
    let began = Instant::now();
    loop {
        match admin.committed_offsets(group, partitions) {
            Err(error) if error.is_outage() && began.elapsed() < PATIENCE => thread::park_timeout(AGAIN),
            other => return other,
        }
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

fn unknown() -> String {
    "–".to_owned()
}

/// What is unknown is not zero.
fn number(value: Option<i64>) -> String {
    value.map_or_else(unknown, |value| value.to_string())
}
