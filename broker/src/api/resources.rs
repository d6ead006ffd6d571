//! Settings of what is no topic: the broker, groups, and subscriptions to clients' metrics.
//!
//! Of the broker those can be altered that topics take their defaults from, for this broker by its
//! number and for all brokers by an empty name: as there is one, its own go first. What is none of
//! Kafka's is kept. Groups and subscriptions need not be there to have settings.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::describe_configs::{
    BROKER, BROKER_LOGGER, CLIENT_METRICS, DescribeConfigsEntry, GROUP, SOURCE_CLIENT_METRICS,
    SOURCE_DEFAULT, SOURCE_GROUP,
};
use protocol::incremental_alter_configs::{APPEND, DELETE, SET, SUBTRACT};

use super::Context;
use super::broker_configs;
use super::configs::{Refusal, edited, synonym};
use super::errors::ToErrorCode;
use super::kept_settings::{CLIENT_METRICS_SETTINGS, GROUP_SETTINGS, KeptSetting};
use crate::controller::{InvalidConfig, Setting, SettingKind, TopicConfig};

/// A setting of a resource, and what becomes of it.
pub(super) struct Change<'a> {
    pub(super) name: &'a str,
    pub(super) operation: i8,
    pub(super) value: Option<&'a str>,
}

/// All settings of a resource.
pub(super) fn describe(
    context: &Context<'_>,
    resource_type: i8,
    name: &str,
) -> Result<Vec<DescribeConfigsEntry>, Refusal> {
    check_name(context, resource_type, name)?;
    match resource_type {
        BROKER if name.is_empty() => Ok(broker_configs::of_all(context)),
        BROKER => Ok(broker_configs::of_this(context)),
        // What this program logs is decided when it starts.
        BROKER_LOGGER => Ok(Vec::new()),
        _ => Ok(kept(context, resource_type, name)),
    }
}

/// Makes all changes to what is set for a resource, or none; on top of what is set already, or
/// instead of it.
pub(super) fn alter<'a>(
    context: &Context<'_>,
    (resource_type, name): (i8, &str),
    changes: impl Iterator<Item = Change<'a>>,
    instead: bool,
    validate_only: bool,
) -> Result<(), Refusal> {
    check_name(context, resource_type, name)?;
    let metadata = &context.node.metadata;
    let mut config = if instead { BTreeMap::new() } else { metadata.resource_config(resource_type, name) };
    for Change { name, operation, value } in changes {
        // As in Kafka what can't be set can be unset, which changes nothing.
        if operation == DELETE && resource_type != BROKER_LOGGER {
            config.remove(name);
            continue;
        }
        let known = Known::find(resource_type, name)?;
        match (operation, value) {
            (SET, Some(value)) => drop(config.insert(name.to_owned(), known.checked(value)?)),
            (APPEND | SUBTRACT, Some(value)) if known.kind() == SettingKind::List => {
                let old = config.get(name).cloned().unwrap_or_else(|| known.default(context));
                let new = known.checked(&edited(&old, value, operation == APPEND))?;
                config.insert(name.to_owned(), new);
            }
            (APPEND | SUBTRACT, _) => {
                let message = format!("{name} is not a list that can grow or shrink: set it");
                return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
            }
            (operation, _) => {
                return Err(Refusal::new(
                    ErrorCode::INVALID_REQUEST,
                    format!("there is no operation {operation}"),
                ));
            }
        }
    }
    if validate_only {
        return Ok(());
    }
    let stored = context.node.configure_resource(resource_type, name, &config);
    stored.map_err(|error| Refusal::new(error.code(), error))
}

fn check_name(context: &Context<'_>, resource_type: i8, name: &str) -> Result<(), Refusal> {
    let node_id = context.node.config.node_id.to_string();
    let message = match resource_type {
        // An empty name stands for all brokers of the cluster.
        BROKER if name.is_empty() || name == node_id => return Ok(()),
        BROKER_LOGGER if name == node_id => return Ok(()),
        BROKER | BROKER_LOGGER => format!("there is no broker {name}: this one is {node_id}"),
        GROUP | CLIENT_METRICS if !name.is_empty() => return Ok(()),
        GROUP => "the name of a group is not empty".into(),
        CLIENT_METRICS => "the name of a subscription to clients' metrics is not empty".into(),
        other => format!("resources of type {other} have no settings here"),
    };
    Err(Refusal::new(ErrorCode::INVALID_REQUEST, message))
}

/// A setting that a resource can have.
enum Known {
    /// One that topics take their default from, under the broker's name for it.
    OfBroker(String, &'static Setting),
    /// One that is kept for who asks.
    Kept(&'static KeptSetting),
    /// One of the broker's that is kept for who knows it.
    Unknown,
}

impl Known {
    fn find(resource_type: i8, name: &str) -> Result<Self, Refusal> {
        let invalid = |message| Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
        match resource_type {
            BROKER => match Setting::of_broker(name) {
                Some(setting) => Ok(Self::OfBroker(name.to_owned(), setting)),
                None if broker_configs::is_fixed(name) => {
                    invalid(format!("the broker's {name} can't change while it runs"))
                }
                None => Ok(Self::Unknown),
            },
            BROKER_LOGGER => {
                Err(Refusal::new(ErrorCode::INVALID_CONFIG, format!("there is no logger {name}")))
            }
            GROUP => KeptSetting::find(GROUP_SETTINGS, name).map(Self::Kept).ok_or_else(|| {
                Refusal::new(ErrorCode::INVALID_CONFIG, format!("unknown group config {name}"))
            }),
            _ => match KeptSetting::find(CLIENT_METRICS_SETTINGS, name) {
                Some(setting) => Ok(Self::Kept(setting)),
                None => invalid(format!("unknown config {name} of a subscription to clients' metrics")),
            },
        }
    }

    fn kind(&self) -> SettingKind {
        match self {
            Self::OfBroker(_, setting) => setting.kind,
            Self::Kept(setting) => setting.kind,
            Self::Unknown => SettingKind::Unknown,
        }
    }

    /// What is in force while nothing is set.
    fn default(&self, context: &Context<'_>) -> String {
        match self {
            Self::OfBroker(_, setting) => {
                context.node.metadata.defaults().value(&TopicConfig::default(), setting)
            }
            Self::Kept(setting) => setting.default.to_owned(),
            Self::Unknown => String::new(),
        }
    }

    /// A good value as Kafka writes it.
    fn checked(&self, value: &str) -> Result<String, Refusal> {
        match self {
            Self::OfBroker(name, setting) => {
                let mut config = TopicConfig::default();
                config.set(setting.name, value).map_err(|error| match error {
                    InvalidConfig::Value { expected, .. } => Refusal::new(
                        ErrorCode::INVALID_REQUEST,
                        format!("{value:?} is no value for {name}: {expected}"),
                    ),
                    error @ InvalidConfig::Unknown { .. } => error.into(),
                })?;
                Ok(config.get(setting.name).unwrap_or(value).to_owned())
            }
            Self::Kept(setting) => setting.checked(value),
            Self::Unknown => Ok(value.to_owned()),
        }
    }
}

/// The settings of a group or a subscription, which change nothing here.
fn kept(context: &Context<'_>, resource_type: i8, name: &str) -> Vec<DescribeConfigsEntry> {
    let (settings, source) = if resource_type == GROUP {
        (GROUP_SETTINGS, SOURCE_GROUP)
    } else {
        (CLIENT_METRICS_SETTINGS, SOURCE_CLIENT_METRICS)
    };
    let config = context.node.metadata.resource_config(resource_type, name);
    let entries = settings.iter().map(|setting| {
        let own = config.get(setting.name).map(|value| synonym(setting.name, value, source));
        let default = setting.broker_name.map(|name| synonym(name, setting.default, SOURCE_DEFAULT));
        DescribeConfigsEntry {
            name: setting.name.to_owned(),
            value: Some(config.get(setting.name).map_or(setting.default, String::as_str).to_owned()),
            is_default: own.is_none(),
            config_source: if own.is_some() { source } else { SOURCE_DEFAULT },
            synonyms: own.into_iter().chain(default).collect(),
            config_type: setting.kind as i8,
            documentation: Some(setting.documentation.to_owned()),
            ..Default::default()
        }
    });
    entries.collect()
}
