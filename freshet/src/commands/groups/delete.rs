//! `freshet groups delete`: groups, or what they have committed for a topic.

use anyhow::{Result, bail};
use client::TopicPartition;
use text::plural;

use super::{committed, connect, explained, find, refuse_in_use};
use crate::cli::DeleteGroupsArgs;
use crate::commands::confirm::confirm;

/// Deletes once all of it is found and it is sure that it is meant.
pub(super) fn run(args: &DeleteGroupsArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let known = admin.groups()?;
    let mut names: Vec<&str> = args.groups.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    for name in &names {
        let group = find(&known, name, &admin)?;
        match &args.topic {
            // Others of its members may read other topics.
            Some(topic) => {
                let reads = |member: &&client::Member| member.partitions.iter().any(|at| at.topic == *topic);
                let readers: Vec<_> = group.members.iter().filter(reads).collect();
                refuse_in_use(group, &readers, "delete its offsets")?;
            }
            None => refuse_in_use(group, &group.members.iter().collect::<Vec<_>>(), "delete it")?,
        }
    }
    let groups = match names[..] {
        [name] => format!("the group {name}"),
        _ => format!("{} groups ({})", names.len(), names.join(", ")),
    };
    let Some(topic) = &args.topic else {
        confirm(&format!("delete {groups} with all that was committed"), args.yes)?;
        for name in names {
            let group = known.iter().find(|group| group.id == name);
            admin.delete_group(name).map_err(|error| explained(error.into(), group))?;
            say!("deleted the group {name}");
        }
        return Ok(());
    };
    let all = (0..admin.partitions(topic)?).map(|partition| TopicPartition::new(topic.as_str(), partition));
    let all: Vec<_> = all.collect();
    let mut all_committed = Vec::new();
    for name in names {
        let offsets = committed(&admin, name, &all)?;
        let its: Vec<_> =
            all.iter().zip(offsets).filter_map(|(at, offset)| offset.map(|_| at.clone())).collect();
        if its.is_empty() {
            bail!("the group {name} has committed nothing for {topic}: `freshet groups` shows what there is");
        }
        all_committed.push((name, its));
    }
    confirm(&format!("delete what {groups} committed for {topic}"), args.yes)?;
    for (name, partitions) in all_committed {
        admin.delete_offsets(name, &partitions)?;
        let count = plural(partitions.len() as u64, "partition");
        say!("deleted what the group {name} had committed for {topic} ({count})");
    }
    Ok(())
}
