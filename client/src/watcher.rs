//! Watching many topics at once, as a dashboard does.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::context::{ReaderContext, leave};
use crate::error::{is_outage, is_unreadable};
use crate::survey::{Start, Survey};
use crate::{ClusterError, Read, Record, Settings, TopicPartition};

/// After how long a partition in which nothing moves is looked at.
const STILL: Duration = Duration::from_secs(5);

/// Where watching a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// With the oldest record that is kept.
    Beginning,
    /// With the next record.
    Now,
    /// With the record at this offset.
    Offset(i64),
}

/// Reads any number of partitions as they grow, without a group; more can be added while it runs.
///
/// A [`LogReader`](crate::LogReader) is for one topic and knows where it
/// ends; a watcher never ends.
pub struct Watcher {
    inner: Arc<BaseConsumer<ReaderContext>>,
    survey: Survey,
    settings: Settings,
}

impl Watcher {
    /// A watcher of nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, ClusterError> {
        let config = settings.config(&[
            ("group.id", "freshet-watcher"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // Who watches wants what is new: a place that retention has passed is left for the
            // oldest record there is.
            ("auto.offset.reset", "earliest"),
            // A quarter of a second of the demo. A screen that can't keep up, as after a
            // batch job has published an hour of answers, must not take the machine's memory:
            // librdkafka spends half a kilobyte on a record of 200 bytes, and its own bound
            // is 100,000 records.
            ("queued.min.messages", "5000"),
            ("queued.max.messages.kbytes", "4096"),
            ("fetch.max.bytes", "4194304"),
            ("max.partition.fetch.bytes", "262144"),
            ("fetch.queue.backoff.ms", "5"),
            // A screen shows whole tenths of a second: many small answers to fetches would only
            // cost the broker time.
            ("fetch.min.bytes", "16384"),
            ("fetch.wait.max.ms", "50"),
            ("fetch.error.backoff.ms", "200"),
        ]);
        let inner = config
            .create_with_context(ReaderContext::default())
            .map(Arc::new)
            .map_err(|error| ClusterError::of("watching", settings, Duration::ZERO, &error))?;
        Ok(Self { inner, survey: Survey::new(settings, STILL), settings: settings.clone() })
    }

    /// Watches these partitions too.
    pub fn add(&self, partitions: &[TopicPartition], since: Since) -> Result<(), ClusterError> {
        let offset = match since {
            Since::Beginning => Offset::Beginning,
            Since::Now => Offset::End,
            Since::Offset(offset) => Offset::Offset(offset),
        };
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        let wrong = |error: KafkaError| ClusterError::of("watching", &self.settings, Duration::ZERO, &error);
        for at in partitions {
            list.add_partition_offset(&at.topic, at.partition, offset).map_err(wrong)?;
        }
        self.survey.add(partitions.iter().map(|at| (at.clone(), Start::of(offset))));
        self.inner.incremental_assign(&list).map_err(wrong)
    }

    /// The next record of any partition, in order within its own. None when nothing came within
    /// `timeout`, or the broker is away: librdkafka goes on by itself when it is back. Or offsets
    /// that cannot be read: it continues behind them.
    pub fn next(&self, timeout: Duration) -> Result<Option<Read<'_>>, ClusterError> {
        self.survey.look_now_and_then(&self.inner);
        if let Some(unreadable) = self.survey.found(|_| true) {
            return Ok(Some(Read::Unreadable(unreadable)));
        }
        match self.inner.poll(timeout) {
            None => Ok(None),
            Some(Ok(message)) => {
                self.inner.context().reachability.mark_reachable();
                Ok(Some(Read::Record(Record(message))))
            }
            Some(Err(error)) => match error.rdkafka_error_code() {
                // A topic that was deleted is no longer of interest to a bystander.
                Some(rdkafka::types::RDKafkaErrorCode::UnknownTopicOrPartition) | None => Ok(None),
                Some(code) if is_outage(code) => Ok(None),
                Some(code)
                    if is_unreadable(code) && {
                        let reported = self.inner.context().reachability.take_unreadable_at();
                        self.survey.look_into(&self.inner, |_| true, &error, reported)
                    } =>
                {
                    Ok(self.survey.found(|_| true).map(Read::Unreadable))
                }
                Some(_) => Err(ClusterError::of("watching", &self.settings, Duration::ZERO, &error)),
            },
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        leave(&self.inner);
    }
}
