//! `AlterConfigs`: replace all settings at once.
//!
//! # Behaviour
//! What is not named returns to its default. That surprises people, which is why
//! `IncrementalAlterConfigs` came; librdkafka and kafka-python still send this one.
//!
//! # Versions
//! All alike; 2 is flexible.

use protocol::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use protocol::describe_configs::TOPIC;
use protocol::incremental_alter_configs::SET;

use super::Context;
use super::configs::{self, Refusal};
use super::resources::{self, Change};
use crate::controller::TopicConfig;

pub(super) fn handle(context: &Context<'_>, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let responses = configs::alter_each(
        request.resources,
        |resource| (resource.resource_type, &resource.resource_name),
        |resource| alter(context, resource, request.validate_only),
        |resource, (error_code, error_message)| AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        },
    );
    AlterConfigsResponse { responses, ..Default::default() }
}

fn alter(context: &Context<'_>, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    configs::check_changes(resource.configs.iter().map(|entry| (entry.name.as_str(), &entry.value, true)))?;
    if resource.resource_type != TOPIC {
        let changes = resource.configs.iter().map(|entry| Change {
            name: &entry.name,
            operation: SET,
            value: entry.value.as_deref(),
        });
        let named = (resource.resource_type, resource.resource_name.as_str());
        return resources::alter(context, named, changes, true, validate_only);
    }
    let topic = configs::topic_named(context, &resource.resource_name)?;
    let mut config = TopicConfig::default();
    for entry in &resource.configs {
        if let Some(value) = &entry.value {
            config.set(&entry.name, value)?;
        }
    }
    configs::store(context, &topic, &config, validate_only)
}
