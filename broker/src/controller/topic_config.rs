//! The settings of one topic.

use std::collections::BTreeMap;

use thiserror::Error;

use super::settings::{LEAST_SEGMENT_BYTES, SEGMENT_BYTES, Setting};
use crate::log::LogConfig;

/// Why a setting was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum InvalidConfig {
    #[error("unknown topic config {name}")]
    Unknown { name: String },
    #[error("{value:?} is no value for {name}: {expected}")]
    Value { name: &'static str, value: String, expected: &'static str },
}

/// What has been set for one topic; all else is the broker's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicConfig(BTreeMap<&'static str, String>);

impl TopicConfig {
    /// Sets one value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidConfig> {
        let is_small = |bytes: i64| bytes < LEAST_SEGMENT_BYTES;
        if name == "segment.bytes" && value.trim().parse().is_ok_and(is_small) {
            let value = value.to_owned();
            return Err(InvalidConfig::Value { name: "segment.bytes", value, expected: SEGMENT_BYTES });
        }
        self.restore(name, value)
    }

    /// The same with a value that is kept, which an older version of this program may have taken.
    pub(super) fn restore(&mut self, name: &str, value: &str) -> Result<(), InvalidConfig> {
        let setting = Setting::find(name).ok_or_else(|| InvalidConfig::Unknown { name: name.to_owned() })?;
        (setting.apply)(&mut LogConfig::default(), value).map_err(|expected| InvalidConfig::Value {
            name: setting.name,
            value: value.to_owned(),
            expected,
        })?;
        self.0.insert(setting.name, setting.canonical(value));
        Ok(())
    }

    /// Returns one value to the default.
    pub(crate) fn unset(&mut self, name: &str) {
        self.0.remove(name);
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
        // Backwards: internal.segment.bytes, which goes before segment.bytes, comes after it.
        for (name, value) in self.0.iter().rev() {
            let setting = Setting::find(name).expect("only known settings are ever set");
            (setting.apply)(&mut config, value).expect("only good values are ever set");
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::SETTINGS;
    use crate::log::CleanupPolicy;

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
        config.unset("retention.ms");
        assert_eq!(config.log_config(&LogConfig::default()).retention_ms, LogConfig::default().retention_ms);
        config.set("retention.ms", "-1").unwrap();
        assert_eq!(config.log_config(&LogConfig::default()).retention_ms, None);
        config.set("internal.segment.bytes", "9").unwrap();
        assert_eq!(config.log_config(&LogConfig::default()).segment_bytes, 9);
    }

    #[test]
    fn what_an_older_version_took_is_kept() {
        let mut config = TopicConfig::default();
        config.restore("segment.bytes", "1000").unwrap();
        assert_eq!(config.get("segment.bytes"), Some("1000"));
        assert_eq!(config.log_config(&LogConfig::default()).segment_bytes, 1000);
        let error = config.set("segment.bytes", "1000").unwrap_err();
        assert!(error.to_string().ends_with("sets internal.segment.bytes"), "{error}");
    }

    /// A table of docs/compatibility.md has the settings without effect, each with its reason.
    #[test]
    fn what_has_no_effect_is_told_with_the_reason() {
        let reason = |setting: &'static Setting| setting.documentation.strip_prefix("Kept without effect: ");
        let mut expected: Vec<(String, &str)> = Vec::new();
        for (setting, because) in SETTINGS.iter().filter_map(|setting| Some((setting, reason(setting)?))) {
            let name = format!("`{}`", setting.name);
            match expected.iter_mut().find(|(_, of_others)| *of_others == because) {
                Some((names, _)) => *names = format!("{names}, {name}"),
                None => expected.push((name, because)),
            }
        }
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compatibility.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows = page.lines().skip_while(|line| !line.starts_with("| setting | because |")).skip(2);
        let told: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        let expected: Vec<_> =
            expected.iter().map(|(names, because)| format!("| {names} | {because} |")).collect();
        assert!(!told.is_empty());
        assert_eq!(told.join("\n"), expected.join("\n"));
    }

    #[test]
    fn the_policy_is_one_or_the_other_or_both() {
        let mut config = TopicConfig::default();
        for (value, shown, delete, compact) in [
            ("compact", "compact", false, true),
            ("delete", "delete", true, false),
            (" compact , delete", "compact,delete", true, true),
            ("", "", false, false),
        ] {
            config.set("cleanup.policy", value).unwrap();
            assert_eq!(config.get("cleanup.policy"), Some(shown));
            let log = config.log_config(&LogConfig::default());
            assert_eq!(log.cleanup, CleanupPolicy { delete, compact });
        }
    }

    #[test]
    fn what_we_cannot_do_is_refused_with_the_remedy() {
        let mut config = TopicConfig::default();
        let error = config.set("remote.storage.enable", "true").unwrap_err();
        assert!(error.to_string().ends_with("use false"), "{error}");
        assert_eq!(config.set("no.such", "1"), Err(InvalidConfig::Unknown { name: "no.such".into() }));
        for (name, value) in [
            ("cleanup.policy", "compact,forget"),
            ("min.cleanable.dirty.ratio", "2"),
            ("retention.ms", "a week"),
            ("retention.ms", "-2"),
            ("segment.bytes", "99999999999"),
            ("segment.bytes", "-1"),
            ("internal.segment.bytes", "0"),
        ] {
            assert!(matches!(config.set(name, value), Err(InvalidConfig::Value { .. })), "{name}={value}");
        }
        assert_eq!(config, TopicConfig::default());
    }
}
