//! The metadata of the cluster as this broker has it: the log, and the image that comes of it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

use protocol::Uuid;
use protocol::describe_configs::BROKER;
use protocol::metadata_log::{ConfigRecord, MetadataRecord};
use protocol::records::{LeaderEpoch, Offset};

use super::brokers::Brokers;
use super::image::{Image, Topic};
use super::metadata_log::{MetadataLog, MetadataLogError};
use super::resources::{Defaults, ResourceConfig};
use crate::log::{LogConfig, LogDir, Reserve, Storage, StorageError};

/// So much is kept for the day on which the disk is full: a deletion takes a hundred bytes.
const RESERVE_BYTES: usize = 64 << 10;

/// The log and the image, shared by all connections.
#[derive(Debug)]
pub(crate) struct Metadata {
    node_id: i32,
    /// For the changes that make room.
    reserve: Reserve,
    image: RwLock<Image>,
    /// What comes of the image for topics that set nothing themselves.
    defaults: RwLock<Arc<Defaults>>,
    /// Held while something changes, so that changes come one after the other and reads go on.
    log: Mutex<MetadataLog>,
}

/// Who leads the metadata log, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MetadataLeader {
    pub(crate) leader_id: i32,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) high_watermark: Offset,
}

impl Metadata {
    /// Reads what the data directory has, and has this broker elected. `seed` must not repeat from
    /// run to run.
    pub(crate) fn open(
        storage: &Arc<dyn Storage>,
        log_dir: &LogDir,
        data_dir: &Path,
        node_id: i32,
        started_with: LogConfig,
        seed: u64,
        now_ms: i64,
    ) -> Result<Self, MetadataLogError> {
        let reserve = Reserve::new(Arc::clone(storage), data_dir);
        let (log, image) = MetadataLog::open(storage, log_dir, data_dir, node_id, &reserve, seed, now_ms)?;
        let defaults = Arc::new(Defaults::new(started_with, node_id, image.resources()));
        Ok(Self {
            node_id,
            reserve,
            image: RwLock::new(image),
            defaults: RwLock::new(defaults),
            log: Mutex::new(log),
        })
    }

    /// The image as it is now. It does not change while this is held; not across anything that
    /// waits.
    pub(crate) fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().expect("no thread panics while it holds this lock")
    }

    /// The topic of that name.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.image().topic(name).cloned()
    }

    /// The topic with that id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.image().topic_by_id(id).cloned()
    }

    /// All topics, by name.
    pub(crate) fn topics(&self) -> Vec<Arc<Topic>> {
        self.image().topics().cloned().collect()
    }

    /// The brokers that have registered.
    pub(crate) fn brokers(&self) -> Arc<Brokers> {
        Arc::clone(self.image().brokers())
    }

    /// What holds for topics that set nothing themselves.
    pub(crate) fn defaults(&self) -> Arc<Defaults> {
        Arc::clone(&self.defaults.read().expect("no thread panics while it holds this lock"))
    }

    /// What was set for a resource that is no topic.
    pub(crate) fn resource_config(&self, of_type: i8, name: &str) -> ResourceConfig {
        self.image().resource(of_type, name).cloned().unwrap_or_default()
    }

    /// The resources of a type that anything was set for.
    pub(crate) fn resources_of(&self, of_type: i8) -> Vec<String> {
        let image = self.image();
        let resources = image.resources().keys().filter(|(other, _)| *other == of_type);
        resources.map(|(_, name)| name.clone()).collect()
    }

    /// The active controller: who leads the metadata log. Clients ask often, and wait for no
    /// change.
    pub(crate) fn controller_id(&self) -> i32 {
        self.node_id
    }

    /// Who leads the metadata log, and how far it goes. There is one voter, so all of it is
    /// committed.
    pub(crate) fn leader(&self) -> MetadataLeader {
        let log = self.log();
        let leader_id = self.controller_id();
        MetadataLeader { leader_id, leader_epoch: log.leader_epoch(), high_watermark: log.end() }
    }

    /// Begins a change. Another waits until this one is dropped.
    pub(crate) fn begin_change(&self) -> Change<'_> {
        Change { metadata: self, log: self.log() }
    }

    /// Shortens the log if most of it is old changes, and sets room aside for those that make room.
    pub(crate) fn keep_small(&self) -> Result<(), StorageError> {
        let mut log = self.log();
        if log.is_due() {
            // A copy, for it may take long: topics are shared with it.
            let image = self.image().clone();
            log.snapshot(&image)?;
        }
        drop(log);
        self.keep_reserve();
        Ok(())
    }

    /// Sets room aside for the changes that make room, if there is any.
    pub(crate) fn keep_reserve(&self) {
        self.reserve.fill(RESERVE_BYTES);
    }

    /// Leaves the log as a reader expects it.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        self.log().close()
    }

    /// As if much had been written to the log.
    #[cfg(test)]
    pub(crate) fn make_log_due(&self) {
        self.log().make_due();
    }

    fn log(&self) -> MutexGuard<'_, MetadataLog> {
        self.log.lock().expect("no thread panics while it holds this lock")
    }
}

/// A change under way.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    metadata: &'a Metadata,
    log: MutexGuard<'a, MetadataLog>,
}

impl Change<'_> {
    /// Writes records, and waits until they last. From then on they count, and are to be applied.
    pub(crate) fn append(&mut self, records: &[MetadataRecord]) -> Result<(), StorageError> {
        self.log.write(records)
    }

    /// The same for a change that makes room: it has the reserve if there is no other room.
    pub(crate) fn append_to_make_room(&mut self, records: &[MetadataRecord]) -> Result<(), StorageError> {
        self.metadata.reserve.spend(|| self.log.write(records))
    }

    /// Makes true here what was written: all of it at once.
    pub(crate) fn apply(&self, records: Vec<MetadataRecord>) {
        let is_of_broker = |record: &MetadataRecord| {
            matches!(record, MetadataRecord::Config(ConfigRecord { resource_type: BROKER, .. }))
        };
        let changes_defaults = records.iter().any(is_of_broker);
        let mut image = self.metadata.image.write().expect("no thread panics while it holds this lock");
        for record in records {
            image.apply(record).expect("what is decided on an image can be applied to it");
        }
        if changes_defaults {
            let mut defaults =
                self.metadata.defaults.write().expect("no thread panics while it holds this lock");
            let started_with = defaults.started_with().clone();
            *defaults = Arc::new(Defaults::new(started_with, self.metadata.node_id, image.resources()));
        }
    }

    /// The offset that the first of the next records gets.
    pub(crate) fn next_offset(&self) -> Offset {
        self.log.end()
    }
}
