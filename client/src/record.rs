//! Records as they are read, and places in the log.

use std::fmt;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: String,
    /// The partition, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// What a group remembers of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The partition.
    pub at: TopicPartition,
    /// The next offset to read.
    pub offset: i64,
    /// Free text that travels with the offset; a broker keeps at most 4,096
    /// bytes unless told otherwise.
    pub metadata: String,
}

/// A record, still in librdkafka's memory.
pub struct Record<'a>(pub(crate) BorrowedMessage<'a>);

impl Record<'_> {
    /// The topic it was read from.
    pub fn topic(&self) -> &str {
        self.0.topic()
    }

    /// The partition it was read from.
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// The key; none is not the same as empty.
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key()
    }

    /// The value; none is a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.0.payload()
    }

    /// The record's timestamp in milliseconds since the Unix epoch: the wall clock at sending, or
    /// at the broker if the topic is set so. None when the producer gave none.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.0.timestamp().to_millis()
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.headers()?.iter().find(|header| header.key == name).and_then(|header| header.value)
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic(), self.partition(), self.offset())
    }
}
