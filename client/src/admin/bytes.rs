//! What librdkafka's Rust binding does not ask, or of whose answer it keeps the code alone: asked
//! in Kafka's own bytes.

use std::io;

use protocol::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_configs::TOPIC;
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, DELETE, IncrementalAlterConfigsRequest, SET,
};
use protocol::offset_delete::{OffsetDeletePartition, OffsetDeleteRequest, OffsetDeleteTopic};
use protocol::{ErrorCode, Request};

use super::{Admin, NewTopic};
use crate::broker_connection::BrokerConnection;
use crate::{ClusterError, TopicPartition};

/// `CreateTopics`, the first version with a default number of partitions (Kafka 2.4).
const CREATE_TOPICS: i16 = 4;
/// `CreatePartitions`, as in Kafka 2.0.
const CREATE_PARTITIONS: i16 = 1;
/// `DeleteTopics`, the first version that says why not (Kafka 2.4).
const DELETE_TOPICS: i16 = 5;
/// `FindCoordinator` of one group, as in Kafka 2.0.
const FIND_COORDINATOR: i16 = 2;
/// The first versions of what Kafka 2.3 and 2.4 brought.
const FIRST: i16 = 0;

/// How long the cluster may take for what is looked at only.
const HOW_LONG_MS: i32 = 5_000;

impl Admin {
    /// Changes settings of a topic and leaves its others alone (Kafka's `IncrementalAlterConfigs`):
    /// all of these are changed, or none. A setting without a value goes back to its default.
    pub fn alter_configs(
        &self,
        topic: &str,
        changes: &[(String, Option<String>)],
    ) -> Result<(), ClusterError> {
        let what = format!("altering the settings of {topic}");
        let change = |(name, value): &(String, Option<String>)| AlterableConfig {
            name: name.clone(),
            config_operation: if value.is_some() { SET } else { DELETE },
            value: value.clone(),
        };
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: topic.to_owned(),
            configs: changes.iter().map(change).collect(),
        };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        let response = self.ask_any(&what, FIRST, &request)?;
        for result in response.responses {
            self.taken(&what, result.error_code, result.error_message)?;
        }
        Ok(())
    }

    /// The broker that coordinates a group: its id and its address.
    pub fn coordinator(&self, group: &str) -> Result<(i32, String), ClusterError> {
        let what = format!("looking for the coordinator of {group}");
        let request = FindCoordinatorRequest { key: group.to_owned(), ..Default::default() };
        let found = self.ask_any(&what, FIND_COORDINATOR, &request)?;
        self.taken(&what, found.error_code, found.error_message)?;
        Ok((found.node_id, format!("{}:{}", found.host, found.port)))
    }

    /// Deletes what a group has committed for these partitions. Its members may not be subscribed
    /// to their topics.
    pub fn delete_offsets(&self, group: &str, partitions: &[TopicPartition]) -> Result<(), ClusterError> {
        let what = format!("deleting offsets of the group {group}");
        let (_, coordinator) = self.coordinator(group)?;
        let topics = partitions.chunk_by(|one, next| one.topic == next.topic).map(|of_topic| {
            let partition = |at: &TopicPartition| OffsetDeletePartition { partition_index: at.partition };
            OffsetDeleteTopic {
                name: of_topic[0].topic.clone(),
                partitions: of_topic.iter().map(partition).collect(),
            }
        });
        let request = OffsetDeleteRequest { group_id: group.to_owned(), topics: topics.collect() };
        let response = BrokerConnection::connect(&coordinator, &self.settings)
            .and_then(|mut broker| broker.call(FIRST, &request))
            .map_err(|error| self.unanswered(&what, &coordinator, &error))?;
        self.taken(&what, response.error_code, None)?;
        for partition in response.topics.into_iter().flat_map(|topic| topic.partitions) {
            self.taken(&what, partition.error_code, None)?;
        }
        Ok(())
    }

    /// Why a topic can't be created, in the cluster's own words: asked once more, to be looked at
    /// only. None where that brings nothing to light.
    pub(super) fn why_not_created(&self, new: &NewTopic, replication: i32) -> Option<String> {
        let config = |(name, value): &(String, String)| CreatableTopicConfig {
            name: name.clone(),
            value: Some(value.clone()),
        };
        let topic = CreatableTopic {
            name: new.name.clone(),
            num_partitions: new.partitions,
            replication_factor: i16::try_from(replication).ok()?,
            configs: new.configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request =
            CreateTopicsRequest { topics: vec![topic], timeout_ms: HOW_LONG_MS, validate_only: true };
        let response = self.ask_any("", CREATE_TOPICS, &request).ok()?;
        response.topics.into_iter().find_map(|result| result.error_message)
    }

    /// Why a topic does not get so many partitions, as [`why_not_created`](Self::why_not_created).
    pub(super) fn why_not_grown(&self, topic: &str, partitions: i32) -> Option<String> {
        let topic = CreatePartitionsTopic { name: topic.to_owned(), count: partitions, assignments: None };
        let request =
            CreatePartitionsRequest { topics: vec![topic], timeout_ms: HOW_LONG_MS, validate_only: true };
        let response = self.ask_any("", CREATE_PARTITIONS, &request).ok()?;
        response.results.into_iter().find_map(|result| result.error_message)
    }

    /// Why a topic is not deleted, as [`why_not_created`](Self::why_not_created), but that this
    /// deletes it if the reason has gone since.
    pub(super) fn why_not_deleted(&self, topic: &str) -> Option<String> {
        let request = DeleteTopicsRequest {
            topic_names: vec![topic.to_owned()],
            timeout_ms: HOW_LONG_MS,
            ..DeleteTopicsRequest::default()
        };
        let response = self.ask_any("", DELETE_TOPICS, &request).ok()?;
        response.responses.into_iter().find_map(|result| result.error_message)
    }

    /// Asks the first broker that can be reached.
    fn ask_any<R: Request>(
        &self,
        what: &str,
        version: i16,
        request: &R,
    ) -> Result<R::Response, ClusterError> {
        let mut last = None;
        for (_, address) in self.brokers()? {
            match BrokerConnection::connect(&address, &self.settings) {
                Ok(mut broker) => {
                    return broker
                        .call(version, request)
                        .map_err(|error| self.unanswered(what, &address, &error));
                }
                Err(error) => last = Some((address, error)),
            }
        }
        let (address, error) =
            last.unwrap_or_else(|| (self.settings.servers().to_owned(), io::ErrorKind::NotFound.into()));
        Err(self.unanswered(what, &address, &error))
    }

    fn unanswered(&self, what: &str, address: &str, error: &io::Error) -> ClusterError {
        ClusterError::Refused {
            what: what.to_owned(),
            servers: self.settings.servers().to_owned(),
            reason: format!("{address} did not answer: {error}"),
        }
    }

    /// An answer's code, with the cluster's own words if it has any.
    fn taken(&self, what: &str, code: ErrorCode, message: Option<String>) -> Result<(), ClusterError> {
        if code == ErrorCode::NONE {
            return Ok(());
        }
        let named = || code.name().map_or_else(|| format!("error {}", code.0), ToOwned::to_owned);
        Err(ClusterError::Refused {
            what: what.to_owned(),
            servers: self.settings.servers().to_owned(),
            reason: message.unwrap_or_else(named),
        })
    }
}
