//! What can be set for a topic, under Kafka's names and with Kafka's defaults.

use protocol::records::codec::Levels;
use protocol::records::{Compression, TimestampType};

/// What becomes of old records (`cleanup.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// They go by age and by size: `retention.ms`, `retention.bytes`.
    pub delete: bool,
    /// Of each key the newest stays.
    pub compact: bool,
}

impl CleanupPolicy {
    /// Kafka's default.
    pub const DELETE: Self = Self { delete: true, compact: false };
    /// A topic that is a table.
    pub const COMPACT: Self = Self { delete: false, compact: true };
}

/// Settings of one partition's log. They may change while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `cleanup.policy`.
    pub cleanup: CleanupPolicy,
    /// `segment.bytes`: a segment is closed before it grows past this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is closed when its first record is this old.
    pub segment_ms: i64,
    /// `segment.index.bytes`: a segment is closed when its index has this size.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: an index entry stands for about this many bytes of log.
    pub index_interval_bytes: u32,
    /// `retention.ms`: records are removed, a segment at a time, when they are
    /// older. `None` keeps them.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`: the oldest segments are removed while the log is
    /// larger. `None` keeps them.
    pub retention_bytes: Option<u64>,
    /// `max.message.bytes`: the largest batch that is taken.
    pub max_message_bytes: u32,
    /// `compression.type`: how batches are stored. `None` leaves it to their producers.
    pub compression: Option<Compression>,
    /// `compression.gzip.level` and `compression.zstd.level`: how hard it is tried where batches
    /// are compressed here.
    pub compression_levels: Levels,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.after.max.ms`: how far ahead of the broker's clock a producer's may be.
    pub timestamp_after_max_ms: i64,
    /// `message.timestamp.before.max.ms`: how far behind it may be.
    pub timestamp_before_max_ms: i64,
    /// `flush.messages`: sync after this many records. `None` leaves it to the operating system,
    /// which loses nothing when this program dies, only when the machine does.
    pub flush_messages: Option<u64>,
    /// `flush.ms`: sync when a record has been unsynced for this long.
    pub flush_ms: Option<i64>,
    /// `delete.retention.ms`: a tombstone stays for so long from the first cleaning that finds it.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: a log is cleaned when more than this part of it is dirty.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: what is younger is left alone.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: what is older is cleaned, however little is dirty.
    pub max_compaction_lag_ms: i64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            cleanup: CleanupPolicy::DELETE,
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3_600_000,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: Some(7 * 24 * 3_600_000),
            retention_bytes: None,
            max_message_bytes: 1_048_588,
            compression: None,
            compression_levels: Levels::default(),
            timestamp_type: TimestampType::CreateTime,
            timestamp_after_max_ms: 3_600_000,
            timestamp_before_max_ms: i64::MAX,
            flush_messages: None,
            flush_ms: None,
            delete_retention_ms: 24 * 3_600_000,
            min_cleanable_dirty_ratio: 0.5,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
        }
    }
}
