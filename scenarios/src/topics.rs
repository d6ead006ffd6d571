//! The topics of a show, as they are created where they do not exist yet.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use client::{Admin, Error, NewTopic, TopicPartition};
use events::Topic;

/// Partitions of a topic. Inputs and answers of a consumer must agree in number, for a partition is
/// the unit of work.
pub(crate) const PARTITIONS: i32 = 4;

fn partitions(topic: Topic) -> i32 {
    match topic {
        // What is believed of a road must rest on everybody who drove it, whichever partition their
        // pings were in.
        Topic::RoadTraversals => 1,
        _ => PARTITIONS,
    }
}

const MIB: i64 = 1 << 20;
const MINUTE_MS: i64 = 60_000;

/// How long a cluster may take until a topic that it has made is seen.
const SEEN: Duration = Duration::from_secs(15);
/// How soon it is looked again.
const LOOK: Duration = Duration::from_millis(50);

/// Makes those of `topics` that are not there yet. Topics that are there stay as they are.
pub(crate) fn ensure(admin: &Admin, topics: &[Topic]) -> Result<(), Error> {
    let missing = missing(admin, topics)?;
    for &topic in &missing {
        // What is believed of the traffic is a table: where a cluster can compact, the last word on
        // each road is kept for ever. The embedded broker can't yet, and keeps a quarter of an
        // hour, in which every road that anyone drives is spoken of anew.
        if topic == Topic::Traffic && admin.create(&[compacted(topic)]).is_ok() {
            continue;
        }
        admin.create(&[kept_for_a_while(topic)])?;
    }
    if missing.is_empty() { Ok(()) } else { await_all(admin, topics) }
}

fn missing(admin: &Admin, topics: &[Topic]) -> Result<Vec<Topic>, Error> {
    let there = admin.topics()?;
    let is_there =
        |topic: &Topic| there.iter().any(|known| known.name == topic.name() && known.partitions > 0);
    Ok(topics.iter().copied().filter(|topic| !is_there(topic)).collect())
}

/// An Apache Kafka says that a topic is made when its controller has noted it; its brokers hear of
/// that a moment later, and begin to lead its partitions after that. Who gives up waiting learns
/// from the next question what is not there.
#[expect(clippy::disallowed_methods, reason = "the rim: patience with a cluster is measured on the wall")]
fn await_all(admin: &Admin, topics: &[Topic]) -> Result<(), Error> {
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
    let configs = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
    NewTopic { name: topic.name().to_owned(), partitions: partitions(topic), configs }
}

/// What is plentiful is kept for minutes, which is hours of simulated time; and no topic may take
/// more than its share of a disk, however long the show goes on.
fn kept_for_a_while(topic: Topic) -> NewTopic {
    let (keep_ms, keep_bytes) = match topic {
        Topic::DriverLocations
        | Topic::EtaUpdates
        | Topic::EtaBatch
        | Topic::RoadTraversals
        | Topic::SimulationTruth
        | Topic::RecommendationsStale => (10 * MINUTE_MS, 128 * MIB),
        Topic::Traffic => (15 * MINUTE_MS, 64 * MIB),
        _ => (24 * 60 * MINUTE_MS, 128 * MIB),
    };
    let configs = vec![
        ("retention.ms".to_owned(), keep_ms.to_string()),
        ("retention.bytes".to_owned(), keep_bytes.to_string()),
        ("segment.bytes".to_owned(), (16 * MIB).to_string()),
    ];
    NewTopic { name: topic.name().to_owned(), partitions: partitions(topic), configs }
}
