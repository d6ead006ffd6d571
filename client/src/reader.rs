//! Reading without a group: a stretch of a topic, or its tail for as long as one likes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::context::{Plain, leave};
use crate::error::is_outage;
use crate::{Error, Record, Settings};

/// Reads partitions of one topic in order, each from one offset to another. Nobody else is affected
/// by it and nothing is remembered.
///
/// librdkafka wants every consumer to name a group; this one never joins it and never commits.
pub struct LogReader {
    inner: BaseConsumer<Plain>,
    settings: Settings,
    topic: String,
    parts: BTreeMap<i32, Part>,
}

/// How long a broker keeps a question open, in milliseconds, when there is nothing to read: with
/// whoever follows a topic, until there is.
const WAITS_FOR: &str = "500";
/// The same with whoever reads what is there. librdkafka asks on at once when it has an answer, and
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
    pub fn range(settings: &Settings, topic: &str, stretches: &[(i32, i64, i64)]) -> Result<Self, Error> {
        let stretches = stretches.iter().map(|&(partition, from, to)| (partition, Offset::Offset(from), to));
        Self::open(settings, topic, stretches, ASKS_FOR)
    }

    /// Reads `partitions` of `topic` from the beginning, and goes on as the topic grows.
    pub fn follow(settings: &Settings, topic: &str, partitions: i32) -> Result<Self, Error> {
        Self::open(
            settings,
            topic,
            (0..partitions).map(|partition| (partition, Offset::Beginning, i64::MAX)),
            WAITS_FOR,
        )
    }

    /// Reads `partitions` of `topic` from what comes next, and goes on as the topic grows.
    pub fn follow_from_now(settings: &Settings, topic: &str, partitions: i32) -> Result<Self, Error> {
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
    ) -> Result<Self, Error> {
        let config = settings.config(&[
            ("group.id", "freshet-reader"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // Retention may have taken the beginning of the stretch: what is left is read.
            ("auto.offset.reset", "earliest"),
            ("enable.partition.eof", "true"),
            ("queued.min.messages", "20000"),
            ("queued.max.messages.kbytes", "16384"),
            ("fetch.wait.max.ms", patience),
            ("fetch.queue.backoff.ms", "5"),
            ("fetch.error.backoff.ms", "100"),
        ]);
        let inner = config
            .create_with_context(Plain::default())
            .map_err(|error| Error::of(format!("reading {topic}"), settings, Duration::ZERO, &error))?;
        let mut reader =
            Self { inner, settings: settings.clone(), topic: topic.to_owned(), parts: BTreeMap::new() };
        reader.begin(stretches)?;
        Ok(reader)
    }

    /// What is read.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Leaves what it was reading for other stretches of the same topic, which is cheaper than
    /// another reader.
    pub fn restart(&mut self, stretches: &[(i32, i64, i64)]) -> Result<(), Error> {
        self.begin(stretches.iter().map(|&(partition, from, to)| (partition, Offset::Offset(from), to)))
    }

    fn begin(&mut self, stretches: impl Iterator<Item = (i32, Offset, i64)>) -> Result<(), Error> {
        let wrong = |error: KafkaError| {
            Error::of(format!("reading {}", self.topic), &self.settings, Duration::ZERO, &error)
        };
        let mut list = TopicPartitionList::new();
        let mut parts = BTreeMap::new();
        for (partition, from, to) in stretches {
            let empty = matches!(from, Offset::Offset(from) if from >= to);
            parts.insert(partition, Part { to, finished: empty, caught_up: empty });
            if !empty {
                list.add_partition_offset(&self.topic, partition, from).map_err(wrong)?;
            }
        }
        // A job rests its readers after each look, also those that had nothing to look at.
        if !(parts.is_empty() && self.parts.is_empty()) {
            self.inner.assign(&list).map_err(wrong)?;
        }
        self.parts = parts;
        Ok(())
    }

    /// The next record, in order within its partition. None when all is read, or when nothing came
    /// within `timeout`: [`is_finished`](Self::is_finished) tells which.
    #[expect(clippy::disallowed_methods, reason = "the rim: how long somebody waits is measured on the wall")]
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Record<'_>>, Error> {
        let deadline = Instant::now() + timeout;
        loop {
            if self.is_finished() {
                return Ok(None);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inner.poll(left) {
                Some(Ok(message)) => {
                    let record = Record(message);
                    self.inner.context().reach.alive();
                    let Some(part) = self.parts.get_mut(&record.partition()) else { continue };
                    let offset = record.offset();
                    // What lies past the end was fetched along with the rest.
                    let wanted = offset < part.to;
                    part.finished = part.finished || offset + 1 >= part.to;
                    if wanted {
                        return Ok(Some(record));
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
                Some(Err(error)) => self.problem(&error)?,
                None if left.is_zero() => return Ok(None),
                None => {}
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

    fn problem(&self, error: &KafkaError) -> Result<(), Error> {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                Err(Error::NoSuchTopic {
                    topic: self.topic.clone(),
                    servers: self.settings.servers().to_owned(),
                })
            }
            Some(code) if is_outage(code) || code == Code::AutoOffsetReset => Ok(()),
            None => Ok(()),
            Some(_) => {
                Err(Error::of(format!("reading {}", self.topic), &self.settings, Duration::ZERO, error))
            }
        }
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        leave(&self.inner);
    }
}
