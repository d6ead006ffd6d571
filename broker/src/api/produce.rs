//! Produce: append record batches to partitions.
//!
//! # Behaviour
//! Each partition gets its own answer; one that fails does not stop the others. A batch is read
//! once, to its last record, and then stored as its producer sent it, compressed or not. With one
//! replica `acks=all` and `acks=1` are the same: the batch is in the log before the answer is
//! written. `acks=0` gets no answer, and since an error could not be told otherwise, one closes the
//! connection, as in Kafka. Of a partition that a request names more than once the last batch
//! counts, and it has one answer; a topic, too, stands once in the answer.
//!
//! # Versions
//! 0 to 2 carry record forms that ended with Kafka 4. They are announced all the same, because
//! librdkafka up to 2.11 turns compression off for brokers that don't, and answered with
//! `UNSUPPORTED_VERSION`. Records of a transaction (3 and later) are refused, and with them the
//! request. Zstandard needs 7. 8 names the records for which a batch was refused. The current
//! leader (10) is always us: not sent.

use std::collections::HashMap;
use std::sync::MutexGuard;

use protocol::ErrorCode;
use protocol::produce::{
    PartitionData, PartitionResponse, ProduceRequest, ProduceResponse, RecordError, TopicResponse,
};
use protocol::records::{BatchHeader, Compression};

use super::errors::{ToErrorCode, sentence};
use super::leader::{Local, check_leader};
use super::{Answer, Changed, Context, Incoming, Outcome, RequestError};
use crate::replica::{
    Partition, PartitionHandle, ProduceError, RefusedRecord, Validated, ValidationBudget, validate,
};

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Outcome, RequestError> {
    let request: ProduceRequest = incoming.decode()?;
    let refused = refusal(&request, incoming.version);
    if let Some((ErrorCode::UNSUPPORTED_VERSION, message)) = &refused {
        // The answers in these versions have no place for a sentence.
        context.node.refusals.note(context.now_ms, context.client_host, message);
    }
    let topics: Vec<_> = last_of_each(&request)
        .into_iter()
        .map(|(name, partitions)| (name, Local::of_name(context.node, name), partitions))
        .collect();
    // With a budget all are validated before one is appended, so that the whole request can go
    // elsewhere. There it is one after the other, for each may take memory.
    let mut budget = context.budget;
    let mut validated = Vec::with_capacity(topics.len());
    for (name, topic, partitions) in &topics {
        let mut of_topic = Vec::with_capacity(partitions.len());
        for data in partitions {
            of_topic.push(match &refused {
                Some((error, message)) => Err(failed(data.index, *error, message.clone())),
                None => match validated_batch(context, topic, data, incoming.version, &mut budget) {
                    Ok(batch) if !budget.is_bounded() => Err(append(context, &batch)),
                    batch => batch,
                },
            });
            if budget.is_exceeded() {
                return Err(RequestError::OverBudget);
            }
        }
        validated.push((*name, of_topic));
    }
    let topics: Vec<_> = validated
        .into_iter()
        .map(|(name, partitions)| {
            let appended = partitions.into_iter().map(|batch| match batch {
                Ok(batch) => append(context, &batch),
                Err(answer) => answer,
            });
            TopicResponse { name: name.to_owned(), partitions: appended.collect() }
        })
        .collect();
    let answer = if request.acks == 0 {
        let mut errors =
            topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        if let Some(error) = errors.find(|error| !error.is_none()) {
            return Err(RequestError::Refused(error));
        }
        Answer::NoReply
    } else {
        Answer::Reply(incoming.encode::<ProduceRequest>(&ProduceResponse { topics, ..Default::default() }))
    };
    Ok(Outcome { answer, effects: Vec::new(), changed: Changed::Logs })
}

/// The last batch for each partition, topics and partitions in the order in which they are named
/// first.
fn last_of_each(request: &ProduceRequest) -> Vec<(&str, Vec<&PartitionData>)> {
    // Most clients send one partition at a time, and nothing need be looked for.
    if let [topic] = &request.topics[..]
        && let [data] = &topic.partitions[..]
    {
        return vec![(&topic.name, vec![data])];
    }
    let mut topics: Vec<(&str, Vec<&PartitionData>)> = Vec::with_capacity(request.topics.len());
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut places: HashMap<(&str, i32), usize> = HashMap::new();
    for topic in &request.topics {
        let number = *numbers.entry(&topic.name).or_insert(topics.len());
        if number == topics.len() {
            topics.push((&topic.name, Vec::with_capacity(topic.partitions.len())));
        }
        let partitions = &mut topics[number].1;
        for data in &topic.partitions {
            let place = *places.entry((&topic.name, data.index)).or_insert(partitions.len());
            match partitions.get_mut(place) {
                Some(earlier) => *earlier = data,
                None => partitions.push(data),
            }
        }
    }
    topics
}

/// What is wrong with the whole request.
fn refusal(request: &ProduceRequest, version: i16) -> Option<(ErrorCode, String)> {
    if version < 3 {
        let message =
            format!("records as Produce version {version} carries them are not supported: use 3 or later");
        Some((ErrorCode::UNSUPPORTED_VERSION, message))
    } else if !(-1..=1).contains(&request.acks) {
        let message = format!("acks is {}: use -1 (all), 0 or 1", request.acks);
        Some((ErrorCode::INVALID_REQUIRED_ACKS, message))
    } else if request.topics.iter().flat_map(|topic| &topic.partitions).any(is_transactional) {
        let message = "there are no transactions here: use a producer without a transactional.id".to_owned();
        Some((ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message))
    } else {
        None
    }
}

/// A batch that can be appended, and where.
struct Batch<'a> {
    index: i32,
    replica: &'a PartitionHandle,
    validated: Validated<'a>,
}

/// Reads a batch to its last record, without holding its partition: others go on there meanwhile.
fn validated_batch<'a>(
    context: &Context<'_>,
    topic: &'a Local<'_>,
    data: &'a PartitionData,
    version: i16,
    budget: &mut ValidationBudget,
) -> Result<Batch<'a>, PartitionResponse> {
    let index = data.index;
    let why_not = |error_code| failed(index, error_code, why_not(error_code, index));
    let replica = topic.replica(index).map_err(why_not)?;
    if topic.is_internal() {
        let message = format!("{} is written by the broker alone", replica.name.topic);
        return Err(failed(index, ErrorCode::INVALID_TOPIC_EXCEPTION, message));
    }
    let records = data.records.as_deref().unwrap_or_default();
    if version < 7 && is_zstd(records) {
        let message = "Zstandard needs Produce version 7 or later".to_owned();
        return Err(failed(index, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, message));
    }
    let config = lead_living(replica).map_err(why_not)?.config().clone();
    let validated = validate(records, &config, budget, context.now_ms);
    let validated = validated.map_err(|error| refused(index, replica, error))?;
    Ok(Batch { index, replica, validated })
}

/// Holds a partition for its leader, as long as its topic is there.
fn lead_living(replica: &PartitionHandle) -> Result<MutexGuard<'_, Partition>, ErrorCode> {
    let partition = replica.lock_living().ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_leader(&partition, -1).map(|()| partition)
}

fn append(context: &Context<'_>, batch: &Batch<'_>) -> PartitionResponse {
    let Batch { index, replica, validated } = batch;
    // Bound first, so that the partition is free again before the waiting fetches are told.
    let appended = match lead_living(replica) {
        Ok(mut partition) => partition.append_validated(validated, context.now_ms),
        Err(error_code) => return failed(*index, error_code, why_not(error_code, *index)),
    };
    match appended {
        Ok(appended) => {
            replica.waiters.notify_all();
            PartitionResponse {
                index: *index,
                base_offset: appended.base_offset.0,
                log_append_time_ms: appended.log_append_time_ms.unwrap_or(-1),
                log_start_offset: appended.log_start_offset.0,
                ..Default::default()
            }
        }
        Err(error) => refused(*index, replica, error),
    }
}

/// The answer to a batch that is not taken.
fn refused(index: i32, replica: &PartitionHandle, error: ProduceError) -> PartitionResponse {
    if error.code() == ErrorCode::KAFKA_STORAGE_ERROR {
        tracing::error!(partition = %replica.name, "{error}");
    }
    let answer = failed(index, error.code(), sentence(&error));
    let (ProduceError::Timestamps { refused, .. } | ProduceError::NoKeys { refused, .. }) = error else {
        return answer;
    };
    let of = |RefusedRecord { index, message }| RecordError { batch_index: index, message: Some(message) };
    PartitionResponse { record_errors: refused.into_iter().map(of).collect(), ..answer }
}

/// Why a partition is not written to here.
fn why_not(error_code: ErrorCode, index: i32) -> String {
    if error_code == ErrorCode::NOT_LEADER_OR_FOLLOWER {
        format!("another broker leads partition {index}: ask who does")
    } else {
        format!("there is no such topic, or it has no partition {index}")
    }
}

fn is_transactional(data: &PartitionData) -> bool {
    let header = BatchHeader::parse(data.records.as_deref().unwrap_or_default());
    header.is_ok_and(|header| header.attributes.is_transactional())
}

fn is_zstd(records: &[u8]) -> bool {
    BatchHeader::parse(records).is_ok_and(|header| header.attributes.compression() == Ok(Compression::Zstd))
}

fn failed(index: i32, error_code: ErrorCode, message: String) -> PartitionResponse {
    let error_message = Some(message);
    PartitionResponse { index, error_code, base_offset: -1, error_message, ..Default::default() }
}
