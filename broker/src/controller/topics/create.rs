//! Making topics, and giving them partitions.

use std::ops::Range;
use std::sync::Arc;

use protocol::Uuid;
use protocol::records::Offset;

use super::{Topic, TopicError, Topics, check_partitions};
use crate::controller::TopicConfig;
use crate::controller::metadata_log;
use crate::log::{LogConfig, RecoveryHints, StorageError, TopicPartition};
use crate::replica::PartitionHandle;

impl Topics {
    /// Makes a topic. It lasts: that it was made is on disk before this returns.
    pub(crate) fn create(
        &self,
        name: &str,
        id: Uuid,
        partitions: i32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        let mut log = self.changes();
        self.check_new(name, partitions)?;
        self.forget_deleted()?;
        let name: Arc<str> = name.into();
        let log_config = self.defaults().log_config(&config);
        let made = self.create_partitions(&name, 0..partitions, &log_config).and_then(|partitions| {
            let topic = Arc::new(Topic { name: Arc::clone(&name), id, config, partitions });
            let records = metadata_log::creation(self.node_id, &topic.entry()).collect::<Vec<_>>();
            log.write(&records)?;
            self.replace(&topic);
            Ok(topic)
        });
        Ok(made.inspect_err(|_| self.remove_partitions(&name, 0..partitions))?)
    }

    /// The topic of that name, made if it is not there.
    pub(crate) fn get_or_create(
        &self,
        name: &str,
        id: impl FnOnce() -> Uuid,
        partitions: i32,
        config: impl FnOnce() -> TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        if let Some(topic) = self.get(name) {
            return Ok(topic);
        }
        match self.create(name, id(), partitions, config()) {
            // Another connection was faster.
            Err(TopicError::AlreadyExists { name }) => self.get(&name).ok_or(TopicError::Unknown { name }),
            created => created,
        }
    }

    /// Makes a topic of a partition 0 that has files already; `None` where there are none.
    pub(crate) fn adopt(
        &self,
        name: &str,
        id: Uuid,
        config: TopicConfig,
    ) -> Result<Option<Arc<Topic>>, TopicError> {
        let first = TopicPartition::new(name, 0);
        if !self.log_dir.partitions()?.contains(&first) {
            return Ok(None);
        }
        let partitions = vec![self.open_partition(&first, &self.defaults().log_config(&config))?];
        let topic = Arc::new(Topic { name: name.into(), id, config, partitions });
        let records = metadata_log::creation(self.node_id, &topic.entry()).collect::<Vec<_>>();
        self.changes().write(&records)?;
        self.replace(&topic);
        Ok(Some(topic))
    }

    /// Gives a topic more partitions, `count` in all.
    pub(crate) fn grow(&self, name: &str, count: i32) -> Result<(), TopicError> {
        let mut log = self.changes();
        let topic = self.check_grow(name, count)?;
        self.forget_deleted()?;
        let config = self.defaults().log_config(&topic.config);
        let new = topic.partitions.len() as i32..count;
        let grown = self.create_partitions(&topic.name, new.clone(), &config).and_then(|mut added| {
            let numbers = new.clone();
            let records = numbers.map(|number| metadata_log::addition(self.node_id, topic.id, number));
            log.write(&records.collect::<Vec<_>>())?;
            let mut partitions = topic.partitions.clone();
            partitions.append(&mut added);
            self.replace(&Arc::new(Topic { partitions, ..Topic::clone(&topic) }));
            Ok(())
        });
        Ok(grown.inspect_err(|_| self.remove_partitions(&topic.name, new))?)
    }

    /// Removes what a change that failed has made of these partitions: no client ever writes there.
    fn remove_partitions(&self, topic: &Arc<str>, numbers: Range<i32>) {
        for number in numbers {
            if let Err(error) = self.log_dir.remove(&TopicPartition::new(Arc::clone(topic), number)) {
                tracing::error!("{error}");
            }
        }
    }

    /// Whether a topic could grow to that size, without doing it.
    pub(crate) fn check_grow(&self, name: &str, count: i32) -> Result<Arc<Topic>, TopicError> {
        let topic = self.get(name).ok_or_else(|| TopicError::Unknown { name: name.to_owned() })?;
        topic.check_changeable()?;
        check_partitions(count, topic.partitions.len() as i32 + 1)?;
        Ok(topic)
    }

    fn create_partitions(
        &self,
        topic: &Arc<str>,
        numbers: Range<i32>,
        config: &LogConfig,
    ) -> Result<Vec<Arc<PartitionHandle>>, StorageError> {
        numbers
            .map(|number| self.create_partition(&TopicPartition::new(Arc::clone(topic), number), config))
            .collect()
    }

    /// Starts a partition with no past: what a topic of the same name may have left behind, when a
    /// crash cut its deletion short, must not come back to life.
    fn create_partition(
        &self,
        name: &TopicPartition,
        config: &LogConfig,
    ) -> Result<Arc<PartitionHandle>, StorageError> {
        self.log_dir.remove(name)?;
        let partition = self.open_with(name, config, RecoveryHints::default())?;
        let end = partition.lock().log_end_offset();
        assert_eq!(end, Offset::ZERO, "{name} starts without a past");
        Ok(partition)
    }
}
