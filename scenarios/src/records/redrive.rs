//! Redriving: the record of a dead letter is sent again, to the partition that it came from.
//!
//! A dead letter says where its record lies. Once what was wrong is repaired (a consumer's code, a
//! table that it looks things up in), the record deserves a second try: its key, its value and its
//! headers are produced again, with one header more, [`REDRIVE_HEADER`], which names the letter.
//! The record is a new one, at the end of its partition: it has lost its place among its
//! neighbours, and a consumer that could read it the first time reads it twice. That is why it asks
//! first.
//!
//! Who redrives all letters is a consumer of theirs: it commits how far it has come, as the group
//! `redrive`, and the next time begins there. So a second press of the key, also by
//! another person, sends nothing twice.
//!
//! # Simplifications
//! - Where the cluster fails halfway, nothing is committed, and what was sent is sent again the
//!   next time.
//! - A header whose name is no UTF-8 is not sent again: the binding cannot send it.
//! - What a letter says of a whole batch that cannot be opened has no record to send.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{
    Admin, ClusterError, Commit, LogReader, Outgoing, Producer, ProducerOptions, Settings, StoredRecord,
    TopicPartition,
};
use dashboard::{Letter, RecordAt};
use text::plural;

use super::page::letter;

/// The header of a record that was sent again; its value is the place of the dead letter,
/// `dead_letters/0@17`.
pub const REDRIVE_HEADER: &str = "redriven";

/// The group whose committed offsets say which letters were redriven with all others.
const REDRIVE_GROUP: &str = "redrive";

/// The most letters of a topic that are read.
const MOST_LETTERS: i64 = 10_000;
/// How long the cluster may take for each step.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of the records.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    sent: u64,
    /// Retention has deleted them, or they cannot be read.
    gone: u64,
    /// They had been redriven before, and died again.
    came_back: u64,
}

impl Outcome {
    fn words(&self) -> String {
        let mut words = format!("{} sent again", plural(self.sent, "record"));
        if self.gone > 0 {
            words.push_str(&format!(" · {} gone or unreadable", self.gone));
        }
        if self.came_back > 0 {
            words.push_str(&format!(" · {} left out: redriven before, died again", self.came_back));
        }
        words
    }
}

/// Sends again what the letter at `only` in `topic` is about, or what all its letters are about,
/// each record once. Says in words what was done, or why it could not be.
pub fn redrive(settings: &Settings, topic: &str, only: Option<RecordAt>) -> Result<String, String> {
    let admin = Admin::connect(settings, PATIENCE).map_err(|error| error.to_string())?;
    let (letters, read) = match only {
        Some(at) => (vec![(at, one_letter(&admin, topic, at)?)], Vec::new()),
        None => new_letters(settings, &admin, topic)?,
    };
    if only.is_none() && letters.is_empty() {
        return Ok("no letters since they were redriven last".to_owned());
    }
    let producer = Producer::new(
        settings,
        &ProducerOptions { delivery_timeout: Some(PATIENCE), ..ProducerOptions::answers() },
    )
    .map_err(|error| error.to_string())?;
    let mut outcome = Outcome::default();
    let all = send_each(&admin, &producer, topic, only, letters, &mut outcome);
    producer.flush(PATIENCE).map_err(|error| error.to_string())?;
    match all {
        Ok(()) => {
            if !read.is_empty() {
                admin.commit(REDRIVE_GROUP, &read).map_err(|error| error.to_string())?;
            }
            Ok(outcome.words())
        }
        Err(reason) if outcome == Outcome::default() => Err(reason),
        Err(reason) => Err(format!("{reason}; before that: {}", outcome.words())),
    }
}

/// Sends again what each of `letters` is about, each record once, and counts what became of it.
fn send_each(
    admin: &Admin,
    producer: &Producer,
    topic: &str,
    only: Option<RecordAt>,
    letters: Letters,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let mut done = BTreeSet::new();
    for (at, letter) in letters {
        let from = TopicPartition::new(&*letter.topic, letter.at.partition);
        if letter.last_offset.is_some() || letter.topic == topic {
            outcome.gone += 1;
            continue;
        }
        if !done.insert((from.clone(), letter.at.offset)) {
            continue;
        }
        let record = match admin.record(&from, letter.at.offset) {
            Ok(record) => record,
            // A letter comes from outside: one that names what is not there holds up no other.
            Err(ClusterError::Refused { .. }) if only.is_none() => None,
            Err(error) => return Err(error.to_string()),
        };
        let Some(record) = record else {
            outcome.gone += 1;
            continue;
        };
        let redriven = record.headers.iter().any(|(name, _)| name == REDRIVE_HEADER.as_bytes());
        if only.is_none() && redriven {
            outcome.came_back += 1;
            continue;
        }
        send(producer, &from, &record, &format!("{topic}/{at}"))?;
        outcome.sent += 1;
    }
    Ok(())
}

fn one_letter(admin: &Admin, topic: &str, at: RecordAt) -> Result<Letter, String> {
    let found = admin.record(&TopicPartition::new(topic, at.partition), at.offset);
    let record = found.map_err(|error| error.to_string())?.ok_or("the letter is gone")?;
    record.value.as_deref().and_then(letter).ok_or_else(|| "it is no dead letter".to_owned())
}

/// Letters with their places.
type Letters = Vec<(RecordAt, Letter)>;

/// The letters since all were redriven last, and the commits that say so of these.
fn new_letters(settings: &Settings, admin: &Admin, topic: &str) -> Result<(Letters, Vec<Commit>), String> {
    let partitions = admin.partitions(topic).map_err(|error| error.to_string())?;
    let at: Vec<_> = (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
    let offsets = admin.offsets(&at).map_err(|error| error.to_string())?;
    let redriven = admin.committed_offsets(REDRIVE_GROUP, &at).map_err(|error| error.to_string())?;
    let held = at.iter().zip(offsets).zip(redriven);
    let stretches: Vec<_> = held
        .filter_map(|((at, held), redriven)| {
            let held = held?;
            // The topic may have been created again since.
            let from = redriven.filter(|from| *from <= held.latest).unwrap_or(held.earliest);
            Some((at.partition, from.max(held.earliest), held.latest))
        })
        .collect();
    let commits = stretches.iter().map(|&(partition, _, to)| Commit {
        at: TopicPartition::new(topic, partition),
        offset: to,
        metadata: String::new(),
    });
    let commits = commits.collect();
    let total: i64 = stretches.iter().map(|(_, from, to)| to - from).sum();
    if total > MOST_LETTERS {
        return Err(format!(
            "{topic} has {total} letters, more than {MOST_LETTERS}: redrive them one by one"
        ));
    }
    let mut reader = LogReader::range(settings, topic, &stretches).map_err(|error| error.to_string())?;
    let mut letters = Vec::new();
    while !reader.is_finished() {
        let next = reader.next(PATIENCE).map_err(|error| error.to_string())?;
        let Some(record) = next else {
            if reader.is_finished() {
                break;
            }
            return Err(format!("{topic} could not be read within {} s", PATIENCE.as_secs()));
        };
        let at = RecordAt { partition: record.partition(), offset: record.offset() };
        letters.extend(record.value().and_then(letter).map(|letter| (at, letter)));
    }
    Ok((letters, commits))
}

fn send(
    producer: &Producer,
    to: &TopicPartition,
    record: &StoredRecord,
    from_letter: &str,
) -> Result<(), String> {
    let kept = record.headers.iter().filter_map(|(name, value)| {
        let name = std::str::from_utf8(name).ok().filter(|name| *name != REDRIVE_HEADER)?;
        Some((name, value.as_deref().unwrap_or_default()))
    });
    let headers: Vec<(&str, &[u8])> = kept.chain([(REDRIVE_HEADER, from_letter.as_bytes())]).collect();
    let outgoing = Outgoing {
        topic: &to.topic,
        partition: Some(to.partition),
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers: &headers,
        ..Outgoing::default()
    };
    producer.send(outgoing, PATIENCE).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_says_how_many() {
        let outcome = |sent, gone, came_back| Outcome { sent, gone, came_back }.words();
        assert_eq!(outcome(1, 0, 0), "1 record sent again");
        assert_eq!(
            outcome(3, 1, 2),
            "3 records sent again · 1 gone or unreadable · 2 left out: redriven before, died again"
        );
    }
}
