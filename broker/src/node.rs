//! One broker without its sockets: everything that a request can ask about.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use protocol::Uuid;
use thiserror::Error;

use crate::BrokerConfig;
use crate::controller::{Topic, TopicConfig, TopicError, Topics};
use crate::coordinator::{GroupCoordinator, OFFSETS_TOPIC, ProducerIds};
use crate::log::{LogDir, Storage, StorageError, read_file, replace_file};
use crate::refusals::Refusals;

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
    Topics(#[from] TopicError),
}

/// What all connections share. Each part has its own lock, and none is held across a wait.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) config: BrokerConfig,
    /// Names the cluster to its clients; made once per data directory.
    pub(crate) cluster_id: String,
    pub(crate) topics: Topics,
    /// Clients that were refused without a word.
    pub(crate) refusals: Refusals,
    groups: Mutex<GroupCoordinator>,
    producer_ids: Mutex<ProducerIds>,
}

impl Node {
    /// Opens the data directory. `random` gives numbers that must not repeat from run to run.
    pub(crate) fn open(
        config: BrokerConfig,
        storage: &Arc<dyn Storage>,
        random: impl Fn() -> u64,
        now_ms: i64,
    ) -> Result<Self, OpenError> {
        let data_dir = config.data_dir.clone();
        let log_dir = LogDir::open(Arc::clone(storage), data_dir.clone())?;
        let cluster_id = cluster_id(&**storage, &data_dir, config.node_id, &random)?;
        let producer_ids = ProducerIds::open(Arc::clone(storage), &data_dir)?;
        let topics =
            Topics::open(Arc::clone(storage), log_dir, &data_dir, config.node_id, config.log.clone())?;
        let mut groups = GroupCoordinator::new(config.groups.clone(), random());
        let offsets = match topics.get(OFFSETS_TOPIC) {
            // Older versions kept it beside the topics, with one partition.
            None => topics.adopt(OFFSETS_TOPIC, random_uuid(&random), offsets_config())?,
            known => known,
        };
        if let Some(offsets) = offsets {
            groups.load(offsets.partitions.clone(), now_ms)?;
        }
        Ok(Self {
            config,
            cluster_id,
            topics,
            refusals: Refusals::default(),
            groups: Mutex::new(groups),
            producer_ids: Mutex::new(producer_ids),
        })
    }

    /// The topic in which groups' offsets are kept: made when the first group asks, as by Kafka.
    pub(crate) fn offsets_topic(
        &self,
        random: impl Fn() -> u64,
        now_ms: i64,
    ) -> Result<Arc<Topic>, TopicError> {
        let id = || random_uuid(&random);
        let topic = self.topics.get_or_create(OFFSETS_TOPIC, id, OFFSETS_PARTITIONS, offsets_config)?;
        let mut groups = self.groups();
        if !groups.is_loaded() {
            groups.load(topic.partitions.clone(), now_ms)?;
        }
        Ok(topic)
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
        self.topics.checkpoint()
    }

    /// The end of an orderly run.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.topics.close()
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

/// Reads `meta.properties`, the file in which Kafka keeps the same, or writes it.
fn cluster_id(
    storage: &dyn Storage,
    data_dir: &Path,
    node_id: i32,
    random: impl Fn() -> u64,
) -> Result<String, StorageError> {
    let path = data_dir.join("meta.properties");
    let bytes = read_file(storage, &path, 1 << 16)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if let Some(id) = text.lines().find_map(|line| line.strip_prefix("cluster.id=")) {
        return Ok(id.trim().to_owned());
    }
    let (cluster_id, directory_id) = (random_uuid(&random), random_uuid(&random));
    let text =
        format!("version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={directory_id}\n");
    replace_file(storage, &path, text.as_bytes())?;
    Ok(cluster_id.to_string())
}
