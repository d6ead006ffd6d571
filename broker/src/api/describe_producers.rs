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

use super::leader::Local;
use super::{Context, asked};

/// So many producers fit into one answer, of 40 bytes each.
const MAX_PRODUCERS: usize = 1 << 20;

pub(super) fn handle(context: &Context<'_>, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let named =
        asked::partitions(request.topics.into_iter().map(|asked| (asked.name, asked.partition_indexes)));
    let mut room = MAX_PRODUCERS;
    let topics = named.into_iter().map(|(name, numbers)| {
        let topic = Local::of_name(context.node, &name);
        let partitions = numbers.into_iter().map(|number| describe(&topic, number, &mut room));
        let partitions = partitions.collect();
        DescribedTopic { partitions, name }
    });
    DescribeProducersResponse { topics: topics.collect(), ..Default::default() }
}

fn describe(topic: &Local<'_>, partition_index: i32, room: &mut usize) -> DescribedPartition {
    let answer = DescribedPartition { partition_index, ..Default::default() };
    let partition = match topic.replica(partition_index) {
        Ok(replica) => replica.lock(),
        Err(error_code) => return DescribedPartition { error_code, ..answer },
    };
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
