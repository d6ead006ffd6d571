//! `freshet groups describe`: one group, its members, and how far it is.

use std::io::Write as _;

use anyhow::Result;
use client::{Admin, Group, Member};
use events::Timestamp;
use scenarios::observe::MemberNames;
use serde_json::json;
use text::{Table, escape, plural};

use super::{Line, UNSEEN, connect, every_partition, find, lines, names_of, number, unknown};
use crate::cli::{DescribeGroupArgs, Format};
use crate::output::print;

/// Of so many partitions it is asked when the next record was sent: each takes a request.
const MOST_ASKED: usize = 200;

/// Prints one group.
pub(super) fn run(args: &DescribeGroupArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let groups = admin.groups()?;
    let group = find(&groups, &args.group, &admin)?;
    let names = names_of(group);
    let partitions = every_partition(&admin.topics()?);
    let lines = lines(&admin, group, &partitions)?;
    let sent = next_unread_sent(&admin, &lines);
    let coordinator = admin.coordinator(&group.id).ok();
    if args.format == Format::Jsonl {
        let members = group.members.iter().map(|member| {
            json!({
                "name": names.of(&member.client_id, &member.id), "member_id": member.id,
                "client_id": member.client_id, "host": member.host, "assignment": assignment(member),
            })
        });
        let partitions = lines.iter().zip(&sent).map(|(line, sent)| {
            json!({
                "topic": line.at.map(|at| &at.topic), "partition": line.at.map(|at| at.partition),
                "committed": line.committed, "log_end": line.end(), "lag_records": line.lag(),
                "next_unread_sent": sent.map(|at| at.to_string()), "member_id": line.owner.map(|owner| &owner.id),
            })
        });
        let line = json!({
            "group": group.id, "state": group.state, "protocol_type": group.protocol_type,
            "assignor": group.protocol, "coordinator": coordinator.map(|(id, address)| json!({ "id": id, "address": address })),
            "members": members.collect::<Vec<_>>(), "partitions": partitions.collect::<Vec<_>>(),
        });
        return print(|out| writeln!(out, "{line}"));
    }
    let mut table =
        Table::new(&["topic", "partition", "committed", "log end", "lag", "next unread sent", "owner"]);
    for (line, sent) in lines.iter().zip(sent) {
        let Some(at) = line.at else { continue };
        table.row([
            at.topic.clone(),
            at.partition.to_string(),
            number(line.committed),
            number(line.end()),
            number(line.lag()),
            sent.map_or_else(unknown, |at| at.to_string()),
            line.owner(&names).unwrap_or_else(unknown),
        ]);
    }
    print(|out| {
        writeln!(out, "{}", headline(group, coordinator))?;
        if !group.members.is_empty() {
            write!(out, "\n{}", members(group, &names))?;
        }
        if group.state == UNSEEN {
            writeln!(out, "\nIt uses the new group protocol (KIP-848), whose members can't be seen here.")?;
        }
        if lines.iter().all(|line| line.at.is_none()) {
            return writeln!(out, "\nIt has committed nothing yet, and owns no partition.");
        }
        write!(out, "\n{table}")
    })
}

/// When the record that each line's group reads next was sent, where one waits. A cluster that does
/// not tell (see [`Admin::record`]) is asked once.
fn next_unread_sent(admin: &Admin, lines: &[Line<'_>]) -> Vec<Option<Timestamp>> {
    let (mut left, mut all) = (MOST_ASKED, Vec::new());
    for line in lines {
        let mut sent = None;
        if let (Some(at), Some(committed), Some(offsets)) = (line.at, line.committed, line.offsets)
            && left > 0
            && offsets.lag(committed) > 0
        {
            left -= 1;
            match admin.record(at, offsets.nearest(committed)) {
                Ok(record) => {
                    let known = record.map(|record| record.timestamp_ms).filter(|ms| *ms >= 0);
                    sent = known.map(Timestamp::from_ms);
                }
                Err(_) => left = 0,
            }
        }
        all.push(sent);
    }
    all
}

fn headline(group: &Group, coordinator: Option<(i32, String)>) -> String {
    let mut words = format!(
        "{}: {}, {}",
        escape(&group.id),
        escape(&group.state),
        plural(group.members.len() as u64, "member")
    );
    for (what, name) in [("protocol type", &group.protocol_type), ("assignor", &group.protocol)] {
        if !name.is_empty() {
            words += &format!(", {what} {}", escape(name));
        }
    }
    if let Some((id, address)) = coordinator {
        words += &format!(", coordinator {id} ({})", escape(&address));
    }
    words
}

fn members(group: &Group, names: &MemberNames) -> Table {
    let mut table = Table::new(&["member", "host", "assignment", "member id"]);
    for member in &group.members {
        let assignment = assignment(member);
        table.row([
            names.of(&member.client_id, &member.id),
            member.host.clone(),
            if assignment.is_empty() { unknown() } else { assignment },
            member.id.clone(),
        ]);
    }
    table
}

/// What a member owns, as `--topic` of `reset` takes it: `clicks:0,2 trips:1`.
fn assignment(member: &Member) -> String {
    let mut owned = member.partitions.clone();
    owned.sort();
    let of_topic = owned.chunk_by(|one, next| one.topic == next.topic).map(|of_topic| {
        let numbers: Vec<_> = of_topic.iter().map(|at| at.partition.to_string()).collect();
        format!("{}:{}", of_topic[0].topic, numbers.join(","))
    });
    of_topic.collect::<Vec<_>>().join(" ")
}
