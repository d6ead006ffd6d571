//! Reading stretches of several partitions at once, each from a queue of its own: for who merges
//! them, and takes the next record of a partition only when it holds none of it.
//!
//! A [`LogReader`](crate::LogReader) for each of them would be a client for each: five threads, a
//! connection or two, half a megabyte.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::context::{ReaderContext, leave};
use crate::inbox::{Bell, Queue};
use crate::reader::{Read, STILL, is_passing, range_config};
use crate::survey::{Start, Survey};
use crate::{ClusterError, ReadError, Record, Settings, TopicPartition};

/// Reads stretches of any partitions, each in order from one offset to another. No other consumer
/// is affected by it and nothing is remembered.
pub struct StretchReader {
    inner: Arc<BaseConsumer<ReaderContext>>,
    settings: Settings,
    parts: Vec<Part>,
    bell: Arc<Bell>,
    survey: Survey,
}

struct Part {
    queue: Queue<ReaderContext>,
    /// The offset to stop before.
    to: i64,
    /// Everything up to `to` has been read.
    finished: bool,
}

impl StretchReader {
    /// Reads nothing yet.
    pub fn new(settings: &Settings) -> Result<Self, ClusterError> {
        let inner = range_config(settings)
            .create_with_context(ReaderContext::default())
            .map(Arc::new)
            .map_err(|error| ClusterError::of("reading the log", settings, Duration::ZERO, &error))?;
        let survey = Survey::new(settings, STILL);
        Ok(Self { inner, settings: settings.clone(), parts: Vec::new(), bell: Arc::default(), survey })
    }

    /// Leaves what it was reading for `[from, to)` of each `(partition, from, to)`, which from now
    /// on goes by its place among them.
    pub fn restart(&mut self, stretches: &[(TopicPartition, i64, i64)]) -> Result<(), ClusterError> {
        let wrong =
            |error: KafkaError| ClusterError::of("reading the log", &self.settings, Duration::ZERO, &error);
        // What was fetched for nothing is let go of when a queue is asked for it.
        let mut left = std::mem::take(&mut self.parts);
        let mut list = TopicPartitionList::new();
        let mut starts = Vec::new();
        for (at, from, to) in stretches {
            let known = left.iter().position(|part| part.queue.at == *at);
            let queue = match known.map(|place| left.swap_remove(place).queue) {
                Some(queue) => queue,
                None => Queue::split(&self.inner, at, &self.bell)
                    .unwrap_or_else(|| panic!("librdkafka was given {at} and has no queue for it")),
            };
            let finished = from >= to;
            if !finished {
                list.add_partition_offset(&at.topic, at.partition, Offset::Offset(*from)).map_err(wrong)?;
                starts.push((at.clone(), Start::At(*from)));
            }
            self.parts.push(Part { queue, to: *to, finished });
        }
        self.survey.begin(starts.into_iter());
        self.inner.assign(&list).map_err(wrong)?;
        for part in &left {
            part.queue.clear();
        }
        // What was in a queue before it was split rang no bell.
        self.bell.ring();
        Ok(())
    }

    /// Stops reading until it is restarted: what lies behind the stretches would be fetched for
    /// nothing.
    pub fn stop(&mut self) -> Result<(), ClusterError> {
        self.restart(&[])
    }

    /// The next record of the stretch at `place`, or offsets of it that can't be read. None when it
    /// has been read to its end, or when nothing came within `timeout`:
    /// [`is_finished`](Self::is_finished) tells which.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long somebody waits is measured in wall-clock time"
    )]
    pub fn next(&mut self, place: usize, timeout: Duration) -> Result<Option<Read<'_>>, ReadError> {
        let deadline = Instant::now() + timeout;
        let Self { inner, settings, parts, bell, survey } = self;
        let part = &mut parts[place];
        let Part { queue, to, finished } = part;
        loop {
            if let Some(mut unreadable) = survey.found(|at| *at == queue.at) {
                unreadable.last = unreadable.last.min(*to - 1);
                *finished = *finished || unreadable.last + 1 >= *to;
                return Ok(Some(Read::Unreadable(unreadable)));
            }
            if *finished {
                return Ok(None);
            }
            let error = match queue.take() {
                Some(Ok(message)) => {
                    let record = Record(message);
                    inner.context().reachability.mark_reachable();
                    // What lies past the end was fetched along with the rest.
                    let wanted = record.offset() < *to;
                    *finished = record.offset() + 1 >= *to;
                    if wanted {
                        return Ok(Some(Read::Record(record)));
                    }
                    continue;
                }
                // The last offsets before `to` hold no records: compaction and transactions leave
                // gaps.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    *finished = true;
                    continue;
                }
                Some(Err(error)) => Some(error),
                // What is not about one partition comes by the common queue.
                None => inner.poll(Duration::ZERO).and_then(Result::err),
            };
            if let Some(error) = error {
                is_passing(&error, inner, survey, &queue.at.topic, settings)?;
                continue;
            }
            survey.look_now_and_then(inner);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            bell.wait(left.min(STILL));
        }
    }

    /// Whether the stretch at `place` has been read to its end.
    pub fn is_finished(&self, place: usize) -> bool {
        self.parts[place].finished
    }
}

impl Drop for StretchReader {
    fn drop(&mut self) {
        self.parts.clear();
        leave(&self.inner);
    }
}
