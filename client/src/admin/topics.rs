//! Topics: which there are, and making and deleting them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewPartitions, OwnedResourceSpecifier,
    ResourceSpecifier, TopicReplication, TopicResult,
};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataPartition;

use super::{Admin, Brokers, brokers};
use crate::context::ReaderContext;
use crate::{ClusterError, NoSuchTopic, ReadError};

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; -1 is the cluster's default.
    pub partitions: i32,
    /// Settings in Kafka's words, such as `cleanup.policy=compact` or `retention.ms=60000`.
    pub configs: Vec<(String, String)>,
}

/// A topic there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: i32,
}

/// A topic, and where its partitions are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicLayout {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionLayout>,
}

/// Where a partition is: brokers, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionLayout {
    /// Its number, from 0.
    pub partition: i32,
    /// Who leads it; none while nobody does.
    pub leader: Option<i32>,
    /// Who keeps a replica, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Whose replica is in sync with the leader's.
    pub in_sync: Vec<i32>,
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// Its name, such as `retention.ms`.
    pub name: String,
    /// Its value; none where the cluster keeps it secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: SettingSource,
}

/// Where the value of a topic's setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingSource {
    /// Nobody has set it.
    Default,
    /// It is a broker's, for all topics that say nothing else.
    Broker,
    /// It is the topic's own.
    Topic,
}

/// As many replicas as the cluster keeps by default.
const DEFAULT_REPLICATION: i32 = -1;

impl Admin {
    /// Makes the topics that are not there yet; those that are stay as they are. Returns the names
    /// of the new ones.
    pub fn create(&self, topics: &[NewTopic]) -> Result<Vec<String>, ClusterError> {
        let results = self.create_all(topics, DEFAULT_REPLICATION)?;
        let mut created = Vec::new();
        for result in results {
            match result {
                Ok(name) => created.push(name),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => return Err(self.refused(format!("creating the topic {name}"), code)),
            }
        }
        Ok(created)
    }

    /// Makes one topic, with so many replicas or as many as the cluster keeps by default; false
    /// when there is one of this name already. What is refused says why in the cluster's words.
    pub fn create_topic(&self, new: &NewTopic, replication: Option<i32>) -> Result<bool, ClusterError> {
        let replication = replication.unwrap_or(DEFAULT_REPLICATION);
        for result in self.create_all(std::slice::from_ref(new), replication)? {
            match result {
                Ok(_) => {}
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => return Ok(false),
                Err((name, code)) => {
                    let why = self.why_not_created(new, replication);
                    return Err(self.refused(format!("creating the topic {name}"), code).because(why));
                }
            }
        }
        Ok(true)
    }

    fn create_all(&self, topics: &[NewTopic], replication: i32) -> Result<Vec<TopicResult>, ClusterError> {
        let wanted: Vec<_> = topics
            .iter()
            .map(|topic| {
                let replication = TopicReplication::Fixed(replication);
                let new = rdkafka::admin::NewTopic::new(&topic.name, topic.partitions, replication);
                topic.configs.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        self.arrange("creating topics", |client, options| client.create_topics(&wanted, options))
    }

    /// Gives a topic more partitions, so many in all.
    pub fn grow(&self, topic: &str, partitions: i32) -> Result<(), ClusterError> {
        let what = format!("giving {topic} more partitions");
        let new = [NewPartitions::new(topic, usize::try_from(partitions).unwrap_or(0))];
        let results = self.arrange(&what, |client, options| client.create_partitions(&new, options))?;
        for result in results {
            result.map_err(|(_, code)| {
                self.refused(what.clone(), code).because(self.why_not_grown(topic, partitions))
            })?;
        }
        Ok(())
    }

    /// Deletes topics, with everything in them. One that is not there is no error.
    pub fn delete(&self, topics: &[&str]) -> Result<(), ClusterError> {
        let results =
            self.arrange("deleting topics", |client, options| client.delete_topics(topics, options))?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => {
                    let why = self.why_not_deleted(&name);
                    return Err(self.refused(format!("deleting the topic {name}"), code).because(why));
                }
            }
        }
        Ok(())
    }

    /// The settings of a topic, in Kafka's words, sorted by name.
    pub fn configs(&self, topic: &str) -> Result<Vec<(String, String)>, ClusterError> {
        let settings = self.topic_settings(&[topic])?.remove(topic).unwrap_or_default();
        Ok(settings.into_iter().map(|setting| (setting.name, setting.value.unwrap_or_default())).collect())
    }

    /// The settings of topics, each sorted by name. A topic whose settings this client may not read
    /// is left out.
    pub fn topic_settings(&self, topics: &[&str]) -> Result<BTreeMap<String, Vec<Setting>>, ClusterError> {
        let what = || match topics {
            [topic] => format!("reading the settings of {topic}"),
            _ => "reading the settings of topics".to_owned(),
        };
        let asked: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let results = self.arrange(&what(), |client, options| client.describe_configs(&asked, options))?;
        let mut all = BTreeMap::new();
        for result in results {
            let resource = result.map_err(|code| self.refused(what(), code))?;
            // The binding drops the code of a resource that is refused: its settings are missing.
            let OwnedResourceSpecifier::Topic(name) = resource.specifier else { continue };
            let setting = |entry: ConfigEntry| Setting {
                name: entry.name,
                value: entry.value,
                source: match entry.source {
                    ConfigSource::DynamicTopic => SettingSource::Topic,
                    ConfigSource::DynamicBroker
                    | ConfigSource::DynamicDefaultBroker
                    | ConfigSource::StaticBroker => SettingSource::Broker,
                    ConfigSource::Default | ConfigSource::Unknown => SettingSource::Default,
                },
            };
            let mut settings: Vec<_> = resource.entries.into_iter().map(setting).collect();
            settings.sort();
            if !settings.is_empty() {
                all.insert(name, settings);
            }
        }
        Ok(all)
    }

    /// Gives topics these settings and no others, each by its name: what is not named here goes
    /// back to its default (Kafka's `AlterConfigs`).
    pub fn set_configs(&self, topics: &[(&str, Vec<(String, String)>)]) -> Result<(), ClusterError> {
        let altered: Vec<_> = topics
            .iter()
            .map(|(topic, configs)| {
                let new = AlterConfig::new(ResourceSpecifier::Topic(topic));
                configs.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        let results =
            self.arrange("changing settings", |client, options| client.alter_configs(&altered, options))?;
        for result in results {
            result.map_err(|(of, code)| self.refused(format!("changing the settings of {of:?}"), code))?;
        }
        Ok(())
    }

    /// Every topic, sorted by name.
    pub fn topics(&self) -> Result<Vec<TopicInfo>, ClusterError> {
        let metadata = self.metadata("listing the topics")?;
        let mut all: Vec<_> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| TopicInfo {
                name: topic.name().to_owned(),
                partitions: topic.partitions().len() as i32,
            })
            .collect();
        all.sort();
        Ok(all)
    }

    /// Every topic, with the brokers that its partitions are on; sorted by name.
    pub fn layout(&self) -> Result<Vec<TopicLayout>, ClusterError> {
        Ok(self.overview()?.1)
    }

    /// What there is, in one request: every broker, and every topic as [`layout`](Self::layout)
    /// tells it.
    pub fn overview(&self) -> Result<(Brokers, Vec<TopicLayout>), ClusterError> {
        let metadata = self.metadata("listing the topics")?;
        let partition = |partition: &MetadataPartition| PartitionLayout {
            partition: partition.id(),
            leader: Some(partition.leader()).filter(|leader| *leader >= 0),
            replicas: partition.replicas().to_vec(),
            in_sync: partition.isr().to_vec(),
        };
        let mut all: Vec<_> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| {
                let mut partitions: Vec<_> = topic.partitions().iter().map(partition).collect();
                partitions.sort();
                TopicLayout { name: topic.name().to_owned(), partitions }
            })
            .collect();
        all.sort();
        Ok((brokers(&metadata), all))
    }

    /// How many partitions `topic` has.
    pub fn partitions(&self, topic: &str) -> Result<i32, ReadError> {
        // Asked for by name, a topic that isn't there might be made by the asking: so all of them.
        let known = self.topics()?.into_iter().find(|info| info.name == topic);
        let missing = || NoSuchTopic { topic: topic.to_owned(), servers: self.settings.servers().to_owned() };
        Ok(known.ok_or_else(missing)?.partitions)
    }

    /// Runs one of librdkafka's operations on topics and groups to its end.
    pub(super) fn arrange<T, F: Future<Output = KafkaResult<T>>>(
        &self,
        what: &str,
        operation: impl FnOnce(&AdminClient<ReaderContext>, &AdminOptions) -> F,
    ) -> Result<T, ClusterError> {
        let mut client = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match &mut *client {
            Some(client) => client,
            none => none.insert(
                self.settings
                    .config(&[])
                    .create_with_context(ReaderContext::default())
                    .map_err(|error| self.wrong("starting a client", &error))?,
            ),
        };
        let options =
            AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout));
        block_on(operation(client, &options)).map_err(|error| self.wrong(what, &error))
    }
}

/// Waits for a future that another thread completes: all that is needed of an async runtime here.
/// librdkafka ends every operation at its own timeout, so this ends too.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
