//! `ListOffsets`: the offset of a partition's first record at or after a time, or of its ends.
//!
//! # Behaviour
//! "Latest" is the offset that the next record will get, one past the last record. By time it is
//! the first *record*, not batch, whose timestamp is not earlier; when there is none, the answer is
//! -1 without an error.
//!
//! # Versions
//! 4 fences by leader epoch. 7 asks for the record with the highest timestamp, 8 for the first on
//! local disk, which is the first, 9 for the last in tiered storage and 11 for the first that is to
//! go there, which are none. 10 says how long the client waits: nothing takes long here.

use std::sync::MutexGuard;

use protocol::ErrorCode;
use protocol::list_offsets::{
    EARLIEST, EARLIEST_LOCAL, EARLIEST_PENDING_UPLOAD, LATEST, LATEST_TIERED, ListOffsetsPartition,
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
    MAX_TIMESTAMP,
};

use super::Context;
use super::errors::ToErrorCode;
use super::leader::{Local, lead};
use crate::log::{TimestampSearch, TimestampedOffset};
use crate::replica::Partition;

pub(super) fn handle(context: &Context<'_>, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|asked| {
        let topic = Local::of_name(context.node, &asked.name);
        let partitions = asked.partitions.iter().map(|asked| {
            find(&topic, asked).unwrap_or_else(|error_code| ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code,
                ..Default::default()
            })
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse { partitions, name: asked.name }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

fn find(topic: &Local<'_>, asked: &ListOffsetsPartition) -> Result<ListOffsetsPartitionResponse, ErrorCode> {
    let partition = lead(topic.replica(asked.partition_index)?, asked.current_leader_epoch)?;
    let epoch = partition.leader_epoch();
    let end = |offset| Some(TimestampedOffset { timestamp_ms: -1, offset, leader_epoch: epoch });
    let found = match asked.timestamp {
        LATEST => end(partition.high_watermark()),
        EARLIEST | EARLIEST_LOCAL => end(partition.log_start_offset()),
        MAX_TIMESTAMP => run(&partition.max_timestamp_search(), partition)?,
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => None,
        timestamp_ms if timestamp_ms >= 0 => run(&partition.timestamp_search(timestamp_ms), partition)?,
        _ => return Err(ErrorCode::UNSUPPORTED_VERSION),
    };
    let answer =
        ListOffsetsPartitionResponse { partition_index: asked.partition_index, ..Default::default() };
    Ok(found.map_or(answer.clone(), |found| ListOffsetsPartitionResponse {
        timestamp: found.timestamp_ms,
        offset: found.offset.0,
        leader_epoch: found.leader_epoch.0,
        ..answer
    }))
}

/// Others go on with the partition meanwhile: a batch may take long to look into.
fn run(
    search: &TimestampSearch,
    partition: MutexGuard<'_, Partition>,
) -> Result<Option<TimestampedOffset>, ErrorCode> {
    drop(partition);
    search.run().map_err(|error| error.code())
}
