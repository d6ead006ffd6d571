//! An audit: reads every topic whole, from the first record that retention has left to the end.

use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, Read, Settings, TopicPartition};
use events::{Event, Topic};

use super::{Headers, Ledger, LedgerEntry, QuestionAnswerPair};

/// How long to wait for the next record before the topic's end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the topics of those `entries` that the cluster has, and gives the state of every question.
///
/// The committed offsets are read before the topics' ends: a question before a committed offset was
/// answered before the commit, so its answer lies before the end.
pub fn audit(settings: &Settings, admin: &Admin, entries: &[&LedgerEntry]) -> Result<Ledger> {
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
    for pair in &pairs {
        read(settings, admin, pair.questions, &mut ledger)?;
        for (partition, first) in read(settings, admin, pair.answers, &mut ledger)? {
            // Where retention has deleted answers, the state of questions before the oldest answer
            // that is left is unknown.
            ledger.answers_expired(pair.questions, partition, first);
        }
    }
    if exists(Topic::DeadLetters) {
        read(settings, admin, Topic::DeadLetters, &mut ledger)?;
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

/// Reads a topic into the ledger. For each partition whose beginning is deleted, gives the question
/// of the oldest answer that is left.
fn read(settings: &Settings, admin: &Admin, topic: Topic, ledger: &mut Ledger) -> Result<Vec<(i32, i64)>> {
    let partitions = partitions(admin, topic)?;
    let mut stretches = Vec::new();
    // For a partition whose beginning is deleted: the oldest question that an answer there names.
    let mut cut: Vec<(i32, Option<i64>)> = Vec::new();
    for (at, offsets) in partitions.iter().zip(admin.offsets(&partitions)?) {
        let Some(offsets) = offsets else { bail!("{at}: the cluster doesn't say where it ends: try again") };
        stretches.push((at.partition, offsets.earliest, offsets.latest));
        if offsets.earliest > 0 {
            cut.push((at.partition, None));
        }
    }
    let mut reader = LogReader::range(settings, topic.name(), &stretches)?;
    while let Some(read) = reader.next_or_unreadable(PATIENCE)? {
        let record = match read {
            Read::Record(record) => record,
            Read::Unreadable(lost) => {
                ledger.unreadable(topic, lost.at.partition, lost.first, lost.last);
                continue;
            }
        };
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
