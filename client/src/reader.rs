//! Reading without a group: a stretch of a topic, or its tail for as long as one likes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::context::{ReaderContext, leave};
use crate::error::{is_outage, is_unreadable};
use crate::survey::{Start, Survey};
use crate::{ClusterError, NoSuchTopic, ReadError, Record, Settings, TopicPartition, Unreadable};

/// Reads partitions of one topic in order, each from one offset to another. No other consumer is
/// affected by it and nothing is remembered.
///
/// librdkafka wants every consumer to name a group; this one never joins it and never commits.
pub struct LogReader {
    inner: Arc<BaseConsumer<ReaderContext>>,
    settings: Settings,
    topic: String,
    parts: BTreeMap<i32, Part>,
    survey: Survey,
    passed_over: u64,
}

/// What a reader comes to.
pub enum Read<'a> {
    /// A record.
    Record(Record<'a>),
    /// Offsets of its range that cannot be read. It continues behind them.
    Unreadable(Unreadable),
}

/// After how long a partition in which nothing moves is looked at.
pub(crate) const STILL: Duration = Duration::from_secs(2);

/// How long a broker keeps a question open, in milliseconds, when there is nothing to read: with
/// a reader that follows a topic, until there is.
const WAITS_FOR: &str = "500";
/// The same for a reader of what is there. librdkafka asks on at once when it has an answer, and
/// whatever the reader wants next (its other partitions, another stretch) waits until the question
/// at the end of the log is answered.
const ASKS_FOR: &str = "5";

struct Part {
    /// The offset to stop before.
    to: i64,
    /// Everything up to `to` has been read.
    finished: bool,
    /// The end of the log has been seen at least once.
    caught_up: bool,
}

impl LogReader {
    /// Reads `[from, to)` of each `(partition, from, to)` of `topic`.
    pub fn range(
        settings: &Settings,
        topic: &str,
        stretches: &[(i32, i64, i64)],
    ) -> Result<Self, ClusterError> {
        let stretches = stretches.iter().map(|&(partition, from, to)| (partition, Offset::Offset(from), to));
        Self::open(settings, topic, stretches, ASKS_FOR)
    }

    /// Reads `partitions` of `topic` from the beginning, and goes on as the topic grows.
    pub fn follow(settings: &Settings, topic: &str, partitions: i32) -> Result<Self, ClusterError> {
        Self::open(
            settings,
            topic,
            (0..partitions).map(|partition| (partition, Offset::Beginning, i64::MAX)),
            WAITS_FOR,
        )
    }

    /// Reads `partitions` of `topic` from what comes next, and goes on as the topic grows.
    pub fn follow_from_now(settings: &Settings, topic: &str, partitions: i32) -> Result<Self, ClusterError> {
        Self::open(
            settings,
            topic,
            (0..partitions).map(|partition| (partition, Offset::End, i64::MAX)),
            WAITS_FOR,
        )
    }

    fn open(
        settings: &Settings,
        topic: &str,
        stretches: impl Iterator<Item = (i32, Offset, i64)>,
        patience: &str,
    ) -> Result<Self, ClusterError> {
        let config = range_config(settings).set("fetch.wait.max.ms", patience).clone();
        let inner = config.create_with_context(ReaderContext::default()).map(Arc::new).map_err(|error| {
            ClusterError::of(format!("reading {topic}"), settings, Duration::ZERO, &error)
        })?;
        let mut reader = Self {
            inner,
            settings: settings.clone(),
            topic: topic.to_owned(),
            parts: BTreeMap::new(),
            survey: Survey::new(settings, STILL),
            passed_over: 0,
        };
        reader.begin(stretches)?;
        Ok(reader)
    }

    /// What is read.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Leaves what it was reading for other stretches of the same topic, which is cheaper than
    /// another reader.
    pub fn restart(&mut self, stretches: &[(i32, i64, i64)]) -> Result<(), ClusterError> {
        self.begin(stretches.iter().map(|&(partition, from, to)| (partition, Offset::Offset(from), to)))
    }

    fn begin(&mut self, stretches: impl Iterator<Item = (i32, Offset, i64)>) -> Result<(), ClusterError> {
        let wrong = |error: KafkaError| {
            ClusterError::of(format!("reading {}", self.topic), &self.settings, Duration::ZERO, &error)
        };
        let mut list = TopicPartitionList::new();
        let mut parts = BTreeMap::new();
        let mut starts = Vec::new();
        for (partition, from, to) in stretches {
            let empty = matches!(from, Offset::Offset(from) if from >= to);
            parts.insert(partition, Part { to, finished: empty, caught_up: empty });
            if !empty {
                list.add_partition_offset(&self.topic, partition, from).map_err(wrong)?;
                starts.push((TopicPartition::new(&*self.topic, partition), Start::of(from)));
            }
        }
        self.survey.begin(starts.into_iter());
        // A job rests its readers after each look, also those that had nothing to look at.
        if !(parts.is_empty() && self.parts.is_empty()) {
            self.inner.assign(&list).map_err(wrong)?;
        }
        self.parts = parts;
        Ok(())
    }

    /// The next record, in order within its partition. None when all is read, or when nothing came
    /// within `timeout`: [`is_finished`](Self::is_finished) tells which. What can't be read is
    /// [counted](Self::passed_over) and passed over.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Record<'_>>, ReadError> {
        Ok(match self.read(timeout, true)? {
            Some(Read::Record(record)) => Some(record),
            Some(Read::Unreadable(_)) | None => None,
        })
    }

    /// As [`next`](Self::next), but says of what can't be read where it lies.
    pub fn next_or_unreadable(&mut self, timeout: Duration) -> Result<Option<Read<'_>>, ReadError> {
        self.read(timeout, false)
    }

    /// How many offsets could not be read so far.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long somebody waits is measured in wall-clock time"
    )]
    fn read(&mut self, timeout: Duration, records_only: bool) -> Result<Option<Read<'_>>, ReadError> {
        let deadline = Instant::now() + timeout;
        loop {
            while let Some(mut unreadable) = self.survey.found(|_| true) {
                let Some(part) = self.parts.get_mut(&unreadable.at.partition) else { continue };
                unreadable.last = unreadable.last.min(part.to - 1);
                part.finished = part.finished || unreadable.last + 1 >= part.to;
                self.passed_over += (unreadable.last - unreadable.first + 1).max(0) as u64;
                if !records_only {
                    return Ok(Some(Read::Unreadable(unreadable)));
                }
            }
            if self.is_finished() {
                return Ok(None);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inner.poll(left.min(STILL)) {
                Some(Ok(message)) => {
                    let record = Record(message);
                    self.inner.context().reachability.mark_reachable();
                    let Some(part) = self.parts.get_mut(&record.partition()) else { continue };
                    let offset = record.offset();
                    // What lies past the end was fetched along with the rest.
                    let wanted = offset < part.to;
                    part.finished = part.finished || offset + 1 >= part.to;
                    if wanted {
                        return Ok(Some(Read::Record(record)));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    // Whatever `to` is, it was the end of the log once: the log has no more, be it
                    // that the last offsets before `to` hold no records (compaction and
                    // transactions leave gaps).
                    if let Some(part) = self.parts.get_mut(&partition) {
                        part.caught_up = true;
                        part.finished = part.finished || part.to != i64::MAX;
                    }
                }
                Some(Err(error)) => {
                    is_passing(&error, &self.inner, &self.survey, &self.topic, &self.settings)?;
                }
                None => {
                    self.survey.look_now_and_then(&self.inner);
                    if left.is_zero() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Whether every stretch has been read to its end. A reader that follows never is.
    pub fn is_finished(&self) -> bool {
        self.parts.values().all(|part| part.finished)
    }

    /// Whether the end of every partition has been seen once: what was there when reading began has
    /// been read.
    pub fn is_caught_up(&self) -> bool {
        self.parts.values().all(|part| part.caught_up || part.finished)
    }
}

/// How a reader of what is there is set up.
pub(crate) fn range_config(settings: &Settings) -> ClientConfig {
    settings.config(&[
        ("group.id", "freshet-reader"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        // Retention may have taken the beginning of the stretch: what is left is read.
        ("auto.offset.reset", "earliest"),
        ("enable.partition.eof", "true"),
        ("queued.min.messages", "20000"),
        // What waits here takes several times its size, for each partition that a job reads: it
        // waits at the broker instead, which is asked again before this is read.
        ("queued.max.messages.kbytes", "64"),
        ("max.partition.fetch.bytes", "131072"),
        ("fetch.wait.max.ms", ASKS_FOR),
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.error.backoff.ms", "100"),
    ])
}

/// An error that only tells that the cluster is away, or that something can't be read that can be
/// passed over, is none.
pub(crate) fn is_passing(
    error: &KafkaError,
    consumer: &BaseConsumer<ReaderContext>,
    survey: &Survey,
    topic: &str,
    settings: &Settings,
) -> Result<(), ReadError> {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
            let servers = settings.servers().to_owned();
            Err(NoSuchTopic { topic: topic.to_owned(), servers }.into())
        }
        Some(code) if is_outage(code) || code == Code::AutoOffsetReset => Ok(()),
        Some(code)
            if is_unreadable(code) && {
                let reported = consumer.context().reachability.take_unreadable_at();
                survey.look_into(consumer, |_| true, error, reported)
            } =>
        {
            Ok(())
        }
        None => Ok(()),
        Some(_) => {
            let what = format!("reading {topic}");
            Err(ClusterError::of(what, settings, Duration::ZERO, error).into())
        }
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        leave(&self.inner);
    }
}
