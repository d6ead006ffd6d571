//! The records of one topic, while its records view is open.
//!
//! Unlike the rest of a snapshot they are there only when they are asked for: the state of the
//! dashboard has a [`RecordQuery`] while its records view is open, and the program that observes
//! the cluster answers it with a [`RecordPage`]. A page is bounded in records and in bytes.

use std::sync::Arc;

use crate::place::{OffsetSpec, RecordAt};
use crate::snapshot::Source;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// Of which topic.
    pub topic: String,
    /// Of which partition; `None`: of all.
    pub partition: Option<i32>,
    /// Only records whose key contains this text; empty: all.
    pub key: String,
    /// Where the page is.
    pub start: PageStart,
    /// Whether new records are left out until this is false again.
    pub paused: bool,
    /// The record that is wanted whole, beside the page.
    pub whole: Option<RecordAt>,
}

impl RecordQuery {
    /// The newest records of a topic, and those to come.
    pub fn newest(topic: impl Into<String>) -> Self {
        RecordQuery {
            topic: topic.into(),
            partition: None,
            key: String::new(),
            start: PageStart::Newest,
            paused: false,
            whole: None,
        }
    }

    /// Whether another query has the same records.
    pub fn same_page(&self, other: &RecordQuery) -> bool {
        let RecordQuery { topic, partition, key, start, paused: _, whole: _ } = self;
        *topic == other.topic && *partition == other.partition && *key == other.key && *start == other.start
    }
}

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// Its last record is the newest; it follows the topic as it grows.
    Newest,
    /// It begins at this place of each partition.
    From(OffsetSpec),
    /// It begins at these offsets, by partition.
    After(Vec<(i32, i64)>),
    /// It ends before these offsets, by partition.
    Before(Vec<(i32, i64)>),
}

/// Some records of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    /// What was asked for.
    pub query: RecordQuery,
    /// Whether the cluster answers.
    pub source: Source,
    /// How many partitions the topic has.
    pub partitions: i32,
    /// The topic's `cleanup.policy`, if the cluster tells it: `delete`, `compact`, or both.
    pub cleanup_policy: Option<String>,
    /// The records, oldest first; those of one partition in the order of their offsets.
    pub rows: Vec<RecordRow>,
    /// The first offset of each partition that was looked at.
    pub from: Vec<(i32, i64)>,
    /// The first that was not looked at any more.
    pub to: Vec<(i32, i64)>,
    /// Whether there are records before these.
    pub has_before: bool,
    /// Whether there are records behind these.
    pub has_after: bool,
    /// How many records were looked at, whatever their key.
    pub examined: u64,
    /// How many came faster than they are read here, and were left out.
    pub skipped: u64,
    /// The record that was asked for whole.
    pub whole: Option<Arc<WholeRecord>>,
}

/// A record as a row shows it. Its texts are cut; what is no UTF-8 in them is U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Where it is.
    pub at: RecordAt,
    /// When it was sent: wall clock, milliseconds since 1970 UTC. None when its producer did not
    /// say.
    pub sent_ms: Option<i64>,
    /// Its key; none is not the same as empty.
    pub key: Option<String>,
    /// Its value; none is a tombstone.
    pub value: Option<String>,
    /// The bytes of key and value.
    pub bytes: u64,
    /// Why it cannot be read, if it cannot.
    pub unreadable: Option<String>,
    /// What it says if it is a dead letter.
    pub letter: Option<Letter>,
}

/// A dead letter: a record that a consumer could not process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The topic of that record.
    pub topic: String,
    /// Where it is there.
    pub at: RecordAt,
    /// The last of the offsets that the letter is about, when they are several.
    pub last_offset: Option<i64>,
    /// Who could not process it.
    pub consumer: Option<String>,
    /// Why not.
    pub error: String,
}

/// A record with everything that is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeRecord {
    /// When it was sent: wall clock, milliseconds since 1970 UTC.
    pub sent_ms: Option<i64>,
    /// The bytes of its key and value.
    pub bytes: u64,
    /// Its key as text, or as bytes in hexadecimal where it is none.
    pub key: Option<String>,
    /// Its value likewise.
    pub value: Option<String>,
    /// How many bytes of the value are not shown.
    pub bytes_cut: u64,
    /// Its headers, in their order.
    pub headers: Vec<(String, Option<String>)>,
    /// Why it could not be had, if it could not.
    pub problem: Option<String>,
}
