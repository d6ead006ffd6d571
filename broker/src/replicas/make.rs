//! Making replicas of new partitions.

use std::sync::Arc;

use protocol::metadata_log::MetadataRecord;
use protocol::records::Offset;

use super::Replicas;
use crate::controller::PartitionRegistration;
use crate::log::{LogConfig, RecoveryHints, StorageError, TopicPartition};
use crate::replica::PartitionHandle;

impl Replicas {
    /// Makes those that this broker gets of the partitions in a topic's new records. No request
    /// finds them before they are added, and if one can't be made there is none.
    ///
    /// They are made before the records are written: what can't be made here is not promised.
    pub(crate) fn make(
        &self,
        topic: &Arc<str>,
        records: &[MetadataRecord],
        config: &LogConfig,
    ) -> Result<Vec<Arc<PartitionHandle>>, StorageError> {
        self.forget_deleted()?;
        let mut made = Vec::new();
        for (name, partition) in of_records(topic, records) {
            let Some(role) = self.role(&partition) else { continue };
            // What a topic of the same name may have left behind, when a crash cut its deletion
            // short, must not come back to life.
            let opened = self.log_dir.remove(&name).and_then(|()| {
                self.open_replica(name.clone(), role, &partition, config, RecoveryHints::default())
            });
            match opened {
                Ok(replica) => made.push(replica),
                Err(error) => {
                    self.remove_files_or_say(&name);
                    self.discard(&made);
                    return Err(error);
                }
            }
        }
        for replica in &made {
            assert_eq!(
                replica.lock().log_end_offset(),
                Offset::ZERO,
                "{} starts without a past",
                replica.name
            );
        }
        Ok(made)
    }

    /// The same with the records that lie there already; none where there are none.
    pub(crate) fn adopt(
        &self,
        topic: &Arc<str>,
        records: &[MetadataRecord],
        config: &LogConfig,
    ) -> Result<Vec<Arc<PartitionHandle>>, StorageError> {
        let there = self.log_dir.partitions()?;
        let mut adopted = Vec::new();
        for (name, partition) in of_records(topic, records).filter(|(name, _)| there.contains(name)) {
            if let Some(role) = self.role(&partition) {
                let hints = self.log_dir.recovery_hints(&name);
                adopted.push(self.open_replica(name, role, &partition, config, hints)?);
            }
        }
        Ok(adopted)
    }

    /// Removes what was made for records that could not be written: no client ever writes there.
    pub(crate) fn discard(&self, made: &[Arc<PartitionHandle>]) {
        for replica in made {
            self.remove_files_or_say(&replica.name);
        }
    }

    fn remove_files_or_say(&self, name: &TopicPartition) {
        if let Err(error) = self.log_dir.remove(name) {
            tracing::error!("{error}");
        }
    }
}

/// The partitions of a topic that records speak of.
fn of_records(
    topic: &Arc<str>,
    records: &[MetadataRecord],
) -> impl Iterator<Item = (TopicPartition, PartitionRegistration)> {
    records.iter().filter_map(|record| match record {
        MetadataRecord::Partition(partition) => {
            let name = TopicPartition::new(Arc::clone(topic), partition.partition_id);
            Some((name, partition.clone().into()))
        }
        MetadataRecord::RegisterBroker(_)
        | MetadataRecord::Topic(_)
        | MetadataRecord::Config(_)
        | MetadataRecord::RemoveTopic(_) => None,
    })
}
