//! An audit: the whole of every topic is read, from its first record that is kept to its present
//! end.

use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, Read, Settings, TopicPartition};
use events::{Event, Topic};
use events::{SOURCE_HEADER, Source};

use super::{Book, Ledger, QuestionAnswerPair};

/// How long to wait for a record that the broker says is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads those of `books` whose topics are there, and says what became of every question.
///
/// The bookmarks are read before the topics' ends: what a bookmark has passed was answered before,
/// so its answer must be there.
pub fn audit(settings: &Settings, admin: &Admin, books: &[&Book]) -> Result<Ledger> {
    let known = admin.topics()?;
    let there = |topic: Topic| known.iter().any(|info| info.name == topic.name());
    let mut ledger = Ledger::new(books.iter().copied());
    let pairs = books.iter().map(|book| book.pair);
    let pairs: Vec<QuestionAnswerPair> =
        pairs.filter(|book| there(book.questions) && there(book.answers)).collect();
    for book in &pairs {
        let partitions = partitions(admin, book.questions)?;
        for (at, offset) in partitions.iter().zip(admin.committed_offsets(book.group, &partitions)?) {
            if let Some(offset) = offset {
                ledger.committed(book.group, book.questions, at.partition, offset, 0);
            }
        }
    }
    for book in &pairs {
        read(settings, admin, book.questions, &mut ledger)?;
        for (partition, first) in read(settings, admin, book.answers, &mut ledger)? {
            // Where retention took answers, questions before the oldest that is left can't be
            // judged.
            ledger.answers_expired(book.questions, partition, first);
        }
    }
    if there(Topic::DeadLetters) {
        read(settings, admin, Topic::DeadLetters, &mut ledger)?;
    }
    Ok(ledger)
}

fn partitions(admin: &Admin, topic: Topic) -> Result<Vec<TopicPartition>> {
    let count = admin.partitions(topic.name())?;
    Ok((0..count).map(|partition| TopicPartition::new(topic.name(), partition)).collect())
}

/// Reads a topic into the ledger. Says of each partition whose beginning is gone which question the
/// oldest answer left is about.
fn read(settings: &Settings, admin: &Admin, topic: Topic, ledger: &mut Ledger) -> Result<Vec<(i32, i64)>> {
    let partitions = partitions(admin, topic)?;
    let mut stretches = Vec::new();
    // Of a partition whose beginning is gone: the oldest question that an answer there is about.
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
        let source = record.header(SOURCE_HEADER).and_then(Source::parse);
        if let Some((_, oldest)) = cut.iter_mut().find(|(partition, _)| *partition == record.partition())
            && let Some(source) = source
        {
            oldest.get_or_insert(source.offset);
        }
        ledger.take((topic, record.partition(), record.offset()), event.as_ref(), source);
    }
    if !reader.is_finished() {
        bail!("{topic}: the broker did not send all that it has within {} s", PATIENCE.as_secs());
    }
    Ok(cut.into_iter().map(|(partition, oldest)| (partition, oldest.unwrap_or(i64::MAX))).collect())
}
