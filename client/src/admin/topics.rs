//! Topics: which there are, and making and deleting them.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};

use super::Admin;
use crate::context::ReaderContext;
use crate::{ClusterError, NoSuchTopic, ReadError};

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
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

impl Admin {
    /// Makes the topics that are not there yet; those that are stay as they are. Returns the names
    /// of the new ones.
    pub fn create(&self, topics: &[NewTopic]) -> Result<Vec<String>, ClusterError> {
        let wanted: Vec<_> = topics
            .iter()
            .map(|topic| {
                // -1: as many replicas as the cluster keeps by default.
                let new =
                    rdkafka::admin::NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(-1));
                topic.configs.iter().fold(new, |new, (key, value)| new.set(key, value))
            })
            .collect();
        let results =
            self.arrange("creating topics", |client, options| client.create_topics(&wanted, options))?;
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

    /// Deletes topics, with everything in them. One that is not there is no error.
    pub fn delete(&self, topics: &[&str]) -> Result<(), ClusterError> {
        let results =
            self.arrange("deleting topics", |client, options| client.delete_topics(topics, options))?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => return Err(self.refused(format!("deleting the topic {name}"), code)),
            }
        }
        Ok(())
    }

    /// The settings of a topic, in Kafka's words, sorted by name.
    pub fn configs(&self, topic: &str) -> Result<Vec<(String, String)>, ClusterError> {
        let what = format!("reading the settings of {topic}");
        let asked = [ResourceSpecifier::Topic(topic)];
        let results = self.arrange(&what, |client, options| client.describe_configs(&asked, options))?;
        let mut all = Vec::new();
        for result in results {
            let resource = result.map_err(|code| self.refused(what.clone(), code))?;
            all.extend(
                resource.entries.into_iter().map(|entry| (entry.name, entry.value.unwrap_or_default())),
            );
        }
        all.sort();
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

    /// What there is, in one request: how many brokers, and of each topic the broker that leads
    /// each partition, by partition; none where no group does. Sorted by name.
    #[expect(clippy::type_complexity, reason = "the answer to one question, in the order of the question")]
    pub fn overview(&self) -> Result<(usize, Vec<(String, Vec<Option<i32>>)>), ClusterError> {
        let metadata = self.metadata("listing the topics")?;
        let mut topics: Vec<(String, Vec<Option<i32>>)> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none())
            .map(|topic| {
                let mut leaders = vec![None; topic.partitions().len()];
                for partition in topic.partitions() {
                    let place = usize::try_from(partition.id()).ok().and_then(|id| leaders.get_mut(id));
                    if let Some(leader) = place {
                        *leader = Some(partition.leader()).filter(|leader| *leader >= 0);
                    }
                }
                (topic.name().to_owned(), leaders)
            })
            .collect();
        topics.sort();
        Ok((metadata.brokers().len(), topics))
    }

    /// How many partitions `topic` has.
    pub fn partitions(&self, topic: &str) -> Result<i32, ReadError> {
        // Asked for by name, a topic that isn't there might be made by the asking: so all of them.
        let known = self.topics()?.into_iter().find(|info| info.name == topic);
        let missing = || NoSuchTopic { topic: topic.to_owned(), servers: self.settings.servers().to_owned() };
        Ok(known.ok_or_else(missing)?.partitions)
    }

    /// Runs one of librdkafka's topic operations to its end.
    fn arrange<T, F: Future<Output = KafkaResult<T>>>(
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
