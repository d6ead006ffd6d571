//! Looking at a cluster from outside, and arranging its topics and offsets.

mod bytes;
mod groups;
mod offsets;
mod topics;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataBroker};

use crate::context::{ReaderContext, leave};
use crate::{ClusterError, Settings};

pub use groups::{Group, Member};
pub use offsets::Offsets;
pub use topics::{NewTopic, PartitionLayout, Setting, SettingSource, TopicInfo, TopicLayout};

/// A client that waits for its cluster has no more than this to say: a failure an attempt.
const MOST_EVENTS: usize = 200;

/// Brokers, each with its id and its `host:port`.
pub type Brokers = Vec<(i32, String)>;

/// Sees and arranges a cluster. Every call takes at most the timeout that was given to
/// [`Admin::connect`].
pub struct Admin {
    settings: Settings,
    timeout: Duration,
    outside: BaseConsumer<ReaderContext>,
    /// Made when first needed.
    topics: Mutex<Option<AdminClient<ReaderContext>>>,
    /// Offsets belong to a group, and librdkafka knows one group a client.
    groups: Mutex<BTreeMap<String, Arc<BaseConsumer<ReaderContext>>>>,
}

impl Drop for Admin {
    fn drop(&mut self) {
        let groups = self.groups.get_mut().unwrap_or_else(PoisonError::into_inner);
        for consumer in groups.values() {
            leave(consumer);
        }
    }
}

impl Admin {
    /// Finds the cluster of `settings`, or says that it is not there.
    pub fn connect(settings: &Settings, timeout: Duration) -> Result<Self, ClusterError> {
        let admin = Self::unconnected(settings, timeout)?;
        admin.topics()?;
        Ok(admin)
    }

    /// As [`connect`](Self::connect), but leaves it to the first call to find out whether the
    /// cluster is there.
    pub fn unconnected(settings: &Settings, timeout: Duration) -> Result<Self, ClusterError> {
        let outside =
            settings.config(&[]).create_with_context(ReaderContext::default()).map_err(|error| {
                ClusterError::of("starting a client", settings, timeout, &error).or_wrong_files(settings)
            })?;
        Ok(Self {
            settings: settings.clone(),
            timeout,
            outside,
            topics: Mutex::new(None),
            groups: Mutex::new(BTreeMap::new()),
        })
    }

    /// Every broker.
    pub fn brokers(&self) -> Result<Brokers, ClusterError> {
        let metadata = self.metadata("listing the brokers")?;
        Ok(brokers(&metadata))
    }

    /// The id that the cluster gave itself, if it has one.
    pub fn cluster_id(&self) -> Option<String> {
        self.outside.client().fetch_cluster_id(self.timeout)
    }

    /// Where the cluster is, and how it is spoken to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What there is: every broker, and every topic with its partitions.
    fn metadata(&self, what: &str) -> Result<Metadata, ClusterError> {
        let metadata = self.outside.fetch_metadata(None, self.timeout);
        let metadata = metadata.map_err(|error| {
            self.login_refused(what).unwrap_or_else(|| self.wrong(what, &error).or_why(&self.settings))
        })?;
        self.outside.context().reachability.mark_reachable();
        Ok(metadata)
    }

    /// The error that a broker has not let us in, if that is why nothing came.
    fn login_refused(&self, what: &str) -> Option<ClusterError> {
        // What librdkafka has to say is told to the context as it is taken from its queue, one
        // thing at a time; whether there is more is not told.
        let mut reason = None;
        for _ in 0..MOST_EVENTS {
            let _an_event_or_nothing = self.outside.poll(Duration::ZERO);
            reason = reason.or_else(|| self.outside.context().reachability.take_refused_login());
        }
        let reason = reason?;
        Some(ClusterError::Refused {
            what: what.to_owned(),
            servers: self.settings.servers().to_owned(),
            reason: format!("{reason}: look at sasl.mechanism, sasl.username and sasl.password"),
        })
    }

    fn wrong(&self, what: &str, error: &KafkaError) -> ClusterError {
        ClusterError::of(what, &self.settings, self.timeout, error)
    }

    fn refused(&self, what: String, code: RDKafkaErrorCode) -> ClusterError {
        ClusterError::of_code(what, &self.settings, self.timeout, code)
    }
}

fn brokers(metadata: &Metadata) -> Brokers {
    let address = |broker: &MetadataBroker| format!("{}:{}", broker.host(), broker.port());
    metadata.brokers().iter().map(|broker| (broker.id(), address(broker))).collect()
}
