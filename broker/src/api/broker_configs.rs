//! The broker's settings, described as Kafka describes them: those it was started with, which stay,
//! and those that topics take their defaults from, which can be altered.

use protocol::describe_configs::{
    DescribeConfigsEntry, DescribeConfigsSynonym, SOURCE_DEFAULT, SOURCE_DYNAMIC_DEFAULT_BROKER,
    SOURCE_STATIC_BROKER,
};

use super::configs::{of_broker, synonym};
use super::plain::MECHANISMS;
use super::{Context, Endpoint};
use crate::controller::{Defaults, SETTINGS, Setting, SettingKind};
use crate::listener::address;

/// All settings of this broker, by name.
pub(super) fn of_this(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    let defaults = context.node.topics.defaults();
    let of_topics = SETTINGS.iter().filter_map(|setting| alterable(&defaults, setting));
    // Of those that Kafka has twice, the ones that are not altered.
    let coarse = SETTINGS.iter().filter_map(|setting| {
        let (name, kind, value) = setting.coarse()?;
        Some(entry(name, kind, true, vec![synonym(name, value, SOURCE_DEFAULT)]))
    });
    let mut entries: Vec<_> = fixed(context).into_iter().chain(of_topics).chain(coarse).collect();
    entries.push(entry("log.retention.minutes", SettingKind::Int, true, Vec::new()));
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    entries
}

/// What was set for all brokers, by topics' names for it.
pub(super) fn of_all(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    let defaults = context.node.topics.defaults();
    let entries = SETTINGS.iter().filter_map(|setting| {
        let mut set = defaults.set_for_brokers(setting);
        let (source, value) = set.find(|(source, _)| *source == SOURCE_DYNAMIC_DEFAULT_BROKER)?;
        let name = setting.broker_setting()?;
        Some(entry(name, setting.kind, false, vec![synonym(name, value, source)]))
    });
    entries.collect()
}

/// A setting that topics take their default from.
fn alterable(defaults: &Defaults, setting: &Setting) -> Option<DescribeConfigsEntry> {
    let name = setting.broker_setting()?;
    let synonyms = of_broker(defaults, setting);
    let documentation = Some(setting.documentation.to_owned());
    Some(DescribeConfigsEntry { documentation, ..entry(name, setting.kind, false, synonyms) })
}

/// What the broker was started with.
fn fixed(context: &Context<'_>) -> Vec<DescribeConfigsEntry> {
    use SettingKind::{Boolean, Int, List, Long};
    let (config, groups) = (&context.node.config, &context.node.config.groups);
    let fixed = |name: &str, kind, value: &dyn ToString, kafkas: Option<&str>| {
        let value = value.to_string();
        let own = (kafkas != Some(value.as_str())).then(|| synonym(name, &value, SOURCE_STATIC_BROKER));
        let default = kafkas.map(|value| synonym(name, value, SOURCE_DEFAULT));
        entry(name, kind, true, own.into_iter().chain(default).collect())
    };
    let listeners: Vec<_> = config.listeners.iter().map(ToString::to_string).collect();
    let mechanisms = config.users.as_ref().map_or_else(|| "GSSAPI".to_owned(), |_| MECHANISMS.join(","));
    let offsets_retention_minutes = groups.offsets_retention_ms / 60_000;
    vec![
        fixed("advertised.listeners", List, &advertised(context), None),
        fixed("auto.create.topics.enable", Boolean, &config.auto_create_topics, Some("true")),
        fixed("broker.id", Int, &config.node_id, Some("-1")),
        fixed("connection.failed.authentication.delay.ms", Int, &super::FAILED_LOGIN_DELAY_MS, Some("100")),
        fixed("connections.max.idle.ms", Long, &config.connections_max_idle_ms, Some("600000")),
        fixed("default.replication.factor", Int, &1, Some("1")),
        fixed("delete.topic.enable", Boolean, &true, Some("true")),
        fixed("fetch.max.bytes", Int, &super::fetch::MAX_BYTES, Some("57671680")),
        fixed("group.initial.rebalance.delay.ms", Int, &groups.initial_rebalance_delay_ms, Some("3000")),
        fixed("group.max.session.timeout.ms", Int, &groups.max_session_timeout_ms, Some("1800000")),
        fixed("group.min.session.timeout.ms", Int, &groups.min_session_timeout_ms, Some("6000")),
        fixed("listeners", List, &listeners.join(","), Some("PLAINTEXT://:9092")),
        fixed("log.dirs", List, &config.data_dir.display(), None),
        fixed("log.flush.offset.checkpoint.interval.ms", Int, &config.checkpoint_interval_ms, Some("60000")),
        fixed("node.id", Int, &config.node_id, None),
        fixed("num.partitions", Int, &config.num_partitions, Some("1")),
        fixed("offsets.retention.minutes", Int, &offsets_retention_minutes, Some("10080")),
        fixed("process.roles", List, &"broker,controller", Some("")),
        fixed("queued.max.request.bytes", Long, &config.queued_request_bytes, Some("-1")),
        fixed("sasl.enabled.mechanisms", List, &mechanisms, Some("GSSAPI")),
        fixed("socket.request.max.bytes", Int, &config.max_request_bytes, Some("104857600")),
    ]
}

/// What the clients of each listener are told; of a listener that tells each the address by which
/// it has come, what this one is told, or where the others come.
fn advertised(context: &Context<'_>) -> String {
    let listeners = context.node.config.listeners.iter().enumerate();
    let advertised = listeners.map(|(index, listener)| {
        let Endpoint { listener: own, host, port } = context.endpoint;
        let (host, port) = match &listener.advertised {
            _ if index == *own => (host, *port),
            Some(told) => (&told.host, told.port.unwrap_or(listener.port)),
            None => (&listener.host, listener.port),
        };
        format!("{}://{}", listener.protocol, address(host, port))
    });
    advertised.collect::<Vec<_>>().join(",")
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
