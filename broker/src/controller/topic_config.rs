//! The settings of a topic: Kafka's names, what we make of them, and what we refuse.

use std::collections::BTreeMap;

use protocol::records::TimestampType;
use thiserror::Error;

use crate::log::LogConfig;

/// Why a setting was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum InvalidConfig {
    #[error("unknown topic config {name}")]
    Unknown { name: String },
    #[error("{value:?} is no value for {name}: {expected}")]
    Value { name: &'static str, value: String, expected: &'static str },
}

/// What a value looks like, in the numbers of `DescribeConfigs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum SettingKind {
    String = 2,
    Int = 3,
    Long = 5,
    List = 7,
}

/// One thing that can be set for a topic.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// What the broker's own setting is called from which topics take their default; none where
    /// Kafka's has no value.
    pub(crate) broker_name: Option<&'static str>,
    pub(crate) kind: SettingKind,
    pub(crate) documentation: &'static str,
    /// The value in force, as Kafka writes it.
    pub(crate) show: fn(&LogConfig) -> String,
    /// Reads a value into the settings, or says what would be one.
    apply: fn(&mut LogConfig, &str) -> Result<(), &'static str>,
}

/// All of them, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "cleanup.policy",
        broker_name: Some("log.cleanup.policy"),
        kind: SettingKind::List,
        documentation: "What happens to old records. Only delete is supported.",
        show: |_| "delete".into(),
        apply: |_, value| {
            only(value, "delete", "this broker deletes old records and does not compact: use delete")
        },
    },
    Setting {
        name: "compression.type",
        broker_name: Some("compression.type"),
        kind: SettingKind::String,
        documentation: "How batches are stored. They are stored as their producer compressed them.",
        show: |_| "producer".into(),
        apply: |_, value| only(value, "producer", "batches are stored as they were sent: use producer"),
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
        name: "index.interval.bytes",
        broker_name: Some("log.index.interval.bytes"),
        kind: SettingKind::Int,
        documentation: "About how many bytes of log one entry of the offset index stands for.",
        show: |config| config.index_interval_bytes.to_string(),
        apply: |config, value| int(&mut config.index_interval_bytes, value, 0, "bytes, 0 or more"),
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
        name: "min.insync.replicas",
        broker_name: Some("min.insync.replicas"),
        kind: SettingKind::Int,
        documentation: "How many replicas must have a record before acks=all is answered.",
        show: |_| "1".into(),
        apply: |_, value| only(value, "1", "there is one replica: use 1"),
    },
    Setting {
        name: "retention.bytes",
        broker_name: Some("log.retention.bytes"),
        kind: SettingKind::Long,
        documentation: "Remove the oldest segments of a partition that has more bytes. -1 keeps them.",
        show: |config| config.retention_bytes.map_or(-1, |n| n as i64).to_string(),
        apply: |config, value| {
            config.retention_bytes =
                u64::try_from(long(value, -1, i64::MAX, "bytes, or -1 for no limit")?).ok();
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
        // Kafka 4.0 demands a megabyte; its tests and its teachers, like ours, want to see small
        // segments roll.
        apply: |config, value| int(&mut config.segment_bytes, value, 14, "bytes, 14 or more"),
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
];

fn only(value: &str, allowed: &str, expected: &'static str) -> Result<(), &'static str> {
    if value == allowed { Ok(()) } else { Err(expected) }
}

fn long(value: &str, min: i64, max: i64, expected: &'static str) -> Result<i64, &'static str> {
    value.trim().parse().ok().filter(|number| (min..=max).contains(number)).ok_or(expected)
}

fn int(field: &mut u32, value: &str, min: i64, expected: &'static str) -> Result<(), &'static str> {
    *field = long(value, min, i64::from(i32::MAX), expected)? as u32;
    Ok(())
}

impl Setting {
    /// The setting of that name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// What has been set for one topic; all else is the broker's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicConfig(BTreeMap<&'static str, String>);

impl TopicConfig {
    /// Sets one value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidConfig> {
        let setting = Setting::find(name).ok_or_else(|| InvalidConfig::Unknown { name: name.to_owned() })?;
        (setting.apply)(&mut LogConfig::default(), value).map_err(|expected| InvalidConfig::Value {
            name: setting.name,
            value: value.to_owned(),
            expected,
        })?;
        self.0.insert(setting.name, value.trim().to_owned());
        Ok(())
    }

    /// Returns one value to the default.
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), InvalidConfig> {
        let setting = Setting::find(name).ok_or_else(|| InvalidConfig::Unknown { name: name.to_owned() })?;
        self.0.remove(setting.name);
        Ok(())
    }

    /// The value set for this topic, if one was.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All that was set, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// What the log goes by: the defaults, and on top of them what was set.
    pub(crate) fn log_config(&self, defaults: &LogConfig) -> LogConfig {
        let mut config = defaults.clone();
        for (name, value) in self.iter() {
            let setting = Setting::find(name).expect("only known settings are ever set");
            (setting.apply)(&mut config, value).expect("only good values are ever set");
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_sorted_and_read_what_they_show() {
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
        let defaults = LogConfig::default();
        for setting in SETTINGS {
            let mut config = defaults.clone();
            (setting.apply)(&mut config, &(setting.show)(&defaults)).unwrap();
            assert_eq!(config, defaults, "{}", setting.name);
        }
    }

    #[test]
    fn what_is_set_goes_before_the_default() {
        let mut config = TopicConfig::default();
        config.set("retention.ms", "7000").unwrap();
        config.set("segment.bytes", " 1048576 ").unwrap();
        let log = config.log_config(&LogConfig::default());
        assert_eq!((log.retention_ms, log.segment_bytes), (Some(7000), 1 << 20));
        config.unset("retention.ms").unwrap();
        assert_eq!(config.log_config(&LogConfig::default()).retention_ms, LogConfig::default().retention_ms);
        config.set("retention.ms", "-1").unwrap();
        assert_eq!(config.log_config(&LogConfig::default()).retention_ms, None);
    }

    #[test]
    fn what_we_cannot_do_is_refused_with_the_remedy() {
        let mut config = TopicConfig::default();
        let error = config.set("cleanup.policy", "compact").unwrap_err();
        assert!(error.to_string().ends_with("use delete"), "{error}");
        assert_eq!(config.set("no.such", "1"), Err(InvalidConfig::Unknown { name: "no.such".into() }));
        for (name, value) in
            [("retention.ms", "a week"), ("retention.ms", "-2"), ("segment.bytes", "99999999999")]
        {
            assert!(matches!(config.set(name, value), Err(InvalidConfig::Value { .. })), "{name}={value}");
        }
        assert_eq!(config, TopicConfig::default());
    }
}
