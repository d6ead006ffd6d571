//! `OffsetFetch`: how far a group has come.
//!
//! # Behaviour
//! Anyone may ask about any group, member or not; that is how lag is watched. Where nothing was
//! committed the answer is offset -1 without an error. A group that is named again is told once.
//!
//! # Versions
//! 2 can ask for all partitions. 7 can refuse offsets of unfinished transactions, of which there
//! are none. 8 asks for several groups at once. 9 adds the member epoch of the new group protocol,
//! which no classic group has.

use std::collections::BTreeSet;

use protocol::offset_fetch::{
    OffsetFetchGroupResponse, OffsetFetchPartitionResponse, OffsetFetchRequest, OffsetFetchResponse,
    OffsetFetchTopic, OffsetFetchTopicResponse,
};

use super::{Context, Incoming, Outcome, RequestError};
use crate::coordinator::{CommittedOffset, GroupCoordinator};
use crate::log::TopicPartition;

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    let one_group = incoming.version < 8;
    incoming.answer(|request: OffsetFetchRequest| {
        let groups = context.node.groups();
        if one_group {
            let topics = committed(&groups, &request.group_id, request.topics);
            return OffsetFetchResponse { topics, ..Default::default() };
        }
        let mut seen = BTreeSet::new();
        let once = request.groups.into_iter().filter(|asked| seen.insert(asked.group_id.clone()));
        let groups = once.map(|asked| OffsetFetchGroupResponse {
            topics: committed(&groups, &asked.group_id, asked.topics),
            group_id: asked.group_id,
            ..Default::default()
        });
        OffsetFetchResponse { groups: groups.collect(), ..Default::default() }
    })
}

fn committed(
    groups: &GroupCoordinator,
    group_id: &str,
    topics: Option<Vec<OffsetFetchTopic>>,
) -> Vec<OffsetFetchTopicResponse> {
    let Some(topics) = topics else { return all(groups, group_id) };
    let topics = topics.into_iter().map(|asked| {
        let partitions = asked.partition_indexes.iter().map(|&partition| {
            let committed = groups.committed(group_id, &TopicPartition::new(asked.name.as_str(), partition));
            describe(partition, committed)
        });
        OffsetFetchTopicResponse { partitions: partitions.collect(), name: asked.name }
    });
    topics.collect()
}

fn all(groups: &GroupCoordinator, group_id: &str) -> Vec<OffsetFetchTopicResponse> {
    let mut topics: Vec<OffsetFetchTopicResponse> = Vec::new();
    for (partition, committed) in groups.all_committed(group_id) {
        if topics.last().is_none_or(|topic| *topic.name != *partition.topic) {
            topics.push(OffsetFetchTopicResponse { name: partition.topic.to_string(), ..Default::default() });
        }
        let topic = topics.last_mut().expect("one was just pushed if there was none");
        topic.partitions.push(describe(partition.partition, Some(committed)));
    }
    topics
}

fn describe(partition_index: i32, committed: Option<&CommittedOffset>) -> OffsetFetchPartitionResponse {
    OffsetFetchPartitionResponse {
        partition_index,
        committed_offset: committed.map_or(-1, |committed| committed.offset.0),
        committed_leader_epoch: committed
            .and_then(|committed| committed.leader_epoch)
            .map_or(-1, |epoch| epoch.0),
        metadata: Some(committed.map_or_else(String::new, |committed| committed.metadata.clone())),
        ..Default::default()
    }
}
