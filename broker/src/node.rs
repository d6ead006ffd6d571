//! One broker without its sockets: everything that a request can ask about.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use protocol::Uuid;
use thiserror::Error;

use crate::BrokerConfig;
use crate::controller::{TopicError, Topics};
use crate::coordinator::{GroupCoordinator, OFFSETS_TOPIC, ProducerIds};
use crate::log::{Checkpoint, LogDir, Storage, StorageError, TopicPartition, read_file, replace_file};

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
        let offsets = offsets_partition();
        let groups = GroupCoordinator::open(
            Arc::clone(storage),
            log_dir.partition_dir(&offsets),
            config.groups.clone(),
            random(),
            log_dir.recovery_hints(&offsets),
            now_ms,
        )?;
        let producer_ids = ProducerIds::open(Arc::clone(storage), &data_dir)?;
        let topics =
            Topics::open(Arc::clone(storage), log_dir, &data_dir, config.node_id, config.log.clone())?;
        Ok(Self {
            config,
            cluster_id,
            topics,
            groups: Mutex::new(groups),
            producer_ids: Mutex::new(producer_ids),
        })
    }

    /// The coordinator of all groups.
    pub(crate) fn groups(&self) -> MutexGuard<'_, GroupCoordinator> {
        self.groups.lock().expect("no thread panics while it holds this lock")
    }

    /// Numbers for idempotent producers.
    pub(crate) fn producer_ids(&self) -> MutexGuard<'_, ProducerIds> {
        self.producer_ids.lock().expect("no thread panics while it holds this lock")
    }

    /// Writes down how far everything is synced, so that a start after a crash has little to read.
    pub(crate) fn checkpoint(&self) -> Result<(), StorageError> {
        self.topics.checkpoint(&self.offsets_checkpoint())
    }

    /// The end of an orderly run.
    pub(crate) fn close(self) -> Result<(), StorageError> {
        self.groups().close()?;
        let offsets = self.offsets_checkpoint();
        self.topics.close(&offsets)
    }

    fn offsets_checkpoint(&self) -> [(TopicPartition, Checkpoint); 1] {
        [(offsets_partition(), self.groups().checkpoint())]
    }
}

fn offsets_partition() -> TopicPartition {
    TopicPartition::new(OFFSETS_TOPIC, 0)
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
