//! Records and offsets, and a topic to try them with. Each is to be asked of the partition's
//! leader; topics are made and removed by any broker.

use bytes::Bytes;
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::list_offsets::{EARLIEST, LATEST, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::BatchBuilder;
use protocol::{ErrorCode, Payload};

use super::error::check;
use super::{CallError, Connection};
use crate::stored::find;
use crate::{Offsets, TopicPartition};

/// Fetch as Kafka has spoken it since 2.1: the first version that carries Zstandard, and one that
/// names topics by their names.
const FETCH_VERSION: i16 = 10;
/// How long the other brokers may take to hear of a topic, or to copy a record.
const TIMEOUT_MS: i32 = 2_000;

/// What became of a record that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its offset.
    pub offset: i64,
    /// When the broker took it, by the broker's clock, where the topic's records have that time
    /// (`message.timestamp.type=LogAppendTime`).
    pub log_append_time_ms: Option<i64>,
}

impl Connection {
    /// Which offsets each of `partitions` of a topic holds, in their order; none where this broker
    /// can't say.
    pub fn offsets(&mut self, topic: &str, partitions: &[i32]) -> Result<Vec<Option<Offsets>>, CallError> {
        let earliest = self.offsets_at(topic, partitions, EARLIEST)?;
        let latest = self.offsets_at(topic, partitions, LATEST)?;
        let both = earliest.into_iter().zip(latest);
        Ok(both.map(|(earliest, latest)| Some(Offsets { earliest: earliest?, latest: latest? })).collect())
    }

    fn offsets_at(
        &mut self,
        topic: &str,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<Vec<Option<i64>>, CallError> {
        let partition =
            |&partition_index| ListOffsetsPartition { partition_index, timestamp, ..Default::default() };
        let response = self.call(|_| ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: partitions.iter().map(partition).collect(),
            }],
            timeout_ms: TIMEOUT_MS,
            ..Default::default()
        })?;
        let found: Vec<_> = response.topics.into_iter().flat_map(|topic| topic.partitions).collect();
        let offset = |number: &i32| {
            let found = found.iter().find(|found| found.partition_index == *number)?;
            (found.error_code.is_none() && found.offset >= 0).then_some(found.offset)
        };
        Ok(partitions.iter().map(offset).collect())
    }

    /// Makes a topic of one partition whose records have the time at which the broker takes them.
    pub fn create_topic_of_append_time(&mut self, name: &str) -> Result<(), CallError> {
        let config = CreatableTopicConfig {
            name: "message.timestamp.type".to_owned(),
            value: Some("LogAppendTime".to_owned()),
        };
        let response = self.call(|version| CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.to_owned(),
                num_partitions: 1,
                // As many as the cluster likes, where it can be told so.
                replication_factor: if version >= 4 { -1 } else { 1 },
                configs: vec![config],
                ..Default::default()
            }],
            timeout_ms: TIMEOUT_MS,
            ..Default::default()
        })?;
        response.topics.iter().try_for_each(|topic| check(topic.error_code))
    }

    /// Removes a topic and all that is in it.
    pub fn delete_topic(&mut self, name: &str) -> Result<(), CallError> {
        let response = self.call(|version| {
            let state = DeleteTopicState { name: Some(name.to_owned()), ..Default::default() };
            DeleteTopicsRequest {
                topics: if version >= 6 { vec![state] } else { Vec::new() },
                topic_names: vec![name.to_owned()],
                timeout_ms: TIMEOUT_MS,
            }
        })?;
        response.responses.iter().try_for_each(|topic| check(topic.error_code))
    }

    /// Sends one record, and waits until every replica in sync has it.
    pub fn append(
        &mut self,
        at: &TopicPartition,
        timestamp_ms: i64,
        key: &[u8],
        value: &[u8],
    ) -> Result<Appended, CallError> {
        let mut batch = BatchBuilder::new();
        batch.push(timestamp_ms, Some(key), Some(value));
        let records = batch.finish();
        let response = self.call(|_| ProduceRequest {
            transactional_id: None,
            acks: -1,
            timeout_ms: TIMEOUT_MS,
            topics: vec![TopicData {
                name: at.topic.clone(),
                partitions: vec![PartitionData { index: at.partition, records: Some(records) }],
            }],
        })?;
        let mut partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        let done = partitions.next().ok_or(CallError::Refused(ErrorCode::UNKNOWN_SERVER_ERROR))?;
        check(done.error_code)?;
        let log_append_time_ms = Some(done.log_append_time_ms).filter(|time| *time >= 0);
        Ok(Appended { offset: done.base_offset, log_append_time_ms })
    }

    /// The value of the record at `offset`; none where there is none, or no value.
    pub fn value_at(&mut self, at: &TopicPartition, offset: i64) -> Result<Option<Vec<u8>>, CallError> {
        let Some(batches) = self.batches_at(at, offset, TIMEOUT_MS)? else { return Ok(None) };
        let found = find(&batches, offset).map_err(|_| CallError::NotKafka(Vec::new()))?;
        Ok(found.and_then(|record| record.value))
    }

    /// The batch that holds `offset`, or the first behind it, as it lies in the log, and perhaps
    /// more of the log. For so long it is waited for. None where it can't be had.
    pub(crate) fn batches_at(
        &mut self,
        at: &TopicPartition,
        offset: i64,
        max_wait_ms: i32,
    ) -> Result<Option<Bytes>, CallError> {
        let request = FetchRequest {
            max_wait_ms,
            min_bytes: 1,
            topics: vec![FetchTopic {
                topic: at.topic.clone(),
                partitions: vec![FetchPartition {
                    partition: at.partition,
                    fetch_offset: offset,
                    // A broker gives the first batch whole, whatever the limit.
                    partition_max_bytes: 1,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = self.call_in(FETCH_VERSION, &request)?;
        let mut partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        let fetched = partitions.find(|fetched| fetched.partition == at.partition);
        Ok(match fetched.and_then(|fetched| fetched.records) {
            Some(Payload::Bytes(bytes)) => Some(bytes),
            Some(Payload::Gap(_)) | None => None,
        })
    }
}
