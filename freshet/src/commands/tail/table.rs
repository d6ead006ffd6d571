//! `freshet tail --as-table`: a topic as a table.
//!
//! A log says what has changed, a table what holds now: of each key the newest value. Who reads
//! the log from its start and remembers the newest value of each key has the table, and whoever
//! writes down each change of a table has its log. So a topic can hold either, and compaction
//! (`cleanup.policy=compact`) keeps of a log just what its table needs.
//!
//! # Simplifications
//! - The table is held in memory: all its keys and their values, and the keys that are gone.
//! - Order exists within a partition alone. A key that lies in several, because its writers do not
//!   agree where it belongs, has a row for each, as compaction keeps a record of it in each.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, Read, Settings, TopicPartition};
use text::{grouped, plural};

use super::{Line, say_unreadable};
use crate::cli::TailArgs;
use crate::output::print;

/// How long to wait for a record that the broker says is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// The newest record of each key of each partition. Sorted by key, and then by partition.
type Rows = BTreeMap<(Vec<u8>, i32), Newest>;

/// What the newest record of a key says.
struct Newest {
    offset: i64,
    /// None: it is a tombstone, and the key is gone.
    value: Option<Vec<u8>>,
}

/// What has been read of a topic.
#[derive(Default)]
struct Topic {
    rows: Rows,
    records: u64,
    /// Records without a key are rows of no table.
    without_key: u64,
}

/// Prints the table that the partitions hold up to where they end now.
pub(super) fn run(
    args: &TailArgs,
    settings: &Settings,
    admin: &Admin,
    partitions: &[TopicPartition],
    for_a_person: bool,
) -> Result<()> {
    let topic = read(args, settings, admin, partitions)?;
    print(|out| {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        for ((key, partition), Newest { offset, value }) in &topic.rows {
            let Some(value) = value else { continue };
            let at = (*partition, *offset);
            Line { at, key: Some(key), value: Some(value) }.write(&mut out, args.values, for_a_person)?;
        }
        out.flush()
    })?;
    for words in topic.summary(&args.topic) {
        say!("{words}");
    }
    // Who may read a topic need not be allowed to read its settings.
    match admin.configs(&args.topic) {
        Ok(configs) => {
            let policy = configs.iter().find(|(key, _)| key == "cleanup.policy");
            say!("{}", kept(&args.topic, policy.map_or("delete", |(_, value)| value)));
        }
        Err(error) => say!("{}: whether it is compacted can't be told: {error}", args.topic),
    }
    Ok(())
}

fn read(args: &TailArgs, settings: &Settings, admin: &Admin, partitions: &[TopicPartition]) -> Result<Topic> {
    let mut stretches = Vec::new();
    for (at, offsets) in partitions.iter().zip(admin.offsets(partitions)?) {
        let Some(offsets) = offsets else { bail!("{at}: the cluster doesn't say where it ends: try again") };
        stretches.push((at.partition, offsets.earliest, offsets.latest));
    }
    let mut reader = LogReader::range(settings, &args.topic, &stretches)?;
    let mut topic = Topic::default();
    loop {
        match reader.next_or_unreadable(PATIENCE)? {
            Some(Read::Record(record)) => {
                topic.records += 1;
                if args.wants(record.key()) {
                    topic.add((record.partition(), record.offset()), record.key(), record.value());
                }
                continue;
            }
            Some(Read::Unreadable(lost)) => {
                say_unreadable(&lost);
                continue;
            }
            None => {}
        }
        if reader.is_finished() {
            return Ok(topic);
        }
        bail!(
            "{}: the broker did not send a record within {} s: is it still running?",
            args.topic,
            PATIENCE.as_secs()
        );
    }
}

impl Topic {
    fn add(&mut self, (partition, offset): (i32, i64), key: Option<&[u8]>, value: Option<&[u8]>) {
        let Some(key) = key else {
            self.without_key += 1;
            return;
        };
        let newest = Newest { offset, value: value.map(<[u8]>::to_vec) };
        self.rows.insert((key.to_vec(), partition), newest);
    }

    /// What there is beside the rows, in a line for each thing to be said.
    fn summary(&self, name: &str) -> Vec<String> {
        let all: Vec<_> = self.rows.iter().map(|((key, _), newest)| (key, newest.value.is_some())).collect();
        let (mut there, mut gone, mut several) = (0, 0, 0);
        for of_key in all.chunk_by(|one, next| one.0 == next.0) {
            let is_there = of_key.iter().any(|(_, is_there)| *is_there);
            there += u64::from(is_there);
            gone += u64::from(!is_there);
            several += u64::from(of_key.len() > 1);
        }
        let mut said = vec![format!(
            "{name}: {} read: {}, and {} gone (the newest record is a tombstone)",
            plural(self.records, "record"),
            plural(there, "key"),
            grouped(gone)
        )];
        if self.without_key > 0 {
            said.push(format!("{} without a key: no table has it", plural(self.without_key, "record")));
        }
        if several > 0 {
            let lie = if several == 1 { "lies" } else { "lie" };
            said.push(format!(
                "{} {lie} in several partitions, with a row for each: no order tells which is newer",
                plural(several, "key")
            ));
        }
        said
    }
}

/// What a cleanup policy means to the table of a topic.
fn kept(topic: &str, policy: &str) -> String {
    let has = |word: &str| policy.split(',').any(|part| part.trim() == word);
    let (is, means) = match (has("compact"), has("delete")) {
        (true, false) => ("is", "the newest record of each key stays, however old it is"),
        (true, true) => {
            ("is", "the newest record of each key stays until retention deletes it by age or size")
        }
        (false, _) => (
            "is not",
            "retention deletes by age or size, so keys that have not changed for long may be missing",
        ),
    };
    format!("{topic} {is} compacted (cleanup.policy={policy}): {means}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_newest_value_of_each_key_and_says_what_it_has_not() {
        let mut topic = Topic { records: 1_203, ..Topic::default() };
        let records = [
            (0, Some("b"), Some("1")),
            (0, Some("a"), Some("2")),
            (0, None, Some("3")),
            (0, Some("b"), None),
            (0, Some("a"), Some("4")),
            (1, Some("a"), Some("5")),
            (1, Some(""), Some("")),
        ];
        for (offset, (partition, key, value)) in (0..).zip(records) {
            topic.add((partition, offset), key.map(str::as_bytes), value.map(str::as_bytes));
        }
        let mut rows = Vec::new();
        for ((key, partition), newest) in &topic.rows {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            rows.push((text(key), *partition, newest.offset, newest.value.as_deref().map(text)));
        }
        let expected =
            [("", 1, 6, Some("")), ("a", 0, 4, Some("4")), ("a", 1, 5, Some("5")), ("b", 0, 3, None)];
        let owned = |(key, partition, offset, value): (&str, _, _, Option<&str>)| {
            (key.to_owned(), partition, offset, value.map(str::to_owned))
        };
        assert_eq!(rows, expected.map(owned));
        assert_eq!(
            topic.summary("t"),
            [
                "t: 1,203 records read: 2 keys, and 1 gone (the newest record is a tombstone)",
                "1 record without a key: no table has it",
                "1 key lies in several partitions, with a row for each: no order tells which is newer",
            ]
        );
    }

    #[test]
    fn a_key_that_is_gone_comes_back() {
        let mut topic = Topic::default();
        for (offset, value) in [(0, Some(&b"x"[..])), (1, None), (2, Some(b"y"))] {
            topic.add((0, offset), Some(b"k"), value);
        }
        assert_eq!(
            topic.summary("t")[0],
            "t: 0 records read: 1 key, and 0 gone (the newest record is a tombstone)"
        );
    }

    #[test]
    fn what_is_kept_of_a_table_is_what_the_policy_says() {
        for (policy, begins, has) in [
            ("compact", "t is compacted (cleanup.policy=compact)", "however old"),
            ("compact,delete", "t is compacted (cleanup.policy=compact,delete)", "until retention"),
            ("delete, compact", "t is compacted (cleanup.policy=delete, compact)", "until retention"),
            ("delete", "t is not compacted (cleanup.policy=delete)", "may be missing"),
        ] {
            let said = kept("t", policy);
            assert!(said.starts_with(begins) && said.contains(has), "{said}");
        }
    }
}
