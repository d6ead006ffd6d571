//! `OffsetForLeaderEpoch`: where a leader's records end, so that others can tell whether theirs are
//! the same.
//!
//! # Behaviour
//! Answers with the largest epoch not above the one asked for and the offset after its last record;
//! -1 for both when nothing is known.
//!
//! # Versions
//! 3 tells consumers from followers; 4 is flexible.

use protocol::ErrorCode;
use protocol::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};
use protocol::records::LeaderEpoch;

use super::Context;
use super::fetch::check_epoch;
use crate::controller::Topic;

pub(super) fn handle(
    context: &Context<'_>,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|asked| {
        let topic = context.node.topics.get(&asked.topic);
        let partitions = asked.partitions.iter().map(|asked| {
            let (error_code, end) = match find(topic.as_deref(), asked) {
                Ok(end) => (ErrorCode::NONE, end),
                Err(error_code) => (error_code, None),
            };
            let (leader_epoch, end_offset) = end.unwrap_or((-1, -1));
            EpochEndOffset { error_code, partition: asked.partition, leader_epoch, end_offset }
        });
        OffsetForLeaderTopicResult { partitions: partitions.collect(), topic: asked.topic }
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn find(topic: Option<&Topic>, asked: &OffsetForLeaderPartition) -> Result<Option<(i32, i64)>, ErrorCode> {
    let handle = topic.and_then(|topic| topic.partition(asked.partition));
    let partition = handle.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?.lock();
    check_epoch(asked.current_leader_epoch, partition.leader_epoch())?;
    Ok(partition.end_of_epoch(LeaderEpoch(asked.leader_epoch)).map(|(epoch, end)| (epoch.0, end.0)))
}
