//! A broker of this process, as a client that watches would find it.
//!
//! # Simplifications
//! - Which member owns which partition is not looked up: members say it in bytes that a broker does
//!   not read, and no metric tells it.

use broker::{Cluster, GroupOverview, PartitionOverview};
use scenarios::observe::{
    ClusterPoll, GroupPoll, LogPoll, MemberPoll, group_state, is_watched, shares_partitions,
};

/// What there is now; none when the broker has ended.
pub(super) fn poll(cluster: &Cluster) -> Option<ClusterPoll> {
    let overview = cluster.overview()?;
    let node_id = overview.node_id;
    let partitions = overview.partitions.into_iter();
    let logs = partitions.filter(|partition| is_watched(&partition.name.topic));
    let groups = overview.groups.into_iter();
    let groups = groups.filter(|group| shares_partitions(&group.description.protocol_type));
    Some(ClusterPoll {
        brokers: vec![(node_id, address(cluster))],
        logs: logs.map(|partition| log(partition, node_id)).collect(),
        groups: groups.map(group).collect(),
    })
}

/// Where the clients of the first listener are told to connect.
fn address(cluster: &Cluster) -> String {
    let told = cluster.listening().iter().next().and_then(|first| {
        let advertised = first.listener.advertised.as_ref()?;
        Some(advertised.address(first.address.port()))
    });
    told.unwrap_or_else(|| cluster.bootstrap_servers())
}

fn log(partition: PartitionOverview, node_id: i32) -> LogPoll {
    let PartitionOverview { name, log_start, log_end } = partition;
    LogPoll {
        topic: name.topic.to_string(),
        partition: name.partition,
        start: log_start,
        end: log_end,
        leader: Some(node_id),
        replicas: vec![node_id],
        in_sync: vec![node_id],
    }
}

fn group(group: GroupOverview) -> GroupPoll {
    let GroupOverview { description, committed } = group;
    let members = description.members.into_iter().map(|member| MemberPoll {
        member_id: member.member_id,
        client_id: member.client_id,
        host: member.client_host,
        assigned: Vec::new(),
    });
    let committed = committed.into_iter().filter(|(at, _)| is_watched(&at.topic));
    GroupPoll {
        id: description.group_id,
        state: group_state(&description.state.to_string()),
        members: members.collect(),
        committed: committed.map(|(at, offset)| (at.topic.to_string(), at.partition, offset)).collect(),
    }
}
