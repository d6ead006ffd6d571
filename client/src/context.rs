//! What librdkafka calls back: log lines, outages, rebalances and delivery reports.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use crate::error::{is_outage, is_unreadable, refuses_a_record};
use crate::producer::{Acknowledged, Refused, from_opaque};

/// The target of the event that the cluster can be reached again. It takes back the warning that it
/// can't.
pub const BACK: &str = "client_back";

/// librdkafka says at most every 30 s that it still can't connect, if the reason is the same. A
/// failure is remembered for a little longer.
const FAILURE_COUNTS: Duration = Duration::from_secs(35);

/// Less than librdkafka ever lets pass between two attempts.
const APART: Duration = Duration::from_millis(50);

/// Whether the cluster can be reached, as far as this client has noticed; says each change once.
///
/// That no broker is connected is no outage: a broker closes a connection on which nothing moves,
/// and the client connects again. Nor is one failed attempt to do so: of the addresses that a name
/// has, as `localhost` has two, a broker need not listen on all. It is one when the attempts fail
/// until librdkafka has said twice that no broker is left; not in one breath, for that is what it
/// had to say earlier, to a client that did not listen.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    lost: AtomicBool,
    failing: Mutex<Option<Failing>>,
    /// The offset that librdkafka's last complaint about a batch named.
    unreadable_at: Mutex<Option<i64>>,
    /// Why a broker did not let this client in, if one did not.
    refused_login: Mutex<Option<String>>,
}

/// Attempts to connect fail.
#[derive(Debug)]
struct Failing {
    last: Instant,
    /// When no broker was left for the first time since they do.
    none_left: Option<Instant>,
}

impl Reachability {
    /// Something arrived, so the cluster is there.
    pub(crate) fn mark_reachable(&self) {
        if self.lost.load(Ordering::Relaxed) && self.lost.swap(false, Ordering::Relaxed) {
            if let Some(failing) = &mut *locked(&self.failing) {
                failing.none_left = None;
            }
            tracing::info!(target: BACK, "the broker is back");
        }
    }

    fn attempt_failed(&self, now: Instant) {
        let mut failing = locked(&self.failing);
        let before = failing.take().filter(|failing| failing.counts(now));
        *failing = Some(Failing { last: now, none_left: before.and_then(|failing| failing.none_left) });
    }

    /// Whether it is an outage that no broker is connected any more.
    fn none_is_left(&self, now: Instant) -> bool {
        let mut failing = locked(&self.failing);
        let Some(failing) = failing.as_mut().filter(|failing| failing.counts(now)) else { return false };
        now.duration_since(*failing.none_left.get_or_insert(now)) >= APART
    }

    /// Where the batch begins that librdkafka has just complained about, if it said so.
    pub(crate) fn take_unreadable_at(&self) -> Option<i64> {
        locked(&self.unreadable_at).take()
    }

    /// Why a broker did not let this client in, if one has said so since this was asked last.
    pub(crate) fn take_refused_login(&self) -> Option<String> {
        locked(&self.refused_login).take()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn error(&self, error: &KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // The end of a partition is news, not an error; the reader that asked for it learns of
            // it another way.
            None | Some(RDKafkaErrorCode::PartitionEOF) => {}
            // One of several addresses may be down while the cluster is well.
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                if !self.none_is_left(now()) {
                    tracing::debug!(target: "librdkafka", "{reason}");
                } else if !self.lost.swap(true, Ordering::Relaxed) {
                    tracing::warn!("the broker went away: {reason}; reconnecting until it is back");
                }
            }
            // librdkafka tries again, and a caller that waits learns only that time has passed.
            Some(RDKafkaErrorCode::Authentication) => {
                tracing::warn!(target: "librdkafka", "{reason}");
                *locked(&self.refused_login) = Some(reason.to_owned());
            }
            Some(code) if is_outage(code) => tracing::debug!(target: "librdkafka", "{reason}"),
            Some(code) if is_unreadable(code) => {
                *locked(&self.unreadable_at) = offset_in(reason);
                tracing::debug!(target: "librdkafka", "{error}: {reason}");
            }
            Some(_) => tracing::warn!(target: "librdkafka", "{error}: {reason}"),
        }
    }

    /// librdkafka repeats itself while a broker is away, and what a person must know is said by
    /// [`Self::error`]: its lines are details, for those who turn them on.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(target: "librdkafka", "{facility}: {line}");
            }
            RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", "{facility}: {line}"),
            _ => tracing::debug!(target: "librdkafka", "{facility}: {line}"),
        }
        // Not all attempts that fail come as errors as well. A connection that was closed is told
        // in the same way, but as news of a lower level.
        if facility == "FAIL" && (level as i32) <= RDKafkaLogLevel::Warning as i32 {
            self.attempt_failed(now());
        }
    }
}

impl Failing {
    fn counts(&self, now: Instant) -> bool {
        now.duration_since(self.last) < FAILURE_COUNTS
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge: how long a connection has been failing is measured in wall-clock time"
)]
fn now() -> Instant {
    Instant::now()
}

/// The offset in one of librdkafka's complaints, such as "Decompression (codec 0x1) of message at
/// 1234 of 15 bytes failed: Local: Invalid compressed data".
fn offset_in(reason: &str) -> Option<i64> {
    let behind = reason.split_once(" at offset ").or_else(|| reason.split_once("message at "))?.1;
    behind.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// How often a client that is left looks whether librdkafka has let it go.
const CLOSE_POLL: Duration = Duration::from_millis(1);

/// Leaves a consumer that is about to be dropped. The binding does so too, but looks every tenth of
/// a second whether librdkafka is done with it, which it is in a millisecond; and a batch job opens
/// a reader for each partition.
pub(crate) fn leave<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    let closing = consumer.close_queue();
    while closing.is_ok() && !consumer.closed() {
        consumer.poll(CLOSE_POLL);
    }
}

/// For clients that neither join a group nor send.
#[derive(Debug, Default)]
pub(crate) struct ReaderContext {
    pub(crate) reachability: Reachability,
}

impl ClientContext for ReaderContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reachability.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reachability.error(&error, reason);
    }
}

impl ConsumerContext for ReaderContext {}

/// A change of what a member of a group owns, not yet carried out.
pub(crate) enum Change {
    Assign(TopicPartitionList),
    Revoke(TopicPartitionList),
}

/// For members of a group: keeps each rebalance until the caller has done what it must do before.
#[derive(Default)]
pub(crate) struct Membership {
    pub(crate) reachability: Reachability,
    changes: Mutex<VecDeque<Change>>,
    /// The caller is gone: give everything up at once, or the client would wait for it forever.
    closing: AtomicBool,
    /// The last commit that was not waited for failed with this.
    commit_error: Mutex<Option<KafkaError>>,
}

impl Membership {
    pub(crate) fn next_change(&self) -> Option<Change> {
        locked(&self.changes).pop_front()
    }

    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    pub(crate) fn take_commit_error(&self) -> Option<KafkaError> {
        locked(&self.commit_error).take()
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reachability.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reachability.error(&error, reason);
    }
}

impl ConsumerContext for Membership {
    /// Replaces the binding's own handler, which would carry the change out at once.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        self.reachability.mark_reachable();
        if self.closing.load(Ordering::SeqCst) {
            if let Err(error) = consumer.unassign() {
                tracing::debug!("giving up the partitions while closing: {error}");
            }
            return;
        }
        let change = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assign(list.clone()),
            _ => Change::Revoke(list.clone()),
        };
        locked(&self.changes).push_back(change);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        match result {
            Ok(()) => self.reachability.mark_reachable(),
            Err(error) => *locked(&self.commit_error) = Some(error),
        }
    }
}

/// For producers: counts what failed, and remembers how far each partition was acknowledged.
#[derive(Default)]
pub(crate) struct Deliveries {
    pub(crate) reachability: Reachability,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
    /// Records with a tag that the cluster refused, not yet asked for.
    refused: Mutex<Vec<Refused>>,
    completed: Mutex<DeliveryProgress>,
    /// [`DeliveryProgress::awaited`] is reached.
    reached: Condvar,
}

/// What became of the records that were handed over.
struct DeliveryProgress {
    /// How many are delivered, failed or thrown away: nothing more happens to these.
    count: u64,
    /// A thread sleeps until `count` is this; [`u64::MAX`] when none does.
    awaited: u64,
    /// What each partition has acknowledged, by topic.
    partitions: HashMap<String, Vec<PartitionProgress>>,
}

/// What a partition has acknowledged.
#[derive(Clone, Copy, Default)]
struct PartitionProgress {
    count: u64,
    /// The first offset, and one past the last; none where nobody says (`acks=0`).
    offsets: Option<(i64, i64)>,
}

impl Default for DeliveryProgress {
    fn default() -> Self {
        Self { count: 0, awaited: u64::MAX, partitions: HashMap::new() }
    }
}

impl Deliveries {
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Acquire)
    }

    pub(crate) fn first_failure(&self) -> Option<String> {
        locked(&self.first_failure).clone()
    }

    pub(crate) fn take_refused(&self) -> Vec<Refused> {
        std::mem::take(&mut *locked(&self.refused))
    }

    pub(crate) fn end(&self, topic: &str, partition: i32) -> Option<i64> {
        let index = usize::try_from(partition).ok()?;
        let (_, end) = locked(&self.completed).partitions.get(topic)?.get(index)?.offsets?;
        Some(end)
    }

    pub(crate) fn acknowledged(&self) -> BTreeMap<String, Vec<Acknowledged>> {
        let completed = locked(&self.completed);
        let of_partition = |(partition, progress): (i32, &PartitionProgress)| {
            let offsets = progress.offsets.map(|(first, end)| (first, end - 1));
            (progress.count > 0).then_some(Acknowledged { partition, count: progress.count, offsets })
        };
        let of_topic = |(topic, partitions): (&String, &Vec<PartitionProgress>)| {
            (topic.clone(), (0..).zip(partitions).filter_map(of_partition).collect())
        };
        completed.partitions.iter().map(of_topic).collect()
    }

    /// How many records are delivered, failed or thrown away.
    pub(crate) fn completed(&self) -> u64 {
        locked(&self.completed).count
    }

    /// Sleeps until `count` records are completed, at most `timeout`; says whether they are.
    ///
    /// Not the binding's own `poll`: in the last millisecond before its deadline it no longer
    /// sleeps but turns in a loop, and a flush that awaits a broker for half a millisecond is
    /// all last millisecond.
    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long somebody waits is measured in wall-clock time"
    )]
    pub(crate) fn wait_until_completed(&self, count: u64, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut completed = locked(&self.completed);
        while completed.count < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            completed.awaited = completed.awaited.min(count);
            completed = self.reached.wait_timeout(completed, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reachability.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reachability.error(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    /// See [`from_opaque`].
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        if let Err((error, record)) = result {
            self.fail(error, record.topic(), from_opaque(tag));
        } else {
            self.reachability.mark_reachable();
        }
        let mut completed = locked(&self.completed);
        completed.count += 1;
        if let Ok(record) = result {
            completed.advance(record.topic(), record.partition(), record.offset());
        }
        if completed.count >= completed.awaited {
            completed.awaited = u64::MAX;
            self.reached.notify_all();
        }
    }
}

impl Deliveries {
    fn fail(&self, error: &KafkaError, topic: &str, tag: Option<u32>) {
        let code = error.rdkafka_error_code();
        // A client that is being dropped throws away what it still holds, which is no failure.
        if let Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) = code {
            return;
        }
        if let (Some(tag), Some(code)) = (tag, code)
            && refuses_a_record(code)
        {
            locked(&self.refused).push(Refused {
                tag,
                topic: topic.to_owned(),
                reason: code.to_string(),
                is_too_large: code == RDKafkaErrorCode::MessageSizeTooLarge,
            });
            return;
        }
        self.failed.fetch_add(1, Ordering::AcqRel);
        let mut first = locked(&self.first_failure);
        if first.is_none() {
            tracing::error!("a record for {topic} was not delivered: {error}");
            *first = Some(error.to_string());
        }
    }
}

impl DeliveryProgress {
    fn advance(&mut self, topic: &str, partition: i32, offset: i64) {
        let Ok(index) = usize::try_from(partition) else { return };
        if !self.partitions.contains_key(topic) {
            self.partitions.insert(topic.to_owned(), Vec::new());
        }
        let partitions = self.partitions.get_mut(topic).expect("it was just put there");
        if partitions.len() <= index {
            partitions.resize(index + 1, PartitionProgress::default());
        }
        let PartitionProgress { count, offsets } = &mut partitions[index];
        *count += 1;
        // With acks=0 its offset is unknown.
        if offset >= 0 {
            let (first, end) = offsets.unwrap_or((offset, offset));
            *offsets = Some((first.min(offset), end.max(offset + 1)));
        }
    }
}

/// A value behind a lock, also after a panic elsewhere: every value here is whole
/// between any two statements.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_attempts_that_fail_until_no_broker_is_left_twice() {
        let (start, client) = (now(), Reachability::default());
        let none_is_left = |ms| client.none_is_left(start + Duration::from_millis(ms));
        let attempt_failed = |ms| client.attempt_failed(start + Duration::from_millis(ms));
        assert!(!none_is_left(0) && !none_is_left(1000), "closed in idleness, again and again");
        attempt_failed(2000);
        assert!(!none_is_left(2000), "one address of two");
        attempt_failed(602_000);
        assert!(!none_is_left(602_000), "and so after the next idleness");
        assert!(!none_is_left(602_010), "heard late");
        // That attempts still fail may not be said again, but that no broker is left is.
        assert!(none_is_left(602_100) && none_is_left(603_000));
        client.lost.store(true, Ordering::Relaxed);
        client.mark_reachable();
        assert!(!none_is_left(604_000), "heard late");
        assert!(none_is_left(605_000), "away again");
        assert!(!none_is_left(650_000), "closed in idleness after that");
    }

    /// The words of librdkafka 2.12 (`rdkafka_msgset_reader.c`).
    #[test]
    fn a_complaint_names_the_batch() {
        let said = [
            (
                "Decompression (codec 0x1) of message at 1234 of 15 bytes failed: Local: Invalid compressed data",
                1234,
            ),
            ("MessageSet at offset 77 (93 bytes) failed CRC32C check (original 0x1 != calculated 0x2)", 77),
            ("Message at offset 5 might be too large to fetch, try increasing receive.message.max.bytes", 5),
            ("Unsupported Message(Set) MagicByte 9 at offset 12", 12),
        ];
        for (reason, offset) in said {
            assert_eq!(offset_in(reason), Some(offset), "{reason}");
        }
        for reason in ["", "message at ", "message at noon", "message at 99999999999999999999 of 1"] {
            assert_eq!(offset_in(reason), None, "{reason}");
        }
    }
}
