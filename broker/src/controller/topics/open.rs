//! Opening the topics of a data directory.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use super::{Registry, Topic, TopicError, Topics};
use crate::controller::metadata_log::{LEADER_EPOCH, METADATA_TOPIC, MetadataLog};
use crate::controller::resources::Defaults;
use crate::coordinator::OFFSETS_TOPIC;
use crate::log::{LogConfig, LogDir, RecoveryHints, Reserve, Storage, StorageError, TopicPartition};
use crate::replica::{Partition, PartitionHandle};

impl Topics {
    /// Opens every topic of the data directory, after a crash with recovery.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        log_dir: LogDir,
        data_dir: &Path,
        node_id: i32,
        defaults: LogConfig,
    ) -> Result<Self, TopicError> {
        let reserve = Reserve::new(Arc::clone(&storage), data_dir);
        let (log, entries, resources) = MetadataLog::open(&storage, &log_dir, data_dir, node_id, &reserve)?;
        let topics = Self {
            reserve,
            storage,
            log_dir,
            node_id,
            registry: RwLock::new(Registry {
                defaults: Arc::new(Defaults::new(defaults, node_id, &resources)),
                resources,
                ..Registry::default()
            }),
            changes: Mutex::new(log),
            checkpointing: Mutex::new(()),
            checkpoint_is_stale: AtomicBool::new(false),
        };
        for entry in entries {
            let config = topics.defaults().log_config(&entry.config);
            let name: Arc<str> = entry.name.into();
            let partitions = (0..entry.partitions)
                .map(|number| topics.open_partition(&TopicPartition::new(Arc::clone(&name), number), &config))
                .collect::<Result<_, _>>()?;
            let topic = Topic { name, id: entry.id, config: entry.config, partitions };
            topics.write().insert(Arc::new(topic));
        }
        topics.report_unknown_partitions()?;
        // A crash came after a deletion.
        let is_stale = topics.log_dir.checkpointed().any(|partition| !topics.is_known(partition));
        topics.checkpoint_is_stale.store(is_stale, Ordering::Release);
        topics.keep_reserve();
        Ok(topics)
    }

    pub(super) fn open_partition(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        self.open_with(name, config, self.log_dir.recovery_hints(name))
    }

    pub(super) fn open_with(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
        hints: RecoveryHints,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        let dir = self.log_dir.partition_dir(name);
        let storage = Arc::clone(&self.storage);
        let (partition, recovery) = Partition::open(storage, dir, config.clone(), LEADER_EPOCH, hints)?;
        if recovery.truncated_bytes > 0 {
            tracing::warn!(
                partition = %name,
                "cut off {} bytes of a batch that was being written when the broker died",
                recovery.truncated_bytes
            );
        }
        Ok(Arc::new(PartitionHandle::new(name.clone(), partition)))
    }

    /// Directories that belong to no topic are left alone, but not in silence.
    fn report_unknown_partitions(&self) -> Result<(), StorageError> {
        for name in self.log_dir.partitions()? {
            if !self.is_known(&name) {
                tracing::warn!(
                    "{} belongs to no topic and is ignored",
                    self.log_dir.partition_dir(&name).display()
                );
            }
        }
        Ok(())
    }

    /// Whether a partition belongs to a topic, or is the broker's own.
    fn is_known(&self, name: &TopicPartition) -> bool {
        *name.topic == *METADATA_TOPIC
            || *name.topic == *OFFSETS_TOPIC
            || self.get(&name.topic).is_some_and(|topic| topic.partition(name.partition).is_some())
    }
}
