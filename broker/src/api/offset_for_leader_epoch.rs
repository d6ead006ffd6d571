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
use super::leader::{Local, lead};

pub(super) fn handle(
    context: &Context<'_>,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|asked| {
        let topic = Local::of_name(context.node, &asked.topic);
        let partitions = asked.partitions.iter().map(|asked| {
            let (error_code, end) = match find(&topic, asked) {
                Ok(end) => (ErrorCode::NONE, end),
                Err(error_code) => (error_code, None),
            };
            let (leader_epoch, end_offset) = end.unwrap_or((-1, -1));
            EpochEndOffset { error_code, partition: asked.partition, leader_epoch, end_offset }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult { partitions, topic: asked.topic }
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn find(topic: &Local<'_>, asked: &OffsetForLeaderPartition) -> Result<Option<(i32, i64)>, ErrorCode> {
    let partition = lead(topic.replica(asked.partition)?, asked.current_leader_epoch)?;
    Ok(partition.end_of_epoch(LeaderEpoch(asked.leader_epoch)).map(|(epoch, end)| (epoch.0, end.0)))
}
