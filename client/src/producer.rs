//! Sending.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, PurgeConfig};

use crate::context::Deliveries;
use crate::{ClusterError, NoSuchTopic, SendError, Settings, Undelivered};

/// How batches are made smaller on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: a broker on this machine is limited by the processor, not by the network.
    #[default]
    None,
    /// LZ4: JSON to about a third, for little processor time.
    Lz4,
}

/// How a producer weighs delay against work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerOptions {
    /// How long a record may wait for company, in milliseconds. Answers wait 0; simulators, which
    /// send a batch at a time, 2.
    pub linger_ms: u32,
    /// How batches are compressed.
    pub compression: Compression,
    /// How long a record may wait for a broker before it counts as undeliverable; none waits as
    /// long as the program runs.
    pub delivery_timeout: Option<Duration>,
    /// The most records queued here; [`Producer::send`] waits when there are more.
    pub queue_records: u32,
}

impl ProducerOptions {
    /// For those who answer: at once, and never giving up on an answer.
    pub fn answers() -> Self {
        Self { linger_ms: 0, compression: Compression::None, delivery_timeout: None, queue_records: 20_000 }
    }

    /// For those who send many at a time: what is sent within 2 ms goes together.
    pub fn stream() -> Self {
        Self { linger_ms: 2, queue_records: 100_000, ..Self::answers() }
    }
}

/// A record to be sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// To which topic.
    pub topic: &'a str,
    /// To which partition; without one the key decides, by the hash that Kafka's own Java client
    /// uses (murmur2).
    pub partition: Option<i32>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers, in their order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Milliseconds since the Unix epoch; none takes the wall clock of now.
    pub timestamp_ms: Option<i64>,
    /// What the sender wants to be told should the cluster refuse this record: see
    /// [`Producer::take_refused`].
    pub tag: Option<u32>,
}

/// A record that the cluster does not take, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The tag it was sent with.
    pub tag: u32,
    /// Where it was to go.
    pub topic: String,
    /// Why not, in librdkafka's words.
    pub reason: String,
    /// Whether it is for its size: the topic takes less (`max.message.bytes`).
    pub is_too_large: bool,
}

/// The records of a producer that a partition has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The partition.
    pub partition: i32,
    /// How many records.
    pub count: u64,
    /// The first and the last offset; records of others may lie between. None with `acks=0`.
    pub offsets: Option<(i64, i64)>,
}

/// librdkafka carries one word along with each record: 0 for none, and
/// otherwise one more than the tag.
fn to_opaque(tag: Option<u32>) -> usize {
    tag.map_or(0, |tag| tag as usize + 1)
}

pub(crate) fn from_opaque(word: usize) -> Option<u32> {
    u32::try_from(word.checked_sub(1)?).ok()
}

/// librdkafka's own bound, `message.max.bytes`, unless a person sets another.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_000_000;

/// A full queue is looked at again after this time at the latest.
const QUEUE_FULL_POLL: Duration = Duration::from_millis(5);

/// How long the thread that takes delivery reports stays with the binding at a time: each is taken
/// at once, and only the end of this time costs something (see
/// [`Deliveries::wait_until_completed`]). The binding's own threaded producer takes 100 ms, which
/// costs each process about a hundredth of a processor all the time.
const DELIVERY_POLL: Duration = Duration::from_secs(1);

/// Sends records, each exactly once and in order per partition (KIP-98's idempotent producer),
/// acknowledged by all replicas.
pub struct Producer {
    inner: Arc<BaseProducer<Deliveries>>,
    /// Ends the thread that takes delivery reports.
    stop: Arc<AtomicBool>,
    /// How many records librdkafka has taken.
    sent: AtomicU64,
    largest_record: usize,
    settings: Settings,
    options: ProducerOptions,
}

impl Producer {
    /// A producer for the cluster of `settings`. It connects by itself and need not find the
    /// cluster there already.
    pub fn new(settings: &Settings, options: &ProducerOptions) -> Result<Self, ClusterError> {
        let linger = options.linger_ms.to_string();
        let queue = options.queue_records.to_string();
        let timeout = options.delivery_timeout.map_or(0, |timeout| timeout.as_millis()).to_string();
        let config = settings.config(&[
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("linger.ms", &linger),
            ("queue.buffering.max.messages", &queue),
            ("queue.buffering.max.kbytes", "65536"),
            ("message.timeout.ms", &timeout),
            (
                "compression.type",
                match options.compression {
                    Compression::None => "none",
                    Compression::Lz4 => "lz4",
                },
            ),
            // librdkafka's own default hashes with CRC32, and would put a key elsewhere than
            // everybody else does.
            ("partitioner", "murmur2_random"),
        ]);
        let largest_record = config.get("message.max.bytes").and_then(|bytes| bytes.parse().ok());
        let inner: Arc<BaseProducer<Deliveries>> = config
            .create_with_context(Deliveries::default())
            .map(Arc::new)
            .map_err(|error| ClusterError::of("starting a producer", settings, Duration::ZERO, &error))?;
        let stop = Arc::new(AtomicBool::new(false));
        let (poller, stopped) = (Arc::clone(&inner), Arc::clone(&stop));
        thread::Builder::new()
            .name("deliveries".into())
            .spawn(move || {
                while !stopped.load(Ordering::Acquire) {
                    poller.poll(DELIVERY_POLL);
                }
            })
            .expect("the system has room for one more thread");
        Ok(Self {
            inner,
            stop,
            sent: AtomicU64::new(0),
            largest_record: largest_record.unwrap_or(DEFAULT_MAX_MESSAGE_BYTES),
            settings: settings.clone(),
            options: options.clone(),
        })
    }

    /// Hands a record over. When the queue is full, waits until the cluster has taken some of it,
    /// at most `patience`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long somebody waits is measured in wall-clock time"
    )]
    pub fn send(&self, record: Outgoing<'_>, patience: Duration) -> Result<(), SendError> {
        let mut message: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(record.topic, to_opaque(record.tag));
        message.partition = record.partition;
        message.key = record.key;
        message.payload = record.value;
        message.timestamp = record.timestamp_ms;
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            message.headers =
                Some(record.headers.iter().fold(headers, |headers, (key, value)| {
                    headers.insert(Header { key, value: Some(*value) })
                }));
        }
        let mut deadline = None;
        loop {
            let (error, back) = match self.inner.send(message) {
                Ok(()) => {
                    self.sent.fetch_add(1, Ordering::AcqRel);
                    return Ok(());
                }
                Err(refused) => refused,
            };
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                let what = format!("sending to {}", record.topic);
                return Err(match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::UnknownTopic
                        | RDKafkaErrorCode::UnknownTopicOrPartition
                        | RDKafkaErrorCode::UnknownPartition,
                    ) => NoSuchTopic {
                        topic: record.topic.to_owned(),
                        servers: self.settings.servers().to_owned(),
                    }
                    .into(),
                    Some(RDKafkaErrorCode::MessageSizeTooLarge) => SendError::TooLarge {
                        topic: record.topic.to_owned(),
                        bytes: [record.key, record.value].into_iter().flatten().map(<[u8]>::len).sum(),
                        most: self.largest_record,
                    },
                    _ => ClusterError::of(what, &self.settings, Duration::ZERO, &error).into(),
                });
            }
            if Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + patience) {
                return Err(ClusterError::of(
                    format!("sending to {} with a full queue", record.topic),
                    &self.settings,
                    patience,
                    &KafkaError::MessageProduction(RDKafkaErrorCode::OperationTimedOut),
                )
                .into());
            }
            message = back;
            // Half of it, not the first of it: room for one record would wake this thread for each.
            // librdkafka counts a record until its report is put away, a moment after we took
            // it, and its bytes apart from its number: so look again soon.
            let completed = self.deliveries().completed();
            self.deliveries().wait_until_completed(completed + self.in_flight().div_ceil(2), QUEUE_FULL_POLL);
        }
    }

    /// Waits until everything sent is acknowledged, at most `timeout`; the error says how many are
    /// not. Of records with a tag that were refused, [`take_refused`](Self::take_refused) tells.
    pub fn flush(&self, timeout: Duration) -> Result<(), Undelivered> {
        // Not librdkafka's own flush: in the binding it looks only every 100 ms, and would keep the
        // answers waiting.
        self.deliveries().wait_until_completed(self.sent.load(Ordering::Acquire), timeout);
        let failed = self.failed();
        let count = self.in_flight() + failed;
        if count == 0 {
            return Ok(());
        }
        let reason = if failed == 0 {
            format!("no answer within {timeout:?}")
        } else {
            self.deliveries().first_failure().unwrap_or_default()
        };
        Err(Undelivered { count, servers: self.settings.servers().to_owned(), reason })
    }

    /// Takes back what is not acknowledged: whatever of it is not on its topic soon will never be,
    /// as after the end of a process. What has left already is waited for, at most `patience`;
    /// what has not, or what a broker went away with, is thrown away. After that this is a new
    /// producer, which has acknowledged nothing.
    ///
    /// A flush would deliver it as well, but at a time of the broker's choosing. And the old
    /// producer is of no more use: a broker that misses numbers between those of two records
    /// refuses the second (KIP-98), and sent again under other numbers, what it has may come twice.
    pub fn withdraw(&mut self, patience: Duration) -> Result<(), ClusterError> {
        if self.in_flight() > 0 {
            self.inner.purge(PurgeConfig::default().queue());
            self.deliveries().wait_until_completed(self.sent.load(Ordering::Acquire), patience);
            *self = Self::new(&self.settings, &self.options)?;
        }
        Ok(())
    }

    /// The most bytes of a record that are sent at all, everything in it
    /// counted. A topic may take less.
    pub fn largest_record(&self) -> usize {
        self.largest_record
    }

    /// How many records are sent but not acknowledged.
    pub fn in_flight(&self) -> u64 {
        // A concurrent sender may be told of a delivery before it has counted the record.
        self.sent.load(Ordering::Acquire).saturating_sub(self.deliveries().completed())
    }

    /// The records with a tag that the cluster has refused since this was asked last.
    pub fn take_refused(&self) -> Vec<Refused> {
        self.deliveries().take_refused()
    }

    /// How many records could not be delivered and never will be, since the start; those with a tag
    /// that were refused are not among them.
    pub fn failed(&self) -> u64 {
        self.deliveries().failed()
    }

    /// One past the offset of the last record of this producer that the partition has acknowledged;
    /// none before the first.
    pub fn acknowledged_end(&self, topic: &str, partition: i32) -> Option<i64> {
        self.deliveries().end(topic, partition)
    }

    /// What each partition of each topic has acknowledged so far.
    pub fn acknowledged(&self) -> BTreeMap<String, Vec<Acknowledged>> {
        self.deliveries().acknowledged()
    }

    fn deliveries(&self) -> &Deliveries {
        self.inner.client().context()
    }
}

impl Drop for Producer {
    /// Throws away what is not yet delivered. The thread ends by itself, within [`DELIVERY_POLL`];
    /// no thread has to wait for that.
    fn drop(&mut self) {
        self.inner.purge(PurgeConfig::default().queue().inflight());
        self.stop.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What this thread has spent on a processor. Clock ticks of 10 ms: user and system time,
    /// fields 14 and 15 of `proc(5)`.
    fn ticks() -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// A flush that polled burnt a whole core for as long as the broker took to answer.
    #[test]
    fn a_client_that_waits_for_a_broker_sleeps() {
        // Listens, and never says a word.
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings::new(taken.local_addr().unwrap().to_string());
        let producer = Producer::new(&settings, &ProducerOptions::answers()).unwrap();
        let record = Outgoing { topic: "t", partition: Some(0), value: Some(b"v"), ..Outgoing::default() };
        producer.send(record, Duration::ZERO).unwrap();

        let before = ticks();
        let error = producer.flush(Duration::from_millis(500)).unwrap_err();
        assert!(ticks() - before < 20, "{} ms of a processor to wait for 500 ms", (ticks() - before) * 10);
        assert!(matches!(error, Undelivered { count: 1, .. }), "{error}");
        assert_eq!((producer.in_flight(), producer.failed()), (1, 0));
    }
}
