//! What the requests about settings share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use protocol::ErrorCode;
use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsSynonym, SOURCE_DEFAULT, SOURCE_STATIC_BROKER, SOURCE_TOPIC,
    TOPIC,
};

use super::Context;
use super::errors::{ToErrorCode, sentence};
use crate::controller::{InvalidConfig, SETTINGS, SettingKind, Topic, TopicConfig};
use crate::log::LogConfig;

/// An error with the sentence that goes with it.
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Display) -> Self {
        Self { code, message: sentence(message) }
    }
}

impl From<InvalidConfig> for Refusal {
    fn from(error: InvalidConfig) -> Self {
        Self::new(error.code(), error)
    }
}

/// A topic's settings: what it sets itself, and the defaults.
pub(super) fn of_topic(defaults: &LogConfig, config: &TopicConfig) -> Vec<DescribeConfigsEntry> {
    let entries = SETTINGS.iter().map(|setting| {
        let default = setting.broker_name.map(|name| DescribeConfigsSynonym {
            name: name.to_owned(),
            value: Some((setting.show)(defaults)),
            source: SOURCE_DEFAULT,
        });
        let own = config.get(setting.name).map(|value| DescribeConfigsSynonym {
            name: setting.name.to_owned(),
            value: Some(value.to_owned()),
            source: SOURCE_TOPIC,
        });
        DescribeConfigsEntry {
            name: setting.name.to_owned(),
            value: Some(config.value(setting, defaults)),
            is_default: own.is_none(),
            config_source: if own.is_some() { SOURCE_TOPIC } else { SOURCE_DEFAULT },
            synonyms: own.into_iter().chain(default).collect(),
            config_type: setting.kind as i8,
            documentation: Some(setting.documentation.to_owned()),
            ..Default::default()
        }
    });
    entries.collect()
}

/// The broker's settings, which are those it was started with.
pub(super) fn of_broker(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    let (config, groups) = (&context.node.config, &context.node.config.groups);
    let entry = |name: &str, value: String, kind: SettingKind| DescribeConfigsEntry {
        name: name.to_owned(),
        value: Some(value),
        read_only: true,
        config_source: SOURCE_STATIC_BROKER,
        config_type: kind as i8,
        ..Default::default()
    };
    let flag = |name: &str, value: bool| entry(name, value.to_string(), SettingKind::Boolean);
    let log = &config.log;
    vec![
        flag("auto.create.topics.enable", config.auto_create_topics),
        entry("connections.max.idle.ms", config.connections_max_idle_ms.to_string(), SettingKind::Long),
        entry("default.replication.factor", "1".into(), SettingKind::Int),
        flag("delete.topic.enable", true),
        entry(
            "group.initial.rebalance.delay.ms",
            groups.initial_rebalance_delay_ms.to_string(),
            SettingKind::Int,
        ),
        entry("group.max.session.timeout.ms", groups.max_session_timeout_ms.to_string(), SettingKind::Int),
        entry("group.min.session.timeout.ms", groups.min_session_timeout_ms.to_string(), SettingKind::Int),
        entry("log.dirs", config.data_dir.display().to_string(), SettingKind::String),
        entry(
            "log.retention.bytes",
            log.retention_bytes.map_or(-1, |n| n as i64).to_string(),
            SettingKind::Long,
        ),
        entry("log.retention.ms", log.retention_ms.unwrap_or(-1).to_string(), SettingKind::Long),
        entry("log.segment.bytes", log.segment_bytes.to_string(), SettingKind::Int),
        entry("message.max.bytes", log.max_message_bytes.to_string(), SettingKind::Int),
        entry("node.id", config.node_id.to_string(), SettingKind::Int),
        entry("num.partitions", config.num_partitions.to_string(), SettingKind::Int),
        entry(
            "offsets.retention.minutes",
            (groups.offsets_retention_ms / 60_000).to_string(),
            SettingKind::Int,
        ),
        entry("socket.request.max.bytes", config.max_request_bytes.to_string(), SettingKind::Int),
    ]
}

/// Alters each resource of a request, but for those that it names more than once: which mention was
/// meant to win is a guess. `name` gives a resource's type and name, and the answer has the two
/// fields of an error.
pub(super) fn alter_each<R, A>(
    resources: Vec<R>,
    name: impl Fn(&R) -> (i8, &str),
    alter: impl Fn(&R) -> Result<(), Refusal>,
    answer: impl Fn(R, (ErrorCode, Option<String>)) -> A,
) -> Vec<A> {
    let mut mentions: BTreeMap<(i8, String), usize> = BTreeMap::new();
    for (kind, name) in resources.iter().map(&name) {
        *mentions.entry((kind, name.to_owned())).or_default() += 1;
    }
    let answers = resources.into_iter().map(|resource| {
        let (kind, named) = name(&resource);
        let is_alone = mentions[&(kind, named.to_owned())] == 1;
        let altered = if is_alone { alter(&resource) } else { Err(refuse_twice(named)) };
        answer(resource, fields(altered))
    });
    answers.collect()
}

/// What is said of a resource or a setting that is named twice.
fn refuse_twice(name: &str) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REQUEST, format!("{name} is named twice in the request"))
}

/// Refuses changes that name a setting twice, or give none where a value is needed, before any of
/// them is made. A change is a name, a value, and whether it needs one.
pub(super) fn check_changes<'a>(
    changes: impl Iterator<Item = (&'a str, &'a Option<String>, bool)>,
) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for (name, value, needs_value) in changes {
        if needs_value && value.is_none() {
            let message = format!("{name} is to be set to nothing: give it a value, or delete it");
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
        }
        if !seen.insert(name) {
            return Err(refuse_twice(name));
        }
    }
    Ok(())
}

/// The topic that a request about settings names.
pub(super) fn topic_named(
    context: &Context<'_>,
    resource_type: i8,
    resource_name: &str,
) -> Result<std::sync::Arc<Topic>, Refusal> {
    match resource_type {
        TOPIC => context.node.topics.get(resource_name).ok_or_else(|| {
            Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("there is no topic {resource_name}"))
        }),
        BROKER => Err(Refusal::new(
            ErrorCode::INVALID_REQUEST,
            "the broker's own settings can't change while it runs: set them when it starts",
        )),
        other => Err(Refusal::new(
            ErrorCode::INVALID_REQUEST,
            format!("resources of type {other} have no settings here"),
        )),
    }
}

/// Puts a topic's new settings in force, unless they were only to be checked.
pub(super) fn store(
    context: &Context<'_>,
    topic: &Topic,
    config: &TopicConfig,
    validate_only: bool,
) -> Result<(), Refusal> {
    if validate_only {
        return Ok(());
    }
    let stored = context.node.topics.configure(&topic.name, config);
    stored.map_err(|error| Refusal::new(error.code(), error))
}

/// An answer as the two fields that carry it.
pub(super) fn fields(result: Result<(), Refusal>) -> (ErrorCode, Option<String>) {
    match result {
        Ok(()) => (ErrorCode::NONE, None),
        Err(Refusal { code, message }) => (code, Some(message)),
    }
}
