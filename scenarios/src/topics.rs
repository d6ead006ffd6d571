//! The topics of a show, as they are created where they do not exist yet.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use client::{Admin, ClusterError, NewTopic, TopicPartition};
use events::{Retention, Role, Topic};

/// Partitions of a topic. Inputs and answers of a consumer must agree in number, for a partition is
/// the unit of work.
pub const PARTITIONS: i32 = 4;

pub(crate) fn partitions(topic: Topic) -> i32 {
    topic.fixed_partitions().unwrap_or(PARTITIONS)
}

/// The largest segment: what retention removes at a time.
const SEGMENT_BYTES: i64 = 16 << 20;

/// Only closed segments are compacted, so those of a table are as small as Kafka allows.
const TABLE_SEGMENT_BYTES: i64 = 1 << 20;

/// The size of a segment of a partition of which so much is kept.
pub(crate) fn segment_bytes(retention_bytes: i64) -> i64 {
    (retention_bytes / 2).min(SEGMENT_BYTES)
}

/// How long a cluster may take until a topic that it has made is seen.
const SEEN: Duration = Duration::from_secs(15);
/// How soon it is polled again.
const LOOK: Duration = Duration::from_millis(50);

/// Creates those of `topics` that do not exist. Topics that exist stay as they are.
pub fn ensure(admin: &Admin, topics: &[Topic]) -> Result<(), ClusterError> {
    ensure_kept(admin, topics, Topic::retention)
}

/// The same, where so much of each is kept.
pub fn ensure_kept(
    admin: &Admin,
    topics: &[Topic],
    retention: impl Fn(Topic) -> Retention,
) -> Result<(), ClusterError> {
    let missing = missing(admin, topics)?;
    for &topic in &missing {
        // Of a table the newest record of each key is kept for ever.
        let new = if topic.role() == Role::Table {
            compacted(topic)
        } else {
            kept_for_a_while(topic, retention(topic))
        };
        admin.create(&[new])?;
    }
    if missing.is_empty() { Ok(()) } else { await_all(admin, topics) }
}

/// Keeps so much of each of `topics` from now on; those that are compacted stay so.
pub fn keep(
    admin: &Admin,
    topics: &[Topic],
    retention: impl Fn(Topic) -> Retention,
) -> Result<(), ClusterError> {
    let mut kept = Vec::new();
    for &topic in topics {
        let configs = admin.configs(topic.name())?;
        let is_compacted = |(key, value): &(String, String)| key == "cleanup.policy" && value == "compact";
        if !configs.iter().any(is_compacted) {
            kept.push((topic.name(), kept_for_a_while(topic, retention(topic)).configs));
        }
    }
    admin.set_configs(&kept)
}

fn missing(admin: &Admin, topics: &[Topic]) -> Result<Vec<Topic>, ClusterError> {
    let there = admin.topics()?;
    let is_there =
        |topic: &Topic| there.iter().any(|known| known.name == topic.name() && known.partitions > 0);
    Ok(topics.iter().copied().filter(|topic| !is_there(topic)).collect())
}

/// An Apache Kafka says that a topic is made when its controller has noted it; its brokers learn of
/// that a moment later, and begin to lead its partitions after that. Who gives up waiting learns
/// from the next question what is not there.
#[expect(
    clippy::disallowed_methods,
    reason = "the edge: patience with a cluster is measured in wall-clock time"
)]
fn await_all(admin: &Admin, topics: &[Topic]) -> Result<(), ClusterError> {
    let until = Instant::now() + SEEN;
    let of = |topic: &Topic| {
        let name = topic.name();
        (0..partitions(*topic)).map(move |partition| TopicPartition::new(name, partition))
    };
    let all: Vec<_> = topics.iter().flat_map(of).collect();
    while Instant::now() < until {
        if missing(admin, topics)?.is_empty() && admin.ends(&all).is_ok() {
            break;
        }
        thread::park_timeout(LOOK);
    }
    Ok(())
}

fn compacted(topic: Topic) -> NewTopic {
    let configs = vec![
        ("cleanup.policy".to_owned(), "compact".to_owned()),
        ("segment.bytes".to_owned(), TABLE_SEGMENT_BYTES.to_string()),
    ];
    NewTopic { name: topic.name().to_owned(), partitions: partitions(topic), configs }
}

fn kept_for_a_while(topic: Topic, Retention { ms, bytes }: Retention) -> NewTopic {
    let configs = vec![
        ("retention.ms".to_owned(), ms.to_string()),
        ("retention.bytes".to_owned(), bytes.to_string()),
        ("segment.bytes".to_owned(), segment_bytes(bytes).to_string()),
    ];
    NewTopic { name: topic.name().to_owned(), partitions: partitions(topic), configs }
}
