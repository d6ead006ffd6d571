//! The broker's settings, described as Kafka describes them: those it was started with, which stay,
//! those that topics take their defaults from, which can be altered, and those that are not known.
//!
//! As Kafka does, the broker keeps what it does not know, for a program that may know it; what it
//! is, perhaps a password, is never told.

use std::collections::BTreeSet;

use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsSynonym, SOURCE_DEFAULT, SOURCE_DYNAMIC_BROKER,
    SOURCE_DYNAMIC_DEFAULT_BROKER, SOURCE_STATIC_BROKER,
};

use super::Context;
use super::broker_settings::{BrokerSetting, NOT_TOLD, TOLD, Value};
use super::configs::{of_broker, synonym};
use crate::controller::{Defaults, SETTINGS, Setting, SettingKind};

/// Kafka has it beside two others that say the same.
const RETENTION_MINUTES: &str = "log.retention.minutes";

/// Of one listener alone, by its name, which listeners have not here.
const OF_LISTENER: &str = "listener.name.";

/// All settings of this broker, by name.
pub(super) fn of_this(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    let defaults = context.node.metadata.defaults();
    let of_topics = SETTINGS.iter().filter_map(|setting| alterable(&defaults, setting));
    // Of those that Kafka has twice, the ones that are not altered.
    let coarse = SETTINGS.iter().filter_map(|setting| {
        let (name, kind, value) = setting.coarse()?;
        Some(entry(name, kind, true, vec![synonym(name, value, SOURCE_DEFAULT)]))
    });
    let fixed = TOLD.iter().map(|setting| fixed(context, setting));
    let mut entries: Vec<_> = fixed.chain(of_topics).chain(coarse).collect();
    entries.push(entry(RETENTION_MINUTES, SettingKind::Int, true, Vec::new()));
    let node_id = context.node.config.node_id.to_string();
    entries
        .extend(unknown(context, &[(SOURCE_DYNAMIC_BROKER, &node_id), (SOURCE_DYNAMIC_DEFAULT_BROKER, "")]));
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

/// What was set for all brokers, by name.
pub(super) fn of_all(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    let defaults = context.node.metadata.defaults();
    let known = SETTINGS.iter().filter_map(|setting| {
        let mut set = defaults.set_for_brokers(setting);
        let (source, value) = set.find(|(source, _)| *source == SOURCE_DYNAMIC_DEFAULT_BROKER)?;
        let name = setting.broker_setting()?;
        Some(entry(name, setting.kind, false, vec![synonym(name, value, source)]))
    });
    let mut entries: Vec<_> = known.collect();
    entries.extend(unknown(context, &[(SOURCE_DYNAMIC_DEFAULT_BROKER, "")]));
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

/// Whether a broker of Kafka has a setting of that name, which can't be altered while this runs.
pub(super) fn is_fixed(name: &str) -> bool {
    TOLD.iter().any(|setting| setting.name == name)
        || NOT_TOLD.contains(&name)
        || name == RETENTION_MINUTES
        || name.starts_with(OF_LISTENER)
        || SETTINGS.iter().any(|setting| setting.coarse().is_some_and(|(coarse, ..)| coarse == name))
}

/// A setting that topics take their default from.
fn alterable(defaults: &Defaults, setting: &Setting) -> Option<DescribeConfigsEntry> {
    let name = setting.broker_setting()?;
    let synonyms = of_broker(defaults, setting);
    let documentation = Some(setting.documentation.to_owned());
    Some(DescribeConfigsEntry { documentation, ..entry(name, setting.kind, false, synonyms) })
}

/// What the broker was started with.
fn fixed(context: &Context<'_>, setting: &BrokerSetting) -> DescribeConfigsEntry {
    let BrokerSetting { name, kind, default, value } = setting;
    let own = match value {
        Value::Usual => None,
        Value::Own(value) => Some(value(context))
            .filter(|value| *default != Some(value.as_str()))
            .map(|value| synonym(name, &value, SOURCE_STATIC_BROKER)),
        Value::Secret(is_set) => is_set(context).then(|| hidden(name, SOURCE_STATIC_BROKER)),
    };
    let default = default.map(|value| synonym(name, value, SOURCE_DEFAULT));
    let is_sensitive = *kind == SettingKind::Password;
    DescribeConfigsEntry {
        is_sensitive,
        ..entry(name, *kind, true, own.into_iter().chain(default).collect())
    }
}

/// What was set at these places, that in force first, and is not known.
fn unknown(context: &Context<'_>, places: &[(i8, &str)]) -> Vec<DescribeConfigsEntry> {
    let set: Vec<_> = places
        .iter()
        .map(|(source, broker)| (*source, context.node.metadata.resource_config(BROKER, broker)))
        .collect();
    let names: BTreeSet<_> = set.iter().flat_map(|(_, config)| config.keys()).collect();
    let unknown = names.into_iter().filter(|name| Setting::of_broker(name).is_none());
    let entries = unknown.map(|name| {
        let places = set.iter().filter(|(_, config)| config.contains_key(name));
        let synonyms: Vec<_> = places.map(|(source, _)| hidden(name, *source)).collect();
        DescribeConfigsEntry { is_sensitive: true, ..entry(name, SettingKind::Unknown, true, synonyms) }
    });
    entries.collect()
}

/// A place where something is set that is never told.
fn hidden(name: &str, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym { name: name.to_owned(), value: None, source }
}

/// A setting whose value is that of the first of its synonyms.
fn entry(
    name: &str,
    kind: SettingKind,
    read_only: bool,
    synonyms: Vec<DescribeConfigsSynonym>,
) -> DescribeConfigsEntry {
    let first = synonyms.first();
    let config_source = first.map_or(SOURCE_DEFAULT, |first| first.source);
    DescribeConfigsEntry {
        name: name.to_owned(),
        value: first.and_then(|first| first.value.clone()),
        read_only,
        is_default: config_source == SOURCE_DEFAULT,
        config_source,
        synonyms,
        config_type: kind as i8,
        ..Default::default()
    }
}
