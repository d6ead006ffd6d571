//! `DeleteRecords`: remove the records before an offset.
//!
//! # Behaviour
//! They can't be read any more when the answer comes, nor after a restart; files go when nothing in
//! them is left. Offset -1 removes everything there is.
//!
//! # Versions
//! All alike; 2 is flexible.

use protocol::ErrorCode;
use protocol::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use protocol::records::Offset;

use super::Context;
use super::errors::ToErrorCode;
use super::leader::{Local, lead};

pub(super) fn handle(context: &Context<'_>, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|asked| {
        let topic = Local::of_name(context.node, &asked.name);
        let partitions = asked.partitions.iter().map(|asked| {
            let result = delete(&topic, asked);
            DeleteRecordsPartitionResult {
                partition_index: asked.partition_index,
                low_watermark: result.map_or(-1, |offset| offset.0),
                error_code: result.err().unwrap_or_default(),
            }
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult { partitions, name: asked.name }
    });
    let mut response = DeleteRecordsResponse { topics: topics.collect(), ..Default::default() };
    if let Err(error) = context.node.checkpoint() {
        tracing::error!("deleted records would be back after a crash: {error}");
        let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        for partition in partitions.filter(|partition| partition.error_code.is_none()) {
            partition.error_code = error.code();
        }
    }
    response
}

fn delete(topic: &Local<'_>, asked: &DeleteRecordsPartition) -> Result<Offset, ErrorCode> {
    if topic.is_internal() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    let replica = topic.replica(asked.partition_index)?;
    let before = match asked.offset {
        -1 => None,
        offset => Some(Offset(offset)),
    };
    let start = lead(replica, -1)?.delete_records(before).map_err(|error| error.code())?;
    // A fetch may wait at an offset that is out of range now.
    replica.waiters.notify_all();
    Ok(start)
}
