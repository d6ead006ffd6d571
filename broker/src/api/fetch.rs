//! Fetch: read record batches from partitions, and wait for more.
//!
//! # Behaviour
//! Answers as soon as `min_bytes` are there in all partitions together, when `max_wait_ms` have
//! passed, or at once when a partition has an error: a client that waits half a second to learn
//! that its offset is gone is a slow client. A fetch that waits is told of every append, and looks
//! again; it never sleeps through one.
//!
//! A partition answers with the whole batch that contains the offset and those after it. At least
//! one batch is sent however large, or a consumer with a small limit would be stuck before it for
//! ever; all others keep to `partition_max_bytes` and `max_bytes`. Nothing to read is zero bytes,
//! never null, in errors too.
//!
//! # Versions
//! 7 brings fetch sessions (KIP-227). We keep none, which is legal: session id 0 tells the client
//! to name all its partitions each time. Epochs 0 and -1 say that it does so already, whatever
//! session it ends with that. 9 fences by leader epoch, 12 can tell where two logs part,
//! 13 names topics by id. Without transactions every record is committed, so `isolation_level`
//! changes nothing, and the last stable offset is the high watermark.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::fetch::{
    EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchableTopic, FetchedPartition,
};
use protocol::records::{LeaderEpoch, Offset};
use protocol::{ErrorCode, Payload, Uuid};

use super::errors::ToErrorCode;
use super::leader::{Local, check_leader};
use super::{Answer, Changed, Context, Frame, Incoming, Outcome, Parked, RequestError};
use crate::log::FileRegion;
use crate::replica::Partition;
use crate::replica::{PartitionHandle, Waiter};

/// More than this is not sent in one answer, whatever a client takes: Kafka's `fetch.max.bytes`.
pub(super) const MAX_BYTES: usize = 55 << 20;

/// A fetch that waits for records.
#[derive(Debug)]
pub(crate) struct ParkedFetch {
    fetch: Fetch,
    waiter: Arc<Waiter>,
    /// When it is answered with whatever there is, ms since 1970.
    pub(crate) deadline_ms: i64,
}

impl ParkedFetch {
    /// Every append to one of its partitions notifies this.
    pub(crate) fn waiter(&self) -> &Waiter {
        &self.waiter
    }

    /// Whether there is a reason to answer before the deadline.
    pub(crate) fn is_ready(&self) -> bool {
        self.fetch.is_ready()
    }

    /// The answer as of now.
    pub(crate) fn respond(&self) -> Frame {
        self.fetch.respond()
    }
}

/// A fetch that goes away, answered or not, must not be woken any more.
impl Drop for ParkedFetch {
    fn drop(&mut self) {
        for partition in self.fetch.partitions() {
            partition.waiters.remove(&self.waiter);
        }
    }
}

/// A fetch whose partitions have been looked up.
#[derive(Debug)]
struct Fetch {
    version: i16,
    correlation_id: i32,
    min_bytes: u64,
    max_bytes: usize,
    read_committed: bool,
    topics: Vec<Topic>,
}

#[derive(Debug)]
struct Topic {
    name: String,
    id: Uuid,
    reads: Vec<Read>,
}

/// One partition to read from.
#[derive(Debug)]
struct Read {
    asked: FetchPartition,
    partition: Result<Arc<PartitionHandle>, ErrorCode>,
}

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Outcome, RequestError> {
    let request: FetchRequest = incoming.decode()?;
    if request.session_epoch > 0 {
        let error_code = ErrorCode::FETCH_SESSION_ID_NOT_FOUND;
        let response = FetchResponse { error_code, ..Default::default() };
        return Ok(Outcome::reply(incoming.encode::<FetchRequest>(&response)));
    }
    let max_wait_ms = i64::from(request.max_wait_ms);
    let fetch = Fetch::look_up(context, &incoming, request);
    if max_wait_ms <= 0 || fetch.is_ready() {
        return Ok(Outcome::reply(fetch.respond()));
    }
    // Register, then read, then wait: in this order no append goes unnoticed.
    let waiter = Arc::new(Waiter::default());
    for partition in fetch.partitions() {
        partition.waiters.add(&waiter);
    }
    let parked = ParkedFetch { fetch, waiter, deadline_ms: context.now_ms.saturating_add(max_wait_ms) };
    let answer = if parked.is_ready() {
        Answer::Reply(parked.respond())
    } else {
        Answer::Delayed(Parked::Fetch(parked))
    };
    Ok(Outcome { answer, effects: Vec::new(), changed: Changed::Nothing })
}

impl Fetch {
    fn look_up(context: &Context<'_>, incoming: &Incoming, request: FetchRequest) -> Self {
        let by_id = incoming.version >= 13;
        let mut seen = HashSet::new();
        let topics = request.topics.into_iter().map(|asked| {
            let topic = if by_id {
                Local::of_id(context.node, asked.topic_id)
            } else {
                Local::of_name(context.node, &asked.topic)
            };
            let reads = asked.partitions.into_iter().filter_map(|asked| {
                let partition = topic.replica(asked.partition).cloned();
                // Its records are sent once, however often the request names it.
                let again = partition.as_ref().is_ok_and(|handle| !seen.insert(Arc::as_ptr(handle)));
                (!again).then_some(Read { asked, partition })
            });
            let reads = reads.collect();
            Topic { name: asked.topic, id: asked.topic_id, reads }
        });
        Self {
            version: incoming.version,
            correlation_id: incoming.correlation_id,
            min_bytes: u64::try_from(request.min_bytes).unwrap_or(0),
            max_bytes: usize::try_from(request.max_bytes).unwrap_or(0).min(MAX_BYTES),
            read_committed: request.isolation_level == 1,
            topics: topics.collect(),
        }
    }

    fn reads(&self) -> impl Iterator<Item = &Read> {
        self.topics.iter().flat_map(|topic| &topic.reads)
    }

    fn partitions(&self) -> impl Iterator<Item = &Arc<PartitionHandle>> {
        self.reads().filter_map(|read| read.partition.as_ref().ok())
    }

    /// Whether enough is there to answer, or something is wrong that the
    /// client should know at once.
    fn is_ready(&self) -> bool {
        let mut available = 0;
        for read in self.reads() {
            match read.available() {
                Ok(bytes) => available += bytes,
                Err(_) => return true,
            }
        }
        available >= self.min_bytes
    }

    fn respond(&self) -> Frame {
        let mut regions = Vec::new();
        let mut budget = self.max_bytes;
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.reads.iter().map(|read| {
                let (mut partition, region) = read.respond(budget, regions.is_empty());
                if let Some(region) = region {
                    budget = budget.saturating_sub(region.len);
                    partition.records = Some(Payload::Gap(region.len));
                    regions.push(region);
                }
                partition.aborted_transactions = self.read_committed.then(Vec::new);
                partition
            });
            FetchableTopic { topic: topic.name.clone(), topic_id: topic.id, partitions: partitions.collect() }
        });
        let response = FetchResponse { topics: topics.collect(), ..Default::default() };
        Frame::with_regions::<FetchRequest>(self.version, self.correlation_id, &response, regions)
    }
}

impl Read {
    /// Bytes there are to read.
    fn available(&self) -> Result<u64, ErrorCode> {
        let handle = self.handle()?;
        let partition = handle.lock();
        let offset = Offset(self.asked.fetch_offset);
        if offset < partition.log_start_offset() || offset > partition.high_watermark() {
            return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
        }
        check_leader(&partition, self.asked.current_leader_epoch)?;
        if self.diverges(&partition).is_some() {
            return Err(ErrorCode::NONE);
        }
        Ok(partition.bytes_after(offset))
    }

    fn handle(&self) -> Result<&PartitionHandle, ErrorCode> {
        match &self.partition {
            Ok(handle) if handle.is_deleted() => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            Ok(handle) => Ok(handle),
            Err(error) => Err(*error),
        }
    }

    /// Where the reader's records part from ours, if it says what it read
    /// last and they do (KIP-595).
    fn diverges(&self, partition: &Partition) -> Option<EpochEndOffset> {
        let last_fetched = Some(self.asked.last_fetched_epoch).filter(|&epoch| epoch >= 0)?;
        let (epoch, end) = partition.end_of_epoch(LeaderEpoch(last_fetched))?;
        let parted = epoch.0 < last_fetched || end.0 < self.asked.fetch_offset;
        parted.then_some(EpochEndOffset { epoch: epoch.0, end_offset: end.0 })
    }

    /// What to answer; `first` when no other partition has given records yet.
    fn respond(&self, budget: usize, first: bool) -> (FetchedPartition, Option<FileRegion>) {
        let mut answer = FetchedPartition {
            partition: self.asked.partition,
            high_watermark: -1,
            records: Some(Payload::default()),
            ..Default::default()
        };
        let region = match self.handle() {
            Ok(handle) => self.read(&handle.lock(), budget, first, &mut answer),
            Err(error) => Err(error),
        };
        match region {
            Ok(region) => (answer, region),
            Err(error_code) => {
                answer.error_code = error_code;
                (answer, None)
            }
        }
    }

    fn read(
        &self,
        partition: &Partition,
        budget: usize,
        first: bool,
        answer: &mut FetchedPartition,
    ) -> Result<Option<FileRegion>, ErrorCode> {
        check_leader(partition, self.asked.current_leader_epoch)?;
        answer.high_watermark = partition.high_watermark().0;
        answer.last_stable_offset = answer.high_watermark;
        answer.log_start_offset = partition.log_start_offset().0;
        if let Some(diverging_epoch) = self.diverges(partition) {
            answer.diverging_epoch = diverging_epoch;
            return Ok(None);
        }
        let max_bytes = usize::try_from(self.asked.partition_max_bytes).unwrap_or(0).min(budget);
        let region = partition.read(Offset(self.asked.fetch_offset), max_bytes).map_err(|error| {
            if error.code() == ErrorCode::KAFKA_STORAGE_ERROR {
                tracing::error!("{error}");
            }
            error.code()
        })?;
        Ok(Some(region).filter(|region| region.len > 0 && (first || region.len <= max_bytes)))
    }
}
