//! Brings a task's state back from the log.
//!
//! A processor's state is a function of the records it has seen, so nothing else needs to be saved:
//! a new processor is given the records of its partition again, up to the committed offset, and its
//! answers are dropped. Then the answers already on their topics past the commit's metadata are
//! read, to know which questions past the offset are settled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::{ClusterError, LogReader, Read, ReadError, Settings, StretchReader, TopicPartition};
use events::{Event, SOURCE_HEADER, Source, Timestamp, Topic};

use super::arrival::Arrival;
use super::commit_metadata::PartitionId;
use super::merge::Merge;
use super::progress::Progress;
use super::published_answers::PublishedAnswers;
use processor::Processor;
use processor::bounded::fingerprint;

/// How long one wait for a record may take before it is looked whether the work is still wanted.
const LOOK_UP: Duration = Duration::from_millis(100);

/// What is to be read again.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// Who rebuilds, for the progress line.
    pub(crate) group: String,
    pub(crate) partition: i32,
    /// Each input with its first offset and the committed one.
    pub(crate) inputs: Vec<(Topic, i64, i64)>,
    /// How much event time the state reaches back, in milliseconds; none for all that there is.
    pub(crate) horizon_ms: Option<i64>,
    /// Each place of answers, with the stretch in which answers to questions past the committed
    /// offset may lie.
    pub(crate) tails: Vec<(PartitionId, i64, i64)>,
    /// The broadcast tables, as they stand.
    pub(crate) broadcast: Vec<Event>,
}

/// A processor as it was when the offset was committed.
pub(crate) struct Rebuilt {
    pub(crate) processor: Box<dyn Processor>,
    pub(crate) answered: PublishedAnswers,
    /// How many records it took.
    pub(crate) records: u64,
}

impl Plan {
    /// Carries it out. `None` when `cancelled` was set meanwhile.
    #[expect(clippy::disallowed_methods, reason = "the edge: progress is reported by the wall clock")]
    pub(crate) fn carry_out(
        &self,
        mut processor: Box<dyn Processor>,
        cancelled: &AtomicBool,
    ) -> Result<Option<Rebuilt>, ReadError> {
        let began = Instant::now();
        self.broadcast.iter().for_each(|event| processor.learn(event));
        let mut inputs = Vec::new();
        let mut expected = 0;
        for &(topic, first, to) in &self.inputs {
            let from = match self.horizon_ms {
                Some(horizon_ms) => {
                    reach_back(&self.settings, topic, self.partition, first, to, horizon_ms, None)?
                }
                None => first,
            };
            expected += (to - from).max(0);
            inputs.push(((topic, self.partition), from, to));
        }
        let mut log = MergedReader::open(&self.settings, &inputs)?;
        let of = format!("{}/{}: rebuilding from the log", self.group, self.partition);
        let mut progress = Progress::new(of, expected as u64);
        let mut records = 0_u64;
        while let Some(arrival) = log.next(&send_time_order, &|| cancelled.load(Ordering::Relaxed))? {
            if let Ok(event) = &arrival.content {
                processor.learn(event);
            }
            records += 1;
            progress.step();
        }
        let answered = self.published(cancelled)?;
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        tracing::debug!(
            "{}/{}: rebuilt from {records} records in {:?}, {} questions past the commit are settled",
            self.group,
            self.partition,
            began.elapsed(),
            answered.len()
        );
        Ok(Some(Rebuilt { processor, answered, records }))
    }

    /// The answers to this task's questions that are there past the commit.
    fn published(&self, cancelled: &AtomicBool) -> Result<PublishedAnswers, ReadError> {
        let mut answered = PublishedAnswers::default();
        for &((topic, partition), from, to) in &self.tails {
            if from >= to {
                continue;
            }
            let mut reader = LogReader::range(&self.settings, topic.name(), &[(partition, from, to)])?;
            while !reader.is_finished() && !cancelled.load(Ordering::Relaxed) {
                let Some(record) = reader.next(LOOK_UP)? else { continue };
                // An answer without the header is from elsewhere: a person with a console, an older
                // program.
                let Some(source) = record.header(SOURCE_HEADER).and_then(Source::parse) else { continue };
                let ours = source.partition == self.partition
                    && self.inputs.iter().any(|&(input, _, to)| input == source.topic && source.offset >= to);
                if ours && !self.is_anothers_letter(topic, record.value()) {
                    answered.note(source.topic, source.offset, topic);
                }
            }
        }
        Ok(answered)
    }

    /// Whether a record on `topic` is the dead letter of another consumer, which reads the same
    /// questions and could not read this one either.
    fn is_anothers_letter(&self, topic: Topic, value: Option<&[u8]>) -> bool {
        topic == Topic::DeadLetters
            && match value.map(|value| Event::parse(topic, value)) {
                Some(Ok(Event::DeadLetters(letter))) => {
                    letter.consumer.is_some_and(|consumer| consumer != self.group)
                }
                Some(Ok(_) | Err(_)) | None => false,
            }
    }
}

/// Records in the order in which they were sent.
pub(crate) fn send_time_order(arrival: &Arrival) -> i64 {
    arrival.timestamp_ms
}

/// Stretches of several partitions as one.
pub(crate) struct MergedReader {
    reader: StretchReader,
    places: Vec<PartitionId>,
    merge: Merge<Arrival>,
    /// Whether what is read keeps its bytes.
    verbatim: bool,
}

impl MergedReader {
    /// Of nothing yet.
    pub(crate) fn new(settings: &Settings) -> Result<Self, ClusterError> {
        let reader = StretchReader::new(settings)?;
        Ok(Self { reader, places: Vec::new(), merge: Merge::new(0), verbatim: false })
    }

    /// `[from, to)` of each `(place, from, to)`.
    pub(crate) fn open(
        settings: &Settings,
        inputs: &[(PartitionId, i64, i64)],
    ) -> Result<Self, ClusterError> {
        let mut log = Self::new(settings)?;
        log.reopen(inputs)?;
        Ok(log)
    }

    /// Leaves what it was reading for these stretches: to open another client takes longer than to
    /// read ten seconds of a log.
    pub(crate) fn reopen(&mut self, inputs: &[(PartitionId, i64, i64)]) -> Result<(), ClusterError> {
        self.merge = Merge::new(inputs.len());
        self.places = inputs.iter().map(|(place, ..)| *place).collect();
        let stretch = |&((topic, partition), from, to): &(PartitionId, i64, i64)| {
            (TopicPartition::new(topic.name(), partition), from, to)
        };
        self.reader.restart(&inputs.iter().map(stretch).collect::<Vec<_>>())
    }

    /// Stops reading until it is opened again: what lies behind the stretches would be fetched for
    /// nothing.
    pub(crate) fn stop_fetching(&mut self) -> Result<(), ClusterError> {
        self.reopen(&[])
    }

    /// From now on, what is read keeps its bytes besides the event: a file of records should hold
    /// what the log held.
    pub(crate) fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// The next record, waiting for it: of those at the heads of the partitions the one whose
    /// `order` is the least. None at the end, or when `cancelled` says so.
    pub(crate) fn next(
        &mut self,
        order: &dyn Fn(&Arrival) -> i64,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Arrival>, ReadError> {
        for index in self.merge.silent().collect::<Vec<_>>() {
            let (topic, _) = self.places[index];
            while !self.reader.is_finished(index) {
                if let Some(read) = self.reader.next(index, LOOK_UP)? {
                    let arrival = match read {
                        Read::Record(record) => Arrival {
                            bytes: record.value().filter(|_| self.verbatim).map(<[u8]>::to_vec),
                            ..Arrival::read(topic, &record, 0)
                        },
                        Read::Unreadable(lost) => Arrival::unreadable(topic, &lost),
                    };
                    self.merge.push(index, order(&arrival), arrival);
                    break;
                }
                if cancelled() {
                    return Ok(None);
                }
            }
        }
        Ok(self.merge.next_of_all())
    }

    /// The partitions of which nothing waited when the last record was taken, that one's own among
    /// them.
    pub(crate) fn silent(&self) -> Vec<PartitionId> {
        self.merge.silent().map(|index| self.places[index]).collect()
    }
}

/// The offset from which on the records of `[first, to)` are no older than `horizon_ms` of event
/// time before the last of them, or before `until` where that is earlier: a run reads past the end
/// of its window, and what its processor knew reaches back from there.
pub(crate) fn reach_back(
    settings: &Settings,
    topic: Topic,
    partition: i32,
    first: i64,
    to: i64,
    horizon_ms: i64,
    until: Option<Timestamp>,
) -> Result<i64, ReadError> {
    let mut searcher = OffsetSearcher::new(settings, topic, partition)?;
    match searcher.ts((to - OffsetSearcher::WIDTH).max(first), to)? {
        Some(newest) => {
            let newest = until.map_or(newest, |until| newest.min(until));
            Ok(searcher.search(first, to, newest.plus_ms(-horizon_ms))?.0)
        }
        None => Ok(first),
    }
}

/// Finds places in a partition by event time.
///
/// Event time does not stand in the log's index, but it grows along the log, give or take the
/// lateness of records: so it is searched for by halving, down to a thousand records.
pub(crate) struct OffsetSearcher {
    reader: LogReader,
    topic: Topic,
    partition: i32,
}

impl OffsetSearcher {
    /// How many records are tried where some can't be read.
    pub(crate) const WIDTH: i64 = 16;
    const ENOUGH: i64 = 1_000;

    pub(crate) fn new(settings: &Settings, topic: Topic, partition: i32) -> Result<Self, ClusterError> {
        let reader = LogReader::range(settings, topic.name(), &[])?;
        Ok(Self { reader, topic, partition })
    }

    /// From now on it is this partition of its topic that is looked into.
    pub(crate) fn select_partition(&mut self, partition: i32) -> &mut Self {
        self.partition = partition;
        self
    }

    /// Stops reading until the next question: what lies behind the last answer would be fetched for
    /// nothing.
    pub(crate) fn stop_fetching(&mut self) -> Result<(), ClusterError> {
        self.reader.restart(&[])
    }

    /// The event time of the record at `offset`, or of one soon after it.
    pub(crate) fn ts(&mut self, offset: i64, to: i64) -> Result<Option<Timestamp>, ReadError> {
        self.reader.restart(&[(self.partition, offset, (offset + Self::WIDTH).min(to))])?;
        while !self.reader.is_finished() {
            if let Some(record) = self.reader.next(LOOK_UP)?
                && let Ok(event) = Arrival::read(self.topic, &record, 0).content
                && let Some(ts) = event.ts()
            {
                return Ok(Some(ts));
            }
        }
        Ok(None)
    }

    /// The oldest event time among the records of `[first, to)` that `wanted` accepts.
    pub(crate) fn oldest(
        &mut self,
        first: i64,
        to: i64,
        wanted: &dyn Fn(i64, &Event) -> bool,
    ) -> Result<Option<Timestamp>, ReadError> {
        self.reader.restart(&[(self.partition, first, to)])?;
        let mut oldest: Option<Timestamp> = None;
        while !self.reader.is_finished() {
            if let Some(record) = self.reader.next(LOOK_UP)?
                && let Ok(event) = Arrival::read(self.topic, &record, 0).content
                && let Some(ts) = event.ts().filter(|_| wanted(record.offset(), &event))
            {
                oldest = Some(oldest.map_or(ts, |oldest| oldest.min(ts)));
            }
        }
        Ok(oldest)
    }

    /// The event times of the last few records of `[first, to)`, each with a number that stands for
    /// its key, if it has one.
    pub(crate) fn newest(&mut self, first: i64, to: i64) -> Result<Vec<(Option<u64>, Timestamp)>, ReadError> {
        let mut newest = Vec::new();
        self.reader.restart(&[(self.partition, first.max(to - Self::WIDTH), to)])?;
        while !self.reader.is_finished() {
            if let Some(record) = self.reader.next(LOOK_UP)?
                && let Ok(event) = Arrival::read(self.topic, &record, 0).content
                && let Some(ts) = event.ts()
            {
                newest.push((record.key().map(fingerprint), ts));
            }
        }
        Ok(newest)
    }

    /// When the newest of the last few records of `[first, to)` was sent, by the wall clock.
    pub(crate) fn sent(&mut self, first: i64, to: i64) -> Result<Option<Timestamp>, ReadError> {
        let mut sent = None;
        self.reader.restart(&[(self.partition, first.max(to - Self::WIDTH), to)])?;
        while !self.reader.is_finished() {
            if let Some(record) = self.reader.next(LOOK_UP)? {
                sent = sent.max(record.timestamp_ms().map(Timestamp::from_ms));
            }
        }
        Ok(sent)
    }

    /// An offset of `[known, latest]` by which event time has come to `at`: from there on, records
    /// that are older are late.
    ///
    /// The log is taken in blocks of a few offsets, whose time is the median of their records: one
    /// clock that is wrong moves no edge. The edge is the end of the first block that is not older
    /// than `at`, found by halving; if that lies before `known`, where earlier windows end, it is
    /// there. Blocks begin where they begin in every log, and those of the beginning are looked at
    /// in the same order however long the log has become since: so the edge stays where it is,
    /// at whatever time it is looked for.
    pub(crate) fn edge(
        &mut self,
        (earliest, latest): (i64, i64),
        known: i64,
        at: Timestamp,
    ) -> Result<i64, ReadError> {
        // Whether the blocks up to the one that ends here are older than `at`.
        let mut is_older = |end: i64| -> Result<bool, ReadError> {
            let first = (end - Self::WIDTH).max(earliest);
            let ts = if first < end { self.median(first, end.min(latest))? } else { None };
            Ok(ts.is_none_or(|ts| ts < at))
        };
        let blocks = latest.max(0) as u64 / Self::WIDTH as u64 + 1;
        let (mut older, mut step) = (0, 1_u64 << blocks.ilog2());
        while step > 0 {
            let end = (older + step as i64) * Self::WIDTH;
            if end - Self::WIDTH < latest && (end <= known || is_older(end)?) {
                older += step as i64;
            }
            step /= 2;
        }
        let passed = older * Self::WIDTH;
        let edge = if passed <= known && !is_older(passed)? { known } else { passed + Self::WIDTH };
        Ok(edge.min(latest).max(known))
    }

    /// The median of the event times in `[first, to)`; none where nothing can be read.
    fn median(&mut self, first: i64, to: i64) -> Result<Option<Timestamp>, ReadError> {
        let mut times: Vec<_> = self.newest(first, to)?.into_iter().map(|(_, ts)| ts).collect();
        times.sort_unstable();
        Ok(times.get(times.len().saturating_sub(1) / 2).copied())
    }

    /// Two offsets not far apart: records before the first are older than `at`, records from the
    /// second on are not, by and large.
    pub(crate) fn search(&mut self, first: i64, to: i64, at: Timestamp) -> Result<(i64, i64), ReadError> {
        let (mut from, mut until) = (first, to);
        while until - from > Self::ENOUGH {
            let middle = from + (until - from) / 2;
            match self.ts(middle, to)? {
                Some(ts) if ts < at => from = middle,
                _ => until = middle,
            }
        }
        Ok((from, until))
    }
}
