//! What was set, while the broker ran, for things that are no topics: the broker itself, groups,
//! and subscriptions to clients' metrics.

use std::collections::BTreeMap;

use protocol::describe_configs::{BROKER, SOURCE_DYNAMIC_BROKER, SOURCE_DYNAMIC_DEFAULT_BROKER};

use super::TopicConfig;
use super::settings::Setting;
use crate::log::LogConfig;

/// What was set for one resource, by Kafka's names.
pub(crate) type ResourceConfig = BTreeMap<String, String>;

/// The same for each resource that anything was set for, by type and name.
pub(crate) type ResourceConfigs = BTreeMap<(i8, String), ResourceConfig>;

/// What topics go by that set nothing themselves: what the broker was started with, over it what
/// was set for all brokers since, and over that what was set for this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    started_with: LogConfig,
    of_all_brokers: TopicConfig,
    of_this_broker: TopicConfig,
}

impl Defaults {
    pub(super) fn new(started_with: LogConfig, node_id: i32, configs: &ResourceConfigs) -> Self {
        let of = |broker: String| {
            let mut config = TopicConfig::default();
            for (name, value) in configs.get(&(BROKER, broker)).into_iter().flatten() {
                // A newer program may have set what this one does not know.
                if let Some(setting) = Setting::of_broker(name)
                    && let Err(error) = config.restore(setting.name, value)
                {
                    tracing::warn!("what was set for {name} is not in force: {error}");
                }
            }
            config
        };
        Self { started_with, of_all_brokers: of(String::new()), of_this_broker: of(node_id.to_string()) }
    }

    /// What the broker was started with.
    pub(crate) fn started_with(&self) -> &LogConfig {
        &self.started_with
    }

    /// What the logs of a topic go by that has set this.
    pub(crate) fn log_config(&self, topic: &TopicConfig) -> LogConfig {
        let of_all = self.of_all_brokers.log_config(&self.started_with);
        topic.log_config(&self.of_this_broker.log_config(&of_all))
    }

    /// What was set for brokers, and the source that each value is: the one in force first.
    pub(crate) fn set_for_brokers(&self, setting: &Setting) -> impl Iterator<Item = (i8, &str)> {
        let sources = [
            (SOURCE_DYNAMIC_BROKER, &self.of_this_broker),
            (SOURCE_DYNAMIC_DEFAULT_BROKER, &self.of_all_brokers),
        ];
        let name = setting.name;
        sources.into_iter().filter_map(move |(source, config)| Some((source, config.get(name)?)))
    }

    /// The value in force for a topic that has set this, as Kafka writes it.
    pub(crate) fn value(&self, topic: &TopicConfig, setting: &Setting) -> String {
        let of_brokers = || self.set_for_brokers(setting).next().map(|(_, value)| value);
        let set = topic.get(setting.name).or_else(of_brokers);
        set.map_or_else(|| (setting.show)(&self.started_with), str::to_owned)
    }
}
