//! What can be set for a topic: Kafka's names, what we make of them, and what we refuse.

use protocol::records::{Compression, TimestampType};

use super::values::{SettingKind, each_once, flag, int, long, number, only, policies, ratio, throttled};
use crate::log::{CleanupPolicy, LogConfig};

/// One thing that can be set for a topic.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// What the broker's own setting is called from which topics take their default; none where
    /// Kafka's has no value.
    pub(crate) broker_name: Option<&'static str>,
    pub(crate) kind: SettingKind,
    pub(crate) documentation: &'static str,
    /// The value that the log goes by, or the default of what it does not know, as Kafka writes it.
    pub(crate) show: fn(&LogConfig) -> String,
    /// Reads a value into the settings, or says what would be one.
    pub(super) apply: fn(&mut LogConfig, &str) -> Result<(), &'static str>,
}

/// Why some settings, which Kafka takes as well where they do nothing, are kept without effect.
/// What would promise something that is not done is refused.
const NO_TIERS: &str = "Kept without effect: it is about remote storage, which no topic can have.";
const NO_COPIES: &str = "Kept without effect: a partition has one replica, and nothing is copied to others.";

/// A topic's segments may not be smaller, as since Kafka 4.0.
pub(super) const LEAST_SEGMENT_BYTES: i64 = 1 << 20;
/// What says so, and Kafka's own remedy.
pub(super) const SEGMENT_BYTES: &str =
    "bytes, 1048576 or more; a test that needs less sets internal.segment.bytes";

const GZIP_LEVEL: &str = "1 to 9, or -1";

/// How Kafka names compressions; none leaves it to the producer.
const CODECS: [(&str, Option<Compression>); 6] = [
    ("producer", None),
    ("uncompressed", Some(Compression::None)),
    ("gzip", Some(Compression::Gzip)),
    ("snappy", Some(Compression::Snappy)),
    ("lz4", Some(Compression::Lz4)),
    ("zstd", Some(Compression::Zstd)),
];

/// All of them, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "cleanup.policy",
        broker_name: Some("log.cleanup.policy"),
        kind: SettingKind::List,
        documentation: "What happens to old records: delete removes them by age and size, compact keeps \
                        the newest of each key. Both together do both, none keeps all.",
        show: |config| {
            let CleanupPolicy { delete, compact } = config.cleanup;
            let policies = [("delete", delete), ("compact", compact)];
            policies.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect::<Vec<_>>().join(",")
        },
        apply: |config, value| {
            config.cleanup = policies(value)?;
            Ok(())
        },
    },
    Setting {
        name: "compression.gzip.level",
        broker_name: Some("compression.gzip.level"),
        kind: SettingKind::Int,
        documentation: "How hard gzip tries where the broker compresses: 1 is fastest, 9 smallest, -1 the middle.",
        show: |config| config.compression_levels.gzip.to_string(),
        apply: |config, value| {
            let level = long(value, -1, 9, GZIP_LEVEL)?;
            config.compression_levels.gzip = (level != 0).then_some(level as i32).ok_or(GZIP_LEVEL)?;
            Ok(())
        },
    },
    Setting {
        name: "compression.lz4.level",
        broker_name: Some("compression.lz4.level"),
        kind: SettingKind::Int,
        documentation: "Kept without effect: LZ4 is compressed at one level here.",
        show: |_| "9".into(),
        apply: |_, value| number(value, 1, 17, "1 to 17"),
    },
    Setting {
        name: "compression.type",
        broker_name: Some("compression.type"),
        kind: SettingKind::String,
        documentation: "How batches are compressed where they are stored; producer leaves them as they came.",
        show: |config| {
            let named = CODECS.iter().find(|(_, compression)| *compression == config.compression);
            named.expect("every compression has a name").0.into()
        },
        apply: |config, value| {
            let named = CODECS.iter().find(|(name, _)| *name == value.trim());
            config.compression = named.ok_or("uncompressed, gzip, snappy, lz4, zstd or producer")?.1;
            Ok(())
        },
    },
    Setting {
        name: "compression.zstd.level",
        broker_name: Some("compression.zstd.level"),
        kind: SettingKind::Int,
        documentation: "How hard Zstandard tries where the broker compresses: a higher level gives less and \
                        takes longer.",
        show: |config| config.compression_levels.zstd.to_string(),
        apply: |config, value| {
            config.compression_levels.zstd = long(value, -131_072, 22, "-131072 to 22")? as i32;
            Ok(())
        },
    },
    Setting {
        name: "delete.retention.ms",
        broker_name: Some("log.cleaner.delete.retention.ms"),
        kind: SettingKind::Long,
        documentation: "How many milliseconds a tombstone stays from the first compaction that finds it.",
        show: |config| config.delete_retention_ms.to_string(),
        apply: |config, value| {
            config.delete_retention_ms = long(value, 0, i64::MAX, "milliseconds, 0 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "file.delete.delay.ms",
        broker_name: Some("log.segment.delete.delay.ms"),
        kind: SettingKind::Long,
        documentation: "Kept without effect: files are deleted at once.",
        show: |_| "60000".into(),
        apply: |_, value| number(value, 0, i64::MAX, "milliseconds, 0 or more"),
    },
    Setting {
        name: "flush.messages",
        broker_name: Some("log.flush.interval.messages"),
        kind: SettingKind::Long,
        documentation: "Sync to disk after so many records.",
        show: |config| config.flush_messages.map_or(i64::MAX, |n| n as i64).to_string(),
        apply: |config, value| {
            let messages = long(value, 1, i64::MAX, "a number of records, 1 or more")?;
            config.flush_messages = (messages != i64::MAX).then_some(messages as u64);
            Ok(())
        },
    },
    Setting {
        name: "flush.ms",
        broker_name: None,
        kind: SettingKind::Long,
        documentation: "Sync to disk when a record has waited so many milliseconds for it.",
        show: |config| config.flush_ms.unwrap_or(i64::MAX).to_string(),
        apply: |config, value| {
            let ms = long(value, 0, i64::MAX, "milliseconds, 0 or more")?;
            config.flush_ms = (ms != i64::MAX).then_some(ms);
            Ok(())
        },
    },
    Setting {
        name: "follower.replication.throttled.replicas",
        broker_name: None,
        kind: SettingKind::List,
        documentation: NO_COPIES,
        show: |_| String::new(),
        apply: |_, value| throttled(value),
    },
    Setting {
        name: "index.interval.bytes",
        broker_name: Some("log.index.interval.bytes"),
        kind: SettingKind::Int,
        documentation: "About how many bytes of log one entry of the offset index stands for.",
        show: |config| config.index_interval_bytes.to_string(),
        apply: |config, value| int(&mut config.index_interval_bytes, value, 0, "bytes, 0 or more"),
    },
    Setting {
        name: "internal.segment.bytes",
        broker_name: None,
        kind: SettingKind::Int,
        documentation: "Goes before segment.bytes and can be less, for tests.",
        show: |config| config.segment_bytes.to_string(),
        apply: |config, value| int(&mut config.segment_bytes, value, 1, "bytes, 1 or more"),
    },
    Setting {
        name: "leader.replication.throttled.replicas",
        broker_name: None,
        kind: SettingKind::List,
        documentation: NO_COPIES,
        show: |_| String::new(),
        apply: |_, value| throttled(value),
    },
    Setting {
        name: "local.retention.bytes",
        broker_name: Some("log.local.retention.bytes"),
        kind: SettingKind::Long,
        documentation: NO_TIERS,
        show: |_| "-2".into(),
        apply: |_, value| number(value, -2, i64::MAX, "bytes, -2 or more"),
    },
    Setting {
        name: "local.retention.ms",
        broker_name: Some("log.local.retention.ms"),
        kind: SettingKind::Long,
        documentation: NO_TIERS,
        show: |_| "-2".into(),
        apply: |_, value| number(value, -2, i64::MAX, "milliseconds, -2 or more"),
    },
    Setting {
        name: "max.compaction.lag.ms",
        broker_name: Some("log.cleaner.max.compaction.lag.ms"),
        kind: SettingKind::Long,
        documentation: "Compact what is older, however little of the log is dirty.",
        show: |config| config.max_compaction_lag_ms.to_string(),
        apply: |config, value| {
            config.max_compaction_lag_ms = long(value, 1, i64::MAX, "milliseconds, 1 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "max.message.bytes",
        broker_name: Some("message.max.bytes"),
        kind: SettingKind::Int,
        documentation: "The largest batch that is taken, in bytes.",
        show: |config| config.max_message_bytes.to_string(),
        apply: |config, value| int(&mut config.max_message_bytes, value, 0, "bytes, 0 or more"),
    },
    Setting {
        name: "message.timestamp.after.max.ms",
        broker_name: Some("log.message.timestamp.after.max.ms"),
        kind: SettingKind::Long,
        documentation: "How many milliseconds a record's timestamp may be ahead of the broker's clock.",
        show: |config| config.timestamp_after_max_ms.to_string(),
        apply: |config, value| {
            config.timestamp_after_max_ms = long(value, 0, i64::MAX, "milliseconds, 0 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "message.timestamp.before.max.ms",
        broker_name: Some("log.message.timestamp.before.max.ms"),
        kind: SettingKind::Long,
        documentation: "How many milliseconds a record's timestamp may be behind the broker's clock.",
        show: |config| config.timestamp_before_max_ms.to_string(),
        apply: |config, value| {
            config.timestamp_before_max_ms = long(value, 0, i64::MAX, "milliseconds, 0 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "message.timestamp.type",
        broker_name: Some("log.message.timestamp.type"),
        kind: SettingKind::String,
        documentation: "CreateTime keeps the producer's timestamps, LogAppendTime puts the broker's in their place.",
        show: |config| match config.timestamp_type {
            TimestampType::CreateTime => "CreateTime".into(),
            TimestampType::LogAppendTime => "LogAppendTime".into(),
        },
        apply: |config, value| {
            config.timestamp_type = match value {
                "CreateTime" => TimestampType::CreateTime,
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => return Err("CreateTime or LogAppendTime"),
            };
            Ok(())
        },
    },
    Setting {
        name: "min.cleanable.dirty.ratio",
        broker_name: Some("log.cleaner.min.cleanable.ratio"),
        kind: SettingKind::Double,
        documentation: "Compact a log of which more than this part, 0 to 1, has come since the last compaction.",
        show: |config| format!("{:?}", config.min_cleanable_dirty_ratio),
        apply: |config, value| {
            config.min_cleanable_dirty_ratio = ratio(value)?;
            Ok(())
        },
    },
    Setting {
        name: "min.compaction.lag.ms",
        broker_name: Some("log.cleaner.min.compaction.lag.ms"),
        kind: SettingKind::Long,
        documentation: "Leave alone what is younger than so many milliseconds.",
        show: |config| config.min_compaction_lag_ms.to_string(),
        apply: |config, value| {
            config.min_compaction_lag_ms = long(value, 0, i64::MAX, "milliseconds, 0 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "min.insync.replicas",
        broker_name: Some("min.insync.replicas"),
        kind: SettingKind::Int,
        documentation: "Kept without effect: as in Kafka a partition asks for no more replicas than it has, \
                        and each has one.",
        show: |_| "1".into(),
        apply: |_, value| number(value, 1, i64::from(i32::MAX), "a number of replicas, 1 or more"),
    },
    Setting {
        name: "preallocate",
        broker_name: Some("log.preallocate"),
        kind: SettingKind::Boolean,
        documentation: "Kept without effect: files grow as they are written.",
        show: |_| "false".into(),
        apply: |_, value| flag(value),
    },
    Setting {
        name: "remote.log.copy.disable",
        broker_name: None,
        kind: SettingKind::Boolean,
        documentation: NO_TIERS,
        show: |_| "false".into(),
        apply: |_, value| flag(value),
    },
    Setting {
        name: "remote.log.delete.on.disable",
        broker_name: None,
        kind: SettingKind::Boolean,
        documentation: NO_TIERS,
        show: |_| "false".into(),
        apply: |_, value| flag(value),
    },
    Setting {
        name: "remote.storage.enable",
        broker_name: None,
        kind: SettingKind::Boolean,
        documentation: "Kept without effect: it can only be false, for there is no other storage.",
        show: |_| "false".into(),
        apply: |_, value| only(&value.to_ascii_lowercase(), "false", "there is no other storage: use false"),
    },
    Setting {
        name: "retention.bytes",
        broker_name: Some("log.retention.bytes"),
        kind: SettingKind::Long,
        documentation: "Remove the oldest segments of a partition that has more bytes. -1 keeps them.",
        show: |config| config.retention_bytes.map_or(-1, |n| n as i64).to_string(),
        apply: |config, value| {
            config.retention_bytes =
                u64::try_from(long(value, i64::MIN, i64::MAX, "bytes, or -1 for no limit")?).ok();
            Ok(())
        },
    },
    Setting {
        name: "retention.ms",
        broker_name: None,
        kind: SettingKind::Long,
        documentation: "Remove records that are older, a segment at a time. -1 keeps them.",
        show: |config| config.retention_ms.unwrap_or(-1).to_string(),
        apply: |config, value| {
            let ms = long(value, -1, i64::MAX, "milliseconds, or -1 for no limit")?;
            config.retention_ms = (ms >= 0).then_some(ms);
            Ok(())
        },
    },
    Setting {
        name: "segment.bytes",
        broker_name: Some("log.segment.bytes"),
        kind: SettingKind::Int,
        documentation: "A segment file is closed before it grows past this.",
        show: |config| config.segment_bytes.to_string(),
        // How small it may be is asked when it is set: older versions of this program took less.
        apply: |config, value| int(&mut config.segment_bytes, value, 1, SEGMENT_BYTES),
    },
    Setting {
        name: "segment.index.bytes",
        broker_name: Some("log.index.size.max.bytes"),
        kind: SettingKind::Int,
        documentation: "A segment is closed when its offset index has this size.",
        show: |config| config.segment_index_bytes.to_string(),
        apply: |config, value| int(&mut config.segment_index_bytes, value, 4, "bytes, 4 or more"),
    },
    Setting {
        name: "segment.jitter.ms",
        broker_name: None,
        kind: SettingKind::Long,
        documentation: "Kept without effect: segments close exactly when they are due.",
        show: |_| "0".into(),
        apply: |_, value| number(value, 0, i64::MAX, "milliseconds, 0 or more"),
    },
    Setting {
        name: "segment.ms",
        broker_name: None,
        kind: SettingKind::Long,
        documentation: "A segment is closed when its first record is this old.",
        show: |config| config.segment_ms.to_string(),
        apply: |config, value| {
            config.segment_ms = long(value, 1, i64::MAX, "milliseconds, 1 or more")?;
            Ok(())
        },
    },
    Setting {
        name: "unclean.leader.election.enable",
        broker_name: Some("unclean.leader.election.enable"),
        kind: SettingKind::Boolean,
        documentation: "Kept without effect: a partition has one replica, and no other can be elected.",
        show: |_| "false".into(),
        apply: |_, value| flag(value),
    },
];

impl Setting {
    /// Whether it is told only where it is set.
    pub(crate) fn is_internal(&self) -> bool {
        self.name.starts_with("internal.")
    }

    /// A good value as Kafka writes it.
    pub(super) fn canonical(&self, value: &str) -> String {
        match self.name {
            // Kafka counts each policy once.
            "cleanup.policy" => each_once(value),
            _ => self.kind.canonical(value),
        }
    }

    /// The broker's own setting from which topics take this one's default, and which can be
    /// altered.
    pub(crate) fn broker_setting(&self) -> Option<&'static str> {
        match self.name {
            "flush.ms" => Some("log.flush.interval.ms"),
            "retention.ms" => Some("log.retention.ms"),
            "segment.jitter.ms" => Some("log.roll.jitter.ms"),
            "segment.ms" => Some("log.roll.ms"),
            _ => self.broker_name,
        }
    }

    /// Kafka has some of the broker's settings twice: the one in milliseconds has no value until it
    /// is set, and the default is that of another, which can't be altered. Its name, kind, default.
    pub(crate) fn coarse(&self) -> Option<(&'static str, SettingKind, &'static str)> {
        match self.name {
            "flush.ms" => Some(("log.flush.scheduler.interval.ms", SettingKind::Long, "9223372036854775807")),
            "retention.ms" => Some(("log.retention.hours", SettingKind::Int, "168")),
            "segment.jitter.ms" => Some(("log.roll.jitter.hours", SettingKind::Int, "0")),
            "segment.ms" => Some(("log.roll.hours", SettingKind::Int, "168")),
            _ => None,
        }
    }

    /// The setting of topics that takes its default from this one of the broker.
    pub(crate) fn of_broker(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.broker_setting() == Some(name))
    }

    /// The setting of that name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}
