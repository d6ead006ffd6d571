//! What the requests about settings share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use protocol::ErrorCode;
use protocol::describe_configs::{
    DescribeConfigsEntry, DescribeConfigsSynonym, SOURCE_DEFAULT, SOURCE_STATIC_BROKER, SOURCE_TOPIC,
};

use super::Context;
use super::errors::{ToErrorCode, sentence};
use crate::controller::{Defaults, InvalidConfig, SETTINGS, Setting, Topic, TopicConfig};
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

/// A topic's settings: what it sets itself, what was set for the broker, and the defaults.
pub(super) fn of_topic(defaults: &Defaults, config: &TopicConfig) -> Vec<DescribeConfigsEntry> {
    let told = SETTINGS.iter().filter(|setting| !setting.is_internal() || config.get(setting.name).is_some());
    let entries = told.map(|setting| {
        let own = config.get(setting.name).map(|value| synonym(setting.name, value, SOURCE_TOPIC));
        let synonyms: Vec<_> = own.into_iter().chain(of_broker(defaults, setting)).collect();
        let config_source = synonyms.first().map_or(SOURCE_DEFAULT, |first| first.source);
        DescribeConfigsEntry {
            name: setting.name.to_owned(),
            value: Some(defaults.value(config, setting)),
            is_default: config_source == SOURCE_DEFAULT,
            config_source,
            synonyms,
            config_type: setting.kind as i8,
            documentation: Some(setting.documentation.to_owned()),
            ..Default::default()
        }
    });
    entries.collect()
}

/// The places that the broker's own setting may come from, from which topics take this one's
/// default: that in force first.
pub(super) fn of_broker(defaults: &Defaults, setting: &Setting) -> Vec<DescribeConfigsSynonym> {
    let Some(name) = setting.broker_setting() else { return Vec::new() };
    let started_with = (setting.show)(defaults.started_with());
    let kafkas = (setting.show)(&LogConfig::default());
    let set = defaults.set_for_brokers(setting).map(|(source, value)| synonym(name, value, source));
    let fixed = (started_with != kafkas).then(|| synonym(name, &started_with, SOURCE_STATIC_BROKER));
    let default = match setting.coarse() {
        Some((coarse, _, value)) => synonym(coarse, value, SOURCE_DEFAULT),
        None => synonym(name, &kafkas, SOURCE_DEFAULT),
    };
    // As in Kafka the other name counts only behind this one.
    set.chain(fixed).chain([default]).skip_while(|synonym| synonym.name != name).collect()
}

/// One of the places that a value may come from.
pub(super) fn synonym(name: &str, value: &str, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym { name: name.to_owned(), value: Some(value.to_owned()), source }
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
pub(super) fn topic_named(context: &Context<'_>, name: &str) -> Result<std::sync::Arc<Topic>, Refusal> {
    context.node.metadata.topic(name).ok_or_else(|| {
        Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("there is no topic {name}"))
    })
}

/// A list with more parts, each once, or without some.
pub(super) fn edited(list: &str, parts: &str, append: bool) -> String {
    let split = |list| str::split(list, ',').map(str::trim).filter(|part| !part.is_empty());
    let mut kept: Vec<&str> = split(list).collect();
    for part in split(parts) {
        if !append {
            kept.retain(|old| *old != part);
        } else if !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept.join(",")
}

/// Refuses settings of a topic that do not go together with each other, or with the broker's.
pub(super) fn check_together(context: &Context<'_>, config: &TopicConfig) -> Result<(), Refusal> {
    let in_force = context.node.metadata.defaults().log_config(config);
    let (least, most) = (in_force.min_compaction_lag_ms, in_force.max_compaction_lag_ms);
    if least > most {
        let message =
            format!("min.compaction.lag.ms is {least}, which is more than max.compaction.lag.ms, {most}");
        return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
    }
    Ok(())
}

/// Puts a topic's new settings in force, unless they were only to be checked.
pub(super) fn store(
    context: &Context<'_>,
    topic: &Topic,
    config: &TopicConfig,
    validate_only: bool,
) -> Result<(), Refusal> {
    check_together(context, config)?;
    if validate_only {
        return Ok(());
    }
    let stored = context.node.configure_topic(&topic.name, config);
    stored.map_err(|error| Refusal::new(error.code(), error))
}

/// An answer as the two fields that carry it.
pub(super) fn fields(result: Result<(), Refusal>) -> (ErrorCode, Option<String>) {
    match result {
        Ok(()) => (ErrorCode::NONE, None),
        Err(Refusal { code, message }) => (code, Some(message)),
    }
}
