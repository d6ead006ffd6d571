//! An audit: reads the topics of questions and answers up to where they end now, all of them or
//! what was sent since a moment.
//!
//! A log that has grown for hours is read no slower than a new one if only its end is read. The
//! audit asks the cluster for the first offset of each partition that was sent at the moment or
//! later (Kafka's `ListOffsets` with a timestamp), and reads from there. An answer is sent after
//! its question, so the answers since the moment hold those to every question since the moment.
//!
//! # Simplifications
//! - The clocks of questions and answers are taken for one. If the clock of a consumer is behind,
//!   an answer may seem older than its question; [`CLOCKS_APART_MS`] allows for some seconds.
//! - A duplicate counts as one if its first copy is among the [`READ_BEFORE`] records before the
//!   moment. One that comes later than that counts as a question, and as lost.

use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, Read, Settings, TopicPartition};
use events::{Event, Topic};

use super::{Headers, Ledger, LedgerEntry, QuestionAnswerPair};

/// How long to wait for the next record before the topic's end.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many records of each partition of questions before the moment are read too. They are not
/// counted: from them the rules learn which ids there were, and where each car was last.
const READ_BEFORE: i64 = 20_000;
/// Answers are read from so long before the moment, in milliseconds.
const CLOCKS_APART_MS: i64 = 10_000;
/// After how many records the reader is told how far it is.
const TOLD_EVERY: u64 = 10_000;

/// How much of the log has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditProgress {
    /// Records that were read.
    pub read: u64,
    /// All records that are to be read.
    pub of: u64,
}

/// What of a topic is read.
struct Stretches {
    topic: Topic,
    /// Partition, first offset and end.
    ranges: Vec<(i32, i64, i64)>,
    /// The first offset of each partition that counts, if the counting begins in the middle.
    begins: Vec<(i32, i64)>,
    /// The partitions whose beginning retention has deleted, where all that is left is read.
    cut: Vec<i32>,
}

/// Reads the topics of those `entries` that the cluster has, and gives the state of every question;
/// with `since_ms`, of those that were sent at that moment of wall-clock time or later. `progress`
/// is told every few thousand records.
///
/// The committed offsets are read before the topics' ends: a question before a committed offset was
/// answered before the commit, so its answer lies before the end.
pub fn audit(
    settings: &Settings,
    admin: &Admin,
    entries: &[&LedgerEntry],
    since_ms: Option<i64>,
    mut progress: impl FnMut(AuditProgress),
) -> Result<Ledger> {
    let known = admin.topics()?;
    let exists = |topic: Topic| known.iter().any(|info| info.name == topic.name());
    let mut ledger = Ledger::new(entries.iter().copied());
    let pairs = entries.iter().map(|entry| entry.pair);
    let pairs: Vec<QuestionAnswerPair> =
        pairs.filter(|pair| exists(pair.questions) && exists(pair.answers)).collect();
    let mut committed = Vec::new();
    for pair in &pairs {
        let partitions = partitions(admin, pair.questions)?;
        let offsets = admin.committed_offsets(pair.group, &partitions)?;
        let known = partitions.into_iter().zip(offsets);
        committed.extend(known.filter_map(|(at, offset)| Some((pair, at.partition, offset?))));
    }
    let answers_since = since_ms.map(|since_ms| since_ms.saturating_sub(CLOCKS_APART_MS));
    let mut all = Vec::new();
    for pair in &pairs {
        let questions = Stretches::find(admin, pair.questions, since_ms, READ_BEFORE)?;
        all.push((questions, Stretches::find(admin, pair.answers, answers_since, 0)?));
    }
    let letters = exists(Topic::DeadLetters)
        .then(|| Stretches::find(admin, Topic::DeadLetters, answers_since, 0))
        .transpose()?;
    let topics = all.iter().flat_map(|(questions, answers)| [questions, answers]).chain(&letters);
    let mut told = AuditProgress { read: 0, of: topics.map(Stretches::records).sum() };
    let mut read_one = || {
        told.read += 1;
        if told.read.is_multiple_of(TOLD_EVERY) {
            progress(told);
        }
    };
    for (questions, answers) in &all {
        for &(partition, offset) in &questions.begins {
            ledger.begin(questions.topic, partition, offset);
        }
        questions.read(settings, &mut ledger, &mut read_one)?;
        for (partition, first) in answers.read(settings, &mut ledger, &mut read_one)? {
            // Where retention has deleted answers, the state of questions before the oldest answer
            // that is left is unknown.
            ledger.answers_expired(questions.topic, partition, first);
        }
    }
    if let Some(letters) = letters {
        letters.read(settings, &mut ledger, &mut read_one)?;
    }
    for (pair, partition, offset) in committed {
        let read = ledger.answers_read(pair.questions, partition);
        ledger.committed(pair.group, pair.questions, partition, offset, read);
    }
    Ok(ledger)
}

fn partitions(admin: &Admin, topic: Topic) -> Result<Vec<TopicPartition>> {
    let count = admin.partitions(topic.name())?;
    Ok((0..count).map(|partition| TopicPartition::new(topic.name(), partition)).collect())
}

impl Stretches {
    /// What `topic` holds up to its present end: all of it, or what was sent since a moment and
    /// `before` records of each partition before that.
    fn find(admin: &Admin, topic: Topic, since_ms: Option<i64>, before: i64) -> Result<Self> {
        let partitions = partitions(admin, topic)?;
        let firsts = match since_ms {
            Some(since_ms) => Some(admin.offsets_since(&partitions, since_ms)?),
            None => None,
        };
        let mut found = Self { topic, ranges: Vec::new(), begins: Vec::new(), cut: Vec::new() };
        for (place, (at, offsets)) in partitions.iter().zip(admin.offsets(&partitions)?).enumerate() {
            let Some(offsets) = offsets else {
                bail!("{at}: the cluster doesn't say where it ends: try again")
            };
            let mut from = offsets.earliest;
            if let Some(firsts) = &firsts {
                let first = firsts[place].unwrap_or(offsets.latest);
                found.begins.push((at.partition, first));
                from = first.saturating_sub(before).max(offsets.earliest);
            }
            if offsets.earliest > 0 && from == offsets.earliest {
                found.cut.push(at.partition);
            }
            found.ranges.push((at.partition, from, offsets.latest));
        }
        Ok(found)
    }

    fn records(&self) -> u64 {
        self.ranges.iter().map(|(_, from, to)| (to - from).max(0) as u64).sum()
    }

    /// Reads it into the ledger. For each partition whose beginning is deleted, gives the question
    /// of the oldest answer that is left.
    fn read(
        &self,
        settings: &Settings,
        ledger: &mut Ledger,
        read_one: &mut impl FnMut(),
    ) -> Result<Vec<(i32, i64)>> {
        let topic = self.topic;
        // For a partition whose beginning is deleted: the oldest question that an answer there
        // names.
        let mut cut: Vec<(i32, Option<i64>)> = self.cut.iter().map(|&partition| (partition, None)).collect();
        let mut reader = LogReader::range(settings, topic.name(), &self.ranges)?;
        while let Some(read) = reader.next_or_unreadable(PATIENCE)? {
            let record = match read {
                Read::Record(record) => record,
                Read::Unreadable(lost) => {
                    ledger.unreadable(topic, lost.at.partition, lost.first, lost.last);
                    continue;
                }
            };
            read_one();
            let event = Event::parse(topic, record.value().unwrap_or_default()).ok();
            let headers = Headers::read(|name| record.header(name));
            if let Some((_, oldest)) = cut.iter_mut().find(|(partition, _)| *partition == record.partition())
                && let Some(source) = headers.source
            {
                oldest.get_or_insert(source.offset);
            }
            ledger.take((topic, record.partition(), record.offset()), event.as_ref(), headers);
        }
        if !reader.is_finished() {
            bail!("{topic}: the broker did not send all that it has within {} s", PATIENCE.as_secs());
        }
        Ok(cut.into_iter().map(|(partition, oldest)| (partition, oldest.unwrap_or(i64::MAX))).collect())
    }
}
