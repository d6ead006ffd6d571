//! Changes of what is set for things that are no topics.

use std::sync::Arc;

use protocol::describe_configs::BROKER;

use super::metadata_log;
use super::resources::{Defaults, ResourceConfig};
use super::topics::{TopicError, Topics};

impl Topics {
    /// What was set for a resource.
    pub(crate) fn resource_config(&self, resource_type: i8, name: &str) -> ResourceConfig {
        self.read().resources.get(&(resource_type, name.to_owned())).cloned().unwrap_or_default()
    }

    /// The resources of a type that anything was set for.
    pub(crate) fn resources_of(&self, resource_type: i8) -> Vec<String> {
        let registry = self.read();
        let resources = registry.resources.keys().filter(|(of_type, _)| *of_type == resource_type);
        resources.map(|(_, name)| name.clone()).collect()
    }

    /// Replaces what is set for a resource. It lasts, and topics go at once by what is set for the
    /// broker.
    pub(crate) fn configure_resource(
        &self,
        resource_type: i8,
        name: &str,
        config: ResourceConfig,
    ) -> Result<(), TopicError> {
        let mut log = self.changes();
        let old = self.resource_config(resource_type, name);
        let records = metadata_log::resource_alteration(resource_type, name, &old, &config);
        // A shorter retention makes room.
        self.reserve.spend(|| log.write(&records))?;
        let mut registry = self.write();
        if config.is_empty() {
            registry.resources.remove(&(resource_type, name.to_owned()));
        } else {
            registry.resources.insert((resource_type, name.to_owned()), config);
        }
        if resource_type != BROKER {
            return Ok(());
        }
        let started_with = registry.defaults.started_with().clone();
        let defaults = Arc::new(Defaults::new(started_with, self.node_id, &registry.resources));
        registry.defaults = Arc::clone(&defaults);
        drop(registry);
        for topic in self.all() {
            let log_config = defaults.log_config(&topic.config);
            for partition in &topic.partitions {
                partition.lock().set_config(log_config.clone());
            }
        }
        Ok(())
    }
}
