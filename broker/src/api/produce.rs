//! Produce: append record batches to partitions.
//!
//! # Behaviour
//! Each partition gets its own answer; one that fails does not stop the others. A batch is stored
//! byte for byte as its producer sent it, compressed or not. With one replica `acks=all` and
//! `acks=1` are the same: the batch is in the log before the answer is written. `acks=0` gets no
//! answer, and since an error could not be told otherwise, one closes the connection, as in Kafka.
//!
//! # Versions
//! 0 to 2 carry record forms that ended with Kafka 4. They are announced all the same, because
//! librdkafka up to 2.11 turns compression off for brokers that don't, and answered with
//! `UNSUPPORTED_VERSION`. Transactions (3 and later, when a transactional id is given) are refused.
//! Zstandard needs 7. The current leader (10) is always us: not sent.

use protocol::ErrorCode;
use protocol::produce::{PartitionData, PartitionResponse, ProduceRequest, ProduceResponse, TopicResponse};
use protocol::records::{BatchHeader, Compression};

use super::errors::ToErrorCode;
use super::{Answer, Context, Handled, Incoming, RequestError, Touched};
use crate::controller::Topic;

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Handled, RequestError> {
    let request: ProduceRequest = incoming.decode()?;
    let refused = refusal(&request, incoming.version);
    let topics: Vec<_> = request
        .topics
        .iter()
        .map(|data| {
            let topic = context.node.topics.get(&data.name);
            let partitions = data.partitions.iter().map(|data| match refused {
                Some(error) => failed(data.index, error, None),
                None => append(context, topic.as_deref(), data, incoming.version),
            });
            TopicResponse { name: data.name.clone(), partitions: partitions.collect() }
        })
        .collect();
    let answer = if request.acks == 0 {
        let mut errors =
            topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        if let Some(error) = errors.find(|error| !error.is_none()) {
            return Err(RequestError::Refused(error));
        }
        Answer::Silence
    } else {
        Answer::Reply(incoming.encode::<ProduceRequest>(&ProduceResponse { topics, ..Default::default() }))
    };
    Ok(Handled { answer, effects: Vec::new(), touched: Touched::Logs })
}

/// What is wrong with the whole request.
fn refusal(request: &ProduceRequest, version: i16) -> Option<ErrorCode> {
    if version < 3 {
        Some(ErrorCode::UNSUPPORTED_VERSION)
    } else if !(-1..=1).contains(&request.acks) {
        Some(ErrorCode::INVALID_REQUIRED_ACKS)
    } else if request.transactional_id.is_some() {
        Some(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    } else {
        None
    }
}

fn append(
    context: &Context<'_>,
    topic: Option<&Topic>,
    data: &PartitionData,
    version: i16,
) -> PartitionResponse {
    let Some(partition) =
        topic.and_then(|topic| topic.partition(data.index)).filter(|found| !found.is_deleted())
    else {
        return failed(data.index, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, None);
    };
    let records = data.records.as_deref().unwrap_or_default();
    if version < 7 && is_zstd(records) {
        let message = "Zstandard needs Produce version 7 or later".to_owned();
        return failed(data.index, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, Some(message));
    }
    // Bound first, so that the partition is free again before the waiting fetches are told.
    let appended = partition.lock().append(records, context.now_ms);
    match appended {
        Ok(appended) => {
            partition.waiters.notify_all();
            PartitionResponse {
                index: data.index,
                base_offset: appended.base_offset.0,
                log_append_time_ms: appended.log_append_time_ms.unwrap_or(-1),
                log_start_offset: appended.log_start_offset.0,
                ..Default::default()
            }
        }
        Err(error) => {
            if error.code() == ErrorCode::KAFKA_STORAGE_ERROR {
                tracing::error!(partition = %partition.name, "{error}");
            }
            failed(data.index, error.code(), Some(error.to_string()))
        }
    }
}

fn is_zstd(records: &[u8]) -> bool {
    BatchHeader::parse(records).is_ok_and(|header| header.attributes.compression() == Ok(Compression::Zstd))
}

fn failed(index: i32, error_code: ErrorCode, error_message: Option<String>) -> PartitionResponse {
    PartitionResponse { index, error_code, base_offset: -1, error_message, ..Default::default() }
}
