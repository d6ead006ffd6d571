//! `DescribeProducers`: idempotent producers that have written to partitions.
//!
//! # Behaviour
//! Each producer of the last day with the last batch that it wrote. An answer ends at a million
//! producers: the partitions behind that get an error.

use protocol::ErrorCode;
use protocol::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, DescribedPartition, DescribedProducer,
    DescribedTopic,
};

use super::{Context, asked};
use crate::controller::Topic;

/// So many producers fit into one answer, of 40 bytes each.
const MAX_PRODUCERS: usize = 1 << 20;

pub(super) fn handle(context: &Context<'_>, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let named =
        asked::partitions(request.topics.into_iter().map(|asked| (asked.name, asked.partition_indexes)));
    let mut room = MAX_PRODUCERS;
    let topics = named.into_iter().map(|(name, numbers)| {
        let topic = context.node.topics.get(&name);
        let partitions = numbers.into_iter().map(|number| describe(topic.as_deref(), number, &mut room));
        DescribedTopic { partitions: partitions.collect(), name }
    });
    DescribeProducersResponse { topics: topics.collect(), ..Default::default() }
}

fn describe(topic: Option<&Topic>, partition_index: i32, room: &mut usize) -> DescribedPartition {
    let answer = DescribedPartition { partition_index, ..Default::default() };
    let Some(handle) = topic.and_then(|topic| topic.partition(partition_index)) else {
        return DescribedPartition { error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ..answer };
    };
    let partition = handle.lock();
    let producers = partition.producers();
    if producers.len() > *room {
        let message =
            "the partitions in this request have more producers than fit into one answer: ask for fewer";
        return DescribedPartition {
            error_code: ErrorCode::UNKNOWN_SERVER_ERROR,
            error_message: Some(message.into()),
            ..answer
        };
    }
    *room -= producers.len();
    let active_producers = producers.map(|producer| DescribedProducer {
        producer_id: producer.producer_id,
        producer_epoch: producer.epoch.into(),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp_ms,
        coordinator_epoch: -1,
        ..Default::default()
    });
    DescribedPartition { active_producers: active_producers.collect(), ..answer }
}
