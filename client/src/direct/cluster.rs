//! The cluster: its brokers, its topics, a broker's settings, and ways of logging in.

use protocol::describe_configs::{BROKER, DescribeConfigsRequest, DescribeConfigsResource};
use protocol::metadata::{MetadataBroker, MetadataRequest, MetadataRequestTopic, MetadataTopic};
use protocol::sasl_handshake::SaslHandshakeRequest;

use super::error::check;
use super::{CallError, Connection};

/// A name that no cluster has for a way of logging in: the answer tells those that it has.
const NO_MECHANISM: &str = "-";

/// Where clients are told that a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Its number.
    pub id: i32,
    /// Its advertised host.
    pub host: String,
    /// Its advertised port: any number, if the broker is no honest one.
    pub port: i32,
}

/// What a broker tells of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterView {
    /// The cluster's id, if it has one.
    pub id: Option<String>,
    /// Which broker passes on what only the controller can do; brokers of a quorum may name any.
    pub controller: Option<i32>,
    /// All brokers.
    pub brokers: Vec<BrokerAddress>,
    /// The topics that were asked for.
    pub topics: Vec<TopicView>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicView {
    /// Its name.
    pub name: String,
    /// Why nothing more is known of it: Kafka's name for the error.
    pub error: Option<String>,
    /// Whether it is one of the broker's own.
    pub is_internal: bool,
    /// Its partitions.
    pub partitions: Vec<PartitionView>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionView {
    /// Its number.
    pub number: i32,
    /// Who leads it; none when nobody does.
    pub leader: Option<i32>,
    /// Who keeps a replica.
    pub replicas: Vec<i32>,
    /// Whose replica is in sync with the leader's.
    pub in_sync: Vec<i32>,
}

impl Connection {
    /// The cluster with all of its topics, or with these. No topic is made by being asked for.
    pub fn cluster(&mut self, topics: Option<&[&str]>) -> Result<ClusterView, CallError> {
        let response = self.call(|version| {
            let named =
                |name: &&str| MetadataRequestTopic { name: Some((*name).to_owned()), ..Default::default() };
            let topics = match topics {
                // Version 0 can't ask for none, and says all by an empty list.
                None if version == 0 => Some(Vec::new()),
                topics => topics.map(|topics| topics.iter().map(named).collect()),
            };
            MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() }
        })?;
        check(response.error_code)?;
        Ok(ClusterView {
            id: response.cluster_id,
            controller: Some(response.controller_id).filter(|controller| *controller >= 0),
            brokers: response.brokers.into_iter().map(broker).collect(),
            topics: response.topics.into_iter().filter_map(topic).collect(),
        })
    }

    /// The value of one of a broker's settings; none where it has no such setting. To be asked of
    /// the broker itself.
    pub fn broker_setting(&mut self, broker: i32, name: &str) -> Result<Option<String>, CallError> {
        let response = self.call(|_| DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: BROKER,
                resource_name: broker.to_string(),
                configuration_keys: Some(vec![name.to_owned()]),
            }],
            ..Default::default()
        })?;
        for result in &response.results {
            check(result.error_code)?;
        }
        let configs = response.results.into_iter().flat_map(|result| result.configs);
        Ok(configs.filter(|config| config.name == name).find_map(|config| config.value))
    }

    /// By which mechanisms clients can log in; none where there is no login. A broker that wants
    /// one hangs up on every other question.
    pub fn login_mechanisms(&mut self) -> Result<Vec<String>, CallError> {
        let mechanism = NO_MECHANISM.to_owned();
        Ok(self.call(|_| SaslHandshakeRequest { mechanism })?.mechanisms)
    }
}

fn broker(broker: MetadataBroker) -> BrokerAddress {
    BrokerAddress { id: broker.node_id, host: broker.host, port: broker.port }
}

fn topic(topic: MetadataTopic) -> Option<TopicView> {
    let partition = |partition: &protocol::metadata::MetadataPartition| PartitionView {
        number: partition.partition_index,
        leader: Some(partition.leader_id).filter(|leader| *leader >= 0),
        replicas: partition.replica_nodes.clone(),
        in_sync: partition.isr_nodes.clone(),
    };
    Some(TopicView {
        name: topic.name?,
        error: (!topic.error_code.is_none()).then(|| topic.error_code.to_string()),
        is_internal: topic.is_internal,
        partitions: topic.partitions.iter().map(partition).collect(),
    })
}
