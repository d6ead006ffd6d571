//! What a broker can say of itself to the program that it runs in.
//!
//! A client can ask for the same. The program needs neither a connection nor a login for it, and
//! what is measured of requests stays that of clients.

use crate::coordinator::GroupDescription;
use crate::log::TopicPartition;
use crate::node::Node;

/// The topics and groups of a broker, at one moment.
#[derive(Clone, Debug)]
pub struct Overview {
    /// `node.id`.
    pub node_id: i32,
    /// Every partition of every topic, by topic.
    pub partitions: Vec<PartitionOverview>,
    /// Every group, by its id.
    pub groups: Vec<GroupOverview>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOverview {
    /// Its topic and its number.
    pub name: TopicPartition,
    /// The first offset that is kept.
    pub log_start: i64,
    /// The offset that the next record will get, as far as consumers may read.
    pub log_end: i64,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOverview {
    /// What `DescribeGroups` says of it.
    pub description: GroupDescription,
    /// The offset that it has committed in each partition, by partition.
    pub committed: Vec<(TopicPartition, i64)>,
}

impl Overview {
    /// What there is now.
    pub(crate) fn of(node: &Node) -> Self {
        let groups = groups(node);
        // Looked at after the committed offsets: none is behind the end of its partition.
        let replicas = node.replicas.all();
        let partitions = replicas.iter().map(|handle| {
            let partition = handle.lock();
            let (start, end) = (partition.log_start_offset(), partition.high_watermark());
            PartitionOverview { name: handle.name.clone(), log_start: start.0, log_end: end.0 }
        });
        Self { node_id: node.config.node_id, partitions: partitions.collect(), groups }
    }
}

/// Held for a group at a time: who commits does not wait for thousands of them.
fn groups(node: &Node) -> Vec<GroupOverview> {
    let overview = |group_id: &str| {
        let groups = node.groups();
        let committed = groups.all_committed(group_id).into_iter();
        let committed = committed.map(|(partition, committed)| (partition.clone(), committed.offset.0));
        Some(GroupOverview { description: groups.describe(group_id)?, committed: committed.collect() })
    };
    let listed = node.groups().list();
    listed.iter().filter_map(|group| overview(&group.group_id)).collect()
}
