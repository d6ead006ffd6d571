//! A partition that many connections share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::{Partition, Waiters};
use crate::log::TopicPartition;

/// A partition behind its own lock, with the fetches that wait for it.
#[derive(Debug)]
pub struct PartitionHandle {
    /// Which it is.
    pub name: TopicPartition,
    /// The fetches that wait for it.
    pub waiters: Waiters,
    partition: Mutex<Partition>,
    deleted: AtomicBool,
}

impl PartitionHandle {
    /// One that is not deleted.
    pub fn new(name: TopicPartition, partition: Partition) -> Self {
        Self {
            name,
            waiters: Waiters::default(),
            partition: Mutex::new(partition),
            deleted: AtomicBool::new(false),
        }
    }

    /// Holds the partition; not across anything that waits.
    pub fn lock(&self) -> MutexGuard<'_, Partition> {
        self.partition.lock().expect("no thread panics while it holds this lock")
    }

    /// Holds the partition unless its topic was deleted. As long as it is held its directory is its
    /// own.
    pub fn lock_living(&self) -> Option<MutexGuard<'_, Partition>> {
        let partition = self.lock();
        (!self.is_deleted()).then_some(partition)
    }

    /// The topic was deleted; a request that still holds this handle must not write to it.
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Fetches that wait here learn that the topic is gone.
    pub fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
        // Who held it as living is done when this is.
        drop(self.lock());
        self.waiters.notify_all();
    }
}
