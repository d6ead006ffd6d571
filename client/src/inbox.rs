//! What has arrived of each partition, waiting in librdkafka's memory until somebody asks for it.
//!
//! # Why a queue for each partition
//! librdkafka hands all that a member reads through one queue, and stops fetching when *that* is
//! full. Who takes its records in the order of the queue has then lost the choice: to see the next
//! record of a slow input it must take in all that lies before it of the fast ones, and while the
//! queue is full the slow one is not fetched at all. With a queue for each partition each is
//! fetched for itself, up to a bound of its own, and a merge of several takes from the one
//! whose turn it is. What is not taken holds up only its own partition, so that there is no
//! need for pausing (which throws away what was fetched and fetches it again).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;

use crate::TopicPartition;

/// Wakes the one who waits when anything arrives.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    condition: Condvar,
}

impl Bell {
    /// Called by librdkafka's threads, with one of its queues locked: nothing here may call it.
    pub(crate) fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *rung, true) {
            self.condition.notify_one();
        }
    }

    /// Waits until it has rung since the last time, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .condition
            .wait_timeout_while(rung, timeout, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// What has arrived of one partition.
pub(crate) struct Queue<C: ConsumerContext> {
    pub(crate) at: TopicPartition,
    inner: PartitionQueue<C>,
    /// There may be something in it. An empty queue is not asked: each
    /// question costs a system call.
    filled: Arc<AtomicBool>,
}

impl<C: ConsumerContext> Queue<C> {
    /// Gives `at` a queue of its own, which rings the `bell` when it is no longer empty. To be done
    /// before the partition is assigned: what is fetched before that goes to the common queue.
    pub(crate) fn split(
        consumer: &Arc<BaseConsumer<C>>,
        at: &TopicPartition,
        bell: &Arc<Bell>,
    ) -> Option<Self> {
        let mut inner = consumer.split_partition_queue(&at.topic, at.partition)?;
        let filled = Arc::new(AtomicBool::new(true));
        let (fills, bell) = (Arc::clone(&filled), Arc::clone(bell));
        inner.set_nonempty_callback(move || {
            fills.store(true, Ordering::SeqCst);
            bell.ring();
        });
        Some(Self { at: at.clone(), inner, filled })
    }

    /// What is first in it.
    pub(crate) fn take(&self) -> Option<Result<BorrowedMessage<'_>, KafkaError>> {
        // The callback comes only when something falls into an empty queue: whatever comes between
        // these lines leaves the flag up.
        if !self.filled.swap(false, Ordering::SeqCst) {
            return None;
        }
        let taken = self.inner.poll(Duration::ZERO);
        if taken.is_some() {
            self.filled.store(true, Ordering::SeqCst);
        }
        taken
    }

    /// Has librdkafka let go of what it holds for a partition that is no longer read: it does so
    /// when it is asked for it.
    pub(crate) fn clear(&self) {
        while self.inner.poll(Duration::ZERO).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_that_rang_before_wakes_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.wait(Duration::from_mins(1));
        bell.wait(Duration::from_millis(1));
        assert!(!*bell.rung.lock().unwrap());
    }

    #[test]
    fn a_bell_wakes_the_one_who_waits() {
        let bell = Arc::new(Bell::default());
        let rings = Arc::clone(&bell);
        let thread = std::thread::spawn(move || rings.ring());
        bell.wait(Duration::from_mins(1));
        thread.join().unwrap();
    }
}
