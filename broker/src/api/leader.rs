//! Which partitions this broker answers for: those that it leads.

#[cfg(test)]
mod tests;

use std::sync::{Arc, MutexGuard};

use protocol::{ErrorCode, Uuid};

use crate::controller::is_internal;
use crate::node::Node;
use crate::replica::{Partition, PartitionHandle, Role};
use crate::replicas::TopicReplicas;

/// The replicas here of a topic that a request names: one lookup for all its partitions.
pub(super) struct Local<'a> {
    node: &'a Node,
    topic: Named<'a>,
    replicas: Option<Arc<TopicReplicas>>,
}

#[derive(Clone, Copy)]
enum Named<'a> {
    Name(&'a str),
    Id(Uuid),
}

impl<'a> Local<'a> {
    /// Those of the topic of that name.
    pub(super) fn of_name(node: &'a Node, name: &'a str) -> Self {
        Self { node, topic: Named::Name(name), replicas: node.replicas.topic(name) }
    }

    /// Those of the topic with that id.
    pub(super) fn of_id(node: &'a Node, id: Uuid) -> Self {
        Self { node, topic: Named::Id(id), replicas: node.replicas.topic_by_id(id) }
    }

    /// Whether the topic is here and kept by the brokers for themselves.
    pub(super) fn is_internal(&self) -> bool {
        self.replicas.as_ref().is_some_and(|topic| is_internal(topic.name()))
    }

    /// The replica of that partition, or why there is none here.
    pub(super) fn replica(&self, number: i32) -> Result<&Arc<PartitionHandle>, ErrorCode> {
        let here = self.replicas.as_ref().and_then(|topic| topic.partition(number));
        here.ok_or_else(|| self.why_not(number))
    }

    fn why_not(&self, number: i32) -> ErrorCode {
        let image = self.node.metadata.image();
        let (topic, unknown) = match self.topic {
            Named::Name(name) => (image.topic(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            Named::Id(id) => (image.topic_by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
        };
        match topic.map(|topic| topic.partition(number)) {
            None => unknown,
            Some(None) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Some(Some(_)) => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        }
    }
}

/// Holds a replica for what its partition's leader does alone. `epoch` is the leader's as the
/// client knows it, or -1.
pub(super) fn lead(replica: &PartitionHandle, epoch: i32) -> Result<MutexGuard<'_, Partition>, ErrorCode> {
    let partition = replica.lock();
    check_leader(&partition, epoch)?;
    Ok(partition)
}

/// Whether this broker leads a partition, and the client and it agree since when (KIP-320).
pub(super) fn check_leader(partition: &Partition, epoch: i32) -> Result<(), ErrorCode> {
    match epoch {
        -1 => {}
        older if older < partition.leader_epoch().0 => return Err(ErrorCode::FENCED_LEADER_EPOCH),
        newer if newer > partition.leader_epoch().0 => return Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
        _ => {}
    }
    match partition.role() {
        Role::Leader => Ok(()),
        Role::Follower => Err(ErrorCode::NOT_LEADER_OR_FOLLOWER),
    }
}
