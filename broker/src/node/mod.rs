//! One broker without its sockets: everything that a request can ask about.

mod changes;
mod meta_properties;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};

use protocol::Uuid;
use thiserror::Error;

use crate::BrokerConfig;
use crate::controller::{Metadata, MetadataLogError, Topic, TopicConfig, TopicError};
use crate::coordinator::{GroupCoordinator, OFFSETS_TOPIC, ProducerIds};
use crate::log::{LogDir, Storage, StorageError};
use crate::refusals::Refusals;
use crate::replicas::Replicas;
use meta_properties::OtherNode;

/// Partitions of the topic in which groups' offsets are kept (`offsets.topic.num.partitions`).
pub(crate) const OFFSETS_PARTITIONS: i32 = 12;

/// Its segments are small enough that old commits go soon (`offsets.topic.segment.bytes`).
pub(crate) const OFFSETS_SEGMENT_BYTES: &str = "4194304";

/// Why the data directory could not be opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    OtherNode(#[from] OtherNode),
    #[error(transparent)]
    MetadataLog(#[from] MetadataLogError),
    #[error(transparent)]
    Topics(#[from] TopicError),
}

/// What all connections share. Each part has its own lock, and none is held across a wait.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) config: BrokerConfig,
    /// Names the cluster to its clients; made once per data directory.
    pub(crate) cluster_id: String,
    /// What the cluster has.
    pub(crate) metadata: Metadata,
    /// What of it is here.
    pub(crate) replicas: Replicas,
    /// Clients that were refused without a word.
    pub(crate) refusals: Refusals,
    groups: Mutex<GroupCoordinator>,
    producer_ids: Mutex<ProducerIds>,
}

impl Node {
    /// Opens the data directory, and registers this broker. `random` gives numbers that must not
    /// repeat from run to run.
    pub(crate) fn open(
        config: BrokerConfig,
        storage: &Arc<dyn Storage>,
        random: impl Fn() -> u64,
        now_ms: i64,
    ) -> Result<Self, OpenError> {
        let (data_dir, node_id) = (config.data_dir.clone(), config.node_id);
        let log_dir = LogDir::open(Arc::clone(storage), data_dir.clone())?;
        let cluster_id = meta_properties::read_or_write(&**storage, &data_dir, node_id, &random)?;
        let producer_ids = ProducerIds::open(Arc::clone(storage), &data_dir)?;
        let started_with = config.log.clone();
        let metadata = Metadata::open(storage, &log_dir, &data_dir, node_id, started_with, random(), now_ms)?;
        let defaults = metadata.defaults();
        let replicas = Replicas::open(Arc::clone(storage), log_dir, node_id, &metadata.image(), |topic| {
            defaults.log_config(&topic.config)
        })?;
        metadata.keep_reserve();
        let groups = GroupCoordinator::new(config.groups.clone(), random());
        let node = Self {
            config,
            cluster_id,
            metadata,
            replicas,
            refusals: Refusals::default(),
            groups: Mutex::new(groups),
            producer_ids: Mutex::new(producer_ids),
        };
        node.register(random_uuid(&random))?;
        if node.metadata.topic(OFFSETS_TOPIC).is_none() {
            // Older versions kept it beside the topics, with one partition.
            node.adopt_topic(OFFSETS_TOPIC, random_uuid(&random), offsets_config())?;
        }
        node.load_groups(now_ms)?;
        Ok(node)
    }

    /// The topic in which groups' offsets are kept: made when the first group asks, as by Kafka.
    pub(crate) fn offsets_topic(
        &self,
        random: impl Fn() -> u64,
        now_ms: i64,
    ) -> Result<Arc<Topic>, TopicError> {
        let id = || random_uuid(&random);
        let topic = self.get_or_create_topic(OFFSETS_TOPIC, id, OFFSETS_PARTITIONS, offsets_config)?;
        self.load_groups(now_ms)?;
        Ok(topic)
    }

    /// Reads what groups have committed, once there is something to read.
    fn load_groups(&self, now_ms: i64) -> Result<(), StorageError> {
        let mut groups = self.groups();
        if !groups.is_loaded()
            && let Some(offsets) = self.replicas.topic(OFFSETS_TOPIC)
        {
            groups.load(offsets.partitions().cloned().collect(), now_ms)?;
        }
        Ok(())
    }

    /// The coordinator of all groups.
    pub(crate) fn groups(&self) -> MutexGuard<'_, GroupCoordinator> {
        self.groups.lock().expect("no thread panics while it holds this lock")
    }

    /// Numbers for idempotent producers.
    pub(crate) fn producer_ids(&self) -> MutexGuard<'_, ProducerIds> {
        self.producer_ids.lock().expect("no thread panics while it holds this lock")
    }

    /// Whether a number can be given without waiting for the disk, or for who waits for it.
    pub(crate) fn has_producer_id_at_hand(&self) -> bool {
        self.producer_ids.try_lock().is_ok_and(|ids| ids.is_at_hand())
    }

    /// Writes down how far everything is synced, so that a start after a crash has little to read.
    pub(crate) fn checkpoint(&self) -> Result<(), StorageError> {
        self.replicas.checkpoint()?;
        self.metadata.keep_small()
    }

    /// The end of an orderly run.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.replicas.close()?;
        self.checkpoint()?;
        self.metadata.close()?;
        self.replicas.mark_closed()
    }
}

/// Kafka's own settings of it, but for its segments.
fn offsets_config() -> TopicConfig {
    let mut config = TopicConfig::default();
    let settings = [
        ("cleanup.policy", "compact"),
        ("compression.type", "producer"),
        ("segment.bytes", OFFSETS_SEGMENT_BYTES),
    ];
    for (name, value) in settings {
        config.set(name, value).expect("the settings and their values are known");
    }
    config
}

/// A random topic or cluster id.
pub(crate) fn random_uuid(random: impl Fn() -> u64) -> Uuid {
    Uuid((u128::from(random()) << 64 | u128::from(random())).to_be_bytes())
}
